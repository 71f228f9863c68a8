# SPDX-License-Identifier: Apache-2.0
"""What a user may: everything that is its own, its groups' and attached to either counts; its boundary bounds; who is gone is
refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from msgspec.structs import replace

from daypass.access.authenticate import Authenticator
from daypass.principal import User as UserPrincipal
from daypass.sigv4 import RawRequest
from iam.kitchen import document, statement
from iam.people import asked, done, managed, person, refused, user_arn
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIST = "iam:ListUsers"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def may_list(iam: Service, key: Credentials) -> bool:
    """Whether the caller may list users: denied is the other answer there is."""
    answer = await asked(iam, "ListUsers", key)
    assert (answer.status, answer.code) in ((200, None), (403, "AccessDenied"))
    return answer.status == 200


async def attach(iam: Service, kind: str, name: str, *policies: str) -> None:
    """Make these the managed policies of a user or group."""
    async with iam.app.store.transaction() as transaction:
        found: Any = getattr(transaction.view, kind).with_name(ACCOUNT, name)
        await transaction.put(replace(found, attached_policies=policies))


async def test_a_users_key_says_who_the_user_is(iam: Service) -> None:
    key = await person(iam, "known", Path="/team/")
    answer = await iam.call("sts", "GetCallerIdentity", key)
    user = iam.app.store.view().users.with_name(ACCOUNT, "known")
    assert user is not None
    found = [answer.text(name) for name in ("Arn", "UserId", "Account")]
    assert found == [user_arn("known", "/team/"), user.unique_id, ACCOUNT]


async def test_the_caller_of_a_users_key_is_that_user_as_it_is_now(iam: Service) -> None:
    key = await person(iam, "seen", Tags=[{"Key": "team", "Value": "a"}])
    seen: list[Any] = []

    class Watching:
        """The authenticator, with somebody looking at whom it finds."""

        def __init__(self, inner: Authenticator) -> None:
            self._inner = inner

        def authenticate(self, request: RawRequest, **more: Any) -> Any:
            seen.append(self._inner.authenticate(request, **more))
            return seen[-1]

    door: Any = iam.app.door
    inner, door._authenticator = door._authenticator, Watching(door._authenticator)
    try:
        await iam.call("sts", "GetCallerIdentity", key)
    finally:
        door._authenticator = inner
    [caller] = seen
    user = iam.app.store.view().users.with_name(ACCOUNT, "seen")
    assert user is not None
    assert caller.principal == UserPrincipal(ACCOUNT, "/", "seen", user.unique_id)
    assert (caller.user, caller.role, caller.session) == (user, None, None)


async def test_a_user_without_policies_may_nothing(iam: Service) -> None:
    assert not await may_list(iam, await person(iam, "bare"))


async def test_an_inline_policy_counts_until_it_is_deleted(iam: Service) -> None:
    key = await person(iam, "inline", statement("Allow", LIST))
    assert await may_list(iam, key)
    await done(iam, "DeleteUserPolicy", UserName="inline", PolicyName="main")
    assert not await may_list(iam, key)


async def test_an_attached_policy_counts_until_it_is_detached(iam: Service) -> None:
    key = await person(iam, "attached")
    await attach(iam, "users", "attached", await managed(iam, "ListA", statement("Allow", LIST)))
    assert await may_list(iam, key)
    await attach(iam, "users", "attached")
    assert not await may_list(iam, key)


async def test_a_policy_of_a_group_counts_for_as_long_as_the_user_is_in_it(iam: Service) -> None:
    key = await person(iam, "member")
    await done(iam, "CreateGroup", GroupName="listers")
    await done(
        iam,
        "PutGroupPolicy",
        GroupName="listers",
        PolicyName="list",
        PolicyDocument=document(statement("Allow", LIST)),
    )
    assert not await may_list(iam, key)
    await done(iam, "AddUserToGroup", GroupName="listers", UserName="member")
    assert await may_list(iam, key)
    await done(iam, "DeleteGroupPolicy", GroupName="listers", PolicyName="list")
    assert not await may_list(iam, key)
    await attach(iam, "groups", "listers", await managed(iam, "ListG", statement("Allow", LIST)))
    assert await may_list(iam, key)
    await done(iam, "RemoveUserFromGroup", GroupName="listers", UserName="member")
    assert not await may_list(iam, key)


async def test_a_denial_of_any_policy_wins(iam: Service) -> None:
    key = await person(iam, "denied", statement("Allow", "*"))
    await done(iam, "CreateGroup", GroupName="deniers")
    await done(
        iam, "PutGroupPolicy", GroupName="deniers", PolicyName="no", PolicyDocument=document(statement("Deny", LIST))
    )
    assert await may_list(iam, key)
    await done(iam, "AddUserToGroup", GroupName="deniers", UserName="denied")
    assert not await may_list(iam, key)
    assert (await asked(iam, "GetUser", key)).status == 200


async def test_a_boundary_limits_and_gives_nothing(iam: Service) -> None:
    boundary = await managed(iam, "Limit", statement("Allow", ["iam:GetUser", LIST]))
    key = await person(iam, "limited", statement("Allow", ["iam:GetUser", "iam:ListGroups"]))
    await done(iam, "PutUserPermissionsBoundary", UserName="limited", PermissionsBoundary=boundary)
    assert (await asked(iam, "GetUser", key)).status == 200
    assert (await refused(iam, "ListGroups", key))[0] == "AccessDenied"
    assert not await may_list(iam, key)  # the boundary allows it, and no policy of the user's does


async def test_a_boundary_whose_policy_is_gone_allows_nothing(iam: Service) -> None:
    key = await person(iam, "unbounded", statement("Allow", "*"))
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "unbounded")
        assert user is not None
        await transaction.put(replace(user, permissions_boundary=f"arn:aws:iam::{ACCOUNT}:policy/gone"))
    assert not await may_list(iam, key)


async def test_an_inactive_key_is_refused(iam: Service) -> None:
    key = await person(iam, "inactive", statement("Allow", "*"))
    await done(iam, "UpdateAccessKey", UserName="inactive", AccessKeyId=key.access_key, Status="Inactive")
    assert (await refused(iam, "ListUsers", key))[0] == "InvalidClientTokenId"


async def test_a_key_whose_user_is_gone_is_refused(iam: Service) -> None:
    key = await person(iam, "gone", statement("Allow", "*"))
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "gone")
        assert user is not None
        await transaction.delete(user)  # which DeleteUser would not do while there is a key
    assert (await refused(iam, "ListUsers", key))[0] == "InvalidClientTokenId"
    await done(iam, "CreateUser", UserName="gone")
    assert (await refused(iam, "ListUsers", key))[0] == "InvalidClientTokenId"  # a namesake does not inherit it


async def test_a_key_with_another_session_token_is_refused(iam: Service) -> None:
    key = await person(iam, "tokened", statement("Allow", "*"))
    with_token = Credentials(key.access_key, str(key.secret_key), "token")
    assert (await refused(iam, "ListUsers", with_token))[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:username": "keyed"}}, True),
        ({"StringEquals": {"aws:username": "Keyed"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/TEAM": "red"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "blue"}}, False),
        ({"ArnEquals": {"aws:PrincipalArn": user_arn("keyed", "/p/")}}, True),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"StringLike": {"aws:userid": "AIDA*"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true", "aws:MultiFactorAuthPresent": "true"}}, True),
        ({"Null": {"aws:FederatedProvider": "false"}}, False),
    ],
)
async def test_a_users_keys_are_in_conditions(iam: Service, condition: dict[str, Any], allowed: bool) -> None:
    view = iam.app.store.view()
    if view.users.with_name(ACCOUNT, "keyed") is None:
        await done(iam, "CreateUser", UserName="keyed", Path="/p/", Tags=[{"Key": "team", "Value": "red"}])
    policy = document({**statement("Allow", LIST), "Condition": condition})
    await done(iam, "PutUserPolicy", UserName="keyed", PolicyName="main", PolicyDocument=policy)
    made = (await done(iam, "CreateAccessKey", UserName="keyed"))["AccessKey"]
    key = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    try:
        assert await may_list(iam, key) is allowed
    finally:
        await done(iam, "DeleteAccessKey", UserName="keyed", AccessKeyId=key.access_key)


async def test_a_variable_stands_for_the_user(iam: Service) -> None:
    key = await person(iam, "variable", statement("Allow", "iam:*UserPolic*", user_arn("${aws:username}")))
    await done(iam, "CreateUser", UserName="variable2")
    assert (await done(iam, "ListUserPolicies", key, UserName="variable"))["PolicyNames"] == ["main"]
    assert (await refused(iam, "ListUserPolicies", key, UserName="variable2"))[0] == "AccessDenied"


async def test_a_tag_of_the_user_stands_in_a_resource(iam: Service) -> None:
    policy = statement("Allow", "iam:GetGroup", f"arn:aws:iam::{ACCOUNT}:group/${{aws:PrincipalTag/team}}-*")
    key = await person(iam, "teamed", policy, Tags=[{"Key": "team", "Value": "red"}])
    for name in ("red-one", "blue-one"):
        await done(iam, "CreateGroup", GroupName=name)
    assert (await asked(iam, "GetGroup", key, GroupName="red-one")).status == 200
    assert (await refused(iam, "GetGroup", key, GroupName="blue-one"))[0] == "AccessDenied"


async def test_a_user_of_another_account_is_not_found(iam: Service) -> None:
    key = await person(iam, "abroad", statement("Allow", "*"))
    async with iam.app.store.transaction() as transaction:
        account = transaction.view.accounts.with_key(ACCOUNT)
        assert account is not None
        await transaction.put(replace(account, account_id="210987654321"))
        user = transaction.view.users.with_name(ACCOUNT, "abroad")
        assert user is not None
        await transaction.put(replace(user, account="210987654321", name="foreigner", unique_id="AIDA" + "F" * 17))
    assert (await refused(iam, "GetUser", key, UserName="foreigner"))[0] == "NoSuchEntity"


async def test_nobodys_key_is_refused_in_the_same_words(iam: Service) -> None:
    nobody = Credentials("AKIA" + "N" * 16, "x" * 40)
    assert await refused(iam, "ListUsers", nobody) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
