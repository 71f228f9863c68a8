# SPDX-License-Identifier: Apache-2.0
"""
AssumeRoot (STS API): the management account of the organisation does one task as the root user of a member account, for
fifteen minutes (IAM User Guide, "Centrally manage root access for member accounts").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daypass.access import Permitted
from daypass.access.organization import is_closed, organization
from daypass.access.passed import who_was_before
from daypass.access.policies import managed_policy
from daypass.arn import is_account_id, root_arn
from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.sessions import Session
from daypass.sessions.duration import TASK_SECONDS
from daypass.store import View
from daypass.sts.members import credentials_members
from daypass.sts.service import Sts

TASK_PATH: Final = "/root-task/"
"""Where the policies of the tasks are (IAM User Guide, "Perform a privileged task on a member account")."""


async def assume_root(sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]) -> Mapping[str, object]:
    """
    In this order:

    1. the caller's account is the management account of the organisation, and the target one of its other members;
    2. the task policy is one of those that there are;
    3. the session is sealed: its permissions are the task policy's alone.
    """
    caller, view = permitted.caller, permitted.view
    account = target_account(parameters["TargetPrincipal"])
    if permitted.resource != root_arn(account) or not _may_act_for(caller.principal.account, account, view):
        message = "Only the management account of an organization can assume the root user of its member accounts."
        raise AccessDeniedError(Reason.NOT_TRUSTED, message)
    task = managed_policy(view, parameters["TaskPolicyArn"].get("arn", ""))
    if task is None or task.account != "aws" or task.path != TASK_PATH:
        message = (
            "TaskPolicyArn: expected the ARN of a policy for a task of root, arn:aws:iam::aws:policy/root-task/NAME."
        )
        raise RequestError(Reason.INVALID_PARAMETER, message)
    issued_at, before = int(permitted.facts.now), caller.session
    expires_at = issued_at + parameters.get("DurationSeconds", TASK_SECONDS)
    earlier = who_was_before(caller)
    session = Session(
        account=account,
        role_id="",
        session_name="",
        issued_at=issued_at,
        expires_at=expires_at if before is None else min(expires_at, before.expires_at),
        policy_arns=(task.arn,),
        policy_ids=(task.unique_id,),
        policy_versions=(task.default_version,),
        source_identity=None if before is None else before.source_identity,
        chain=earlier.chain,
        kind="root",
        user_id=earlier.user_id,
        key_id=caller.access_key_id if before is None else earlier.key_id,
        parents=earlier.parents,
        origin_provider=earlier.origin_provider,
        origin_subject=earlier.origin_subject,
    )
    size = parameters.get("MinimumSessionTokenSize", 0)
    credentials = sts.sessions.issue(session, now=permitted.facts.now, minimum_token_size=size)
    sts.issued.note(session, credentials, principal_arn=root_arn(account), source_ip=permitted.facts.source_ip)
    return {**credentials_members(credentials), "SourceIdentity": session.source_identity}


def target_account(target: str) -> str:
    """The account that TargetPrincipal names, by its number or its root user's ARN. Raises RequestError."""
    account = target.removeprefix("arn:aws:iam::").removesuffix(":root")
    if not is_account_id(account) or target not in (account, root_arn(account)):
        raise RequestError(
            Reason.INVALID_PARAMETER, "TargetPrincipal: expected an account id or the ARN of a root user."
        )
    return account


def _may_act_for(caller: str, account: str, view: View) -> bool:
    found, membership = organization(view), view.memberships.with_key(account)
    return (
        found is not None
        and found.management_account == caller != account
        and membership is not None
        and membership.parent is not None
        and not is_closed(account, view)
    )
