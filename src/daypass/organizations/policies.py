# SPDX-License-Identifier: Apache-2.0
"""
Service control policies and resource control policies (AWS Organizations API, CreatePolicy, UpdatePolicy, DeletePolicy).
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from daypass.access.organization import PROVIDED
from daypass.errors import EntityError, Reason
from daypass.organizations import limits
from daypass.organizations.names import check_name, new_policy_id
from daypass.organizations.places import Target, policies_of, policy_of, targets, the_organization
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import RCP, SCP
from daypass.store import OrganizationPolicy, Store, View

Form = Literal["SCP", "RCP"]

_LONGEST = {"SCP": SCP, "RCP": RCP}


def all_policies(view: View) -> list[OrganizationPolicy]:
    """Every policy of the organisation: those that come with it first. Raises EntityError without one."""
    the_organization(view)
    return [*PROVIDED.values(), *view.organization_policies.of("")]


def attached_to(policy: OrganizationPolicy, view: View) -> list[Target]:
    """What the policy is attached to."""
    return [target for target in targets(view) if policy.unique_id in policies_of(target)]


async def create_policy(
    store: Store, name: str, form: Form, document: str, *, description: str = "", now: float
) -> OrganizationPolicy:
    """Make a policy, which limits nobody until it is attached. Raises EntityError, or PolicyError for what is none."""
    policy = OrganizationPolicy(new_policy_id(), form, name, description, document, int(now))
    _check(policy)
    async with store.transaction() as transaction:
        view = transaction.view
        if sum(known.form == form for known in all_policies(view)) >= limits.POLICIES:
            message = f"Cannot exceed the {limits.POLICIES} policies of type {form} of an organization."
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        _check_name_is_free(policy, view)
        await transaction.put(policy)
    return policy


async def update_policy(
    store: Store,
    policy: str,
    *,
    document: str | None = None,
    name: str | None = None,
    description: str | None = None,
) -> OrganizationPolicy:
    """Change what is given of a policy, which counts from the next request on. Raises EntityError or PolicyError."""
    async with store.transaction() as transaction:
        found = _changeable(policy, transaction.view)
        changed = replace(
            found,
            document=found.document if document is None else document,
            name=found.name if name is None else name,
            description=found.description if description is None else description,
        )
        _check(changed)
        _check_name_is_free(changed, transaction.view)
        await transaction.put(changed)
    return changed


async def delete_policy(store: Store, policy: str) -> OrganizationPolicy:
    """Delete a policy that is attached to nothing. Raises EntityError."""
    async with store.transaction() as transaction:
        found = _changeable(policy, transaction.view)
        if attached_to(found, transaction.view):
            message = (
                "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts "
                "before performing this operation."
            )
            raise EntityError(Reason.DELETE_CONFLICT, message)
        await transaction.delete(found)
    return found


def _changeable(policy: str, view: View) -> OrganizationPolicy:
    found = policy_of(policy, view)
    if found.unique_id in PROVIDED:
        raise EntityError(Reason.ENTITY_UNMODIFIABLE, f"{found.name} is an AWS managed policy and can't be changed.")
    return found


def _check(policy: OrganizationPolicy) -> None:
    check_name(policy.name, limits.POLICY_NAME, "policy")
    if len(policy.description) > limits.POLICY_DESCRIPTION:
        message = f"The description of a policy is at most {limits.POLICY_DESCRIPTION} characters."
        raise EntityError(Reason.INVALID_INPUT, message)
    longest = _LONGEST[policy.form]
    if len(policy.document) > longest:
        message = f"A policy of type {policy.form} is at most {longest} characters, white space included."
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    compile_policy(policy.document, Kind[policy.form])


def _check_name_is_free(policy: OrganizationPolicy, view: View) -> None:
    for known in all_policies(view):
        if (known.form, known.name) == (policy.form, policy.name) and known.unique_id != policy.unique_id:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, "A policy with the same name already exists.")
