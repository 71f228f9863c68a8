# SPDX-License-Identifier: Apache-2.0
"""Passwords of users: what comes back, what is refused, who may, and that a password is kept as argon2id only."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from daypass.iam.limits import FORMER_PASSWORDS
from daypass.store import LoginProfile
from iam.kitchen import statement
from iam.people import asked, denial, done, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
FIRST, SECOND, THIRD = "Correct-horse-1", "Battery-staple-2", "Xkcd-nine-three-6"
NOT_CONFORMING = "Password does not conform to the account password policy."
WRONG = "The old password was incorrect."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def policy(iam: Service) -> AsyncIterator[Any]:
    """Sets the password policy of the account, which is gone after the test."""

    async def set_policy(**rules: Any) -> None:
        await done(iam, "UpdateAccountPasswordPolicy", **rules)

    yield set_policy
    await asked(iam, "DeleteAccountPasswordPolicy")


async def with_password(iam: Service, name: str, password: str = FIRST, **settings: Any) -> None:
    await done(iam, "CreateUser", UserName=name)
    await done(iam, "CreateLoginProfile", UserName=name, Password=password, **settings)


def profile_of(iam: Service, name: str) -> LoginProfile:
    view = iam.app.store.view()
    user = view.users.with_name(ACCOUNT, name)
    assert user is not None
    profile = view.login_profiles.with_key(user.unique_id)
    assert profile is not None
    return profile


# What comes back


@pytest.mark.parametrize("reset", [None, False, True])
async def test_a_login_profile_comes_back_as_it_was_made(iam: Service, reset: bool | None) -> None:
    name = f"ann-{reset}"
    await done(iam, "CreateUser", UserName=name)
    sent = {} if reset is None else {"PasswordResetRequired": reset}
    made = await done(iam, "CreateLoginProfile", UserName=name, Password=FIRST, **sent)
    assert made == {
        "LoginProfile": {"UserName": name, "CreateDate": CREATED, "PasswordResetRequired": bool(reset)},
    }
    assert await done(iam, "GetLoginProfile", UserName=name) == made


async def test_a_password_is_kept_as_argon2id_and_does_not_print(iam: Service) -> None:
    await with_password(iam, "bea")
    profile = profile_of(iam, "bea")
    assert profile.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert FIRST not in profile.password_hash
    assert profile.password_hash not in repr(profile)


async def test_another_password_leaves_the_creation_date_and_the_reset_as_they_are(iam: Service) -> None:
    await with_password(iam, "cid", PasswordResetRequired=True)
    before = profile_of(iam, "cid")
    await done(iam, "UpdateLoginProfile", UserName="cid", Password=SECOND)
    after = profile_of(iam, "cid")
    assert after.password_hash != before.password_hash
    assert after.former_hashes == (before.password_hash,)
    assert (after.created_at, after.reset_required) == (before.created_at, True)


async def test_a_reset_is_asked_for_without_another_password(iam: Service) -> None:
    await with_password(iam, "dan")
    before = profile_of(iam, "dan")
    await done(iam, "UpdateLoginProfile", UserName="dan", PasswordResetRequired=True)
    assert profile_of(iam, "dan") == replace(before, reset_required=True)


async def test_a_deleted_login_profile_is_gone_and_another_can_be_made(iam: Service) -> None:
    await with_password(iam, "eve")
    await done(iam, "DeleteLoginProfile", UserName="eve")
    gone = ("NoSuchEntity", "Login Profile for User eve cannot be found.")
    assert await refused(iam, "GetLoginProfile", UserName="eve") == gone
    assert await refused(iam, "UpdateLoginProfile", UserName="eve", Password=SECOND) == gone
    assert await refused(iam, "DeleteLoginProfile", UserName="eve") == gone
    await done(iam, "CreateLoginProfile", UserName="eve", Password=FIRST)


async def test_without_a_name_it_is_the_callers_own(iam: Service) -> None:
    key = await person(iam, "fay", statement("Allow", "iam:*LoginProfile"))
    assert (await done(iam, "CreateLoginProfile", key, Password=FIRST))["LoginProfile"]["UserName"] == "fay"
    assert (await done(iam, "GetLoginProfile", key))["LoginProfile"]["UserName"] == "fay"
    await done(iam, "DeleteLoginProfile", key)
    wanted = ("ValidationError", "Must specify userName when calling with non-User credentials")
    assert await refused(iam, "GetLoginProfile") == wanted
    assert await refused(iam, "CreateLoginProfile", Password=FIRST) == wanted


# What is refused


async def test_a_user_has_one_password(iam: Service) -> None:
    await with_password(iam, "gil")
    assert await refused(iam, "CreateLoginProfile", UserName="gil", Password=SECOND) == (
        "EntityAlreadyExists",
        "Login Profile for user gil already exists.",
    )


@pytest.mark.parametrize("operation", ["CreateLoginProfile", "GetLoginProfile", "DeleteLoginProfile"])
async def test_a_user_that_is_not_there_is_not_found(iam: Service, operation: str) -> None:
    sent = {"Password": FIRST} if operation == "CreateLoginProfile" else {}
    assert await refused(iam, operation, UserName="nobody", **sent) == (
        "NoSuchEntity",
        "The user with name nobody cannot be found.",
    )


async def test_a_password_is_missing_and_refused(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="hal")
    assert (await refused(iam, "CreateLoginProfile", UserName="hal"))[0] == "ValidationError"


async def test_a_refused_password_is_not_quoted(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ian")
    for password in ("Hunter-2-☃", "hunter2"):
        answer = await asked(iam, "CreateLoginProfile", UserName="ian", Password=password)
        assert answer.status == 400
        assert password not in answer.body.decode()


async def test_the_policy_of_the_account_holds_for_every_new_password(iam: Service, policy: Any) -> None:
    await with_password(iam, "joy")
    await done(iam, "CreateUser", UserName="kim")
    await policy(MinimumPasswordLength=20)
    short = ("PasswordPolicyViolation", "Password should have a minimum length of 20")
    assert await refused(iam, "CreateLoginProfile", UserName="kim", Password=SECOND) == short
    assert await refused(iam, "UpdateLoginProfile", UserName="joy", Password=SECOND) == short


# Reuse


async def test_a_password_that_was_used_is_refused_for_as_many_as_the_policy_says(iam: Service, policy: Any) -> None:
    await with_password(iam, "lea")
    await policy(PasswordReusePrevention=2)
    again = ("PasswordPolicyViolation", NOT_CONFORMING)
    assert await refused(iam, "UpdateLoginProfile", UserName="lea", Password=FIRST) == again  # the present one counts
    await done(iam, "UpdateLoginProfile", UserName="lea", Password=SECOND)
    assert await refused(iam, "UpdateLoginProfile", UserName="lea", Password=FIRST) == again
    await done(iam, "UpdateLoginProfile", UserName="lea", Password=THIRD)
    await done(iam, "UpdateLoginProfile", UserName="lea", Password=FIRST)  # the third from now


async def test_without_a_rule_a_password_may_be_used_again(iam: Service, policy: Any) -> None:
    await policy()
    await with_password(iam, "max", "abcdef")
    await done(iam, "UpdateLoginProfile", UserName="max", Password="abcdef")


async def test_no_more_former_passwords_are_kept_than_a_policy_can_ask_for(iam: Service) -> None:
    await with_password(iam, "ned")
    profile = profile_of(iam, "ned")
    kept = tuple(f"$argon2id$former-{number}" for number in range(FORMER_PASSWORDS))
    async with iam.app.store.transaction() as transaction:
        await transaction.put(replace(profile, former_hashes=kept))
    await done(iam, "UpdateLoginProfile", UserName="ned", Password=SECOND)
    assert profile_of(iam, "ned").former_hashes == (profile.password_hash, *kept[:-1])


# ChangePassword


async def test_a_user_changes_its_password_by_knowing_it(iam: Service) -> None:
    key = await person(iam, "ora", statement("Allow", "iam:ChangePassword", user_arn("ora")))
    await done(iam, "CreateLoginProfile", UserName="ora", Password=FIRST, PasswordResetRequired=True)
    await done(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=SECOND)
    assert profile_of(iam, "ora").reset_required is False
    wrong = ("AccessDenied", WRONG)
    assert await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=THIRD) == wrong
    await done(iam, "ChangePassword", key, OldPassword=SECOND, NewPassword=THIRD)


async def test_a_new_password_that_the_policy_refuses_leaves_the_old_one(iam: Service, policy: Any) -> None:
    key = await person(iam, "pam", statement("Allow", "iam:ChangePassword"))
    await done(iam, "CreateLoginProfile", UserName="pam", Password=FIRST)
    before = profile_of(iam, "pam")
    await policy(PasswordReusePrevention=1)
    answers = [
        await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword="short"),
        await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=FIRST),
    ]
    assert [code for code, _ in answers] == ["PasswordPolicyViolation"] * 2
    assert await refused(iam, "ChangePassword", key, OldPassword="wrong", NewPassword="short") == (
        "AccessDenied",
        WRONG,
    )
    assert profile_of(iam, "pam") == before


async def test_a_user_without_a_password_has_none_to_change(iam: Service) -> None:
    key = await person(iam, "quy", statement("Allow", "iam:ChangePassword"))
    assert await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=SECOND) == (
        "NoSuchEntity",
        "Login Profile for User quy cannot be found.",
    )


async def test_the_root_user_has_no_password_to_change(iam: Service) -> None:
    assert await refused(iam, "ChangePassword", OldPassword=FIRST, NewPassword=SECOND) == (
        "InvalidUserType",
        "Only IAM Users can change their own password.",
    )


async def test_of_two_changes_at_the_same_time_one_is_refused(iam: Service) -> None:
    key = await person(iam, "ray", statement("Allow", "iam:ChangePassword"))
    await done(iam, "CreateLoginProfile", UserName="ray", Password=FIRST)
    answers = await asyncio.gather(
        *(asked(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=new) for new in (SECOND, THIRD))
    )
    assert sorted(str(answer.code) for answer in answers) == ["ConcurrentModification", "None"]


# Who may


async def test_a_caller_without_the_permission_is_denied(iam: Service) -> None:
    key = await person(iam, "sam", statement("Allow", "iam:*", user_arn("other")))
    await done(iam, "CreateLoginProfile", UserName="sam", Password=FIRST)
    denied = ("AccessDenied", denial("sam", "GetLoginProfile", user_arn("sam")))
    assert await refused(iam, "GetLoginProfile", key, UserName="sam") == denied
    denied = ("AccessDenied", denial("sam", "ChangePassword", user_arn("sam")))
    assert await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=SECOND) == denied


async def test_an_account_allows_all_its_users_to_change_their_password(iam: Service, policy: Any) -> None:
    key = await person(iam, "tim")
    await done(iam, "CreateLoginProfile", UserName="tim", Password=FIRST)
    await policy(AllowUsersToChangePassword=True)
    await done(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=SECOND)
    await done(iam, "GetAccountPasswordPolicy", key)
    await policy(AllowUsersToChangePassword=False)
    for operation in ("ChangePassword", "GetAccountPasswordPolicy"):
        sent = {"OldPassword": SECOND, "NewPassword": THIRD} if operation == "ChangePassword" else {}
        assert (await refused(iam, operation, key, **sent))[0] == "AccessDenied"


async def test_a_deny_counts_where_an_account_allows_all_its_users(iam: Service, policy: Any) -> None:
    key = await person(iam, "una", statement("Deny", "iam:ChangePassword"))
    await done(iam, "CreateLoginProfile", UserName="una", Password=FIRST)
    await policy(AllowUsersToChangePassword=True)
    code, message = await refused(iam, "ChangePassword", key, OldPassword=FIRST, NewPassword=SECOND)
    assert code == "AccessDenied"
    assert "with an explicit deny" in message
