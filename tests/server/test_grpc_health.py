# SPDX-License-Identifier: Apache-2.0
"""Whether Envoy's listener answers is found out by a call, as Envoy's would be: that somebody listens is not enough."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from daypass.server import grpc_health, process
from daypass.server.settings import Listen, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def check(settings: Settings, port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """What ``/readyz`` asks."""
    return process._lesser(settings, Listen(host=host, port=port))["ext-authz"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
def test_a_server_that_answers_calls_is_in_order_until_it_stops(settings: Settings, host: str) -> None:
    calls: list[str] = []

    class Noting(grpc.ServerInterceptor):  # type: ignore[misc]
        def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
            """Nobody has this method."""
            calls.append(details.method)
            return continuation(details)

    server = grpc.server(ThreadPoolExecutor(1), interceptors=[Noting()])
    port = server.add_insecure_port(f"[{host}]:0" if ":" in host else f"{host}:0")
    holds = check(settings, port, host)
    server.start()
    assert holds()
    assert holds()
    server.stop(None).wait()
    assert not holds()
    assert calls == ["/daypass/Health"] * 2


def test_one_that_takes_connections_and_answers_nothing_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_health, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not check(settings, silent.getsockname()[1])()


def test_one_that_hangs_up_is_not(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        hung_up = pool.submit(lambda: server.accept()[0].close())
        assert not check(settings, server.getsockname()[1])()
        hung_up.result(20)


def test_without_such_a_listener_nobody_asks(settings: Settings) -> None:
    assert process._lesser(settings, None) == {}
