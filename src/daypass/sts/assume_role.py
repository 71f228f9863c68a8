# SPDX-License-Identifier: Apache-2.0
"""
AssumeRole (STS API): a caller with credentials gets a session of a role that trusts them, in this account or another.

    caller -- trust policy, own policies, organisation --> Permitted -- trust_caller --> Trusted -- assume --> credentials
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from daypass.access import Permitted
from daypass.access.passed import NOTHING_PASSED, Passed
from daypass.access.trust import trust_caller
from daypass.arn import Arn, is_account_id
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, texts
from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.store import Role, View
from daypass.sts.assume import SessionWishes, assume
from daypass.sts.service import Sts
from daypass.sts.session_policies import read_session_policies


async def assume_role(sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]) -> Mapping[str, object]:
    """
    In this order:

    1. what is not offered is refused: ProvidedContexts;
    2. the role is the one that the caller was permitted, and stands;
    3. tags, transitive keys and source identity are such as may be passed along the chain;
    4. the session policies are read, and the session is made and sealed.
    """
    if parameters.get("ProvidedContexts"):
        message = "Context assertions of trusted providers (ProvidedContexts) are not supported."
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, message)
    view = permitted.view
    role = role_of_arn(parameters["RoleArn"], view)
    if role is None:
        raise AccessDeniedError(Reason.NOT_TRUSTED, "Not authorized to perform sts:AssumeRole")
    trusted = trust_caller(permitted, role, passed_by(parameters))
    wishes = SessionWishes.of(
        parameters, read_session_policies(parameters, role.account, view), parameters["RoleSessionName"]
    )
    assumed = assume(trusted, wishes, sessions=sts.sessions, now=permitted.facts.now)
    sts.issued.note(
        assumed.session, assumed.credentials, principal_arn=assumed.principal.arn, source_ip=permitted.facts.source_ip
    )
    return assumed.members()


_PASSED: Final = frozenset({"Tags", "TransitiveTagKeys", "SourceIdentity", "ExternalId"})


def passed_by(parameters: Parameters) -> Passed:
    """What an AssumeRole request passes to the session."""
    if parameters.keys().isdisjoint(_PASSED):
        return NOTHING_PASSED  # most pass nothing, and are asked several times
    return Passed(
        tag_list(parameters),
        texts(parameters, "TransitiveTagKeys"),
        optional_text(parameters, "SourceIdentity"),
        optional_text(parameters, "ExternalId"),
    )


def role_of_arn(role_arn: str, view: View) -> Role | None:
    """The role with exactly this ARN, of whatever account. Raises RequestError when it is no role's ARN."""
    account, name = account_and_name(role_arn)
    role = view.roles.with_name(account, name)
    return role if role is not None and role.arn == role_arn else None


@functools.lru_cache(maxsize=1024)
def account_and_name(role_arn: str) -> tuple[str, str]:
    """The account and the name in a role's ARN. Raises RequestError when it is no role's ARN."""
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        arn = None
    if arn is None or arn.service != "iam" or not arn.resource.startswith("role/") or not is_account_id(arn.account):
        raise RequestError(Reason.INVALID_PARAMETER, "Request ARN is invalid")
    return arn.account, arn.name
