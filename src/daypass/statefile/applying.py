# SPDX-License-Identifier: Apache-2.0
"""
Making it so: everything that a state file wants, in one transaction, or nothing of it.

The difference is made within the transaction, so of two processes that apply at once the second starts from what the first
has left. A plan is the same work, taken back at its end: what it shows has passed every check that applying has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.errors import ConfigurationError, DaypassError, UnavailableError
from daypass.statefile.aspects import ASPECTS
from daypass.statefile.desired import Desired
from daypass.statefile.difference import Change, Difference, difference
from daypass.store import STATE_FILE, Managed, StateFile, Store

if TYPE_CHECKING:
    from daypass.store import Transaction


class _TakenBack(Exception):  # noqa: N818 - it is no error
    """Ends a transaction without a commit."""

    def __init__(self, found: Difference) -> None:
        self.found = found


async def apply(store: Store, desired: Desired, path: str, *, now: float) -> Difference:
    """
    Make everything as the file wants it. ``path``: where the file is, for who asks later. Returns what was changed.

    Raises ConfigurationError, with the line, for the first thing that is refused; its reason is that of the refusal. Then
    nothing has changed.
    """
    record = StateFile(STATE_FILE, path, desired.digest(), int(now))
    view = store.view()
    found, known = difference(desired, view), view.state_files.with_key(STATE_FILE)
    if not found.changes and known is not None and replace(known, applied_at=int(now)) == record:
        return found
    async with store.transaction() as transaction:
        found = await _write(transaction, desired, now)
        await transaction.put(record)
    return found


async def plan(store: Store, desired: Desired, *, now: float) -> Difference:
    """What ``apply`` would change. Raises as it does; changes nothing."""
    try:
        async with store.transaction() as transaction:
            raise _TakenBack(await _write(transaction, desired, now))
    except _TakenBack as done:
        return done.found


async def release(store: Store) -> int:
    """No file manages anything any more; everything stays as it is. Returns how many things were managed."""
    async with store.transaction() as transaction:
        marks = list(transaction.view.managed.of(""))
        for mark in marks:
            await transaction.delete(mark)
        known = transaction.view.state_files.with_key(STATE_FILE)
        if known is not None:
            await transaction.delete(known)
    return len(marks)


async def note_problem(store: Store, path: str, problem: str) -> None:
    """Keep why the file as it stands was refused, for readiness checks (``store.state_problem``)."""
    known = store.view().state_files.with_key(STATE_FILE)
    if known is not None and (known.path, known.problem) == (path, problem):
        return
    async with store.transaction() as transaction:
        known = transaction.view.state_files.with_key(STATE_FILE) or StateFile(STATE_FILE, path, "", None)
        await transaction.put(replace(known, path=path, problem=problem))


async def _write(transaction: Transaction, desired: Desired, now: float) -> Difference:
    found = difference(desired, transaction.view)
    for change in found.changes:
        try:
            await _write_one(transaction, change, now)
        except UnavailableError:
            raise
        except DaypassError as error:
            where = desired.name if change.wanted is None else desired.where(change.wanted.line)
            raise ConfigurationError(error.reason, f"{where}: {change.target}: {error}") from error
    return found


async def _write_one(transaction: Transaction, change: Change, now: float) -> None:
    aspect, mark = ASPECTS[change.aspect], Managed(change.aspect, change.target)
    if change.wanted is None:
        await aspect.leave(transaction, change.target)
        await transaction.delete(mark)
        return
    if change.action != "adopt":
        await aspect.write(transaction, change.wanted, now)
    await transaction.put(mark)
