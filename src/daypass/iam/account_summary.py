# SPDX-License-Identifier: Apache-2.0
"""How many of everything an account has, and may have (IAM API): GetAccountSummary."""

from __future__ import annotations

from daypass.access import Permitted
from daypass.access.second_factor import ROOT_OWNER
from daypass.awsapi.parameters import Parameters
from daypass.iam import limits
from daypass.iam.account_settings import settings_of
from daypass.iam.service import Iam
from daypass.policy import limits as policy_limits
from daypass.store import View


async def get_account_summary(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """
    The map of IAM's keys. There is no password of the root user.

    Quotas are those enforced here; that of policy versions in use, which AWS has apart, follows from two others.
    """
    view, account = iam.store.view(), permitted.caller.principal.account
    return {"SummaryMap": {**_quotas(), **_counts(view, account), **_of_the_root_user(view, account)}}


def _counts(view: View, account: str) -> dict[str, int]:
    policies = view.managed_policies.of(account)
    version = {"v1Token": 1, "v2Token": 2}[settings_of(view, account).token_version]
    return {
        "Users": len(view.users.of(account)),
        "Groups": len(view.groups.of(account)),
        "Roles": len(view.roles.of(account)),
        "Policies": len(policies),
        "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
        "InstanceProfiles": len(view.instance_profiles.of(account)),
        "ServerCertificates": len(view.server_certificates.of(account)),
        "Providers": len(view.oidc_providers.of(account)) + len(view.saml_providers.of(account)),
        "MFADevices": len(view.mfa_devices.of(account)),
        "MFADevicesInUse": len(view.mfa_devices.linked(account, ("assigned", ""))),
        "GlobalEndpointTokenVersion": version,
    }


def _of_the_root_user(view: View, account: str) -> dict[str, int]:
    """One where the root user has any, else none (IAM API, GetAccountSummary)."""
    return {
        "AccountMFAEnabled": int(bool(view.mfa_devices.linked(account, ("user", ROOT_OWNER)))),
        "AccountAccessKeysPresent": int(bool(view.access_keys.linked(account, ("root", account)))),
        "AccountPasswordPresent": 0,
        "AccountSigningCertificatesPresent": 0,
    }


def _quotas() -> dict[str, int]:
    return {
        "UsersQuota": limits.USERS_PER_ACCOUNT,
        "GroupsQuota": limits.GROUPS_PER_ACCOUNT,
        "RolesQuota": limits.ROLES_PER_ACCOUNT,
        "PoliciesQuota": limits.POLICIES_PER_ACCOUNT,
        "InstanceProfilesQuota": limits.INSTANCE_PROFILES_PER_ACCOUNT,
        "ServerCertificatesQuota": limits.SERVER_CERTIFICATES_PER_ACCOUNT,
        "GroupsPerUserQuota": limits.GROUPS_PER_USER,
        "AccessKeysPerUserQuota": limits.ACCESS_KEYS_PER_USER,
        "SigningCertificatesPerUserQuota": limits.SIGNING_CERTIFICATES_PER_USER,
        "PolicyVersionsInUseQuota": limits.POLICIES_PER_ACCOUNT * policy_limits.MANAGED_POLICY_VERSIONS,
        "VersionsPerPolicyQuota": policy_limits.MANAGED_POLICY_VERSIONS,
        "AttachedPoliciesPerUserQuota": policy_limits.POLICIES_PER_ENTITY,
        "AttachedPoliciesPerGroupQuota": policy_limits.POLICIES_PER_ENTITY,
        "AttachedPoliciesPerRoleQuota": policy_limits.POLICIES_PER_ENTITY,
        "UserPolicySizeQuota": policy_limits.USER_INLINE_SUM,
        "GroupPolicySizeQuota": policy_limits.GROUP_INLINE_SUM,
        "RolePolicySizeQuota": policy_limits.ROLE_INLINE_SUM,
        "PolicySizeQuota": policy_limits.MANAGED_POLICY,
        "AssumeRolePolicySizeQuota": policy_limits.TRUST_POLICY,
    }
