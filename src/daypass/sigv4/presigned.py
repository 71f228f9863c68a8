# SPDX-License-Identifier: Apache-2.0
"""
The query form of a credential: a presigned request (IAM User Guide, "Elements of an AWS API request signature").

    X-Amz-Algorithm  X-Amz-Credential  X-Amz-Date  X-Amz-Expires  X-Amz-SignedHeaders  X-Amz-Signature
    and, where there is one, X-Amz-Security-Token; X-Amz-Content-Sha256 may declare the payload as the header does

Each comes exactly once and is spelled exactly so. One of them anywhere makes the request a presigned one, which then has
to have all that are required.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import limits
from daypass.sigv4.canonical import Parameter, percent_decoded
from daypass.sigv4.credential import (
    ALGORITHM,
    UnverifiedAuthorization,
    parse_credential,
    parse_session_token,
    parse_signature,
    parse_signed_headers,
    single,
)
from daypass.sigv4.request import HeaderFields, RawRequest
from daypass.sigv4.timestamp import instant_of

SIGNATURE: Final = b"X-Amz-Signature"
"""The one parameter that the signature does not cover."""

_REQUIRED: Final = (
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Date",
    b"X-Amz-Expires",
    b"X-Amz-SignedHeaders",
    SIGNATURE,
)
_TOKEN: Final = b"X-Amz-Security-Token"
_PAYLOAD: Final = b"X-Amz-Content-Sha256"
_SPELLINGS: Final = {name.lower(): name for name in (*_REQUIRED, _TOKEN, _PAYLOAD)}
_LIFETIME: Final = re.compile(rb"[1-9][0-9]{0,5}")
_SECOND_LOCATIONS: Final = (b"x-amz-date", b"x-amz-security-token")


def credential_of(parameters: Sequence[Parameter]) -> Mapping[bytes, bytes] | None:
    """The parameters of the credential, decoded; None when the query has none of them.

    Raises AuthenticationError for an X-Amz-* parameter that is there twice and for one in another spelling, which one
    reader might take for the parameter and another not.
    """
    seen: set[bytes] = set()
    found: dict[bytes, bytes] = {}
    for name, value in parameters:
        lowered = name.lower()
        if not lowered.startswith(b"x-amz-"):
            continue
        if lowered in seen:
            raise AuthenticationError(Reason.CREDENTIAL_AMBIGUOUS, "The query has an X-Amz-* parameter twice.")
        seen.add(lowered)
        spelling = _SPELLINGS.get(lowered)
        if spelling is None:
            continue
        if spelling != name:
            raise AuthenticationError(
                Reason.AUTHORIZATION_MALFORMED, f"The query parameter {spelling.decode()!r} must be spelled exactly so."
            )
        found[name] = percent_decoded(value)
    return found or None


def read_query_form(
    request: RawRequest, headers: HeaderFields, parameters: Sequence[Parameter], found: Mapping[bytes, bytes]
) -> UnverifiedAuthorization:
    """The credential of a presigned request. Raises AuthenticationError for one that lacks or misspells a part."""
    absent = [name.decode() for name in _REQUIRED if not found.get(name)]
    if absent:
        raise AuthenticationError(
            Reason.AUTHORIZATION_INCOMPLETE,
            " ".join(f"AWS query-string parameters must include {name!r}." for name in absent)
            + " Re-examine the query-string parameters.",
        )
    if found[b"X-Amz-Algorithm"] != ALGORITHM:
        raise AuthenticationError(
            Reason.SIGNATURE_ALGORITHM_UNSUPPORTED,
            "Unsupported AWS 'algorithm'; the one supported is AWS4-HMAC-SHA256.",
        )
    for name in _SECOND_LOCATIONS:
        if name in headers.values:
            raise AuthenticationError(
                Reason.CREDENTIAL_AMBIGUOUS, f"A presigned request must not have the header {name.decode()!r} as well."
            )
    access_key_id, date, region, service = parse_credential(found[b"X-Amz-Credential"])
    return UnverifiedAuthorization(
        request,
        headers,
        parameters,
        access_key_id,
        date,
        region,
        service,
        parse_signed_headers(found[b"X-Amz-SignedHeaders"]),
        parse_signature(found[SIGNATURE]),
        found[b"X-Amz-Date"],
        instant_of(found[b"X-Amz-Date"]),
        parse_session_token(found.get(_TOKEN)),
        _declared_payload(headers, found),
        presigned=True,
        expires=_lifetime(found[b"X-Amz-Expires"]),
    )


def without_signature(parameters: Sequence[Parameter]) -> list[Parameter]:
    """The parameters that the signature covers."""
    return [pair for pair in parameters if pair[0] != SIGNATURE]


def _declared_payload(headers: HeaderFields, found: Mapping[bytes, bytes]) -> bytes | None:
    in_header = single(headers, b"x-amz-content-sha256")
    in_query = found.get(_PAYLOAD)
    if in_header is not None and in_query is not None:
        raise AuthenticationError(
            Reason.CREDENTIAL_AMBIGUOUS, "x-amz-content-sha256 came in the headers and in the query."
        )
    return in_query if in_header is None else in_header


def _lifetime(text: bytes) -> int:
    if _LIFETIME.fullmatch(text) is None or int(text) > limits.MAX_PRESIGNED_LIFETIME:
        raise AuthenticationError(
            Reason.PRESIGNED_LIFETIME_INVALID,
            f"X-Amz-Expires must be a number of seconds from 1 to {limits.MAX_PRESIGNED_LIFETIME} (a week).",
        )
    return int(text)
