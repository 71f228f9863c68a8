# SPDX-License-Identifier: Apache-2.0
"""
Which policies limit which part of the organisation (AWS Organizations API, AttachPolicy, DetachPolicy).

Every part has one service control policy at least, and RCPFullAWSAccess always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access.organization import RCP_FULL_ACCESS, organization_policy
from daypass.errors import EntityError, Reason
from daypass.organizations.places import Target, policies_of, policy_of, target_of
from daypass.policy.limits import POLICIES_PER_LEVEL
from daypass.store import Organization, OrganizationPolicy, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction


async def attach_policy(store: Store, policy: str, target: str) -> tuple[OrganizationPolicy, Target]:
    """Attach a policy to the root, a unit or an account; it counts from the next request on. Raises EntityError."""
    async with store.transaction() as transaction:
        view = transaction.view
        found, where = policy_of(policy, view), target_of(target, view)
        ids = policies_of(where)
        if found.unique_id in ids:
            message = "The selected policy is already attached to the specified target."
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        if _count(ids, found.form, view) >= POLICIES_PER_LEVEL:
            message = f"Cannot exceed the {POLICIES_PER_LEVEL} policies of type {found.form} attached to a target."
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        changed = await _put(transaction, where, (*ids, found.unique_id))
    return found, changed


async def detach_policy(store: Store, policy: str, target: str) -> tuple[OrganizationPolicy, Target]:
    """Detach a policy, which must not be the last of its form there. Raises EntityError."""
    async with store.transaction() as transaction:
        view = transaction.view
        found, where = policy_of(policy, view), target_of(target, view)
        ids = policies_of(where)
        if found.unique_id not in ids:
            message = "The policy isn't attached to the specified target in the specified root."
            raise EntityError(Reason.NO_SUCH_ENTITY, message)
        if found.unique_id == RCP_FULL_ACCESS:
            raise EntityError(Reason.ENTITY_UNMODIFIABLE, "RCPFullAWSAccess can't be detached.")
        if _count(ids, found.form, view) == 1:
            message = "Every root, OU, and account must have at least one SCP attached; attach another one first."
            raise EntityError(Reason.DELETE_CONFLICT, message)
        changed = await _put(transaction, where, tuple([one for one in ids if one != found.unique_id]))
    return found, changed


def _count(ids: tuple[str, ...], form: str, view: View) -> int:
    attached = [organization_policy(one, view) for one in ids]
    return sum(policy is not None and policy.form == form for policy in attached)


async def _put(transaction: Transaction, target: Target, ids: tuple[str, ...]) -> Target:
    at_root = isinstance(target, Organization)
    changed: Target = replace(target, root_policies=ids) if at_root else replace(target, policies=ids)
    await transaction.put(changed)
    return changed
