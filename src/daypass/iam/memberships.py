# SPDX-License-Identifier: Apache-2.0
"""
Who is in which group (IAM API): AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.

A membership stands in the user (``User.groups``), by the group's unique id: whoever is renamed stays in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.policies import groups_of
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam import groups
from daypass.iam.groups import group_to_change
from daypass.iam.limits import GROUPS_PER_USER
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.iam.users import existing_user, no_such_user
from daypass.store import User

if TYPE_CHECKING:
    from daypass.store import Transaction


def _member_to_be(transaction: Transaction, account: str, parameters: Parameters) -> User:
    """The user, whom nobody needs a permission for: the group is what the caller was permitted."""
    name = text(parameters, "UserName")
    user = transaction.view.users.with_name(account, name)
    if user is None:
        raise no_such_user(name)
    return user


async def add_user_to_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Let a user join a group. One that is in it already is no error."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        user = _member_to_be(transaction, group.account, parameters)
        if group.unique_id not in user.groups:
            if len(user.groups) >= GROUPS_PER_USER:
                raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER}")
            await transaction.put(replace(user, groups=(*user.groups, group.unique_id)))
    return {}


async def remove_user_from_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Let a user leave a group. One that is not in it is no error."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        user = _member_to_be(transaction, group.account, parameters)
        remaining = tuple(joined for joined in user.groups if joined != group.unique_id)
        if remaining != user.groups:
            await transaction.put(replace(user, groups=remaining))
    return {}


async def list_groups_for_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The groups that a user is in, by name."""
    user = existing_user(iam, permitted, parameters)
    joined = sorted(groups_of(user, iam.store.view()), key=lambda group: group.name)
    chosen, more = page(joined, parameters, key=lambda group: group.name)
    return {"Groups": [groups.members(group) for group in chosen], **more}
