# SPDX-License-Identifier: Apache-2.0
"""
Credentials and the identifiers of AWS's forms (IAM User Guide, "IAM identifiers", "Understanding unique ID prefixes").

An access key id has the account inside: 4 letters, then 16 of RFC 4648's base32 alphabet, which are 80 bits: a one, the
account number in 40 bits, 39 random bits. Tools that recover the account from AWS's key ids do so from ours.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import Final, Literal

import msgspec

from daypass.randomness import public_random_bytes

LONG_TERM_KEY: Final = "AKIA"
TEMPORARY_KEY: Final = "ASIA"

_ACCESS_KEY_ID = re.compile(r"A(?:KIA|SIA)[A-Z2-7]{16}", re.ASCII)
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TWO_LETTERS = tuple(first + second for first in _BASE32 for second in _BASE32)


class Secret:
    """A string that does not print. ``reveal()`` is the one way to the text; equality is refused on purpose."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise TypeError("compare secrets with hmac.compare_digest on what reveal() returns")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")


class TemporaryCredentials(msgspec.Struct, frozen=True):
    """What every AssumeRole* operation answers. ``expiration`` is an instant (seconds since the epoch)."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expiration: int


def new_access_key_id(prefix: Literal["AKIA", "ASIA"], account: str) -> str:
    """A fresh access key id of 20 characters that carries the account (12 digits)."""
    chance = int.from_bytes(public_random_bytes(5), "big") & ((1 << 39) - 1)
    number = (1 << 79) | (int(account) << 39) | chance
    # Eight times ten bits, two letters each: the base32 module takes ten times as long.
    return prefix + "".join([_TWO_LETTERS[(number >> shift) & 1023] for shift in range(70, -1, -10)])


def account_of_access_key_id(access_key_id: str) -> str:
    """The account of an access key id. Raises ValueError when the id is not of AWS's form."""
    if _ACCESS_KEY_ID.fullmatch(access_key_id) is None:
        raise ValueError("not an access key id")
    try:
        number = int.from_bytes(base64.b32decode(access_key_id[4:]), "big")
    except binascii.Error as error:  # pragma: no cover - the pattern admits nothing else
        raise ValueError("not an access key id") from error
    account = (number >> 39) & ((1 << 40) - 1)
    if account > 999_999_999_999:
        raise ValueError("not an access key id")
    return f"{account:012d}"


def new_secret_access_key() -> Secret:
    """A fresh secret access key: 30 random bytes as 40 base64 characters, as long as AWS's."""
    return Secret(base64.b64encode(secrets.token_bytes(30)).decode("ascii"))


UniqueIdPrefix = Literal["AIDA", "AROA", "AGPA", "ANPA", "ANVA", "AIPA", "ASCA", "APKA", "ACCA"]
"""User, role, group, managed policy and its versions, instance profile, server certificate, SSH public key, service-specific
credential (IAM User Guide, "Understanding unique ID prefixes")."""


def new_unique_id(prefix: UniqueIdPrefix) -> str:
    """A fresh unique id of 21 characters. Ids are never reused: 85 random bits, and the store refuses a repeat."""
    return prefix + "".join(secrets.choice(_BASE32) for _ in range(17))


def new_certificate_id() -> str:
    """A fresh CertificateId of a signing certificate: 32 letters and digits, as AWS's, without a prefix."""
    return "".join(secrets.choice(_BASE32) for _ in range(32))


def new_saml_id() -> str:
    """A fresh SAMLProviderUUID, or KeyId of a SAML provider's private key: 32 letters and digits."""
    return "".join(secrets.choice(_BASE32) for _ in range(32))


def access_key_label(access_key_id: str) -> bytes:
    """What a long-term secret access key is wrapped with, so that a row copied to another key's does not open."""
    return b"daypass secret access key v1 " + access_key_id.encode("ascii")
