# SPDX-License-Identifier: Apache-2.0
"""
When which entity last used what: the notes that IAM's reports are made from (IAM User Guide, "Refine permissions using last
accessed information").

    door -- note --> memory -- every few seconds, and at the end --> ``LastUse`` records

A note costs the request a look into a dict. Nobody waits for the writing, and when it fails the notes are kept and written
later; AWS's own reports are hours late. A use is noted whether it is then permitted or not, as AWS does.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Final

from daypass.access.authenticate import Caller
from daypass.credentials import LONG_TERM_KEY
from daypass.principal import RoleSession, User
from daypass.store import LastUse, Store, View
from daypass.store.late_notes import LateNotes

if TYPE_CHECKING:
    from daypass.store import Transaction

FLUSH_SECONDS: Final = 5.0
"""From the first note to the writing of all that came meanwhile."""

REFRESH_SECONDS: Final = 60
"""A use that was noted less than this ago is not noted again. AWS keeps the first of 15 minutes for access keys."""

NOTES_IN_A_TRANSACTION: Final = 256
"""Writers of IAM wait for one transaction at most, about a tenth of a second; and other processes catch up with it by
the change log, which is longer (``store.transaction.CHANGES_KEPT``)."""

MOST_WAITING: Final = 10_000
"""Notes that may wait while the database cannot be written; more are forgotten. Some 5 MB."""

MOST_REMEMBERED: Final = 50_000
"""Uses remembered as noted. When there are more, all are forgotten, and each is noted once more."""

_Key = tuple[str, str, str]
"""Whose access key, which service, which action."""


class UsageRecorder(LateNotes):
    """Notes uses, and writes them down. Of several processes that write to one store the later instant wins."""

    def __init__(self, store: Store, failed: Callable[[Exception], None]) -> None:
        super().__init__(FLUSH_SECONDS, failed)
        self._store = store
        self._noted: dict[_Key, int] = {}
        self._waiting: dict[str, LastUse] = {}

    def note(self, caller: Caller, *, service: str, action: str, now: float) -> None:
        """The caller asks for an action (without its service) now. Within a running event loop; never waits or raises."""
        key = (caller.access_key_id, service, action)
        second = int(now)
        noted = self._noted.get(key)
        if noted is not None and second - noted < REFRESH_SECONDS:
            return
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        self._noted[key] = second
        principal = caller.principal
        for entity_id in _entity_ids(caller):
            use = LastUse(principal.account, entity_id, service, action, second, caller.region, principal.arn)
            if len(self._waiting) < MOST_WAITING or use.key in self._waiting:
                self._waiting[use.key] = use
        if self._waiting:
            self._soon()

    async def flush(self) -> None:
        """
        Write every note that waits, now. Raises UnavailableError when the database cannot be written; what was not written
        waits on.
        """
        while self._waiting:
            batch = list(islice(self._waiting.values(), NOTES_IN_A_TRANSACTION))
            async with self._store.transaction() as transaction:
                await _write(transaction, batch)
            for use in batch:
                if self._waiting.get(use.key) is use:  # another may have taken its place meanwhile
                    del self._waiting[use.key]

    def _is_waiting(self) -> bool:
        return bool(self._waiting)

    def _give_up(self) -> None:
        self._waiting.clear()


def _entity_ids(caller: Caller) -> tuple[str, ...]:
    """Whose use it is: of the user or role, and of the access key when it is one that lasts."""
    principal, key = caller.principal, caller.access_key_id
    keys = (key,) if key.startswith(LONG_TERM_KEY) else ()
    if isinstance(principal, RoleSession):
        return (principal.role_id, *keys)
    return (principal.unique_id, *keys) if isinstance(principal, User) else keys


async def _write(transaction: Transaction, uses: list[LastUse]) -> None:
    view = transaction.view
    for use in uses:
        before = view.last_uses.with_key(use.key)
        if before is not None and use.used_at - before.used_at < REFRESH_SECONDS:
            continue  # another process has noted it, or a later one
        if _lives(use.entity_id, view):
            await transaction.put(use)


def _lives(entity_id: str, view: View) -> bool:
    """Whether there is still somebody or something whose use it was."""
    kinds = (view.access_keys, view.users, view.roles)
    return any(records.with_key(entity_id) is not None for records in kinds)
