# SPDX-License-Identifier: Apache-2.0
"""
Permissions boundaries (IAM User Guide, "Permissions boundaries for IAM entities"): which policy may be one, and how IAM
shows it. The operations are in ``boundary_changes``; what a boundary does is for ``daypass.access.policies``.
"""

from __future__ import annotations

from collections.abc import Mapping

from daypass.access.policies import managed_policy
from daypass.arn import Arn
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam.provided import PROVIDER
from daypass.store import Role, User, View


def checked_boundary(parameters: Parameters, account: str, view: View) -> str | None:
    """The ARN that ``PermissionsBoundary`` names, or None without the parameter.

    Raises EntityError unless it is a managed policy of the account, or one that comes with the service.
    """
    if "PermissionsBoundary" not in parameters:
        return None
    policy_arn = text(parameters, "PermissionsBoundary")
    try:
        Arn.parse(policy_arn)
    except ValueError:
        raise EntityError(Reason.INVALID_INPUT, f"ARN {policy_arn} is not valid.") from None
    policy = managed_policy(view, policy_arn)
    if policy is None or policy.account not in (account, PROVIDER):
        message = f"Scope ARN: {policy_arn} does not exist or is not attachable."
        raise EntityError(Reason.NO_SUCH_ENTITY, message)
    return policy.arn


def members(entity: User | Role) -> Mapping[str, object]:
    """The output member PermissionsBoundary; nothing for an entity without one. Its type is the model's one value."""
    if entity.permissions_boundary is None:
        return {}
    shown = {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": entity.permissions_boundary,
    }
    return {"PermissionsBoundary": shown}
