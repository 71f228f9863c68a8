# SPDX-License-Identifier: Apache-2.0
"""Recipes: managed policies and their versions, attachments, inline policies, the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from iam.kitchen import Step
from iam.recipe import ALLOW, GROUP, POLICY, POLICY_ARN, ROLE, USER, Pages, Recipe, recipe
from in_process import ACCOUNT

VERSION: Final = Step("CreatePolicyVersion", {"PolicyArn": POLICY_ARN, "PolicyDocument": ALLOW, "SetAsDefault": False})
NUMBERED_POLICY: Final = Step("CreatePolicy", {"PolicyName": "<name>-<i>", "PolicyDocument": ALLOW})
ENTITIES: Final = {"Role": ROLE, "User": USER, "Group": GROUP}

MANAGED: Final = {
    "CreatePolicy": recipe(**POLICY.parameters, new="PolicyName"),
    "GetPolicy": recipe(POLICY, PolicyArn=POLICY_ARN),
    "ListPolicies": replace(
        recipe(Step("CreatePolicy", {**POLICY.parameters, "Path": "/<name>/"}), Scope="Local", PathPrefix="/<name>/"),
        pages=Pages(
            ("Policies",),
            (Step("CreatePolicy", {**NUMBERED_POLICY.parameters, "Path": "/<name>/"}),),
            (Step("DeletePolicy", {"PolicyArn": "<item.Arn>"}),),
        ),
    ),
    "DeletePolicy": recipe(POLICY, PolicyArn=POLICY_ARN),
    "CreatePolicyVersion": recipe(POLICY, PolicyArn=POLICY_ARN, PolicyDocument=ALLOW, SetAsDefault=True),
    "GetPolicyVersion": recipe(POLICY, PolicyArn=POLICY_ARN, VersionId="v1"),
    "ListPolicyVersions": replace(
        recipe(POLICY, PolicyArn=POLICY_ARN),
        pages=Pages(
            ("Versions",),
            (VERSION,),
            (Step("DeletePolicyVersion", {"PolicyArn": POLICY_ARN, "VersionId": "<item.VersionId>"}),),
            count=3,
        ),
    ),
    "SetDefaultPolicyVersion": recipe(
        POLICY, VERSION, PolicyArn=POLICY_ARN, VersionId="<CreatePolicyVersion.PolicyVersion.VersionId>"
    ),
    "DeletePolicyVersion": recipe(
        POLICY, VERSION, PolicyArn=POLICY_ARN, VersionId="<CreatePolicyVersion.PolicyVersion.VersionId>"
    ),
    "TagPolicy": recipe(POLICY, PolicyArn=POLICY_ARN, Tags=[{"Key": "more", "Value": "yes"}]),
    "UntagPolicy": recipe(POLICY, PolicyArn=POLICY_ARN, TagKeys=["team"]),
    "ListPolicyTags": replace(
        recipe(POLICY, PolicyArn=POLICY_ARN),
        pages=Pages(
            ("Tags",),
            (Step("TagPolicy", {"PolicyArn": POLICY_ARN, "Tags": [{"Key": "key-<i>", "Value": "<i>"}]}),),
            (Step("UntagPolicy", {"PolicyArn": POLICY_ARN, "TagKeys": ["<item.Key>"]}),),
        ),
    ),
    "ListEntitiesForPolicy": replace(
        recipe(
            POLICY,
            *(
                step
                for entity, made in ENTITIES.items()
                for step in (made, Step(f"Attach{entity}Policy", {f"{entity}Name": "<name>", "PolicyArn": POLICY_ARN}))
            ),
            PolicyArn=POLICY_ARN,
        ),
        pages=Pages(
            ("PolicyGroups", "PolicyUsers", "PolicyRoles"),
            (
                Step("CreateUser", {"UserName": "<name>-<i>"}),
                Step("AttachUserPolicy", {"UserName": "<name>-<i>", "PolicyArn": POLICY_ARN}),
            ),
            (Step("DetachUserPolicy", {"UserName": "<item.UserName>", "PolicyArn": POLICY_ARN}),),
        ),
    ),
}


def _on(entity: str) -> Mapping[str, Recipe]:
    """Attachments and inline policies of a user, group or role."""
    made, name = ENTITIES[entity], {f"{entity}Name": "<name>"}
    attach = Step(f"Attach{entity}Policy", {**name, "PolicyArn": POLICY_ARN})
    put = Step(f"Put{entity}Policy", {**name, "PolicyName": "<name>", "PolicyDocument": ALLOW})
    return {
        attach.operation: recipe(POLICY, made, **attach.parameters),
        f"Detach{entity}Policy": recipe(POLICY, made, attach, **attach.parameters),
        f"ListAttached{entity}Policies": replace(
            recipe(POLICY, made, attach, **name),
            pages=Pages(
                ("AttachedPolicies",),
                (NUMBERED_POLICY, Step(attach.operation, attach.parameters)),
                (Step(f"Detach{entity}Policy", {**name, "PolicyArn": "<item.PolicyArn>"}),),
            ),
        ),
        put.operation: recipe(made, **put.parameters, new="PolicyName"),
        f"Get{entity}Policy": recipe(made, put, **name, PolicyName="<name>"),
        f"Delete{entity}Policy": recipe(made, put, **name, PolicyName="<name>"),
        f"List{entity}Policies": replace(
            recipe(made, put, **name),
            pages=Pages(
                ("PolicyNames",),
                (Step(put.operation, {**put.parameters, "PolicyName": "policy-<i>"}),),
                (Step(f"Delete{entity}Policy", {**name, "PolicyName": "<item>"}),),
            ),
        ),
    }


OBJECTS: Final = ["arn:aws:s3:::one/a", "arn:aws:s3:::two/b"]
CONDITIONAL: Final = ALLOW.replace(
    '"Resource"', '"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}, "Resource"'
)
INLINE: Final = Step("PutRolePolicy", {"RoleName": "<name>", "PolicyName": "main", "PolicyDocument": CONDITIONAL})
SIMULATED: Final[Mapping[str, Any]] = {
    "ActionNames": ["s3:GetObject", "s3:PutObject"],
    "ResourceArns": OBJECTS,
    "CallerArn": f"arn:aws:iam::{ACCOUNT}:user/caller",
    "PermissionsBoundaryPolicyInputList": [ALLOW],
    "ResourceOwner": "arn:aws:iam::222222222222:root",
}
ROLE_ARN: Final = "<CreateRole.Role.Arn>"

SIMULATION: Final = {
    "SimulateCustomPolicy": recipe(PolicyInputList=[CONDITIONAL], **SIMULATED),
    "SimulatePrincipalPolicy": replace(recipe(ROLE, INLINE, PolicySourceArn=ROLE_ARN, **SIMULATED), kind="role"),
    "GetContextKeysForCustomPolicy": recipe(PolicyInputList=[CONDITIONAL]),
    "GetContextKeysForPrincipalPolicy": replace(recipe(ROLE, INLINE, PolicySourceArn=ROLE_ARN), kind="role"),
    "ListPoliciesGrantingServiceAccess": replace(
        recipe(
            ROLE,
            INLINE,
            POLICY,
            Step("AttachRolePolicy", {"RoleName": "<name>", "PolicyArn": POLICY_ARN}),
            Arn=ROLE_ARN,
            ServiceNamespaces=["s3", "sqs"],
        ),
        kind="role",
    ),
}

RECIPES: Final[dict[str, Recipe]] = {**MANAGED, **_on("Role"), **_on("User"), **_on("Group"), **SIMULATION}
