# SPDX-License-Identifier: Apache-2.0
"""Things that are asynchronous, run beside tests that are not: an event loop in a thread, and what lives on it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from uvicorn import Config
from uvicorn import Server as Uvicorn

from daypass.clock import MovableClock
from daypass.server.app import App, open_app
from daypass.server.settings import load_settings
from fakes.oidc_provider import FakeOidcProvider
from running import Keys, Server, make_client

T = TypeVar("T")


class Background:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run there, wait here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def close(self) -> None:
        """End the loop."""
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def background() -> Iterator[Background]:
    """A loop until the block ends."""
    loop = Background()
    try:
        yield loop
    finally:
        loop.close()


@contextmanager
def fake_provider(loop: Background) -> Iterator[FakeOidcProvider]:
    """A fake provider that serves until the block ends."""
    fake = FakeOidcProvider()
    loop.run(fake.__aenter__())
    try:
        yield fake
    finally:
        loop.run(fake.__aexit__(None, None, None))


class ServerWithClock:
    """The whole service, wired as ever, behind a real socket but in this process: its clock is the test's."""

    def __init__(self, app: App, url: str, clock: MovableClock, root: Keys) -> None:
        self.app = app
        self.url = url
        self.clock = clock
        self.root = root

    def client(self, service: str, keys: Keys | None = None) -> Any:
        """A boto3 client. Sign under ``wire.client_clock`` once the clock has been moved."""
        return make_client(self.url, service, keys)


@contextmanager
def server_with_clock(loop: Background, folder: Path, clock: MovableClock) -> Iterator[ServerWithClock]:
    """See ``ServerWithClock``; it ends with the block."""
    flags = {"data_dir": str(folder / "data"), "account_id": "123456789012", "allow_loopback_http": True}
    listener = socket.create_server(("127.0.0.1", 0))
    app = loop.run(open_app(load_settings(flags, {}), clock))
    config = Config(
        app.door, http="httptools", loop="none", lifespan="off", ws="none", log_level="error", access_log=False
    )
    uvicorn = _InThread(config)
    serving = asyncio.run_coroutine_threadsafe(uvicorn.serve([listener]), loop._loop)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield ServerWithClock(app, url, clock, Server(folder).root())
    finally:
        uvicorn.should_exit = True
        serving.result(timeout=30)
        loop.run(app.close())


class _InThread(Uvicorn):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the main thread, and to pytest."""
        yield
