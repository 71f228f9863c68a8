# SPDX-License-Identifier: Apache-2.0
"""What an account asks of a password, and how one is hashed and verified."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher, extract_parameters

from daypass.credentials import Secret
from daypass.errors import AuthenticationError, EntityError, Reason
from daypass.iam.passwords import SYMBOLS, Passwords, check_password
from daypass.store import PasswordPolicy

FIRST, SECOND = "Correct-horse-1", "Battery-staple-2"


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Abcdef1", "Password should have a minimum length of 8"),
        ("Abcdef12", None),
        ("abcdef-1", None),
        ("ABCDEF-1", None),
        (
            "abcdefg1",
            "Password should meet 1 more of the following requirements: Password should have at least one uppercase"
            " letter, Password should have at least one symbol",
        ),
        (
            "abcdefgh",
            "Password should meet 2 more of the following requirements: Password should have at least one uppercase"
            " letter, Password should have at least one number, Password should have at least one symbol",
        ),
        ("Äbcdéfg1", "Password should meet 1 more of the following requirements: "),
    ],
)
def test_without_a_policy_a_password_has_eight_characters_of_three_kinds(password: str, message: str | None) -> None:
    check(password, None, message)


@pytest.mark.parametrize(
    ("rules", "password", "message"),
    [
        (PasswordPolicy(), "abcdef", None),
        (PasswordPolicy(), "abcde", "Password should have a minimum length of 6"),
        (PasswordPolicy(minimum_length=128), "a" * 127, "Password should have a minimum length of 128"),
        (PasswordPolicy(minimum_length=128), "a" * 128, None),
        (PasswordPolicy(require_uppercase=True), "abcdefÄ", "Password should have at least one uppercase letter"),
        (PasswordPolicy(require_lowercase=True), "ABCDEFä", "Password should have at least one lowercase letter"),
        (PasswordPolicy(require_numbers=True), "abcdef²", "Password should have at least one number"),
        (PasswordPolicy(require_symbols=True), "abcdef§ ", "Password should have at least one symbol"),
        (
            PasswordPolicy(require_symbols=True, require_numbers=True),
            "abcde",
            "Password should have a minimum length of 6, Password should have at least one number, Password should have"
            " at least one symbol",
        ),
    ],
)
def test_a_password_is_what_the_policy_asks(rules: PasswordPolicy, password: str, message: str | None) -> None:
    check(password, rules, message)


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_every_symbol_that_aws_lists_is_one(symbol: str) -> None:
    check_password(Secret("abcdef" + symbol), PasswordPolicy(require_symbols=True))


def check(password: str, rules: PasswordPolicy | None, message: str | None) -> None:
    if message is None:
        check_password(Secret(password), rules)
        return
    with pytest.raises(EntityError) as caught:
        check_password(Secret(password), rules)
    assert caught.value.reason is Reason.PASSWORD_POLICY_VIOLATION
    assert str(caught.value).startswith(message)


async def test_a_password_verifies_against_its_own_hash_only() -> None:
    passwords = Passwords()
    one, other = await passwords.hash(Secret(FIRST)), await passwords.hash(Secret(FIRST))
    assert one != other
    await passwords.verify(one, Secret(FIRST))
    for hashed in (one, None, "", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$"):
        with pytest.raises(AuthenticationError) as caught:
            await passwords.verify(hashed, Secret(SECOND))
        assert caught.value.reason is Reason.PASSWORD_INCORRECT


async def test_where_there_is_no_hash_a_real_one_of_the_same_cost_is_verified() -> None:
    passwords = Passwords()
    real = await passwords.hash(Secret(FIRST))
    worked: list[str] = []

    def counted(hashed: str, password: str) -> bool:
        worked.append(hashed)
        return PasswordHasher().verify(hashed, password)

    passwords._hasher = SimpleNamespace(verify=counted)  # type: ignore[assignment]
    for hashed in (None, "not a hash"):
        with pytest.raises(AuthenticationError):
            await passwords.verify(hashed, Secret(FIRST))
    nobodys = worked[-1]
    assert worked == [nobodys, "not a hash", nobodys]
    assert extract_parameters(nobodys) == extract_parameters(real)
