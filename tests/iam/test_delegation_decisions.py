# SPDX-License-Identifier: Apache-2.0
"""What becomes of delegation requests: their states, who may move them, and when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from daypass.access import RequestFacts
from daypass.access.authenticate import Caller
from daypass.access.authorize import Permitted
from daypass.errors import EntityError, Reason
from daypass.iam import delegation_decisions, delegation_requests
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.sealing import MasterKey
from iam.delegating import (
    DAY,
    MASTER,
    STATES,
    TOPIC,
    at,
    delegating,
    made,
    message_of,
    outbox_of,
    shown,
)
from iam.kitchen import statement
from iam.people import asked, denial, done, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALLOWED = {
    "AssociateDelegationRequest": {"UNASSIGNED": "ASSIGNED"},
    "UpdateDelegationRequest": {"ASSIGNED": "PENDING_APPROVAL", "PENDING_APPROVAL": "PENDING_APPROVAL"},
    "AcceptDelegationRequest": {"ASSIGNED": "ACCEPTED", "PENDING_APPROVAL": "ACCEPTED"},
    "RejectDelegationRequest": {"ASSIGNED": "REJECTED", "PENDING_APPROVAL": "REJECTED", "ACCEPTED": "REJECTED"},
}
"""What each operation makes of each state; of others, nothing."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes requests of its own."""
    async with delegating(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(autouse=True)
def standing_clock(iam: Service) -> Iterator[None]:
    """A test that moves the clock leaves it as it was."""
    yield
    iam.clock.instant = NOW


@pytest.mark.parametrize("operation", ALLOWED)
@pytest.mark.parametrize("state", STATES)
async def test_an_operation_moves_a_request_from_the_states_it_may_and_no_others(
    iam: Service, operation: str, state: str
) -> None:
    named = await made(iam, state)
    iam.clock.advance(60)
    following = ALLOWED[operation].get(state)
    if following is None:
        before = await shown(iam, named)
        code, message = await refused(iam, operation, **named)
        assert (code, f"in state {state}" in message) == ("InvalidInput", True)
        assert await shown(iam, named) == before
    else:
        await done(iam, operation, **named)
        found = await shown(iam, named)
        assert found["State"] == following
        assert (found["UpdatedTime"], found["ExpirationTime"]) == (at(60), at(60 + 7 * DAY))


@pytest.mark.parametrize("state", STATES)
async def test_a_state_ends_when_its_time_is_over_and_not_a_second_before(iam: Service, state: str) -> None:
    named = await made(iam, state)
    iam.clock.advance((1 if state == "UNASSIGNED" else 7) * DAY - 1)
    assert (await shown(iam, named))["State"] == state
    iam.clock.advance(1)
    assert (await shown(iam, named))["State"] == "EXPIRED"
    for operation in (*ALLOWED, "SendDelegationToken"):
        code, message = await refused(iam, operation, **named)
        assert (code, "in state EXPIRED" in message) == ("InvalidInput", True)


async def test_the_owner_the_approver_and_what_they_said_are_recorded(iam: Service) -> None:
    owner = await person(iam, "owner", statement("Allow", "iam:*DelegationRequest*"))
    approver = await person(iam, "approver", statement("Allow", "iam:*DelegationRequest*"))
    named = await made(iam)
    await done(iam, "AssociateDelegationRequest", owner, **named)
    await done(iam, "UpdateDelegationRequest", owner, **named, Notes="For the audit.")
    await done(iam, "AcceptDelegationRequest", approver, **named)
    found = await shown(iam, named)
    assert (found["OwnerId"], found["ApproverId"]) == (user_arn("owner"), user_arn("approver"))
    assert (found["Notes"], found["State"]) == ("For the audit.", "ACCEPTED")
    await done(iam, "RejectDelegationRequest", approver, **named, Notes="On second thought.")
    assert (await shown(iam, named))["RejectionReason"] == "On second thought."


async def test_permission_is_given_on_the_request_and_may_depend_on_its_owner(iam: Service) -> None:
    condition = {"ArnEquals": {"iam:DelegationRequestOwner": "${aws:PrincipalArn}"}}
    actions = ["iam:GetDelegationRequest", "iam:RejectDelegationRequest", "iam:GetHumanReadableSummary"]
    own = {**statement("Allow", actions), "Condition": condition}
    key = await person(iam, "cond", own, statement("Allow", "iam:AssociateDelegationRequest"))
    named = await made(iam)
    arn = f"arn:aws:iam::{ACCOUNT}:delegation-request/{named['DelegationRequestId']}"
    denied = ("AccessDenied", denial("cond", "GetDelegationRequest", arn))
    assert await refused(iam, "GetDelegationRequest", key, **named) == denied
    await done(iam, "AssociateDelegationRequest", key, **named)
    await done(iam, "GetDelegationRequest", key, **named)
    await done(iam, "GetHumanReadableSummary", key, EntityArn=arn)
    await done(iam, "RejectDelegationRequest", key, **named)
    others = await made(iam, "ASSIGNED")
    assert (await refused(iam, "RejectDelegationRequest", key, **others))[0] == "AccessDenied"


async def test_the_owner_may_get_and_update_by_default_and_nothing_else(iam: Service) -> None:
    key = await person(iam, "bare", statement("Allow", "iam:AssociateDelegationRequest"))
    named = await made(iam)
    await done(iam, "AssociateDelegationRequest", key, **named)
    await done(iam, "GetDelegationRequest", key, **named)
    await done(iam, "UpdateDelegationRequest", key, **named)
    arn = f"arn:aws:iam::{ACCOUNT}:delegation-request/{named['DelegationRequestId']}"
    await done(iam, "GetHumanReadableSummary", key, EntityArn=arn)
    for operation in ("AcceptDelegationRequest", "RejectDelegationRequest", "SendDelegationToken"):
        assert (await refused(iam, operation, key, **named))[0] == "AccessDenied", operation
    others = await made(iam, "ASSIGNED")
    assert (await refused(iam, "GetDelegationRequest", key, **others))[0] == "AccessDenied"


async def test_a_denial_stands_against_the_owners_default(iam: Service) -> None:
    associating = statement("Allow", "iam:AssociateDelegationRequest")
    key = await person(iam, "denied", associating, statement("Deny", "iam:GetDelegationRequest"))
    named = await made(iam)
    await done(iam, "AssociateDelegationRequest", key, **named)
    assert (await refused(iam, "GetDelegationRequest", key, **named))[0] == "AccessDenied"


async def test_another_user_of_the_owners_name_is_not_the_owner(iam: Service) -> None:
    key = await person(iam, "again", statement("Allow", "iam:AssociateDelegationRequest"))
    named = await made(iam)
    await done(iam, "AssociateDelegationRequest", key, **named)
    await done(iam, "DeleteAccessKey", UserName="again", AccessKeyId=str(key.access_key))
    await done(iam, "DeleteUserPolicy", UserName="again", PolicyName="main")
    await done(iam, "DeleteUser", UserName="again")
    other = await person(iam, "again", statement("Allow", "sts:*"))
    assert (await refused(iam, "GetDelegationRequest", other, **named))[0] == "AccessDenied"


async def test_a_root_user_approves_four_hours_at_most(iam: Service) -> None:
    await done(iam, "AcceptDelegationRequest", **await made(iam, "ASSIGNED", SessionDuration=14_400))
    longer = await made(iam, "ASSIGNED", SessionDuration=14_401)
    assert (await refused(iam, "AcceptDelegationRequest", **longer))[0] == "InvalidInput"
    user = await person(iam, "admin", statement("Allow", "*"))
    await done(iam, "AcceptDelegationRequest", user, **longer)


@pytest.mark.parametrize("state", [state for state in STATES if state != "ACCEPTED"])
async def test_a_token_is_sent_of_an_accepted_request_only(iam: Service, state: str) -> None:
    code, message = await refused(iam, "SendDelegationToken", **await made(iam, state))
    assert (code, "expected ACCEPTED" in message) == ("InvalidInput", True)


async def test_a_token_is_sent_by_the_owner_where_only_the_owner_may_and_left_in_the_outbox(iam: Service) -> None:
    named = await made(iam, "ACCEPTED", OnlySendByOwner=True)
    user = await person(iam, "sender", statement("Allow", "iam:SendDelegationToken"))
    only_owner = ("InvalidInput", "The token of this delegation request can be sent by its owner only.")
    assert await refused(iam, "SendDelegationToken", user, **named) == only_owner
    await done(iam, "SendDelegationToken", **named)
    assert (await shown(iam, named))["State"] == "FINALIZED"
    message = message_of(iam, named)
    assert message["NotificationChannel"] == TOPIC
    assert message["Expiration"] == NOW + 3600


async def test_a_token_that_cannot_be_left_anywhere_is_not_sent(iam: Service) -> None:
    named = await made(iam, "ACCEPTED")
    outbox = outbox_of(iam)
    kept = outbox.rename(outbox.with_name("kept")) if outbox.exists() else None
    outbox.write_text("in the way")
    try:
        assert (await asked(iam, "SendDelegationToken", **named)).status == 503
        assert (await shown(iam, named))["State"] == "ACCEPTED"
    finally:
        outbox.unlink()
        if kept is not None:
            kept.rename(outbox)


async def test_a_request_that_another_took_meanwhile_is_not_decided(
    iam: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = await made(iam)
    before = iam.app.store.view().delegation_requests.with_key(named["DelegationRequestId"])
    assert before is not None
    await done(iam, "AssociateDelegationRequest", **named)
    caller = Caller(Root(ACCOUNT), "AKIAQNZKJ3EXAMPLE234", "us-east-1")
    arn = delegation_requests.request_arn(ACCOUNT, before.unique_id)
    facts = RequestFacts(NOW, None, secure=False)
    permitted = Permitted(caller, "iam:AcceptDelegationRequest", arn, facts, (), lambda _tags: None)
    monkeypatch.setattr(delegation_decisions, "_as_permitted", lambda *_: before)
    with pytest.raises(EntityError) as caught:
        await delegation_decisions.accept_delegation_request(
            Iam(iam.app.store, MasterKey.parse(MASTER)), permitted, named
        )
    assert caught.value.reason is Reason.ENTITY_MODIFIED_MEANWHILE
