# SPDX-License-Identifier: Apache-2.0
"""
What becomes of a delegation request (IAM User Guide, "Understanding the request lifecycle"): AssociateDelegationRequest,
UpdateDelegationRequest, AcceptDelegationRequest, RejectDelegationRequest, SendDelegationToken.

    UNASSIGNED -- associate --> ASSIGNED ------------------- accept --> ACCEPTED -- send --> FINALIZED
                                ASSIGNED -- update --> PENDING_APPROVAL -- accept --^
    ASSIGNED, PENDING_APPROVAL, ACCEPTED -- reject --> REJECTED

A state ends by itself after a while: EXPIRED. AWS publishes the token to a topic of Amazon SNS; here it is left in the outbox
(``iam.outbox``), and whoever has it trades it in (STS API, GetDelegatedAccessToken).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.errors import EntityError, Reason, RequestError
from daypass.iam.delegation_requests import STATE_SECONDS, existing_request, state_at
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.store import DelegationRequest

if TYPE_CHECKING:
    from daypass.store import Transaction

ROOT_APPROVAL_SECONDS: Final = 4 * 3600
"""The longest session that a root user can approve (IAM User Guide, "IAM temporary delegation")."""


async def associate_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The caller becomes the request's owner, and the caller's account its account if it had none."""
    before, principal = _as_permitted(iam, permitted, parameters), permitted.caller.principal
    async with iam.store.transaction() as transaction:
        request = _still_the_same(transaction, permitted, before)
        _check_state(request, permitted, "UNASSIGNED")
        owned = replace(
            request,
            account=principal.account,
            owner_account=principal.account,
            owner_id=principal.arn,
            owner_user_id=principal.user_id,
        )
        await transaction.put(_moved(owned, permitted, "ASSIGNED"))
    return {}


async def update_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Notes for whoever is to approve it; with or without them it is pending from now on."""
    before = _as_permitted(iam, permitted, parameters)
    async with iam.store.transaction() as transaction:
        request = _still_the_same(transaction, permitted, before)
        _check_state(request, permitted, "ASSIGNED", "PENDING_APPROVAL")
        notes = optional_text(parameters, "Notes")
        noted = replace(request, notes=request.notes if notes is None else notes)
        await transaction.put(_moved(noted, permitted, "PENDING_APPROVAL"))
    return {}


async def accept_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The caller approves: what is delegated is of the caller's permissions, so that sessions cannot which have less than whoever
    holds them: what is delegated would not be bound by their session policies.
    """
    before, principal = _as_permitted(iam, permitted, parameters), permitted.caller.principal
    session = permitted.caller.session
    if session is not None and (session.policy is not None or session.policy_arns):
        message = "A session with session policies cannot approve a delegation request."
        raise EntityError(Reason.INVALID_INPUT, message)
    async with iam.store.transaction() as transaction:
        request = _still_the_same(transaction, permitted, before)
        _check_state(request, permitted, "ASSIGNED", "PENDING_APPROVAL")
        if isinstance(principal, Root) and request.session_duration > ROOT_APPROVAL_SECONDS:
            message = f"A root user can approve a session duration of {ROOT_APPROVAL_SECONDS} seconds at most."
            raise EntityError(Reason.INVALID_INPUT, message)
        accepted = replace(request, approver_id=principal.arn, approver_user_id=principal.user_id)
        await transaction.put(_moved(accepted, permitted, "ACCEPTED"))
    return {}


async def reject_delegation_request(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """No, for good; also after a yes, as long as the token was not sent."""
    before = _as_permitted(iam, permitted, parameters)
    async with iam.store.transaction() as transaction:
        request = _still_the_same(transaction, permitted, before)
        _check_state(request, permitted, "ASSIGNED", "PENDING_APPROVAL", "ACCEPTED")
        rejected = replace(request, rejection_reason=optional_text(parameters, "Notes"))
        await transaction.put(_moved(rejected, permitted, "REJECTED"))
    return {}


async def send_delegation_token(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The requestor's token is left in the outbox, and the time that was approved begins. It is left before the request is
    FINALIZED for good: a token without a finalized request is worth nothing.
    """
    if iam.outbox is None:
        raise RequestError(Reason.UNSUPPORTED_OPERATION, "SendDelegationToken is not supported without an outbox.")
    before, now = _as_permitted(iam, permitted, parameters), permitted.facts.now
    async with iam.store.transaction() as transaction:
        request = _still_the_same(transaction, permitted, before)
        _check_state(request, permitted, "ACCEPTED")
        if request.only_send_by_owner and permitted.caller.principal.arn != request.owner_id:
            message = "The token of this delegation request can be sent by its owner only."
            raise EntityError(Reason.INVALID_INPUT, message)
        await transaction.put(_moved(request, permitted, "FINALIZED"))
        await iam.outbox.send_trade_in_token(request, now=now, until=int(now) + request.session_duration)
    return {}


def _as_permitted(iam: Iam, permitted: Permitted, parameters: Parameters) -> DelegationRequest:
    return existing_request(iam.store.view(), permitted, text(parameters, "DelegationRequestId"))


def _still_the_same(transaction: Transaction, permitted: Permitted, before: DelegationRequest) -> DelegationRequest:
    """The request inside the transaction. It was permitted with the owner it had: with another, nothing is decided."""
    request = existing_request(transaction.view, permitted, before.unique_id)
    if request != before:
        message = "The delegation request was changed by another request; try again."
        raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, message)
    return request


def _check_state(request: DelegationRequest, permitted: Permitted, *wanted: str) -> None:
    state = state_at(request, permitted.facts.now)
    if state not in wanted:
        message = f"The delegation request is in state {state}, expected {' or '.join(wanted)}."
        raise EntityError(Reason.INVALID_INPUT, message)


def _moved(request: DelegationRequest, permitted: Permitted, state: str) -> DelegationRequest:
    now = int(permitted.facts.now)
    return replace(request, state=state, updated_at=now, expires_at=now + STATE_SECONDS)
