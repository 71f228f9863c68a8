# SPDX-License-Identifier: Apache-2.0
"""
Changes of permissions boundaries (IAM API): PutUserPermissionsBoundary, DeleteUserPermissionsBoundary,
PutRolePermissionsBoundary, DeleteRolePermissionsBoundary.
"""

from __future__ import annotations

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters
from daypass.iam.boundaries import checked_boundary
from daypass.iam.roles import role_to_change
from daypass.iam.service import Iam
from daypass.iam.users import user_to_change


async def put_user_permissions_boundary(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Give a user a boundary, in place of the one it has."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        boundary = checked_boundary(parameters, user.account, transaction.view)
        await transaction.put(replace(user, permissions_boundary=boundary))
    return {}


async def delete_user_permissions_boundary(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Take a user's boundary away. One that has none is no error."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(replace(user, permissions_boundary=None))
    return {}


async def put_role_permissions_boundary(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Give a role a boundary, in place of the one it has; it bounds the sessions that there are, too."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        boundary = checked_boundary(parameters, role.account, transaction.view)
        await transaction.put(replace(role, permissions_boundary=boundary))
    return {}


async def delete_role_permissions_boundary(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Take a role's boundary away. One that has none is no error."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, permissions_boundary=None))
    return {}
