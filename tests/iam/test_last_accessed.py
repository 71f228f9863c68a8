# SPDX-License-Identifier: Apache-2.0
"""When services were last accessed, by whom, and which policies allow it."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.iam import last_accessed
from daypass.iam.granted_services import granted_services, service_names
from daypass.iam.limits import TRACKED_SECONDS
from daypass.store import LastUse
from iam.kitchen import document, statement
from iam.people import denial, done, group_arn, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    }
)
S3_AND_SQS = document(statement("Allow", ["s3:Get*", "sqs:SendMessage"]))
GENERATE = "GenerateServiceLastAccessedDetails"
DETAILS = "GetServiceLastAccessedDetails"
ENTITIES = "GetServiceLastAccessedDetailsWithEntities"
GRANTING = "ListPoliciesGrantingServiceAccess"
NO_JOB = ("NoSuchEntity", "The job with the specified JobId cannot be found.")


def at(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW + seconds, datetime.UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes entities of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def user(iam: Service, name: str, policy: str | None = None) -> str:
    """A user; its unique id."""
    made = (await done(iam, "CreateUser", UserName=name))["User"]
    if policy is not None:
        await done(iam, "PutUserPolicy", UserName=name, PolicyName="main", PolicyDocument=policy)
    unique_id: str = made["UserId"]
    return unique_id


async def role(iam: Service, name: str) -> str:
    made = (await done(iam, "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST))["Role"]
    unique_id: str = made["RoleId"]
    return unique_id


async def used(iam: Service, entity_id: str, *uses: tuple[str, str, int]) -> None:
    """Write down that these actions were used so many seconds after NOW."""
    async with iam.app.store.transaction() as transaction:
        for used_service, action, seconds in uses:
            used_at = int(NOW) + seconds
            await transaction.put(LastUse(ACCOUNT, entity_id, used_service, action, used_at, "eu-west-1", "arn:x"))


async def asked(
    iam: Service, arn: str, operation: str = DETAILS, /, granularity: str = "", **more: Any
) -> dict[str, Any]:
    sent = {"Granularity": granularity} if granularity else {}
    job = (await done(iam, GENERATE, Arn=arn, **sent))["JobId"]
    return await done(iam, operation, JobId=job, **more)


def of(answer: dict[str, Any], namespace: str) -> dict[str, Any]:
    [found] = [entry for entry in answer["ServicesLastAccessed"] if entry["ServiceNamespace"] == namespace]
    return dict(found)


# The report


async def test_a_users_report_has_the_services_of_its_policies_and_the_last_uses(iam: Service) -> None:
    ann = await user(iam, "ann", S3_AND_SQS)
    await used(iam, ann, ("s3", "GetObject", -10), ("s3", "GetBucketAcl", -20), ("ec2", "RunInstances", -5))
    answer = await asked(iam, user_arn("ann"))
    assert answer == {
        "JobStatus": "COMPLETED",
        "JobType": "SERVICE_LEVEL",
        "JobCreationDate": at(0),
        "JobCompletionDate": at(0),
        "IsTruncated": False,
        "ServicesLastAccessed": [
            {
                "ServiceName": "Amazon S3",
                "ServiceNamespace": "s3",
                "LastAuthenticated": at(-10),
                "LastAuthenticatedEntity": user_arn("ann"),
                "LastAuthenticatedRegion": "eu-west-1",
                "TotalAuthenticatedEntities": 1,
            },
            {"ServiceName": "Amazon SQS", "ServiceNamespace": "sqs", "TotalAuthenticatedEntities": 0},
        ],
    }


async def test_a_report_of_actions_has_every_action_that_was_used(iam: Service) -> None:
    bea = await user(iam, "bea", S3_AND_SQS)
    await used(iam, bea, ("s3", "GetObject", -10), ("s3", "GetBucketAcl", -20))
    answer = await asked(iam, user_arn("bea"), granularity="ACTION_LEVEL")
    assert answer["JobType"] == "ACTION_LEVEL"
    assert of(answer, "s3")["TrackedActionsLastAccessed"] == [
        {
            "ActionName": action,
            "LastAccessedEntity": user_arn("bea"),
            "LastAccessedTime": at(seconds),
            "LastAccessedRegion": "eu-west-1",
        }
        for action, seconds in (("GetBucketAcl", -20), ("GetObject", -10))
    ]
    assert "TrackedActionsLastAccessed" not in of(answer, "sqs")


async def test_a_use_that_is_no_longer_tracked_is_not_shown(iam: Service) -> None:
    cid = await user(iam, "cid", S3_AND_SQS)
    await used(iam, cid, ("s3", "GetObject", 1 - TRACKED_SECONDS), ("sqs", "SendMessage", -TRACKED_SECONDS))
    answer = await asked(iam, user_arn("cid"))
    assert "LastAuthenticated" in of(answer, "s3")
    assert "LastAuthenticated" not in of(answer, "sqs")


async def test_a_groups_report_says_which_member_was_the_last(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="devs")
    await done(iam, "PutGroupPolicy", GroupName="devs", PolicyName="main", PolicyDocument=S3_AND_SQS)
    for name, seconds in (("dan", -20), ("eve", -10), ("fay", None)):
        member = await user(iam, name)
        await done(iam, "AddUserToGroup", GroupName="devs", UserName=name)
        if seconds is not None:
            await used(iam, member, ("s3", "GetObject", seconds))
    shown = of(await asked(iam, group_arn("devs"), granularity="ACTION_LEVEL"), "s3")
    assert (shown["LastAuthenticatedEntity"], shown["TotalAuthenticatedEntities"]) == (user_arn("eve"), 2)
    [action] = shown["TrackedActionsLastAccessed"]
    assert (action["LastAccessedEntity"], action["LastAccessedTime"]) == (user_arn("eve"), at(-10))
    assert [entry["ServiceNamespace"] for entry in (await asked(iam, user_arn("dan")))["ServicesLastAccessed"]] == [
        "s3",
        "sqs",
    ]  # a member has what its group has


async def test_a_policys_report_is_about_everybody_who_has_it(iam: Service) -> None:
    arn = (await done(iam, "CreatePolicy", PolicyName="shared", PolicyDocument=S3_AND_SQS))["Policy"]["Arn"]
    gil, dev = await user(iam, "gil"), await role(iam, "Shared")
    await done(iam, "CreateGroup", GroupName="sharers")
    hal = await user(iam, "hal")
    for name in ("gil", "hal"):  # gil has it twice, and counts once
        await done(iam, "AddUserToGroup", GroupName="sharers", UserName=name)
    await done(iam, "AttachUserPolicy", UserName="gil", PolicyArn=arn)
    await done(iam, "AttachRolePolicy", RoleName="Shared", PolicyArn=arn)
    await done(iam, "AttachGroupPolicy", GroupName="sharers", PolicyArn=arn)
    for entity_id, seconds in ((gil, -30), (dev, -10), (hal, -20)):
        await used(iam, entity_id, ("s3", "GetObject", seconds))
    shown = of(await asked(iam, arn), "s3")
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/Shared"
    assert (shown["LastAuthenticatedEntity"], shown["TotalAuthenticatedEntities"]) == (role_arn, 3)
    entities = await asked(iam, arn, ENTITIES, ServiceNamespace="s3")
    assert [entry["EntityInfo"]["Name"] for entry in entities["EntityDetailsList"]] == ["Shared", "hal", "gil"]
    assert entities["EntityDetailsList"][0] == {
        "EntityInfo": {"Arn": role_arn, "Name": "Shared", "Type": "ROLE", "Id": dev, "Path": "/"},
        "LastAuthenticated": at(-10),
    }


async def test_entities_come_latest_first_and_page_by_page(iam: Service) -> None:
    await done(iam, "CreateGroup", GroupName="many")
    await done(iam, "PutGroupPolicy", GroupName="many", PolicyName="main", PolicyDocument=S3_AND_SQS)
    for number in range(5):
        member = await user(iam, f"many{number}")
        await done(iam, "AddUserToGroup", GroupName="many", UserName=f"many{number}")
        if number < 3:
            await used(iam, member, ("s3", "GetObject", number - 10))
    job = (await done(iam, GENERATE, Arn=group_arn("many")))["JobId"]
    pages: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while not pages or pages[-1]["IsTruncated"]:
        pages.append(await done(iam, ENTITIES, JobId=job, ServiceNamespace="s3", MaxItems=2, **marker))
        marker = {"Marker": pages[-1]["Marker"]} if pages[-1]["IsTruncated"] else {}
    found = [entry for page in pages for entry in page["EntityDetailsList"]]
    assert [len(page["EntityDetailsList"]) for page in pages] == [2, 2, 1]
    assert [entry["EntityInfo"]["Name"] for entry in found[:3]] == ["many2", "many1", "many0"]
    assert {entry["EntityInfo"]["Name"] for entry in found[3:]} == {"many3", "many4"}
    assert ["LastAuthenticated" in entry for entry in found] == [True, True, True, False, False]
    assert pages[0]["JobStatus"] == "COMPLETED"


async def test_nobody_could_have_used_a_service_that_is_not_granted(iam: Service) -> None:
    await user(iam, "ida", S3_AND_SQS)
    assert (await asked(iam, user_arn("ida"), ENTITIES, ServiceNamespace="ec2"))["EntityDetailsList"] == []
    job = (await done(iam, GENERATE, Arn=user_arn("ida")))["JobId"]
    assert (await refused(iam, ENTITIES, JobId=job, ServiceNamespace="none"))[0] == "InvalidInput"


async def test_services_come_page_by_page(iam: Service) -> None:
    await user(iam, "joy", document(statement("Allow", "*")))
    job = (await done(iam, GENERATE, Arn=user_arn("joy")))["JobId"]
    first = await done(iam, DETAILS, JobId=job, MaxItems=300)
    second = await done(iam, DETAILS, JobId=job, MaxItems=300, Marker=first["Marker"])
    found = [entry["ServiceNamespace"] for page in (first, second) for entry in page["ServicesLastAccessed"]]
    assert found == sorted(service_names())
    assert second["IsTruncated"] is False


# Jobs


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (user_arn("nobody"), "NoSuchEntity"),
        (group_arn("nobody"), "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:role/nobody", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:policy/nobody", "NoSuchEntity"),
        ("arn:aws:iam::210987654321:user/nobody", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:oidc-provider/x", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:root", "InvalidInput"),
        (f"arn:aws:s3:::user/aaaaaaaaaa{ACCOUNT}", "InvalidInput"),
        ("not an arn but long enough", "InvalidInput"),
    ],
)
async def test_what_is_not_there_cannot_be_asked_about(iam: Service, arn: str, code: str) -> None:
    assert (await refused(iam, GENERATE, Arn=arn))[0] == code
    granting = await refused(iam, GRANTING, Arn=arn, ServiceNamespaces=["s3"])
    assert granting[0] == ("InvalidInput" if ":policy/" in arn else code)


async def test_a_job_is_answered_to_whom_asked_for_it(iam: Service) -> None:
    await user(iam, "kim", S3_AND_SQS)
    key = await person(iam, "lea", statement("Allow", f"iam:{DETAILS}*"))
    job = (await done(iam, GENERATE, Arn=user_arn("kim")))["JobId"]
    assert len(job) == 36
    assert await refused(iam, DETAILS, key, JobId=job) == NO_JOB
    assert await refused(iam, DETAILS, JobId="0" * 36) == NO_JOB
    assert (await refused(iam, DETAILS, JobId="0"))[0] == "ValidationError"


async def test_of_too_many_jobs_the_oldest_is_forgotten(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await user(iam, "max", S3_AND_SQS)
    kept = len(iam.app.store.view().access_reports.of(ACCOUNT)) + 1
    monkeypatch.setattr(last_accessed, "ACCESS_REPORTS_KEPT", kept)
    before = {report.unique_id for report in iam.app.store.view().access_reports.of(ACCOUNT)}
    jobs = [(await done(iam, GENERATE, Arn=user_arn("max")))["JobId"] for _ in range(2)]
    now = {report.unique_id for report in iam.app.store.view().access_reports.of(ACCOUNT)}
    assert len(now) == kept
    assert jobs[1] in now
    assert len(before - now) == 1 or jobs[0] not in now


async def test_asking_needs_the_permission_on_the_entity(iam: Service) -> None:
    await user(iam, "ned", S3_AND_SQS)
    key = await person(iam, "ora", statement("Allow", [f"iam:{GENERATE}", f"iam:{GRANTING}"], user_arn("ned")))
    await done(iam, GENERATE, key, Arn=user_arn("ned"))
    await done(iam, GRANTING, key, Arn=user_arn("ned"), ServiceNamespaces=["s3"])
    for operation, more in ((GENERATE, {}), (GRANTING, {"ServiceNamespaces": ["s3"]})):
        for arn in (user_arn("ora"), user_arn("nobody")):
            denied = ("AccessDenied", denial("ora", operation, arn))
            assert await refused(iam, operation, key, Arn=arn, **more) == denied
    assert (await refused(iam, DETAILS, key, JobId="0" * 36))[0] == "AccessDenied"


# Which policies


async def test_the_policies_that_grant_a_service_are_the_users_and_its_groups(iam: Service) -> None:
    arn = (await done(iam, "CreatePolicy", PolicyName="granting", PolicyDocument=S3_AND_SQS))["Policy"]["Arn"]
    await user(iam, "pam", S3_AND_SQS)
    await done(iam, "AttachUserPolicy", UserName="pam", PolicyArn=arn)
    await done(iam, "CreateGroup", GroupName="granted")
    await done(iam, "PutGroupPolicy", GroupName="granted", PolicyName="ofgroup", PolicyDocument=S3_AND_SQS)
    await done(iam, "AddUserToGroup", GroupName="granted", UserName="pam")
    inline = {"PolicyName": "main", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "pam"}
    managed = {"PolicyName": "granting", "PolicyType": "MANAGED", "PolicyArn": arn}
    of_group = {"PolicyName": "ofgroup", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": "granted"}
    assert await done(iam, GRANTING, Arn=user_arn("pam"), ServiceNamespaces=["sqs", "ec2", "s3"]) == {
        "PoliciesGrantingServiceAccess": [
            {"ServiceNamespace": "sqs", "Policies": [inline, managed, of_group]},
            {"ServiceNamespace": "ec2", "Policies": []},
            {"ServiceNamespace": "s3", "Policies": [inline, managed, of_group]},
        ],
        "IsTruncated": False,
    }
    of_the_group = await done(iam, GRANTING, Arn=group_arn("granted"), ServiceNamespaces=["s3"])
    assert of_the_group["PoliciesGrantingServiceAccess"][0]["Policies"] == [of_group]


async def test_namespaces_are_known_and_page_by_page(iam: Service) -> None:
    await user(iam, "quy", S3_AND_SQS)
    wrong = await refused(iam, GRANTING, Arn=user_arn("quy"), ServiceNamespaces=["s3", "none"])
    assert wrong == ("InvalidInput", "Invalid service namespace: none")
    namespaces = list(service_names())[:150]
    first = await done(iam, GRANTING, Arn=user_arn("quy"), ServiceNamespaces=namespaces)
    second = await done(iam, GRANTING, Arn=user_arn("quy"), ServiceNamespaces=namespaces, Marker=first["Marker"])
    found = [entry for page in (first, second) for entry in page["PoliciesGrantingServiceAccess"]]
    assert [entry["ServiceNamespace"] for entry in found] == namespaces


EVERY = frozenset(service_names())


@pytest.mark.parametrize(
    ("statements", "granted"),
    [
        ([statement("Allow", "s3:GetObject")], {"s3"}),
        ([statement("Allow", "S3:Get*")], {"s3"}),
        ([statement("Allow", "*")], EVERY),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], EVERY - {"iam"}),
        ([{"Effect": "Allow", "NotAction": "iam:Get*", "Resource": "*"}], EVERY),
        ([statement("Allow", "unheard-of:Get")], set()),
        ([statement("Deny", "s3:*")], set()),
        ([statement("Allow", ["s3:*", "sqs:*"]), statement("Deny", "s3:*")], {"sqs"}),
        ([statement("Allow", ["s3:*", "sqs:*"]), statement("Deny", "s3:Get*")], {"s3", "sqs"}),
        ([statement("Allow", ["s3:*", "sqs:*"]), statement("Deny", "s3:*", "arn:aws:s3:::x")], {"s3", "sqs"}),
        (
            [
                statement("Allow", ["s3:*", "sqs:*"]),
                {**statement("Deny", "s3:*"), "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            ],
            {"s3", "sqs"},
        ),
        (
            [statement("Allow", ["s3:*", "sqs:*"]), {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}],
            {"s3"},
        ),
    ],
)
async def test_a_policy_grants_the_services_of_which_it_allows_anything(
    statements: list[dict[str, Any]], granted: set[str]
) -> None:
    assert granted_services([document(*statements)]) == granted


# Roles


async def test_a_role_says_when_and_where_it_was_last_used(iam: Service) -> None:
    unique_id = await role(iam, "Used")
    assert (await done(iam, "GetRole", RoleName="Used"))["Role"]["RoleLastUsed"] == {}
    await used(iam, unique_id, ("s3", "GetObject", -20), ("sqs", "SendMessage", -10))
    last = {"LastUsedDate": at(-10), "Region": "eu-west-1"}
    assert (await done(iam, "GetRole", RoleName="Used"))["Role"]["RoleLastUsed"] == last
    [shown] = [
        one
        for one in (await done(iam, "GetAccountAuthorizationDetails", Filter=["Role"]))["RoleDetailList"]
        if one["RoleName"] == "Used"
    ]
    assert shown["RoleLastUsed"] == last


async def test_what_a_role_used_is_forgotten_with_it(iam: Service) -> None:
    unique_id = await role(iam, "Gone")
    await used(iam, unique_id, ("s3", "GetObject", -20))
    await done(iam, "DeleteRole", RoleName="Gone")
    assert list(iam.app.store.view().last_uses.linked(ACCOUNT, ("entity", unique_id))) == []


async def test_a_users_own_calls_are_in_its_report(iam: Service) -> None:
    key: Credentials = await person(iam, "ray", statement("Allow", "iam:*"))
    await done(iam, "GetUser", key)
    await iam.app.usage.flush()
    shown = of(await asked(iam, user_arn("ray"), granularity="ACTION_LEVEL"), "iam")
    assert shown["LastAuthenticatedRegion"] == "us-east-1"
    assert [action["ActionName"] for action in shown["TrackedActionsLastAccessed"]] == ["GetUser"]
