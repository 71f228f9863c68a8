# SPDX-License-Identifier: Apache-2.0
"""
Policies that a simulation leaves out (IAM API, SimulatePrincipalPolicy: PolicyExclusionList).

An identifier that is well formed and matches nothing is ignored, as IAM says. Only inline policies of roles are attached
to anything here, so only identifiers of inline policies can match.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.awsapi.parameters import Parameters, text
from daypass.iam.simulated_request import refuse, structures
from daypass.store import Role

InlinePolicies = tuple[tuple[str, str], ...]

_POLICY_ARN: Final = re.compile(r"arn:aws:iam::(?:aws|[0-9]{12}):policy/(?P<name>[\w+=,.@/*?-]+)", re.ASCII)


def without_excluded(role: Role, parameters: Parameters) -> InlinePolicies:
    """
    The inline policies of a role, but for the excluded. Raises EntityError for an identifier that is malformed.

    That an entry is a PolicyType, a PolicyArn or an InlinePolicyIdentifier, and one of them, the model says.
    """
    kept = role.inline_policies
    for identifier in structures(parameters, "PolicyExclusionList"):
        if "PolicyType" in identifier:
            kept = () if text(identifier, "PolicyType") == "inline" else kept
        elif "PolicyArn" in identifier:
            _check_policy_arn(text(identifier, "PolicyArn"))
        else:
            [named] = structures(identifier, "InlinePolicyIdentifier")
            kept = tuple(policy for policy in kept if not _names(named, role, policy[0]))
    return kept


def _check_policy_arn(policy_arn: str) -> None:
    """Managed policies are not attached to anything here: an ARN of one is checked, and matches none."""
    match = _POLICY_ARN.fullmatch(policy_arn)
    if match is None or match["name"].count("*") > 1:
        refuse("PolicyExclusionList: expected the ARN of a managed policy, with at most one * in its name.")


def _names(identifier: Parameters, role: Role, policy_name: str) -> bool:
    entity = (text(identifier, "AttachmentType"), text(identifier, "AttachmentName"))
    return entity == ("role", role.name) and text(identifier, "PolicyName") == policy_name
