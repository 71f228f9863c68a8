# SPDX-License-Identifier: Apache-2.0
"""
GetSessionToken and GetFederationToken (STS API): temporary credentials of a user or the root user for itself, or for somebody
who acts for it with less.

Both are for long-term credentials only: nobody prolongs a session with a session (IAM User Guide, "Compare AWS STS
credentials"). ``access.fitness`` refuses the others before anything is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daypass.access import Caller, Permitted
from daypass.access.passed import check_tags
from daypass.awsapi.parameters import tag_list
from daypass.principal import FederatedUser, Root, User
from daypass.sessions import Session, own_session_duration, packed_policy_size
from daypass.sessions.session import SessionKind
from daypass.sts.members import credentials_members
from daypass.sts.service import Sts
from daypass.sts.session_policies import read_session_policies


async def get_session_token(sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]) -> Mapping[str, object]:
    """
    Credentials of the caller itself, with its own permissions, and with the second factor that it has just shown.

    Policies cannot forbid it (IAM User Guide, "Controlling permissions for GetSessionToken").
    """
    session = _session(permitted.caller, "user", parameters, permitted.facts.now)
    size = parameters.get("MinimumSessionTokenSize", 0)
    credentials = sts.sessions.issue(session, now=permitted.facts.now, minimum_token_size=size)
    arn, source_ip = permitted.caller.principal.arn, permitted.facts.source_ip
    sts.issued.note(session, credentials, principal_arn=arn, source_ip=source_ip)
    return credentials_members(credentials)


async def get_federation_token(sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]) -> Mapping[str, object]:
    """
    Credentials for a federated user: the caller's permissions, as far as the session policies allow them too. Without
    session policies they allow nothing but what a resource policy grants to the federated user by name.
    """
    caller, name, tags = permitted.caller, parameters["Name"], tag_list(parameters)
    account = caller.principal.account
    check_tags(tags)
    policies = read_session_policies(parameters, account, permitted.view)
    packed = packed_policy_size(policies.inline, policies.arns, dict(tags))
    session = _session(
        caller,
        "federated",
        parameters,
        permitted.facts.now,
        session_name=name,
        policy=policies.inline,
        policy_arns=policies.arns,
        policy_ids=policies.ids,
        policy_versions=policies.versions,
        tags=tags,
    )
    size = parameters.get("MinimumSessionTokenSize", 0)
    credentials = sts.sessions.issue(session, now=permitted.facts.now, minimum_token_size=size)
    principal = FederatedUser(account, name, _owner(caller))
    sts.issued.note(session, credentials, principal_arn=principal.arn, source_ip=permitted.facts.source_ip)
    return {
        **credentials_members(credentials),
        "FederatedUser": {"FederatedUserId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": packed,
    }


def _session(caller: Caller, kind: SessionKind, parameters: Mapping[str, Any], now: float, **more: Any) -> Session:
    owner = _owner(caller)
    seconds = own_session_duration(parameters.get("DurationSeconds"), root=isinstance(owner, Root))
    fields: dict[str, Any] = {"session_name": "", **more}
    return Session(
        account=owner.account,
        role_id="",
        issued_at=int(now),
        expires_at=int(now) + seconds,
        mfa_at=caller.mfa_at,
        kind=kind,
        user_id=owner.unique_id if isinstance(owner, User) else "",
        key_id=caller.access_key_id,
        **fields,
    )


def _owner(caller: Caller) -> User | Root:
    if not isinstance(caller.principal, User | Root):
        raise TypeError("only long-term credentials get here")
    return caller.principal
