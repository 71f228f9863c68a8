# SPDX-License-Identifier: Apache-2.0
"""Writing and showing the policies of resources. What they may say is in ``rules``; who may write them is for who calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from daypass.access.stored_principals import shown_document
from daypass.errors import AccessDeniedError, EntityError, Reason
from daypass.resources.managed import POLICY, check_unmanaged
from daypass.resources.naming import bucket_name
from daypass.resources.ownership import NOWHERE, Elsewhere, adopted, owner_of
from daypass.resources.public import is_public
from daypass.resources.public_access import nothing_more, public_access_of
from daypass.resources.rules import CheckedPolicy, check_policy
from daypass.store import ResourcePolicy, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def _any_policy(view: View, checked: CheckedPolicy) -> None:
    """For writes that have nothing else to look at."""


async def put_policy(
    store: Store,
    arn: str,
    document: str,
    *,
    owner: str,
    now: float,
    backend: str = "",
    check: Callable[[View, CheckedPolicy], None] = _any_policy,
    elsewhere: Elsewhere = NOWHERE,
) -> ResourcePolicy:
    """
    Store the policy of a resource, in one transaction, by ``write_policy``, unless a state file manages it. Raises as that
    does, and AccessDeniedError (MANAGED_BY_FILE). **It does not ask who writes.**
    """
    async with store.transaction() as transaction:
        check_unmanaged(POLICY, arn, transaction.view)
        return await write_policy(
            transaction, arn, document, owner=owner, now=now, backend=backend, check=check, elsewhere=elsewhere
        )


async def write_policy(
    transaction: Transaction,
    arn: str,
    document: str,
    *,
    owner: str,
    now: float,
    backend: str = "",
    check: Callable[[View, CheckedPolicy], None] = _any_policy,
    elsewhere: Elsewhere = NOWHERE,
) -> ResourcePolicy:
    """
    Write the policy of a resource. In this order:

    1. the document is right, and its users and roles are there;
    2. ``check``, which may raise, for what has changed since permission was given;
    3. a bucket policy is not public where ``BlockPublicPolicy`` is set.

    ``owner``: whose the resource is unless another is recorded. Raises PolicyError, EntityError, or AccessDeniedError
    (PUBLIC_ACCESS_BLOCKED). **It does not ask who writes, or whether a state file manages it.**
    """
    view = transaction.view
    checked = check_policy(arn, document, view)  # 1
    check(view, checked)  # 2
    bucket = bucket_name(arn)
    account = owner_of(arn, owner, view, elsewhere)
    if view.accounts.with_key(account) is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"There is no account {account}.")
    if bucket is not None:
        _check_not_blocked(bucket, account, checked, view)  # 3
        await adopted(transaction, bucket, account, backend, now, elsewhere)
    known = view.resource_policies.with_key(arn)
    created_at = int(now) if known is None else known.created_at
    policy = ResourcePolicy(account, arn, document, checked.principals, created_at, int(now))
    await transaction.put(policy)
    return policy


def _check_not_blocked(bucket: str, account: str, checked: CheckedPolicy, view: View) -> None:
    if public_access_of(bucket, account, view).block_public_policy and is_public(checked.policy):
        message = (
            "Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        )
        raise AccessDeniedError(Reason.PUBLIC_ACCESS_BLOCKED, message)


async def remove_policy(store: Store, arn: str, *, check: Callable[[View], None] = nothing_more) -> bool:
    """
    Remove the policy of a resource. Returns whether there was one. ``check`` as for ``put_policy``. Raises AccessDeniedError
    (MANAGED_BY_FILE) where a state file manages it.
    """
    async with store.transaction() as transaction:
        check_unmanaged(POLICY, arn, transaction.view)
        check(transaction.view)
        known = transaction.view.resource_policies.with_key(arn)
        return known is not None and await transaction.delete(known)


def shown_policy(policy: ResourcePolicy, view: View) -> str:
    """The document as it is shown: as sent, but principals that were renamed or are gone are shown as what they are now."""
    return shown_document(policy.document, policy.principals, view)
