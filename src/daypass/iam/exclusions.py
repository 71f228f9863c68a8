# SPDX-License-Identifier: Apache-2.0
"""
Policies that a simulation leaves out (IAM API, SimulatePrincipalPolicy: PolicyExclusionList).

An identifier that is well formed and matches nothing is ignored, as IAM says; so are those of organisation policies, which
are attached to nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from daypass.awsapi.parameters import Parameters, text
from daypass.iam.policy_sources import StoredPolicy
from daypass.iam.simulated_request import refuse, structures
from daypass.policy.match import compile_text

_POLICY_ARN: Final = re.compile(r"arn:aws:iam::(?:aws|[0-9]{12}):policy/(?P<name>[\w+=,.@/*?-]+)", re.ASCII)
_INLINE: Final = ("user", "group", "role")
_TYPES: Final = {
    "inline": _INLINE,
    "aws-managed": ("aws-managed",),
    "user-managed": ("user-managed",),
}
"""Source types of the identity policies that each PolicyType stands for."""


def without_excluded(policies: Iterable[StoredPolicy], parameters: Parameters) -> tuple[StoredPolicy, ...]:
    """
    The policies of a principal, but for the excluded. Raises EntityError for an identifier that is malformed.

    That an entry is a PolicyType, a PolicyArn or an InlinePolicyIdentifier, and one of them, the model says.
    """
    excluded = [_matcher(identifier) for identifier in structures(parameters, "PolicyExclusionList")]
    return tuple(policy for policy in policies if not any(matches(policy) for matches in excluded))


def boundary_excluded(parameters: Parameters) -> bool:
    """Whether the attached permissions boundary is left out. Only its type excludes it, never its ARN."""
    identifiers = structures(parameters, "PolicyExclusionList")
    return any(identifier.get("PolicyType") == "permission-boundary" for identifier in identifiers)


def _matcher(identifier: Parameters) -> Callable[[StoredPolicy], bool]:
    if "PolicyType" in identifier:
        types = _TYPES.get(text(identifier, "PolicyType"), ())
        return lambda policy: policy.source_type in types
    if "PolicyArn" in identifier:
        pattern = text(identifier, "PolicyArn")
        match = _POLICY_ARN.fullmatch(pattern)
        if match is None or match["name"].count("*") > 1:
            refuse("PolicyExclusionList: expected the ARN of a managed policy, with at most one * in its name.")
        arns = compile_text(pattern)
        return lambda policy: policy.arn is not None and arns.matches(policy.arn)
    [inline] = structures(identifier, "InlinePolicyIdentifier")
    return _inline_matcher(inline)


def _inline_matcher(identifier: Parameters) -> Callable[[StoredPolicy], bool]:
    kind, name, holder = (text(identifier, key) for key in ("AttachmentType", "PolicyName", "AttachmentName"))
    if holder.count("*") > 1:
        refuse("PolicyExclusionList: expected at most one * in an AttachmentName.")
    holders = compile_text(holder)
    return lambda policy: (policy.source_type, policy.source_id) == (kind, name) and holders.matches(policy.holder)
