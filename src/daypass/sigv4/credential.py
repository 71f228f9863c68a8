# SPDX-License-Identifier: Apache-2.0
"""
The credential that a request claims, and the strict reading of its parts.

The parts are the same in the Authorization header and in the query of a presigned request (IAM User Guide, "Elements of an
AWS API request signature"). One spelling of each is accepted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import limits
from daypass.sigv4.canonical import Parameter
from daypass.sigv4.payloads import is_digest
from daypass.sigv4.request import HeaderFields, RawRequest

ALGORITHM: Final = b"AWS4-HMAC-SHA256"
"""The one algorithm; AWS4-ECDSA-P256-SHA256 (SigV4A) is refused."""

_CREDENTIAL: Final = re.compile(
    rb"([A-Za-z0-9_.-]{1,128})/([0-9]{8})/([A-Za-z0-9_-]{1,64})/([A-Za-z0-9_-]{1,64})/aws4_request"
)
_REMEMBERED_TOKEN_BYTES: Final = 2048
"""Tokens have some 700; longer ones are read each time, and not kept in memory."""

_PRINTABLE_BYTES: Final = bytes(range(33, 127))
_SIGNED_NAME_BYTES: Final = b";abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~"


class UnverifiedAuthorization(msgspec.Struct, frozen=True):
    """The credential that a request claims to be signed with. Nothing here is proved before ``verify_signature``.

    - ``access_key_id``, ``date`` (``20150830``), ``region``, ``service``: the credential and its scope.
    - ``session_token``: from x-amz-security-token, or X-Amz-Security-Token of the query; None for a long-term key.
    - ``signed_headers``: names in lower case, sorted and unique. ``signature``: 64 hexadecimal digits.
    - ``timestamp`` (``20150830T123600Z``) and ``signed_at`` (seconds since the epoch): when it claims to be signed.
    - ``presigned``, ``expires``: whether the credential came in the query, and for how many seconds it is to be good.
    - ``declared_payload``: x-amz-content-sha256 as sent, if it was.
    - ``request``, ``headers``, ``parameters``: what it was read from, so that everything is parsed once.
    """

    request: RawRequest
    headers: HeaderFields
    parameters: Sequence[Parameter]
    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[bytes, ...]
    signature: bytes
    timestamp: bytes
    signed_at: int
    session_token: str | None
    declared_payload: bytes | None = None
    presigned: bool = False
    expires: int | None = None

    def __repr__(self) -> str:  # neither the token nor the signature, nor the request they came in
        return f"UnverifiedAuthorization({self.access_key_id!r}, {self.scope!r}, presigned={self.presigned})"

    @property
    def scope(self) -> str:
        """``date/region/service/aws4_request``, as it stands in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def single(headers: HeaderFields, name: bytes) -> bytes | None:
    """The value of a header that may come once, without white space around it; None when it is absent.

    Raises AuthenticationError when it came twice.
    """
    if name in headers.repeated:
        raise AuthenticationError(
            Reason.SIGNED_HEADER_REPEATED, f"The header {name.decode()!r} came more than once; it may come once."
        )
    value = headers.values.get(name)
    return None if value is None else value.strip(b" \t")


@functools.lru_cache(maxsize=1024)  # a client sends the same credential all day; only well-formed ones are kept
def parse_credential(text: bytes) -> tuple[str, str, str, str]:
    """Access key id, date, region and service of ``key/date/region/service/aws4_request``."""
    match = _CREDENTIAL.fullmatch(text)
    if match is not None:
        access_key_id, date, region, service = match.groups()
        return access_key_id.decode(), date.decode(), region.decode(), service.decode()
    elements = text.split(b"/")
    if len(elements) == 5 and elements[4] != b"aws4_request":
        raise AuthenticationError(
            Reason.CREDENTIAL_TERMINATOR, "Credential should be scoped with a valid terminator: 'aws4_request'."
        )
    raise AuthenticationError(
        Reason.CREDENTIAL_MALFORMED,
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    )


@functools.lru_cache(maxsize=256)  # clients sign the same few lists all day; each is at most 8 KiB
def parse_signed_headers(text: bytes) -> tuple[bytes, ...]:
    """The names of ``SignedHeaders``: tokens in lower case, in order, none twice, none empty."""
    if len(text) > limits.MAX_AUTHORIZATION_BYTES:
        raise AuthenticationError(Reason.SIGNED_REQUEST_TOO_LARGE, "SignedHeaders is too large.")
    names = text.split(b";")
    if text.translate(None, _SIGNED_NAME_BYTES) or b"" in names or sorted(set(names)) != names:
        raise AuthenticationError(
            Reason.SIGNED_HEADERS_MALFORMED,
            "SignedHeaders must be a sorted list of header names in lower case, separated by semicolons, none twice.",
        )
    if len(names) > limits.MAX_SIGNED_HEADERS:
        raise AuthenticationError(Reason.SIGNED_REQUEST_TOO_LARGE, "SignedHeaders has too many names.")
    return tuple(names)


def parse_signature(text: bytes) -> bytes:
    """The signature, exactly 64 hexadecimal digits in lower case."""
    if not is_digest(text):
        raise AuthenticationError(Reason.SIGNATURE_MALFORMED, "Signature must be 64 hexadecimal digits in lower case.")
    return text


def parse_session_token(text: bytes | None) -> str | None:
    """The session token, printable ASCII and not empty; None stays None."""
    if text is None:
        return None
    return _session_token(text) if len(text) <= _REMEMBERED_TOKEN_BYTES else _session_token.__wrapped__(text)


@functools.lru_cache(maxsize=1024)  # a client sends the same for an hour; only well-formed ones are kept
def _session_token(text: bytes) -> str:
    if not text or len(text) > limits.MAX_SESSION_TOKEN_BYTES or text.translate(None, _PRINTABLE_BYTES):
        raise AuthenticationError(
            Reason.SESSION_TOKEN_MALFORMED, "The security token included in the request is invalid."
        )
    return text.decode()
