# SPDX-License-Identifier: Apache-2.0
"""
The enforcement door before real backends: the gateway, and each of the proxies that ask, over one running daypass.

    with enforcement(folder, "juicefs", "recorded") as door:
        door.client("nginx", "juicefs", "boto3", keys).put("bucket", "key", b"body")

A *way* is how a client reaches a backend: ``gateway``, or the name of a proxy. Everything behind the server is started when it
is first asked for, and ends with the block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from fakes.authz import RecordingBackend
from journeys.background import background, fake_provider
from journeys.roles import ACCOUNT, Issuer, register, trusting
from real.processes import free_port
from real.proxies import PROXIES
from real.s3_backends import BACKENDS, REGION
from real.s3_clients import CLIENTS, StorageClient
from running import Keys, Server, running_server

WAYS = ("gateway", *PROXIES)
SECRET = "between-the-proxies-and-daypass"
TAGS = "https://aws.amazon.com/tags"

S3_BACKENDS: Mapping[str, Mapping[str, str]] = {
    "juicefs": {"match": "{host: 127.0.0.1}", "trailers": "false"},
    "moto": {"match": "{host: localhost}", "trailers": "false", "empty_segments": "true"},
    "recorded": {"match": "{host: 127.0.0.1, path: /recorded}", "empty_segments": "true"},
}
"""How each is configured at the gateway: told apart by the two names of one address, the last by its one bucket."""


class Behind(Protocol):
    """A backend: where it is."""

    @property
    def url(self) -> str:
        """Where it listens."""


class Enforcement:
    """
    A server with a gateway, what stands behind it by name, and proxies and clients as they are asked for.

    ``real``: the real backends. ``recorded``: the one that only records. ``issuer``: whose tokens are traded in for sessions.
    """

    def __init__(self, folder: Path, stack: ExitStack, server: Server, backends: Mapping[str, Any]) -> None:
        self.folder = folder
        self.server = server
        self.backends = backends
        self._stack = stack
        self._places: dict[tuple[str, str], str] = {}
        self._clients: dict[tuple[str, str, str, str], StorageClient] = {}
        fake = stack.enter_context(fake_provider(stack.enter_context(background())))
        self.iam: Any = server.client("iam", server.root())
        self.issuer: Issuer = register(self.iam, server.url, fake)

    @property
    def recorded(self) -> RecordingBackend:
        """The backend that only records; its one bucket is ``recorded``."""
        found = self.backends["recorded"]
        assert isinstance(found, RecordingBackend)
        return found

    def witness(self, backend: str) -> Any:
        """boto3 at a real backend, past every door."""
        return self.backends[backend].client()

    def url(self, way: str, backend: str) -> str:
        """Where clients send their requests to go one way to a backend."""
        if (way, backend) not in self._places:
            self._places[way, backend] = self._gateway(backend) if way == "gateway" else self._proxy(way, backend)
        return self._places[way, backend]

    def _gateway(self, backend: str) -> str:
        url = str(self.server.announced["gateway"])
        return url.replace("127.0.0.1", "localhost") if backend == "moto" else url

    def _proxy(self, way: str, backend: str) -> str:
        over_grpc = f"http://{self.server.announced['ext_authz']}"
        places = {
            "daypass": over_grpc if way == "envoy-grpc" else self.server.url,
            "upstream": self.backends[backend].url,
        }
        started = PROXIES[way](self.folder / backend, backend=f"{backend}-{way}", secret=SECRET, **places)
        return self._stack.enter_context(started).url

    def client(self, way: str, backend: str, name: str, keys: Keys) -> StorageClient:
        """A real client with these keys."""
        wanted = (way, backend, name, keys.access_key_id)
        if wanted not in self._clients:
            room = self.folder / "clients" / "-".join(wanted)
            room.mkdir(parents=True)
            started = CLIENTS[name](room, endpoint=self.url(way, backend), keys=keys)
            self._clients[wanted] = self._stack.enter_context(started)
        return self._clients[wanted]

    def session(self, policy: str, **tags: str) -> Keys:
        """A federated session of a new role with this policy, whose token brings these tags."""
        role = self.issuer.role(policy, AssumeRolePolicyDocument=trusting(self.issuer.fake.issuer, tags=True))
        return self.issuer.session(role, token=self.token(**tags))

    def token(self, **tags: str) -> str:
        """A token of the provider with these tags for the session."""
        told = {"principal_tags": {name: [value] for name, value in tags.items()}}
        claims: dict[str, Any] = {TAGS: told} if tags else {}
        return self.issuer.token(**claims)


@contextmanager
def enforcement(folder: Path, *names: str, more: Sequence[str] = (), **settings: Any) -> Iterator[Enforcement]:
    """
    A server with a gateway before these S3 backends, until the block ends; it must have raised no alarm.

    ``more``: entries of ``gateway.backends`` for other services, as YAML in one line each.
    """
    with ExitStack() as stack:
        backends: dict[str, Any] = {}
        for name in names:
            started = RecordingBackend() if name == "recorded" else BACKENDS[name](folder / "backends")
            backends[name] = stack.enter_context(started)
        configuration = folder / "daypass.yaml"
        configuration.write_text(_configuration(folder, backends, more), encoding="utf-8")
        given = {
            "config": configuration,
            "gateway_listen": "127.0.0.1:0",
            "allow_loopback_http": True,
            **settings,
        }
        server = stack.enter_context(running_server(folder / "server", **given))
        yield Enforcement(folder, stack, server, backends)
        assert server.alarms() == []


def _configuration(folder: Path, backends: Mapping[str, Behind], more: Sequence[str]) -> str:
    lines = [
        "gateway:",
        f"  proxy_secret: {{file: {_secret(folder, 'proxy', SECRET)}}}",
        f"  ext_authz: {{listen: '127.0.0.1:{free_port()}'}}",
        "  backends:",
    ]
    for name, backend in backends.items():
        keys = getattr(backend, "keys", Keys("recorded-key", "recorded-secret-key"))
        secret = _secret(folder, name, keys.secret_access_key)
        of_all = {
            "service": "s3",
            "upstream": backend.url,
            "region": REGION,
            "account": f'"{ACCOUNT}"',
            "sign_as": f"{{access_key_id: {keys.access_key_id}, secret_access_key: {{file: {secret}}}}}",
        }
        lines.append(_entry({"name": name, **of_all, **S3_BACKENDS[name]}))
        for proxy in PROXIES:
            apart = {
                "match": f"{{host: 127.0.0.1, path: /-/{name}-{proxy}}}",
                "proxy": proxy,
            }  # no bucket's: only the proxy asks for it
            lines.append(_entry({"name": f"{name}-{proxy}", **of_all, **S3_BACKENDS[name], **apart}))
    return "\n".join([*lines, *(f"    - {entry}" for entry in more), ""])


def _entry(keys: Mapping[str, str]) -> str:
    return "    - {" + ", ".join(f"{name}: {value}" for name, value in keys.items()) + "}"


def _secret(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}-secret"
    file.write_text(text, encoding="ascii")
    file.chmod(0o600)
    return file
