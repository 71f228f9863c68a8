# SPDX-License-Identifier: Apache-2.0
"""Managed policies on users, groups and roles: attached, listed, detached, and by whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from iam.kitchen import document, statement
from iam.people import asked, denial, done, person, refused
from iam.recipe import TRUST
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ = document(statement("Allow", "s3:GetObject"))
KINDS = ("User", "Group", "Role")
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE_LINKED = """{"name": "LinkedServicePolicy", "path": "/aws-service-role/", "description": "of a service",
 "created": "2026-01-01T00:00:00Z", "document": {"Version": "2012-10-17", "Statement": []}}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all, with a policy that only services use: every test makes entities of its own."""
    data_dir = tmp_path_factory.mktemp("data")
    (data_dir / "managed-policies").mkdir()
    linked = SERVICE_LINKED.replace("[]", '{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}')
    (data_dir / "managed-policies" / "linked.json").write_text(linked)
    async with service(data_dir) as running:
        yield running


def arn(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy{path}{name}"


async def entity(iam: Service, kind: str, name: str, **more: Any) -> dict[str, str]:
    """A new user, group or role; the parameter that names it."""
    if kind == "Role":
        more["AssumeRolePolicyDocument"] = TRUST
    await done(iam, f"Create{kind}", **{f"{kind}Name": name}, **more)
    return {f"{kind}Name": name}


async def policy(iam: Service, name: str, text: str = READ, **more: Any) -> str:
    made = await done(iam, "CreatePolicy", PolicyName=name, PolicyDocument=text, **more)
    return str(made["Policy"]["Arn"])


async def attached(iam: Service, kind: str, name: dict[str, str], **more: Any) -> list[str]:
    listed = await done(iam, _list(kind), **name, **more)
    return [one["PolicyArn"] for one in listed["AttachedPolicies"]]


def _list(kind: str) -> str:
    return f"ListAttached{kind}Policies"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_is_attached_listed_and_detached(iam: Service, kind: str) -> None:
    name, own = await entity(iam, kind, "whole"), await policy(iam, f"whole-{kind}", Path="/team/")
    assert await done(iam, _list(kind), **name) == {"AttachedPolicies": [], "IsTruncated": False}
    for arn_ in (own, OF_AWS):
        await done(iam, f"Attach{kind}Policy", PolicyArn=arn_, **name)
    assert (await done(iam, _list(kind), **name))["AttachedPolicies"] == [
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": OF_AWS},
        {"PolicyName": f"whole-{kind}", "PolicyArn": own},
    ]
    assert await attached(iam, kind, name, PathPrefix="/team/") == [own]
    first = await done(iam, _list(kind), MaxItems=1, **name)
    assert first["IsTruncated"] is True
    assert await attached(iam, kind, name, MaxItems=1, Marker=first["Marker"]) == [own]
    await done(iam, f"Detach{kind}Policy", PolicyArn=OF_AWS, **name)
    assert await attached(iam, kind, name) == [own]


@pytest.mark.parametrize("kind", KINDS)
async def test_attaching_what_is_attached_changes_nothing(iam: Service, kind: str) -> None:
    name, own = await entity(iam, kind, "twice"), await policy(iam, f"twice-{kind}")
    for _ in range(2):
        await done(iam, f"Attach{kind}Policy", PolicyArn=own, **name)
    assert await attached(iam, kind, name) == [own]
    assert (await done(iam, "GetPolicy", PolicyArn=own))["Policy"]["AttachmentCount"] == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_ten_policies_are_the_most(iam: Service, kind: str) -> None:
    name = await entity(iam, kind, "ten")
    arns = [await policy(iam, f"ten-{kind}-{number}") for number in range(11)]
    for arn_ in arns[:10]:
        await done(iam, f"Attach{kind}Policy", PolicyArn=arn_, **name)
    found = await refused(iam, f"Attach{kind}Policy", PolicyArn=arns[10], **name)
    assert found == ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10")
    await done(iam, f"Attach{kind}Policy", PolicyArn=arns[0], **name)
    await done(iam, f"Detach{kind}Policy", PolicyArn=arns[0], **name)
    await done(iam, f"Attach{kind}Policy", PolicyArn=arns[10], **name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arn_", [arn("nothing"), OF_AWS + "2", "arn:aws:iam::222222222222:policy/theirs"])
async def test_a_policy_that_is_not_there_is_not_attached_and_not_detached(iam: Service, kind: str, arn_: str) -> None:
    name = {f"{kind}Name": "nobody-has-it"}
    if (await asked(iam, f"Get{kind}", **name)).status != 200:
        await entity(iam, kind, "nobody-has-it")
    found = await refused(iam, f"Attach{kind}Policy", PolicyArn=arn_, **name)
    assert found == ("NoSuchEntity", f"Policy {arn_} does not exist or is not attachable.")
    found = await refused(iam, f"Detach{kind}Policy", PolicyArn=arn_, **name)
    assert found == ("NoSuchEntity", f"Policy {arn_} was not found.")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_that_is_not_attached_is_not_detached(iam: Service, kind: str) -> None:
    name, own = await entity(iam, kind, "without"), await policy(iam, f"without-{kind}")
    found = await refused(iam, f"Detach{kind}Policy", PolicyArn=own, **name)
    assert found == ("NoSuchEntity", f"Policy {own} was not found.")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_of_another_account_in_the_same_store_is_not_attached(iam: Service, kind: str) -> None:
    own, name = await policy(iam, f"moved-{kind}"), await entity(iam, kind, "other-account")
    async with iam.app.store.transaction() as transaction:
        found = transaction.view.managed_policies.with_name(ACCOUNT, f"moved-{kind}")
        account = transaction.view.accounts.with_key(ACCOUNT)
        assert found is not None
        assert account is not None
        await transaction.put(replace(account, account_id="333333333333"))
        await transaction.put(replace(found, account="333333333333", unique_id=f"ANPA{kind.upper():Z<17}"))
    theirs = own.replace(ACCOUNT, "333333333333")
    assert (await refused(iam, f"Attach{kind}Policy", PolicyArn=theirs, **name))[0] == "NoSuchEntity"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", ["Attach{}Policy", "Detach{}Policy"])
async def test_what_is_no_arn_of_a_policy_is_invalid_input(iam: Service, kind: str, operation: str) -> None:
    name = {f"{kind}Name": "bad-arn"}
    if (await asked(iam, f"Get{kind}", **name)).status != 200:
        await entity(iam, kind, "bad-arn")
    bad = f"arn:aws:iam::{ACCOUNT}:role/a"
    assert await refused(iam, operation.format(kind), PolicyArn=bad, **name) == (
        "InvalidInput",
        f"ARN {bad} is not valid.",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", ["Attach{}Policy", "Detach{}Policy", "ListAttached{}Policies"])
async def test_an_entity_that_is_not_there_is_no_such_entity(iam: Service, kind: str, operation: str) -> None:
    more = {} if operation.startswith("List") else {"PolicyArn": OF_AWS}
    found = await refused(iam, operation.format(kind), **{f"{kind}Name": "nothing"}, **more)
    assert found == ("NoSuchEntity", f"The {kind.lower()} with name nothing cannot be found.")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_of_services_is_not_attachable(iam: Service, kind: str) -> None:
    name = await entity(iam, kind, "of-customers")
    linked = "arn:aws:iam::aws:policy/aws-service-role/LinkedServicePolicy"
    found = await refused(iam, f"Attach{kind}Policy", PolicyArn=linked, **name)
    assert found == ("PolicyNotAttachable", f"Cannot attach a Service Role Policy to a Customer {kind}.")


async def test_what_is_attached_permits_the_user_and_the_members_of_the_group(iam: Service) -> None:
    own = await policy(iam, "permits", document(statement("Allow", "iam:ListUsers")))
    key = await person(iam, "permitted")
    assert (await refused(iam, "ListUsers", key))[0] == "AccessDenied"
    await done(iam, "AttachUserPolicy", UserName="permitted", PolicyArn=own)
    assert (await asked(iam, "ListUsers", key)).status == 200
    await done(iam, "DetachUserPolicy", UserName="permitted", PolicyArn=own)
    assert (await refused(iam, "ListUsers", key))[0] == "AccessDenied"
    await entity(iam, "Group", "permitting")
    await done(iam, "AddUserToGroup", GroupName="permitting", UserName="permitted")
    await done(iam, "AttachGroupPolicy", GroupName="permitting", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert (await asked(iam, "ListUsers", key)).status == 200
    await done(iam, "AttachUserPolicy", UserName="permitted", PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    assert (await refused(iam, "ListUsers", key))[0] == "AccessDenied"


async def test_a_role_with_attached_policies_is_not_deleted(iam: Service) -> None:
    name = await entity(iam, "Role", "leaving")
    await done(iam, "AttachRolePolicy", PolicyArn=OF_AWS, **name)
    found = await refused(iam, "DeleteRole", **name)
    assert found == ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    await done(iam, "DetachRolePolicy", PolicyArn=OF_AWS, **name)
    await done(iam, "DeleteRole", **name)


async def test_a_policy_that_an_operator_has_taken_away_is_listed_and_can_be_detached(iam: Service) -> None:
    name = await entity(iam, "Role", "orphan")
    gone = "arn:aws:iam::aws:policy/team/Gone"
    async with iam.app.store.transaction() as transaction:
        role = transaction.view.roles.with_name(ACCOUNT, "orphan")
        assert role is not None
        await transaction.put(replace(role, attached_policies=(gone,)))
    listed = await done(iam, "ListAttachedRolePolicies", PathPrefix="/team/", **name)
    assert listed["AttachedPolicies"] == [{"PolicyName": "Gone", "PolicyArn": gone}]
    await done(iam, "DetachRolePolicy", PolicyArn=gone, **name)
    assert await attached(iam, "Role", name) == []


# Who may


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", ["Attach{}Policy", "Detach{}Policy", "ListAttached{}Policies"])
async def test_a_caller_is_permitted_by_the_arn_of_the_entity(iam: Service, kind: str, operation: str) -> None:
    action, caller = operation.format(kind), f"may-{operation[:6]}-{kind}".replace("{", "")
    name = await entity(iam, kind, caller + "-target", Path="/team/")
    await done(iam, f"Attach{kind}Policy", PolicyArn=OF_AWS, **name)
    target = f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/team/{caller}-target"
    shown = target.replace("/team/", "/")
    allowed = await person(iam, caller, statement("Allow", f"iam:{action}", target))
    other = await person(iam, f"{caller}-not", statement("Allow", f"iam:{action}", shown))
    more = {} if operation.startswith("List") else {"PolicyArn": OF_AWS}
    assert await refused(iam, action, other, **name, **more) == ("AccessDenied", denial(f"{caller}-not", action, shown))
    assert (await asked(iam, action, allowed, **name, **more)).status == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_which_policy_is_attached_is_a_condition(iam: Service, kind: str) -> None:
    only = {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Amazon*"}}
    key = await person(iam, f"only-{kind}", {**statement("Allow", "iam:*"), "Condition": only})
    name, s3 = await entity(iam, kind, "only-target"), "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    await done(iam, f"Attach{kind}Policy", key, PolicyArn=s3, **name)
    await done(iam, f"Detach{kind}Policy", key, PolicyArn=s3, **name)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert (await refused(iam, f"Attach{kind}Policy", key, PolicyArn=administrator, **name))[0] == "AccessDenied"
    assert (await refused(iam, _list(kind), key, **name))[0] == "AccessDenied"  # which has no such key


@pytest.mark.parametrize("kind", ["User", "Role"])
async def test_the_boundary_of_the_target_is_a_condition(iam: Service, kind: str) -> None:
    bounded = {"StringEquals": {"iam:PermissionsBoundary": OF_AWS}}
    key = await person(iam, f"bounded-{kind}", {**statement("Allow", "iam:*"), "Condition": bounded})
    name = await entity(iam, kind, "within", PermissionsBoundary=OF_AWS)
    free = await entity(iam, kind, "free")
    await done(iam, f"Attach{kind}Policy", key, PolicyArn=OF_AWS, **name)
    assert (await refused(iam, f"Attach{kind}Policy", key, PolicyArn=OF_AWS, **free))[0] == "AccessDenied"
