# SPDX-License-Identifier: Apache-2.0
"""
What services send to ``/verify/...``: JSON, bounded and read in one way only, before anything in it is believed.

A member that is not known, one that is there twice, and a value of another type are refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from daypass.access import RequestFacts
from daypass.doorway import limits
from daypass.doorway.client_address import normal_address
from daypass.errors import ProofError, Reason, RequestError
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue
from daypass.jsontext import read_json_object
from daypass.sigv4 import RawRequest

MAX_REQUESTS: Final = 100
"""Requests in one call; each costs some 100 microseconds, in which nobody else is served."""

MAX_PERMISSIONS: Final = 500
"""Permissions in one call, of all its requests; each is one decision, of 20 microseconds and more."""

MAX_CONTEXT_KEYS: Final = 50
MAX_CONTEXT_VALUES: Final = 200
"""Condition keys of one permission, and values of one key: more than any action of AWS has."""

MAX_TEXT: Final = 2048
"""Characters of an ARN, and of a value of a condition key. AWS's longest ARNs have 2,048."""

MAX_DEPTH: Final = 8
"""Of nesting: an answer to ``requests[].permissions[].context.{}[]`` needs 7."""

_ACTION: Final = re.compile(r"([a-z0-9-]{1,64}):([A-Za-z][A-Za-z0-9]{0,127})", re.ASCII)
_RESOURCE: Final = re.compile(r"\*|arn:[^\x00-\x1f\x7f]{1,2044}")
_KEY: Final = re.compile(r"[a-z0-9-]{1,64}:[\x21-\x7e]{1,256}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_OF_REQUESTS: Final = ("requesttag/", "resourcetag/", "tagkeys")
"""Global condition keys that say something of the request's content, which only the service knows."""


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One permission that a service asks about; ``context``: condition keys that its request brings."""

    action: str
    resource: str
    context: dict[str, list[str]] = {}

    def __repr__(self) -> str:
        return f"Permission({self.action!r})"


class OriginalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A request as a service received it. ``target``: raw path and query. ``headers``: in their order, a character for each byte.
    ``payload_sha256`` or ``body`` (base64): of the body, where it has been read. ``source_ip``, ``secure``: of whoever sent it.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    payload_sha256: str | None = None
    body: str | None = None
    source_ip: str | None = None
    secure: bool = False
    permissions: list[Permission] | None = None

    def __repr__(self) -> str:
        return "OriginalRequest(...)"


class ScopeMembers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which service asks: the name of a configured backend; or its name, region and account."""

    backend: str | None = None
    service: str | None = None
    region: str | None = None
    account: str | None = None


class VerifyRequests(ScopeMembers, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /verify/requests``."""

    requests: list[OriginalRequest]


class GetKey(ScopeMembers, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /verify/keys``."""

    request: OriginalRequest


class Decide(ScopeMembers, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /verify/decisions``. The facts are those of the request at hand; ``signed_at``: when it was signed."""

    handle: str
    permissions: list[Permission]
    source_ip: str | None = None
    secure: bool = False
    user_agent: str | None = None
    referer: str | None = None
    signed_at: int | None = None

    def __repr__(self) -> str:
        return "Decide(...)"


Asked = TypeVar("Asked", bound=ScopeMembers)


def read_message(body: bytes, kind: type[Asked]) -> Asked:
    """A message of a kind. Raises RequestError for what is none, or too much."""
    try:
        members = read_json_object(body, max_depth=MAX_DEPTH)
    except ProofError as error:
        raise RequestError(error.reason, str(error)) from None
    try:
        message = msgspec.convert(members, kind, strict=True)
    except msgspec.ValidationError as error:
        # NOTE: the sentence of the library may quote what was sent; only the place is told.
        place = str(error).rpartition(" - at `")[2].rstrip("`") if " - at `" in str(error) else "$"
        shown = place if re.fullmatch(r"[$.\[\]A-Za-z0-9_]{1,120}", place) else "$"
        raise RequestError(Reason.MALFORMED_REQUEST, f"The JSON is not as expected at {shown}.") from None
    _check_amounts(message)
    return message


def _check_amounts(message: ScopeMembers) -> None:
    requests: Sequence[OriginalRequest] = ()
    permissions = 0
    if isinstance(message, VerifyRequests):
        requests = message.requests
        if not 1 <= len(requests) <= MAX_REQUESTS:
            raise _invalid(f"expected 1 to {MAX_REQUESTS} requests")
    elif isinstance(message, GetKey):
        requests = (message.request,)
        if message.request.permissions is not None:
            raise _invalid("permissions are not decided here")
    elif isinstance(message, Decide):
        permissions = len(message.permissions)
        if not permissions:
            raise _invalid("expected a permission")
    permissions += sum(len(one.permissions or ()) for one in requests)
    if permissions > MAX_PERMISSIONS:
        raise _invalid(f"expected at most {MAX_PERMISSIONS} permissions")


def raw_request(asked: OriginalRequest) -> RawRequest:
    """The request, raw. Raises RequestError."""
    try:
        target = asked.target.encode("ascii")
        headers = tuple(
            (name.encode("ascii").lower(), value.encode("latin-1").strip(b" \t")) for name, value in asked.headers
        )
    except UnicodeEncodeError:
        raise _invalid("a target and the names of headers are ASCII, values of headers bytes") from None
    if not target.startswith(b"/") or b"#" in target or any(byte <= 0x20 or byte == 0x7F for byte in target):
        raise _invalid("the target is not a path")
    if len(headers) > limits.HEADERS or sum(len(name) + len(value) for name, value in headers) > limits.HEADER_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, "The request's headers are too large.")
    if [name for name, _ in headers].count(b"host") != 1:
        raise _invalid("expected one Host header")
    path, _, query = target.partition(b"?")
    return RawRequest(asked.method, path, query, headers)


def body_of(asked: OriginalRequest) -> tuple[bytes | None, str | None]:
    """The body, where it came, and its SHA-256, where that is known. Raises RequestError when one is not the other's."""
    digest = asked.payload_sha256
    if digest is not None and _DIGEST.fullmatch(digest) is None:
        raise _invalid("payload_sha256 is not 64 hexadecimal digits in lower case")
    if asked.body is None:
        return None, digest
    try:
        body = base64.b64decode(asked.body, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("the body is not base64") from None
    computed = hashlib.sha256(body).hexdigest()
    if digest is not None and digest != computed:
        raise RequestError(Reason.PAYLOAD_HASH_MISMATCH, "payload_sha256 is not that of the body.")
    return body, computed


def facts_of(raw: RawRequest, asked: OriginalRequest, now: float) -> RequestFacts:
    """Where and when from, as the service says. Raises RequestError for an address that is none."""
    fields = dict(raw.headers)
    user_agent, referer = fields.get(b"user-agent"), fields.get(b"referer")
    return RequestFacts(
        now,
        address_of(asked.source_ip),
        asked.secure,
        None if user_agent is None else user_agent.decode("latin-1"),
        None if referer is None else referer.decode("latin-1"),
    )


def address_of(text: str | None) -> str | None:
    """An address as policies compare it; None stays None. Raises RequestError."""
    if text is None:
        return None
    address = normal_address(text[:64])
    if address is None:
        raise _invalid("source_ip is not an address")
    return address


def needed_of(permissions: Sequence[Permission], service: str) -> tuple[Needed, ...]:
    """
    The permissions as decisions are asked for. Raises RequestError for actions of another service than ``service``, and for
    condition keys that are not a service's to say: who asks, when and where from is not theirs.
    """
    return tuple(_needed(one, service) for one in permissions)


def _needed(permission: Permission, service: str) -> Needed:
    action = _ACTION.fullmatch(permission.action)
    if action is None or action[1] != service:
        raise _invalid(f"expected an action of the service {service!r}, in full and without wildcards")
    if _RESOURCE.fullmatch(permission.resource) is None:
        raise _invalid("a resource is an ARN, or *")
    if len(permission.context) > MAX_CONTEXT_KEYS:
        raise _invalid(f"expected at most {MAX_CONTEXT_KEYS} condition keys")
    keys: dict[str, ContextValue] = {}
    for name, values in permission.context.items():
        key = name.lower()
        if key in keys:
            raise _invalid("a condition key is there twice")
        keys[key] = _value(key, values, service)
    return Needed(permission.action, permission.resource, keys)


def _value(key: str, values: list[str], service: str) -> ContextValue:
    prefix, _, name = key.partition(":")
    theirs = prefix == service or (prefix == "aws" and name.startswith(_OF_REQUESTS))
    if _KEY.fullmatch(key) is None or not theirs:
        raise _invalid("a condition key is one of the service's own, or says which tags a request or a resource has")
    if not 1 <= len(values) <= MAX_CONTEXT_VALUES or any(len(value) > MAX_TEXT for value in values):
        raise _invalid(f"a condition key has 1 to {MAX_CONTEXT_VALUES} values")
    return values[0] if len(values) == 1 and name != "tagkeys" else tuple(values)


def _invalid(message: str) -> RequestError:
    return RequestError(Reason.INVALID_PARAMETER, f"The request is not as expected: {message}.")
