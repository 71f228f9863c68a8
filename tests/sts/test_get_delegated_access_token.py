# SPDX-License-Identifier: Apache-2.0
"""GetDelegatedAccessToken: what was approved, for whoever asked, for as long as was approved, and no more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from iam.delegating import PARTNER, STATES, delegating, made, message_of
from iam.kitchen import document, statement
from iam.people import ALLOW_ALL, done, person, user_arn
from in_process import ACCOUNT, NOW, ROOT, Service
from sts.asking import another_account, asked, given, keys_of, make_role, refusal, session_of, trusting, who

pytestmark = pytest.mark.asyncio(loop_scope="module")
STRANGER = "333333333333"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes requests of its own."""
    async with delegating(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def partner(iam: Service) -> Credentials:
    """Root of the account that asks for access."""
    return await another_account(iam, PARTNER)


@pytest.fixture(autouse=True)
def standing_clock(iam: Service) -> Iterator[None]:
    yield
    iam.clock.instant = NOW


async def token_of(iam: Service, partner: Credentials, approver: Credentials, **more: Any) -> str:
    """The trade-in token of a request that the partner made and somebody approved."""
    policy = document(statement("Allow", ["iam:ListRoles", "s3:GetObject"]))
    name = f"template-{next(iter(more.values()), 'x')}"
    arn = f"arn:aws:iam::{PARTNER}:policy/{name}"
    if iam.app.store.view().managed_policies.with_name(PARTNER, name) is None:
        await done(iam, "CreatePolicy", partner, PolicyName=name, PolicyDocument=policy)
    asked_for = {
        "OwnerAccountId": ACCOUNT,
        "Description": "Reads.",
        "Permissions": {"PolicyTemplateArn": arn},
        "RequestorWorkflowId": f"w-{name}-{approver.access_key[-6:]}-{iam.app.store.view().revision}",
        "NotificationChannel": f"arn:aws:sns:us-east-1:{PARTNER}:delegations",
        "SessionDuration": 3600,
        **more,
    }
    answer = await done(iam, "CreateDelegationRequest", partner, **asked_for)
    named = {"DelegationRequestId": answer["DelegationRequestId"]}
    for operation in STATES["FINALIZED"]:
        await done(iam, operation, approver, **named)
    return str(message_of(iam, named)["TradeInToken"])


async def test_the_approvers_permissions_are_delegated_as_far_as_the_policy_goes(
    iam: Service, partner: Credentials
) -> None:
    approver = await person(iam, "approver", statement("Allow", "*"))
    token = await token_of(iam, partner, approver)
    output = await given(iam, "GetDelegatedAccessToken", partner, TradeInToken=token)
    assert output["AssumedPrincipal"] == user_arn("approver")
    assert output["PackedPolicySize"] > 0
    assert (await who(iam, keys_of(output))).startswith(f"arn:aws:sts::{ACCOUNT}:federated-user/delegated-")


async def test_an_approving_role_session_delegates_its_roles_permissions(iam: Service, partner: Credentials) -> None:
    user = await person(iam, "of-role", statement("Allow", "sts:*"))
    role_arn = await make_role(iam, "Approver", trusting(user_arn("of-role")), statement("Allow", "iam:*"))
    session = await session_of(iam, user, role_arn)
    output = await given(iam, "GetDelegatedAccessToken", partner, TradeInToken=await token_of(iam, partner, session))
    delegated = keys_of(output)
    assert await who(iam, delegated) == f"arn:aws:sts::{ACCOUNT}:assumed-role/Approver/test"
    listed = await iam.call("iam", "ListRoles", delegated)
    denied = await iam.call("iam", "ListUsers", delegated)
    assert (listed.status, denied.code) == (200, "AccessDenied")
    assert "no session policy allows" in denied.message


async def test_a_token_is_for_the_account_that_asked(iam: Service, partner: Credentials) -> None:
    token = await token_of(iam, partner, await person(iam, "approver-2", statement("Allow", "*")))
    stranger = await another_account(iam, STRANGER)
    for other in (stranger, ROOT):
        assert (await refusal(iam, "GetDelegatedAccessToken", other, TradeInToken=token))[0] == "ValidationError"


async def test_the_time_that_was_approved_runs_from_the_sending_however_often_it_is_traded_in(
    iam: Service, partner: Credentials
) -> None:
    token = await token_of(iam, partner, await person(iam, "approver-3", statement("Allow", "*")), SessionDuration=900)
    first = await given(iam, "GetDelegatedAccessToken", partner, TradeInToken=token)
    iam.clock.advance(899)
    second = await given(iam, "GetDelegatedAccessToken", partner, TradeInToken=token)
    assert first["Credentials"]["Expiration"] == second["Credentials"]["Expiration"]
    iam.clock.advance(1)
    assert (await refusal(iam, "GetDelegatedAccessToken", partner, TradeInToken=token))[0] == (
        "ExpiredTradeInTokenException"
    )


async def test_a_token_of_somebody_who_is_gone_is_worth_nothing(iam: Service, partner: Credentials) -> None:
    approver = await person(iam, "leaver", statement("Allow", "*"))
    token = await token_of(iam, partner, approver)
    delegated = keys_of(await given(iam, "GetDelegatedAccessToken", partner, TradeInToken=token))
    await done(iam, "DeleteUserPolicy", UserName="leaver", PolicyName="main")
    await done(iam, "DeleteAccessKey", UserName="leaver", AccessKeyId=approver.access_key)
    await done(iam, "DeleteUser", UserName="leaver")
    assert (await refusal(iam, "GetCallerIdentity", delegated))[0] == "InvalidClientTokenId"
    assert (await refusal(iam, "GetDelegatedAccessToken", partner, TradeInToken=token))[0] == "AccessDenied"


@pytest.mark.parametrize("change", [lambda t: t[:-4], lambda t: "x", lambda t: t[:40] + "A" + t[41:], lambda t: t * 2])
async def test_what_is_no_token_of_ours_is_refused(iam: Service, partner: Credentials, change: Any) -> None:
    token = await token_of(iam, partner, await person(iam, f"a{abs(hash(change)) % 10**9}", statement("Allow", "*")))
    changed = change(token)
    if changed != token:
        assert (await refusal(iam, "GetDelegatedAccessToken", partner, TradeInToken=changed))[0] == "ValidationError"


async def test_a_token_left_for_a_request_that_was_not_finalized_is_worth_nothing(
    iam: Service, partner: Credentials
) -> None:
    named = await made(iam, "ACCEPTED")
    token = iam.app.door._sessions.seal_trade_in_token(named["DelegationRequestId"], account=ACCOUNT, now=NOW)
    answer = await asked(iam, "GetDelegatedAccessToken", ROOT, TradeInToken=token)
    assert answer.code == "ValidationError"


async def test_it_needs_its_permission(iam: Service) -> None:
    nobody = await person(iam, "nobody-asks")
    allowed = await person(iam, "may-ask", json.loads(ALLOW_ALL)["Statement"][0])
    codes = [(await refusal(iam, "GetDelegatedAccessToken", key, TradeInToken="x"))[0] for key in (nobody, allowed)]
    assert codes == ["AccessDenied", "ValidationError"]


async def test_a_session_with_session_policies_approves_nothing(iam: Service, partner: Credentials) -> None:
    """What it delegates would not be bound by them."""
    user = await person(iam, "limited", statement("Allow", "sts:*"))
    role_arn = await make_role(iam, "Limited", trusting(user_arn("limited")), statement("Allow", "iam:*"))
    delegations = json.loads(document(statement("Allow", "iam:*Delegation*")))
    bound = await session_of(iam, user, role_arn, Policy=json.dumps(delegations))
    named = await made(iam, "PENDING_APPROVAL")
    assert (await iam.call("iam", "AcceptDelegationRequest", bound, **named)).code == "InvalidInput"
    managed = await session_of(iam, user, role_arn, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/IAMFullAccess"}])
    assert (await iam.call("iam", "AcceptDelegationRequest", managed, **named)).code == "InvalidInput"
    free = await session_of(iam, user, role_arn)
    assert (await iam.call("iam", "AcceptDelegationRequest", free, **named)).status == 200
