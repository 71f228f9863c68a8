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
from daypass.server.bootstrap import ROOT_CREDENTIALS_FILE, taking_turns
from daypass.server.configuration import read_configuration
from daypass.server.first_start import FirstStart
from daypass.server.grpc_health import answers
from daypass.server.health import Checks, HealthServer, Metrics
from daypass.server.metrics import MetricsDirectory, Recorder, of_recorder
from daypass.server.protocol import BoundedProtocol
from daypass.server.settings import Listen, Settings
from daypass.store import readable, state_problem

BACKLOG = 2048
"""Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn."""

CONNECTIONS = 4096
"""Connections of one worker at once; more are answered 503. With a body each, half a megabyte, they fill 2 GB."""

SILENT_SECONDS = 30
"""How long a worker may be silent before it is taken for dead: longer than it may have to wait for the database."""

STOPPING_SECONDS = 10
"""How long requests under way may take to finish when the process is told to stop."""


@dataclass(frozen=True, slots=True)
class Served:
    """
    What is served where. ``root_credentials`` is a path, None when the root key came from the settings; ``gateway`` the URL of
    the gateway's listener, ``ext_authz`` the address where Envoy asks over gRPC, if there is one.
    """

    url: str
    health: str
    account_id: str
    data_dir: str
    root_credentials: str | None
    gateway: str | None = None
    ext_authz: str | None = None

    def lines(self) -> tuple[str, str, str]:
        """The three lines of standard output."""
        key = "from the settings" if self.root_credentials is None else f"in {self.root_credentials}"
        gateway = "" if self.gateway is None else f", gateway at {self.gateway}"
        grpc = "" if self.ext_authz is None else f", gRPC for Envoy at {self.ext_authz}"
        return (
            f"daypass: STS and IAM at {self.url} (account {self.account_id}){gateway}{grpc}",
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
    listeners = [_bind(settings.listen, "DAYPASS_LISTEN")]
    if settings.gateway_listen is not None:
        listeners.append(_bind(settings.gateway_listen, "DAYPASS_GATEWAY_LISTEN"))
    settings = _as_bound(settings, listeners)
    ext_authz = _ext_authz(settings)
    runner = _OneWorker(settings) if settings.workers == 1 else _SeveralWorkers(settings, listeners)
    try:
        health = _health(settings, runner.ready, runner.metrics, _lesser(settings, ext_authz))
        health.start()
        try:
            announce(_served(settings, health, account_id, ext_authz))
            runner.run(listeners)
        finally:
            health.close()
    finally:
        runner.close()
        for listener in listeners:
            listener.close()


class _OneWorker:
    """Everything in this process."""

    def __init__(self, settings: Settings) -> None:
        recorder = Recorder()
        self.metrics = of_recorder(recorder).answer
        self._server = _Stoppable(_uvicorn(settings, Application(settings, recorder)))

    def run(self, listeners: list[socket.socket]) -> None:
        self._server.run(listeners)

    def ready(self) -> bool:
        return self._server.started

    def close(self) -> None:
        """Nothing is left behind."""


class _Stoppable(Server):
    """A server whose stop is an end like any other: uvicorn's own raises the signal again, and the exit code is -15."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is the base class's
        """Stop; on a second interrupt, at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _SeveralWorkers:
    """Worker processes on the same sockets; one that dies is replaced."""

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        with taking_turns(settings.data_dir):
            self._directory = MetricsDirectory(settings.data_dir)
        self._supervisor = _Supervisor(_uvicorn(settings, Application(settings, self._directory.path)), listeners)
        self._expected = settings.workers
        self.metrics = self._directory.exposition(self._alive, settings.workers).answer

    def run(self, _listeners: list[socket.socket]) -> None:
        self._supervisor.run()

    def ready(self) -> bool:
        # NOTE: only liveness. Asking a worker goes over a pipe that the supervisor's own thread is using.
        return len(self._alive()) == self._expected

    def close(self) -> None:
        self._directory.close()

    def _alive(self) -> list[int]:
        processes = [worker.process for worker in list(self._supervisor.processes)]
        return [process.pid for process in processes if process.pid is not None and process.is_alive()]


class _Supervisor(Multiprocess):
    """uvicorn's, which sees at once that a worker has ended while it was asked whether it is well."""

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that have ended, and those that are silent."""
        for worker in self.processes:
            # The worker's end of the pipe, which it has itself: as long as it is open here too, the pipe does not end with it.
            worker.child_conn.close()
        super().keep_subprocess_alive()


def _uvicorn(settings: Settings, application: Application) -> Config:
    return Config(
        application,
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
        timeout_worker_healthcheck=SILENT_SECONDS,
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


def _ext_authz(settings: Settings) -> Listen | None:
    """Where Envoy asks over gRPC. Each worker binds it, beside the others: that nobody else has it must be seen before."""
    section = read_configuration(settings.config).gateway.ext_authz
    if section is None:
        return None
    _check_free(section.listen)
    return section.listen


def _check_free(listen: Listen) -> None:
    """Bind as gRPC will: ``::`` is all addresses of IPv6 and IPv4; where there is no IPv6, those of IPv4."""
    both = listen.host == "::" and socket.has_dualstack_ipv6()
    host = "" if listen.host == "::" else listen.host
    family = socket.AF_INET6 if both or ":" in host else socket.AF_INET
    try:
        socket.create_server((host, listen.port), family=family, dualstack_ipv6=both).close()
    except OSError as error:
        raise _taken("DAYPASS_CONFIG: gateway.ext_authz", listen, error) from None


def _health(settings: Settings, ready: Callable[[], bool], metrics: Metrics, lesser: Checks) -> HealthServer:
    checks = {"server": ready, "store": lambda: readable(settings.database_url, settings.data_dir)}
    listen = settings.telemetry_listen
    try:
        return HealthServer(listen.host, listen.port, checks, metrics, lesser)
    except OSError as error:
        raise _taken("DAYPASS_TELEMETRY_LISTEN", listen, error) from None


def _lesser(settings: Settings, ext_authz: Listen | None) -> Checks:
    """What is said where it does not hold, while everything else is served."""
    lesser: dict[str, Callable[[], bool]] = {}
    if settings.state is not None:
        lesser["state-file"] = lambda: state_problem(settings.database_url, settings.data_dir) is None
    if ext_authz is not None:
        lesser["ext-authz"] = lambda: answers(ext_authz)
    return lesser


def _taken(name: str, listen: Listen, error: OSError) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"{name}: cannot listen on {listen}: {error.strerror}")


def _as_bound(settings: Settings, listeners: list[socket.socket]) -> Settings:
    """The settings with the ports that were bound, where 0 left them open: what a service calls itself is its address."""
    ports = [listener.getsockname()[1] for listener in listeners]
    update = {"listen": Listen(host=settings.listen.host, port=ports[0])}
    if settings.gateway_listen is not None:
        if ports[1] == ports[0]:  # doors are told apart by the port
            message = "DAYPASS_GATEWAY_LISTEN: expected another port than that of DAYPASS_LISTEN"
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
        update["gateway_listen"] = Listen(host=settings.gateway_listen.host, port=ports[1])
    return settings.model_copy(update=update)


def _served(settings: Settings, health: HealthServer, account_id: str, ext_authz: Listen | None) -> Served:
    telemetry = Listen(host=settings.telemetry_listen.host, port=health.port)
    root = settings.data_dir / ROOT_CREDENTIALS_FILE
    return Served(
        url=settings.url,
        health=f"http://{telemetry}/readyz",
        account_id=account_id,
        data_dir=str(settings.data_dir),
        root_credentials=str(root) if root.exists() else None,
        gateway=None if settings.gateway_listen is None else f"http://{settings.gateway_listen}",
        ext_authz=None if ext_authz is None else str(ext_authz),
    )
