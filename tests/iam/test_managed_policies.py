# SPDX-License-Identifier: Apache-2.0
"""Managed policies and their versions: what is written, what counts, what cannot go, and who has them."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from daypass.iam import managed_policies
from daypass.policy.limits import policy_size
from iam.kitchen import document, statement
from iam.people import ALLOW_ALL, asked, denial, done, person, refused
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ = document(statement("Allow", "s3:GetObject"))
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
    }
)
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OF_OTHERS = "arn:aws:iam::222222222222:policy/theirs"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes policies of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def instant(iam: Service) -> datetime.datetime:
    """What the clock says."""
    return datetime.datetime.fromtimestamp(iam.clock(), datetime.UTC)


def arn(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy{path}{name}"


async def make(iam: Service, name: str, text: str = READ, **more: Any) -> str:
    """A new policy; its ARN."""
    made = await done(iam, "CreatePolicy", PolicyName=name, PolicyDocument=text, **more)
    return str(made["Policy"]["Arn"])


async def versions(iam: Service, policy: str) -> list[tuple[str, bool]]:
    listed = (await done(iam, "ListPolicyVersions", PolicyArn=policy))["Versions"]
    return [(version["VersionId"], version["IsDefaultVersion"]) for version in listed]


# A policy


async def test_a_policy_comes_back_as_it_was_made(iam: Service) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    made = await done(
        iam, "CreatePolicy", PolicyName="whole", Path="/team/", PolicyDocument=READ, Description="Reads.", Tags=tags
    )
    assert await done(iam, "GetPolicy", PolicyArn=arn("whole", "/team/")) == made
    policy = made["Policy"]
    assert policy.pop("PolicyId").startswith("ANPA")
    assert policy == {
        "PolicyName": "whole",
        "Arn": arn("whole", "/team/"),
        "Path": "/team/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "Description": "Reads.",
        "CreateDate": instant(iam),
        "UpdateDate": instant(iam),
        "Tags": tags,
    }


async def test_the_name_of_a_policy_is_taken_whatever_its_case_and_path_but_not_by_aws(iam: Service) -> None:
    await make(iam, "Taken")
    found = await refused(iam, "CreatePolicy", PolicyName="TAKEN", Path="/x/", PolicyDocument=READ)
    assert found == ("EntityAlreadyExists", "A policy called TAKEN already exists. Duplicate names are not allowed.")
    assert await make(iam, "ReadOnlyAccess") == arn("ReadOnlyAccess")


async def test_a_document_is_answered_exactly_as_it_was_sent(iam: Service) -> None:
    text = json.dumps(json.loads(READ), indent=3) + "\n"
    policy = await make(iam, "spaced", text)
    answer = await asked(iam, "GetPolicyVersion", PolicyArn=policy, VersionId="v1")
    assert (answer.text("Document") or "").startswith("%7B%0A%20%20%20%22Version%22%3A%20")
    assert iam.app.store.view().managed_policies.with_name(ACCOUNT, "spaced").document == text  # type: ignore[union-attr]


@pytest.mark.parametrize("operation", ["CreatePolicy", "CreatePolicyVersion"])
async def test_a_document_of_6144_characters_without_white_space_is_the_longest(iam: Service, operation: str) -> None:
    policy = await make(iam, f"size-{operation}")
    name = {"CreatePolicy": {"PolicyName": "size"}, "CreatePolicyVersion": {"PolicyArn": policy}}[operation]

    def text(size: int) -> str:
        padded = document(statement("Allow", "s3:GetObject", "arn:aws:s3:::"))
        return padded.replace("arn:aws:s3:::", "arn:aws:s3:::" + "x" * (size - policy_size(padded)))

    longer = await refused(iam, operation, PolicyDocument=text(6145), **name)
    assert longer == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    await done(iam, operation, PolicyDocument=text(6144) + " " * 1000, **name)


@pytest.mark.parametrize("operation", ["CreatePolicy", "CreatePolicyVersion"])
@pytest.mark.parametrize("text", ["{", TRUST, READ.replace("2012-10-17", "2008-10-17")])
async def test_a_document_that_is_no_identity_policy_is_refused(iam: Service, operation: str, text: str) -> None:
    name = {"CreatePolicy": {"PolicyName": "bad"}, "CreatePolicyVersion": {"PolicyArn": arn("bad")}}[operation]
    assert (await refused(iam, operation, PolicyDocument=text, **name))[0] == "MalformedPolicyDocument"


async def test_an_account_has_so_many_policies_and_no_more(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    there = len(iam.app.store.view().managed_policies.of(ACCOUNT))
    monkeypatch.setattr(managed_policies, "POLICIES_PER_ACCOUNT", there + 1)
    await make(iam, "last-one")
    found = await refused(iam, "CreatePolicy", PolicyName="one-more", PolicyDocument=READ)
    assert found == ("LimitExceeded", f"Cannot exceed quota for PoliciesPerAccount: {there + 1}")


async def test_tags_of_a_policy_are_added_replaced_listed_and_taken_away(iam: Service) -> None:
    policy = await make(iam, "tagged", Tags=[{"Key": "team", "Value": "red"}])
    await done(iam, "TagPolicy", PolicyArn=policy, Tags=[{"Key": "TEAM", "Value": "blue"}, {"Key": "a", "Value": ""}])
    first = await done(iam, "ListPolicyTags", PolicyArn=policy, MaxItems=1)
    assert (first["Tags"], first["IsTruncated"]) == ([{"Key": "TEAM", "Value": "blue"}], True)
    second = await done(iam, "ListPolicyTags", PolicyArn=policy, Marker=first["Marker"])
    assert second == {"Tags": [{"Key": "a", "Value": ""}], "IsTruncated": False}
    await done(iam, "UntagPolicy", PolicyArn=policy, TagKeys=["team", "nothing"])
    assert (await done(iam, "GetPolicy", PolicyArn=policy))["Policy"]["Tags"] == [{"Key": "a", "Value": ""}]


async def test_fifty_tags_are_the_most(iam: Service) -> None:
    policy = await make(iam, "fifty", Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    assert (await refused(iam, "TagPolicy", PolicyArn=policy, Tags=[{"Key": "k50", "Value": ""}]))[0] == "LimitExceeded"
    twice = [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]
    assert (await refused(iam, "CreatePolicy", PolicyName="x", PolicyDocument=READ, Tags=twice))[0] == "InvalidInput"


# Versions


async def test_a_new_version_counts_only_when_it_is_set_as_default(iam: Service) -> None:
    policy = await make(iam, "versions")
    iam.clock.advance(60)
    made = await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=ALLOW_ALL)
    later = instant(iam)
    assert made == {"PolicyVersion": {"VersionId": "v2", "IsDefaultVersion": False, "CreateDate": later}}
    assert await versions(iam, policy) == [("v2", False), ("v1", True)]
    found = await done(iam, "GetPolicyVersion", PolicyArn=policy, VersionId="v2")
    assert found == {"PolicyVersion": {**made["PolicyVersion"], "Document": found["PolicyVersion"]["Document"]}}
    await done(iam, "SetDefaultPolicyVersion", PolicyArn=policy, VersionId="v2")
    assert await versions(iam, policy) == [("v2", True), ("v1", False)]
    made = await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ, SetAsDefault=True)
    assert made["PolicyVersion"]["IsDefaultVersion"] is True
    shown = (await done(iam, "GetPolicy", PolicyArn=policy))["Policy"]
    assert (shown["DefaultVersionId"], shown["UpdateDate"]) == ("v3", later)
    assert shown["CreateDate"] < later


async def test_there_are_at_most_five_versions_and_no_number_is_used_again(iam: Service) -> None:
    policy = await make(iam, "five")
    for _ in range(4):
        await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ)
    sixth = await refused(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ)
    assert sixth == (
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    )
    await done(iam, "DeletePolicyVersion", PolicyArn=policy, VersionId="v5")
    await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ)
    assert [number for number, _ in await versions(iam, policy)] == ["v6", "v4", "v3", "v2", "v1"]


async def test_versions_are_listed_page_by_page(iam: Service) -> None:
    policy = await make(iam, "paged")
    await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ)
    first = await done(iam, "ListPolicyVersions", PolicyArn=policy, MaxItems=1)
    assert [version["VersionId"] for version in first["Versions"]] == ["v2"]
    second = await done(iam, "ListPolicyVersions", PolicyArn=policy, MaxItems=1, Marker=first["Marker"])
    assert [version["VersionId"] for version in second["Versions"]] == ["v1"]
    assert second["IsTruncated"] is False


async def test_the_default_version_is_not_deleted(iam: Service) -> None:
    policy = await make(iam, "default")
    found = await refused(iam, "DeletePolicyVersion", PolicyArn=policy, VersionId="v1")
    assert found == ("DeleteConflict", "Cannot delete the default version of a policy.")


@pytest.mark.parametrize("operation", ["GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"])
@pytest.mark.parametrize("version", ["v2", "v1.x", "v" + "1" * 5000])
async def test_a_version_that_is_not_there_is_no_such_entity(iam: Service, operation: str, version: str) -> None:
    policy = arn("gone")
    if iam.app.store.view().managed_policies.with_name(ACCOUNT, "gone") is None:
        await make(iam, "gone")
    found = await refused(iam, operation, PolicyArn=policy, VersionId=version)
    assert found == ("NoSuchEntity", f"Policy {policy} version {version} does not exist or is not attachable.")


async def test_a_change_of_the_default_version_takes_effect_for_the_next_request(iam: Service) -> None:
    policy = await make(iam, "live", document(statement("Allow", "iam:ListUsers")))
    key = await person(iam, "live")
    await done(iam, "AttachUserPolicy", UserName="live", PolicyArn=policy)
    assert (await asked(iam, "ListUsers", key)).status == 200
    narrower = document(statement("Allow", "iam:ListRoles"))
    await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=narrower, SetAsDefault=True)
    assert (await refused(iam, "ListUsers", key))[0] == "AccessDenied"
    assert (await asked(iam, "ListRoles", key)).status == 200
    await done(iam, "SetDefaultPolicyVersion", PolicyArn=policy, VersionId="v1")
    assert (await asked(iam, "ListUsers", key)).status == 200


# The end of a policy


async def test_a_policy_goes_when_nothing_has_it_and_it_has_one_version(iam: Service) -> None:
    policy = await make(iam, "leaving", ALLOW_ALL)
    await done(iam, "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=READ)
    await done(iam, "CreateGroup", GroupName="leaving")
    await done(iam, "AttachGroupPolicy", GroupName="leaving", PolicyArn=policy)
    await done(iam, "CreateUser", UserName="leaving", PermissionsBoundary=policy)
    attached = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert await refused(iam, "DeletePolicy", PolicyArn=policy) == attached
    await done(iam, "DetachGroupPolicy", GroupName="leaving", PolicyArn=policy)
    assert await refused(iam, "DeletePolicy", PolicyArn=policy) == attached
    await done(iam, "DeleteUserPermissionsBoundary", UserName="leaving")
    code, message = await refused(iam, "DeletePolicy", PolicyArn=policy)
    assert (code, message.startswith("This policy has more than one version.")) == ("DeleteConflict", True)
    await done(iam, "DeletePolicyVersion", PolicyArn=policy, VersionId="v2")
    await done(iam, "DeletePolicy", PolicyArn=policy)
    assert (await refused(iam, "GetPolicy", PolicyArn=policy))[0] == "NoSuchEntity"
    again = await done(iam, "CreatePolicy", PolicyName="leaving", PolicyDocument=READ)
    assert again["Policy"]["DefaultVersionId"] == "v1"


READS: dict[str, dict[str, Any]] = {
    "GetPolicy": {},
    "GetPolicyVersion": {"VersionId": "v1"},
    "ListPolicyVersions": {},
    "ListPolicyTags": {},
    "ListEntitiesForPolicy": {},
}
WRITES: dict[str, dict[str, Any]] = {
    "DeletePolicy": {},
    "CreatePolicyVersion": {"PolicyDocument": READ},
    "DeletePolicyVersion": {"VersionId": "v1"},
    "SetDefaultPolicyVersion": {"VersionId": "v1"},
    "TagPolicy": {"Tags": [{"Key": "a", "Value": "b"}]},
    "UntagPolicy": {"TagKeys": ["a"]},
}


@pytest.mark.parametrize("operation", READS | WRITES)
async def test_a_policy_that_is_not_there_is_no_such_entity(iam: Service, operation: str) -> None:
    code, message = await refused(iam, operation, PolicyArn=arn("nothing"), **(READS | WRITES)[operation])
    words = "was not found." if operation in READS else "does not exist or is not attachable."
    assert (code, message) == ("NoSuchEntity", f"Policy {arn('nothing')} {words}")


@pytest.mark.parametrize("operation", READS | WRITES)
@pytest.mark.parametrize(
    "bad", [f"arn:aws:iam::{ACCOUNT}:role/a", f"arn:aws:iam::{ACCOUNT}:policy/", "x" * 20, "arn:aws:iam::12:policy/x/y"]
)
async def test_what_is_no_arn_of_a_policy_is_invalid_input(iam: Service, operation: str, bad: str) -> None:
    found = await refused(iam, operation, PolicyArn=bad, **(READS | WRITES)[operation])
    assert found == ("InvalidInput", f"ARN {bad} is not valid.")


@pytest.mark.parametrize("operation", READS)
async def test_a_policy_that_comes_with_the_service_is_read_by_every_account(iam: Service, operation: str) -> None:
    assert (await asked(iam, operation, PolicyArn=OF_AWS, **READS[operation])).status == 200


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("policy", [OF_AWS, "arn:aws:iam::aws:policy/nothing", OF_OTHERS])
async def test_a_policy_outside_the_account_is_changed_by_nobody(iam: Service, operation: str, policy: str) -> None:
    before = iam.app.store.view()
    found = await refused(iam, operation, PolicyArn=policy, **WRITES[operation])
    assert found == ("AccessDenied", "Policy is outside your own account.")
    assert iam.app.store.view().revision == before.revision


@pytest.mark.parametrize("operation", READS)
async def test_a_policy_of_another_account_is_not_read(iam: Service, operation: str) -> None:
    found = await refused(iam, operation, PolicyArn=OF_OTHERS, **READS[operation])
    assert found == ("AccessDenied", "Policy is outside your own account.")


# Lists


async def test_policies_are_listed_by_scope_path_and_use(iam: Service) -> None:
    for name in ("b", "a", "c"):
        await make(iam, f"list-{name}", Path="/list/", Description="not shown", Tags=[{"Key": "a", "Value": "b"}])
    await done(iam, "CreateUser", UserName="lister", PermissionsBoundary=arn("list-b", "/list/"))
    await done(iam, "AttachUserPolicy", UserName="lister", PolicyArn=arn("list-a", "/list/"))
    await done(iam, "AttachUserPolicy", UserName="lister", PolicyArn="arn:aws:iam::aws:policy/job-function/Billing")

    async def names(**filters: Any) -> list[str]:
        return [policy["PolicyName"] for policy in (await done(iam, "ListPolicies", **filters))["Policies"]]

    local = {"Scope": "Local", "PathPrefix": "/list/"}
    assert await names(**local) == ["list-a", "list-b", "list-c"]
    assert await names(PathPrefix="/list/") == await names(Scope="All", PathPrefix="/list/") == await names(**local)
    assert await names(Scope="AWS", PathPrefix="/list/") == []
    assert await names(**local, OnlyAttached=True) == ["list-a"]
    assert await names(**local, OnlyAttached=False) == await names(**local)
    assert await names(**local, PolicyUsageFilter="PermissionsPolicy") == ["list-a"]
    assert await names(**local, PolicyUsageFilter="PermissionsBoundary") == ["list-b"]
    assert await names(Scope="AWS", OnlyAttached=True) == ["Billing"]
    [first, *_] = (await done(iam, "ListPolicies", **local))["Policies"]
    assert (first["AttachmentCount"], first["PermissionsBoundaryUsageCount"]) == (1, 0)
    assert not {"Description", "Tags"} & first.keys()


async def test_pages_of_policies_go_from_ours_to_those_of_the_service(iam: Service) -> None:
    whole = [policy["Arn"] for policy in (await done(iam, "ListPolicies", MaxItems=1000))["Policies"]]
    assert whole == sorted(whole, key=lambda found: (":aws:" in found[4:], found.rpartition("/")[2]))
    seen: list[str] = []
    marker: dict[str, Any] = {}
    while True:
        page = await done(iam, "ListPolicies", MaxItems=7, **marker)
        seen += [policy["Arn"] for policy in page["Policies"]]
        if not page["IsTruncated"]:
            break
        assert len(page["Policies"]) == 7
        marker = {"Marker": page["Marker"]}
    assert seen == whole


@pytest.mark.parametrize("marker", ["?", "YQ==", "OTph", "LTE6YQ==", "MDA6YQ=="])
async def test_a_marker_of_no_list_is_refused(iam: Service, marker: str) -> None:
    assert (await refused(iam, "ListPolicies", Marker=marker))[0] == "ValidationError"


# Who has it


async def test_entities_of_a_policy_are_groups_users_and_roles_each_once(iam: Service) -> None:
    policy = await make(iam, "had", ALLOW_ALL)
    for path in ("/", "/in/"):
        name = "had" + path.strip("/")
        await done(iam, "CreateGroup", GroupName=name, Path=path)
        await done(iam, "CreateUser", UserName=name, Path=path)
        await done(iam, "CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST)
        for kind in ("Group", "User", "Role"):
            await done(iam, f"Attach{kind}Policy", PolicyArn=policy, **{f"{kind}Name": name})
    await done(iam, "PutUserPermissionsBoundary", UserName="had", PermissionsBoundary=policy)
    await done(iam, "CreateRole", RoleName="had-b", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=policy)

    async def names(**filters: Any) -> list[str]:
        found = await done(iam, "ListEntitiesForPolicy", PolicyArn=policy, **filters)
        kinds = [("Group", "PolicyGroups"), ("User", "PolicyUsers"), ("Role", "PolicyRoles")]
        assert all(one[f"{kind}Id"][0] == "A" for kind, member in kinds for one in found[member])
        return [f"{kind}:{one[f'{kind}Name']}" for kind, member in kinds for one in found[member]]

    everybody = ["Group:had", "Group:hadin", "User:had", "User:hadin", "Role:had", "Role:had-b", "Role:hadin"]
    assert await names() == everybody
    assert await names(EntityFilter="Role") == everybody[4:]
    assert await names(EntityFilter="User", PolicyUsageFilter="PermissionsBoundary") == ["User:had"]
    assert await names(EntityFilter="LocalManagedPolicy") == []
    assert await names(PathPrefix="/in/") == ["Group:hadin", "User:hadin", "Role:hadin"]
    assert await names(PolicyUsageFilter="PermissionsBoundary") == ["User:had", "Role:had-b"]
    assert await names(PolicyUsageFilter="PermissionsPolicy") == [one for one in everybody if one != "Role:had-b"]
    counted = (await done(iam, "GetPolicy", PolicyArn=policy))["Policy"]
    assert (counted["AttachmentCount"], counted["PermissionsBoundaryUsageCount"]) == (6, 2)
    walked: list[str] = []
    marker: dict[str, Any] = {}
    for _ in everybody:
        walked += await names(MaxItems=1, **marker)
        marker = {
            "Marker": (await done(iam, "ListEntitiesForPolicy", PolicyArn=policy, MaxItems=1, **marker)).get("Marker")
        }
    assert (walked, marker) == (everybody, {"Marker": None})


# Who may


@pytest.mark.parametrize("operation", READS | WRITES)
async def test_a_caller_is_permitted_by_the_arn_of_the_policy(iam: Service, operation: str) -> None:
    name = f"may-{operation.lower()}"
    policy = await make(iam, name, Path="/team/")
    allowed = await person(iam, name, statement("Allow", f"iam:{operation}", policy))
    other = await person(iam, f"{name}-not", statement("Allow", f"iam:{operation}", arn(name)))
    parameters = {"PolicyArn": policy, **(READS | WRITES)[operation]}
    assert await refused(iam, operation, other, **parameters) == (
        "AccessDenied",
        denial(f"{name}-not", operation, policy),
    )
    answer = await asked(iam, operation, allowed, **parameters)
    assert answer.code in (None, "DeleteConflict")  # the last one: of the default version


async def test_tags_and_what_is_requested_are_conditions(iam: Service) -> None:
    same_team = {"StringEquals": {"aws:ResourceTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}
    key = await person(iam, "tagger", {**statement("Allow", "iam:*"), "Condition": same_team})
    red = await make(iam, "red", Tags=[{"Key": "team", "Value": "red"}])
    blue = await make(iam, "blue", Tags=[{"Key": "team", "Value": "blue"}])
    await done(iam, "TagPolicy", key, PolicyArn=red, Tags=[{"Key": "a", "Value": ""}])
    for policy, tag in ((blue, "a"), (red, "b")):
        code, _ = await refused(iam, "TagPolicy", key, PolicyArn=policy, Tags=[{"Key": tag, "Value": ""}])
        assert code == "AccessDenied"


async def test_creation_is_permitted_by_the_arn_that_the_policy_will_have(iam: Service) -> None:
    key = await person(iam, "maker", statement("Allow", "iam:CreatePolicy", arn("made-*", "/team/")))
    made = await done(iam, "CreatePolicy", key, PolicyName="made-1", Path="/team/", PolicyDocument=READ)
    assert made["Policy"]["Arn"] == arn("made-1", "/team/")
    found = await refused(iam, "CreatePolicy", key, PolicyName="made-2", PolicyDocument=READ)
    assert found == ("AccessDenied", denial("maker", "CreatePolicy", arn("made-2")))


async def test_a_boundary_of_the_service_counts_for_the_account(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="bounded", PermissionsBoundary=OF_AWS)
    counted = (await done(iam, "GetPolicy", PolicyArn=OF_AWS))["Policy"]
    assert (counted["AttachmentCount"], counted["PermissionsBoundaryUsageCount"]) == (0, 1)
