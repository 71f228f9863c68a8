# SPDX-License-Identifier: Apache-2.0
"""
Versions of managed policies (IAM API): CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, DeletePolicyVersion,
SetDefaultPolicyVersion.

The default version is the one that counts, from the next request on (IAM User Guide, "Versioning IAM policies").
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError, Reason
from daypass.iam import documents
from daypass.iam.managed_policies import check_document, existing_policy, policy_to_change
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.policy.limits import MANAGED_POLICY_VERSIONS
from daypass.store import ManagedPolicy, PolicyVersion

_TOO_MANY: Final = (
    f"A managed policy can have up to {MANAGED_POLICY_VERSIONS} versions. Before you create a new version, you must delete"
    " an existing version."
)


async def create_policy_version(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another version, with the next number; the default if ``SetAsDefault``. Numbers are never used again."""
    document, now = text(parameters, "PolicyDocument"), int(permitted.facts.now)
    check_document(document)
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        if len(policy.versions) >= MANAGED_POLICY_VERSIONS:
            raise EntityError(Reason.LIMIT_EXCEEDED, _TOO_MANY)
        version = PolicyVersion(policy.next_version, document, now)
        changed = replace(
            policy,
            versions=(*policy.versions, version),
            next_version=version.number + 1,
            default_version=version.number if parameters.get("SetAsDefault") is True else policy.default_version,
            updated_at=now,
        )
        await transaction.put(changed)
    return {"PolicyVersion": _brief(version, changed)}


async def get_policy_version(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One version with its document, as it was sent."""
    policy = existing_policy(iam, permitted, parameters)
    version = _version(policy, parameters)
    return {"PolicyVersion": {**_brief(version, policy), "Document": documents.shown(version.document)}}


async def list_policy_versions(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The versions there are, newest first, without their documents (IAM API, PolicyVersion: Document)."""
    policy = existing_policy(iam, permitted, parameters)
    newest_first = sorted(policy.versions, key=_place)
    chosen, more = page(newest_first, parameters, key=_place)
    return {"Versions": [_brief(version, policy) for version in chosen], **more}


async def delete_policy_version(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a version that is not the default."""
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        version = _version(policy, parameters)
        if version.number == policy.default_version:
            raise EntityError(Reason.DELETE_CONFLICT, "Cannot delete the default version of a policy.")
        kept = tuple(other for other in policy.versions if other.number != version.number)
        await transaction.put(replace(policy, versions=kept))
    return {}


async def set_default_policy_version(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Make a version the one that counts, for everything that the policy is attached to."""
    async with iam.store.transaction() as transaction:
        policy = await policy_to_change(transaction, permitted, parameters)
        await transaction.put(replace(policy, default_version=_version(policy, parameters).number))
    return {}


def _version(policy: ManagedPolicy, parameters: Parameters) -> PolicyVersion:
    """The version that ``VersionId`` names. Raises EntityError."""
    named = text(parameters, "VersionId")
    for version in policy.versions:
        if _id(version) == named:
            return version
    message = f"Policy {policy.arn} version {named} does not exist or is not attachable."
    raise EntityError(Reason.NO_SUCH_ENTITY, message)


def _id(version: PolicyVersion) -> str:
    return f"v{version.number}"


def _place(version: PolicyVersion) -> str:
    """Sorts the newest first."""
    return f"{10**12 - version.number:012}"


def _brief(version: PolicyVersion, policy: ManagedPolicy) -> dict[str, object]:
    return {
        "VersionId": _id(version),
        "IsDefaultVersion": version.number == policy.default_version,
        "CreateDate": version.created_at,
    }
