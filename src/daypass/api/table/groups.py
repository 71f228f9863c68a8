# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: groups, their members and their inline policies."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import group_policies, groups, memberships
from daypass.store import View


def group(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The group that ``GroupName`` names. Groups have no tags. A denial names it without its path."""
    account, name = caller.principal.account, text(parameters, "GroupName")
    found = view.groups.with_name(account, name)
    without_path = arn.group_arn(account, "/", name)
    return Resource(without_path if found is None else found.arn, account, shown=without_path)


def group_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The group that CreateGroup would make."""
    account, path = caller.principal.account, optional_text(parameters, "Path") or "/"
    return Resource(arn.group_arn(account, path, text(parameters, "GroupName")), account)


def group_renamed(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The group as UpdateGroup would leave it: whoever renames needs permission for both names (IAM API, UpdateGroup)."""
    account, name = caller.principal.account, text(parameters, "GroupName")
    path, new_name = optional_text(parameters, "NewPath"), optional_text(parameters, "NewGroupName") or name
    shown = arn.group_arn(account, path or "/", new_name)
    found = view.groups.with_name(account, name)
    return Resource(shown if found is None else groups.renamed(found, parameters).arn, account, shown=shown)


ROWS: Final = (
    Row("CreateGroup", group_to_be, groups.create_group),
    Row("GetGroup", group, groups.get_group),
    Row("ListGroups", everything, groups.list_groups),
    Row("UpdateGroup", group, groups.update_group, also=(("iam:UpdateGroup", group_renamed),)),
    Row("DeleteGroup", group, groups.delete_group),
    Row("AddUserToGroup", group, memberships.add_user_to_group),
    Row("RemoveUserFromGroup", group, memberships.remove_user_from_group),
    Row("PutGroupPolicy", group, group_policies.put_group_policy),
    Row("GetGroupPolicy", group, group_policies.get_group_policy),
    Row("ListGroupPolicies", group, group_policies.list_group_policies),
    Row("DeleteGroupPolicy", group, group_policies.delete_group_policy),
)
