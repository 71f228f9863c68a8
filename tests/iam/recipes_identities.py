# SPDX-License-Identifier: Apache-2.0
"""Recipes: users, groups, memberships and roles."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from iam.kitchen import Step
from iam.recipe import (
    BOUNDED_ROLE,
    BOUNDED_USER,
    GROUP,
    PATH,
    POLICY,
    POLICY_ARN,
    ROLE,
    TAGS,
    TRUST,
    USER,
    Pages,
    Recipe,
    recipe,
)

MEMBER: Final = Step("AddUserToGroup", {"GroupName": "<name>", "UserName": "<name>"})


def _tag_pages(entity: str, parameter: str, name: str) -> Pages:
    return Pages(
        ("Tags",),
        (Step(f"Tag{entity}", {parameter: name, "Tags": [{"Key": "key-<i>", "Value": "<i>"}]}),),
        (Step(f"Untag{entity}", {parameter: name, "TagKeys": ["<item.Key>"]}),),
    )


def _under_own_path(step: Step) -> Step:
    """The same entity, many times, under a path that is the order's own."""
    parameters = {**step.parameters, "Path": "/<name>/"}
    return Step(
        step.operation, {key: "<name>-<i>" if value == "<name>" else value for key, value in parameters.items()}
    )


USERS: Final = {
    "CreateUser": recipe(
        POLICY, UserName="<name>", Path=PATH, Tags=TAGS, PermissionsBoundary=POLICY_ARN, new="UserName"
    ),
    "GetUser": recipe(POLICY, BOUNDED_USER, UserName="<name>"),
    "ListUsers": replace(
        recipe(Step("CreateUser", {**USER.parameters, "Path": "/<name>/"}), PathPrefix="/<name>/"),
        pages=Pages(("Users",), (_under_own_path(USER),), (Step("DeleteUser", {"UserName": "<item.UserName>"}),)),
    ),
    "UpdateUser": replace(
        recipe(USER, UserName="<name>", NewUserName="<name>-new", NewPath="/other/"),
        also={"iam:UpdateUser": "user/other/<name>-new"},
    ),
    "DeleteUser": recipe(USER, UserName="<name>"),
    "TagUser": recipe(USER, UserName="<name>", Tags=[{"Key": "more", "Value": "yes"}]),
    "UntagUser": recipe(USER, UserName="<name>", TagKeys=["team"]),
    "ListUserTags": replace(recipe(USER, UserName="<name>"), pages=_tag_pages("User", "UserName", "<name>")),
    "PutUserPermissionsBoundary": recipe(POLICY, USER, UserName="<name>", PermissionsBoundary=POLICY_ARN),
    "DeleteUserPermissionsBoundary": recipe(POLICY, BOUNDED_USER, UserName="<name>"),
}

GROUPS: Final = {
    "CreateGroup": recipe(GroupName="<name>", Path=PATH, new="GroupName"),
    "GetGroup": replace(
        recipe(POLICY, BOUNDED_USER, GROUP, MEMBER, GroupName="<name>"),
        pages=Pages(
            ("Users",),
            (_under_own_path(USER), Step("AddUserToGroup", {"GroupName": "<name>", "UserName": "<name>-<i>"})),
            (Step("RemoveUserFromGroup", {"GroupName": "<name>", "UserName": "<item.UserName>"}),),
        ),
    ),
    "ListGroups": replace(
        recipe(Step("CreateGroup", {"GroupName": "<name>", "Path": "/<name>/"}), PathPrefix="/<name>/"),
        pages=Pages(("Groups",), (_under_own_path(GROUP),), (Step("DeleteGroup", {"GroupName": "<item.GroupName>"}),)),
    ),
    "UpdateGroup": replace(
        recipe(GROUP, GroupName="<name>", NewGroupName="<name>-new", NewPath="/other/"),
        also={"iam:UpdateGroup": "group/other/<name>-new"},
    ),
    "DeleteGroup": recipe(GROUP, GroupName="<name>"),
    "AddUserToGroup": recipe(USER, GROUP, GroupName="<name>", UserName="<name>"),
    "RemoveUserFromGroup": recipe(USER, GROUP, MEMBER, GroupName="<name>", UserName="<name>"),
    "ListGroupsForUser": replace(
        recipe(USER, GROUP, MEMBER, UserName="<name>"),
        pages=Pages(
            ("Groups",),
            (_under_own_path(GROUP), Step("AddUserToGroup", {"GroupName": "<name>-<i>", "UserName": "<name>"})),
            (Step("RemoveUserFromGroup", {"GroupName": "<item.GroupName>", "UserName": "<name>"}),),
        ),
    ),
}

ROLES: Final = {
    "CreateRole": recipe(
        POLICY,
        **{**ROLE.parameters, "PermissionsBoundary": POLICY_ARN, "MaxSessionDuration": 7200},
        new="RoleName",
    ),
    "GetRole": recipe(POLICY, BOUNDED_ROLE, RoleName="<name>"),
    "ListRoles": replace(
        recipe(Step("CreateRole", {**ROLE.parameters, "Path": "/<name>/"}), PathPrefix="/<name>/"),
        pages=Pages(("Roles",), (_under_own_path(ROLE),), (Step("DeleteRole", {"RoleName": "<item.RoleName>"}),)),
    ),
    "UpdateRole": recipe(ROLE, RoleName="<name>", Description="Another.", MaxSessionDuration=7200),
    "UpdateRoleDescription": recipe(POLICY, BOUNDED_ROLE, RoleName="<name>", Description="Another."),
    "UpdateAssumeRolePolicy": recipe(ROLE, RoleName="<name>", PolicyDocument=TRUST),
    "DeleteRole": recipe(ROLE, RoleName="<name>"),
    "TagRole": recipe(ROLE, RoleName="<name>", Tags=[{"Key": "more", "Value": "yes"}]),
    "UntagRole": recipe(ROLE, RoleName="<name>", TagKeys=["team"]),
    "ListRoleTags": replace(recipe(ROLE, RoleName="<name>"), pages=_tag_pages("Role", "RoleName", "<name>")),
    "PutRolePermissionsBoundary": recipe(POLICY, ROLE, RoleName="<name>", PermissionsBoundary=POLICY_ARN),
    "DeleteRolePermissionsBoundary": recipe(POLICY, BOUNDED_ROLE, RoleName="<name>"),
}

RECIPES: Final[dict[str, Recipe]] = {**USERS, **GROUPS, **ROLES}
