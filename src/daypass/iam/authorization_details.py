# SPDX-License-Identifier: Apache-2.0
"""
All of an account's users, groups, roles and managed policies, and what ties them (IAM API): GetAccountAuthorizationDetails.

Pages go through the kinds one after the other. Of the policies that come with the service, those are shown that the account
uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from daypass.access import Permitted
from daypass.access.policies import groups_of
from daypass.awsapi.parameters import Parameters, optional_integer, texts
from daypass.iam import boundaries, documents, tags
from daypass.iam.instance_profiles import profile_members
from daypass.iam.limits import DETAILS_ON_A_PAGE
from daypass.iam.managed_policies import attachment_count, boundary_count
from daypass.iam.paging import After, page_of_lists
from daypass.iam.provided import PROVIDER
from daypass.iam.service import Iam
from daypass.iam.usage import role_last_used
from daypass.store import Group, ManagedPolicy, Role, User, View

Entity = User | Group | Role | ManagedPolicy


async def get_account_authorization_details(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """A page of everything, or of the kinds that ``Filter`` names."""
    view, account, now = iam.store.view(), permitted.caller.principal.account, permitted.facts.now
    asked = min(optional_integer(parameters, "MaxItems") or DETAILS_ON_A_PAGE, DETAILS_ON_A_PAGE)
    lists = _lists(view, account, frozenset(texts(parameters, "Filter")))
    chosen, more = page_of_lists(lists, {**parameters, "MaxItems": asked}, keep=_every)
    return {
        "UserDetailList": [_user(one, view) for one in chosen if isinstance(one, User)],
        "GroupDetailList": [_group(one) for one in chosen if isinstance(one, Group)],
        "RoleDetailList": [_role(one, view, now) for one in chosen if isinstance(one, Role)],
        "Policies": [_policy(one, view, account) for one in chosen if isinstance(one, ManagedPolicy)],
        **more,
    }


def _lists(view: View, account: str, wanted: frozenset[str]) -> list[After[Entity]]:
    """The lists to go through: always as many, so that a marker means the same list; empty where not asked for."""

    def provided(name: str | None) -> Iterator[ManagedPolicy]:
        every = view.managed_policies.of(PROVIDER).after(name)
        return (one for one in every if attachment_count(one, view, account) or boundary_count(one, view, account))

    every: dict[str, After[Entity]] = {
        "User": view.users.of(account).after,
        "Group": view.groups.of(account).after,
        "Role": view.roles.of(account).after,
        "LocalManagedPolicy": view.managed_policies.of(account).after,
        "AWSManagedPolicy": provided,
    }
    return [after if not wanted or kind in wanted else _none for kind, after in every.items()]


def _none(_name: str | None) -> Iterator[Entity]:
    return iter(())


def _every(_entity: Entity) -> bool:
    return True


def _user(user: User, view: View) -> dict[str, object]:
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.unique_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
        "UserPolicyList": _inline(user),
        "GroupList": [group.name for group in groups_of(user, view)],
        "AttachedManagedPolicies": _attached(user),
        "Tags": tags.members(user.tags),
        **boundaries.members(user),
    }


def _group(group: Group) -> dict[str, object]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
        "GroupPolicyList": _inline(group),
        "AttachedManagedPolicies": _attached(group),
    }


def _role(role: Role, view: View, now: float) -> dict[str, object]:
    profiles = view.instance_profiles.linked(role.account, ("role", role.unique_id))
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": documents.shown_trust_policy(role, view),
        "InstanceProfileList": [profile_members(profile, view, with_tags=False) for profile in profiles],
        "RolePolicyList": _inline(role),
        "AttachedManagedPolicies": _attached(role),
        "Tags": tags.members(role.tags),
        "RoleLastUsed": role_last_used(view, role.account, role.unique_id, now),
        **boundaries.members(role),
    }


def _inline(entity: User | Group | Role) -> list[dict[str, str]]:
    return [
        {"PolicyName": name, "PolicyDocument": documents.shown(document)} for name, document in entity.inline_policies
    ]


def _attached(entity: User | Group | Role) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in entity.attached_policies]


def _policy(policy: ManagedPolicy, view: View, account: str) -> dict[str, object]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": attachment_count(policy, view, account),
        "PermissionsBoundaryUsageCount": boundary_count(policy, view, account),
        "IsAttachable": True,
        "Description": policy.description,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
        "PolicyVersionList": list(_versions(policy)),
    }


def _versions(policy: ManagedPolicy) -> Iterable[dict[str, object]]:
    """The newest first."""
    for version in reversed(policy.versions):
        yield {
            "Document": documents.shown(version.document),
            "VersionId": f"v{version.number}",
            "IsDefaultVersion": version.number == policy.default_version,
            "CreateDate": version.created_at,
        }
