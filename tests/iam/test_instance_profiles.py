# SPDX-License-Identifier: Apache-2.0
"""Instance profiles: containers for one role, and who may put a role into one."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daypass.iam import instance_profiles
from iam.kitchen import statement
from iam.people import denial, done, person, refused
from iam.recipe import TRUST
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
TAGS = [{"Key": "team", "Value": "red"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes profiles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def profile_arn(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:instance-profile{path}{name}"


async def filled(iam: Service, name: str) -> None:
    """A profile and a role of one name, the one in the other."""
    await done(iam, "CreateInstanceProfile", InstanceProfileName=name)
    await done(iam, "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
    await done(iam, "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=name)


async def test_a_profile_is_made_empty_and_shown_with_its_role(iam: Service) -> None:
    made = await done(iam, "CreateInstanceProfile", InstanceProfileName="web", Path="/team/", Tags=TAGS)
    profile = made["InstanceProfile"]
    assert profile.pop("InstanceProfileId").startswith("AIPA")
    assert profile == {
        "Path": "/team/",
        "InstanceProfileName": "web",
        "Arn": profile_arn("web", "/team/"),
        "CreateDate": CREATED,
        "Roles": [],
        "Tags": TAGS,
    }
    role = (await done(iam, "CreateRole", RoleName="web", AssumeRolePolicyDocument=TRUST))["Role"]
    await done(iam, "AddRoleToInstanceProfile", InstanceProfileName="web", RoleName="web")
    shown = (await done(iam, "GetInstanceProfile", InstanceProfileName="web"))["InstanceProfile"]
    assert [(found["RoleId"], found["Arn"]) for found in shown["Roles"]] == [(role["RoleId"], role["Arn"])]
    assert shown["Roles"][0]["AssumeRolePolicyDocument"] == role["AssumeRolePolicyDocument"]
    [listed] = (await done(iam, "ListInstanceProfilesForRole", RoleName="web"))["InstanceProfiles"]
    assert (listed["InstanceProfileName"], "Tags" in listed) == ("web", False)


async def test_a_name_is_taken_whatever_its_case(iam: Service) -> None:
    await done(iam, "CreateInstanceProfile", InstanceProfileName="Taken")
    assert await refused(iam, "CreateInstanceProfile", InstanceProfileName="TAKEN") == (
        "EntityAlreadyExists",
        "Instance Profile TAKEN already exists.",
    )


async def test_a_list_is_of_a_path_and_comes_in_pages(iam: Service) -> None:
    for name in ("a", "b", "c"):
        await done(iam, "CreateInstanceProfile", InstanceProfileName=f"listed-{name}", Path="/listed/")
    first = await done(iam, "ListInstanceProfiles", PathPrefix="/listed/", MaxItems=2)
    rest = await done(iam, "ListInstanceProfiles", PathPrefix="/listed/", Marker=first["Marker"])
    names = [found["InstanceProfileName"] for page in (first, rest) for found in page["InstanceProfiles"]]
    assert names == ["listed-a", "listed-b", "listed-c"]
    assert (first["IsTruncated"], rest["IsTruncated"]) == (True, False)


async def test_a_profile_holds_one_role_and_not_two(iam: Service) -> None:
    await filled(iam, "one")
    await done(iam, "CreateRole", RoleName="second", AssumeRolePolicyDocument=TRUST)
    full = ("LimitExceeded", "Cannot exceed quota for InstanceProfileSessionsPerInstanceProfile: 1")
    for role in ("second", "one"):
        assert await refused(iam, "AddRoleToInstanceProfile", InstanceProfileName="one", RoleName=role) == full
    await done(iam, "RemoveRoleFromInstanceProfile", InstanceProfileName="one", RoleName="one")
    await done(iam, "AddRoleToInstanceProfile", InstanceProfileName="one", RoleName="second")


async def test_a_role_may_be_in_several_profiles_which_it_lists_in_pages(iam: Service) -> None:
    await filled(iam, "many-a")
    await done(iam, "CreateInstanceProfile", InstanceProfileName="many-b")
    await done(iam, "AddRoleToInstanceProfile", InstanceProfileName="many-b", RoleName="many-a")
    first = await done(iam, "ListInstanceProfilesForRole", RoleName="many-a", MaxItems=1)
    rest = await done(iam, "ListInstanceProfilesForRole", RoleName="many-a", Marker=first["Marker"])
    names = [found["InstanceProfileName"] for page in (first, rest) for found in page["InstanceProfiles"]]
    assert names == ["many-a", "many-b"]


async def test_neither_a_profile_with_a_role_nor_a_role_in_a_profile_is_deleted(iam: Service) -> None:
    await filled(iam, "bound")
    conflict = ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    assert await refused(iam, "DeleteInstanceProfile", InstanceProfileName="bound") == conflict
    assert await refused(iam, "DeleteRole", RoleName="bound") == conflict
    await done(iam, "RemoveRoleFromInstanceProfile", InstanceProfileName="bound", RoleName="bound")
    await done(iam, "DeleteInstanceProfile", InstanceProfileName="bound")
    await done(iam, "DeleteRole", RoleName="bound")
    gone = ("NoSuchEntity", "Instance Profile bound cannot be found.")
    assert await refused(iam, "GetInstanceProfile", InstanceProfileName="bound") == gone


async def test_what_is_not_there_cannot_be_put_together_or_taken_apart(iam: Service) -> None:
    await filled(iam, "here")
    await done(iam, "CreateRole", RoleName="outside", AssumeRolePolicyDocument=TRUST)
    no_profile = ("NoSuchEntity", "Instance Profile nothing cannot be found.")
    for operation in ("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"):
        assert await refused(iam, operation, InstanceProfileName="nothing", RoleName="here") == no_profile
        no_role = ("NoSuchEntity", "The role with name nobody cannot be found.")
        assert await refused(iam, operation, InstanceProfileName="here", RoleName="nobody") == no_role
    other = await refused(iam, "RemoveRoleFromInstanceProfile", InstanceProfileName="here", RoleName="outside")
    assert other == ("NoSuchEntity", "The role with name outside cannot be found.")
    assert (await refused(iam, "ListInstanceProfilesForRole", RoleName="nobody"))[0] == "NoSuchEntity"


async def test_tags_are_added_replaced_taken_away_and_listed_by_key(iam: Service) -> None:
    await done(iam, "CreateInstanceProfile", InstanceProfileName="tagged", Tags=TAGS)
    more = [{"Key": "TEAM", "Value": "blue"}, {"Key": "cost", "Value": "7"}]
    await done(iam, "TagInstanceProfile", InstanceProfileName="tagged", Tags=more)
    listed = await done(iam, "ListInstanceProfileTags", InstanceProfileName="tagged", MaxItems=1)
    rest = await done(iam, "ListInstanceProfileTags", InstanceProfileName="tagged", Marker=listed["Marker"])
    assert listed["Tags"] + rest["Tags"] == more
    await done(iam, "UntagInstanceProfile", InstanceProfileName="tagged", TagKeys=["team"])
    left = await done(iam, "ListInstanceProfileTags", InstanceProfileName="tagged")
    assert left == {"Tags": more[1:], "IsTruncated": False}


async def test_there_is_a_last_profile_and_none_beyond(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(iam.app.store.view().instance_profiles.of(ACCOUNT))
    monkeypatch.setattr(instance_profiles, "INSTANCE_PROFILES_PER_ACCOUNT", count + 1)
    await done(iam, "CreateInstanceProfile", InstanceProfileName="last")
    beyond = ("LimitExceeded", f"Cannot exceed quota for InstanceProfilesPerAccount: {count + 1}")
    assert await refused(iam, "CreateInstanceProfile", InstanceProfileName="beyond") == beyond


async def test_a_role_is_added_by_who_may_pass_it_to_instances_and_by_nobody_else(iam: Service) -> None:
    await done(iam, "CreateInstanceProfile", InstanceProfileName="passing", Path="/team/")
    await done(iam, "CreateRole", RoleName="passing", AssumeRolePolicyDocument=TRUST)
    role = f"arn:aws:iam::{ACCOUNT}:role/passing"
    adding = statement("Allow", "iam:AddRoleToInstanceProfile", profile_arn("passing", "/team/"))
    names = {"InstanceProfileName": "passing", "RoleName": "passing"}
    only_adding = await person(iam, "only-adding", adding)
    passing_is_denied = ("AccessDenied", denial("only-adding", "PassRole", role))
    assert await refused(iam, "AddRoleToInstanceProfile", only_adding, **names) == passing_is_denied
    elsewhere = {**statement("Allow", "iam:PassRole", role), "Condition": passed_to("ecs.amazonaws.com")}
    to_others = await person(iam, "to-others", adding, elsewhere)
    assert (await refused(iam, "AddRoleToInstanceProfile", to_others, **names))[0] == "AccessDenied"
    only_passing = await person(iam, "only-passing", statement("Allow", "iam:PassRole", role))
    adding_is_denied = ("AccessDenied", denial("only-passing", "AddRoleToInstanceProfile", profile_arn("passing")))
    assert await refused(iam, "AddRoleToInstanceProfile", only_passing, **names) == adding_is_denied
    for_instances = {"ArnLike": {"iam:AssociatedResourceArn": f"arn:aws:ec2:*:{ACCOUNT}:instance/*"}}
    fitting = {"Condition": {**passed_to("ec2.amazonaws.com"), **for_instances}}
    allowed = await person(iam, "allowed", adding, {**statement("Allow", "iam:PassRole", role), **fitting})
    await done(iam, "AddRoleToInstanceProfile", allowed, **names)


def passed_to(name: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"iam:PassedToService": name}}


async def test_a_service_linked_role_is_not_put_into_a_profile(iam: Service) -> None:
    await done(iam, "CreateServiceLinkedRole", AWSServiceName="rds.amazonaws.com")
    await done(iam, "CreateInstanceProfile", InstanceProfileName="linked")
    found = await refused(
        iam, "AddRoleToInstanceProfile", InstanceProfileName="linked", RoleName="AWSServiceRoleForRDS"
    )
    assert found[0] == "UnmodifiableEntity"
