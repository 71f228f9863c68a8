# SPDX-License-Identifier: Apache-2.0
"""Groups, their inline policies and who is in them."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from daypass.iam import groups as groups_module
from daypass.policy.limits import policy_size
from iam.kitchen import document, statement
from iam.people import ALLOW_ALL, denial, done, group_arn, person, refused
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes groups of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def members(iam: Service, group: str) -> list[str]:
    return [user["UserName"] for user in (await done(iam, "GetGroup", GroupName=group))["Users"]]


async def groups_of(iam: Service, user: str) -> list[str]:
    return [group["GroupName"] for group in (await done(iam, "ListGroupsForUser", UserName=user))["Groups"]]


async def test_a_group_comes_back_as_it_was_made(iam: Service) -> None:
    made = (await done(iam, "CreateGroup", GroupName="admins", Path="/team/"))["Group"]
    found = await done(iam, "GetGroup", GroupName="admins")
    assert found == {"Group": made, "Users": [], "IsTruncated": False}
    assert made.pop("GroupId").startswith("AGPA")
    assert made == {
        "Path": "/team/",
        "GroupName": "admins",
        "Arn": group_arn("admins", "/team/"),
        "CreateDate": CREATED,
    }


async def test_the_name_of_a_group_is_taken_whatever_its_case(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="Taken")
    found = await refused(iam, "CreateGroup", GroupName="TAKEN")
    assert found == ("EntityAlreadyExists", "Group with name TAKEN already exists.")


@pytest.mark.parametrize(
    "operation",
    ["GetGroup", "UpdateGroup", "DeleteGroup", "ListGroupPolicies", "AddUserToGroup", "RemoveUserFromGroup"],
)
async def test_a_group_that_is_not_there_is_no_such_entity(iam: Service, operation: str) -> None:
    user = {"UserName": "anybody"} if "User" in operation else {}
    found = await refused(iam, operation, GroupName="nothing", **user)
    assert found == ("NoSuchEntity", "The group with name nothing cannot be found.")


async def test_groups_are_listed_page_by_page_under_a_path(iam: Service) -> None:
    for name in ("c", "a", "b"):
        await done(iam, "CreateGroup", GroupName=f"list-{name}", Path="/list/")
    first = await done(iam, "ListGroups", PathPrefix="/list/", MaxItems=2)
    assert ([group["GroupName"] for group in first["Groups"]], first["IsTruncated"]) == (["list-a", "list-b"], True)
    rest = await done(iam, "ListGroups", PathPrefix="/list/", Marker=first["Marker"])
    assert ([group["GroupName"] for group in rest["Groups"]], rest["IsTruncated"]) == (["list-c"], False)


async def test_users_join_and_leave_and_doing_it_twice_is_no_error(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="joiner", Path="/team/", Tags=[{"Key": "a", "Value": "b"}])
    for group in ("zeta", "alpha"):
        await done(iam, "CreateGroup", GroupName=group)
        for _ in range(2):
            await done(iam, "AddUserToGroup", GroupName=group, UserName="joiner")
    assert await groups_of(iam, "joiner") == ["alpha", "zeta"]
    [shown] = (await done(iam, "GetGroup", GroupName="zeta"))["Users"]
    whole = (await done(iam, "GetUser", UserName="joiner"))["User"]
    assert shown == {name: value for name, value in whole.items() if name != "Tags"}
    for _ in range(2):
        await done(iam, "RemoveUserFromGroup", GroupName="zeta", UserName="joiner")
    assert await members(iam, "zeta") == []
    assert await groups_of(iam, "joiner") == ["alpha"]


async def test_whoever_is_not_there_cannot_join(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="lonely")
    for operation in ("AddUserToGroup", "RemoveUserFromGroup"):
        found = await refused(iam, operation, GroupName="lonely", UserName="nobody")
        assert found == ("NoSuchEntity", "The user with name nobody cannot be found.")


async def test_the_users_of_a_group_are_paged(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="crowd")
    for name in ("crowd-c", "crowd-a", "crowd-b"):
        await done(iam, "CreateUser", UserName=name)
        await done(iam, "AddUserToGroup", GroupName="crowd", UserName=name)
    first = await done(iam, "GetGroup", GroupName="crowd", MaxItems=2)
    assert ([user["UserName"] for user in first["Users"]], first["IsTruncated"]) == (["crowd-a", "crowd-b"], True)
    rest = await done(iam, "GetGroup", GroupName="crowd", Marker=first["Marker"])
    assert [user["UserName"] for user in rest["Users"]] == ["crowd-c"]


async def test_a_user_is_in_ten_groups_and_not_in_eleven(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="busy")
    for number in range(11):
        await done(iam, "CreateGroup", GroupName=f"busy-{number:02}")
    for number in range(10):
        await done(iam, "AddUserToGroup", GroupName=f"busy-{number:02}", UserName="busy")
    await done(iam, "AddUserToGroup", GroupName="busy-09", UserName="busy")  # is in it already
    found = await refused(iam, "AddUserToGroup", GroupName="busy-10", UserName="busy")
    assert found == ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
    page = await done(iam, "ListGroupsForUser", UserName="busy", MaxItems=9)
    assert page["IsTruncated"] is True
    rest = await done(iam, "ListGroupsForUser", UserName="busy", Marker=page["Marker"])
    assert [group["GroupName"] for group in rest["Groups"]] == ["busy-09"]


async def test_an_account_has_only_so_many_groups(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    there = len(iam.app.store.view().groups.of(ACCOUNT))
    monkeypatch.setattr(groups_module, "GROUPS_PER_ACCOUNT", there + 1)
    await done(iam, "CreateGroup", GroupName="the-last")
    found = await refused(iam, "CreateGroup", GroupName="one-too-many")
    assert found == ("LimitExceeded", f"Cannot exceed quota for GroupsPerAccount: {there + 1}")


async def test_a_renamed_group_keeps_its_members_and_its_policies(iam: Service) -> None:
    key = await person(iam, "renaming-member")
    await done(iam, "CreateGroup", GroupName="old")
    await done(iam, "PutGroupPolicy", GroupName="old", PolicyName="all", PolicyDocument=ALLOW_ALL)
    await done(iam, "AddUserToGroup", GroupName="old", UserName="renaming-member")
    before = (await done(iam, "GetGroup", GroupName="old"))["Group"]
    await done(iam, "UpdateGroup", GroupName="old", NewGroupName="new", NewPath="/moved/")
    found = await done(iam, "GetGroup", key, GroupName="new")
    assert found["Group"] == {**before, "GroupName": "new", "Path": "/moved/", "Arn": group_arn("new", "/moved/")}
    assert [user["UserName"] for user in found["Users"]] == ["renaming-member"]
    await done(iam, "CreateGroup", GroupName="old")
    assert await members(iam, "old") == []  # a namesake of the old name has its own id
    taken = await refused(iam, "UpdateGroup", GroupName="new", NewGroupName="OLD")
    assert taken == ("EntityAlreadyExists", "Group with name OLD already exists.")


async def test_whoever_renames_a_group_needs_permission_for_both_names(iam: Service) -> None:
    old, new = group_arn("managers", "/m/"), group_arn("mgrs", "/m/")
    await done(iam, "CreateGroup", GroupName="managers", Path="/m/")
    change = {"GroupName": "managers", "NewGroupName": "mgrs"}
    for number, (allowed, shown) in enumerate([(old, group_arn("mgrs")), (new, group_arn("managers"))]):
        key = await person(iam, f"manager-{number}", statement("Allow", "iam:UpdateGroup", allowed))
        found = await refused(iam, "UpdateGroup", key, **change)
        assert found == ("AccessDenied", denial(f"manager-{number}", "UpdateGroup", shown))
    key = await person(iam, "manager", statement("Allow", "iam:UpdateGroup", [old, new]))
    await done(iam, "UpdateGroup", key, **change)


async def test_a_group_is_deleted_once_it_is_empty(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="ending")
    await done(iam, "CreateUser", UserName="ending-member")
    await done(iam, "AddUserToGroup", GroupName="ending", UserName="ending-member")
    await done(iam, "PutGroupPolicy", GroupName="ending", PolicyName="p", PolicyDocument=ALLOW_ALL)
    await attach(iam, "ending", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    for words in ("delete policies", "detach all policies", "remove users from group"):
        found = await refused(iam, "DeleteGroup", GroupName="ending")
        assert found == ("DeleteConflict", f"Cannot delete entity, must {words} first.")
        if words == "delete policies":
            await done(iam, "DeleteGroupPolicy", GroupName="ending", PolicyName="p")
        elif words == "detach all policies":
            await attach(iam, "ending")
        else:
            await done(iam, "RemoveUserFromGroup", GroupName="ending", UserName="ending-member")
    await done(iam, "DeleteGroup", GroupName="ending")
    assert (await refused(iam, "GetGroup", GroupName="ending"))[0] == "NoSuchEntity"


async def attach(iam: Service, name: str, *policies: str) -> None:
    """Make these the managed policies of a group."""
    async with iam.app.store.transaction() as transaction:
        group = transaction.view.groups.with_name(ACCOUNT, name)
        assert group is not None
        await transaction.put(replace(group, attached_policies=policies))


async def test_inline_policies_of_a_group_have_5120_characters_between_them(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="wordy")
    rest = 5120 - policy_size(document(statement("Allow", "s3:x")))
    fits, exceeds = (document(statement("Allow", "s3:x" + "x" * more)) for more in (rest, rest + 1))
    await done(iam, "PutGroupPolicy", GroupName="wordy", PolicyName="one", PolicyDocument=fits)
    found = await refused(iam, "PutGroupPolicy", GroupName="wordy", PolicyName="one", PolicyDocument=exceeds)
    assert found == ("LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group wordy")
    shown = await done(iam, "GetGroupPolicy", GroupName="wordy", PolicyName="one")
    assert (shown["GroupName"], shown["PolicyName"]) == ("wordy", "one")
    assert (await done(iam, "ListGroupPolicies", GroupName="wordy"))["PolicyNames"] == ["one"]
    for operation in ("GetGroupPolicy", "DeleteGroupPolicy"):
        missing = await refused(iam, operation, GroupName="wordy", PolicyName="two")
        assert missing == ("NoSuchEntity", "The group policy with name two cannot be found.")


async def test_a_group_is_decided_on_by_its_arn_and_shown_without_its_path(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="guarded", Path="/deep/")
    await done(iam, "CreateUser", UserName="guarded-user")
    key = await person(iam, "guard", statement("Allow", "iam:AddUserToGroup", group_arn("*", "/deep/")))
    await done(iam, "AddUserToGroup", key, GroupName="guarded", UserName="guarded-user")
    found = await refused(iam, "RemoveUserFromGroup", key, GroupName="guarded", UserName="guarded-user")
    assert found == ("AccessDenied", denial("guard", "RemoveUserFromGroup", group_arn("guarded")))
