# SPDX-License-Identifier: Apache-2.0
"""
The request that goes on to a backend: what was decided, without the caller's credentials, signed with the backend's own key.

INVARIANT: the caller's session token and signature never reach the backend. Path and query are the bytes that were verified,
but for the parameters of a presigned request's credential, and for a bucket that the host named, which moves into the path.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from daypass.errors import Reason, RequestError
from daypass.gateway.allowing import identity_headers
from daypass.gateway.backends import Backend
from daypass.gateway.bodies import framed_length
from daypass.gateway.decision import Allowed
from daypass.gateway.expected_owner import EXPECTED_OWNER, EXPECTED_SOURCE_OWNER
from daypass.gateway.names import AFTER_PREFIX, PREFIX, TARGET_HEADER
from daypass.sigv4 import (
    STREAMING_PAYLOADS,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    Body,
    PathStyle,
    RawRequest,
    RequestSigner,
    stored_content_encoding,
)
from daypass.sigv4.canonical import percent_decoded
from daypass.sigv4.request import AFTER_AMZ, AMZ

Headers = list[tuple[bytes, bytes]]

_HOP_BY_HOP: Final = frozenset(
    [b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
     b"transfer-encoding", b"upgrade"]
)  # fmt: skip
"""RFC 9110 section 7.6.1, and what was once sent beside it."""

_OURS: Final = frozenset(
    [b"authorization", b"x-amz-date", b"x-amz-content-sha256", b"x-amz-security-token", b"host", b"content-length", b"expect",
     b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"]
)  # fmt: skip
"""Headers that the caller's signature, or the way here, has made: they are made anew or left out."""

_DECIDED: Final = frozenset([EXPECTED_OWNER, EXPECTED_SOURCE_OWNER])
"""Headers that were decided by, and mean nothing to a backend."""

_STREAMED: Final = frozenset([b"x-amz-decoded-content-length", b"x-amz-trailer", b"content-encoding"])
"""Headers of a body in chunks, which are made anew: what is sent on may be in other chunks, or in none."""

_LEFT_OUT: Final = _HOP_BY_HOP | _OURS | _DECIDED | _STREAMED

_CREDENTIAL_PARAMETERS: Final = frozenset(
    [b"X-Amz-Algorithm", b"X-Amz-Credential", b"X-Amz-Date", b"X-Amz-Expires", b"X-Amz-SignedHeaders", b"X-Amz-Signature",
     b"X-Amz-Security-Token", b"X-Amz-Content-Sha256"]
)  # fmt: skip

_CHECKSUMS: Final = (b"x-amz-checksum-", b"x-amz-sdk-checksum-")

_UNDERSCORE, _DOT = b"_."
"""NOTE: as numbers. CPython looks for bytes in bytes when it has failed to take them for a number: five times as slow."""

_AS_HYPHENS: Final = bytes.maketrans(b"_.", b"--")
_KEPT_CONNECTION: Final = frozenset([b"close", b"keep-alive"])

_CHECKSUM_CHARACTERS: Final[Mapping[str, int]] = {
    "x-amz-checksum-crc32": 8,
    "x-amz-checksum-crc32c": 8,
    "x-amz-checksum-crc64nvme": 12,
    "x-amz-checksum-sha1": 28,
    "x-amz-checksum-sha256": 44,
}
"""How long each checksum is in base64 (S3 API, "Checking object integrity")."""

_VERIFIED_HERE: Final = frozenset(["x-amz-checksum-crc32", "x-amz-checksum-sha1", "x-amz-checksum-sha256"])


class Onward(msgspec.Struct, frozen=True):
    """
    A request for a backend. ``headers``: all but Host, in lower case. ``length``: of its body as sent; None when it has none.
    ``framed``: the body goes in chunks with a checksum behind it.
    """

    method: str
    path: bytes
    query: bytes
    headers: Headers
    length: int | None
    framed: bool = False


class Forwarder:
    """Makes requests for backends. Keeps a signer for each."""

    def __init__(self) -> None:
        self._signers: dict[str, RequestSigner | None] = {}

    def onward(
        self,
        allowed: Allowed,
        raw: RawRequest,
        *,
        bucket: str | None,
        request_id: str,
        client: str | None,
        body: Body,
        content: bytes | None = None,
        edited: bool = False,
        bears_body: bool = True,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Onward:
        """
        The request to send on. ``bucket``: of the host, to be put before the path. ``body``: what reads the caller's body.
        ``content``: the body to send, where it is known whole; ``edited``: it is not the caller's any more.
        ``bears_body``: whether a body is sent, be it an empty one. ``more``: headers instead of the caller's of the same name.

        Raises RequestError for a body whose length is not known, and for a checksum that this backend cannot take and that
        cannot be verified here.
        """
        backend = allowed.backend
        headers = onward_headers(raw)
        if more:
            names = {name for name, _ in more}
            headers = [pair for pair in headers if pair[0] not in names] + [*more]
        length, framed = None if content is None else len(content), False
        if bears_body and content is None:
            length, framed = _length(raw, backend, body)
        if content:
            headers = _with_digest(headers, content, edited=edited)
        if framed:
            headers += _framing(raw, body)
        elif (encoding := _encoding(raw, allowed)) is not None:
            headers.append((b"content-encoding", encoding))
        headers += identity_headers(allowed, request_id)
        if client is not None:
            headers.append((b"x-forwarded-for", client.encode("ascii")))
        path = raw.path if bucket is None else b"/" + bucket.encode("ascii") + raw.path
        query = without_credential(raw.query) if allowed.head.verified.presigned else raw.query
        payload = STREAMING_UNSIGNED_TRAILER if framed else _payload(allowed, content)
        headers += self._signature(backend, raw.method, path, query, headers, payload, allowed.facts.now)
        if length is not None:
            headers.append((b"content-length", str(length).encode("ascii")))
        return Onward(raw.method, path, query, headers, length, framed)

    def resigned(self, allowed: Allowed, raw: RawRequest) -> Headers:
        """
        For a proxy that sends the caller's own request on, to the host that the caller named: the headers that are to replace
        the caller's. Those of a backend that is not signed for are the caller's own, but for the signature. Of a presigned
        request ``x-daypass-uri`` is the target without its credential: backends take one signature, and no session token.
        """
        signer, verified = self.signer(allowed.backend), allowed.head.verified
        query = without_credential(raw.query) if verified.presigned else raw.query
        if signer is None:
            headers = [pair for pair in raw.headers if pair[0] in (b"x-amz-date", b"x-amz-content-sha256")]
        else:
            signed = [
                (name, value)
                for name, value in raw.headers
                if name == b"host" or (AMZ <= name < AFTER_AMZ and name not in _OURS)
            ]
            headers = signer.sign(raw.method, raw.path, query, signed, now=allowed.facts.now, payload=verified.payload)
        if verified.presigned:
            headers.append((TARGET_HEADER, raw.path + b"?" + query if query else raw.path))
        return headers

    def sign(
        self, backend: Backend, method: str, path: bytes, query: bytes, now: float, headers: Headers | None = None
    ) -> Headers:
        """The headers of a request of our own to a backend: those given, and a signature that covers no body."""
        given = headers or []
        return [*given, *self._signature(backend, method, path, query, given, UNSIGNED_PAYLOAD, now)]

    def _signature(
        self, backend: Backend, method: str, path: bytes, query: bytes, headers: Headers, payload: str, now: float
    ) -> Headers:
        signer = self.signer(backend)
        if signer is None:
            return [] if payload == UNSIGNED_PAYLOAD else [(b"x-amz-content-sha256", payload.encode("ascii"))]
        host = (b"host", backend.upstream.authority.encode("ascii"))
        return signer.sign(method, path, query, [host, *headers], now=now, payload=payload)

    def signer(self, backend: Backend) -> RequestSigner | None:
        """What signs for a backend; None where its requests go unsigned."""
        if backend.name not in self._signers:
            self._signers[backend.name] = _signer(backend)
        return self._signers[backend.name]


def _signer(backend: Backend) -> RequestSigner | None:
    keys = backend.sign_as
    if keys is None:
        return None
    style = PathStyle.RAW if backend.service == "s3" else PathStyle.NORMALISED
    return RequestSigner(
        keys.access_key_id,
        keys.secret_access_key,
        region=backend.region,
        service=backend.service,
        path_style=style,
    )


def onward_headers(raw: RawRequest) -> Headers:
    """
    The caller's headers that go on as they are. Raises RequestError for a Connection header that would take a header away on
    the way to the backend after it was decided by, and for a value that is not UTF-8.
    """
    kept: Headers = []
    for name, value in raw.headers:
        if name in _LEFT_OUT:
            if name == b"connection":
                _check_connection(value)
            continue
        if PREFIX <= name < AFTER_PREFIX:
            continue
        if (_UNDERSCORE in name or _DOT in name) and _is_ours_to_some(name):
            continue
        if not value.isascii():
            _check_utf8(value)
        kept.append((name, value))
    return kept


def _is_ours_to_some(name: bytes) -> bool:
    """Whether a backend that makes variables of headers (CGI, WSGI) takes ``x_daypass_principal`` for a header of ours."""
    read = name.translate(_AS_HYPHENS)
    return read in _OURS or read.startswith(PREFIX)


def _check_connection(value: bytes) -> None:
    if any(token.strip().lower() not in _KEPT_CONNECTION for token in value.split(b",") if token.strip()):
        raise RequestError(Reason.MALFORMED_REQUEST, "The Connection header may say close or keep-alive, nothing else.")


def _check_utf8(value: bytes) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(Reason.MALFORMED_REQUEST, "The value of a header is not UTF-8.") from None


def without_credential(query: bytes) -> bytes:
    """
    A raw query without the parameters of a presigned request's credential, escaped or not; the others as they were. Raises
    AuthenticationError for a broken escape.
    """
    return b"&".join([piece for piece in query.split(b"&") if _name(piece) not in _CREDENTIAL_PARAMETERS])


def _name(piece: bytes) -> bytes:
    return percent_decoded(piece.partition(b"=")[0])


def _single(raw: RawRequest, name: bytes) -> bytes | None:
    return next((value.strip() for header, value in raw.headers if header == name), None)


def _length(raw: RawRequest, backend: Backend, body: Body) -> tuple[int, bool]:
    """The length of the body as it is sent on, and whether that is in chunks."""
    if body.length is None:
        stated = _single(raw, b"content-length")
        if stated is None:
            raise RequestError(Reason.LENGTH_REQUIRED, "You must provide the Content-Length HTTP header.")
        return _within(int(stated), backend), False
    decoded = _within(body.length, backend)
    names = _announced(raw)
    if not names:
        return decoded, False
    if not backend.trailers:
        if not _VERIFIED_HERE.issuperset(names):
            raise RequestError(
                Reason.UNSUPPORTED_OPERATION, "A checksum behind the body must be CRC32, SHA1 or SHA256 here."
            )
        return decoded, False
    if not _CHECKSUM_CHARACTERS.keys() >= set(names):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION,
            "A checksum behind the body must be one of CRC32, CRC32C, CRC64NVME, SHA1 and SHA256.",
        )
    trailer = sum(len(name) + _CHECKSUM_CHARACTERS[name] + 3 for name in names)
    return framed_length(decoded, trailer), True


def _announced(raw: RawRequest) -> list[str]:
    value = _single(raw, b"x-amz-trailer")
    return [] if value is None else [name.strip().lower() for name in value.decode("latin-1").split(",")]


def _within(length: int, backend: Backend) -> int:
    if length > backend.max_body_bytes:
        raise RequestError(
            Reason.ENTITY_TOO_LARGE, f"Your proposed upload exceeds the maximum allowed size: {backend.max_body_bytes}."
        )
    return length


def _framing(raw: RawRequest, body: Body) -> Headers:
    decoded = body.length or 0
    stored = _stored_encoding(raw)
    return [
        (b"content-encoding", b"aws-chunked" if stored is None else b"aws-chunked," + stored),
        (b"x-amz-decoded-content-length", str(decoded).encode("ascii")),
        (b"x-amz-trailer", ",".join(_announced(raw)).encode("ascii")),
    ]


def _encoding(raw: RawRequest, allowed: Allowed) -> bytes | None:
    if allowed.head.verified.payload in STREAMING_PAYLOADS:
        return _stored_encoding(raw)
    return _single(raw, b"content-encoding")


def _stored_encoding(raw: RawRequest) -> bytes | None:
    value = _single(raw, b"content-encoding")
    return None if value is None else stored_content_encoding(value)


def _payload(allowed: Allowed, content: bytes | None) -> str:
    """What our signature says of the body: its digest where that is known, by the caller's or because it is here."""
    if content is not None:
        return hashlib.sha256(content).hexdigest()
    payload = allowed.head.verified.payload
    return UNSIGNED_PAYLOAD if payload in STREAMING_PAYLOADS else payload


def _with_digest(headers: Headers, content: bytes, *, edited: bool) -> Headers:
    """
    With Content-MD5, which older backends insist on for what others take a checksum; without the caller's digests where they
    are of another body.
    """
    kept = [(name, value) for name, value in headers if name != b"content-md5"]
    if edited:
        kept = [(name, value) for name, value in kept if not name.startswith(_CHECKSUMS)]
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    return [*kept, (b"content-md5", base64.b64encode(md5))]
