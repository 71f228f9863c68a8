# SPDX-License-Identifier: Apache-2.0
"""
Managed policies (IAM API): CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, TagPolicy, UntagPolicy, ListPolicyTags.

Versions are next door, in ``policy_versions``; what policies are attached to, in ``attachments`` and ``policy_entities``.
Policies of the account ``aws`` come with the service: everybody reads them, nobody changes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.access.policies import managed_policy
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.credentials import new_unique_id
from daypass.errors import AccessDeniedError, EntityError, Reason
from daypass.iam import tags
from daypass.iam.limits import POLICIES_PER_ACCOUNT
from daypass.iam.paging import page, page_of_lists
from daypass.iam.provided import PROVIDER
from daypass.iam.service import Iam
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import MANAGED_POLICY, policy_size
from daypass.store import ManagedPolicy, PolicyVersion, View

if TYPE_CHECKING:
    from daypass.store import Transaction

_POLICY_ARN: Final = re.compile(r"arn:aws:iam::(aws|[0-9]{12}):policy/(?:[\w+=,.@-]+/)*[\w+=,.@-]+", re.ASCII)


def check_policy_arn(policy_arn: str) -> str:
    """The account in the ARN of a managed policy. Raises EntityError for what is no such ARN."""
    match = _POLICY_ARN.fullmatch(policy_arn)
    if match is None:
        raise EntityError(Reason.INVALID_INPUT, f"ARN {policy_arn} is not valid.")
    return match[1]


def policy_to_use(view: View, account: str, policy_arn: str) -> ManagedPolicy:
    """
    The policy that an entity of ``account`` may have attached, or as its boundary: one of its own or of the account
    ``aws``. Raises EntityError.
    """
    owner = check_policy_arn(policy_arn)
    policy = managed_policy(view, policy_arn) if owner in (account, PROVIDER) else None
    if policy is None:
        raise no_attachable_policy(policy_arn)
    return policy


def no_attachable_policy(policy_arn: str) -> EntityError:
    """The answer where a policy that is to be used is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"Policy {policy_arn} does not exist or is not attachable.")


def no_such_policy(policy_arn: str) -> EntityError:
    """The answer where a policy that is to be shown, or that is to be detached, is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"Policy {policy_arn} was not found.")


def existing_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> ManagedPolicy:
    """The policy that ``PolicyArn`` names, of the caller's account or of ``aws``, and that the caller was permitted.

    Raises EntityError; AccessDeniedError for policies of other accounts.
    """
    policy_arn, account = text(parameters, "PolicyArn"), permitted.caller.principal.account
    if check_policy_arn(policy_arn) not in (account, PROVIDER):
        raise _outside()
    policy = managed_policy(iam.store.view(), policy_arn)
    if policy is None or policy.arn != permitted.resource:
        raise no_such_policy(policy_arn)
    return policy


async def policy_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> ManagedPolicy:
    """
    The policy of the caller's account that ``PolicyArn`` names, read inside the transaction that will write it.

    Raises EntityError; AccessDeniedError for policies of other accounts, those that come with the service included.
    """
    policy_arn = text(parameters, "PolicyArn")
    if check_policy_arn(policy_arn) != permitted.caller.principal.account:
        raise _outside()
    policy = managed_policy(transaction.view, policy_arn)
    if policy is None or policy.arn != permitted.resource:
        raise no_attachable_policy(policy_arn)
    permitted.with_tags(policy.tags)
    return policy


def _outside() -> AccessDeniedError:
    return AccessDeniedError(Reason.NOT_AUTHORIZED, "Policy is outside your own account.")


def check_document(document: str) -> None:
    """Check the document of a managed policy. Raises PolicyError; EntityError when it is too long."""
    compile_policy(document, Kind.IDENTITY)
    if policy_size(document) > MANAGED_POLICY:
        raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for PolicySize: {MANAGED_POLICY}")


async def create_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A policy that is new, with its first version; nothing has it yet."""
    account, name = permitted.caller.principal.account, text(parameters, "PolicyName")
    document, now = text(parameters, "PolicyDocument"), int(permitted.facts.now)
    check_document(document)
    policy = ManagedPolicy(
        account=account,
        path=optional_text(parameters, "Path") or "/",
        name=name,
        unique_id=new_unique_id("ANPA"),
        description=optional_text(parameters, "Description"),
        created_at=now,
        updated_at=now,
        default_version=1,
        next_version=2,
        versions=(PolicyVersion(1, document, now),),
        tags=tags.checked(tag_list(parameters)),
    )
    async with iam.store.transaction() as transaction:
        there = transaction.view.managed_policies
        if there.like_name(account, name) is not None:
            message = f"A policy called {name} already exists. Duplicate names are not allowed."
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        if len(there.of(account)) >= POLICIES_PER_ACCOUNT:
            message = f"Cannot exceed quota for PoliciesPerAccount: {POLICIES_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(policy)
        members = _whole(policy, transaction.view, account)
    return {"Policy": members}


async def get_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One policy, without its document. What is counted is what the caller's account has attached it to."""
    policy = existing_policy(iam, permitted, parameters)
    return {"Policy": _whole(policy, iam.store.view(), permitted.caller.principal.account)}


async def list_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The policies of the account, then those that come with the service, each by name.

    Shown without description and tags (IAM API, ListPolicies). ``OnlyAttached``: those attached to some user, group or
    role; ``PolicyUsageFilter``: those used in that way by some.
    """
    view, account = iam.store.view(), permitted.caller.principal.account
    owners = {"AWS": (PROVIDER,), "Local": (account,)}.get(str(parameters.get("Scope")), (account, PROVIDER))
    prefix, usage = optional_text(parameters, "PathPrefix") or "/", optional_text(parameters, "PolicyUsageFilter")
    attached = parameters.get("OnlyAttached") is True or usage == "PermissionsPolicy"

    def keep(policy: ManagedPolicy) -> bool:
        return (
            policy.path.startswith(prefix)
            and (not attached or attachment_count(policy, view, account) > 0)
            and (usage != "PermissionsBoundary" or boundary_count(policy, view, account) > 0)
        )

    lists = [view.managed_policies.of(owner).after for owner in owners]
    chosen, more = page_of_lists(lists, parameters, keep=keep)
    return {"Policies": [_brief(policy, view, account) for policy in chosen], **more}


async def delete_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a policy that nothing has any more and that has one version."""
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        view, account = transaction.view, policy.account
        if attachment_count(policy, view, account) or boundary_count(policy, view, account):
            raise EntityError(Reason.DELETE_CONFLICT, "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            message = (
                "This policy has more than one version. Before you delete a policy, you must delete the policy's"
                " versions. The default version is deleted with the policy."
            )
            raise EntityError(Reason.DELETE_CONFLICT, message)
        await transaction.delete(policy)
    return {}


async def tag_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        await transaction.put(replace(policy, tags=tags.added(policy.tags, tag_list(parameters))))
    return {}


async def untag_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        await transaction.put(replace(policy, tags=tags.removed(policy.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_policy_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a policy, sorted by key (IAM API, ListPolicyTags)."""
    policy = existing_policy(iam, permitted, parameters)
    chosen, more = page(sorted(policy.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def attachment_count(policy: ManagedPolicy, view: View, account: str) -> int:
    """How many users, groups and roles of an account a policy is attached to."""
    link = ("policy", policy.arn)
    return sum(len(records.linked(account, link)) for records in (view.users, view.groups, view.roles))


def boundary_count(policy: ManagedPolicy, view: View, account: str) -> int:
    """How many users and roles of an account a policy bounds."""
    link = ("boundary", policy.arn)
    return sum(len(records.linked(account, link)) for records in (view.users, view.roles))


def _brief(policy: ManagedPolicy, view: View, account: str) -> dict[str, object]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": attachment_count(policy, view, account),
        "PermissionsBoundaryUsageCount": boundary_count(policy, view, account),
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }


def _whole(policy: ManagedPolicy, view: View, account: str) -> dict[str, object]:
    """The members of a single policy. None is no member: a policy without a description has none."""
    members = {**_brief(policy, view, account), "Description": policy.description}
    if policy.tags:
        members["Tags"] = tags.members(policy.tags)
    return members
