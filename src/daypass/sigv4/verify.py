# SPDX-License-Identifier: Apache-2.0
"""
Verification of Signature Version 4, for the header form and the query form alike.

    raw request -- read_authorization --> UnverifiedAuthorization -- verify_signature --> VerifiedSignature

Pure: the caller finds the secret and brings the time. AWS's own words are used for refusals, because people search for
them (IAM User Guide, "Troubleshoot Signature Version 4 signing").
"""

from __future__ import annotations

import hmac
from collections.abc import Set
from typing import Final, NoReturn, NotRequired, TypedDict, Unpack

import msgspec

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import canonical, presigned
from daypass.sigv4.credential import UnverifiedAuthorization
from daypass.sigv4.key import Scoped, SigningKeyProvider, signing_key
from daypass.sigv4.limits import MAX_CLOCK_SKEW
from daypass.sigv4.payloads import STREAMING_PAYLOADS, UNSIGNED_PAYLOAD, is_digest
from daypass.sigv4.request import AFTER_AMZ, AMZ, PathStyle, RawRequest
from daypass.sigv4.target import check_path, check_query
from daypass.sigv4.timestamp import basic

_NONE: Final[frozenset[str]] = frozenset()
MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)
"""What is said of a signature that does not match, and of an unknown key."""


class VerifiedSignature(msgspec.Struct, frozen=True):
    """A signature that verified: this access key signed this request. Only ``verify_signature`` makes one.

    - ``payload``: the SHA-256 of the body (hexadecimal) that the signature covers, or a word (``payloads``) that says how the
      body comes.
    - ``signed_at``, ``expires_at``: seconds since the epoch; the second is None unless the request is presigned.
    - ``timestamp``, ``signature``: as sent; the chain of signatures of a chunked body begins with them.
    """

    access_key_id: str
    session_token: str | None
    date: str
    region: str
    service: str
    signed_headers: tuple[bytes, ...]
    signed_at: int
    presigned: bool
    expires_at: int | None
    payload: str
    timestamp: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"VerifiedSignature(access_key_id={self.access_key_id!r}, service={self.service!r}, presigned={self.presigned})"

    @property
    def scope(self) -> str:
        """``date/region/service/aws4_request``, as it stands in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify_signature(
    request: RawRequest,
    authorization: UnverifiedAuthorization,
    *,
    secret: bytes | SigningKeyProvider,
    payload_hash: str | None,
    services: Set[str],
    regions: Set[str] | None = None,
    now: float,
    path_style: PathStyle = PathStyle.NORMALISED,
    skew: float = MAX_CLOCK_SKEW,
    accepted_payloads: Set[str] = _NONE,
) -> VerifiedSignature:
    """Verify that the holder of ``secret`` signed ``request``, for here and for now.

    The order: what needs no secret comes first and so is the same for a known key and an unknown one; the one step that
    needs it is last.

    1. The scope names this service and a region of ours, and its date is the day of signing (User Guide, scope errors).
    2. The clock: within ``skew`` seconds of the date, or within the lifetime of a presigned request. Bounds included.
    3. Host, the session token and every x-amz-* header are signed; a signed header is there, and once (invariant 3).
    4. Path and query can be read in one way only (invariant 2; spec of ``target``).
    5. The payload is the body's hash, whatever the request says, or a word of ``accepted_payloads`` (invariant 4). Before
       the body is read (``payload_hash=None``, S3) it is the declared hash as declared, or such a word, and one is required.
    6. The signature, over the raw bytes, compared in constant time.

    ``secret`` is the secret access key, or gives the signing key for the scope (``SigningKeyCache.of``). ``payload_hash``
    is the SHA-256 of the body as received, in lower-case hexadecimal, computed by the caller and never taken from a header; or
    None where the body has not been read yet.
    ``services`` and ``regions`` are sets of the accepted ones; ``regions=None`` accepts any. Where UNSIGNED-PAYLOAD is
    accepted, a presigned request that declares nothing was signed with that word (S3 API, query parameters).

    Raises AuthenticationError; ValueError when ``authorization`` was read from another request.

    **Not done here, so the caller owes it:** finding the secret without showing whether the key exists
    (``refuse_unknown_key``), that the session token belongs to the access key and is alive, and replay within the skew.
    **With** ``payload_hash=None`` **nothing is known of the body yet: read it through** ``open_body`` **and let nothing be
    committed before its** ``finish`` **has returned.**
    """
    if authorization.request is not request:
        raise ValueError("the authorization was read from another request")
    check_scope(authorization, authorization.timestamp, services, regions)  # 1
    _check_time(authorization, now, skew)  # 2
    _check_signed_headers(authorization)  # 3
    path = check_path(request.path, path_style)  # 4
    if request.query:
        check_query(request.query, authorization.parameters)
    payload = _payload(authorization, payload_hash, accepted_payloads)  # 5
    _check_signature(authorization, secret, path, payload)  # 6
    return VerifiedSignature(
        authorization.access_key_id,
        authorization.session_token,
        authorization.date,
        authorization.region,
        authorization.service,
        authorization.signed_headers,
        authorization.signed_at,
        authorization.presigned,
        None if authorization.expires is None else authorization.signed_at + authorization.expires,
        payload,
        authorization.timestamp,
        authorization.signature,
    )


class Expected(TypedDict):
    """The keyword arguments of ``verify_signature``, for ``refuse_unknown_key``, which takes the same."""

    secret: bytes | SigningKeyProvider
    payload_hash: str | None
    services: Set[str]
    regions: NotRequired[Set[str] | None]
    now: float
    path_style: NotRequired[PathStyle]
    skew: NotRequired[float]
    accepted_payloads: NotRequired[Set[str]]


def refuse_unknown_key(
    request: RawRequest, authorization: UnverifiedAuthorization, **expected: Unpack[Expected]
) -> NoReturn:
    """Refuse a request whose access key id is unknown, after the same work as for a known one (DESIGN.md, invariant 13).

    Takes what ``verify_signature`` takes; ``secret`` is a dummy: 40 random bytes, as long as a real one, that the process
    made at its start and never shows. Always raises AuthenticationError: what ``verify_signature`` would, and
    SIGNATURE_DOES_NOT_MATCH at the latest, which the caller may turn into the words it has for an unknown key.
    """
    verify_signature(request, authorization, **expected)
    raise AuthenticationError(Reason.SIGNATURE_DOES_NOT_MATCH, MISMATCH)


def check_scope(scoped: Scoped, timestamp: bytes, services: Set[str], regions: Set[str] | None) -> None:
    """Raise AuthenticationError unless the scope is of a service and region of ours and of the day of ``timestamp``."""
    if scoped.service not in services:
        wanted = " or ".join(repr(service) for service in sorted(services))
        raise AuthenticationError(
            Reason.CREDENTIAL_SERVICE_MISMATCH, f"Credential should be scoped to correct service: {wanted}."
        )
    if regions is not None and scoped.region not in regions:
        raise AuthenticationError(
            Reason.CREDENTIAL_REGION_MISMATCH,
            f"Credential should be scoped to a valid region, not {scoped.region!r}.",
        )
    day = timestamp[:8].decode()
    if scoped.date != day:
        raise AuthenticationError(
            Reason.CREDENTIAL_DATE_MISMATCH,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"{scoped.date!r} != {day!r}, from {timestamp.decode()!r}.",
        )


def _check_time(authorization: UnverifiedAuthorization, now: float, skew: float) -> None:
    # NOTE: written so that a NaN refuses.
    signed_at = authorization.signed_at
    if not signed_at <= now + skew:
        raise AuthenticationError(
            Reason.SIGNATURE_NOT_YET_CURRENT,
            f"Signature not yet current: {authorization.timestamp.decode()} is still later than {basic(now + skew)} "
            f"({basic(now)} + {skew / 60:g} min.)",
        )
    if authorization.expires is not None:
        if not now <= signed_at + authorization.expires:
            raise AuthenticationError(
                Reason.PRESIGNED_EXPIRED,
                f"Signature expired: {basic(signed_at + authorization.expires)} is now earlier than {basic(now)}.",
            )
    elif not signed_at >= now - skew:
        raise AuthenticationError(
            Reason.SIGNATURE_EXPIRED,
            f"Signature expired: {authorization.timestamp.decode()} is now earlier than {basic(now - skew)} "
            f"({basic(now)} - {skew / 60:g} min.)",
        )


def _check_signed_headers(authorization: UnverifiedAuthorization) -> None:
    headers, signed = authorization.headers, authorization.signed_headers
    if b"host" not in signed:
        raise AuthenticationError(
            Reason.HOST_NOT_SIGNED, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    for name in signed:
        if name not in headers.values:
            raise AuthenticationError(
                Reason.SIGNED_HEADER_ABSENT, "SignedHeaders names a header that the request does not have."
            )
    if headers.repeated and not headers.repeated.isdisjoint(signed):
        raise AuthenticationError(Reason.SIGNED_HEADER_REPEATED, "A signed header came more than once.")
    for name in headers.values:
        if AMZ <= name < AFTER_AMZ and name not in signed:
            _refuse_unsigned(name)
    if not authorization.presigned and b"x-amz-date" not in headers.values and b"date" not in signed:
        _refuse_unsigned(b"date")


def _refuse_unsigned(name: bytes) -> NoReturn:
    reason = Reason.SESSION_TOKEN_NOT_SIGNED if name == b"x-amz-security-token" else Reason.HEADER_NOT_SIGNED
    raise AuthenticationError(
        reason, f"There were headers present in the request which were not signed: {name[:64].decode()!r}."
    )


def _payload(authorization: UnverifiedAuthorization, payload_hash: str | None, accepted: Set[str]) -> str:
    declared = authorization.declared_payload
    if payload_hash is None:
        return _declared_payload(authorization, accepted)
    if declared is None:
        return UNSIGNED_PAYLOAD if authorization.presigned and UNSIGNED_PAYLOAD in accepted else payload_hash
    if declared == payload_hash.encode():
        return payload_hash
    word = declared.decode("latin-1")
    if word in accepted:
        return word
    if is_digest(declared):
        raise AuthenticationError(
            Reason.PAYLOAD_HASH_MISMATCH, "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    raise _unsupported("x-amz-content-sha256 must be the SHA-256 of the body here; other payloads are not supported.")


def _declared_payload(authorization: UnverifiedAuthorization, accepted: Set[str]) -> str:
    """What the request says of a body that has not been read."""
    declared = authorization.declared_payload
    if declared is None:
        if not authorization.presigned:
            raise AuthenticationError(
                Reason.PAYLOAD_HASH_MISSING, "Missing required header for this request: x-amz-content-sha256."
            )
        declared = UNSIGNED_PAYLOAD.encode()
    word = declared.decode("latin-1")
    # NOTE: chunks are signed from the Authorization header's signature on; of a presigned upload in chunks AWS says nothing.
    if word in accepted and not (authorization.presigned and word in STREAMING_PAYLOADS):
        return word
    if is_digest(declared):
        return word
    raise _unsupported("x-amz-content-sha256 must be the SHA-256 of the body or a word that is supported here.")


def _unsupported(message: str) -> AuthenticationError:
    return AuthenticationError(Reason.PAYLOAD_HASH_UNSUPPORTED, message)


def _check_signature(
    authorization: UnverifiedAuthorization, secret: bytes | SigningKeyProvider, path: bytes, payload: str
) -> None:
    request, parameters = authorization.request, authorization.parameters
    if authorization.presigned:
        parameters = presigned.without_signature(parameters)
    query = canonical.canonical_query(parameters) if parameters else b""
    text = canonical.canonical_request(
        request.method, path, query, authorization.headers.values, authorization.signed_headers, payload
    )
    key = signing_key(secret, authorization)
    wanted = key.sign(canonical.string_to_sign(authorization.timestamp, authorization.scope, text))
    if not hmac.compare_digest(wanted.encode(), authorization.signature):
        raise AuthenticationError(Reason.SIGNATURE_DOES_NOT_MATCH, MISMATCH)
