# SPDX-License-Identifier: Apache-2.0
"""
Public access blocks (S3 User Guide, "Blocking public access to your Amazon S3 storage"): a bucket's, an account's, and both
together, of which each setting counts that one of them has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.errors import EntityError, Reason
from daypass.resources.managed import PUBLIC_ACCESS, check_unmanaged
from daypass.resources.naming import bucket_arn
from daypass.resources.ownership import NOWHERE, Elsewhere, adopted, bucket_record, owner_of
from daypass.store import AccountPublicAccess, Bucket, PublicAccess, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction

NO_BLOCK = PublicAccess()
"""What counts where nothing is set."""


def account_public_access(account: str, view: View) -> PublicAccess:
    """The settings of an account."""
    found = view.account_public_access.with_key(account)
    return NO_BLOCK if found is None else found.public_access


def public_access_of(bucket: str, default_account: str, view: View, elsewhere: Elsewhere = NOWHERE) -> PublicAccess:
    """The settings that count for a bucket: its own and those of its owner's account."""
    found = bucket_record(bucket, view, elsewhere)
    own = NO_BLOCK if found is None or found.public_access is None else found.public_access
    above = account_public_access(owner_of(bucket_arn(bucket), default_account, view, elsewhere), view)
    return PublicAccess(
        own.block_public_acls or above.block_public_acls,
        own.ignore_public_acls or above.ignore_public_acls,
        own.block_public_policy or above.block_public_policy,
        own.restrict_public_buckets or above.restrict_public_buckets,
    )


def nothing_more(view: View) -> None:
    """For writes that have nothing else to look at."""


async def set_bucket_public_access(
    store: Store,
    bucket: str,
    settings: PublicAccess | None,
    *,
    owner: str,
    now: float,
    backend: str = "",
    check: Callable[[View], None] = nothing_more,
    elsewhere: Elsewhere = NOWHERE,
) -> Bucket:
    """
    Set a bucket's public access block, or remove it (None). ``owner``: whose the bucket is unless another is recorded.
    ``check`` is called within the transaction, with what is written by then, and may raise. Raises AccessDeniedError
    (MANAGED_BY_FILE) where a state file manages it.
    """
    async with store.transaction() as transaction:
        check_unmanaged(PUBLIC_ACCESS, bucket_arn(bucket), transaction.view)
        check(transaction.view)
        return await write_bucket_public_access(
            transaction, bucket, settings, owner=owner, now=now, backend=backend, elsewhere=elsewhere
        )


async def write_bucket_public_access(
    transaction: Transaction,
    bucket: str,
    settings: PublicAccess | None,
    *,
    owner: str,
    now: float,
    backend: str = "",
    elsewhere: Elsewhere = NOWHERE,
) -> Bucket:
    """The same, within a transaction, and whether or not a state file manages it."""
    known = await adopted(transaction, bucket, owner, backend, now, elsewhere)
    changed = replace(known, public_access=settings)
    await transaction.put(changed)
    return changed


async def set_account_public_access(store: Store, account: str, settings: PublicAccess | None) -> None:
    """
    Set the public access block of an account, or remove it (None). Raises EntityError when there is no such account, and
    AccessDeniedError (MANAGED_BY_FILE) where a state file manages it.
    """
    async with store.transaction() as transaction:
        check_unmanaged(PUBLIC_ACCESS, account, transaction.view)
        await write_account_public_access(transaction, account, settings)


async def write_account_public_access(transaction: Transaction, account: str, settings: PublicAccess | None) -> None:
    """The same, within a transaction, and whether or not a state file manages it."""
    if transaction.view.accounts.with_key(account) is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"There is no account {account}.")
    if settings is not None:
        await transaction.put(AccountPublicAccess(account, settings))
    elif transaction.view.account_public_access.with_key(account) is not None:
        await transaction.delete(AccountPublicAccess(account, NO_BLOCK))
