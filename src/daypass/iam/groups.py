# SPDX-License-Identifier: Apache-2.0
"""Groups (IAM API): CreateGroup, GetGroup, ListGroups, UpdateGroup, DeleteGroup. Who is in them is in ``memberships``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import users
from daypass.iam.limits import GROUPS_PER_ACCOUNT
from daypass.iam.paging import page_of_records
from daypass.iam.service import Iam
from daypass.store import Group, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def no_such_group(name: str) -> EntityError:
    """The answer of every operation on a group that is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"The group with name {name} cannot be found.")


def _permitted_group(view: View, permitted: Permitted, parameters: Parameters) -> Group:
    name = text(parameters, "GroupName")
    group = view.groups.with_name(permitted.caller.principal.account, name)
    if group is None or group.arn != permitted.resource:
        raise no_such_group(name)
    return group


def existing_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> Group:
    """The group that ``GroupName`` names, and that the caller was permitted. Raises EntityError."""
    return _permitted_group(iam.store.view(), permitted, parameters)


async def group_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> Group:
    """The same, read inside the transaction that will write it: it may be another than when permission was given."""
    return _permitted_group(transaction.view, permitted, parameters)


def refuse_taken_name(view: View, group: Group) -> None:
    """Raise EntityError when another group of the account has the name, whatever its case."""
    there = view.groups.like_name(group.account, group.name)
    if there is not None and there.unique_id != group.unique_id:
        raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Group with name {group.name} already exists.")


async def create_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A group that is new, with nobody in it and no permissions."""
    group = Group(
        account=permitted.caller.principal.account,
        path=optional_text(parameters, "Path") or "/",
        name=text(parameters, "GroupName"),
        unique_id=new_unique_id("AGPA"),
        created_at=int(permitted.facts.now),
    )
    async with iam.store.transaction() as transaction:
        refuse_taken_name(transaction.view, group)
        if len(transaction.view.groups.of(group.account)) >= GROUPS_PER_ACCOUNT:
            raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for GroupsPerAccount: {GROUPS_PER_ACCOUNT}")
        await transaction.put(group)
    return {"Group": members(group)}


async def get_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One group, and a page of the users in it, by name."""
    view = iam.store.view()
    group = _permitted_group(view, permitted, parameters)
    in_it = view.users.linked(group.account, ("group", group.unique_id))
    chosen, more = page_of_records(in_it, parameters, keep=lambda _user: True)
    return {"Group": members(group), "Users": [users.members(user) for user in chosen], **more}


async def list_groups(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The groups of the account under a path, by name."""
    every = iam.store.view().groups.of(permitted.caller.principal.account)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_records(every, parameters, keep=lambda group: group.path.startswith(prefix))
    return {"Groups": [members(group) for group in chosen], **more}


async def update_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another name, path, or both. It stays the group that it was, by its unique id, with the users in it."""
    async with iam.store.transaction() as transaction:
        group = renamed(await group_to_change(transaction, permitted, parameters), parameters)
        refuse_taken_name(transaction.view, group)
        await transaction.put(group)
    return {}


def renamed(group: Group, parameters: Parameters) -> Group:
    """The group as UpdateGroup would leave it."""
    path, name = optional_text(parameters, "NewPath"), optional_text(parameters, "NewGroupName")
    return replace(group, path=path or group.path, name=name or group.name)


async def delete_group(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a group that nobody is in and that has no policies (IAM API, DeleteGroup)."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        in_it = transaction.view.users.linked(group.account, ("group", group.unique_id))
        for words, there in (
            ("delete policies", bool(group.inline_policies)),
            ("detach all policies", bool(group.attached_policies)),
            ("remove users from group", bool(in_it)),
        ):
            if there:
                raise EntityError(Reason.DELETE_CONFLICT, f"Cannot delete entity, must {words} first.")
        await transaction.delete(group)
    return {}


def members(group: Group) -> dict[str, object]:
    """A group in the output's form."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }
