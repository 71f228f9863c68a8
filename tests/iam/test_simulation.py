# SPDX-License-Identifier: Apache-2.0
"""The policy simulator over the wire: what it answers, what it refuses, and that botocore reads all of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import botocore.session
import pytest
import pytest_asyncio
from botocore.model import Shape
from botocore.parsers import create_parser
from msgspec.structs import replace

from daypass.access import Caller
from daypass.api import operation_table
from daypass.api.operations import SignedOperation
from daypass.api.resources import Resource
from daypass.iam import simulation
from daypass.iam.arn_templates import arn_template
from daypass.principal import Root
from in_process import ACCOUNT, Answer, Service, service
from running import running_server

OBJECT = "arn:aws:s3:::raw/hr/x.csv"
pytestmark = pytest.mark.asyncio(loop_scope="module")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Dev"
ROOT_CALLER = Caller(Root(ACCOUNT), "AKIAQNZKJ3EXAMPLE234", "us-east-1")
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
BOB = "arn:aws:iam::222222222222:user/bob"
AWS_EXAMPLE = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)
"""The document of AWS's example for simulate-custom-policy."""
MODEL = botocore.session.get_session().get_service_model("iam")


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", /, **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **elements}


ALLOW_ALL, DENY_ALL = document(statement()), document(statement("Deny"))
READ = document(statement(Action="s3:Get*", Resource="arn:aws:s3:::raw/*"))
DELETE = document(statement("Deny", Action="s3:Delete*"))
TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
)


def flat(parameters: dict[str, Any]) -> dict[str, str]:
    """Parameters as botocore writes them into a form."""
    serialized: dict[str, str] = {}

    def put(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for member, item in value.items():
                put(f"{name}.{member}", item)
        elif isinstance(value, list):
            for number, item in enumerate(value, 1):
                put(f"{name}.member.{number}", item)
        else:
            serialized[name] = str(value)

    for name, value in parameters.items():
        put(name, value)
    return serialized


async def asked(running: Service, operation: str, **parameters: Any) -> Answer:
    return await running.call("iam", operation, **flat(parameters))


def read(operation: str, answer: Answer) -> dict[str, Any]:
    """The answer as botocore's parser reads it."""
    assert answer.status == 200, answer.body
    shape = cast(Shape, MODEL.operation_model(operation).output_shape)
    response = {"status_code": 200, "headers": {}, "body": answer.body}
    parsed = cast(dict[str, Any], create_parser("query").parse(response, shape))
    del parsed["ResponseMetadata"]
    return parsed


async def custom(running: Service, policy: str | list[str], action: str = "s3:GetObject", **more: Any) -> Any:
    """The one result of simulating one action."""
    policies = [policy] if isinstance(policy, str) else policy
    answer = await asked(running, "SimulateCustomPolicy", PolicyInputList=policies, ActionNames=[action], **more)
    [result] = read("SimulateCustomPolicy", answer)["EvaluationResults"]
    return result


async def principal(running: Service, action: str = "s3:GetObject", source: str = ROLE, **more: Any) -> Any:
    answer = await asked(running, "SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=[action], **more)
    [result] = read("SimulatePrincipalPolicy", answer)["EvaluationResults"]
    return result


def entry(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": list(values)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: a test that changes something makes a role of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        await make_role(running, "Dev", Read=READ, NoDelete=DELETE)
        yield running


async def make_role(running: Service, name: str, **policies: str) -> str:
    """A role at the path /team/. Returns its ARN."""
    made = await asked(
        running,
        "CreateRole",
        RoleName=name,
        Path="/team/",
        AssumeRolePolicyDocument=TRUST,
        Tags=[{"Key": "Team", "Value": "red"}],
    )
    assert made.status == 200
    for policy, text in policies.items():
        await put_policy(running, name, policy, text)
    return f"arn:aws:iam::{ACCOUNT}:role/team/{name}"


async def put_policy(running: Service, role: str, name: str, text: str) -> None:
    put = await running.call("iam", "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=text)
    assert put.status == 200


# What is answered


async def test_the_answer_to_awss_own_example_is_the_documented_one(iam: Service) -> None:
    """AWS CLI, simulate-custom-policy, example 1; but for EvalResourceName, which is a template since 2026."""
    answer = await asked(
        iam,
        "SimulateCustomPolicy",
        PolicyInputList=[AWS_EXAMPLE],
        ActionNames=["dynamodb:CreateBackup"],
        ContextEntries=[entry("aws:CurrentTime", "date", "2019-04-25T11:00:00Z")],
    )
    assert read("SimulateCustomPolicy", answer) == {
        "EvaluationResults": [
            {
                "EvalActionName": "dynamodb:CreateBackup",
                "EvalResourceName": "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}",
                "EvalDecision": "allowed",
                "MatchedStatements": [
                    {
                        "SourcePolicyId": "PolicyInputList.1",
                        "SourcePolicyType": "none",
                        "StartPosition": {"Line": 1, "Column": 38},
                        "EndPosition": {"Line": 1, "Column": 167},
                    }
                ],
                "MissingContextValues": [],
            }
        ],
        "IsTruncated": False,
    }


async def test_the_example_before_its_date_is_an_implicit_deny_without_statements(iam: Service) -> None:
    entries = [entry("aws:CurrentTime", "date", "2014-04-25T11:00:00Z")]
    result = await custom(iam, AWS_EXAMPLE, "dynamodb:CreateBackup", ContextEntries=entries)
    assert (result["EvalDecision"], result["MatchedStatements"]) == ("implicitDeny", [])


async def test_there_is_one_result_per_action_with_the_most_restrictive_decision(iam: Service) -> None:
    policy = document(
        statement(Action="s3:Get*", Resource="arn:aws:s3:::raw/*"),
        statement("Deny", Action="s3:*", Resource="arn:aws:s3:::raw/secret"),
    )
    resources = ["arn:aws:s3:::raw/a", "arn:aws:s3:::other/b", "arn:aws:s3:::raw/secret"]
    result = await custom(iam, policy, ResourceArns=resources)
    assert result["EvalDecision"] == "explicitDeny"
    singles = result["ResourceSpecificResults"]
    assert [(single["EvalResourceName"], single["EvalResourceDecision"]) for single in singles] == list(
        zip(resources, ["allowed", "implicitDeny", "explicitDeny"], strict=True)
    )
    assert [len(single["MatchedStatements"]) for single in singles] == [1, 0, 1]
    assert len(result["MatchedStatements"]) == 2
    two = await custom(iam, policy, ResourceArns=resources[:2])
    assert two["EvalDecision"] == "implicitDeny"


async def test_a_resource_of_star_has_no_results_of_its_own(iam: Service) -> None:
    explicit, default = await custom(iam, ALLOW_ALL, ResourceArns=["*"]), await custom(iam, ALLOW_ALL)
    assert explicit == default
    assert "ResourceSpecificResults" not in default
    assert "EvalDecisionDetails" not in default


async def test_missing_keys_are_those_of_statements_about_the_action_in_their_first_spelling(iam: Service) -> None:
    policy = document(
        statement(
            Action="s3:*",
            Resource="arn:aws:s3:::b/${aws:username}",
            Condition={"Bool": {"aws:SecureTransport": "true"}},
        ),
        statement(Action="s3:*", Condition={"Bool": {"AWS:securetransport": "true"}, "Null": {"s3:prefix": "true"}}),
        statement(Action="sqs:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    )
    whole = await custom(iam, policy, ContextEntries=[entry("S3:PREFIX", "string", "x")])
    assert whole["MissingContextValues"] == ["aws:username", "aws:SecureTransport"]
    single = await custom(
        iam, policy, ResourceArns=[OBJECT, OBJECT], ContextEntries=[entry("s3:prefix", "string", "x")]
    )
    assert [part["MissingContextValues"] for part in single["ResourceSpecificResults"]] == [
        whole["MissingContextValues"]
    ] * 2
    assert single["MissingContextValues"] == whole["MissingContextValues"]


@pytest.mark.parametrize(
    ("boundary", "decision", "allowed", "matched"),
    [
        (ALLOW_ALL, "allowed", True, ["PolicyInputList.1", "PermissionsBoundaryPolicyInputList.1"]),
        (document(statement(Action="sqs:*")), "implicitDeny", False, ["PolicyInputList.1"]),
        (DENY_ALL, "explicitDeny", False, ["PermissionsBoundaryPolicyInputList.1"]),
    ],
)
async def test_a_boundary_says_whether_it_allows(
    iam: Service, boundary: str, decision: str, allowed: bool, matched: list[str]
) -> None:
    result = await custom(iam, ALLOW_ALL, PermissionsBoundaryPolicyInputList=[boundary], ResourceArns=[OBJECT])
    assert result["EvalDecision"] == decision
    detail = {"AllowedByPermissionsBoundary": allowed}
    assert result["PermissionsBoundaryDecisionDetail"] == detail
    assert result["ResourceSpecificResults"][0]["PermissionsBoundaryDecisionDetail"] == detail
    assert sorted(found["SourcePolicyId"] for found in result["MatchedStatements"]) == sorted(matched)


async def test_without_a_boundary_or_an_organisation_nothing_is_said_of_them(iam: Service) -> None:
    result = await custom(iam, ALLOW_ALL, ResourceArns=[OBJECT])
    assert result.keys().isdisjoint({"PermissionsBoundaryDecisionDetail", "OrganizationsDecisionDetail"})


async def test_in_one_account_the_details_are_empty_for_an_arn(iam: Service) -> None:
    result = await custom(iam, ALLOW_ALL, ResourceArns=[OBJECT])
    assert result["EvalDecisionDetails"] == {}
    assert result["ResourceSpecificResults"][0]["EvalDecisionDetails"] == {}


@pytest.mark.parametrize(
    ("more", "decision", "details"),
    [
        ({}, "implicitDeny", {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}),
        (
            {"ResourcePolicy": document(statement(Principal={"AWS": ALICE}))},
            "allowed",
            {"IAM Policy": "allowed", "Resource Policy": "allowed"},
        ),
        (
            {"ResourcePolicy": document(statement("Deny", Principal="*"))},
            "explicitDeny",
            {"IAM Policy": "allowed", "Resource Policy": "explicitDeny"},
        ),
        (
            {
                "ResourcePolicy": document(statement(Principal={"AWS": ALICE})),
                "PermissionsBoundaryPolicyInputList": [document(statement(Action="sqs:*"))],
            },
            "implicitDeny",
            {"IAM Policy": "allowed", "Resource Policy": "allowed", "Permissions Boundary Policy": "implicitDeny"},
        ),
    ],
)
async def test_across_accounts_the_details_name_every_type_of_policy(
    iam: Service, more: dict[str, Any], decision: str, details: dict[str, str]
) -> None:
    result = await custom(
        iam,
        ALLOW_ALL,
        CallerArn=ALICE,
        ResourceArns=[OBJECT],
        ResourceOwner="arn:aws:iam::222222222222:root",
        **more,
    )
    assert (result["EvalDecision"], result["EvalDecisionDetails"]) == (decision, details)
    assert result["ResourceSpecificResults"][0]["EvalDecisionDetails"] == details


async def test_the_owner_is_the_arns_account_before_resource_owner(iam: Service) -> None:
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    result = await custom(iam, ALLOW_ALL, "sqs:SendMessage", ResourceArns=[queue, OBJECT], ResourceOwner="222222222222")
    assert [part["EvalResourceDecision"] for part in result["ResourceSpecificResults"]] == ["allowed", "implicitDeny"]


async def test_a_resource_policy_is_asked_about_the_caller(iam: Service) -> None:
    policy = document(statement(Action="s3:*", Principal={"AWS": ALICE}))
    nothing = document(statement(Action="sqs:*"))
    named = await custom(iam, nothing, ResourceArns=[OBJECT], ResourcePolicy=policy, CallerArn=ALICE)
    other = await custom(
        iam, nothing, ResourceArns=[OBJECT], ResourcePolicy=policy, CallerArn=ALICE.replace("alice", "eve")
    )
    assert (named["EvalDecision"], other["EvalDecision"]) == ("allowed", "implicitDeny")
    [matched] = named["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == ("ResourcePolicy", "resource")


async def test_the_policy_of_a_kms_key_must_name_the_caller_or_the_account(iam: Service) -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
    for who, decision in ((ACCOUNT, "allowed"), ("222222222222", "implicitDeny")):
        policy = document(statement(Principal={"AWS": who}))
        result = await custom(iam, ALLOW_ALL, "kms:Decrypt", ResourceArns=[key], ResourcePolicy=policy, CallerArn=ALICE)
        assert result["EvalDecision"] == decision


@pytest.mark.parametrize(
    ("levels", "decision", "allowed", "details"),
    [
        ([[ALLOW_ALL], [ALLOW_ALL]], "allowed", True, True),
        ([[ALLOW_ALL], [document(statement(Action="sqs:*"))]], "implicitDeny", False, False),
        ([[ALLOW_ALL], [ALLOW_ALL, DENY_ALL]], "explicitDeny", False, False),
    ],
)
async def test_organisation_levels_are_enforced_one_by_one_and_never_listed(
    iam: Service, levels: list[list[str]], decision: str, allowed: bool, details: bool
) -> None:
    passed = [{"ServiceControlPolicyInputList": level} for level in levels]
    result = await custom(iam, READ, ResourceArns=[OBJECT], OrderedOrganizationPolicyInputList=passed)
    assert result["EvalDecision"] == decision
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": allowed}
    assert {found["SourcePolicyId"] for found in result["MatchedStatements"]} <= {"PolicyInputList.1"}
    assert ("EvalDecisionDetails" in result) is details


@pytest.mark.parametrize(
    ("kind", "values", "operator", "wanted", "decision"),
    [
        ("string", ["a"], "StringEquals", "a", "allowed"),
        ("stringList", ["a"], "StringEquals", "a", "implicitDeny"),
        ("stringList", ["b", "a"], "ForAnyValue:StringEquals", "a", "allowed"),
        ("stringList", [], "Null", "true", "allowed"),
        ("numeric", ["10"], "NumericLessThan", "11", "allowed"),
        ("numericList", ["10"], "NumericLessThan", "11", "implicitDeny"),
        ("boolean", ["true"], "Bool", "true", "allowed"),
        ("booleanList", ["true"], "Bool", "true", "implicitDeny"),
        ("ip", ["10.1.2.3"], "IpAddress", "10.0.0.0/8", "allowed"),
        ("ipList", ["10.1.2.3"], "IpAddress", "10.0.0.0/8", "implicitDeny"),
        ("binary", ["AA=="], "BinaryEquals", "AA==", "allowed"),
        ("binaryList", ["AA=="], "BinaryEquals", "AA==", "implicitDeny"),
        ("date", ["2026-01-01"], "DateLessThan", "2026-01-02", "allowed"),
        ("dateList", ["2026-01-01"], "DateLessThan", "2026-01-02", "implicitDeny"),
    ],
)
async def test_a_list_type_makes_a_list_and_the_others_one_value(
    iam: Service, kind: str, values: list[str], operator: str, wanted: str, decision: str
) -> None:
    policy = document(statement(Condition={operator: {"test:key": wanted}}))
    result = await custom(iam, policy, ContextEntries=[entry("test:key", kind, *values)])
    assert result["EvalDecision"] == decision


async def test_pages_follow_each_other_in_the_order_of_the_actions(iam: Service) -> None:
    actions = [f"s3:Get{number}" for number in range(5)]
    seen: list[str] = []
    marker: dict[str, Any] = {}
    for expected in (2, 2, 1):
        answer = await asked(
            iam, "SimulateCustomPolicy", PolicyInputList=[READ], ActionNames=actions, MaxItems=2, **marker
        )
        parsed = read("SimulateCustomPolicy", answer)
        assert len(parsed["EvaluationResults"]) == expected
        seen += [result["EvalActionName"] for result in parsed["EvaluationResults"]]
        marker = {"Marker": parsed["Marker"]} if parsed["IsTruncated"] else {}
    assert (seen, marker) == (actions, {})


async def test_a_page_that_would_take_long_is_shorter_and_no_page_at_all_is_refused(
    iam: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = len(READ) + 200
    asking = {"PolicyInputList": [READ], "ActionNames": ["s3:GetObject"] * 3, "ResourceArns": [OBJECT, OBJECT]}
    monkeypatch.setattr(simulation, "SIMULATED_CHARACTERS", 4 * cost)
    parsed = read("SimulateCustomPolicy", await asked(iam, "SimulateCustomPolicy", **asking))
    assert (len(parsed["EvaluationResults"]), parsed["IsTruncated"]) == (2, True)
    monkeypatch.setattr(simulation, "SIMULATED_CHARACTERS", 2 * cost - 1)
    assert (await asked(iam, "SimulateCustomPolicy", **asking)).code == "InvalidInput"


@pytest.mark.parametrize(
    ("action", "resource", "template"),
    [
        ("s3:GetObject", "*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
        ("S3:getobject", OBJECT, "arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
        ("s3:ListAllMyBuckets", "*", "*"),
        ("sqs:SendMessage", "*", "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"),
        ("nobody:Asks", "*", "*"),
        ("s3:NoSuchAction", "*", "*"),
        ("../actions/s3:GetObject", "*", "*"),
    ],
)
async def test_the_name_of_the_resource_is_the_template_of_its_type(action: str, resource: str, template: str) -> None:
    assert arn_template(action, [resource]) == template


# Roles


async def test_a_roles_policies_are_simulated_as_they_are_now(iam: Service) -> None:
    role = await make_role(iam, "Now", Read=READ)
    resources = ["arn:aws:s3:::raw/a"]
    result = await principal(iam, source=role, ResourceArns=resources)
    assert result["EvalDecision"] == "allowed"
    [matched] = result["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == ("Read", "role")
    await put_policy(iam, "Now", "No", DENY_ALL)
    assert (await principal(iam, source=role, ResourceArns=resources))["EvalDecision"] == "explicitDeny"


async def test_policies_that_are_passed_are_added_to_the_roles(iam: Service) -> None:
    result = await principal(iam, "sqs:SendMessage", PolicyInputList=[ALLOW_ALL])
    assert result["EvalDecision"] == "allowed"
    assert [found["SourcePolicyId"] for found in result["MatchedStatements"]] == ["PolicyInputList.1"]
    assert (await principal(iam, "s3:DeleteObject", PolicyInputList=[ALLOW_ALL]))["EvalDecision"] == "explicitDeny"


async def test_a_policy_named_like_a_parameter_is_the_roles_all_the_same(iam: Service) -> None:
    role = await make_role(iam, "Named")
    await put_policy(iam, "Named", "PolicyInputList.1", ALLOW_ALL)
    result = await principal(iam, source=role, PolicyInputList=[ALLOW_ALL])
    found = [(found["SourcePolicyId"], found["SourcePolicyType"]) for found in result["MatchedStatements"]]
    assert sorted(found) == [("PolicyInputList.1", "none"), ("PolicyInputList.1", "role")]


@pytest.mark.parametrize(
    ("excluded", "decision"),
    [
        (
            {"InlinePolicyIdentifier": {"PolicyName": "NoDelete", "AttachmentType": "role", "AttachmentName": "Dev"}},
            "allowed",
        ),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "NoDelete", "AttachmentType": "user", "AttachmentName": "Dev"}},
            "explicitDeny",
        ),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "NoDelete", "AttachmentType": "role", "AttachmentName": "dev"}},
            "explicitDeny",
        ),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "Read", "AttachmentType": "role", "AttachmentName": "Dev"}},
            "explicitDeny",
        ),
        ({"PolicyType": "inline"}, "allowed"),
        ({"PolicyType": "user-managed"}, "explicitDeny"),
        ({"PolicyType": "rcp"}, "explicitDeny"),
        ({"PolicyArn": "arn:aws:iam::aws:policy/Read*Only?ccess"}, "explicitDeny"),
    ],
)
async def test_excluded_policies_are_left_out(iam: Service, excluded: dict[str, Any], decision: str) -> None:
    allow = document(statement(Action="s3:DeleteObject"))
    result = await principal(iam, "s3:DeleteObject", PolicyInputList=[allow], PolicyExclusionList=[excluded])
    assert result["EvalDecision"] == decision


@pytest.mark.parametrize(
    "excluded",
    [
        {"PolicyArn": "arn:aws:iam::aws:policy/*Only*"},
        {"PolicyArn": "arn:aws:iam::*:policy/ReadOnlyAccess"},
        {"PolicyArn": "arn:aws:iam::aws:role/ReadOnlyAccess"},
    ],
)
async def test_an_exclusion_that_is_malformed_is_refused(iam: Service, excluded: dict[str, Any]) -> None:
    answer = await asked(
        iam,
        "SimulatePrincipalPolicy",
        PolicySourceArn=ROLE,
        ActionNames=["s3:GetObject"],
        PolicyExclusionList=[excluded],
    )
    assert answer.code == "InvalidInput"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (ALICE, "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:group/admins", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:role/Dev", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:role/team/dev", "NoSuchEntity"),
        ("arn:aws:iam::222222222222:role/team/Dev", "NoSuchEntity"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/s", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:policy/Dev/s", "InvalidInput"),
        ("x" * 20, "InvalidInput"),
    ],
)
@pytest.mark.parametrize("operation", ["SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"])
async def test_a_source_of_policies_that_is_not_there_is_refused(
    iam: Service, operation: str, source: str, code: str
) -> None:
    more = {"ActionNames": ["s3:GetObject"]} if operation == "SimulatePrincipalPolicy" else {}
    assert (await asked(iam, operation, PolicySourceArn=source, **more)).code == code


@pytest.mark.parametrize("excluded", [{"PolicyArn": "arn:aws:iam::aws:policy/Two", "PolicyType": "inline"}, {}])
async def test_an_exclusion_is_one_identifier(iam: Service, excluded: dict[str, Any]) -> None:
    form = flat({"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"], "PolicyExclusionList": [excluded]})
    answer = await iam.call("iam", "SimulatePrincipalPolicy", **{"PolicyExclusionList.member.1": "", **form})
    assert answer.status == 400


async def test_a_stored_policy_that_cannot_be_read_any_more_is_a_policy_evaluation_error(iam: Service) -> None:
    source, store = await make_role(iam, "Broken"), iam.app.store
    role = store.view().roles.with_name(ACCOUNT, "Broken")
    assert role is not None
    async with store.transaction() as transaction:
        await transaction.put(replace(role, inline_policies=(("Broken", "{"),)))
    answer = await asked(iam, "SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=["s3:GetObject"])
    assert (answer.code, answer.status) == ("PolicyEvaluation", 500)


@pytest.mark.parametrize("operation", ["SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"])
async def test_what_is_authorised_is_the_source_of_the_policies_with_its_tags(iam: Service, operation: str) -> None:
    row = operation_table(cast(Any, None), cast(Any, None))["iam", operation]
    assert isinstance(row, SignedOperation)
    view = iam.app.store.view()
    assert row.resource({"PolicySourceArn": ROLE}, ROOT_CALLER, view) == Resource(ROLE, ACCOUNT, (("Team", "red"),))
    elsewhere = ROLE.replace("/team/", "/")
    assert row.resource({"PolicySourceArn": elsewhere}, ROOT_CALLER, view) == Resource(elsewhere, ACCOUNT)
    assert row.action == f"iam:{operation}"


# Context keys


async def test_the_context_keys_of_awss_own_example_are_the_documented_ones(iam: Service) -> None:
    """AWS CLI, get-context-keys-for-custom-policy."""
    policy = AWS_EXAMPLE.replace(
        '"Resource":"*"', '"Resource":"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}"'
    )
    answer = await asked(iam, "GetContextKeysForCustomPolicy", PolicyInputList=[policy])
    keys = read("GetContextKeysForCustomPolicy", answer)
    assert keys == {"ContextKeyNames": ["aws:username", "aws:CurrentTime"]}


async def test_context_keys_are_listed_once_in_their_first_spelling_and_escapes_are_none(iam: Service) -> None:
    policies = [
        document(statement(Resource="arn:aws:s3:::b/${*}${?}${$}${aws:PrincipalTag/Team, 'x'}")),
        document(statement(Condition={"StringLike": {"AWS:principaltag/team": "${aws:userid}"}})),
    ]
    answer = await asked(iam, "GetContextKeysForCustomPolicy", PolicyInputList=policies)
    keys = read("GetContextKeysForCustomPolicy", answer)
    assert keys == {"ContextKeyNames": ["aws:PrincipalTag/Team", "aws:userid"]}


async def test_a_roles_context_keys_are_those_of_its_policies_and_of_the_passed(iam: Service) -> None:
    own = document(statement(Condition={"Bool": {"aws:SecureTransport": "true"}}))
    role = await make_role(iam, "Keys", Tls=own)
    answer = await asked(iam, "GetContextKeysForPrincipalPolicy", PolicySourceArn=role, PolicyInputList=[AWS_EXAMPLE])
    keys = read("GetContextKeysForPrincipalPolicy", answer)
    assert keys == {"ContextKeyNames": ["aws:SecureTransport", "aws:CurrentTime"]}


# What is refused


EC2 = [
    f"arn:aws:ec2:us-east-1:{ACCOUNT}:{kind}/x"
    for kind in ("instance", "image", "security-group", "network-interface", "volume", "subnet")
]


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("PolicyInputList", ["{"], "PolicyInputList.1: Syntax errors in policy."),
        ("PolicyInputList", [ALLOW_ALL, TRUST], "PolicyInputList.2"),
        ("PermissionsBoundaryPolicyInputList", [ALLOW_ALL, ALLOW_ALL], "at most one"),
        ("PermissionsBoundaryPolicyInputList", ["[]"], "PermissionsBoundaryPolicyInputList.1"),
        ("ActionNames", ["s3:Get*"], "ActionNames"),
        ("ActionNames", ["GetObject"], "ActionNames"),
        ("ActionNames", ["s3:Get:Object"], "ActionNames"),
        ("ResourceArns", ["bucket"], "ResourceArns"),
        ("ResourceArns", ["arn:aws:s3"], "ResourceArns"),
        ("ResourcePolicy", document(statement(Principal="*")), "CallerArn"),
        ("ResourceOwner", "acme", "ResourceOwner"),
        ("ResourceOwner", "arn:aws:iam::222222222222", "ResourceOwner"),
        ("ResourceOwner", "222222222222:root", "ResourceOwner"),
        ("CallerArn", f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/s", "Invalid Entity Arn"),
        ("CallerArn", f"arn:aws:iam::{ACCOUNT}:group/admins", "CallerArn"),
        ("CallerArn", f"arn:aws:iam::{ACCOUNT}:root", "Invalid Entity Arn"),
        ("ResourceHandlingOption", "EC2-Classic-EBS", "ResourceHandlingOption"),
        ("ResourceHandlingOption", "EC2-VPC-EBS", "instance, image, security-group, network-interface, volume"),
        ("OrderedOrganizationPolicyInputList", [{"ServiceControlPolicyInputList": ["{"]}], "List.1"),
        ("ContextEntries", [{"ContextKeyName": "aws:username", "ContextKeyValues": ["x"]}], "ContextKeyType"),
        ("ContextEntries", [{"ContextKeyType": "string", "ContextKeyValues": ["x"]}], "ContextKeyName"),
        ("ContextEntries", [entry("aws:username", "string", "a", "b")], "one value"),
        ("ContextEntries", [entry("aws:username", "string")], "one value"),
        ("ContextEntries", [entry("aws:username", "string", "a"), entry("AWS:UserName", "string", "a")], "twice"),
        ("ContextEntries", [entry("test:key", "numericList", "1", "ten")], "numeric"),
        ("ContextEntries", [entry("test:key", "boolean", "yes")], "boolean"),
        ("ContextEntries", [entry("test:key", "ip", "10.0.0.0/8")], "ip"),
        ("ContextEntries", [entry("test:key", "binary", "?")], "binary"),
        ("ContextEntries", [entry("test:key", "date", "today")], "date"),
    ],
)
async def test_a_parameter_that_cannot_be_simulated_is_refused_by_name(
    iam: Service, parameter: str, value: Any, words: str
) -> None:
    given = {"PolicyInputList": [ALLOW_ALL], "ActionNames": ["s3:GetObject"], parameter: value}
    answer = await asked(iam, "SimulateCustomPolicy", **given)
    assert answer.code == "InvalidInput"
    assert words in answer.message


async def test_a_resource_policy_is_refused_for_a_role(iam: Service) -> None:
    answer = await asked(
        iam,
        "SimulatePrincipalPolicy",
        PolicySourceArn=ROLE,
        ActionNames=["s3:GetObject"],
        ResourcePolicy=document(statement(Principal="*")),
    )
    assert (answer.code, "ResourcePolicy" in answer.message) == ("InvalidInput", True)


async def test_a_scenario_with_all_its_resources_is_simulated(iam: Service) -> None:
    result = await custom(
        iam, ALLOW_ALL, "ec2:RunInstances", ResourceArns=EC2, ResourceHandlingOption="EC2-VPC-EBS-Subnet"
    )
    assert (result["EvalDecision"], len(result["ResourceSpecificResults"])) == ("allowed", 6)


async def test_stock_boto3_simulates_and_pages(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        client = server.client("iam", server.root())
        client.create_role(RoleName="Dev", AssumeRolePolicyDocument=TRUST)
        client.put_role_policy(RoleName="Dev", PolicyName="Read", PolicyDocument=READ)
        source = f"arn:aws:iam::{ACCOUNT}:role/Dev"
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=source,
            ActionNames=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            ResourceArns=["arn:aws:s3:::raw/a"],
            PaginationConfig={"PageSize": 1},
        )
        results = [result for found in pages for result in found["EvaluationResults"]]
        assert [result["EvalDecision"] for result in results] == ["allowed", "implicitDeny", "implicitDeny"]
        assert client.get_context_keys_for_principal_policy(PolicySourceArn=source)["ContextKeyNames"] == []
        answer = client.simulate_custom_policy(
            PolicyInputList=[ALLOW_ALL],
            ActionNames=["iam:SimulatePrincipalPolicy", "iam:SimulateCustomPolicy"],
            OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": [READ]}],
        )
        assert {result["EvalDecision"] for result in answer["EvaluationResults"]} == {"implicitDeny"}
        assert server.alarms() == []
