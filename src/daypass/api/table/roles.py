# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: roles and their inline policies."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import role_policies, roles
from daypass.store import View


def role_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The role that CreateRole would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.role_arn(account, path, text(parameters, "RoleName")), account)


def role(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The role that ``RoleName`` names. A denial names it without its path, as one that is not there."""
    account, name = caller.principal.account, text(parameters, "RoleName")
    found = view.roles.with_name(account, name)
    if found is None:
        return Resource(arn.role_arn(account, "/", name), account)
    return Resource(found.arn, account, found.tags, shown=arn.role_arn(account, "/", name))


ROWS: Final = (
    Row("CreateRole", role_to_be, roles.create_role),
    Row("GetRole", role, roles.get_role),
    Row("ListRoles", everything, roles.list_roles),
    Row("UpdateRole", role, roles.update_role),
    Row("UpdateRoleDescription", role, roles.update_role_description),
    Row("UpdateAssumeRolePolicy", role, roles.update_assume_role_policy),
    Row("DeleteRole", role, roles.delete_role),
    Row("TagRole", role, roles.tag_role),
    Row("UntagRole", role, roles.untag_role),
    Row("ListRoleTags", role, roles.list_role_tags),
    Row("PutRolePolicy", role, role_policies.put_role_policy),
    Row("GetRolePolicy", role, role_policies.get_role_policy),
    Row("ListRolePolicies", role, role_policies.list_role_policies),
    Row("DeleteRolePolicy", role, role_policies.delete_role_policy),
)
