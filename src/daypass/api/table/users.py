# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: users, their inline policies and their boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import NO_KEYS, Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import boundary_changes, memberships, user_deletion, user_policies, users
from daypass.identity import ContextValue
from daypass.principal import Root
from daypass.store import View


def boundary_key(boundary: str | None) -> Mapping[str, ContextValue]:
    """``iam:PermissionsBoundary``: of a boundary that is passed, or of the one that a user or role has."""
    return NO_KEYS if boundary is None else {"iam:permissionsboundary": boundary}


def user(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The user that ``UserName`` names, with the key of its boundary, as writes of its policies want it. A denial names it
    without its path, as one that is not there.

    Without ``UserName``: the caller's own, which for the root user of an account is itself. Raises RequestError for
    sessions, which have none.
    """
    account, name = caller.principal.account, optional_text(parameters, "UserName")
    if name is None:
        if isinstance(caller.principal, Root):
            return Resource(caller.principal.arn, account)
        own = users.callers_user(caller)
        return Resource(own.arn, account, own.tags, keys=boundary_key(own.permissions_boundary))
    found = view.users.with_name(account, name)
    if found is None:
        return Resource(arn.user_arn(account, "/", name), account)
    shown = arn.user_arn(account, "/", name)
    return Resource(found.arn, account, found.tags, shown, boundary_key(found.permissions_boundary))


def user_alone(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The same without the key of its boundary, which most operations do not have (Service Authorization Reference)."""
    return replace(user(parameters, caller, view), keys=NO_KEYS)


def user_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The user that CreateUser would make, with the key of the boundary that is passed."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    user_arn = arn.user_arn(account, path, text(parameters, "UserName"))
    return Resource(user_arn, account, keys=boundary_key(optional_text(parameters, "PermissionsBoundary")))


def user_to_bound(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user with the key of the boundary that is passed, not of the one it has."""
    return replace(user(parameters, caller, view), keys=boundary_key(text(parameters, "PermissionsBoundary")))


def user_renamed(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The user as UpdateUser would leave it: whoever renames needs permission for both names (IAM API, UpdateUser)."""
    account, name = caller.principal.account, text(parameters, "UserName")
    path, new_name = optional_text(parameters, "NewPath"), optional_text(parameters, "NewUserName") or name
    shown = arn.user_arn(account, path or "/", new_name)
    found = view.users.with_name(account, name)
    if found is None:
        return Resource(shown, account)
    return Resource(users.renamed(found, parameters).arn, account, found.tags, shown)


ROWS: Final = (
    Row("CreateUser", user_to_be, users.create_user),
    Row("GetUser", user_alone, users.get_user),
    Row("ListUsers", everything, users.list_users),
    Row("UpdateUser", user_alone, users.update_user, also=(("iam:UpdateUser", user_renamed),)),
    Row("DeleteUser", user_alone, user_deletion.delete_user),
    Row("TagUser", user_alone, users.tag_user),
    Row("UntagUser", user_alone, users.untag_user),
    Row("ListUserTags", user_alone, users.list_user_tags),
    Row("PutUserPolicy", user, user_policies.put_user_policy),
    Row("GetUserPolicy", user_alone, user_policies.get_user_policy),
    Row("ListUserPolicies", user_alone, user_policies.list_user_policies),
    Row("DeleteUserPolicy", user, user_policies.delete_user_policy),
    Row("PutUserPermissionsBoundary", user_to_bound, boundary_changes.put_user_permissions_boundary),
    Row("DeleteUserPermissionsBoundary", user, boundary_changes.delete_user_permissions_boundary),
    Row("ListGroupsForUser", user_alone, memberships.list_groups_for_user),
)
