# SPDX-License-Identifier: Apache-2.0
"""Entities that a parameter names by their ARN: a user, group, role or managed policy of the caller's account."""

from __future__ import annotations

from daypass.access.policies import managed_policy
from daypass.arn import Arn
from daypass.errors import EntityError, Reason
from daypass.store import Group, ManagedPolicy, Role, User, View

Identity = User | Group | Role
Entity = Identity | ManagedPolicy


def entity_of(view: View, account: str, entity_arn: str) -> Entity:
    """
    The entity of an ARN: of the account, or a managed policy that comes with the service (account ``aws``).

    Raises EntityError when it is not there, or when the ARN can name no such thing.
    """
    found: Entity | None = None
    match _kind(entity_arn):
        case "user", name:
            found = view.users.with_name(account, name)
        case "group", name:
            found = view.groups.with_name(account, name)
        case "role", name:
            found = view.roles.with_name(account, name)
        case "policy", _:
            found = managed_policy(view, entity_arn)
        case _:
            raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {entity_arn!r}")
    if found is None or found.arn != entity_arn or found.account not in (account, "aws"):
        raise EntityError(Reason.NO_SUCH_ENTITY, f"ARN {entity_arn} cannot be found.")
    return found


def identity_of(view: View, account: str, entity_arn: str) -> Identity:
    """The same for a user, group or role; a policy's ARN is invalid here."""
    if _kind(entity_arn)[0] == "policy":
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {entity_arn!r}")
    found = entity_of(view, account, entity_arn)
    if isinstance(found, ManagedPolicy):  # pragma: no cover - the ARN says that it is none
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {entity_arn!r}")
    return found


def _kind(entity_arn: str) -> tuple[str, str]:
    """What kind of entity an ARN names, and its name; empty for what is no ARN of IAM."""
    try:
        arn = Arn.parse(entity_arn)
    except ValueError:
        return "", ""
    return (arn.resource.partition("/")[0], arn.name) if arn.service == "iam" and "/" in arn.resource else ("", "")
