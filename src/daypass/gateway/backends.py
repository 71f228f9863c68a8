# SPDX-License-Identifier: Apache-2.0
"""
The services that stand behind the enforcement door, and which of them a request is for.

A backend is chosen by the host that the client named and by the raw path, before anything is believed; the names are
compared whole, and the most telling match wins. No two backends may match the same requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from daypass.credentials import Secret
from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.asking import ActionMap
from daypass.gateway.denials import DenialForm
from daypass.sigv4 import RawRequest

Proxy = Literal["nginx", "caddy", "traefik", "envoy", "envoy-grpc"]
"""``envoy`` asks over HTTP, ``envoy-grpc`` over gRPC."""

MAX_BODY_BYTES: Final = 5 * 1024**3
"""Of one request, unless configured: S3's limit for one upload, or one part of a larger one (5 GiB)."""

IDLE_SECONDS: Final = 60.0
"""How long either side may send nothing while a request is under way, unless configured. nginx's proxy_read_timeout."""


class BackendKeys(msgspec.Struct, frozen=True):
    """The static key pair that a backend knows, and that requests to it are signed with."""

    access_key_id: str
    secret_access_key: Secret

    def __repr__(self) -> str:
        return f"BackendKeys({self.access_key_id!r})"


class Upstream(msgspec.Struct, frozen=True):
    """Where a backend listens. ``authority`` is what its Host header says: ``127.0.0.1:9000``."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port; the port is left out where it is the scheme's own, as every client does."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


class Backend(msgspec.Struct, frozen=True):
    """
    One service behind us.

    - ``service``: the name in credential scopes, ``s3``. ``region``: the one that requests must be signed for.
    - ``actions``: what requests ask for; ``form_of``: how a denial of one looks.
    - ``account``: whom its resources belong to unless something else is recorded.
    - ``host``: requests to this host (lower case, without the port) are its own; for S3 those to ``BUCKET.host`` too.
      ``path``: so are those whose raw path is this or below it. Neither: it takes what no other backend takes.
    - ``sign_as``: None sends requests on unsigned.
    - ``proxy``: which proxy asks; None when none may.
    - ``max_body_bytes``, ``idle_seconds``: see the constants. ``trailers``: whether it takes checksums behind a body.
    - ``virtual_hosted``: it takes buckets from ``BUCKET.host`` itself. The gateway does not mind, for it sends paths on.
    - ``unchecked_bodies``: a proxy that asks may send on bodies that nobody compares with what was signed.
    - ``elsewhere``: the names of all S3 backends that keep other buckets, for their upstream is another. Set by ``Backends``.
    """

    name: str
    service: str
    actions: ActionMap
    form_of: Callable[[RawRequest], DenialForm]
    upstream: Upstream
    region: str
    account: str
    host: str | None = None
    path: str | None = None
    sign_as: BackendKeys | None = None
    proxy: Proxy | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    idle_seconds: float = IDLE_SECONDS
    trailers: bool = True
    virtual_hosted: bool = False
    unchecked_bodies: bool = False
    elsewhere: frozenset[str] = frozenset()


class Chosen(msgspec.Struct, frozen=True):
    """A backend, and the bucket that the host names; None in path style, and for services that have no buckets."""

    backend: Backend
    bucket: str | None = None


def _told_of_each_other(backends: Sequence[Backend]) -> Sequence[Backend]:
    """Each with ``elsewhere``: a name of a bucket stands for two buckets at two upstreams, and for one at the same."""
    s3 = [backend for backend in backends if backend.service == "s3"]
    return [
        msgspec.structs.replace(
            backend, elsewhere=frozenset([other.name for other in s3 if other.upstream != backend.upstream])
        )
        for backend in backends
    ]


class Backends:
    """All backends. Raises ConfigurationError when two have one name, or would take the same requests."""

    def __init__(self, backends: Iterable[Backend]) -> None:
        self._all: Sequence[Backend] = _told_of_each_other(tuple(backends))
        self._named = {backend.name: backend for backend in self._all}
        self._by_host: dict[str, list[Backend]] = {}
        self._by_path: list[Backend] = []
        if len(self._named) != len(self._all):
            raise _invalid("two backends have the same name")
        _check_accounts(self._all)
        _check_hosts(self._all)
        for backend in self._all:
            self._place(backend)
        self._rest = self._whoever_takes_the_rest()
        for backends_of_host in self._by_host.values():
            backends_of_host.sort(key=_longest_path_first)
        self._by_path.sort(key=_longest_path_first)

    def __iter__(self) -> Iterator[Backend]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def named(self, name: str) -> Backend | None:
        """The backend of a name."""
        return self._named.get(name)

    def choose(self, host: bytes, path: bytes) -> Chosen | None:
        """
        The backend for a Host header and a raw path; None when there is none.

        First by host and path, then by host, then by the bucket's parent domain, then by path, then whoever takes the rest. A
        bucket that the host names is compared with a path as if it stood there.
        """
        found = self._of_host(host, path) if self._by_host else None
        if found is not None:
            return found
        for backend in self._by_path:
            if _below(path, backend.path):
                return Chosen(backend)
        return None if self._rest is None else Chosen(self._rest)

    def _of_host(self, host: bytes, path: bytes) -> Chosen | None:
        name = host_name(host)
        for backend in self._by_host.get(name, ()):
            if _below(path, backend.path):
                return Chosen(backend)
        bucket, _, parent = name.partition(".")
        while parent:
            in_path_style = b"/" + bucket.encode("latin-1") + path
            for backend in self._by_host.get(parent, ()):
                if backend.service == "s3" and _below(in_path_style, backend.path):
                    return Chosen(backend, bucket)
            more, _, parent = parent.partition(".")  # names of buckets may have dots
            bucket = f"{bucket}.{more}"
        return None

    def _place(self, backend: Backend) -> None:
        if backend.host is not None:
            others = self._by_host.setdefault(backend.host, [])
            if any(other.path == backend.path for other in others):
                raise _invalid(f"two backends match host {backend.host!r} and path {backend.path!r}")
            others.append(backend)
        elif backend.path is not None:
            if any(other.path == backend.path for other in self._by_path):
                raise _invalid(f"two backends match path {backend.path!r}")
            self._by_path.append(backend)

    def _whoever_takes_the_rest(self) -> Backend | None:
        """The one without a match; of several, the one that is not there for a proxy to ask about."""
        candidates = [backend for backend in self._all if backend.host is None and backend.path is None]
        for_clients = [backend for backend in candidates if backend.proxy is None]
        if len(for_clients) > 1:
            raise _invalid(f"the backends {for_clients[0].name!r} and {for_clients[1].name!r} both have no match")
        if for_clients:
            return for_clients[0]
        return candidates[0] if len(candidates) == 1 else None


def host_name(host: bytes) -> str:
    """The name of a Host header: lower case, without its port. Empty for what is none."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def bucket_in_host(backend: Backend, host: bytes) -> str | None:
    """
    The bucket that the host names, for whoever asks what a request to this backend may. The backend reads the same host: one in
    which it might find a bucket where we find none, or none where we find one, is refused. Raises RequestError.
    """
    if backend.host is None:
        if backend.service != "s3":
            return None
        raise RequestError(
            Reason.NO_SUCH_BACKEND, "The configuration does not say by which host this service is named."
        )
    # INVARIANT: compared as it came. To the backend another spelling (capitals, a dot at the end) need not be the same host.
    name, colon, port = host.partition(b":")
    own = backend.host.encode("ascii")
    bucket = b"" if name == own else name.removesuffix(b"." + own)
    # Some look for the domain from the right, some from the left: it must be there once.
    if bucket == name or name == b"." + own or b"." + own in b"." + bucket or (colon and not port.isdigit()):
        raise RequestError(Reason.NO_SUCH_BACKEND, "There is no service here by this host.")
    if not bucket:
        return None
    if not backend.virtual_hosted:
        message = "Write the bucket into the path: this service does not read it from the host."
        raise RequestError(Reason.NO_SUCH_BACKEND, message)
    return bucket.decode("latin-1")


def _below(path: bytes, prefix: str | None) -> bool:
    if prefix is None:
        return True
    wanted = prefix.encode()
    return path == wanted or path.startswith(wanted if wanted.endswith(b"/") else wanted + b"/")


def _check_accounts(backends: Sequence[Backend]) -> None:
    """One store has one account: a bucket that is not recorded would be two accounts' otherwise."""
    owners: dict[Upstream, Backend] = {}
    for backend in backends:
        if backend.service == "s3":
            first = owners.setdefault(backend.upstream, backend)
            if first.account != backend.account:
                raise _invalid(f"the backends {first.name!r} and {backend.name!r} are one store, with two accounts")


def _check_hosts(backends: Sequence[Backend]) -> None:
    """What is one backend's own host must not be a bucket's at the same store."""
    domains = [backend for backend in backends if backend.virtual_hosted]
    for backend in backends:
        for other in domains:
            if backend.upstream == other.upstream and (backend.host or "").endswith(f".{other.host}"):
                message = f"the host of {backend.name!r} is that of a bucket of {other.name!r}, at the same store"
                raise _invalid(message)


def _longest_path_first(backend: Backend) -> int:
    return -len(backend.path or "")


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"DAYPASS_CONFIG: gateway.backends: {message}")
