# SPDX-License-Identifier: Apache-2.0
"""
What an inline policy is to whoever has it: a user, a group or a role (IAM User Guide, "Inline policies"). The operations
are in ``user_policies``, ``group_policies`` and ``role_policies``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from msgspec.structs import replace

from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam import documents
from daypass.iam.paging import page
from daypass.policy.limits import GROUP_INLINE_SUM, ROLE_INLINE_SUM, USER_INLINE_SUM, policy_size
from daypass.store import Group, Role, User

Entity = TypeVar("Entity", User, Group, Role)

_SUMS: Final[Mapping[type, tuple[str, int]]] = {
    User: ("user", USER_INLINE_SUM),
    Group: ("group", GROUP_INLINE_SUM),
    Role: ("role", ROLE_INLINE_SUM),
}
"""What an entity is called in messages, and how many characters all its inline policies may have."""


def _no_such_policy(entity: User | Group | Role, name: str) -> EntityError:
    kind, _ = _SUMS[type(entity)]
    return EntityError(Reason.NO_SUCH_ENTITY, f"The {kind} policy with name {name} cannot be found.")


def with_policy(entity: Entity, name: str, document: str) -> Entity:
    """The entity with one policy more, or another in place of the one of that name. The document was compiled before.

    Raises EntityError when they are too long together.
    """
    policies = (*(policy for policy in entity.inline_policies if policy[0] != name), (name, document))
    kind, maximum = _SUMS[type(entity)]
    if sum(policy_size(text) for _, text in policies) > maximum:
        message = f"Maximum policy size of {maximum} bytes exceeded for {kind} {entity.name}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return replace(entity, inline_policies=policies)


def without_policy(entity: Entity, name: str) -> Entity:
    """The entity without the policy of that name. Raises EntityError when there is none."""
    policies = tuple(policy for policy in entity.inline_policies if policy[0] != name)
    if len(policies) == len(entity.inline_policies):
        raise _no_such_policy(entity, name)
    return replace(entity, inline_policies=policies)


def one_policy(entity: User | Group | Role, parameters: Parameters) -> dict[str, object]:
    """The output members of the policy that ``PolicyName`` names, as it was sent. Raises EntityError."""
    name = text(parameters, "PolicyName")
    document = dict(entity.inline_policies).get(name)
    if document is None:
        raise _no_such_policy(entity, name)
    return {"PolicyName": name, "PolicyDocument": documents.shown(document)}


def policy_names(entity: User | Group | Role, parameters: Parameters) -> dict[str, object]:
    """The output members of a page of names, sorted."""
    names = sorted(name for name, _ in entity.inline_policies)
    chosen, more = page(names, parameters, key=str)
    return {"PolicyNames": list(chosen), **more}
