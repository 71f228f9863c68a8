# SPDX-License-Identifier: Apache-2.0
"""AssumeRole: every parameter is enforced. Bad values are in test_bad_values.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from iam.kitchen import document, statement
from iam.people import done, key_of
from in_process import ACCOUNT, Service, service
from sts.asking import given, keys_of, refusal, session_of, trusting, who
from sts.holding import (
    FULL,
    LISTS,
    MAY_LIST,
    caller,
    expires_at,
    lists,
    new_name,
    principal_tags,
    role,
    session_in,
    trusting_account,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEAM = {"Key": "team", "Value": "red"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users and roles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def wanted(role_arn: str, **more: Any) -> dict[str, Any]:
    return {"RoleArn": role_arn, "RoleSessionName": "test", **more}


# RoleArn, RoleSessionName


async def test_the_session_is_of_the_role_whose_arn_is_exactly_the_one_that_was_named(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, Path="/team/")
    name = role_arn.rpartition("/")[2]
    assert await who(sts, await session_of(sts, key, role_arn)) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/test"
    for other in (
        role_arn.replace("/team/", "/"),
        role_arn.replace("/team/", "/TEAM/"),
        role_arn.replace(name, name.lower()),
        role_arn.replace("arn:aws:", "arn:aws-cn:"),
        role_arn.replace("iam::", "iam:us-east-1:"),
        role_arn.replace(ACCOUNT, "210987654321"),
        role_arn + "/",
    ):
        assert (await refusal(sts, "AssumeRole", key, **wanted(other)))[0] in ("AccessDenied", "ValidationError"), other


async def test_the_session_has_the_name_that_was_asked_for_and_conditions_see_it(sts: Service) -> None:
    key = await caller(sts)
    role_arn = await role(
        sts, trust=trusting_account({"StringEquals": {"sts:RoleSessionName": ["ann", "a=b@c.d,e+f_g-h"]}})
    )
    for name in ("ann", "a=b@c.d,e+f_g-h"):
        output = await given(sts, "AssumeRole", key, **wanted(role_arn) | {"RoleSessionName": name})
        assert output["AssumedRoleUser"]["Arn"].endswith(f"/{name}")
        role_id = output["AssumedRoleUser"]["AssumedRoleId"]
        assert role_id == f"{session_in(sts, keys_of(output)).role_id}:{name}"
        identity = await given(sts, "GetCallerIdentity", keys_of(output))
        assert identity == {"UserId": role_id, "Account": ACCOUNT, "Arn": output["AssumedRoleUser"]["Arn"]}
    assert (await refusal(sts, "AssumeRole", key, **wanted(role_arn) | {"RoleSessionName": "ben"}))[0] == "AccessDenied"


# Policy, PolicyArns


async def test_a_session_policy_leaves_of_the_roles_permissions_what_it_allows_too(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MAY_LIST)
    assert await lists(sts, await session_of(sts, key, role_arn)) == set(LISTS)
    one = document(statement("Allow", ["iam:ListUsers", "iam:CreateUser"]))
    output = await given(sts, "AssumeRole", key, **wanted(role_arn, Policy=one))
    assert 0 < output["PackedPolicySize"] <= 100
    assert await lists(sts, keys_of(output)) == {"ListUsers"}
    code, message = await refusal_of_list(sts, keys_of(output))
    assert code == "AccessDenied"
    assert message.endswith("because no session policy allows the iam:ListRoles action")


async def refusal_of_list(sts: Service, credentials: Any) -> tuple[Any, str]:
    answer = await sts.call("iam", "ListRoles", credentials)
    return answer.code, answer.message


async def test_a_session_policy_gives_nothing_that_the_role_has_not(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, statement("Allow", "iam:ListUsers"))
    assert await lists(sts, await session_of(sts, key, role_arn, Policy=FULL)) == {"ListUsers"}


async def managed_policy(sts: Service, *statements: dict[str, Any]) -> str:
    made = await done(sts, "CreatePolicy", PolicyName=new_name("Policy"), PolicyDocument=document(*statements))
    return str(made["Policy"]["Arn"])


async def test_managed_session_policies_are_one_set_with_the_inline_one(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MAY_LIST)
    users = await managed_policy(sts, statement("Allow", "iam:ListUsers"))
    roles = await managed_policy(sts, statement("Allow", "iam:ListRoles"))
    none = await managed_policy(sts, statement("Deny", "iam:ListUsers"))
    inline = document(statement("Allow", "iam:ListGroups"))

    async def left(*arns: str, **more: Any) -> set[str]:
        listed = [{"arn": policy_arn} for policy_arn in arns]
        return await lists(sts, await session_of(sts, key, role_arn, PolicyArns=listed, **more))

    assert await left(users) == {"ListUsers"}
    assert await left(users, roles) == {"ListUsers", "ListRoles"}
    assert await left(users, roles, Policy=inline) == set(LISTS)
    assert await left(users, roles, none) == {"ListRoles"}
    assert await left("arn:aws:iam::aws:policy/AdministratorAccess") == set(LISTS)
    assert await left("arn:aws:iam::aws:policy/AWSDenyAll", Policy=inline) == set()


async def test_a_session_has_its_managed_policies_as_they_were(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MAY_LIST)
    policy_arn = await managed_policy(sts, statement("Allow", "iam:ListUsers"))
    session = await session_of(sts, key, role_arn, PolicyArns=[{"arn": policy_arn}])
    await done(sts, "CreatePolicyVersion", PolicyArn=policy_arn, PolicyDocument=FULL, SetAsDefault=True)
    assert await lists(sts, session) == {"ListUsers"}
    later = await session_of(sts, key, role_arn, PolicyArns=[{"arn": policy_arn}])
    assert await lists(sts, later) == set(LISTS)


async def test_a_managed_session_policy_that_is_gone_takes_no_deny_with_it(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MAY_LIST)
    guard = await managed_policy(sts, statement("Deny", "iam:ListUsers"))
    session = await session_of(sts, key, role_arn, Policy=FULL, PolicyArns=[{"arn": guard}])
    assert await lists(sts, session) == {"ListRoles", "ListGroups"}
    await done(sts, "CreatePolicyVersion", PolicyArn=guard, PolicyDocument=FULL, SetAsDefault=True)
    await done(sts, "DeletePolicyVersion", PolicyArn=guard, VersionId="v1")
    assert await lists(sts, session) == set()


async def test_a_managed_policy_of_the_same_name_is_not_the_one_that_was_passed(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MAY_LIST)
    policy_arn = await managed_policy(sts, statement("Allow", "iam:ListUsers"))
    session = await session_of(sts, key, role_arn, PolicyArns=[{"arn": policy_arn}])
    await done(sts, "DeletePolicy", PolicyArn=policy_arn)
    assert await lists(sts, session) == set()
    await done(sts, "CreatePolicy", PolicyName=policy_arn.rpartition("/")[2], PolicyDocument=FULL)
    assert await lists(sts, session) == set()


async def test_the_packed_size_counts_policies_and_tags_together(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts)
    policy = document(statement("Allow", "iam:ListUsers"))
    alone = await given(sts, "AssumeRole", key, **wanted(role_arn, Policy=policy))
    tags = [{"Key": f"key {number}", "Value": str(number**9)} for number in range(20)]
    both = await given(sts, "AssumeRole", key, **wanted(role_arn, Policy=policy, Tags=tags))
    assert alone["PackedPolicySize"] < both["PackedPolicySize"]
    assert "PackedPolicySize" not in await given(sts, "AssumeRole", key, **wanted(role_arn))


# DurationSeconds


async def test_a_session_lasts_as_long_as_was_asked_for_or_an_hour(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MaxSessionDuration=43_200)
    now = int(sts.clock())
    assert expires_at(await given(sts, "AssumeRole", key, **wanted(role_arn))) == now + 3600
    for seconds in (900, 3601, 43_200):
        assert (
            expires_at(await given(sts, "AssumeRole", key, **wanted(role_arn, DurationSeconds=seconds)))
            == now + seconds
        )


async def test_a_session_ends_at_the_instant_and_not_before(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts)
    session = await session_of(sts, key, role_arn, DurationSeconds=900)
    sts.clock.advance(899)
    assert await who(sts, session)
    sts.clock.advance(1)
    assert (await refusal(sts, "GetCallerIdentity", session))[0] == "ExpiredToken"


async def test_more_than_the_role_allows_is_refused_and_not_cut(sts: Service) -> None:
    key, role_arn = await caller(sts), await role(sts, MaxSessionDuration=7200)
    await given(sts, "AssumeRole", key, **wanted(role_arn, DurationSeconds=7200))
    assert await refusal(sts, "AssumeRole", key, **wanted(role_arn, DurationSeconds=7201)) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


async def test_a_role_session_gets_an_hour_of_another_role_at_most(sts: Service) -> None:
    key = await caller(sts)
    first = await role(sts, statement("Allow", "sts:*"), MaxSessionDuration=43_200)
    second = await role(sts, MaxSessionDuration=43_200)
    session = await session_of(sts, key, first, DurationSeconds=43_200)
    await given(sts, "AssumeRole", session, **wanted(second, DurationSeconds=3600))
    assert await refusal(sts, "AssumeRole", session, **wanted(second, DurationSeconds=3601)) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    )


# Tags, TransitiveTagKeys


async def test_session_tags_are_the_callers_tags_and_override_the_roles(sts: Service) -> None:
    key = await caller(sts)
    own = [{"Key": "Team", "Value": "blue"}, {"Key": "kept", "Value": "1"}]
    role_arn = await role(sts, {**MAY_LIST, "Condition": {"StringEquals": {"aws:PrincipalTag/TEAM": "red"}}}, Tags=own)
    plain, tagged = await session_of(sts, key, role_arn), await session_of(sts, key, role_arn, Tags=[TEAM])
    assert await lists(sts, plain) == set()
    assert await lists(sts, tagged) == set(LISTS)
    assert principal_tags(sts, tagged) == {"team": "red", "kept": "1"}


async def test_tags_are_request_tags_to_the_trust_policy_and_need_a_permission_of_their_own(sts: Service) -> None:
    key = await caller(sts)
    untaggable = await role(sts, trust=trusting_account(actions=["sts:AssumeRole"]))
    await given(sts, "AssumeRole", key, **wanted(untaggable))
    code, message = await refusal(sts, "AssumeRole", key, **wanted(untaggable, Tags=[TEAM]))
    assert code == "AccessDenied"
    assert "sts:TagSession" in message
    condition = {"StringEquals": {"aws:RequestTag/Team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    narrow = await role(sts, trust=trusting_account(condition))
    await given(sts, "AssumeRole", key, **wanted(narrow, Tags=[TEAM]))
    for tags in ([], [{"Key": "team", "Value": "blue"}], [TEAM, {"Key": "more", "Value": "1"}]):
        assert (await refusal(sts, "AssumeRole", key, **wanted(narrow, Tags=tags)))[0] == "AccessDenied"


async def test_the_caller_needs_the_permission_to_tag_where_the_role_trusts_its_account(sts: Service) -> None:
    key = await caller(sts, statement("Deny", ["sts:TagSession", "sts:SetSourceIdentity"]))
    role_arn = await role(sts)
    await given(sts, "AssumeRole", key, **wanted(role_arn))
    for more in ({"Tags": [TEAM]}, {"Tags": [TEAM], "TransitiveTagKeys": ["team"]}, {"SourceIdentity": "ann"}):
        assert (await refusal(sts, "AssumeRole", key, **wanted(role_arn, **more)))[0] == "AccessDenied"


async def test_transitive_tags_go_on_through_the_chain_and_others_do_not(sts: Service) -> None:
    key = await caller(sts)
    chain = [await role(sts, statement("Allow", "sts:*")) for _ in range(3)]
    more = {"Tags": [TEAM, {"Key": "cost", "Value": "7"}], "TransitiveTagKeys": ["TEAM"]}
    session = await session_of(sts, key, chain[0], **more)
    assert principal_tags(sts, session) == {"team": "red", "cost": "7"}
    for role_arn in chain[1:]:
        session = await session_of(sts, session, role_arn)
        assert principal_tags(sts, session) == {"team": "red"}
    conflict = await refusal(sts, "AssumeRole", session, **wanted(chain[0], Tags=[{"Key": "Team", "Value": "blue"}]))
    assert conflict[0] == "ValidationError"
    assert "conflicts with a transitive tag key" in conflict[1]


async def test_transitive_keys_passed_and_inherited_are_what_conditions_see(sts: Service) -> None:
    key, first = await caller(sts), await role(sts, statement("Allow", "sts:*"))
    only_team = await role(
        sts, trust=trusting_account({"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": "team"}})
    )
    some = await role(sts, trust=trusting_account({"Null": {"sts:TransitiveTagKeys": "false"}}))
    more = {"Tags": [TEAM, {"Key": "cost", "Value": "7"}]}
    await given(sts, "AssumeRole", key, **wanted(only_team, **more, TransitiveTagKeys=["team"]))
    assert (await refusal(sts, "AssumeRole", key, **wanted(only_team, **more, TransitiveTagKeys=["cost"])))[0] == (
        "AccessDenied"
    )
    assert (await refusal(sts, "AssumeRole", key, **wanted(some, **more)))[0] == "AccessDenied"
    session = await session_of(sts, key, first, **more, TransitiveTagKeys=["cost"])
    await given(sts, "AssumeRole", session, **wanted(some))
    assert (await refusal(sts, "AssumeRole", session, **wanted(only_team)))[0] == "AccessDenied"


async def test_tags_that_are_inherited_count_among_the_fifty(sts: Service) -> None:
    key = await caller(sts)
    first, second = await role(sts, statement("Allow", "sts:*")), await role(sts)
    inherited = [{"Key": f"i{number}", "Value": ""} for number in range(30)]
    session = await session_of(sts, key, first, Tags=inherited, TransitiveTagKeys=[tag["Key"] for tag in inherited])
    passed = [{"Key": f"p{number}", "Value": ""} for number in range(21)]
    await given(sts, "AssumeRole", session, **wanted(second, Tags=passed[:20]))
    assert (await refusal(sts, "AssumeRole", session, **wanted(second, Tags=passed)))[0] == "ValidationError"


async def test_a_transitive_tag_does_not_change_how_a_role_looks_to_the_policies_that_decide(sts: Service) -> None:
    """Else whoever may tag a session would choose which roles a condition on aws:ResourceTag means."""
    key = await caller(sts)
    only_red = {**statement("Allow", "sts:*"), "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}
    first = await role(sts, only_red)
    blue = await role(sts, Tags=[{"Key": "team", "Value": "blue"}])
    plain = await role(sts)
    red = await role(sts, Tags=[TEAM])
    asks_itself = await role(
        sts,
        trust=trusting_account({"StringEquals": {"aws:ResourceTag/team": "red"}}),
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    session = await session_of(sts, key, first, Tags=[TEAM], TransitiveTagKeys=["team"])
    await given(sts, "AssumeRole", session, **wanted(red))
    for role_arn in (blue, plain, asks_itself):
        assert (await refusal(sts, "AssumeRole", session, **wanted(role_arn)))[0] == "AccessDenied"


# SourceIdentity


async def test_a_source_identity_is_set_once_and_stays_along_the_chain(sts: Service) -> None:
    key = await caller(sts)
    chain = [await role(sts, statement("Allow", "sts:*")) for _ in range(3)]
    session = await session_of(sts, key, chain[0])
    output = await given(sts, "AssumeRole", session, **wanted(chain[1], SourceIdentity="ann@example.org"))
    assert output["SourceIdentity"] == "ann@example.org"
    for more in ({}, {"SourceIdentity": "ann@example.org"}):
        output = await given(sts, "AssumeRole", keys_of(output), **wanted(chain[2], **more))
        assert output["SourceIdentity"] == "ann@example.org"
    code, message = await refusal(sts, "AssumeRole", keys_of(output), **wanted(chain[0], SourceIdentity="ben"))
    assert (code, "cannot be changed" in message) == ("ValidationError", True)


async def test_a_source_identity_needs_a_permission_even_where_it_is_inherited(sts: Service) -> None:
    key, first = await caller(sts), await role(sts, statement("Allow", "sts:*"))
    not_settable = await role(sts, trust=trusting_account(actions=["sts:AssumeRole"]))
    code, message = await refusal(sts, "AssumeRole", key, **wanted(not_settable, SourceIdentity="ann"))
    assert (code, "sts:SetSourceIdentity" in message) == ("AccessDenied", True)
    session = await session_of(sts, key, first, SourceIdentity="ann")
    assert (await refusal(sts, "AssumeRole", session, **wanted(not_settable)))[0] == "AccessDenied"


async def test_conditions_see_the_source_identity_that_is_asked_for_and_the_one_that_is_there(sts: Service) -> None:
    key = await caller(sts)
    first = await role(
        sts, statement("Allow", "sts:*"), trust=trusting_account({"StringLike": {"sts:SourceIdentity": "a*"}})
    )
    second = await role(sts, trust=trusting_account({"StringEquals": {"aws:SourceIdentity": "ann"}}))
    for refused in ({}, {"SourceIdentity": "ben"}):
        assert (await refusal(sts, "AssumeRole", key, **wanted(first, **refused)))[0] == "AccessDenied"
    ann = await session_of(sts, key, first, SourceIdentity="ann")
    await given(sts, "AssumeRole", ann, **wanted(second))
    abe = await session_of(sts, key, first, SourceIdentity="abe")
    assert (await refusal(sts, "AssumeRole", abe, **wanted(second)))[0] == "AccessDenied"


# MinimumSessionTokenSize


@pytest.mark.parametrize("size", [0, 1, 1000, 4095, 4096])
async def test_the_session_token_has_the_size_that_was_asked_for(sts: Service, size: int) -> None:
    key, role_arn = await caller(sts), await role(sts)
    output = await given(sts, "AssumeRole", key, **wanted(role_arn, MinimumSessionTokenSize=size))
    token = output["Credentials"]["SessionToken"]
    assert len(token) >= size
    assert output["SessionTokenSize"] == len(token)
    assert output["SessionTokenUtilization"] == -(-100 * len(token) // 4096)
    assert await who(sts, keys_of(output))


# Users in trust policies


async def test_a_user_of_the_same_name_is_not_the_one_whom_a_role_trusts(sts: Service) -> None:
    name = new_name("user")
    await done(sts, "CreateUser", UserName=name)
    role_arn = await role(sts, trust=trusting(f"arn:aws:iam::{ACCOUNT}:user/{name}"))
    await done(sts, "DeleteUser", UserName=name)
    await done(sts, "CreateUser", UserName=name)
    assert (await refusal(sts, "AssumeRole", await key_of(sts, name), **wanted(role_arn)))[0] == "AccessDenied"
