# SPDX-License-Identifier: Apache-2.0
"""The organisation's policies count in every decision of member accounts, at each level, from the next request on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from msgspec.structs import replace

from daypass.access import RequestFacts, Resource, trust
from daypass.access.authenticate import Caller
from daypass.access.authorize import layers_of
from daypass.access.organization import (
    resource_control_policies,
    same_organization,
    service_control_policies,
)
from daypass.errors import AccessDeniedError
from daypass.identity import Identity
from daypass.organizations.accounts import close_account, reopen_account
from daypass.organizations.places import the_organization, unit_of
from daypass.organizations.units import move_account
from daypass.policy import Request, decide
from daypass.principal import RoleSession
from daypass.store import Role
from iam.kitchen import document, statement
from in_process import ACCOUNT, NOW
from organizations.governed import ALLOW_ALL, LAB, OUTSIDE, PROD, Governed, governed, rcp
from sts.asking import refusal, session_of, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")
DENY_LIST = document(statement("Deny", "iam:ListUsers"))
BY_SCP = "with an explicit deny in a service control policy"
BY_RCP = "with an explicit deny in a resource control policy"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def org(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Governed]:
    """One organisation for all: what a test attaches it detaches."""
    async with governed(tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admins(org: Governed) -> dict[str, Credentials]:
    """A user who may do everything, in every account."""
    return {account: await org.user(account, "admin") for account in (ACCOUNT, LAB, PROD, OUTSIDE)}


async def listing(org: Governed, key: Credentials) -> str:
    """What ListUsers answers: nothing to complain of, or the sentence of the denial."""
    answer = await org.service.call("iam", "ListUsers", key)
    assert (answer.status, answer.code) in ((200, None), (403, "AccessDenied"))
    return "" if answer.status == 200 else answer.message


def sentence(caller: str, account: str, reason: str) -> str:
    return f"User: arn:aws:iam::{account}:{caller} is not authorized to perform: iam:ListUsers {reason}"


# Service control policies


@pytest.mark.parametrize("target", ["root", "Work", "Prod", PROD])
async def test_a_deny_at_any_level_above_an_account_denies(
    org: Governed, admins: dict[str, Credentials], target: str
) -> None:
    assert await listing(org, admins[PROD]) == ""
    async with org.attached(DENY_LIST, target):
        assert (await listing(org, admins[PROD])).endswith(BY_SCP)
    assert await listing(org, admins[PROD]) == ""


@pytest.mark.parametrize("target", ["root", "Work", "Prod", PROD])
async def test_each_level_must_allow_for_itself(org: Governed, admins: dict[str, Credentials], target: str) -> None:
    async with org.attached(document(statement("Allow", "sts:*")), target, alone=True):
        told = await listing(org, admins[PROD])
        assert told.endswith("because no service control policy allows the iam:ListUsers action")


async def test_an_allow_below_does_not_make_up_for_one_that_is_missing_above(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    async with (
        org.attached(document(statement("Allow", "sts:*")), "Work", alone=True),
        org.attached(document(statement("Allow", "iam:*")), PROD),
    ):
        assert "no service control policy allows" in await listing(org, admins[PROD])


async def test_an_allow_list_at_every_level_lets_what_it_names_through(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    async with org.attached(document(statement("Allow", "iam:List*")), "Work", "Prod", PROD, alone=True):
        assert await listing(org, admins[PROD]) == ""
        refused = await org.service.call("iam", "CreateUser", admins[PROD], UserName="nobody")
        assert refused.message.endswith("because no service control policy allows the iam:CreateUser action")


async def test_a_service_control_policy_gives_nothing(org: Governed) -> None:
    key = await org.user(PROD, "poor", policy=None)
    assert "no identity-based policy allows" in await listing(org, key)


async def test_policies_beside_an_account_do_not_reach_it(org: Governed, admins: dict[str, Credentials]) -> None:
    async with org.attached(DENY_LIST, "Work", LAB):
        assert await listing(org, admins[ACCOUNT]) == ""
    async with org.attached(DENY_LIST, "Work"):
        assert await listing(org, admins[LAB]) == ""


async def test_the_root_user_of_a_member_account_is_limited_too(org: Governed) -> None:
    assert await listing(org, org.roots[PROD]) == ""
    async with org.attached(DENY_LIST, "Prod"):
        assert await listing(org, org.roots[PROD]) == sentence("root", PROD, BY_SCP)


@pytest.mark.parametrize("target", ["root", ACCOUNT])
async def test_the_management_account_is_not_limited(
    org: Governed, admins: dict[str, Credentials], target: str
) -> None:
    async with org.attached(DENY_LIST, target):
        assert await listing(org, admins[ACCOUNT]) == ""
        assert await listing(org, org.roots[ACCOUNT]) == ""


async def test_an_account_that_is_no_member_is_not_limited(org: Governed, admins: dict[str, Credentials]) -> None:
    async with org.attached(DENY_LIST, "root"):
        assert await listing(org, admins[OUTSIDE]) == ""


async def test_an_account_that_is_moved_is_under_the_policies_of_its_new_place(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    async with org.attached(DENY_LIST, "Work"):
        await move_account(org.store, PROD, "root")
        assert await listing(org, admins[PROD]) == ""
        await move_account(org.store, PROD, "Prod")
        assert await listing(org, admins[PROD]) == sentence("user/admin", PROD, BY_SCP)


async def test_sessions_of_roles_are_limited_by_the_policies_of_their_own_account(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    async with org.store.transaction() as transaction:
        await transaction.put(made_role(PROD, "Limited", trusting(f"arn:aws:iam::{ACCOUNT}:root")))
    key = await session_of(org.service, admins[ACCOUNT], f"arn:aws:iam::{PROD}:role/Limited")
    assert await listing(org, key) == ""
    async with org.attached(DENY_LIST, "Work"):
        assert (await listing(org, key)).endswith(BY_SCP)


async def test_nobody_is_kept_from_knowing_who_they_are(org: Governed, admins: dict[str, Credentials]) -> None:
    async with org.attached(document(statement("Deny", "*")), "root"):
        assert (await org.service.call("sts", "GetCallerIdentity", admins[PROD])).status == 200


async def test_sessions_of_service_linked_roles_are_left_alone(org: Governed) -> None:
    everybody = (("main", ALLOW_ALL),)
    linked = Role(PROD, "/aws-service-role/x/", "Linked", "AROALINKED", None, 3600, "{}", (), 0, (), everybody)
    plain = replace(linked, path="/", name="Plain")
    async with org.attached(DENY_LIST, "root"):
        for role, allowed in ((linked, True), (plain, False)):
            session = RoleSession(PROD, role.path, role.name, role.unique_id, "s")
            layers = layers_of(Caller(session, "ASIA", "us-east-1", role=role), Resource("*", PROD), org.store.view())
            assert decide(Request("iam:ListUsers", "*", PROD, session), layers).allowed is allowed


# Resource control policies


def made_role(account: str, name: str, trust_policy: str) -> Role:
    """A role whose sessions may do everything."""
    return Role(
        account, "/", name, f"AROA{name.upper():Z<17}", None, 3600, trust_policy, (), 0, (), (("main", ALLOW_ALL),)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def role(org: Governed) -> str:
    """A role of PROD that trusts every account that it knows."""
    accounts = [f"arn:aws:iam::{account}:root" for account in (ACCOUNT, LAB, PROD, OUTSIDE)]
    made = made_role(PROD, "Shared", trusting(*accounts))
    async with org.store.transaction() as transaction:
        await transaction.put(made)
        await transaction.put(made_role(ACCOUNT, "AtTheTop", trusting(*accounts)))
    return made.arn


IN_ORGANIZATION = rcp("sts:AssumeRole", StringNotEquals={"aws:PrincipalOrgID": "ORGANIZATION"})


async def assuming(org: Governed, key: Credentials, role: str) -> str:
    """What AssumeRole answers: nothing to complain of, or the sentence of the denial."""
    code, message = await refusal(org.service, "AssumeRole", key, RoleArn=role, RoleSessionName="session")
    assert code in (None, "AccessDenied")
    return message


@pytest.mark.parametrize("target", ["root", "Work", "Prod", PROD])
async def test_a_resource_control_policy_keeps_callers_of_other_organisations_out(
    org: Governed, admins: dict[str, Credentials], role: str, target: str
) -> None:
    text = IN_ORGANIZATION.replace("ORGANIZATION", the_organization(org.store.view()).unique_id)
    assert await assuming(org, admins[OUTSIDE], role) == ""
    async with org.attached(text, target, form="RCP"):
        for account in (ACCOUNT, LAB, PROD):
            assert await assuming(org, admins[account], role) == ""
        told = await assuming(org, admins[OUTSIDE], role)
        assert told.startswith(f"User: arn:aws:iam::{OUTSIDE}:user/admin is not authorized to perform: sts:AssumeRole")


async def test_a_caller_of_the_account_is_told_that_it_was_a_resource_control_policy(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    async with org.attached(rcp("sts:GetAccessKeyInfo"), "Work", form="RCP"):
        told = await refusal(org.service, "GetAccessKeyInfo", admins[PROD], AccessKeyId=admins[PROD].access_key)
        caller = f"arn:aws:iam::{PROD}:user/admin"
        assert told == ("AccessDenied", f"User: {caller} is not authorized to perform: sts:GetAccessKeyInfo {BY_RCP}")


async def test_who_may_assume_a_role_but_for_a_resource_control_policy_is_not_told_of_it(
    org: Governed, admins: dict[str, Credentials], role: str
) -> None:
    """Missing role and denied role are refused alike."""
    async with org.attached(rcp("sts:AssumeRole"), "Work", form="RCP"):
        told = await assuming(org, admins[PROD], role)
        missing = await assuming(org, admins[PROD], f"{role}-not")
        assert told == missing.replace("-not", "")


async def test_resources_of_the_management_account_and_of_accounts_beside_are_left_alone(
    org: Governed, admins: dict[str, Credentials], role: str
) -> None:
    top = f"arn:aws:iam::{ACCOUNT}:role/AtTheTop"
    async with org.attached(rcp("sts:AssumeRole"), "root", form="RCP"):
        assert await assuming(org, admins[OUTSIDE], top) == ""
    async with org.attached(rcp("sts:AssumeRole"), LAB, form="RCP"):
        assert await assuming(org, admins[LAB], role) == ""


async def test_resource_control_policies_do_not_speak_of_iam(org: Governed, admins: dict[str, Credentials]) -> None:
    async with org.attached(rcp("iam:*"), "root", form="RCP"):
        assert await listing(org, admins[PROD]) == ""


FACTS = RequestFacts(NOW, "192.0.2.1", secure=True)
PROVIDER = f"arn:aws:iam::{PROD}:oidc-provider/idp.example.org"
PROVEN = Identity(
    account=PROD,
    provider_arn=PROVIDER,
    provider="https://idp.example.org",
    subject="alice",
    audience="app",
    context={"idp.example.org:sub": "alice"},
)
WEB = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
        },
    }
)


def trusts(org: Governed) -> bool:
    """Whether a role of PROD trusts alice of the provider."""
    try:
        trust(
            PROVEN,
            made_role(PROD, "Web", WEB),
            action="sts:AssumeRoleWithWebIdentity",
            session_name="s",
            facts=FACTS,
            view=org.store.view(),
        )
    except AccessDeniedError:
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "trusted"),
    [
        ({}, False),
        ({"StringEquals": {"idp.example.org:sub": "alice"}}, False),
        ({"StringEquals": {"idp.example.org:sub": "bob"}}, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-anything00"}}, False),
        ({"Null": {"aws:PrincipalOrgID": "false"}}, True),
    ],
)
async def test_resource_control_policies_limit_who_brings_a_proof(
    org: Governed, condition: dict[str, Any], trusted: bool
) -> None:
    assert trusts(org)
    async with org.attached(rcp("sts:AssumeRoleWithWebIdentity", **condition), "Work", form="RCP"):
        assert trusts(org) is trusted
    async with org.attached(rcp("sts:AssumeRoleWithWebIdentity", **condition), LAB, form="RCP"):
        assert trusts(org)


async def test_service_control_policies_do_not_limit_who_brings_a_proof(org: Governed) -> None:
    async with org.attached(document(statement("Deny", "*")), "root", PROD):
        assert trusts(org)


# Where the caller and the resource are


def path_of_prod(org: Governed) -> str:
    view = org.store.view()
    top = the_organization(view)
    units = [unit_of(name, view).unique_id for name in ("Work", "Prod")]
    return "/".join((top.unique_id, top.root_id, *units)) + "/"


@pytest.mark.parametrize(
    ("account", "operator", "key", "place", "allowed"),
    [
        (PROD, "StringEquals", "aws:PrincipalOrgID", "ORGANIZATION", True),
        (PROD, "StringEquals", "aws:PrincipalOrgID", "o-another000", False),
        (ACCOUNT, "StringEquals", "aws:PrincipalOrgID", "ORGANIZATION", True),
        (OUTSIDE, "StringEquals", "aws:PrincipalOrgID", "ORGANIZATION", False),
        (PROD, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "PATH", True),
        (PROD, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "ORGANIZATION/*/*/*", True),
        (LAB, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "ORGANIZATION/*", True),
        (LAB, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "PATH*", False),
        (OUTSIDE, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*", False),
        (LAB, "StringEquals", "aws:ResourceOrgID", "${aws:PrincipalOrgID}", True),
        (OUTSIDE, "StringEquals", "aws:ResourceOrgID", "ORGANIZATION", False),
        (PROD, "ForAnyValue:StringEquals", "aws:ResourceOrgPaths", "PATH", True),
        (LAB, "ForAnyValue:StringEquals", "aws:ResourceOrgPaths", "PATH", False),
    ],
)
async def test_policies_can_ask_where_the_caller_and_the_resource_belong(
    org: Governed, account: str, operator: str, key: str, place: str, allowed: bool
) -> None:
    top = the_organization(org.store.view()).unique_id
    wanted = place.replace("ORGANIZATION", top).replace("PATH", path_of_prod(org))
    policy = document({**statement("Allow", "iam:ListUsers"), "Condition": {operator: {key: wanted}}})
    name = f"asks-{len(org.store.view().users)}"
    assert (await listing(org, await org.user(account, name, policy)) == "") is allowed


async def test_a_trust_policy_can_ask_for_the_organisation_of_the_caller(
    org: Governed, admins: dict[str, Credentials]
) -> None:
    top = the_organization(org.store.view()).unique_id
    text = trusting("*", Condition={"StringEquals": {"aws:PrincipalOrgID": top}})
    made = made_role(PROD, "ForMembers", text)
    async with org.store.transaction() as transaction:
        await transaction.put(made)
    assert await assuming(org, admins[LAB], made.arn) == ""
    assert await assuming(org, admins[OUTSIDE], made.arn) != ""


# Closed accounts


async def test_a_closed_account_lets_nobody_in_from_the_next_request_on(
    org: Governed, admins: dict[str, Credentials], role: str
) -> None:
    session = await session_of(org.service, admins[LAB], role)
    keys = (org.roots[PROD], admins[PROD], session)
    await close_account(org.store, PROD, now=NOW)
    try:
        for key in keys:
            answer = await org.service.call("sts", "GetCallerIdentity", key)
            expected = "The security token included in the request is invalid."
            assert (answer.status, answer.code, answer.message) == (403, "InvalidClientTokenId", expected)
        assert not trusts(org)
        assert (await org.service.call("sts", "GetCallerIdentity", admins[LAB])).status == 200
    finally:
        await reopen_account(org.store, PROD)
    for key in keys:
        assert (await org.service.call("sts", "GetCallerIdentity", key)).status == 200


# What is gone, and what is remembered


@pytest.mark.parametrize("change", ["policy", "unit", "cycle"])
async def test_a_policy_or_a_level_that_is_gone_lets_nobody_pass(
    org: Governed, admins: dict[str, Credentials], role: str, change: str
) -> None:
    before = unit_of("Prod", org.store.view())
    broken = {
        "policy": replace(before, policies=(*before.policies, "p-nowhere000")),
        "unit": replace(before, parent="ou-none-nowhere0"),
        "cycle": replace(before, parent=before.unique_id),
    }
    async with org.store.transaction() as transaction:
        await transaction.put(broken[change])
    try:
        assert (await listing(org, admins[PROD])).endswith(BY_SCP)
        assert await assuming(org, admins[LAB], role) != ""
        assert not trusts(org)
    finally:
        async with org.store.transaction() as transaction:
            await transaction.put(before)
    assert await listing(org, admins[PROD]) == ""


async def test_what_was_gathered_stays_until_the_organisation_changes(org: Governed) -> None:
    def gathered() -> tuple[Any, Any]:
        view = org.store.view()
        return service_control_policies(PROD, view), resource_control_policies(PROD, view)

    first = gathered()
    await org.user(PROD, "by-the-way")
    assert all(now is then for now, then in zip(gathered(), first, strict=True))
    async with org.attached(DENY_LIST, "Work"):
        second = gathered()
        assert all(now is not then for now, then in zip(second, first, strict=True))
    assert gathered() == first


async def test_without_a_membership_nothing_is_remembered(org: Governed) -> None:
    view = org.store.view()
    service_control_policies(PROD, view)
    known = len(view.organization_memory)
    for number in range(100):
        assert service_control_policies(f"{number:012d}", view) is None
    assert len(view.organization_memory) == known


async def test_members_know_each_other_and_nobody_else(org: Governed) -> None:
    view = org.store.view()
    assert same_organization(ACCOUNT, PROD, view)
    assert same_organization(LAB, PROD, view)
    assert not same_organization(PROD, OUTSIDE, view)
    assert not same_organization(OUTSIDE, OUTSIDE, view)
