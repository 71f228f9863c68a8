# SPDX-License-Identifier: Apache-2.0
"""
The section ``gateway`` of the configuration file: what stands behind the enforcement door (docs/gateway.md).

    gateway:
      proxy_secret: {file: /run/secrets/proxy}
      backends:
        - name: lake
          service: s3
          match: {host: s3.example.org}
          upstream: http://127.0.0.1:9000
          region: us-east-1
          account: "123456789012"
          sign_as: {access_key_id: backend-key, secret_access_key: {file: /run/secrets/lake}}
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from daypass.arn import is_account_id
from daypass.credentials import Secret
from daypass.errors import ConfigurationError, Reason
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.actions.named import NamedActions
from daypass.gateway.actions.s3 import S3Actions
from daypass.gateway.actions.table import ActionRow, TableActions
from daypass.gateway.asking import ActionMap
from daypass.gateway.backends import IDLE_SECONDS, MAX_BODY_BYTES, Backend, BackendKeys, Backends, Proxy, Upstream
from daypass.gateway.denials import HTTP_FORM, S3_FORM, DenialForm
from daypass.gateway.s3tokens import KeystoneClients
from daypass.server.settings import Listen, ListenSetting, read_secret_file
from daypass.sigv4 import RawRequest

FIVE_TEBIBYTES: Final = 5 * 1024**4
"""S3's longest object; no request is longer."""

FormOf = Callable[[RawRequest], DenialForm]

_NAME: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_REGION: Final = r"[A-Za-z0-9_-]{1,64}"
_HOST: Final = r"[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?"


def _account(value: str) -> str:
    if not is_account_id(value):
        raise ValueError("expected twelve digits, in quotes")
    return value


def _upstream(value: str) -> str:
    parts = urlsplit(value)
    try:
        port_given = parts.port != 0
    except ValueError:
        port_given = False
    rest = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not parts.hostname or rest or not port_given:
        raise ValueError("expected http://HOST:PORT or https://HOST[:PORT], and nothing behind it")
    return value


def _path(value: str) -> str:
    if not value.startswith("/") or not value.isascii() or any(one in value for one in "%?#\\ ") or "//" in value:
        raise ValueError("expected a path that begins with a slash, without escapes")
    return value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SecretSource(_Section):
    """Where a secret is read from when the process starts; exactly one of the two. It never stands in the file itself."""

    file: str | None = Field(default=None, description="A file of mode 0600.")
    env: str | None = Field(
        default=None, description="An environment variable, whose name does not begin with `DAYPASS_`."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("expected one of file and env")
        return self

    def read(self) -> Secret:
        """The secret. Raises ConfigurationError."""
        if self.file is not None:
            return Secret(read_secret_file(Path(self.file)))
        value = os.environ.get(self.env or "")
        if not value:
            raise ConfigurationError(
                Reason.CONFIGURATION_INVALID, f"DAYPASS_CONFIG: the environment variable {self.env!r} is not set"
            )
        return Secret(value)


class SignAsSection(_Section):
    """The key pair that the backend knows."""

    access_key_id: str = Field(min_length=1, max_length=128, description="Its access key id.")
    secret_access_key: SecretSource = Field(
        description="Where its secret is read from: `{file: PATH}` or `{env: NAME}`."
    )


class MatchSection(_Section):
    """Which requests a backend takes."""

    host: str | None = Field(
        default=None,
        pattern=f"^{_HOST}$",
        description="Requests to this host, in lower case and without a port; for S3 to `BUCKET.host` too.",
    )
    path: Annotated[str, AfterValidator(_path)] | None = Field(
        default=None, description="Requests whose path is this or below it. The path goes on as it is."
    )


class ActionSection(_Section):
    """One row of the table of actions of a service that is not AWS's; the first that fits counts."""

    method: str = Field(description="`GET`, `PUT`, ..., or `*`.")
    path: str = Field(
        description="`/things/{id}/*`: a name in braces stands for one segment, `*` at the end for the rest."
    )
    action: str = Field(description="The IAM action, `things:GetThing`.")
    resource: str = Field(description="The ARN, with `{region}`, `{account}` and the names of the path; or `*`.")


class BackendSection(_Section):
    """One service behind us."""

    name: str = Field(pattern=f"^{_NAME}$", description="Its name: `/authz/NAME`, metrics, the audit trail.")
    service: str = Field(
        description="`s3`; `dynamodb`, `sqs` and other services by operation name (docs/action-maps.md); `execute-api` for "
        "any HTTP service by method and path; any other name for a service with a table of `actions`."
    )
    match: MatchSection | None = Field(
        default=None, description="Which requests it takes at the gateway; without, all that no other takes."
    )
    upstream: Annotated[str, AfterValidator(_upstream)] = Field(
        description="Where it listens: `http://127.0.0.1:9000`."
    )
    region: str = Field(pattern=f"^{_REGION}$", description="The region that requests must be signed for.")
    account: Annotated[str, AfterValidator(_account)] = Field(
        description="Twelve digits: whom its resources belong to, unless something else is recorded."
    )
    sign_as: SignAsSection | None = Field(
        default=None, description="The key pair that requests to it are signed with; without, they go unsigned."
    )
    proxy: Proxy | None = Field(
        default=None,
        description="Which proxy asks at `/authz/NAME`: `nginx`, `caddy`, `traefik` or `envoy`; or `envoy-grpc`, at "
        "`gateway.ext_authz`. Without, none may.",
    )
    stage: str = Field(
        default="prod", pattern=r"^[A-Za-z0-9_$-]{1,128}$", description="execute-api: the stage in ARNs."
    )
    api_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="execute-api: the API's id in ARNs; the name if absent.",
    )
    actions: tuple[ActionSection, ...] | None = Field(
        default=None, strict=False, description="The table of actions of a service that is not AWS's."
    )
    max_body_bytes: int = Field(
        default=MAX_BODY_BYTES, ge=0, le=FIVE_TEBIBYTES, description="The longest body of one request."
    )
    idle_seconds: int = Field(
        default=int(IDLE_SECONDS), ge=1, le=3600, description="How long either side may be silent during a request."
    )
    trailers: bool = Field(
        default=True,
        description="S3: whether it takes checksums behind a body. If not, CRC32, SHA1 and SHA256 are verified here and "
        "left out, and others are refused.",
    )

    empty_segments: bool = Field(
        default=False,
        description="S3: whether keys with `//`, or a slash at their start, may be asked for. Set it for a backend that keeps "
        "them apart from keys without, as S3 does; one that keeps objects in files may not. Then a slash at the end of a key "
        "is part of its name too, and keys below `.sys` and the like are nothing special.",
    )
    virtual_hosted: bool = Field(
        default=False,
        description="S3 behind a proxy that asks, which sends Host and path on as they came: whether the backend takes buckets "
        "from `BUCKET.host` (`MINIO_DOMAIN` and the like). If not, such hosts are refused, for it would look for a bucket in "
        "the path. The gateway takes them in any case, and sends paths on.",
    )
    unchecked_bodies: bool = Field(
        default=False,
        description="A proxy that asks keeps the body, and a backend that gets unsigned requests does not compare it with what "
        "was signed. Set this to let such bodies pass.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.actions is not None and self.service in ("s3", "execute-api"):
            raise ValueError(f"a table of actions is not for the service {self.service}")
        host = None if self.match is None else self.match.host
        if self.virtual_hosted and (self.service != "s3" or host is None):
            raise ValueError("virtual_hosted is for s3 with match.host")
        if self.service == "s3" and self.proxy is not None and host is None:
            # The backend gets the Host that the client sent: if it has a domain, it finds buckets in it.
            raise ValueError("s3 behind a proxy needs match.host: the host that clients name")
        return self

    def backend(self) -> Backend:
        """What the gateway is made with. Raises ConfigurationError."""
        parts = urlsplit(self.upstream)
        scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
        upstream = Upstream(scheme, parts.hostname or "", parts.port or (443 if scheme == "https" else 80))
        match = self.match or MatchSection()
        keys = self.sign_as
        actions, form_of = self._actions()
        return Backend(
            name=self.name,
            service=self.service,
            actions=actions,
            form_of=form_of,
            upstream=upstream,
            region=self.region,
            account=self.account,
            host=match.host,
            path=match.path,
            sign_as=None if keys is None else BackendKeys(keys.access_key_id, keys.secret_access_key.read()),
            proxy=self.proxy,
            max_body_bytes=self.max_body_bytes,
            idle_seconds=float(self.idle_seconds),
            trailers=self.trailers,
            virtual_hosted=self.virtual_hosted,
            unchecked_bodies=self.unchecked_bodies,
        )

    def _actions(self) -> tuple[ActionMap, FormOf]:
        if self.service == "s3":
            return S3Actions(empty_segments=self.empty_segments), lambda _raw: S3_FORM
        if self.service == "execute-api":
            return ExecuteApiActions(self.stage, self.api_id or self.name), lambda _raw: HTTP_FORM
        if self.actions is not None:
            rows = [ActionRow(row.method, row.path, row.action, row.resource) for row in self.actions]
            return TableActions(rows), lambda _raw: HTTP_FORM
        named = NamedActions(self.service)
        return named, named.denial_form


class KeystoneSection(_Section):
    """Who may ask at `/v3/s3tokens`, as they ask Keystone (docs/s3tokens.md)."""

    token: SecretSource = Field(
        description="What RGW or Swift shows in the header `X-Auth-Token`: `{file: PATH}` or `{env: NAME}`."
    )
    region: str = Field(
        default="us-east-1", pattern=f"^{_REGION}$", description="The region that requests must be signed for."
    )
    name: str = Field(
        default="s3tokens",
        pattern=f"^{_NAME}$",
        description="The service in the ARN that `daypass:UseS3Tokens` is permitted on.",
    )
    account: Annotated[str, AfterValidator(_account)] | None = Field(
        default=None, description="Twelve digits: the account in that ARN; without, each caller's own."
    )
    roles: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")], ...] = Field(
        default=("member",), min_length=1, strict=False, description="The Keystone roles of everybody who may sign in."
    )

    def clients(self) -> KeystoneClients:
        """What the door is made with. Raises ConfigurationError."""
        return KeystoneClients(self.token.read(), self.region, self.name, self.account, self.roles)


def _as_grpc_listens(value: Listen) -> Listen:
    """Only what gRPC takes as it is written: of a name it takes every address, and 0.0.0.0 is ``::`` to it."""
    if value.port == 0:
        raise ValueError("expected a port: Envoy must know it")
    try:
        address = ip_address(value.host)
    except ValueError:
        raise ValueError("expected an IP address and a port, as in 127.0.0.1:9003") from None
    if address.version == 4 and address.is_unspecified:
        raise ValueError("gRPC would listen on IPv6 too: expected [::], which is both, or one address")
    if address.version == 6 and (address.ipv4_mapped is not None or address.scope_id is not None):
        raise ValueError("expected an address of IPv4 or of IPv6")
    return Listen(host=str(address), port=value.port)


class ExtAuthzSection(_Section):
    """Envoy's external authorization over gRPC (docs/proxies.md)."""

    listen: Annotated[ListenSetting, AfterValidator(_as_grpc_listens)] = Field(
        description="Where: `127.0.0.1:9003`, an IP address and a port; `[::]:9003` for all addresses, of IPv4 too. With "
        "several workers each listens there."
    )

    def check(self) -> None:
        """See to it that what it needs is installed. Raises ConfigurationError."""
        if any(find_spec(name) is None for name in ("grpc", "envoy")):
            raise ConfigurationError(
                Reason.CONFIGURATION_INVALID,
                "DAYPASS_CONFIG: gateway.ext_authz needs what is not installed: pip install 'daypass[grpc]'",
            )


class GatewaySection(_Section):
    """The enforcement door."""

    proxy_secret: SecretSource | None = Field(
        default=None,
        description="What proxies that ask at `/authz` show in the header `X-Daypass-Proxy`, and over gRPC in metadata of that "
        "name: `{file: PATH}` or `{env: NAME}`.",
    )
    backends: tuple[BackendSection, ...] = Field(default=(), strict=False, description="The services behind us.")
    ext_authz: ExtAuthzSection | None = Field(
        default=None,
        description="Envoy asks over gRPC. Without, it may not. Needs `pip install 'daypass[grpc]'` (docs/proxies.md).",
    )
    keystone: KeystoneSection | None = Field(
        default=None, description="Ceph's RGW and Swift ask at `/v3/s3tokens`. Without, nobody may."
    )

    @model_validator(mode="after")
    def _secret_for_proxies(self) -> Self:
        if self.proxy_secret is None and any(backend.proxy is not None for backend in self.backends):
            raise ValueError("a backend has a proxy, and there is no proxy_secret")
        if self.ext_authz is None and any(backend.proxy == "envoy-grpc" for backend in self.backends):
            raise ValueError("a backend has the proxy envoy-grpc, and there is no ext_authz")
        return self

    def made(self) -> Backends:
        """The backends. Raises ConfigurationError."""
        return Backends([section.backend() for section in self.backends])
