# SPDX-License-Identifier: Apache-2.0
"""What is in an account: GetAccountSummary counts it, GetAccountAuthorizationDetails shows all of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import quote, unquote

import pytest
import pytest_asyncio
from botocore.model import StringShape

from daypass.iam import limits
from iam.kitchen import MODEL, document, statement
from iam.people import ALLOW_ALL, asked, done, refused
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAGS = [{"Key": "team", "Value": "red"}]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    }
)
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """An account with one of everything; no test changes it."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        await fill(running)
        yield running


async def fill(iam: Service) -> None:
    policy = (await done(iam, "CreatePolicy", PolicyName="local", PolicyDocument=ALLOW_ALL, Description="ours"))[
        "Policy"
    ]
    await done(iam, "CreatePolicyVersion", PolicyArn=policy["Arn"], PolicyDocument=document(statement("Deny", "*")))
    await done(iam, "CreatePolicy", PolicyName="unused", Path="/x/", PolicyDocument=ALLOW_ALL)
    await done(iam, "CreateGroup", GroupName="devs", Path="/g/")
    bounds = {"PermissionsBoundary": policy["Arn"], "Tags": TAGS}
    await done(iam, "CreateUser", UserName="ann", Path="/u/", **bounds)
    await done(iam, "CreateUser", UserName="bob")
    await done(iam, "AddUserToGroup", GroupName="devs", UserName="ann")
    await done(iam, "CreateRole", RoleName="Dev", Path="/r/", AssumeRolePolicyDocument=TRUST, **bounds)
    await done(iam, "CreateRole", RoleName="Other", AssumeRolePolicyDocument=TRUST)
    for entity, name in (("User", "ann"), ("Group", "devs"), ("Role", "Dev")):
        whose = {f"{entity}Name": name}
        await done(iam, f"Put{entity}Policy", **whose, PolicyName="main", PolicyDocument=ALLOW_ALL)
        await done(iam, f"Attach{entity}Policy", **whose, PolicyArn=policy["Arn"])
    await done(iam, "AttachUserPolicy", UserName="ann", PolicyArn=READ_ONLY)
    await done(iam, "CreateInstanceProfile", InstanceProfileName="box")
    await done(iam, "AddRoleToInstanceProfile", InstanceProfileName="box", RoleName="Dev")


def named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one whose name, whatever it is called, this is."""
    [one] = [entry for entry in found if name in (entry[key] for key in entry if key.endswith("Name"))]
    return one


def local(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


BOUNDARY = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": local("local")}
INLINE = [{"PolicyName": "main", "PolicyDocument": json.loads(ALLOW_ALL)}]
ATTACHED = {"PolicyName": "local", "PolicyArn": local("local")}


def decoded(value: Any) -> Any:
    """Documents as what they say, for they come URL-encoded."""
    if isinstance(value, dict):
        return {key: decoded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [decoded(inner) for inner in value]
    if isinstance(value, str) and value.startswith("%7B"):
        return json.loads(unquote(value))
    return value


async def details(iam: Service, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = decoded(await done(iam, "GetAccountAuthorizationDetails", **parameters))
    return answer


async def test_documents_travel_percent_encoded(iam: Service) -> None:
    shown = await done(iam, "GetAccountAuthorizationDetails", Filter=["Role"])
    assert named(shown["RoleDetailList"], "Dev")["AssumeRolePolicyDocument"] == quote(TRUST, safe="~")


async def test_a_user_is_shown_with_everything_that_it_has(iam: Service) -> None:
    shown = named((await details(iam))["UserDetailList"], "ann")
    assert shown.pop("UserId").startswith("AIDA")
    assert shown == {
        "Path": "/u/",
        "UserName": "ann",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/u/ann",
        "CreateDate": CREATED,
        "UserPolicyList": INLINE,
        "GroupList": ["devs"],
        "AttachedManagedPolicies": [ATTACHED, {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}],
        "PermissionsBoundary": BOUNDARY,
        "Tags": TAGS,
    }


async def test_a_user_who_has_nothing_is_shown_with_empty_lists(iam: Service) -> None:
    shown = named((await details(iam))["UserDetailList"], "bob")
    assert "PermissionsBoundary" not in shown
    assert [shown[name] for name in ("UserPolicyList", "GroupList", "AttachedManagedPolicies", "Tags")] == [[]] * 4


async def test_a_group_is_shown_with_everything_that_it_has(iam: Service) -> None:
    [shown] = (await details(iam))["GroupDetailList"]
    assert shown.pop("GroupId").startswith("AGPA")
    assert shown == {
        "Path": "/g/",
        "GroupName": "devs",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/g/devs",
        "CreateDate": CREATED,
        "GroupPolicyList": INLINE,
        "AttachedManagedPolicies": [ATTACHED],
    }


async def test_a_role_is_shown_with_everything_that_it_has(iam: Service) -> None:
    shown = named((await details(iam))["RoleDetailList"], "Dev")
    assert shown.pop("RoleId").startswith("AROA")
    [profile] = shown.pop("InstanceProfileList")
    assert (profile["InstanceProfileName"], profile["Roles"][0]["RoleName"]) == ("box", "Dev")
    assert shown == {
        "Path": "/r/",
        "RoleName": "Dev",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/r/Dev",
        "CreateDate": CREATED,
        "AssumeRolePolicyDocument": json.loads(TRUST),
        "RolePolicyList": INLINE,
        "AttachedManagedPolicies": [ATTACHED],
        "PermissionsBoundary": BOUNDARY,
        "Tags": TAGS,
        "RoleLastUsed": {},
    }


async def test_a_policy_is_shown_with_its_versions_and_its_uses(iam: Service) -> None:
    shown = named((await details(iam))["Policies"], "local")
    assert shown.pop("PolicyId").startswith("ANPA")
    assert shown == {
        "PolicyName": "local",
        "Arn": local("local"),
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 3,
        "PermissionsBoundaryUsageCount": 2,
        "IsAttachable": True,
        "Description": "ours",
        "CreateDate": CREATED,
        "UpdateDate": CREATED,
        "PolicyVersionList": [
            {
                "Document": json.loads(document(statement("Deny", "*"))),
                "VersionId": "v2",
                "IsDefaultVersion": False,
                "CreateDate": CREATED,
            },
            {
                "Document": json.loads(ALLOW_ALL),
                "VersionId": "v1",
                "IsDefaultVersion": True,
                "CreateDate": CREATED,
            },
        ],
    }


async def test_of_the_policies_that_come_with_the_service_the_used_ones_are_shown(iam: Service) -> None:
    shown = (await details(iam))["Policies"]
    assert [policy["PolicyName"] for policy in shown] == ["local", "unused", "ReadOnlyAccess"]
    assert named(shown, "ReadOnlyAccess")["AttachmentCount"] == 1


@pytest.mark.parametrize(
    ("kinds", "counts"),
    [
        (["User"], (2, 0, 0, 0)),
        (["Group"], (0, 1, 0, 0)),
        (["Role"], (0, 0, 2, 0)),
        (["LocalManagedPolicy"], (0, 0, 0, 2)),
        (["AWSManagedPolicy"], (0, 0, 0, 1)),
        (["User", "AWSManagedPolicy"], (2, 0, 0, 1)),
        ([], (2, 1, 2, 3)),
    ],
)
async def test_a_filter_names_the_kinds_that_are_shown(iam: Service, kinds: list[str], counts: tuple[int, ...]) -> None:
    shown = await details(iam, Filter=kinds)
    assert tuple(len(shown[name]) for name in LISTS) == counts


async def test_a_kind_that_does_not_exist_is_refused(iam: Service) -> None:
    assert (await refused(iam, "GetAccountAuthorizationDetails", Filter=["Robot"]))[0] == "ValidationError"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 1000])
async def test_pages_together_are_everything_once(iam: Service, size: int) -> None:
    whole = await details(iam)
    pages: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        answer = await details(iam, MaxItems=size, **marker)
        pages.append(answer)
        assert sum(len(answer[name]) for name in LISTS) <= size
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    assert len(pages) == -(-8 // size)
    assert {name: [one for page in pages for one in page[name]] for name in LISTS} == {
        name: whole[name] for name in LISTS
    }


async def test_a_marker_of_something_else_is_refused(iam: Service) -> None:
    assert (await refused(iam, "GetAccountAuthorizationDetails", Marker="OTphbm4="))[0] == "ValidationError"


async def test_the_summary_has_every_key_of_the_model(iam: Service) -> None:
    summary = (await done(iam, "GetAccountSummary"))["SummaryMap"]
    assert set(summary) == set(cast(StringShape, MODEL.shape_for("summaryKeyType")).enum)


async def test_the_summary_counts_what_there_is(iam: Service) -> None:
    summary = (await done(iam, "GetAccountSummary"))["SummaryMap"]
    counts = {
        "Users": 2,
        "Groups": 1,
        "Roles": 2,
        "Policies": 2,
        "PolicyVersionsInUse": 3,
        "InstanceProfiles": 1,
        "ServerCertificates": 0,
        "Providers": 0,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "AccountMFAEnabled": 0,
        "AccountAccessKeysPresent": 1,
        "AccountPasswordPresent": 0,
        "AccountSigningCertificatesPresent": 0,
    }
    assert {name: summary[name] for name in counts} == counts
    assert summary["RolesQuota"] == limits.ROLES_PER_ACCOUNT
    assert summary["AssumeRolePolicySizeQuota"] == 2048


async def test_a_provider_is_counted(iam: Service) -> None:
    await done(iam, "CreateOpenIDConnectProvider", Url="https://idp.example.org")
    assert (await done(iam, "GetAccountSummary"))["SummaryMap"]["Providers"] == 1
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"
    assert (await asked(iam, "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)).status == 200
