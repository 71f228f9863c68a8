# SPDX-License-Identifier: Apache-2.0
"""
Policy documents on their way in and out: checked when written, stored as sent, URL-encoded when shown.

IAM answers documents encoded per RFC 3986 (IAM API, GetRolePolicy: PolicyDocument), and counts their length without
white space outside strings (IAM User Guide, "IAM and STS quotas").
"""

from __future__ import annotations

from urllib.parse import quote

from daypass.access.stored_principals import StoredPrincipals, shown_document, stored_principals
from daypass.errors import EntityError, Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import TRUST_POLICY, policy_size
from daypass.store import Role, View


def shown(document: str) -> str:
    """A document as IAM answers it."""
    return quote(document, safe="~")


def shown_trust_policy(role: Role, view: View) -> str:
    """
    A role's trust policy as IAM answers it: a principal whose ARN is another by now is shown by that, and one that is gone
    by its unique id (IAM User Guide, "AWS JSON policy elements: Principal").
    """
    return shown(shown_document(role.trust_policy, role.trust_principals, view))


def check_trust_policy(document: str, view: View) -> StoredPrincipals:
    """
    Check a role trust policy, and say which unique ids its principals have (IAM User Guide, "Principal": a role or user
    is stored by its unique id, so that another of the same name does not inherit the trust).

    Raises PolicyError, or EntityError when it is too long.
    """
    policy = compile_policy(document, Kind.TRUST)
    if policy_size(document) > TRUST_POLICY:
        message = f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return stored_principals(policy, view)
