# SPDX-License-Identifier: Apache-2.0
"""Roles and their inline policies by boto3: what is written comes back, and what cannot be is refused by its AWS code."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from daypass.clock import system_clock
from journeys.refusals import refusal, refused
from journeys.roles import ACCOUNT, allow, role_arn, trusting, unique
from journeys.wire import Call
from running import Keys, Server

TRUST = trusting("https://idp.example.org")
TAGS = [{"Key": "team", "Value": "platform"}, {"Key": "Stage", "Value": ""}]


def make(iam: Any, **changes: Any) -> str:
    """A new role; its name."""
    name = unique("role")
    iam.create_role(**{"RoleName": name, "AssumeRolePolicyDocument": TRUST, **changes})
    return name


def by_key(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(tags, key=lambda tag: tag["Key"])


def test_a_role_comes_back_as_it_was_made(iam: Any) -> None:
    name = unique("role")
    settings = {
        "Path": "/team/a/",
        "Description": "Zum Lesen, öffentlich: <&>",
        "MaxSessionDuration": 7200,
        "Tags": TAGS,
    }
    before = int(system_clock())
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **settings)["Role"]
    found = iam.get_role(RoleName=name)["Role"]
    assert found.pop("RoleLastUsed") == {}
    assert by_key(found["Tags"]) == by_key(TAGS)
    assert found == made
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/a/{name}"
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert (found["Path"], found["Description"], found["MaxSessionDuration"]) == tuple(settings.values())[:3]
    assert found["RoleId"].startswith("AROA")
    assert before <= found["CreateDate"].timestamp() <= system_clock()
    assert found["CreateDate"].utcoffset() == datetime.timedelta()


def test_documents_travel_percent_encoded_and_exactly_as_they_were_sent(iam: Any, server: Server, root: Keys) -> None:
    spaced = json.dumps(json.loads(TRUST), indent=3) + "\n"
    name = make(iam, AssumeRolePolicyDocument=spaced)
    answer = Call(server.url, "iam", "GetRole", {"RoleName": name}).signed(root).send()
    shown = answer.text("AssumeRolePolicyDocument") or ""
    assert shown.startswith("%7B%0A%20%20%20%22Version%22%3A%20")
    assert unquote(shown) == spaced


def test_a_role_is_updated_in_what_was_sent_and_in_nothing_else(iam: Any) -> None:
    name = make(iam, Description="before", MaxSessionDuration=3600)
    iam.update_role(RoleName=name, MaxSessionDuration=43_200)
    assert _seen(iam, name) == ("before", 43_200)
    iam.update_role(RoleName=name, Description="after")
    assert _seen(iam, name) == ("after", 43_200)
    answer = iam.update_role_description(RoleName=name, Description="again")
    assert answer["Role"]["Description"] == "again"
    assert _seen(iam, name) == ("again", 43_200)


def _seen(iam: Any, name: str) -> tuple[str, int]:
    role = iam.get_role(RoleName=name)["Role"]
    return role["Description"], role["MaxSessionDuration"]


def test_the_trust_policy_is_replaced(iam: Any) -> None:
    name = make(iam)
    other = trusting("https://other.example.org")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=other)
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(other)


def test_a_role_is_deleted_once_its_policies_are(iam: Any) -> None:
    name = make(iam)
    iam.put_role_policy(RoleName=name, PolicyName="main", PolicyDocument=allow("iam:GetRole"))
    assert refused(iam.delete_role, RoleName=name) == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName=name, PolicyName="main")
    iam.delete_role(RoleName=name)
    assert refused(iam.get_role, RoleName=name) == ("NoSuchEntity", 404)


def test_the_name_of_a_role_is_taken_whatever_its_case_and_path(iam: Any) -> None:
    name = make(iam)
    for taken in (name, name.upper()):
        call = {"RoleName": taken, "AssumeRolePolicyDocument": TRUST, "Path": "/elsewhere/"}
        assert refused(iam.create_role, **call) == ("EntityAlreadyExists", 409)


def test_tags_are_added_replaced_and_taken_away(iam: Any) -> None:
    name = make(iam, Tags=TAGS)
    iam.tag_role(RoleName=name, Tags=[{"Key": "TEAM", "Value": "storage"}, {"Key": "new", "Value": "yes"}])
    assert {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(RoleName=name)["Tags"]} == {
        "Stage": "",
        "TEAM": "storage",
        "new": "yes",
    }
    iam.untag_role(RoleName=name, TagKeys=["Stage", "team", "not there"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "new", "Value": "yes"}]


def test_fifty_tags_are_many_enough(iam: Any) -> None:
    fifty = [{"Key": f"key-{number}", "Value": "x"} for number in range(50)]
    name = make(iam, Tags=fifty)
    one_more = [{"Key": "one-more", "Value": "x"}]
    assert refused(iam.tag_role, RoleName=name, Tags=one_more) == ("LimitExceeded", 409)
    call = {"RoleName": unique("role"), "AssumeRolePolicyDocument": TRUST, "Tags": fifty + one_more}
    assert refused(iam.create_role, **call)[0] in ("LimitExceeded", "ValidationError")


def test_inline_policies_come_back_as_they_were_put(iam: Any) -> None:
    name = make(iam)
    for policy, action in (("b", "iam:GetRole"), ("a", "iam:ListRoles"), ("b", "iam:TagRole")):
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=allow(action))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["a", "b"]
    answer = iam.get_role_policy(RoleName=name, PolicyName="b")
    assert (answer["RoleName"], answer["PolicyName"]) == (name, "b")
    assert answer["PolicyDocument"] == json.loads(allow("iam:TagRole"))


def test_inline_policies_of_a_role_have_10240_characters_between_them_white_space_aside(iam: Any) -> None:
    name = make(iam)
    empty = len(json.dumps(json.loads(allow("iam:Get")), separators=(",", ":")))
    fits = json.dumps(json.loads(allow("iam:Get" + "x" * (10_240 - empty))), indent=4)
    iam.put_role_policy(RoleName=name, PolicyName="main", PolicyDocument=fits)
    too_long = allow("iam:Get" + "x" * (10_241 - empty))
    assert refused(iam.put_role_policy, RoleName=name, PolicyName="main", PolicyDocument=too_long) == (
        "LimitExceeded",
        409,
    )
    assert refused(iam.put_role_policy, RoleName=name, PolicyName="b", PolicyDocument=allow("iam:Get")) == (
        "LimitExceeded",
        409,
    )


def test_roles_are_listed_page_by_page_each_once(iam: Any) -> None:
    path = f"/{unique('page')}/"
    names = sorted(make(iam, Path=path) for _ in range(7))
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix=path, PaginationConfig={"PageSize": 3}))
    assert [len(page["Roles"]) for page in pages] == [3, 3, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert [role["RoleName"] for page in pages for role in page["Roles"]] == names
    assert "Marker" not in pages[-1]
    assert all("Tags" not in role for page in pages for role in page["Roles"])


def test_a_page_that_is_exactly_full_is_the_last(iam: Any) -> None:
    path = f"/{unique('page')}/"
    for _ in range(2):
        make(iam, Path=path)
    assert iam.list_roles(PathPrefix=path, MaxItems=2)["IsTruncated"] is False
    assert iam.list_roles(PathPrefix=path, MaxItems=1)["IsTruncated"] is True


def test_what_comes_and_goes_between_two_pages_moves_nothing_else(iam: Any) -> None:
    path = f"/{unique('page')}/"
    names = sorted(make(iam, Path=path) for _ in range(4))
    first = iam.list_roles(PathPrefix=path, MaxItems=2)
    iam.delete_role(RoleName=names[1])
    rest = iam.list_roles(PathPrefix=path, Marker=first["Marker"])
    assert [role["RoleName"] for role in rest["Roles"]] == names[2:]


def test_policies_and_tags_are_paged_too(iam: Any) -> None:
    name = make(iam, Tags=TAGS)
    for policy in ("a", "b", "c"):
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=allow("iam:GetRole"))
    first = iam.list_role_policies(RoleName=name, MaxItems=2)
    assert (first["PolicyNames"], first["IsTruncated"]) == (["a", "b"], True)
    assert iam.list_role_policies(RoleName=name, Marker=first["Marker"])["PolicyNames"] == ["c"]
    tags = iam.list_role_tags(RoleName=name, MaxItems=1)
    assert tags["IsTruncated"] is True
    rest = iam.list_role_tags(RoleName=name, Marker=tags["Marker"])
    assert by_key(tags["Tags"] + rest["Tags"]) == by_key(TAGS)


@pytest.mark.parametrize(
    "operation", ["get_role", "delete_role", "list_role_policies", "list_role_tags", "update_role"]
)
def test_a_role_that_is_not_there_is_no_such_entity(iam: Any, operation: str) -> None:
    name = unique("nobody")
    found = refusal(getattr(iam, operation), RoleName=name)
    assert (found.code, found.status) == ("NoSuchEntity", 404)
    assert found.message == f"The role with name {name} cannot be found."


def test_a_policy_that_is_not_there_is_no_such_entity(iam: Any) -> None:
    name = make(iam)
    for call in (iam.get_role_policy, iam.delete_role_policy):
        assert refused(call, RoleName=name, PolicyName="nothing") == ("NoSuchEntity", 404)


BAD_ROLES: dict[str, tuple[str, dict[str, Any]]] = {
    "name with a slash": ("ValidationError", {"RoleName": "a/b"}),
    "name of 65 characters": ("ValidationError", {"RoleName": "r" * 65}),
    "empty name": ("ValidationError", {"RoleName": ""}),
    "path without a slash at the end": ("ValidationError", {"Path": "/team"}),
    "sessions of 3,599 seconds": ("ValidationError", {"MaxSessionDuration": 3599}),
    "sessions of 43,201 seconds": ("ValidationError", {"MaxSessionDuration": 43_201}),
    "a boundary that is not there": (
        "NoSuchEntity",
        {"PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"},
    ),
    "the same tag twice": ("InvalidInput", {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}),
    "a tag of AWS's own": ("InvalidInput", {"Tags": [{"Key": "aws:team", "Value": "1"}]}),
    "trust that is no JSON": ("MalformedPolicyDocument", {"AssumeRolePolicyDocument": "{"}),
    "trust with a resource": (
        "MalformedPolicyDocument",
        {"AssumeRolePolicyDocument": TRUST.replace('"Condition"', '"Resource": "*", "Condition"')},
    ),
    "trust without a principal": ("MalformedPolicyDocument", {"AssumeRolePolicyDocument": allow("sts:AssumeRole")}),
    "trust in a role that does not exist": (
        "MalformedPolicyDocument",
        {
            "AssumeRolePolicyDocument": json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"AWS": role_arn("never-made")}, "Action": "sts:AssumeRole"}
                    ],
                }
            )
        },
    ),
    "trust of 2,049 characters": ("LimitExceeded", {"AssumeRolePolicyDocument": TRUST.replace("alice", "a" * 2049)}),
}


@pytest.mark.parametrize("case", BAD_ROLES)
def test_a_role_that_cannot_be_is_refused(iam: Any, case: str) -> None:
    code, changes = BAD_ROLES[case]
    name = unique("role")
    assert refusal(iam.create_role, **{"RoleName": name, "AssumeRolePolicyDocument": TRUST, **changes}).code == code
    assert refused(iam.get_role, RoleName=name) == ("NoSuchEntity", 404)


GITHUB = "https://token.actions.githubusercontent.com"


def _without_subject() -> str:
    policy = json.loads(trusting(GITHUB, audience="sts.amazonaws.com"))
    del policy["Statement"][0]["Condition"]["StringEquals"][f"{GITHUB[8:]}:sub"]
    return json.dumps(policy)


def test_an_issuer_that_everybody_shares_is_trusted_for_named_subjects_only(iam: Any) -> None:
    call = {"RoleName": unique("github"), "AssumeRolePolicyDocument": _without_subject()}
    assert refused(iam.create_role, **call) == ("MalformedPolicyDocument", 400)
    good = trusting(GITHUB, audience="sts.amazonaws.com", subject="repo:acme/app:ref:refs/heads/main")
    name = make(iam, AssumeRolePolicyDocument=good)
    call = {"RoleName": name, "PolicyDocument": _without_subject()}
    assert refused(iam.update_assume_role_policy, **call) == ("MalformedPolicyDocument", 400)
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(good)


@pytest.mark.parametrize(
    "policy",
    ["", "{}", "[]", '{"Version": "2012-10-17", "Statement": []', allow(), allow("GetRole"), TRUST],
    ids=[
        "empty",
        "without statements",
        "a list",
        "cut short",
        "no action",
        "an action without its service",
        "with a principal",
    ],
)
def test_a_policy_that_is_none_is_refused(iam: Any, policy: str) -> None:
    name = make(iam)
    code, status = refused(iam.put_role_policy, RoleName=name, PolicyName="main", PolicyDocument=policy)
    assert (code, status) == (("ValidationError" if policy == "" else "MalformedPolicyDocument"), 400)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []


def test_the_command_line_makes_shows_and_deletes_a_role(server: Server, root: Keys, tmp_path: Path) -> None:
    name = unique("cli")
    (tmp_path / "trust.json").write_text(TRUST, encoding="utf-8")

    def aws(*arguments: str) -> Any:
        return server.aws("iam", *arguments, "--role-name", name, keys=root)

    made = aws("create-role", "--assume-role-policy-document", f"file://{tmp_path / 'trust.json'}").answer["Role"]
    shown = aws("get-role").answer["Role"]
    assert shown["RoleId"] == made["RoleId"]
    assert shown["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert aws("delete-role").code == 0
    assert "An error occurred (NoSuchEntity) when calling the GetRole operation" in aws("get-role").error
