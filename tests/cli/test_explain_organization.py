# SPDX-License-Identifier: Apache-2.0
"""``daypass explain`` on a live store has the organisation's policies too: what it says is what the service does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daypass.cli.explain import app
from daypass.organizations.attachments import attach_policy
from daypass.organizations.places import the_organization
from daypass.organizations.policies import create_policy
from daypass.store import Role
from iam.kitchen import document, statement
from in_process import ACCOUNT, NOW
from organizations.governed import ALLOW_ALL, LAB, OUTSIDE, PROD, governed, rcp
from sts.asking import trusting

GUARDED = document(
    {
        **statement("Deny", "iam:*"),
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{PROD}:role/Breakglass"}},
    }
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """PROD is under a service control policy and a resource control policy of Work; it has two roles."""

    async def make() -> None:
        async with governed(tmp_path) as made:
            top = the_organization(made.store.view()).unique_id
            outsiders = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": top}}
            await create_policy(made.store, "NoIam", "SCP", GUARDED, now=NOW)
            await create_policy(made.store, "Inside", "RCP", rcp("sts:AssumeRole", **outsiders), now=NOW)
            for policy in ("NoIam", "Inside"):
                await attach_policy(made.store, policy, "Work")
            trust = trusting(*(f"arn:aws:iam::{account}:root" for account in (LAB, OUTSIDE)))
            for path, name in (("/", "Breakglass"), ("/", "Plain"), ("/aws-service-role/x.amazonaws.com/", "Linked")):
                role = Role(
                    PROD, path, name, f"AROA{name.upper():Z<17}", None, 3600, trust, (), 0, (), (("a", ALLOW_ALL),)
                )
                async with made.store.transaction() as transaction:
                    await transaction.put(role)
            for account in (LAB, OUTSIDE):
                await made.user(account, "alice")

    asyncio.run(make())
    return tmp_path


def explained(data: Path, *arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["--data-dir", str(data), *arguments])
    return ended.exit_code, ended.output


@pytest.mark.parametrize(("role", "code"), [("Plain", 1), ("Breakglass", 0), ("Linked", 0)])
def test_the_service_control_policies_above_the_caller_count(data: Path, role: str, code: int) -> None:
    found, text = explained(data, "--role", role, "--action", "iam:ListUsers", "--resource-account", PROD)
    assert found == code, text
    if code:
        assert "service control policy" in text


def test_root_of_a_member_is_limited_and_the_management_account_is_not(data: Path) -> None:
    for account, code in ((PROD, 1), (LAB, 0), (ACCOUNT, 0)):
        principal = f"arn:aws:iam::{account}:root"
        assert explained(data, "--principal", principal, "--action", "iam:ListUsers")[0] == code


@pytest.mark.parametrize(("account", "code"), [(LAB, 0), (OUTSIDE, 1)])
def test_the_resource_control_policies_above_the_resource_count_and_see_where_the_caller_belongs(
    data: Path, account: str, code: int
) -> None:
    found, text = explained(
        data,
        *("--principal", f"arn:aws:iam::{account}:user/alice"),
        *("--action", "sts:AssumeRole", "--resource", f"arn:aws:iam::{PROD}:role/Plain"),
    )
    assert found == code, text
    if code:
        assert "resource control policies, ou-" in text
