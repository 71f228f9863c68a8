# SPDX-License-Identifier: Apache-2.0
"""
A resource as a decision sees it: its owner, and its policy as far as it counts for this caller and this action.

Two rules of S3 are here, because they say what the bucket policy is to this caller, not how policies are evaluated:

- **RestrictPublicBuckets**: from a public policy, callers of other accounts get nothing. What it denies, it denies.
- The root user of the owner's account can always read, replace and delete the bucket policy, whatever it says (S3 API,
  PutBucketPolicy, "Permissions"); policies of the organisation and of the session bind it as ever.
"""

from __future__ import annotations

from typing import Final

from daypass.access.resource import Resource
from daypass.policy import NamedPolicy
from daypass.policy.actions import split_action
from daypass.principal import FederatedUser, Principal, RoleSession, Root, Service, User
from daypass.resources.naming import bucket_name
from daypass.resources.ownership import NOWHERE, Elsewhere, owner_of
from daypass.resources.public import is_public
from daypass.resources.public_access import public_access_of
from daypass.resources.rules import named_policy
from daypass.store import ResourcePolicy, View

_LOCKOUT_ACTIONS: Final = frozenset({"getbucketpolicy", "putbucketpolicy", "deletebucketpolicy"})


def resource_of(
    arn: str,
    owner_arn: str,
    default_account: str,
    view: View,
    *,
    principal: Principal,
    action: str,
    elsewhere: Elsewhere = NOWHERE,
) -> Resource:
    """
    The resource ``arn`` of a decision about ``principal`` and ``action``.

    ``owner_arn``: the ARN that ownership and policy are recorded for: of an object, its bucket's; empty where there is
    none, and then the resource is the default account's and has no policy. ``default_account``: whom resources belong
    to of which nothing is recorded. ``elsewhere``: see ``ownership``. Raises PolicyError for a stored policy that is none.
    """
    bucket = bucket_name(owner_arn)
    if bucket is not None:
        record = view.buckets.with_key(bucket)
        if record is not None and record.backend in elsewhere:
            return Resource(arn, default_account)
        account = (None if record is None else record.account) or default_account
    elif owner_arn:
        account = owner_of(owner_arn, default_account, view)
    else:
        return Resource(arn, default_account)
    stored = view.resource_policies.with_key(owner_arn)
    policy = None if stored is None else _policy(stored, bucket, account, view, principal, action)
    return Resource(arn, account, policy=policy, trust_required=bucket is None and _is_key(owner_arn))


def _policy(
    stored: ResourcePolicy, bucket: str | None, account: str, view: View, principal: Principal, action: str
) -> NamedPolicy | None:
    if bucket is None:
        return named_policy(stored)
    if _is_never_locked_out(principal, account, action):
        return None
    named = named_policy(stored)
    restricted = public_access_of(bucket, account, view).restrict_public_buckets
    if restricted and not _is_of(account, principal) and is_public(named.policy):
        return named_policy(stored, without_grants=True)
    return named


def _is_never_locked_out(principal: Principal, account: str, action: str) -> bool:
    service, name = split_action(action)
    is_owner = isinstance(principal, Root) and principal.account == account
    return is_owner and service == "s3" and name in _LOCKOUT_ACTIONS


def _is_of(account: str, principal: Principal) -> bool:
    """Whether RestrictPublicBuckets leaves the caller alone: services, and whoever belongs to the owner's account."""
    if isinstance(principal, Root | User | RoleSession | FederatedUser):
        return principal.account == account
    return isinstance(principal, Service)


def _is_key(arn: str) -> bool:
    """A KMS key's policy must name the caller or its account (AWS KMS Developer Guide, "Key policies")."""
    return arn.startswith("arn:aws:kms:") and ":key/" in arn
