# SPDX-License-Identifier: Apache-2.0
"""
Instance profiles (IAM API): CreateInstanceProfile, GetInstanceProfile, ListInstanceProfiles, ListInstanceProfilesForRole,
DeleteInstanceProfile, AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile, TagInstanceProfile, UntagInstanceProfile,
ListInstanceProfileTags. A profile is a container for one role; nothing here hands it to an instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import tags
from daypass.iam.limits import INSTANCE_PROFILES_PER_ACCOUNT
from daypass.iam.paging import page, page_of_records
from daypass.iam.roles import check_modifiable, existing_role, no_such_role, role_members
from daypass.iam.service import Iam
from daypass.store import InstanceProfile, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def _permitted_profile(view: View, permitted: Permitted, parameters: Parameters) -> InstanceProfile:
    name = text(parameters, "InstanceProfileName")
    profile = view.instance_profiles.with_name(permitted.caller.principal.account, name)
    if profile is None or profile.arn != permitted.resource:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"Instance Profile {name} cannot be found.")
    return profile


async def _profile_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> InstanceProfile:
    """The profile, read inside the transaction that will write it."""
    profile = _permitted_profile(transaction.view, permitted, parameters)
    permitted.with_tags(profile.tags)
    return profile


async def create_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A profile that is new and empty."""
    account, name = permitted.caller.principal.account, text(parameters, "InstanceProfileName")
    profile = InstanceProfile(
        account=account,
        path=optional_text(parameters, "Path") or "/",
        name=name,
        unique_id=new_unique_id("AIPA"),
        created_at=int(permitted.facts.now),
        tags=tags.checked(tag_list(parameters)),
    )
    async with iam.store.transaction() as transaction:
        if transaction.view.instance_profiles.like_name(account, name) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Instance Profile {name} already exists.")
        if len(transaction.view.instance_profiles.of(account)) >= INSTANCE_PROFILES_PER_ACCOUNT:
            message = f"Cannot exceed quota for InstanceProfilesPerAccount: {INSTANCE_PROFILES_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(profile)
    return {"InstanceProfile": profile_members(profile, iam.store.view(), with_tags=True)}


async def get_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One profile with its role."""
    view = iam.store.view()
    return {"InstanceProfile": profile_members(_permitted_profile(view, permitted, parameters), view, with_tags=True)}


async def list_instance_profiles(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The profiles of the account under a path, by name. Tags are not shown in a list."""
    view = iam.store.view()
    prefix = optional_text(parameters, "PathPrefix") or "/"
    every = view.instance_profiles.of(permitted.caller.principal.account)
    chosen, more = page_of_records(every, parameters, keep=lambda profile: profile.path.startswith(prefix))
    return {"InstanceProfiles": [profile_members(profile, view, with_tags=False) for profile in chosen], **more}


async def list_instance_profiles_for_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The profiles that have a role in them, by name."""
    role, view = existing_role(iam, permitted, parameters), iam.store.view()
    every = view.instance_profiles.linked(role.account, ("role", role.unique_id))
    chosen, more = page_of_records(every, parameters, keep=lambda _: True)
    return {"InstanceProfiles": [profile_members(profile, view, with_tags=False) for profile in chosen], **more}


async def delete_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a profile, which must be empty."""
    async with iam.store.transaction() as transaction:
        profile = await _profile_to_change(transaction, permitted, parameters)
        if profile.role_id is not None:
            message = "Cannot delete entity, must remove roles from instance profile first."
            raise EntityError(Reason.DELETE_CONFLICT, message)
        await transaction.delete(profile)
    return {}


async def add_role_to_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    Put a role into an empty profile.

    Passing the role (``iam:PassRole``) was permitted for the role as it was a moment ago; if it is another by now, or
    has other tags, this is refused.
    """
    name, account = text(parameters, "RoleName"), permitted.caller.principal.account
    passed = iam.store.view().roles.with_name(account, name)
    async with iam.store.transaction() as transaction:
        profile = await _profile_to_change(transaction, permitted, parameters)
        role = transaction.view.roles.with_name(account, name)
        if role is None:
            raise no_such_role(name)
        if passed is None or (role.unique_id, role.tags) != (passed.unique_id, passed.tags):
            message = f"The role {name} was changed by another request; try again."
            raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, message)
        check_modifiable(role)
        if profile.role_id is not None:
            message = "Cannot exceed quota for InstanceProfileSessionsPerInstanceProfile: 1"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(replace(profile, role_id=role.unique_id))
    return {}


async def remove_role_from_instance_profile(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """Take the role out of a profile."""
    name = text(parameters, "RoleName")
    async with iam.store.transaction() as transaction:
        profile = await _profile_to_change(transaction, permitted, parameters)
        role = transaction.view.roles.with_name(profile.account, name)
        if role is None or role.unique_id != profile.role_id:
            raise no_such_role(name)
        await transaction.put(replace(profile, role_id=None))
    return {}


async def tag_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        profile = await _profile_to_change(transaction, permitted, parameters)
        await transaction.put(replace(profile, tags=tags.added(profile.tags, tag_list(parameters))))
    return {}


async def untag_instance_profile(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        profile = await _profile_to_change(transaction, permitted, parameters)
        await transaction.put(replace(profile, tags=tags.removed(profile.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_instance_profile_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a profile, sorted by key (IAM API, ListInstanceProfileTags)."""
    profile = _permitted_profile(iam.store.view(), permitted, parameters)
    chosen, more = page(sorted(profile.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def profile_members(profile: InstanceProfile, view: View, *, with_tags: bool) -> dict[str, object]:
    """An instance profile in the output's form, with the role that it holds; lists leave tags out."""
    role = None if profile.role_id is None else view.roles.with_key(profile.role_id)
    members: dict[str, object] = {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.unique_id,
        "Arn": profile.arn,
        "CreateDate": profile.created_at,
        "Roles": [] if role is None else [role_members(role, view, with_tags=False)],
    }
    if with_tags and profile.tags:
        members["Tags"] = tags.members(profile.tags)
    return members
