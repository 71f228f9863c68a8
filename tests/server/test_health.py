# SPDX-License-Identifier: Apache-2.0
"""The health listener says whether the process is alive and ready, and which part is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from daypass.server.health import HealthServer


@pytest.fixture
def states() -> dict[str, bool]:
    return {"server": True, "store": True, "lesser": True}


@pytest.fixture
def health(states: dict[str, bool]) -> Iterator[HealthServer]:
    checks = {name: lambda name=name: states[name] for name in ("server", "store")}
    server = HealthServer("127.0.0.1", 0, checks, None, {"lesser": lambda: states["lesser"]})
    server.start()
    yield server
    server.close()


def get(health: HealthServer, path: str) -> tuple[int, object]:
    connection = HTTPConnection("127.0.0.1", health.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_process_that_answers_is_alive_whatever_fails(health: HealthServer, states: dict[str, bool]) -> None:
    states["store"] = False
    assert get(health, "/livez") == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_readiness_names_what_fails(health: HealthServer, states: dict[str, bool], path: str) -> None:
    assert get(health, path) == (200, {"status": "ready", "failing": []})
    states["store"] = False
    assert get(health, path) == (503, {"status": "not ready", "failing": ["store"]})


def test_what_is_lesser_is_named_and_keeps_nobody_from_being_served(
    health: HealthServer, states: dict[str, bool]
) -> None:
    states["lesser"] = False
    assert get(health, "/readyz") == (200, {"status": "ready", "failing": [], "degraded": ["lesser"]})
    states["store"] = False
    assert get(health, "/readyz") == (503, {"status": "not ready", "failing": ["store"], "degraded": ["lesser"]})


def test_other_paths_are_not_found(health: HealthServer) -> None:
    assert get(health, "/")[0] == 404


def test_an_address_that_is_taken_is_an_error(health: HealthServer) -> None:
    with pytest.raises(OSError, match="in use"):
        HealthServer("127.0.0.1", health.port, {})
