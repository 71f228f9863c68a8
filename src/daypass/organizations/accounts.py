# SPDX-License-Identifier: Apache-2.0
"""
Accounts: made, closed, reopened (AWS Organizations API, CreateAccount, CloseAccount).

Unlike AWS's, a new account has a root access key: there is no sign-up by which its owner could get one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from msgspec.structs import replace

from daypass.access.organization import EVERYWHERE, organization
from daypass.arn import is_account_id
from daypass.credentials import Secret
from daypass.errors import EntityError, Reason
from daypass.organizations import limits
from daypass.organizations.names import check_name
from daypass.organizations.places import account_of, parent_of
from daypass.organizations.root_keys import new_root_key
from daypass.sealing import MasterKey
from daypass.store import AccessKey, Account, Membership, Organization, Store, View

Keep = Callable[[AccessKey, Secret], None]
"""Puts a root access key where its owner will find it."""


def management_account(view: View) -> str | None:
    """The account that no policy limits and nobody closes: the organisation's, else the first there was."""
    found = organization(view)
    if found is not None:
        return found.management_account
    first = min(view.accounts.of(""), key=lambda account: (account.created_at, account.account_id), default=None)
    return None if first is None else first.account_id


def new_account_number() -> str:
    """A number for a new account: twelve digits."""
    return f"{1 + secrets.randbelow(899_999_999_999):012d}"


async def create_account(
    store: Store,
    master: MasterKey,
    name: str,
    *,
    keep: Keep,
    now: float,
    number: str | None = None,
    parent: str | None = None,
) -> Membership:
    """
    Make an account with a root access key.

    ``keep`` is given the key before the account is there, so that there is no account whose key is lost: when it raises,
    nothing was made. ``number`` is made up unless given. ``parent`` is the id or name of a unit; without one the account
    is directly under the root, where there is an organisation. Raises EntityError.
    """
    check_name(name, limits.ACCOUNT_NAME, "account")
    if number is not None and (not is_account_id(number) or number == "0" * 12):
        raise EntityError(Reason.INVALID_INPUT, "Expected an account number of twelve digits that are not all zero.")
    async with store.transaction() as transaction:
        view = transaction.view
        number = number or _free_number(view)
        if view.accounts.with_key(number) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"There is an account {number} already.")
        member = Membership(number, name, *_place(parent, view))
        account = Account(number, _later_than_all(view, int(now)))
        key, secret = new_root_key(master, number, now)
        keep(key, secret)
        for record in (account, member, key):
            await transaction.put(record)
    return member


def _free_number(view: View) -> str:
    while view.accounts.with_key(number := new_account_number()) is not None:
        pass
    return number


def _later_than_all(view: View, now: int) -> int:
    """The instant at which an account was made. The first stays the first, whatever the clock says."""
    return max([now, *(account.created_at + 1 for account in view.accounts.of(""))])


def _place(parent: str | None, view: View) -> tuple[str | None, None, tuple[str, ...]]:
    """Where a new account is: its parent, that it is open, and the policies attached to it."""
    if parent is None and organization(view) is None:
        return None, None, ()
    found = parent_of(parent or "root", view)
    parent_id = found.root_id if isinstance(found, Organization) else found.unique_id
    return parent_id, None, EVERYWHERE


async def close_account(store: Store, number: str, *, now: float) -> Membership:
    """
    Close an account: its credentials, and sessions in it, are refused from the next request on. What it has stays.

    Raises EntityError for the management account, and for one that is closed already.
    """
    async with store.transaction() as transaction:
        member = account_of(number, transaction.view)
        if number == management_account(transaction.view):
            raise EntityError(Reason.ENTITY_UNMODIFIABLE, "You can't close the management account.")
        if member.closed_at is not None:
            raise EntityError(Reason.INVALID_INPUT, "You attempted to close an account that is already closed.")
        closed = replace(member, closed_at=int(now))
        await transaction.put(closed)
    return closed


async def reopen_account(store: Store, number: str) -> Membership:
    """Open a closed account again: its keys are good again, and its sessions for as long as they last. Raises EntityError."""
    async with store.transaction() as transaction:
        member = account_of(number, transaction.view)
        if member.closed_at is None:
            raise EntityError(Reason.INVALID_INPUT, f"The account {number} is not closed.")
        opened = replace(member, closed_at=None)
        await transaction.put(opened)
    return opened
