# SPDX-License-Identifier: Apache-2.0
"""
Managed policies on users, groups and roles (IAM API): Attach..., Detach... and ListAttached...Policies of each.

An attachment is an ARN in the record of the user, group or role; the policy does not know of it.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.policies import SERVICE_LINKED_PATH
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.errors import EntityError, Reason
from daypass.iam.groups import existing_group, group_to_change
from daypass.iam.managed_policies import check_policy_arn, no_such_policy, policy_to_use
from daypass.iam.paging import page
from daypass.iam.roles import existing_role, role_to_change
from daypass.iam.service import Iam
from daypass.iam.users import existing_user, user_to_change
from daypass.policy.limits import POLICIES_PER_ENTITY
from daypass.store import Group, Role, User, View

_QUOTAS: Final = {User: "PoliciesPerUser", Group: "PoliciesPerGroup", Role: "PoliciesPerRole"}


async def attach_user_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Attach a policy to a user. Nothing changes when it is attached already."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(replace(user, attached_policies=_attached(user, parameters, transaction.view)))
    return {}


async def attach_group_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Attach a policy to a group. Nothing changes when it is attached already."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        await transaction.put(replace(group, attached_policies=_attached(group, parameters, transaction.view)))
    return {}


async def attach_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Attach a policy to a role. Nothing changes when it is attached already."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, attached_policies=_attached(role, parameters, transaction.view)))
    return {}


async def detach_user_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Detach a policy from a user."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(replace(user, attached_policies=_detached(user, parameters)))
    return {}


async def detach_group_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Detach a policy from a group."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        await transaction.put(replace(group, attached_policies=_detached(group, parameters)))
    return {}


async def detach_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Detach a policy from a role."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, attached_policies=_detached(role, parameters)))
    return {}


async def list_attached_user_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The managed policies of a user, without those of its groups."""
    return _listed(existing_user(iam, permitted, parameters), parameters)


async def list_attached_group_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The managed policies of a group."""
    return _listed(existing_group(iam, permitted, parameters), parameters)


async def list_attached_role_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The managed policies of a role."""
    return _listed(existing_role(iam, permitted, parameters), parameters)


def _attached(entity: User | Group | Role, parameters: Parameters, view: View) -> tuple[str, ...]:
    """What is attached once ``PolicyArn`` is too. Raises EntityError."""
    policy = policy_to_use(view, entity.account, text(parameters, "PolicyArn"))
    if policy.arn in entity.attached_policies:
        return entity.attached_policies
    if policy.path.startswith(SERVICE_LINKED_PATH):  # a service-linked role got here by nobody's request
        message = f"Cannot attach a Service Role Policy to a Customer {type(entity).__name__}."
        raise EntityError(Reason.NOT_ATTACHABLE, message)
    if len(entity.attached_policies) >= POLICIES_PER_ENTITY:
        message = f"Cannot exceed quota for {_QUOTAS[type(entity)]}: {POLICIES_PER_ENTITY}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return (*entity.attached_policies, policy.arn)


def _detached(entity: User | Group | Role, parameters: Parameters) -> tuple[str, ...]:
    """What is attached once ``PolicyArn`` is not, whether that policy still exists or not. Raises EntityError."""
    policy_arn = text(parameters, "PolicyArn")
    check_policy_arn(policy_arn)
    if policy_arn not in entity.attached_policies:
        raise no_such_policy(policy_arn)
    return tuple(attached for attached in entity.attached_policies if attached != policy_arn)


def _listed(entity: User | Group | Role, parameters: Parameters) -> dict[str, object]:
    """A page of what is attached, by name; ``PathPrefix`` is of the policies. An ARN says all that is shown."""
    prefix = optional_text(parameters, "PathPrefix") or "/"
    places = sorted(
        _place(policy_arn) for policy_arn in entity.attached_policies if _path(policy_arn).startswith(prefix)
    )
    chosen, more = page(places, parameters, key=str)
    shown = [place.split(" ", 1) for place in chosen]
    return {"AttachedPolicies": [{"PolicyName": name, "PolicyArn": policy_arn} for name, policy_arn in shown], **more}


def _place(policy_arn: str) -> str:
    """Where it stands in a list; two accounts may have policies of one name. No name has a space."""
    return f"{policy_arn.rpartition('/')[2]} {policy_arn}"


def _path(policy_arn: str) -> str:
    """The path in an ARN: ``/team/`` of ``...:policy/team/Name``."""
    return policy_arn.split(":policy", 1)[1].rpartition("/")[0] + "/"
