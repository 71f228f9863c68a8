# SPDX-License-Identifier: Apache-2.0
"""Permissions boundaries: given, shown, taken away, and the condition key that says which one it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from iam.kitchen import document, statement
from iam.people import ALLOW_ALL, asked, done, managed, person, refused, user_arn
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOUNDARY, OTHER = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("boundary", "other"))
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
MAKE: dict[str, dict[str, Any]] = {"User": {}, "Role": {"AssumeRolePolicyDocument": TRUST}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all, with two policies of the account."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        for name in ("boundary", "other"):
            await managed(running, name, statement("Allow", "iam:Get*"))
        yield running


def shown(policy_arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": policy_arn}


def only(boundary: str | None) -> dict[str, Any]:
    """The condition that the boundary is this one, or that there is none."""
    key = "iam:PermissionsBoundary"
    return {"Null": {key: "true"}} if boundary is None else {"StringEquals": {key: boundary}}


@pytest.mark.parametrize("kind", MAKE)
async def test_a_boundary_is_shown_for_one_and_not_in_lists(iam: Service, kind: str) -> None:
    named = {f"{kind}Name": f"bounded-{kind}"}
    made = await done(iam, f"Create{kind}", **named, **MAKE[kind], Path="/bounded/", PermissionsBoundary=BOUNDARY)
    assert made[kind]["PermissionsBoundary"] == shown(BOUNDARY)
    assert (await done(iam, f"Get{kind}", **named))[kind]["PermissionsBoundary"] == shown(BOUNDARY)
    [listed] = (await done(iam, f"List{kind}s", PathPrefix="/bounded/"))[f"{kind}s"]
    assert "PermissionsBoundary" not in listed
    await done(iam, f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=OTHER)
    assert (await done(iam, f"Get{kind}", **named))[kind]["PermissionsBoundary"] == shown(OTHER)
    for _ in range(2):  # one that has none is no error
        await done(iam, f"Delete{kind}PermissionsBoundary", **named)
    assert "PermissionsBoundary" not in (await done(iam, f"Get{kind}", **named))[kind]


@pytest.mark.parametrize("kind", MAKE)
async def test_a_policy_of_aws_can_be_a_boundary(iam: Service, kind: str) -> None:
    await done(iam, f"Create{kind}", **{f"{kind}Name": f"read-only-{kind}"}, **MAKE[kind], PermissionsBoundary=OF_AWS)


@pytest.mark.parametrize(
    ("boundary", "code", "words"),
    [
        (
            f"arn:aws:iam::{ACCOUNT}:policy/nothing",
            "NoSuchEntity",
            "Scope ARN: {} does not exist or is not attachable.",
        ),
        (
            f"arn:aws:iam::{ACCOUNT}:policy/x/boundary",
            "NoSuchEntity",
            "Scope ARN: {} does not exist or is not attachable.",
        ),
        (
            "arn:aws:iam::aws:policy/NoSuchPolicyOfAws",
            "NoSuchEntity",
            "Scope ARN: {} does not exist or is not attachable.",
        ),
        (f"arn:aws:iam::{ACCOUNT}:role/boundary", "NoSuchEntity", "Scope ARN: {} does not exist or is not attachable."),
        ("twenty characters long", "InvalidInput", "ARN {} is not valid."),
    ],
)
@pytest.mark.parametrize("kind", MAKE)
async def test_a_boundary_is_a_policy_that_there_is(
    iam: Service, kind: str, boundary: str, code: str, words: str
) -> None:
    expected = (code, words.format(boundary))
    named = {f"{kind}Name": f"never-{kind}"}
    assert await refused(iam, f"Create{kind}", **named, **MAKE[kind], PermissionsBoundary=boundary) == expected
    assert (await refused(iam, f"Get{kind}", **named))[0] == "NoSuchEntity"
    there = {f"{kind}Name": f"there-{kind}"}
    await asked(iam, f"Create{kind}", **there, **MAKE[kind])
    assert await refused(iam, f"Put{kind}PermissionsBoundary", **there, PermissionsBoundary=boundary) == expected


async def test_a_policy_of_another_account_is_no_boundary(iam: Service) -> None:
    elsewhere = "210987654321"
    async with iam.app.store.transaction() as transaction:
        account = transaction.view.accounts.with_key(ACCOUNT)
        assert account is not None
        await transaction.put(type(account)(elsewhere, 1))
    foreign = await managed(iam, "foreign", statement("Allow", "*"), account=elsewhere)
    found = await refused(iam, "CreateUser", UserName="stranger", PermissionsBoundary=foreign)
    assert found == ("NoSuchEntity", f"Scope ARN: {foreign} does not exist or is not attachable.")


@pytest.mark.parametrize("kind", MAKE)
async def test_whoever_may_create_with_a_boundary_may_not_without_it(iam: Service, kind: str) -> None:
    allow = {**statement("Allow", f"iam:Create{kind}"), "Condition": only(BOUNDARY)}
    key = await person(iam, f"creator-of-{kind}s", allow)
    named = {f"{kind}Name": f"delegated-{kind}", **MAKE[kind]}
    for boundary in ({}, {"PermissionsBoundary": OTHER}):
        assert (await refused(iam, f"Create{kind}", key, **named, **boundary))[0] == "AccessDenied"
    await done(iam, f"Create{kind}", key, **named, PermissionsBoundary=BOUNDARY)


@pytest.mark.parametrize("kind", MAKE)
async def test_who_puts_a_boundary_is_judged_by_the_one_that_is_passed(iam: Service, kind: str) -> None:
    allow = {**statement("Allow", f"iam:Put{kind}PermissionsBoundary"), "Condition": only(OTHER)}
    key = await person(iam, f"putter-on-{kind}s", allow)
    named = {f"{kind}Name": f"put-on-{kind}"}
    await done(iam, f"Create{kind}", **named, **MAKE[kind], PermissionsBoundary=BOUNDARY)
    put = f"Put{kind}PermissionsBoundary"
    assert (await refused(iam, put, key, **named, PermissionsBoundary=BOUNDARY))[0] == "AccessDenied"
    await done(iam, put, key, **named, PermissionsBoundary=OTHER)


WRITES: dict[str, dict[str, str]] = {
    "Put{}Policy": {"PolicyName": "p", "PolicyDocument": ALLOW_ALL},
    "Delete{}Policy": {"PolicyName": "p"},
    "Delete{}PermissionsBoundary": {},
}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("write", WRITES)
async def test_writes_of_policies_are_judged_by_the_boundary_that_is_there(iam: Service, kind: str, write: str) -> None:
    operation = write.format(kind)
    key = await person(iam, f"w-{operation}", {**statement("Allow", f"iam:{operation}"), "Condition": only(BOUNDARY)})
    for boundary in (None, OTHER, BOUNDARY):
        named = {f"{kind}Name": f"{operation}-{str(boundary)[-5:]}"}
        settings = {} if boundary is None else {"PermissionsBoundary": boundary}
        await done(iam, f"Create{kind}", **named, **MAKE[kind], **settings)
        await done(iam, f"Put{kind}Policy", **named, PolicyName="p", PolicyDocument=ALLOW_ALL)
        if boundary == BOUNDARY:
            await done(iam, operation, key, **named, **WRITES[write])
        else:
            assert (await refused(iam, operation, key, **named, **WRITES[write]))[0] == "AccessDenied"


@pytest.mark.parametrize("operation", ["GetUser", "TagUser", "CreateAccessKey", "DeleteUser"])
async def test_other_operations_do_not_have_the_key(iam: Service, operation: str) -> None:
    await done(iam, "CreateUser", UserName=f"keyless-{operation}", PermissionsBoundary=BOUNDARY)
    allow = {**statement("Allow", f"iam:{operation}"), "Condition": only(BOUNDARY)}
    key = await person(iam, f"asker-{operation}", allow)
    more = {"Tags": [{"Key": "a", "Value": "b"}]} if operation == "TagUser" else {}
    found = await refused(iam, operation, key, UserName=f"keyless-{operation}", **more)
    assert found[0] == "AccessDenied"


async def test_a_boundary_bounds_from_the_next_request_on(iam: Service) -> None:
    key = await person(iam, "bounded", statement("Allow", "iam:*"))
    assert (await asked(iam, "ListUsers", key)).status == 200
    await done(iam, "PutUserPermissionsBoundary", UserName="bounded", PermissionsBoundary=BOUNDARY)
    assert await refused(iam, "ListUsers", key) == (
        "AccessDenied",
        f"User: {user_arn('bounded')} is not authorized to perform: iam:ListUsers because no permissions"
        " boundary allows the iam:ListUsers action",
    )
    assert (await asked(iam, "GetUser", key)).status == 200
    await done(iam, "DeleteUserPermissionsBoundary", UserName="bounded")
    assert (await asked(iam, "ListUsers", key)).status == 200
