# SPDX-License-Identifier: Apache-2.0
"""
A signature over a string to sign that somebody else made from a request which we do not see (Keystone's ``s3tokens``).

Only what the four lines say can be verified: the algorithm, the time, the scope, and that whoever signed holds the secret. That
the last line is the hash of the request at hand is for whoever computed it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Set
from typing import Final

import msgspec

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4.key import SigningKeyProvider, signing_key
from daypass.sigv4.limits import MAX_CLOCK_SKEW
from daypass.sigv4.timestamp import basic, instant_of
from daypass.sigv4.verify import MISMATCH, check_scope

MAX_STRING_BYTES: Final = 512
"""The longest string to sign: three fixed parts, and a scope of two names of 64 characters."""

_FORM: Final = re.compile(
    rb"AWS4-HMAC-SHA256\n([0-9]{8}T[0-9]{6}Z)\n"
    rb"([0-9]{8})/([A-Za-z0-9_-]{1,64})/([A-Za-z0-9_-]{1,64})/aws4_request\n[0-9a-f]{64}"
)
_ACCESS_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class UnverifiedString(msgspec.Struct, frozen=True):
    """A string to sign, taken apart, and the signature that is claimed for it. Nothing here is proved."""

    text: bytes
    access_key_id: str
    date: str
    region: str
    service: str
    timestamp: bytes
    signed_at: int
    signature: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"UnverifiedString({self.access_key_id!r}, {self.service!r})"


def read_string_to_sign(text: bytes, *, access_key_id: str, signature: str) -> UnverifiedString:
    """
    Take a string to sign apart. Raises AuthenticationError for anything but the four lines of Signature Version 4: the strings
    of Version 2 and of SigV4A among it.
    """
    match = _FORM.fullmatch(text) if len(text) <= MAX_STRING_BYTES else None
    if match is None:
        raise AuthenticationError(
            Reason.STRING_TO_SIGN_REFUSED,
            "Expected the four lines of a string to sign of AWS4-HMAC-SHA256; Signature Version 2 is not supported.",
        )
    if _ACCESS_KEY_ID.fullmatch(access_key_id) is None:
        raise AuthenticationError(Reason.CREDENTIAL_MALFORMED, "The access key id is not one.")
    if _SIGNATURE.fullmatch(signature) is None:
        raise AuthenticationError(Reason.SIGNATURE_MALFORMED, "Signature must be 64 hexadecimal digits in lower case.")
    timestamp, date, region, service = match.groups()
    return UnverifiedString(
        text,
        access_key_id,
        date.decode(),
        region.decode(),
        service.decode(),
        timestamp,
        instant_of(timestamp),
        signature,
    )


def verify_string_to_sign(
    unverified: UnverifiedString,
    *,
    secret: bytes | SigningKeyProvider,
    services: Set[str],
    regions: Set[str] | None = None,
    now: float,
    skew: float = MAX_CLOCK_SKEW,
) -> None:
    """
    Verify that the holder of ``secret`` signed the string, for here and for now: the steps 1, 2 and 6 of ``verify_signature``,
    in that order. Raises AuthenticationError.

    **What was signed is not known here:** whoever computed the string from a request owes the rest, the replay of a string
    within the skew among it.
    """
    check_scope(unverified, unverified.timestamp, services, regions)
    timestamp = unverified.timestamp.decode()
    # NOTE: written so that a NaN refuses.
    if not unverified.signed_at <= now + skew:
        raise AuthenticationError(
            Reason.SIGNATURE_NOT_YET_CURRENT,
            f"Signature not yet current: {timestamp} is still later than {basic(now + skew)}.",
        )
    if not unverified.signed_at >= now - skew:
        raise AuthenticationError(
            Reason.SIGNATURE_EXPIRED, f"Signature expired: {timestamp} is now earlier than {basic(now - skew)}."
        )
    wanted = hmac.digest(signing_key(secret, unverified), unverified.text, "sha256").hex()
    if not hmac.compare_digest(wanted, unverified.signature):
        raise AuthenticationError(Reason.SIGNATURE_DOES_NOT_MATCH, MISMATCH)
