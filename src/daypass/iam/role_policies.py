# SPDX-License-Identifier: Apache-2.0
"""Inline policies of roles (IAM API): PutRolePolicy, GetRolePolicy, ListRolePolicies, DeleteRolePolicy."""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import inline_policies
from daypass.iam.roles import existing_role, role_to_change
from daypass.iam.service import Iam
from daypass.policy import Kind, compile_policy


async def put_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Add an inline policy, or replace the one of that name."""
    name, document = text(parameters, "PolicyName"), text(parameters, "PolicyDocument")
    compile_policy(document, Kind.IDENTITY)
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.with_policy(role, name, document))
    return {}


async def get_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One inline policy, as it was sent."""
    role = existing_role(iam, permitted, parameters)
    return {"RoleName": role.name, **inline_policies.one_policy(role, parameters)}


async def list_role_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The names of a role's inline policies, sorted."""
    return inline_policies.policy_names(existing_role(iam, permitted, parameters), parameters)


async def delete_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Remove an inline policy."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.without_policy(role, text(parameters, "PolicyName")))
    return {}
