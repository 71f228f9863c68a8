# SPDX-License-Identifier: Apache-2.0
"""Inline policies of roles (IAM API): PutRolePolicy, GetRolePolicy, ListRolePolicies, DeleteRolePolicy."""

from __future__ import annotations

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam import documents
from daypass.iam.paging import page
from daypass.iam.roles import existing_role, role_to_change
from daypass.iam.service import Iam
from daypass.policy import Kind, compile_policy


def _no_such_policy(name: str) -> EntityError:
    return EntityError(Reason.NO_SUCH_ENTITY, f"The role policy with name {name} cannot be found.")


async def put_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Add an inline policy, or replace the one of that name."""
    name, document = text(parameters, "PolicyName"), text(parameters, "PolicyDocument")
    compile_policy(document, Kind.IDENTITY)
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        policies = (*(policy for policy in role.inline_policies if policy[0] != name), (name, document))
        documents.check_inline_policies(policies, role.name)
        await transaction.put(replace(role, inline_policies=policies))
    return {}


async def get_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One inline policy, as it was sent."""
    role, name = existing_role(iam, permitted, parameters), text(parameters, "PolicyName")
    document = dict(role.inline_policies).get(name)
    if document is None:
        raise _no_such_policy(name)
    return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": documents.shown(document)}


async def list_role_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The names of a role's inline policies, sorted."""
    names = sorted(name for name, _ in existing_role(iam, permitted, parameters).inline_policies)
    chosen, more = page(names, parameters, key=str)
    return {"PolicyNames": list(chosen), **more}


async def delete_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Remove an inline policy."""
    name = text(parameters, "PolicyName")
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        policies = tuple(policy for policy in role.inline_policies if policy[0] != name)
        if len(policies) == len(role.inline_policies):
            raise _no_such_policy(name)
        await transaction.put(replace(role, inline_policies=policies))
    return {}
