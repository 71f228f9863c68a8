# SPDX-License-Identifier: Apache-2.0
"""
Principals of trust policies are kept by their unique ids (IAM User Guide, "AWS JSON policy elements: Principal"): a namesake
made later is not trusted, and what is shown is who it is by now.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio

from iam.kitchen import document, statement
from iam.people import asked, done, refused, user_arn
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users and roles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def trusting(principals: str | list[str], **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole", **more})


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


async def make_role(iam: Service, name: str, trust: str) -> None:
    await done(iam, "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)


async def trust_of(iam: Service, name: str) -> Any:
    """The trust policy as it is shown, read."""
    answer = await asked(iam, "GetRole", RoleName=name)
    return json.loads(unquote(answer.text("AssumeRolePolicyDocument") or ""))


async def principals_of(iam: Service, name: str) -> Any:
    return (await trust_of(iam, name))["Statement"][0]["Principal"]["AWS"]


async def kept(iam: Service, name: str) -> tuple[tuple[str, str], ...]:
    role = iam.app.store.view().roles.with_name(ACCOUNT, name)
    assert role is not None
    return role.trust_principals


async def test_users_and_roles_are_kept_by_their_unique_ids(iam: Service) -> None:
    user = (await done(iam, "CreateUser", UserName="ann", Path="/team/"))["User"]
    await make_role(iam, "first", trusting(user["Arn"]))
    role = (await done(iam, "GetRole", RoleName="first"))["Role"]
    await make_role(iam, "second", trusting([user["Arn"], role["Arn"], ACCOUNT]))
    assert await kept(iam, "second") == ((user["Arn"], user["UserId"]), (role["Arn"], role["RoleId"]))
    assert await principals_of(iam, "second") == [user["Arn"], role["Arn"], ACCOUNT]


@pytest.mark.parametrize(
    "principal",
    [
        user_arn("nobody"),
        user_arn("ben"),
        user_arn("BEN", "/team/"),
        role_arn("ben"),
        user_arn("ben", "/team/").replace(ACCOUNT, "210987654321"),
        "AIDA" + "Z" * 17,
        "AROA" + "Z" * 17,
    ],
)
async def test_a_principal_that_is_not_there_is_refused(iam: Service, principal: str) -> None:
    await asked(iam, "CreateUser", UserName="ben", Path="/team/")
    found = await refused(iam, "CreateRole", RoleName="never", AssumeRolePolicyDocument=trusting(principal))
    assert found == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"')


async def test_a_principal_that_was_renamed_is_shown_by_its_new_name(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="maiden")
    await make_role(iam, "trusts-maiden", trusting(user_arn("maiden")))
    await done(iam, "UpdateUser", UserName="maiden", NewUserName="married", NewPath="/m/")
    assert await principals_of(iam, "trusts-maiden") == user_arn("married", "/m/")
    await done(iam, "CreateUser", UserName="maiden")  # who is somebody else
    assert await principals_of(iam, "trusts-maiden") == user_arn("married", "/m/")


async def test_a_principal_that_is_gone_is_shown_by_its_unique_id_and_is_not_its_namesake(iam: Service) -> None:
    gone = (await done(iam, "CreateUser", UserName="gone"))["User"]["UserId"]
    await make_role(iam, "helper", trusting(ACCOUNT))
    condition = {"StringEquals": {"aws:PrincipalArn": user_arn("gone")}}
    trust = trusting([user_arn("gone"), role_arn("helper")], Condition=condition)
    await make_role(iam, "mourning", trust)
    helper = (await done(iam, "GetRole", RoleName="helper"))["Role"]["RoleId"]
    await done(iam, "DeleteUser", UserName="gone")
    await done(iam, "DeleteRole", RoleName="helper")
    await done(iam, "CreateUser", UserName="gone")
    await make_role(iam, "helper", trusting(ACCOUNT))
    shown = await trust_of(iam, "mourning")
    assert shown["Statement"][0]["Principal"]["AWS"] == [gone, helper]
    assert shown["Statement"][0]["Condition"] == condition  # only principals stand for ids
    [listed] = [role for role in (await done(iam, "ListRoles"))["Roles"] if role["RoleName"] == "mourning"]
    assert json.loads(unquote(listed["AssumeRolePolicyDocument"])) == shown
    role = iam.app.store.view().roles.with_name(ACCOUNT, "mourning")
    assert role is not None
    assert role.trust_policy == trust  # kept as it was sent
    found = await refused(iam, "UpdateAssumeRolePolicy", RoleName="mourning", PolicyDocument=json.dumps(shown))
    assert found == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{min(gone, helper)}"')


async def test_a_unique_id_that_somebody_has_is_shown_as_their_arn(iam: Service) -> None:
    unique_id = (await done(iam, "CreateUser", UserName="numbered"))["User"]["UserId"]
    await make_role(iam, "by-number", trusting([unique_id, "*"]))
    assert await principals_of(iam, "by-number") == [user_arn("numbered"), "*"]
    await done(iam, "DeleteUser", UserName="numbered")
    assert await principals_of(iam, "by-number") == [unique_id, "*"]


async def test_statements_without_such_principals_are_shown_as_they_are(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="several")
    service_principal = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    named = {**service_principal, "Principal": {"AWS": user_arn("several")}}
    await make_role(iam, "mixed", document(service_principal, named))
    await done(iam, "DeleteUser", UserName="several")
    assert (await trust_of(iam, "mixed"))["Statement"][0] == service_principal


async def test_a_policy_with_a_single_statement_is_shown_so(iam: Service) -> None:
    unique_id = (await done(iam, "CreateUser", UserName="single"))["User"]["UserId"]
    one = {**statement("Allow", "sts:AssumeRole"), "Principal": {"AWS": user_arn("single")}}
    del one["Resource"]
    await make_role(iam, "single", json.dumps({"Version": "2012-10-17", "Statement": one}))
    await done(iam, "DeleteUser", UserName="single")
    shown = await trust_of(iam, "single")
    assert shown == {"Version": "2012-10-17", "Statement": {**one, "Principal": {"AWS": unique_id}}}
