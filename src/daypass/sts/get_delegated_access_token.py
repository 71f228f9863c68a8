# SPDX-License-Identifier: Apache-2.0
"""
GetDelegatedAccessToken (STS API): the trade-in token of an approved delegation request becomes credentials, which may what the
approver may and the request's policy allows (IAM User Guide, "IAM temporary delegation").

The session is one of the approver's role, or a federated user that acts for the approving user; it ends when the time that was
approved is over, counted from when the token was sent, however often the token is traded in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daypass.access import Permitted
from daypass.access.bearer import bearer_of
from daypass.access.passed import who_was_before
from daypass.errors import AccessDeniedError, AuthenticationError, Reason, RequestError
from daypass.policy import Kind, compile_policy
from daypass.sessions import Session
from daypass.sessions.packed import packed_share
from daypass.store import DelegationRequest, View
from daypass.sts.members import credentials_members
from daypass.sts.service import Sts

_SHOWN_OF_ID: Final = 12
"""Characters of the request's id in the name of the federated user."""


async def get_delegated_access_token(
    sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]
) -> Mapping[str, object]:
    """
    In this order:

    1. the token is one of ours, for the caller's account, and its request was finalized;
    2. the time that was approved is not over;
    3. the approver still is there;
    4. the session is sealed, with the request's policy as its session policy.
    """
    now, caller = permitted.facts.now, permitted.caller
    view = sts.store.view()
    account = caller.principal.account
    request_id = sts.sessions.open_trade_in_token(parameters["TradeInToken"], account=account, now=now)
    request = view.delegation_requests.with_key(request_id)
    if request is None or request.state != "FINALIZED" or request.requestor_account != account:
        raise RequestError(Reason.TRADE_IN_TOKEN_INVALID, "The trade-in token is invalid.")
    until = request.updated_at + request.session_duration
    if now >= until:
        raise RequestError(Reason.TRADE_IN_TOKEN_EXPIRED, "The trade-in token has expired.")
    session = _session(request, permitted, until)
    _refuse_lost_approver(session, view)
    credentials = sts.sessions.issue(session, now=now)
    sts.issued.note(session, credentials, principal_arn=str(request.approver_id), source_ip=permitted.facts.source_ip)
    answer = credentials_members(credentials)
    return {
        "Credentials": answer["Credentials"],
        "PackedPolicySize": packed_share(session.policy or ""),
        "AssumedPrincipal": request.approver_id,
    }


def _session(request: DelegationRequest, permitted: Permitted, until: int) -> Session:
    policy = request.permission_policy or ""
    compile_policy(policy, Kind.SESSION)
    approver = request.approver_user_id or ""
    role_id, _, session_name = approver.partition(":")
    of_role = approver.startswith("AROA")
    before, earlier = permitted.caller.session, who_was_before(permitted.caller)
    return Session(
        account=str(request.owner_account),
        role_id=role_id if of_role else "",
        session_name=session_name if of_role else f"delegated-{request.unique_id[:_SHOWN_OF_ID]}",
        issued_at=int(permitted.facts.now),
        expires_at=until if before is None else min(until, before.expires_at),
        policy=policy,
        chain=earlier.chain,
        kind="role" if of_role else "federated",
        user_id=approver if approver.startswith("AIDA") else "",
        key_id=earlier.key_id,
        parents=earlier.parents,
        origin_provider=earlier.origin_provider,
        origin_subject=earlier.origin_subject,
    )


def _refuse_lost_approver(session: Session, view: View) -> None:
    try:
        bearer_of(session, view)
    except AuthenticationError:
        raise AccessDeniedError(Reason.NOT_TRUSTED, "Whoever approved the delegation request is gone.") from None
