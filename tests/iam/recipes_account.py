# SPDX-License-Identifier: Apache-2.0
"""Recipes: what an account has set, its reports, and everything in it at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from iam.kitchen import Step
from iam.recipe import (
    ALLOW,
    BOUNDED_ROLE,
    BOUNDED_USER,
    GROUP,
    POLICY,
    POLICY_ARN,
    PROFILE,
    USER,
    Pages,
    Recipe,
    recipe,
)

ALIAS: Final = Step("CreateAccountAlias", {"AccountAlias": "alias-of-<name>"})
PASSWORD_RULES: Final = Step(
    "UpdateAccountPasswordPolicy",
    {
        "MinimumPasswordLength": 10,
        "RequireSymbols": True,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": False,
        "MaxPasswordAge": 90,
        "PasswordReusePrevention": 3,
        "HardExpiry": False,
    },
)
ACCOUNT_SETTINGS: Final = {
    "CreateAccountAlias": recipe(**ALIAS.parameters, new="AccountAlias"),
    "ListAccountAliases": recipe(ALIAS),
    "DeleteAccountAlias": recipe(ALIAS, **ALIAS.parameters),
    "UpdateAccountPasswordPolicy": recipe(**PASSWORD_RULES.parameters),
    "GetAccountPasswordPolicy": recipe(PASSWORD_RULES),
    "DeleteAccountPasswordPolicy": recipe(PASSWORD_RULES),
    "GetAccountSummary": recipe(),
    "SetSecurityTokenServicePreferences": recipe(GlobalEndpointTokenVersion="v2Token"),
    "GetAccountProperties": recipe(),
    "PutAccountProperties": recipe(Properties={"RoleManager/Enabled": "false"}),
}

EVERYTHING: Final = (
    POLICY,
    BOUNDED_USER,
    GROUP,
    BOUNDED_ROLE,
    PROFILE,
    Step("AddRoleToInstanceProfile", {"InstanceProfileName": "<name>", "RoleName": "<name>"}),
    Step("AddUserToGroup", {"GroupName": "<name>", "UserName": "<name>"}),
    *(
        step
        for entity in ("User", "Group", "Role")
        for step in (
            Step(f"Attach{entity}Policy", {f"{entity}Name": "<name>", "PolicyArn": POLICY_ARN}),
            Step(f"Put{entity}Policy", {f"{entity}Name": "<name>", "PolicyName": "main", "PolicyDocument": ALLOW}),
        )
    ),
)
INLINE: Final = Step("PutUserPolicy", {"UserName": "<name>", "PolicyName": "main", "PolicyDocument": ALLOW})
JOB: Final = Step("GenerateServiceLastAccessedDetails", {"Arn": "<CreateUser.User.Arn>"})
JOB_ID: Final = "<GenerateServiceLastAccessedDetails.JobId>"
REPORT: Final = Step("GenerateCredentialReport")
REPORTS: Final = {
    "GetAccountAuthorizationDetails": replace(
        recipe(*EVERYTHING),
        pages=Pages(
            ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
            (Step("CreateUser", {"UserName": "<name>-<i>"}),),
            (Step("DeleteUser", {"UserName": "<item.UserName>"}),),
            alone=True,
        ),
    ),
    "GenerateCredentialReport": recipe(REPORT),
    "GetCredentialReport": recipe(REPORT),
    "GenerateServiceLastAccessedDetails": replace(
        recipe(USER, Arn="<CreateUser.User.Arn>", Granularity="SERVICE_LEVEL"), kind="user"
    ),
    "GetServiceLastAccessedDetails": replace(recipe(USER, INLINE, JobId=JOB_ID), by_caller=True, asked=(JOB,)),
    "GetServiceLastAccessedDetailsWithEntities": replace(
        recipe(USER, INLINE, JobId=JOB_ID, ServiceNamespace="s3"), by_caller=True, asked=(JOB,)
    ),
}

ENABLED: Final = Step("EnableOutboundWebIdentityFederation", may="FeatureEnabled")
DISABLED: Final = Step("DisableOutboundWebIdentityFederation", may="FeatureDisabled")
OUTBOUND: Final = {
    "EnableOutboundWebIdentityFederation": recipe(DISABLED),
    "DisableOutboundWebIdentityFederation": recipe(ENABLED),
    "GetOutboundWebIdentityFederationInfo": recipe(ENABLED),
}

RECIPES: Final[dict[str, Recipe]] = {**ACCOUNT_SETTINGS, **REPORTS, **OUTBOUND}
