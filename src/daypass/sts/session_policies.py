# SPDX-License-Identifier: Apache-2.0
"""
Session policies on their way in (STS API: Policy, PolicyArns; IAM User Guide, "Session policies").

One inline policy and at most ten managed ones, of the account whose session it will be or of the service itself. What counts
later is the version that is the default now, so that a session never gains by a later change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from daypass.access.policies import managed_policy
from daypass.errors import Reason, RequestError
from daypass.policy import Kind, compile_policy
from daypass.store import ManagedPolicy, View

MAX_POLICY_ARNS: Final = 10
"""STS API, AssumeRole: PolicyArns."""


class SessionPolicies(msgspec.Struct, frozen=True):
    """What was passed: an inline text, and managed policies with their unique ids and the number of the version meant."""

    inline: str | None = None
    arns: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


NO_POLICIES: Final = SessionPolicies()


def read_session_policies(parameters: Mapping[str, Any], account: str, view: View) -> SessionPolicies:
    """
    The session policies of a request for a session of an account. Raises RequestError or PolicyError.

    Each compiles as a session policy. A managed policy of another account is as one that does not exist.
    """
    inline, listed = parameters.get("Policy"), parameters.get("PolicyArns")
    if inline is None and not listed:
        return NO_POLICIES
    if inline is not None:
        compile_policy(inline, Kind.SESSION)
    arns = tuple(entry["arn"] for entry in listed or () if "arn" in entry)
    if len(arns) > MAX_POLICY_ARNS:
        message = f"Cannot exceed quota for PolicyArns: {MAX_POLICY_ARNS}"
        raise RequestError(Reason.INVALID_PARAMETER, message)
    if len(arns) < len(listed or ()) or len(set(arns)) < len(arns):
        raise RequestError(
            Reason.INVALID_PARAMETER, "PolicyArns: expected each entry to have an arn, and no two the same."
        )
    policies = [_policy(policy_arn, account, view) for policy_arn in arns]
    return SessionPolicies(
        inline,
        arns,
        tuple([policy.unique_id for policy in policies]),
        tuple([policy.default_version for policy in policies]),
    )


def _policy(policy_arn: str, account: str, view: View) -> ManagedPolicy:
    policy = managed_policy(view, policy_arn)
    if policy is None or policy.account not in (account, "aws"):
        message = f"Policy {policy_arn} does not exist or is not attachable."
        raise RequestError(Reason.INVALID_PARAMETER, message)
    compile_policy(policy.document, Kind.SESSION)
    return policy
