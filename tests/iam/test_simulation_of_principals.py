# SPDX-License-Identifier: Apache-2.0
"""SimulatePrincipalPolicy and GetContextKeysForPrincipalPolicy: whose policies they are, and which are left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from daypass.errors import EntityError
from daypass.iam.exclusions import without_excluded
from daypass.iam.policy_sources import StoredPolicy
from iam.kitchen import document, statement
from iam.people import asked, denial, done, person, refused
from iam.recipe import TRUST
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALICE = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
STAFF = f"arn:aws:iam::{ACCOUNT}:group/staff"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/worker"
BOUND = f"arn:aws:iam::{ACCOUNT}:policy/team/bound"
S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
BILLING = "arn:aws:iam::aws:policy/job-function/Billing"


def allow(action: str, **more: Any) -> str:
    return document({**statement("Allow", action), **more})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """
    Alice: inline own (a:Own), shared (a:Alice); attached S3 read and Billing; bounded.
    Staff, her group: inline shared (a:Staff, if a key), attached S3 read and team/extra (a:Extra).
    Worker, a role: inline work (a:Work), attached team/extra; bounded.
    """
    async with service(tmp_path_factory.mktemp("data")) as running:
        bound = allow("*", Condition={"Null": {"test:bound": "true"}})
        await done(running, "CreatePolicy", PolicyName="bound", Path="/team/", PolicyDocument=bound)
        await done(running, "CreatePolicy", PolicyName="extra", Path="/team/", PolicyDocument=allow("a:Extra"))
        await _make(running, "User", "alice", ("own", allow("a:Own")), ("shared", allow("a:Alice")), Path="/team/")
        conditional = allow("a:Staff", Condition={"Bool": {"aws:SecureTransport": "true"}})
        await _make(running, "Group", "staff", ("shared", conditional))
        await _make(running, "Role", "worker", ("work", allow("a:Work")), AssumeRolePolicyDocument=TRUST)
        await done(running, "AddUserToGroup", GroupName="staff", UserName="alice")
        extra = BOUND.replace("bound", "extra")
        for kind, name, attached in (
            ("User", "alice", S3_READ),
            ("User", "alice", BILLING),
            ("Group", "staff", S3_READ),
            ("Group", "staff", extra),
            ("Role", "worker", extra),
        ):
            await done(running, f"Attach{kind}Policy", PolicyArn=attached, **{f"{kind}Name": name})
        await done(running, "PutUserPermissionsBoundary", UserName="alice", PermissionsBoundary=BOUND)
        await done(running, "PutRolePermissionsBoundary", RoleName="worker", PermissionsBoundary=BOUND)
        yield running


async def _make(iam: Service, kind: str, entity: str, *inline: tuple[str, str], **settings: Any) -> None:
    name = {f"{kind}Name": entity}
    await done(iam, f"Create{kind}", **name, **settings)
    for policy, text in inline:
        await done(iam, f"Put{kind}Policy", PolicyName=policy, PolicyDocument=text, **name)


SECURE = [{"ContextKeyName": "aws:SecureTransport", "ContextKeyType": "boolean", "ContextKeyValues": ["true"]}]


async def simulated(iam: Service, source: str, action: str, **more: Any) -> dict[str, Any]:
    """The one result of one action."""
    more.setdefault("ContextEntries", SECURE)
    answer = await done(iam, "SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=[action], **more)
    [result] = answer["EvaluationResults"]
    assert isinstance(result, dict)
    return result


def sources(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(found["SourcePolicyId"], found["SourcePolicyType"]) for found in result["MatchedStatements"]]


@pytest.mark.parametrize(
    ("source", "action", "matched"),
    [
        (ALICE, "a:Own", [("own", "user")]),
        (ALICE, "a:Alice", [("shared", "user")]),
        (ALICE, "a:Staff", [("shared", "group")]),
        (ALICE, "a:Extra", [("extra", "user-managed")]),
        (ALICE, "s3:GetObject", [("AmazonS3ReadOnlyAccess", "aws-managed")]),
        (STAFF, "a:Staff", [("shared", "group")]),
        (STAFF, "s3:GetObject", [("AmazonS3ReadOnlyAccess", "aws-managed")]),
        (WORKER, "a:Work", [("work", "role")]),
        (WORKER, "a:Extra", [("extra", "user-managed")]),
    ],
)
async def test_a_statement_that_matched_names_its_policy_and_what_kind_it_is(
    iam: Service, source: str, action: str, matched: list[tuple[str, str]]
) -> None:
    result = await simulated(iam, source, action)
    boundary = [] if source == STAFF else [("bound", "user-managed")]
    assert result["EvalDecision"] == "allowed"
    assert sorted(sources(result)) == sorted([*matched, *boundary])


async def test_a_group_has_only_its_own_policies_and_a_role_only_its_own(iam: Service) -> None:
    assert (await simulated(iam, STAFF, "a:Own"))["EvalDecision"] == "implicitDeny"
    assert (await simulated(iam, WORKER, "a:Staff"))["EvalDecision"] == "implicitDeny"


async def test_policies_that_are_passed_are_added(iam: Service) -> None:
    result = await simulated(iam, STAFF, "a:New", PolicyInputList=[allow("a:New")])
    assert (result["EvalDecision"], sources(result)) == ("allowed", [("PolicyInputList.1", "none")])


@pytest.mark.parametrize("source", [ALICE, WORKER])
async def test_the_attached_boundary_bounds_and_says_so(iam: Service, source: str) -> None:
    action = "a:Own" if source == ALICE else "a:Work"
    within = await simulated(iam, source, action)
    assert within["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    entry = {"ContextKeyName": "test:bound", "ContextKeyType": "string", "ContextKeyValues": ["x"]}
    outside = await simulated(iam, source, action, ContextEntries=[entry])
    assert outside["EvalDecision"] == "implicitDeny"
    assert outside["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


async def test_a_boundary_that_is_passed_takes_the_place_of_the_attached_one(iam: Service) -> None:
    passed = {"PermissionsBoundaryPolicyInputList": [allow("a:Other")]}
    result = await simulated(iam, ALICE, "a:Own", **passed)
    assert (result["EvalDecision"], result["PermissionsBoundaryDecisionDetail"]) == (
        "implicitDeny",
        {"AllowedByPermissionsBoundary": False},
    )
    entry = {"ContextKeyName": "test:bound", "ContextKeyType": "string", "ContextKeyValues": ["x"]}
    passed = {"PermissionsBoundaryPolicyInputList": [allow("a:*")]}
    assert (await simulated(iam, ALICE, "a:Own", ContextEntries=[entry], **passed))["EvalDecision"] == "allowed"


async def test_a_group_has_no_boundary(iam: Service) -> None:
    assert "PermissionsBoundaryDecisionDetail" not in await simulated(iam, STAFF, "a:Staff")


async def test_a_boundary_that_is_gone_allows_nothing(iam: Service) -> None:
    await _make(iam, "Role", "orphan", ("all", allow("*")), AssumeRolePolicyDocument=TRUST)
    async with iam.app.store.transaction() as transaction:
        role = transaction.view.roles.with_name(ACCOUNT, "orphan")
        assert role is not None
        await transaction.put(replace(role, permissions_boundary="arn:aws:iam::aws:policy/Gone"))
    result = await simulated(iam, WORKER.replace("worker", "orphan"), "a:Any")
    assert (result["EvalDecision"], sources(result)) == ("explicitDeny", [("Gone", "aws-managed")])


def inline(kind: str, holder: str, name: str) -> dict[str, Any]:
    return {"InlinePolicyIdentifier": {"AttachmentType": kind, "AttachmentName": holder, "PolicyName": name}}


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ({"PolicyType": "inline"}, {"a:Extra", "s3:GetObject", "billing:Any"}),
        ({"PolicyType": "aws-managed"}, {"a:Own", "a:Alice", "a:Staff", "a:Extra"}),
        ({"PolicyType": "user-managed"}, {"a:Own", "a:Alice", "a:Staff", "s3:GetObject", "billing:Any"}),
        ({"PolicyType": "scp"}, None),
        ({"PolicyType": "rcp"}, None),
        ({"PolicyArn": S3_READ}, {"a:Own", "a:Alice", "a:Staff", "a:Extra", "billing:Any"}),
        ({"PolicyArn": "arn:aws:iam::aws:policy/*"}, {"a:Own", "a:Alice", "a:Staff", "a:Extra"}),
        ({"PolicyArn": "arn:aws:iam::aws:policy/job-function/*"}, {"a:Own", "a:Alice", "a:Staff", "a:Extra", "s3:GetObject"}),
        ({"PolicyArn": "arn:aws:iam::aws:policy/*/Billin?"}, {"a:Own", "a:Alice", "a:Staff", "a:Extra", "s3:GetObject"}),
        ({"PolicyArn": "arn:aws:iam::aws:policy/billing"}, None),
        ({"PolicyArn": BOUND}, None),
        (inline("user", "alice", "shared"), {"a:Own", "a:Staff", "a:Extra", "s3:GetObject", "billing:Any"}),
        (inline("group", "staff", "shared"), {"a:Own", "a:Alice", "a:Extra", "s3:GetObject", "billing:Any"}),
        (inline("group", "alice", "shared"), None),
        (inline("user", "alice", "OWN"), None),
    ],
)  # fmt: skip
async def test_what_is_excluded_does_not_count_and_the_rest_does(
    iam: Service, excluded: dict[str, Any], left: set[str] | None
) -> None:
    every = ["a:Own", "a:Alice", "a:Staff", "a:Extra", "s3:GetObject", "billing:Any"]
    asked_for = {"PolicySourceArn": ALICE, "ActionNames": every, "ContextEntries": SECURE}
    answer = await done(iam, "SimulatePrincipalPolicy", **asked_for, PolicyExclusionList=[excluded])
    results = answer["EvaluationResults"]
    allowed = {result["EvalActionName"] for result in results if result["EvalDecision"] == "allowed"}
    assert allowed == (set(every) if left is None else left)


async def test_the_boundary_is_excluded_by_its_type(iam: Service) -> None:
    entry = {"ContextKeyName": "test:bound", "ContextKeyType": "string", "ContextKeyValues": ["x"]}
    excluded = {"PolicyExclusionList": [{"PolicyType": "permission-boundary"}]}
    result = await simulated(iam, ALICE, "a:Own", ContextEntries=[entry], **excluded)
    assert (result["EvalDecision"], sources(result)) == ("allowed", [("own", "user")])
    assert "PermissionsBoundaryDecisionDetail" not in result


async def test_wildcards_in_the_name_of_an_entity_do_not_get_past_the_model(iam: Service) -> None:
    """The text of AWS's model allows them, its pattern does not; what they would mean is tested below."""
    code, _ = await refused(
        iam,
        "SimulatePrincipalPolicy",
        PolicySourceArn=ALICE,
        ActionNames=["a:Own"],
        PolicyExclusionList=[inline("user", "ali*", "own")],
    )
    assert code == "ValidationError"


@pytest.mark.parametrize(
    ("kind", "holder", "name", "kept"),
    [
        ("user", "ali*", "own", ["staff"]),
        ("user", "al?ce", "own", ["staff"]),
        ("user", "al?", "own", ["alice", "staff"]),
        ("group", "*", "own", ["alice"]),
        ("group", "*", "other", ["alice", "staff"]),
    ],
)
async def test_wildcards_in_the_name_of_an_entity_stand_for_several(
    kind: str, holder: str, name: str, kept: list[str]
) -> None:
    stored = [StoredPolicy(held, "own", of, held, None, "{}") for of, held in (("user", "alice"), ("group", "staff"))]
    found = without_excluded(stored, {"PolicyExclusionList": [inline(kind, holder, name)]})
    assert [policy.holder for policy in found] == kept
    with pytest.raises(EntityError, match=r"at most one \*"):
        without_excluded(stored, {"PolicyExclusionList": [inline(kind, "*a*", name)]})


async def test_the_policy_of_a_resource_is_simulated_for_a_user_as_caller(iam: Service) -> None:
    bucket = document({**statement("Allow", "s3:PutObject", "*"), "Principal": {"AWS": ALICE}})
    result = await simulated(iam, ALICE, "s3:PutObject", ResourcePolicy=bucket)
    assert (result["EvalDecision"], sources(result)) == (
        "allowed",
        [("ResourcePolicy", "resource"), ("bound", "user-managed")],
    )
    group = await simulated(iam, STAFF, "s3:PutObject", ResourcePolicy=bucket)
    assert group["EvalDecision"] == "implicitDeny"
    as_alice = await simulated(iam, STAFF, "s3:PutObject", ResourcePolicy=bucket, CallerArn=ALICE)
    assert as_alice["EvalDecision"] == "allowed"


# Context keys


@pytest.mark.parametrize(
    ("source", "keys"),
    [(ALICE, ["aws:SecureTransport"]), (STAFF, ["aws:SecureTransport"]), (WORKER, [])],
)
async def test_context_keys_are_those_of_identity_policies_and_of_the_passed(
    iam: Service, source: str, keys: list[str]
) -> None:
    """A user's with its groups'; not the boundary's (IAM API, GetContextKeysForPrincipalPolicy)."""
    found = await done(iam, "GetContextKeysForPrincipalPolicy", PolicySourceArn=source)
    assert found == {"ContextKeyNames": keys}
    passed = allow("*", Condition={"StringEquals": {"aws:userid": "x"}})
    found = await done(iam, "GetContextKeysForPrincipalPolicy", PolicySourceArn=source, PolicyInputList=[passed])
    assert found == {"ContextKeyNames": [*keys, "aws:userid"]}


# Who may, and what is not there


@pytest.mark.parametrize("operation", ["SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"])
@pytest.mark.parametrize("source", [ALICE, STAFF, WORKER])
async def test_a_caller_is_permitted_by_the_arn_of_the_source(iam: Service, operation: str, source: str) -> None:
    name = f"{operation[:3]}-{source.rpartition('/')[2]}"
    allowed = await person(iam, name, statement("Allow", f"iam:{operation}", source))
    other = await person(iam, f"{name}-not", statement("Allow", f"iam:{operation}", source + "2"))
    more = {"ActionNames": ["a:Own"]} if operation == "SimulatePrincipalPolicy" else {}
    found = await refused(iam, operation, other, PolicySourceArn=source, **more)
    assert found == ("AccessDenied", denial(f"{name}-not", operation, source))
    assert (await asked(iam, operation, allowed, PolicySourceArn=source, **more)).status == 200


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (ALICE.replace("/team/", "/"), "The user with name alice cannot be found."),
        (ALICE.replace(ACCOUNT, "222222222222"), "The user with name alice cannot be found."),
        (STAFF + "2", "The group with name staff2 cannot be found."),
        (WORKER.replace("role/", "role/x/"), "The role with name worker cannot be found."),
    ],
)
async def test_a_source_that_is_not_there_is_no_such_entity(iam: Service, source: str, message: str) -> None:
    found = await refused(iam, "SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=["a:Own"])
    assert found == ("NoSuchEntity", message)
