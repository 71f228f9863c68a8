# SPDX-License-Identifier: Apache-2.0
"""
Output members that an answer of our recipes does not have, each with the reason. Every other one is there.

``OPERATION: MEMBER.MEMBER[].MEMBER``, with ``*`` for anything. A line that is not true any more fails a test too.
"""

from __future__ import annotations

from typing import Final

ABSENT: Final[dict[str, tuple[str, ...]]] = {
    "a page that is the last one has no marker": ("*: Marker",),
    "IAM shows tags and boundaries in Get operations, not in lists (IAM API, ListRoles, ListUsers, ListPolicies)": (
        "ListRoles: Roles[].Tags",
        "ListRoles: Roles[].PermissionsBoundary",
        "ListUsers: Users[].Tags",
        "ListUsers: Users[].PermissionsBoundary",
        "GetGroup: Users[].Tags",
        "GetGroup: Users[].PermissionsBoundary",
        "ListPolicies: Policies[].Tags",
        "ListPolicies: Policies[].Description",
        "ListInstanceProfiles*: InstanceProfiles[].Tags",
        "GetAccountAuthorizationDetails: RoleDetailList[].InstanceProfileList[].Tags",
        "*: *InstanceProfile*.Roles[].Tags",
        "*: *InstanceProfile*.Roles[].PermissionsBoundary",
    ),
    "only GetRole says when a role was last used; ours has not been": (
        "Create*Role: Role.RoleLastUsed",
        "UpdateRoleDescription: Role.RoleLastUsed",
        "*: *Roles[].RoleLastUsed",
        "GetRole: Role.RoleLastUsed.*",
        "GetAccountAuthorizationDetails: RoleDetailList[].RoleLastUsed.*",
    ),
    "the user has never signed in with a password": ("*: *User*.PasswordLastUsed",),
    "roles are not made from templates": ("*: *SourceRoleTemplate",),
    "the document is in GetPolicyVersion and GetAccountAuthorizationDetails only (IAM API, PolicyVersion)": (
        "CreatePolicyVersion: PolicyVersion.Document",
        "ListPolicyVersions: Versions[].Document",
    ),
    "the key has never been used": ("GetAccessKeyLastUsed: AccessKeyLastUsed.LastUsedDate",),
    "no organisation takes part in the simulation": ("Simulate*: EvaluationResults[].OrganizationsDecisionDetail",),
    "an instance profile is made without a role": ("CreateInstanceProfile: InstanceProfile.Roles[]",),
    "a service-linked role is made without tags, and cannot have a boundary": (
        "CreateServiceLinkedRole: Role.Tags",
        "CreateServiceLinkedRole: Role.PermissionsBoundary",
    ),
    "said only when the deletion has failed": ("GetServiceLinkedRoleDeletionStatus: Reason",),
    "credentials for CodeCommit are a user name and a password, and do not expire (IAM API, ServiceSpecificCredential)": (
        "*ServiceSpecificCredential*: *.ExpirationDate",
        "*ServiceSpecificCredential*: *.ServiceCredentialAlias",
        "*ServiceSpecificCredential: *.ServiceCredentialSecret",
    ),
    "nothing was accessed, and nothing went wrong": (
        "GetServiceLastAccessedDetails*: Error",
        "GetServiceLastAccessedDetails: ServicesLastAccessed[].LastAuthenticated",
        "GetServiceLastAccessedDetails: ServicesLastAccessed[].LastAuthenticatedEntity",
        "GetServiceLastAccessedDetails: ServicesLastAccessed[].LastAuthenticatedRegion",
        "GetServiceLastAccessedDetails: ServicesLastAccessed[].TrackedActionsLastAccessed",
        "GetServiceLastAccessedDetailsWithEntities: EntityDetailsList[].LastAuthenticated",
    ),
    "there is no console to link to, and no model that writes summaries": (
        "CreateDelegationRequest: ConsoleDeepLink",
        "GetHumanReadableSummary: SummaryContent",
    ),
    "the delegated policy makes no roles": ("*DelegationRequest*: *RolePermissionRestrictionArns[]",),
    "a report that is complete says nothing more": ("GenerateCredentialReport: Description",),
    "a device is nobody's when it is made, its seed is shown then and never again, and lists have no tags": (
        "CreateVirtualMFADevice: VirtualMFADevice.User",
        "CreateVirtualMFADevice: VirtualMFADevice.EnableDate",
        "ListVirtualMFADevices: VirtualMFADevices[].Base32StringSeed",
        "ListVirtualMFADevices: VirtualMFADevices[].QRCodePNG",
        "ListVirtualMFADevices: VirtualMFADevices[].Tags",
        "ListVirtualMFADevices: VirtualMFADevices[].User.Tags",
        "ListVirtualMFADevices: VirtualMFADevices[].User.PermissionsBoundary",
    ),
    "a virtual device has no certifications": ("GetMFADevice: Certifications",),
}
