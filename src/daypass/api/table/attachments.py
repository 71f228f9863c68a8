# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: managed policies on users, groups and roles."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass.access import Caller
from daypass.api.resources import Resource, ResourceOf
from daypass.api.row import Row
from daypass.api.table.groups import group
from daypass.api.table.roles import role, role_alone
from daypass.api.table.users import user, user_alone
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import attachments
from daypass.store import View


def with_policy(target: ResourceOf) -> ResourceOf:
    """The user, group or role that a policy is attached to or detached from; the policy is ``iam:PolicyARN``."""

    def resource(parameters: Parameters, caller: Caller, view: View) -> Resource:
        found = target(parameters, caller, view)
        return replace(found, keys={**found.keys, "iam:policyarn": text(parameters, "PolicyArn")})

    return resource


ROWS: Final = (
    Row("AttachUserPolicy", with_policy(user), attachments.attach_user_policy),
    Row("AttachGroupPolicy", with_policy(group), attachments.attach_group_policy),
    Row("AttachRolePolicy", with_policy(role), attachments.attach_role_policy),
    Row("DetachUserPolicy", with_policy(user), attachments.detach_user_policy),
    Row("DetachGroupPolicy", with_policy(group), attachments.detach_group_policy),
    Row("DetachRolePolicy", with_policy(role), attachments.detach_role_policy),
    Row("ListAttachedUserPolicies", user_alone, attachments.list_attached_user_policies),
    Row("ListAttachedGroupPolicies", group, attachments.list_attached_group_policies),
    Row("ListAttachedRolePolicies", role_alone, attachments.list_attached_role_policies),
)
