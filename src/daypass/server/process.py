# SPDX-License-Identifier: Apache-2.0
"""
The process of ``daypass serve``: first start, the listeners, and one or more workers on one socket.

uvicorn with httptools and uvloop; what is not used (access log, proxy headers, server header) is off.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import FrameType

from uvicorn import Config, Server
from uvicorn.supervisors.multiprocess import Multiprocess

from daypass.errors import ConfigurationError, Reason
from daypass.server.asgi import Application
from daypass.server.bootstrap import ROOT_CREDENTIALS_FILE
from daypass.server.first_start import FirstStart
from daypass.server.health import HealthServer
from daypass.server.protocol import BoundedProtocol
from daypass.server.settings import Listen, Settings
from daypass.store import readable

BACKLOG = 2048
"""Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn."""

CONNECTIONS = 4096
"""Connections of one worker at once; more are answered 503. With a body each, half a megabyte, they fill 2 GB."""

STOPPING_SECONDS = 10
"""How long requests under way may take to finish when the process is told to stop."""


@dataclass(frozen=True, slots=True)
class Served:
    """What is served where. ``root_credentials`` is a path, None when the root key came from the settings."""

    url: str
    health: str
    account_id: str
    data_dir: str
    root_credentials: str | None

    def lines(self) -> tuple[str, str, str]:
        """The three lines of standard output."""
        key = "from the settings" if self.root_credentials is None else f"in {self.root_credentials}"
        return (
            f"daypass: STS and IAM at {self.url} (account {self.account_id})",
            f"daypass: health at {self.health}",
            f"daypass: data in {self.data_dir}, root key {key}",
        )

    def as_dict(self) -> dict[str, str | None]:
        """The same as one JSON object."""
        return asdict(self)


def serve(settings: Settings, first_start: FirstStart, announce: Callable[[Served], None]) -> None:
    """
    Serve, once everything is in place, until a signal says stop. ``announce`` is told what is served where.

    Raises ConfigurationError when the service cannot start as configured, before anything listens.
    """
    account_id = first_start.wait()
    listener = _bind(settings.listen, "DAYPASS_LISTEN")
    settings = _as_bound(settings, listener)
    config = _uvicorn(settings)
    runner = _OneWorker(config) if settings.workers == 1 else _SeveralWorkers(config, listener)
    health = _health(settings, runner.ready)
    health.start()
    try:
        announce(_served(settings, health, account_id))
        runner.run(listener)
    finally:
        health.close()
        listener.close()


class _OneWorker:
    """Everything in this process."""

    def __init__(self, config: Config) -> None:
        self._server = _Stoppable(config)

    def run(self, listener: socket.socket) -> None:
        self._server.run([listener])

    def ready(self) -> bool:
        return self._server.started


class _Stoppable(Server):
    """A server whose stop is an end like any other: uvicorn's own raises the signal again, and the exit code is -15."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is the base class's
        """Stop; on a second interrupt, at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _SeveralWorkers:
    """Worker processes on one socket; one that dies is replaced."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self._supervisor = Multiprocess(config, [listener])
        self._expected = config.workers

    def run(self, _listener: socket.socket) -> None:
        self._supervisor.run()

    def ready(self) -> bool:
        # NOTE: only liveness. Asking a worker goes over a pipe that the supervisor's own thread is using.
        return sum(process.process.is_alive() for process in self._supervisor.processes) == self._expected


def _uvicorn(settings: Settings) -> Config:
    return Config(
        Application(settings),
        http=BoundedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        workers=settings.workers,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOPPING_SECONDS,
    )


def _bind(listen: Listen, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((listen.host, listen.port))
        listener.listen(BACKLOG)  # from here on nobody is turned away: who comes early waits
    except OSError as error:
        listener.close()
        raise _taken(name, listen, error) from None
    listener.set_inheritable(True)
    return listener


def _health(settings: Settings, ready: Callable[[], bool]) -> HealthServer:
    checks = {"server": ready, "store": lambda: readable(settings.database_url, settings.data_dir)}
    listen = settings.telemetry_listen
    try:
        return HealthServer(listen.host, listen.port, checks)
    except OSError as error:
        raise _taken("DAYPASS_TELEMETRY_LISTEN", listen, error) from None


def _taken(name: str, listen: Listen, error: OSError) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"{name}: cannot listen on {listen}: {error.strerror}")


def _as_bound(settings: Settings, listener: socket.socket) -> Settings:
    """The settings with the port that was bound, where 0 left it open: what the service calls itself must be its address."""
    bound = Listen(host=settings.listen.host, port=listener.getsockname()[1])
    return settings.model_copy(update={"listen": bound})


def _served(settings: Settings, health: HealthServer, account_id: str) -> Served:
    telemetry = Listen(host=settings.telemetry_listen.host, port=health.port)
    root = settings.data_dir / ROOT_CREDENTIALS_FILE
    return Served(
        url=settings.url,
        health=f"http://{telemetry}/readyz",
        account_id=account_id,
        data_dir=str(settings.data_dir),
        root_credentials=str(root) if root.exists() else None,
    )
