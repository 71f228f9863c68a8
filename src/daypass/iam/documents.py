# SPDX-License-Identifier: Apache-2.0
"""
Policy documents on their way in and out: checked when written, stored as sent, URL-encoded when shown.

IAM answers documents encoded per RFC 3986 (IAM API, GetRolePolicy: PolicyDocument), and counts their length without
white space outside strings (IAM User Guide, "IAM and STS quotas").
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from daypass.arn import Arn
from daypass.errors import EntityError, PolicyError, Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import ROLE_INLINE_SUM, TRUST_POLICY, policy_size
from daypass.store import View


def shown(document: str) -> str:
    """A document as IAM answers it."""
    return quote(document, safe="~")


def check_trust_policy(document: str, view: View) -> tuple[tuple[str, str], ...]:
    """
    Check a role trust policy, and say which unique ids its principals have (IAM User Guide, "Principal": a role or user
    is stored by its unique id, so that another of the same name does not inherit the trust).

    Raises PolicyError, or EntityError when it is too long.
    """
    policy = compile_policy(document, Kind.TRUST)
    if policy_size(document) > TRUST_POLICY:
        message = f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return tuple((arn, _unique_id(arn, view)) for arn in policy.principal_arns)


def _unique_id(arn: str, view: View) -> str:
    parsed = Arn.parse(arn)
    role = view.roles.with_name(parsed.account, parsed.name)
    if role is None or role.arn != arn:
        raise PolicyError(Reason.POLICY_PRINCIPAL_INVALID, f'Invalid principal in policy: "AWS":"{arn}"')
    return role.unique_id


def check_inline_policies(policies: Iterable[tuple[str, str]], role_name: str) -> None:
    """Check that the inline policies of a role fit together. Raises EntityError. Each was compiled when it was put."""
    if sum(policy_size(document) for _, document in policies) > ROLE_INLINE_SUM:
        message = f"Maximum policy size of {ROLE_INLINE_SUM} bytes exceeded for role {role_name}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
