# SPDX-License-Identifier: Apache-2.0
"""
Whose a resource is (S3 User Guide, "Bucket naming rules", "Buckets overview": a bucket is owned by the account that made it).

The ARN of a bucket has no account, and names of buckets are one namespace over all accounts and backends; so the owner is
recorded when a bucket is made through us. What nobody recorded belongs to the account that the backend is configured for.

``elsewhere``, throughout: names of backends that keep their buckets in another place than the one that is asked. A bucket that
is recorded for one of them is another bucket of the same name: its record, and its policy, say nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.arn import is_account_id
from daypass.errors import EntityError, Reason
from daypass.resources.managed import OWNER, POLICY, PUBLIC_ACCESS, check_unmanaged, is_bucket_managed, is_managed
from daypass.resources.naming import BUCKET_PREFIX, bucket_arn, bucket_name, check_arn
from daypass.store import Bucket, PublicAccess, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction

Elsewhere = frozenset[str]
"""Names of backends; see above."""
NOWHERE: Final[Elsewhere] = frozenset()

NOTHING_PUBLIC: Final = PublicAccess(True, True, True, True)
"""What new buckets begin with (S3 User Guide, "Blocking public access": all four settings, since April 2023)."""


def is_elsewhere(name: str, view: View, elsewhere: Elsewhere) -> bool:
    """Whether the bucket that is recorded under this name is in another place."""
    bucket = view.buckets.with_key(name) if elsewhere else None
    return bucket is not None and bucket.backend in elsewhere


def bucket_record(name: str, view: View, elsewhere: Elsewhere = NOWHERE) -> Bucket | None:
    """What is recorded about a bucket; None where that is nothing, or about another of the same name."""
    return None if is_elsewhere(name, view, elsewhere) else view.buckets.with_key(name)


def recorded_owner(arn: str, view: View, elsewhere: Elsewhere = NOWHERE) -> str | None:
    """The account that the ARN names, or that the resource is recorded to belong to; None when there is neither."""
    name = bucket_name(arn)
    if name is not None:
        bucket = bucket_record(name, view, elsewhere)
        return None if bucket is None else bucket.account
    fields = arn.split(":", 5)
    if len(fields) == 6 and is_account_id(fields[4]):
        return fields[4]
    policy = view.resource_policies.with_key(arn)
    return None if policy is None else policy.account


def owner_of(arn: str, default_account: str, view: View, elsewhere: Elsewhere = NOWHERE) -> str:
    """The account that a resource belongs to: ``default_account`` where nothing says otherwise."""
    return recorded_owner(arn, view, elsewhere) or default_account


def owned(view: View, account: str, default_account: str, elsewhere: Elsewhere = NOWHERE) -> Callable[[str], bool]:
    """Whether a bucket of this name belongs to the account: what ListBuckets shows it (S3 API, ListBuckets)."""

    def keep(name: str) -> bool:
        return owner_of(bucket_arn(name), default_account, view, elsewhere) == account

    return keep


def check_creation(
    bucket: str, account: str, view: View, *, exists: bool, default_account: str, elsewhere: Elsewhere = NOWHERE
) -> None:
    """
    See to it that the account may make a bucket of this name: nobody has it.

    ``exists``: whether the backend has one. An S3 server whose one owner creates a bucket again may answer 200, and then a
    bucket would become the property of whoever asked last. Raises EntityError (S3 API, CreateBucket: BucketAlreadyExists,
    BucketAlreadyOwnedByYou).
    """
    known = view.buckets.with_key(bucket)
    owner = known.account if known is not None else default_account if exists else account
    if owner != account or is_elsewhere(bucket, view, elsewhere):
        raise taken()
    if exists:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise EntityError(Reason.BUCKET_ALREADY_OWNED_BY_YOU, message)


async def record_creation(
    store: Store, bucket: str, account: str, backend: str, now: float, elsewhere: Elsewhere = NOWHERE
) -> None:
    """
    Record who owns a bucket that has just been made. Nothing of an earlier one of its name is left, and nothing in it can
    become public until its owner says so; but what a state file manages is as the file says. Raises EntityError when it has
    become another account's meanwhile.
    """
    async with store.transaction() as transaction:
        known = transaction.view.buckets.with_key(bucket)
        if known is not None and (known.account != account or known.backend in elsewhere):
            raise taken()
        arn = bucket_arn(bucket)
        await _forget_policy(transaction, arn)
        kept = known is not None and is_managed(PUBLIC_ACCESS, arn, transaction.view)
        settings = known.public_access if known is not None and kept else NOTHING_PUBLIC
        await transaction.put(Bucket(bucket, account, backend, int(now), settings))


async def record_deletion(
    store: Store, bucket: str, elsewhere: Elsewhere = NOWHERE, *, before: View | None = None
) -> None:
    """
    Forget a bucket that has just been deleted, its policy and its settings; not another of the same name. ``before``: what
    was known when the deletion was permitted. A bucket that is recorded since has been made after it, by whoever was quick.
    Of a bucket in a state file, what the file manages stays, and whose it is: the name is its owner's.
    """
    async with store.transaction() as transaction:
        if is_elsewhere(bucket, transaction.view, elsewhere):
            return
        known = transaction.view.buckets.with_key(bucket)
        if before is not None and known is not None and not _is_same(known, before.buckets.with_key(bucket)):
            return
        if known is not None and not is_bucket_managed(bucket, transaction.view):
            await transaction.delete(known)
        await _forget_policy(transaction, bucket_arn(bucket))


def _is_same(known: Bucket, before: Bucket | None) -> bool:
    """Whether two records are of one bucket, whatever its settings have become."""
    return before is not None and replace(before, public_access=known.public_access) == known


async def set_owner(store: Store, arn: str, account: str, *, now: float) -> Bucket:
    """
    Record, or change, whose bucket this is; its policy and settings stay. Raises EntityError for what is no bucket, and
    AccessDeniedError (MANAGED_BY_FILE) where a state file manages it.
    """
    async with store.transaction() as transaction:
        check_unmanaged(OWNER, arn, transaction.view)
        return await write_owner(transaction, arn, account, now=now)


async def write_owner(transaction: Transaction, arn: str, account: str, *, now: float) -> Bucket:
    """The same, within a transaction, and whether or not a state file manages it."""
    name = bucket_name(arn)
    if name is None:
        message = f"Expected the ARN of a bucket, {BUCKET_PREFIX}NAME, got {arn!r}."
        raise EntityError(Reason.INVALID_INPUT, message)
    check_arn(arn)
    if transaction.view.accounts.with_key(account) is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"There is no account {account}.")
    known = transaction.view.buckets.with_key(name)
    bucket = Bucket(name, account, "", int(now)) if known is None else replace(known, account=account)
    await transaction.put(bucket)
    policy = transaction.view.resource_policies.with_key(arn)
    if policy is not None:
        await transaction.put(replace(policy, account=account))
    return bucket


async def adopted(
    transaction: Transaction, name: str, owner: str, backend: str, now: float, elsewhere: Elsewhere
) -> Bucket:
    """
    The bucket's record, made if there is none: what is kept about a bucket is kept with whom it belongs to. Raises
    EntityError when the record is of another bucket of this name: nothing can be kept about two.
    """
    known = transaction.view.buckets.with_key(name)
    if known is not None and known.backend in elsewhere:
        raise taken()
    if known is not None:
        return known
    bucket = Bucket(name, owner, backend, int(now))
    await transaction.put(bucket)
    return bucket


async def _forget_policy(transaction: Transaction, arn: str) -> None:
    policy = transaction.view.resource_policies.with_key(arn)
    if policy is not None and not is_managed(POLICY, arn, transaction.view):
        await transaction.delete(policy)


def taken() -> EntityError:
    """The name is another bucket's."""
    message = (
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again."
    )
    return EntityError(Reason.BUCKET_ALREADY_EXISTS, message)
