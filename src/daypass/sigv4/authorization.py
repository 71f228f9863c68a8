# SPDX-License-Identifier: Apache-2.0
"""
Reading the credential of a request: the Authorization header, or the X-Amz-* query of a presigned one.

What comes out is what the request claims, not what is true: ``verify`` decides that. The header has the form of the IAM
User Guide, "Elements of an AWS API request signature": one order, every part exactly once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final, NoReturn

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import limits, presigned
from daypass.sigv4.canonical import Parameter, parse_query
from daypass.sigv4.credential import (
    ALGORITHM,
    UnverifiedAuthorization,
    parse_credential,
    parse_session_token,
    parse_signature,
    parse_signed_headers,
    single,
)
from daypass.sigv4.payloads import is_digest
from daypass.sigv4.request import HeaderFields, RawRequest, read_headers
from daypass.sigv4.timestamp import instant_of, timestamp_of_date_header

_HEADER_FORM: Final = re.compile(
    rb"AWS4-HMAC-SHA256 Credential=([^, ]+), ?SignedHeaders=([^, =]+), ?Signature=([^, =]+)",
)
_START: Final = re.compile(rb"AWS4-HMAC-SHA256 Credential=([^, ]+), ?SignedHeaders=([^, =]+), ?Signature")
_LONGEST_START: Final = 1024
"""Bytes up to which what stands before a signature is remembered. Most have 200."""

_PARTS: Final = (b"Credential", b"Signature", b"SignedHeaders")


def read_authorization(request: RawRequest) -> UnverifiedAuthorization | None:
    """The credential of a request, or None when there is none anywhere: the request is not signed.

    Raises AuthenticationError when there are two (two Authorization headers, or one and a presigned query), when there is
    part of one, and when the request is out of the bounds of ``limits``. A credential in the form fields of an upload (S3
    POST) is not looked for.
    """
    headers = read_headers(request)
    parameters = parse_query(request.query)
    in_query = presigned.credential_of(parameters) if parameters else None
    value = headers.values.get(b"authorization")
    if value is None:
        if in_query is None:
            return None
        return presigned.read_query_form(request, headers, parameters, in_query)
    if b"authorization" in headers.repeated:
        raise AuthenticationError(Reason.CREDENTIAL_AMBIGUOUS, "The request has more than one Authorization header.")
    if in_query is not None:
        raise AuthenticationError(
            Reason.CREDENTIAL_AMBIGUOUS, "The request has a credential in the Authorization header and in the query."
        )
    return _read_header_form(request, headers, parameters, value)


def _read_header_form(
    request: RawRequest, headers: HeaderFields, parameters: Sequence[Parameter], value: bytes
) -> UnverifiedAuthorization:
    if len(value) > limits.MAX_AUTHORIZATION_BYTES:
        raise AuthenticationError(Reason.SIGNED_REQUEST_TOO_LARGE, "The Authorization header is too large.")
    value = value.strip(b" \t")
    start, _, signature = value.rpartition(b"=")
    if len(start) <= _LONGEST_START and is_digest(signature) and (known := _known(start)) is not None:
        timestamp = _timestamp(headers)
        (access_key_id, date, region, service), signed_headers = known
    else:
        match = _HEADER_FORM.fullmatch(value)
        if match is None:
            _explain_header_form(value)
        access_key_id, date, region, service = parse_credential(match[1])
        timestamp = _timestamp(headers)
        signed_headers, signature = parse_signed_headers(match[2]), parse_signature(match[3])
    return UnverifiedAuthorization(
        request,
        headers,
        parameters,
        access_key_id,
        date,
        region,
        service,
        signed_headers,
        signature,
        timestamp,
        instant_of(timestamp),
        parse_session_token(single(headers, b"x-amz-security-token")),
        single(headers, b"x-amz-content-sha256"),
    )


def _known(start: bytes) -> tuple[tuple[str, str, str, str], tuple[bytes, ...]] | None:
    """Credential and signed headers, from the header up to its signature; None where something is wrong with them."""
    try:
        return _parse_start(start)
    except (AuthenticationError, ValueError):
        return None


@functools.lru_cache(maxsize=1024)  # a client sends the same all day; only well-formed ones are kept
def _parse_start(start: bytes) -> tuple[tuple[str, str, str, str], tuple[bytes, ...]]:
    match = _START.fullmatch(start)
    if match is None:
        raise ValueError
    return parse_credential(match[1]), parse_signed_headers(match[2])


def _timestamp(headers: HeaderFields) -> bytes:
    value = single(headers, b"x-amz-date")
    if value is not None:
        return value
    value = single(headers, b"date")
    if value is None:
        raise AuthenticationError(
            Reason.AUTHORIZATION_INCOMPLETE,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    return timestamp_of_date_header(value)


def _explain_header_form(value: bytes) -> NoReturn:
    """Raise the most telling refusal for an Authorization header that does not have the accepted form."""
    scheme, _, rest = value.partition(b" ")
    if scheme != ALGORITHM and scheme.startswith(b"AWS4-"):
        raise AuthenticationError(
            Reason.SIGNATURE_ALGORITHM_UNSUPPORTED,
            "Unsupported AWS 'algorithm'; the one supported is AWS4-HMAC-SHA256.",
        )
    pairs = [piece.strip(b" ").partition(b"=") for piece in rest.split(b",")]
    named = [name for name, _, text in pairs if text]
    absent = [part.decode() for part in _PARTS if part not in named]
    if scheme != ALGORITHM or absent:
        told = absent if scheme == ALGORITHM else [part.decode() for part in _PARTS]
        raise AuthenticationError(
            Reason.AUTHORIZATION_INCOMPLETE,
            " ".join(f"Authorization header requires {part!r} parameter." for part in told),
        )
    raise AuthenticationError(
        Reason.AUTHORIZATION_MALFORMED,
        "Authorization header must be 'AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...'.",
    )
