# SPDX-License-Identifier: Apache-2.0
"""
Envoy's external authorization over gRPC: ``envoy.service.auth.v3.Authorization/Check`` (docs/proxies.md, ADR 0016).

    CheckRequest -- read_question --> the question as over HTTP -- ForwardAuthDoor.answer --> written_answer --> CheckResponse

Only the wire is read and written here; ``gateway.forward_auth`` decides, and records. The secret comes in the metadata of the
call, and the backend's name in the context extensions of Envoy's route: a client can say neither. Headers are read from
``header_map``, which tells them one by one and byte for byte; without it the question is refused.

Needs the extra ``grpc``, and is imported by nobody who does not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from google.protobuf.message import DecodeError

from daypass.doorway.received import Scope
from daypass.errors import Reason, RequestError
from daypass.gateway.backends import Proxy
from daypass.gateway.forward_auth import PREFIX, REMOVED_HEADER, SECRET_HEADER
from daypass.gateway.names import PREFIX as OURS
from daypass.gateway.names import TARGET_HEADER

Headers = Sequence[tuple[bytes, bytes]]
Metadata = Iterable[tuple[str, str | bytes]]
Answer = Callable[[Sequence[bytes], Callable[[], Scope], Collection[Proxy]], Awaitable[tuple[int, Headers, bytes]]]
"""``ForwardAuthDoor.answer``."""

BACKEND_EXTENSION: Final = "daypass-backend"
"""The context extension that names the backend."""

_OVER_GRPC: Final[tuple[Proxy, ...]] = ("envoy-grpc",)
_PSEUDO: Final[Mapping[bytes, str]] = {b":method": "method", b":path": "target", b":authority": "host"}
_BODY_FRAMING: Final = (b"content-length", b"transfer-encoding")
_SECRET: Final = SECRET_HEADER.decode("ascii")
_LENGTH: Final = b"x-original-content-length"
_ADDRESS: Final = b"x-original-address"
_METHOD: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")
"""A token (RFC 9110 section 9.1); the longest one that is registered has 17."""

_AS_HYPHENS: Final = bytes.maketrans(b"_.", b"--")
_PERMISSION_DENIED: Final = 7
_OVERWRITE: Final = 2
"""``HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD``."""


class ExtAuthzDoor:
    """Answers ``Check``. ``answer``: decides, as for questions over HTTP. ``knows``: ``ForwardAuthDoor.knows``."""

    def __init__(self, answer: Answer, knows: Callable[[Sequence[bytes]], bool]) -> None:
        self._answer = answer
        self._knows = knows

    def knows(self, metadata: Metadata) -> bool:
        """Whether a call shows the secret. Of one that does not ``check`` reads no message."""
        return self._knows(_shown(metadata))

    async def check(self, metadata: Metadata, message: bytes) -> bytes:
        """The CheckResponse to a CheckRequest, both as bytes. ``metadata``: of the call; names in lower case."""
        claimed: list[bytes] = []

        def question() -> Scope:
            scope = read_question(message)
            claimed.extend(key for key, _ in scope["headers"] if key.translate(_AS_HYPHENS).startswith(OURS))
            return scope

        status, headers, body = await self._answer(_shown(metadata), question, _OVER_GRPC)
        return written_answer(status, headers, body, claimed=claimed)


def _shown(metadata: Metadata) -> list[bytes]:
    """Every secret that came with a call."""
    return [value.encode("utf-8") if isinstance(value, str) else value for key, value in metadata if key == _SECRET]


def read_question(message: bytes) -> Scope:
    """
    The request that Envoy would send over HTTP to ask the same: ``/authz/BACKEND`` and the client's target, the client's
    headers, and what Envoy itself says of address and length. Raises RequestError when it does not tell one request in one way.
    """
    try:
        attributes = CheckRequest.FromString(message).attributes
    except DecodeError:
        raise _ambiguous("it is no CheckRequest") from None
    pseudo, headers = _parted(attributes.request.http)
    if _METHOD.fullmatch(pseudo["method"]) is None:
        raise _ambiguous("the method is no token")
    if any(key in (_LENGTH, _ADDRESS) for key, _ in headers):
        raise _ambiguous("the client says what Envoy tells")
    name = attributes.context_extensions.get(BACKEND_EXTENSION, "").encode("utf-8")
    if b"/" in name or not pseudo["target"].startswith(b"/"):
        raise _ambiguous("the target is not a path")
    path, _, query = pseudo["target"].partition(b"?")
    address = attributes.source.address.socket_address.address
    told = [(_LENGTH, value) for key, value in headers if key in _BODY_FRAMING]
    return {
        "method": pseudo["method"].decode("ascii"),
        "raw_path": PREFIX + name + path,
        "query_string": query,
        "headers": [*headers, (b"host", pseudo["host"]), (_ADDRESS, address.encode("utf-8")), *told],
        "client": (address, 0),
        "scheme": "http",
    }


def _parted(http: AttributeContext.HttpRequest) -> tuple[dict[str, bytes], list[tuple[bytes, bytes]]]:
    """Method, target and host, each said once, and the headers of the client."""
    pseudo: dict[str, bytes] = {}
    headers: list[tuple[bytes, bytes]] = []
    for header in http.header_map.headers:
        key = header.key.lower().encode("utf-8")
        value = header.raw_value
        if not key.startswith(b":"):
            headers.append((key, value))
        elif (name := _PSEUDO.get(key)) is not None:
            if name in pseudo:
                raise _ambiguous(f"the {name} came twice")
            pseudo[name] = value
    if len(pseudo) != len(_PSEUDO):
        raise _ambiguous("expected method, path and authority in header_map (encode_raw_headers)")
    return pseudo, headers


def written_answer(status: int, headers: Headers, body: bytes, *, claimed: Iterable[bytes] = ()) -> bytes:
    """
    The CheckResponse that says the same as an answer over HTTP. ``claimed``: headers of the client's in our name, which do not
    go on.
    """
    response = CheckResponse()
    if status != 200:
        response.status.code = _PERMISSION_DENIED
        denied = response.denied_response
        denied.status.code = status
        denied.body = body.decode("utf-8", "replace")
        _set(denied.headers, headers)
        return _encoded(response)
    allowed = response.ok_response
    _set(allowed.headers, [(b":path" if key == TARGET_HEADER else key, value) for key, value in headers])
    removed = [name for key, value in headers if key == REMOVED_HEADER for name in value.split(b",")]
    removed += sorted({*claimed} - {key for key, _ in headers if key != TARGET_HEADER})
    allowed.headers_to_remove.extend(name.decode("latin-1") for name in removed)
    return _encoded(response)


def _set(options: Any, headers: Headers) -> None:
    """Have Envoy set headers, instead of those of the same name; the length is Envoy's to say."""
    for key, value in headers:
        if key in (b"content-length", REMOVED_HEADER):
            continue
        option = options.add(append_action=_OVERWRITE)
        option.header.key, option.header.value = key.decode("latin-1"), value.decode("latin-1")


def _encoded(response: CheckResponse) -> bytes:
    encoded: bytes = response.SerializeToString()
    return encoded


def _ambiguous(why: str) -> RequestError:
    return RequestError(Reason.PROXY_QUESTION_AMBIGUOUS, f"The question of the proxy is not understood: {why}.")
