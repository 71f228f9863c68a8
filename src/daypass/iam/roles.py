# SPDX-License-Identifier: Apache-2.0
"""
Roles (IAM API): CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole,
TagRole, UntagRole, ListRoleTags. Inline policies are next door, in ``role_policies``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.policies import SERVICE_LINKED_PATH
from daypass.awsapi.parameters import Parameters, optional_integer, optional_text, tag_list, text, texts
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import boundaries, documents, tags
from daypass.iam.limits import ROLES_PER_ACCOUNT
from daypass.iam.paging import page, page_of_records
from daypass.iam.service import Iam
from daypass.iam.usage import forget, role_last_used
from daypass.store import Role, View

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


def check_modifiable(role: Role) -> None:
    """Raise EntityError for a role that only its service may change (IAM User Guide, "Using service-linked roles")."""
    if role.path.startswith(SERVICE_LINKED_PATH):
        message = (
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )
        raise EntityError(Reason.ENTITY_UNMODIFIABLE, message)


async def role_to_change(
    transaction: Transaction, permitted: Permitted, parameters: Parameters, *, service_linked: bool = False
) -> Role:
    """
    The same, read inside the transaction that will write it: it may be another than when permission was given.

    ``service_linked``: the operation is one of the few that service-linked roles allow (tags, description).
    """
    name = text(parameters, "RoleName")
    role = transaction.view.roles.with_name(permitted.caller.principal.account, name)
    if role is None or role.arn != permitted.resource:
        raise no_such_role(name)
    permitted.with_tags(role.tags)
    if not service_linked:
        check_modifiable(role)
    return role


async def create_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A role that is new, with a trust policy and no permissions."""
    account, name = permitted.caller.principal.account, text(parameters, "RoleName")
    if (optional_text(parameters, "Path") or "/").startswith(SERVICE_LINKED_PATH):
        message = f"Path prefix '{SERVICE_LINKED_PATH}' can only be used for AWS Service linked Roles"
        raise EntityError(Reason.INVALID_INPUT, message)
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
    )
    async with iam.store.transaction() as transaction:
        role = replace(role, permissions_boundary=boundaries.checked_boundary(parameters, account, transaction.view))
        if transaction.view.roles.like_name(account, name) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Role with name {name} already exists.")
        if len(transaction.view.roles.of(account)) >= ROLES_PER_ACCOUNT:
            raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for RolesPerAccount: {ROLES_PER_ACCOUNT}")
        await transaction.put(role)
    return {"Role": role_members(role, iam.store.view(), with_tags=True)}


async def get_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One role, and when it was last used, some seconds late."""
    role, view = existing_role(iam, permitted, parameters), iam.store.view()
    last_used = role_last_used(view, role.account, role.unique_id, permitted.facts.now)
    return {"Role": {**role_members(role, view, with_tags=True), "RoleLastUsed": last_used}}


async def list_roles(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The roles of the account under a path, by name, without tags and boundaries (IAM API, ListRoles)."""
    view = iam.store.view()
    every = view.roles.of(permitted.caller.principal.account)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_records(every, parameters, keep=lambda role: role.path.startswith(prefix))
    return {"Roles": [role_members(role, view, with_tags=False) for role in chosen], **more}


async def update_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another description or longest session. What is not sent stays as it is."""
    async with iam.store.transaction() as transaction:
        maximum = optional_integer(parameters, "MaxSessionDuration")
        role = await role_to_change(transaction, permitted, parameters, service_linked=maximum is None)
        description = optional_text(parameters, "Description")
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
        role = await role_to_change(transaction, permitted, parameters, service_linked=True)
        changed = replace(role, description=text(parameters, "Description"))
        await transaction.put(changed)
    return {"Role": role_members(changed, iam.store.view(), with_tags=True)}


async def update_assume_role_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another trust policy, checked as at creation."""
    trust_policy = text(parameters, "PolicyDocument")
    principals = documents.check_trust_policy(trust_policy, iam.store.view())
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        await transaction.put(replace(role, trust_policy=trust_policy, trust_principals=principals))
    return {}


async def delete_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a role, and of every session of it. It must have no policies and be in no instance profile."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters)
        if len(transaction.view.instance_profiles.linked(role.account, ("role", role.unique_id))):
            message = "Cannot delete entity, must remove roles from instance profile first."
            raise EntityError(Reason.DELETE_CONFLICT, message)
        if role.attached_policies:
            raise EntityError(Reason.DELETE_CONFLICT, "Cannot delete entity, must detach all policies first.")
        if role.inline_policies:
            raise EntityError(Reason.DELETE_CONFLICT, "Cannot delete entity, must delete policies first.")
        await transaction.delete(role)
        await forget(transaction, role.account, role.unique_id)
    return {}


async def tag_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters, service_linked=True)
        await transaction.put(replace(role, tags=tags.added(role.tags, tag_list(parameters))))
    return {}


async def untag_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters, service_linked=True)
        await transaction.put(replace(role, tags=tags.removed(role.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_role_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a role, sorted by key (IAM API, ListRoleTags)."""
    role = existing_role(iam, permitted, parameters)
    chosen, more = page(sorted(role.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def role_members(role: Role, view: View, *, with_tags: bool) -> dict[str, object]:
    """A role in the output's form; lists leave tags and boundary out."""
    members: dict[str, object] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": documents.shown_trust_policy(role, view),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_duration,
    }
    if with_tags:
        members.update(boundaries.members(role))
        if role.tags:
            members["Tags"] = tags.members(role.tags)
    return members
