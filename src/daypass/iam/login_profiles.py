# SPDX-License-Identifier: Apache-2.0
"""
Passwords of users (IAM API): CreateLoginProfile, GetLoginProfile, UpdateLoginProfile, DeleteLoginProfile, ChangePassword.

A password is hashed before the transaction that keeps the hash, so that nothing waits for it but its own request. What a
password has to be is in ``passwords``; signing in with one is for the portal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_boolean, optional_text, text
from daypass.credentials import Secret
from daypass.errors import AuthenticationError, EntityError, Reason, RequestError
from daypass.iam.account_settings import settings_of
from daypass.iam.limits import FORMER_PASSWORDS
from daypass.iam.passwords import check_password
from daypass.iam.service import Iam
from daypass.iam.users import existing_user, no_such_user, user_to_change
from daypass.store import LoginProfile, User, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def _existing(view: View, user: User) -> LoginProfile:
    profile = view.login_profiles.with_key(user.unique_id)
    if profile is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"Login Profile for User {user.name} cannot be found.")
    return profile


def _refuse_second(view: View, user: User) -> None:
    if view.login_profiles.with_key(user.unique_id) is not None:
        raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Login Profile for user {user.name} already exists.")


def _members(user: User, profile: LoginProfile) -> dict[str, object]:
    return {
        "UserName": user.name,
        "CreateDate": profile.created_at,
        "PasswordResetRequired": profile.reset_required,
    }


async def create_login_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Give a user a password. It may be left out by sessions of AssumeRoot only, which there are none of."""
    user, view = existing_user(iam, permitted, parameters), iam.store.view()
    _refuse_second(view, user)
    if "Password" not in parameters:
        raise RequestError(Reason.INVALID_PARAMETER, "A password must be given, except by a session of AssumeRoot.")
    password = Secret(text(parameters, "Password"))
    check_password(password, settings_of(view, user.account).password_policy)
    hashed, now = await iam.passwords.hash(password), int(permitted.facts.now)
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        _refuse_second(transaction.view, user)
        reset = optional_boolean(parameters, "PasswordResetRequired") or False
        profile = LoginProfile(user.account, user.unique_id, hashed, now, now, reset)
        await transaction.put(profile)
    return {"LoginProfile": _members(user, profile)}


async def get_login_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Whether a user has a password, and since when."""
    user = existing_user(iam, permitted, parameters)
    return {"LoginProfile": _members(user, _existing(iam.store.view(), user))}


async def update_login_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another password, or whether it has to be changed at the next sign-in. What is not sent stays as it is."""
    user, view = existing_user(iam, permitted, parameters), iam.store.view()
    before, hashed = _existing(view, user), None
    sent = optional_text(parameters, "Password")
    if sent is not None:
        hashed = await _hash_of_new(iam, view, before, Secret(sent))
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        profile = _existing(transaction.view, user)
        if hashed is not None:
            _refuse_another(before, profile)
            profile = _changed(profile, hashed, int(permitted.facts.now))
        reset = optional_boolean(parameters, "PasswordResetRequired")
        await transaction.put(profile if reset is None else replace(profile, reset_required=reset))
    return {}


async def delete_login_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Take a user's password away. Its access keys go on working (IAM API)."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.delete(_existing(transaction.view, user))
    return {}


async def change_password(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The caller's own password, by whoever knows the present one. In this order:

    1. the caller is a user;
    2. the old password is the present one; where there is none, the same work is done;
    3. the new one is what the account's policy asks, and none of those that it must not be;
    4. nobody has changed it meanwhile.
    """
    caller = permitted.caller.user
    if caller is None:
        raise EntityError(Reason.USER_TYPE_INVALID, "Only IAM Users can change their own password.")
    view = iam.store.view()
    present = view.login_profiles.with_key(caller.unique_id)
    try:
        old = Secret(text(parameters, "OldPassword"))
        await iam.passwords.verify(None if present is None else present.password_hash, old)
    except AuthenticationError:
        _existing(view, caller)
        raise AuthenticationError(Reason.PASSWORD_INCORRECT, "The old password was incorrect.") from None
    before = _existing(view, caller)
    hashed = await _hash_of_new(iam, view, before, Secret(text(parameters, "NewPassword")))
    async with iam.store.transaction() as transaction:
        user = await _caller_to_change(transaction, permitted, caller)
        profile = _existing(transaction.view, user)
        _refuse_another(before, profile)
        changed = _changed(profile, hashed, int(permitted.facts.now))
        await transaction.put(replace(changed, reset_required=False))
    return {}


async def _caller_to_change(transaction: Transaction, permitted: Permitted, caller: User) -> User:
    user = transaction.view.users.with_key(caller.unique_id)
    if user is None or user.arn != permitted.resource:
        raise no_such_user(caller.name)
    permitted.with_tags(user.tags)
    return user


async def _hash_of_new(iam: Iam, view: View, profile: LoginProfile, password: Secret) -> str:
    """The hash of a password that may follow the present one. Raises EntityError for one that may not."""
    policy = settings_of(view, profile.account).password_policy
    check_password(password, policy)
    remembered = 0 if policy is None else policy.reuse_prevention or 0
    await iam.passwords.refuse_former((profile.password_hash, *profile.former_hashes)[:remembered], password)
    return await iam.passwords.hash(password)


def _refuse_another(before: LoginProfile, now: LoginProfile) -> None:
    """What was checked against one password does not replace another."""
    if now.password_hash != before.password_hash:
        message = "The password was changed by another request at the same time; try again."
        raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, message)


def _changed(profile: LoginProfile, hashed: str, now: int) -> LoginProfile:
    former = (profile.password_hash, *profile.former_hashes)[:FORMER_PASSWORDS]
    return replace(profile, password_hash=hashed, former_hashes=former, changed_at=now)
