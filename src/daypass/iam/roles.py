# SPDX-License-Identifier: Apache-2.0
"""
Roles (IAM API): CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole,
TagRole, UntagRole, ListRoleTags. Inline policies are next door, in ``role_policies``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_integer, optional_text, tag_list, text, texts
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason, RequestError
from daypass.iam import documents, tags
from daypass.iam.limits import ROLES_PER_ACCOUNT
from daypass.iam.paging import page, page_of_records
from daypass.iam.service import Iam
from daypass.store import Role

if TYPE_CHECKING:
    from daypass.store import Transaction

DEFAULT_MAX_SESSION_SECONDS: Final = 3600


def no_such_role(name: str) -> EntityError:
    """The answer of every operation on a role that is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"The role with name {name} cannot be found.")


def existing_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> Role:
    """The role that ``RoleName`` names, and that the caller was permitted. Raises EntityError."""
    name = text(parameters, "RoleName")
    role = iam.store.view().roles.with_name(permitted.caller.principal.account, name)
    if role is None or role.arn != permitted.resource:
        raise no_such_role(name)
    return role


async def role_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> Role:
    """The same, read inside the transaction that will write it: it may be another than when permission was given."""
    name = text(parameters, "RoleName")
    role = transaction.view.roles.with_name(permitted.caller.principal.account, name)
    if role is None or role.arn != permitted.resource:
        raise no_such_role(name)
    permitted.with_tags(role.tags)
    return role


async def create_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A role that is new, with a trust policy and no permissions."""
    if "PermissionsBoundary" in parameters:
        raise RequestError(
            Reason.UNSUPPORTED_PARAMETER, "Permissions boundaries (PermissionsBoundary) are not supported."
        )
    account, name = permitted.caller.principal.account, text(parameters, "RoleName")
    trust_policy = text(parameters, "AssumeRolePolicyDocument")
    role = Role(
        account=account,
        path=optional_text(parameters, "Path") or "/",
        name=name,
        unique_id=new_unique_id("AROA"),
        description=optional_text(parameters, "Description"),
        max_session_duration=optional_integer(parameters, "MaxSessionDuration") or DEFAULT_MAX_SESSION_SECONDS,
        trust_policy=trust_policy,
        trust_principals=documents.check_trust_policy(trust_policy, iam.store.view()),
        created_at=int(permitted.facts.now),
        tags=tags.checked(tag_list(parameters)),
        inline_policies=(),
    )
    async with iam.store.transaction() as transaction:
        if transaction.view.roles.like_name(account, name) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Role with name {name} already exists.")
        if len(iam.store.view().roles.of(account)) >= ROLES_PER_ACCOUNT:
            raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for RolesPerAccount: {ROLES_PER_ACCOUNT}")
        await transaction.put(role)
    return {"Role": _members(role, with_tags=True)}


async def get_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One role. When it was last used is not recorded, which IAM shows as an empty RoleLastUsed."""
    role = existing_role(iam, permitted, parameters)
    return {"Role": {**_members(role, with_tags=True), "RoleLastUsed": {}}}


async def list_roles(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The roles of the account under a path, by name. Tags are not shown in a list (IAM API, ListRoles)."""
    every = iam.store.view().roles.of(permitted.caller.principal.account)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_records(every, parameters, keep=lambda role: role.path.startswith(prefix))
    return {"Roles": [_members(role, with_tags=False) for role in chosen], **more}


async def update_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another description or longest session. What is not sent stays as it is."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        description = optional_text(parameters, "Description")
        maximum = optional_integer(parameters, "MaxSessionDuration")
        changed = replace(
            role,
            description=role.description if description is None else description,
            max_session_duration=role.max_session_duration if maximum is None else maximum,
        )
        await transaction.put(changed)
    return {}


async def update_role_description(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another description; answers the role."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        changed = replace(role, description=text(parameters, "Description"))
        await transaction.put(changed)
    return {"Role": _members(changed, with_tags=True)}


async def update_assume_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another trust policy, checked as at creation."""
    trust_policy = text(parameters, "PolicyDocument")
    principals = documents.check_trust_policy(trust_policy, iam.store.view())
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, trust_policy=trust_policy, trust_principals=principals))
    return {}


async def delete_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a role, and of every session of it. Its inline policies must be deleted before."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        if role.inline_policies:
            raise EntityError(Reason.DELETE_CONFLICT, "Cannot delete entity, must delete policies first.")
        await transaction.delete(role)
    return {}


async def tag_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, tags=tags.added(role.tags, tag_list(parameters))))
    return {}


async def untag_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, tags=tags.removed(role.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_role_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a role, sorted by key (IAM API, ListRoleTags)."""
    role = existing_role(iam, permitted, parameters)
    chosen, more = page(sorted(role.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def _members(role: Role, *, with_tags: bool) -> dict[str, object]:
    members: dict[str, object] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": documents.shown(role.trust_policy),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_duration,
    }
    if with_tags and role.tags:
        members["Tags"] = tags.members(role.tags)
    return members
