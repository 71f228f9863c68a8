# SPDX-License-Identifier: Apache-2.0
"""
A request for S3, read: its operation, bucket, key, parameters and x-amz-* headers, each accounted for or refused.

    1. what the path names, 2. the headers, 3. the parameters, 4. the operation, 5. nothing that is not the operation's

INVARIANT: what is left over is refused, not ignored, because a backend could read it as another operation: a parameter in
other case or escaped, a second sub-resource, a header that copies, grants or bypasses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3.names import checked_id, decoded, malformed, split_path
from daypass.gateway.actions.s3.permissions import NOT_BEHIND_A_GATEWAY
from daypass.gateway.actions.s3.routes import Choice, Route, Table, Target
from daypass.gateway.asking import Incoming
from daypass.sigv4.canonical import Parameter
from daypass.sigv4.request import AFTER_AMZ, AMZ

PRESIGNED: Final = frozenset(
    {
        b"X-Amz-Algorithm",
        b"X-Amz-Content-Sha256",
        b"X-Amz-Credential",
        b"X-Amz-Date",
        b"X-Amz-Expires",
        b"X-Amz-Security-Token",
        b"X-Amz-Signature",
        b"X-Amz-SignedHeaders",
    }
)
"""The parameters of a presigned request, which are the signature's and not the operation's."""

ANY_OPERATION: Final = frozenset(
    {
        b"x-amz-content-sha256",
        b"x-amz-date",
        b"x-amz-decoded-content-length",
        b"x-amz-expected-bucket-owner",
        b"x-amz-request-payer",
        b"x-amz-security-token",
        b"x-amz-trailer",
        b"x-amz-user-agent",
    }
)
"""Headers that may come with every operation and change neither what it is nor whom it grants anything."""

ANY_OPERATION_FAMILIES: Final = (b"x-amz-meta-", b"x-amz-checksum-", b"x-amz-sdk-", b"x-amz-server-side-encryption")

IN_THE_QUERY: Final = (
    b"x-amz-meta-",
    b"x-amz-checksum-",
    b"x-amz-sdk-",
    b"x-amz-user-agent",
    b"x-amz-expected-bucket-owner",
    b"x-amz-request-payer",
)
"""
Headers that SDKs move to the query of a presigned URL, and that may stand there.

NOTE: not those that a policy may ask about. Some backends read them from the query and some do not, so a condition on
``s3:x-amz-server-side-encryption``, say, would be met by a parameter that encrypts nothing.
"""

OF_OTHER_SYSTEMS: Final = (
    b"x_",
    b"x-amz_",
    b"x-bz-",
    b"x-ceph",
    b"x-container-",
    b"x-copy-from",
    b"x-cos-",
    b"x-delete-",
    b"x-emc-",
    b"x-gmt-",
    b"x-goog-",
    b"x-http-method",
    b"x-method-override",
    b"x-minio-",
    b"x-ntap-",
    b"x-object-",
    b"x-obs-",
    b"x-original-u",
    b"x-oss-",
    b"x-rewrite-url",
    b"x-rgw-",
    b"x-rustfs-",
    b"x-scal-",
    b"x-symlink-",
    b"x-versions-",
)
"""
Headers by which stores and their front ends are told to do something else (``x-minio-force-delete``, ``x-copy-from``, Swift's
``x-symlink-target``).
"""

_UNPACKED: Final = b"snowball"
"""
In the name of a header: MinIO and RustFS unpack an archive that is put with ``x-amz-meta-snowball-auto-extract``, and so put an
object for every entry of it, under keys that no policy was asked about.
"""

_IDS: Final = (b"versionId", b"uploadId")
_CONDITIONAL: Final = frozenset({b"if-match", b"if-none-match", b"content-encoding"})
_ESCAPED_NAME: Final = re.compile(rb"(?:^|&)[^=&%]*%")
_NONE: Final[frozenset[bytes]] = frozenset()
_X: Final = (b"x", b"X")
_OBJECT_LAMBDA: Final = b"/WriteGetObjectResponse"


class Reading(msgspec.Struct, frozen=True):
    """
    What a request says.

    - ``bucket``, ``key``: empty where the operation has none. ``version``: of the parameter versionId.
    - ``parameters``: of the operation, decoded; ``headers``: x-amz-* and conditional ones by name, as sent, trimmed.
    - ``presigned``: the signature is in the query. ``payload``: what x-amz-content-sha256 says; None where it is absent.
    """

    route: Route
    bucket: str
    key: str
    version: str | None
    parameters: Mapping[bytes, str]
    headers: Mapping[bytes, bytes]
    presigned: bool
    payload: str | None

    def header(self, name: bytes) -> str | None:
        """The value of a header; None when it is absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def says_true(self, name: bytes) -> bool:
        """Whether a header says true. Raises RequestError (MALFORMED_REQUEST) when it says neither true nor false."""
        value = self.headers.get(name, b"false").lower()
        if value not in (b"true", b"false"):
            raise malformed(f"The header {name.decode()!r} is neither true nor false.")
        return value == b"true"


def read(incoming: Incoming, table: Table, *, empty_segments: bool) -> Reading:
    """The reading of a request. Raises RequestError: UNSUPPORTED_OPERATION for no operation of S3 or one that is refused,
    UNKNOWN_PARAMETER for a parameter or header that is not the operation's, DUPLICATE_PARAMETER, MALFORMED_REQUEST."""
    raw = incoming.raw
    if raw.path == _OBJECT_LAMBDA and incoming.bucket is None:
        raise _not_here("WriteGetObjectResponse")
    bucket, key = split_path(raw.path, incoming.bucket, empty_segments=empty_segments)  # 1
    headers = _headers(raw.headers)  # 2
    own, signing = _parameters(raw.query, incoming.parameters) if raw.query else ({}, {})  # 3
    target: Target = "service" if bucket is None else "bucket" if key is None else "object"
    route = _route(table, raw.method, target, own, headers)  # 4
    _check(route, own, signing, headers)  # 5
    payload = headers.get(b"x-amz-content-sha256", signing.get(b"X-Amz-Content-Sha256"))
    presigned = b"X-Amz-Algorithm" in signing
    if presigned and payload is None:
        payload = b"UNSIGNED-PAYLOAD"
    ids = {name: checked_id(decoded(own[name])) for name in _IDS if name in own} if own else {}
    return Reading(
        route,
        bucket or "",
        key or "",
        ids.get(b"versionId"),
        {name: decoded(value) for name, value in own.items()} if own else {},
        headers,
        presigned,
        None if payload is None else payload.decode("latin-1"),
    )


def _headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that matter, each once."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if b"x" <= name < b"y":
            if not AMZ <= name < AFTER_AMZ:
                if name.startswith(OF_OTHER_SYSTEMS):
                    raise RequestError(Reason.UNKNOWN_PARAMETER, f"The header {_shown(name)} is none of S3's.")
                continue
        elif name not in _CONDITIONAL:
            continue
        if name in found:
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The header {_shown(name)} came twice.")
        if name.find(_UNPACKED) >= 0:
            raise _unpacked(name)
        found[name] = value.strip(b" \t")
    return found


def _parameters(query: bytes, parameters: Sequence[Parameter]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The parameters of the operation, and those of the signature and of SDKs (by the name that was sent)."""
    if b";" in query:
        raise malformed("The query has a raw semicolon, which parts it for some readers; write %3B.")
    if b"%" in query and _ESCAPED_NAME.search(query) is not None:
        raise malformed("The name of a parameter has an escape.")
    own: dict[bytes, bytes] = {}
    signing: dict[bytes, bytes] = {}
    for name, value in parameters:
        place = own
        if name[:1] in _X and (name == b"x-id" or name[:6].lower() == b"x-amz-"):
            place = signing
        if name in place:
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The parameter {_shown(name)} came twice.")
        place[name] = value
    return own, signing


def _route(
    table: Table, method: str, target: Target, own: Mapping[bytes, bytes], headers: Mapping[bytes, bytes]
) -> Route:
    choice: Choice | None = table.get((method, target))
    copies = b"x-amz-copy-source" in headers
    route: Route | None = None
    if choice is not None:
        if not own and not copies:
            route = choice.plain
        else:
            selectors = frozenset(own).intersection(choice.selecting) if own else _NONE
            # An operation that copies is one that does not and has a source: both are told by the same parameters.
            route = choice.routes.get((selectors, copies)) or choice.routes.get((selectors, False))
    if route is None:
        raise RequestError(Reason.UNSUPPORTED_OPERATION, "The request is no operation of S3, or more than one.")
    if route.name in NOT_BEHIND_A_GATEWAY.why:
        raise _not_here(route.name)
    return route


def _check(
    route: Route, own: Mapping[bytes, bytes], signing: Mapping[bytes, bytes], headers: Mapping[bytes, bytes]
) -> None:
    if not headers.keys() <= ANY_OPERATION:
        _check_headers(route, headers)
    for name, value in own.items():
        if name not in route.parameters:
            if name == b"max-directory-buckets" and route.name == "ListBuckets":
                raise _not_here("ListDirectoryBuckets")
            raise RequestError(Reason.UNKNOWN_PARAMETER, f"{route.name} does not have the parameter {_shown(name)}.")
        expected = route.markers.get(name)
        if expected is not None and value != expected:
            raise malformed(f"The parameter {_shown(name)} does not have the value that names {route.name}.")
        if not value and name in route.required:
            raise malformed(f"The parameter {_shown(name)} has no value.")
    if signing:
        _check_signing(route, signing, headers)


def _check_headers(route: Route, headers: Mapping[bytes, bytes]) -> None:
    for name in headers:
        if name in ANY_OPERATION or name in route.headers or name in _CONDITIONAL:
            continue
        if not name.startswith(ANY_OPERATION_FAMILIES):
            raise RequestError(Reason.UNKNOWN_PARAMETER, f"{route.name} does not have the header {_shown(name)}.")


def _check_signing(route: Route, signing: Mapping[bytes, bytes], headers: Mapping[bytes, bytes]) -> None:
    seen: set[bytes] = set()
    for name, value in signing.items():
        lowered = name.lower()
        if lowered in seen or (lowered in headers and name not in PRESIGNED):
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The parameter {_shown(name)} came twice.")
        seen.add(lowered)
        if _UNPACKED in lowered:
            raise _unpacked(name)
        if name == b"x-id":
            if value not in route.also_called:
                raise malformed(f"The parameter 'x-id' names another operation than {route.name}.")
        elif name not in PRESIGNED and not lowered.startswith(IN_THE_QUERY):
            raise RequestError(
                Reason.UNKNOWN_PARAMETER, f"{_shown(name)} is not taken from the query: send it as a header."
            )


def _not_here(name: str) -> RequestError:
    return RequestError(
        Reason.UNSUPPORTED_OPERATION, f"The operation {name} is not served here: {NOT_BEHIND_A_GATEWAY.why[name]}."
    )


def _unpacked(name: bytes) -> RequestError:
    return RequestError(
        Reason.UNKNOWN_PARAMETER, f"{_shown(name)} asks for an archive to be unpacked, which is not served here."
    )


def _shown(name: bytes) -> str:
    return repr(name[:64].decode("ascii", "replace"))
