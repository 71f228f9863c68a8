# SPDX-License-Identifier: Apache-2.0
"""AssumeRoot: who may act as whose root user, for what, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.organizations.accounts import close_account, reopen_account
from iam.kitchen import document, statement
from iam.people import asked as asked_iam
from iam.people import done
from in_process import ACCOUNT, ROOT, Service
from organizations.governed import LAB, OUTSIDE, PROD, Governed, governed
from sts.asking import asked, given, keys_of, refusal, session_of, who
from sts.holding import expires_at, new_name, role, session_in, trusting_account

pytestmark = pytest.mark.asyncio(loop_scope="module")
TASKS = "arn:aws:iam::aws:policy/root-task/"
AUDIT, DELETE = f"{TASKS}IAMAuditRootUserCredentials", f"{TASKS}IAMDeleteRootUserCredentials"
REFUSED = (
    "AccessDenied",
    "Only the management account of an organization can assume the root user of its member accounts.",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accounts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Governed]:
    """One organisation for all."""
    async with governed(tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture
def sts(accounts: Governed) -> Service:
    return accounts.service


def wanted(account: str = LAB, task: str = AUDIT, **more: Any) -> dict[str, Any]:
    return {"TargetPrincipal": account, "TaskPolicyArn": {"arn": task}, **more}


async def task_session(sts: Service, account: str = LAB, task: str = AUDIT, **more: Any) -> Credentials:
    return keys_of(await given(sts, "AssumeRoot", ROOT, **wanted(account, task, **more)))


@pytest.mark.parametrize("target", [LAB, f"arn:aws:iam::{LAB}:root"])
async def test_the_session_is_of_the_root_user_of_the_account_that_was_named(sts: Service, target: str) -> None:
    output = await given(sts, "AssumeRoot", ROOT, **wanted() | {"TargetPrincipal": target})
    assert set(output) == {"Credentials", "SessionTokenSize", "SessionTokenUtilization"}
    identity = await given(sts, "GetCallerIdentity", keys_of(output))
    assert identity == {"UserId": LAB, "Account": LAB, "Arn": f"arn:aws:iam::{LAB}:root"}


async def test_a_session_for_a_task_may_do_what_its_task_policy_allows_and_nothing_else(
    sts: Service, accounts: Governed
) -> None:
    audit, delete = await task_session(sts), await task_session(sts, task=DELETE)
    for session in (audit, delete):
        assert (await asked_iam(sts, "ListAccessKeys", session)).status == 200
        for operation in ("ListUsers", "CreateAccessKey"):
            assert (await asked_iam(sts, operation, session)).code == "AccessDenied"
        assert (await asked_iam(sts, "CreateUser", session, UserName="mallory")).code == "AccessDenied"
    extra = (await done(sts, "CreateAccessKey", accounts.roots[LAB]))["AccessKey"]["AccessKeyId"]
    assert (await asked_iam(sts, "DeleteAccessKey", audit, AccessKeyId=extra)).code == "AccessDenied"
    assert (await asked_iam(sts, "DeleteAccessKey", delete, AccessKeyId=extra)).status == 200


async def test_a_session_for_a_task_touches_no_user_of_the_account(sts: Service, accounts: Governed) -> None:
    key = await accounts.user(LAB, new_name("user"))
    name = (await who(sts, key)).rpartition("/")[2]
    session = await task_session(sts, task=DELETE)
    parameters = {"UserName": name, "AccessKeyId": str(key.access_key)}
    assert (await asked_iam(sts, "DeleteAccessKey", session, **parameters)).code == "AccessDenied"
    assert (await asked_iam(sts, "ListAccessKeys", session, UserName=name)).code == "AccessDenied"


@pytest.mark.parametrize("operation", ["AssumeRoot", "GetSessionToken", "GetAccessKeyInfo", "AssumeRole"])
async def test_a_session_for_a_task_asks_sts_for_nothing(sts: Service, operation: str) -> None:
    parameters: dict[str, dict[str, Any]] = {
        "AssumeRoot": wanted(PROD),
        "GetSessionToken": {},
        "GetAccessKeyInfo": {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        "AssumeRole": {"RoleArn": await role(sts), "RoleSessionName": "test"},
    }
    session = await task_session(sts)
    assert await refusal(sts, operation, session, **parameters[operation]) == (
        "AccessDenied",
        f"Cannot call {operation} with session credentials",
    )


async def test_a_session_for_a_task_lasts_as_long_as_was_asked_for_or_fifteen_minutes(sts: Service) -> None:
    now = int(sts.clock())
    assert expires_at(await given(sts, "AssumeRoot", ROOT, **wanted())) == now + 900
    for seconds in (0, 1, 899, 900):
        assert expires_at(await given(sts, "AssumeRoot", ROOT, **wanted(DurationSeconds=seconds))) == now + seconds


async def test_the_token_of_a_session_for_a_task_has_the_size_that_was_asked_for(sts: Service) -> None:
    output = await given(sts, "AssumeRoot", ROOT, **wanted(MinimumSessionTokenSize=4096))
    assert len(output["Credentials"]["SessionToken"]) == output["SessionTokenSize"] >= 4096
    assert await who(sts, keys_of(output))


# Who, and whose


@pytest.mark.parametrize("target", [ACCOUNT, OUTSIDE, "999999999999"])
async def test_the_management_account_acts_for_its_other_members_only(sts: Service, target: str) -> None:
    assert await refusal(sts, "AssumeRoot", ROOT, **wanted(target)) == REFUSED


@pytest.mark.parametrize("caller", [LAB, OUTSIDE])
@pytest.mark.parametrize("target", [LAB, PROD, ACCOUNT, OUTSIDE])
async def test_no_other_account_acts_for_any(sts: Service, accounts: Governed, caller: str, target: str) -> None:
    if caller in accounts.roots:
        assert await refusal(sts, "AssumeRoot", accounts.roots[caller], **wanted(target)) == REFUSED
    user = await accounts.user(caller, new_name("user"))
    assert await refusal(sts, "AssumeRoot", user, **wanted(target)) == REFUSED


async def test_it_needs_a_permission_that_can_be_for_one_account_and_one_task(sts: Service, accounts: Governed) -> None:
    without = await accounts.user(ACCOUNT, new_name("user"), None)
    code, message = await refusal(sts, "AssumeRoot", without, **wanted())
    assert code == "AccessDenied"
    assert f"sts:AssumeRoot on resource: arn:aws:iam::{LAB}:root because no identity-based policy" in message
    narrow = {**statement("Allow", "sts:AssumeRoot", f"arn:aws:iam::{LAB}:root")}
    narrow["Condition"] = {"StringEquals": {"sts:TaskPolicyArn": AUDIT}}
    auditor = await accounts.user(ACCOUNT, new_name("user"), document(narrow))
    await given(sts, "AssumeRoot", auditor, **wanted())
    for refused in (wanted(PROD), wanted(task=DELETE)):
        assert (await refusal(sts, "AssumeRoot", auditor, **refused))[0] == "AccessDenied"


async def test_nobody_acts_for_a_closed_account_and_sessions_end_with_it(sts: Service, accounts: Governed) -> None:
    session = await task_session(sts, PROD)
    assert await who(sts, session)
    await close_account(accounts.store, PROD, now=sts.clock())
    try:
        assert await refusal(sts, "AssumeRoot", ROOT, **wanted(PROD)) == REFUSED
        assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"
    finally:
        await reopen_account(accounts.store, PROD)


async def test_the_organisations_policies_bind_a_session_for_a_task(sts: Service, accounts: Governed) -> None:
    session = await task_session(sts)
    assert (await asked_iam(sts, "ListAccessKeys", session)).status == 200
    async with accounts.attached(document(statement("Deny", "iam:ListAccessKeys")), LAB):
        assert (await asked_iam(sts, "ListAccessKeys", session)).code == "AccessDenied"
    condition = {"Bool": {"aws:AssumedRoot": "true"}}
    async with accounts.attached(document({**statement("Deny", "iam:*"), "Condition": condition}), LAB):
        assert (await asked_iam(sts, "ListAccessKeys", session)).code == "AccessDenied"
        assert (await asked_iam(sts, "ListAccessKeys", accounts.roots[LAB])).status == 200


# What it came from


async def test_a_role_session_makes_one_that_ends_with_it_and_keeps_its_source_identity(
    sts: Service, accounts: Governed
) -> None:
    name = new_name("user")
    key = await accounts.user(ACCOUNT, name)
    role_arn = await role(sts, statement("Allow", "sts:*"), trust=trusting_account())
    first = await session_of(sts, key, role_arn, SourceIdentity="ann", DurationSeconds=900)
    sts.clock.advance(300)
    output = await given(sts, "AssumeRoot", first, **wanted())
    assert output["SourceIdentity"] == "ann"
    assert expires_at(output) == session_in(sts, first).expires_at
    session = keys_of(output)
    assert await who(sts, session)
    await done(sts, "DeleteRolePolicy", RoleName=role_arn.rpartition("/")[2], PolicyName="main")
    await done(sts, "DeleteRole", RoleName=role_arn.rpartition("/")[2])
    assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"


async def test_it_ends_with_the_user_and_with_the_key_that_asked(sts: Service, accounts: Governed) -> None:
    name = new_name("user")
    key = await accounts.user(ACCOUNT, name)
    session = keys_of(await given(sts, "AssumeRoot", key, **wanted()))
    change = {"UserName": name, "AccessKeyId": str(key.access_key)}
    assert (await asked(sts, "GetCallerIdentity", session)).status == 200
    await done(sts, "UpdateAccessKey", Status="Inactive", **change)
    assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"
    await done(sts, "UpdateAccessKey", Status="Active", **change)
    role_arn = await role(sts, statement("Allow", "sts:*"), trust=trusting_account())
    chained = keys_of(await given(sts, "AssumeRoot", await session_of(sts, key, role_arn), **wanted()))
    assert await who(sts, chained)
    async with accounts.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, name)
        assert user is not None
        await transaction.delete(user)
    for ended in (session, chained):
        assert (await refusal(sts, "GetCallerIdentity", ended))[0] == "InvalidClientTokenId"
