# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: roles, their inline policies and their boundaries."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import NO_KEYS, Resource, everything
from daypass.api.row import Row
from daypass.api.table.users import boundary_key
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import boundary_changes, role_policies, roles
from daypass.store import View


def role_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The role that CreateRole would make, with the key of the boundary that is passed."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    role_arn = arn.role_arn(account, path, text(parameters, "RoleName"))
    return Resource(role_arn, account, keys=boundary_key(optional_text(parameters, "PermissionsBoundary")))


def role(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """
    The role that ``RoleName`` names, with the key of its boundary, as writes of its policies want it. A denial names it
    without its path, as one that is not there.
    """
    account, name = caller.principal.account, text(parameters, "RoleName")
    found = view.roles.with_name(account, name)
    if found is None:
        return Resource(arn.role_arn(account, "/", name), account)
    shown = arn.role_arn(account, "/", name)
    return Resource(found.arn, account, found.tags, shown, boundary_key(found.permissions_boundary))


def role_alone(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The same without the key of its boundary, which most operations do not have (Service Authorization Reference)."""
    return replace(role(parameters, caller, view), keys=NO_KEYS)


def role_to_bound(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The same with the key of the boundary that is passed, not of the one it has."""
    return replace(role(parameters, caller, view), keys=boundary_key(text(parameters, "PermissionsBoundary")))


ROWS: Final = (
    Row("CreateRole", role_to_be, roles.create_role),
    Row("GetRole", role, roles.get_role),
    Row("ListRoles", everything, roles.list_roles),
    Row("UpdateRole", role, roles.update_role),
    Row("UpdateRoleDescription", role, roles.update_role_description),
    Row("UpdateAssumeRolePolicy", role, roles.update_assume_role_policy),
    Row("DeleteRole", role, roles.delete_role),
    Row("TagRole", role_alone, roles.tag_role),
    Row("UntagRole", role_alone, roles.untag_role),
    Row("ListRoleTags", role_alone, roles.list_role_tags),
    Row("PutRolePolicy", role, role_policies.put_role_policy),
    Row("GetRolePolicy", role_alone, role_policies.get_role_policy),
    Row("ListRolePolicies", role_alone, role_policies.list_role_policies),
    Row("DeleteRolePolicy", role, role_policies.delete_role_policy),
    Row("PutRolePermissionsBoundary", role_to_bound, boundary_changes.put_role_permissions_boundary),
    Row("DeleteRolePermissionsBoundary", role, boundary_changes.delete_role_permissions_boundary),
)
