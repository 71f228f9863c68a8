# SPDX-License-Identifier: Apache-2.0
"""
Passwords of users: what an account asks of one (IAM User Guide, "Set an account password policy for IAM users"), and how one
is kept: argon2id (RFC 9106), as the string that names its parameters and salt.

Hashing is meant to be slow and large, so it is done in threads, a few at a time. Signing in is for the portal.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from daypass.credentials import Secret
from daypass.errors import AuthenticationError, EntityError, Reason
from daypass.iam.limits import (
    HASH_BYTES,
    HASH_LANES,
    HASH_MEMORY_KIB,
    HASH_PASSES,
    HASHES_AT_ONCE,
    SALT_BYTES,
)
from daypass.store import PasswordPolicy

SYMBOLS: Final = frozenset("!@#$%^&*()_+-=[]{}|'")
"""The characters that count as symbols (IAM API, PasswordPolicy: RequireSymbols)."""

_DEFAULT_LENGTH: Final = 8
_DEFAULT_KINDS: Final = 3
"""Without a policy: at least 8 characters of at least three of the four kinds (IAM User Guide, "Default password policy")."""

_UPPERCASE: Final = "Password should have at least one uppercase letter"
_LOWERCASE: Final = "Password should have at least one lowercase letter"
_NUMBER: Final = "Password should have at least one number"
_SYMBOL: Final = "Password should have at least one symbol"


def check_password(password: Secret, policy: PasswordPolicy | None) -> None:
    """
    See to it that a new password is what the account's policy asks; None stands for the policy of a new account.

    Raises EntityError with AWS's words. Whether it was used before is for ``Passwords.refuse_former``.
    """
    text = password.reveal()
    missing = _missing_kinds(text)
    shortest = _DEFAULT_LENGTH if policy is None else policy.minimum_length
    problems: list[str] = []
    if len(text) < shortest:
        problems.append(f"Password should have a minimum length of {shortest}")
    if policy is not None:
        required = {
            _UPPERCASE: policy.require_uppercase,
            _LOWERCASE: policy.require_lowercase,
            _NUMBER: policy.require_numbers,
            _SYMBOL: policy.require_symbols,
        }
        problems += [kind for kind in missing if required[kind]]
    elif (more := _DEFAULT_KINDS - (4 - len(missing))) > 0:
        problems.append(f"Password should meet {more} more of the following requirements: {', '.join(missing)}")
    if problems:
        raise EntityError(Reason.PASSWORD_POLICY_VIOLATION, ", ".join(problems))


def _missing_kinds(text: str) -> list[str]:
    """The kinds of characters that are not there. Letters and digits are those of ASCII (IAM API, PasswordPolicy)."""
    present = {
        _UPPERCASE: any("A" <= character <= "Z" for character in text),
        _LOWERCASE: any("a" <= character <= "z" for character in text),
        _NUMBER: any("0" <= character <= "9" for character in text),
        _SYMBOL: any(character in SYMBOLS for character in text),
    }
    return [kind for kind, there in present.items() if not there]


class Passwords:
    """Makes and verifies argon2id strings. One for each event loop: no more than ``HASHES_AT_ONCE`` are at work."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(HASH_PASSES, HASH_MEMORY_KIB, HASH_LANES, HASH_BYTES, SALT_BYTES)
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobodys = _hash_of_nothing()

    async def hash(self, password: Secret) -> str:
        """The argon2id string of a password, with a salt of its own."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password.reveal())

    async def verify(self, hashed: str | None, password: Secret) -> None:
        """
        See to it that a password is the one that was hashed. Where there is none, or what is there is no argon2id string, the
        same work is done and the same is said.

        Raises AuthenticationError.
        """
        async with self._turns:
            same = await asyncio.to_thread(self._same, hashed, password.reveal())
        if not same:
            raise AuthenticationError(Reason.PASSWORD_INCORRECT, "The password is incorrect.")

    async def refuse_former(self, former: Iterable[str], password: Secret) -> None:
        """Refuse a password that is one of those that were hashed. Raises EntityError."""
        for hashed in former:
            async with self._turns:
                same = await asyncio.to_thread(self._same, hashed, password.reveal())
            if same:
                message = "Password does not conform to the account password policy."
                raise EntityError(Reason.PASSWORD_POLICY_VIOLATION, message)

    def _same(self, hashed: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(self._nobodys if hashed is None else hashed, password)
        except InvalidHashError:
            return self._same(None, password)
        except VerificationError:
            return False


def _hash_of_nothing() -> str:
    """An argon2id string that no password has: random bytes stand where the hash would."""
    salt, nothing = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (SALT_BYTES, HASH_BYTES)
    )
    return f"$argon2id$v=19$m={HASH_MEMORY_KIB},t={HASH_PASSES},p={HASH_LANES}${salt}${nothing}"
