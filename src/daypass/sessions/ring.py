# SPDX-License-Identifier: Apache-2.0
"""
The ring of sealing keys as the store keeps it: followed by every process, and changed without a flag day
(docs/sessions.md; what a key does is ``daypass.sealing``'s).

    rotate    a new key is made now, known to all, and seals from T on; the one before retires at T, and opens for 36 hours
    retire    the same for one key, or at once
    drop      an emergency: the key is removed, so whatever it sealed ends with the next request; a new key seals at once

INVARIANT: every instant from now on has a key that seals, and only one key has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from daypass.errors import ConfigurationError, EntityError, Reason
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS, KeyRing, MasterKey, RingKey, new_ring_key
from daypass.store import SealingKey, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction

ACTIVATION_SECONDS: Final = 10
"""
From the making of a key to its first use: until every process must know it. Processes on one file see it at their next
request; the seconds are for one that cannot read the file for a moment, and for clocks that are not quite together. A
session that a process cannot open yet would be refused, and its holder would not know why.
"""


UNDER_WAY_SECONDS: Final = 60
"""
A request seals as of the instant at which it was received, and may have waited for a provider since. When the key of that
instant is dropped, the new one must have been active by then.
"""


class StoredRing:
    """
    The key ring of the store at this moment: ``current()`` compares one identity while the stored ring is the same.

    A key that this process's master key does not open is left out, and ``failed`` is told: what it sealed is refused, and
    the rest goes on. At start such a ring is an error (``ring_keys``).
    """

    def __init__(self, view: Callable[[], View], master: MasterKey, failed: Callable[[Exception], None]) -> None:
        self._view = view
        self._master = master
        self._failed = failed
        self._stored: tuple[SealingKey, ...] | None = None
        self._ring = KeyRing(())

    def current(self) -> KeyRing:
        """The ring. The same object for as long as the stored one is the same."""
        stored = self._view().key_ring
        if stored is not self._stored:
            self._ring = KeyRing(self._opened(stored))
            self._stored = stored
        return self._ring

    def _opened(self, stored: tuple[SealingKey, ...]) -> Iterator[RingKey]:
        for key in stored:
            try:
                yield _ring_key(self._master, key)
            except ConfigurationError as error:
                self._failed(error)


def ring_keys(master: MasterKey, view: View) -> list[RingKey]:
    """The sealing keys of the store, opened. Raises ConfigurationError when this is not the master key they have."""
    return [_ring_key(master, key) for key in view.key_ring]


def _ring_key(master: MasterKey, key: SealingKey) -> RingKey:
    return RingKey.unwrap(
        master, key_id=key.key_id, wrapped=key.wrapped, active_from=key.active_from, retire_at=key.retire_at
    )


class RingChange(msgspec.Struct, frozen=True):
    """
    What became of the ring.

    ``seals`` is the key that seals from its ``active_from`` on, None when nothing changed; ``retired`` are those that retire
    for it, as they are now; ``dropped`` those whose sessions have ended; ``pruned`` those that opened nothing any more.
    """

    seals: SealingKey | None = None
    retired: tuple[SealingKey, ...] = ()
    dropped: tuple[SealingKey, ...] = ()
    pruned: tuple[SealingKey, ...] = ()


def opens_until(key: SealingKey) -> int | None:
    """The instant at which a key stops to open what it sealed; None while no end is set."""
    return None if key.retire_at is None else key.retire_at + ACCEPTED_AFTER_RETIREMENT_SECONDS


def opens_no_more(key: SealingKey, now: float) -> bool:
    """Whether every session that a key sealed has ended by itself."""
    end = opens_until(key)
    return end is not None and now >= end


def state(key: SealingKey, now: float) -> str:
    """``next``, ``sealing``, ``retired`` (it opens only) or ``spent`` (it does not even open)."""
    if key.retire_at is not None and now >= key.retire_at:
        return "spent" if opens_no_more(key, now) else "retired"
    return "sealing" if key.active_from <= now else "next"


async def rotate(store: Store, master: MasterKey, *, now: float, after: int = ACTIVATION_SECONDS) -> RingChange:
    """
    Make the next key: it seals from ``after`` seconds on, and those before it retire at that instant. Spent ones are removed.

    Raises EntityError while the key of an earlier rotation is still waiting; ConfigurationError when the master key is
    another than that of the ring; UnavailableError.
    """
    async with store.transaction() as transaction:
        ring_keys(master, transaction.view)  # nobody else could open what another master key wraps
        waiting = _waiting(transaction, now)
        if waiting is not None:
            message = f"the key {waiting.key_id.hex()} is already made and seals from {waiting.active_from} on"
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        pruned, at = await _prune(transaction, now), int(now) + after
        change = await _succeed(transaction, await _new_key(transaction, master, now, at), at)
        return replace(change, pruned=pruned)


async def retire(
    store: Store, master: MasterKey, key_id: bytes, *, now: float, after: int = ACTIVATION_SECONDS
) -> RingChange:
    """
    See to it that a key seals nothing from ``after`` seconds on; it opens for 36 hours more. Its successor is the key that
    waits, if there is one, and else a new one.

    Raises EntityError for a key that is not there or has not begun to seal; and as ``rotate``.
    """
    at = int(now) + after
    async with store.transaction() as transaction:
        ring_keys(master, transaction.view)
        key = _known(transaction, key_id)
        if key.active_from > now:
            message = f"the key {key_id.hex()} has sealed nothing yet"
            raise EntityError(Reason.INVALID_INPUT, message)
        if key.retire_at is not None and key.retire_at <= at:
            return RingChange()
        waiting = _waiting(transaction, now)
        if waiting is None:
            following = await _new_key(transaction, master, now, at)
        else:
            following = replace(waiting, active_from=at)
            await transaction.put(following)
        return await _succeed(transaction, following, at)


async def drop(store: Store, master: MasterKey, key_id: bytes, *, now: float) -> RingChange:
    """
    Remove a key that somebody else may know: every session that it sealed ends with the next request. A new key seals at
    once; the others retire, and one that was waiting is removed too: the new key has its place.

    Raises as ``retire``.
    """
    async with store.transaction() as transaction:
        ring_keys(master, transaction.view)
        dropped = [_known(transaction, key_id)]
        waiting = _waiting(transaction, now)
        if waiting is not None and waiting.key_id != key_id:
            dropped.append(waiting)
        for key in dropped:
            await transaction.delete(key)
        following = await _new_key(transaction, master, now, int(now) - UNDER_WAY_SECONDS)
        change = await _succeed(transaction, following, int(now))
        return replace(change, dropped=tuple(dropped))


async def prune(store: Store, *, now: float) -> RingChange:
    """Remove the keys that open nothing any more. Raises UnavailableError."""
    async with store.transaction() as transaction:
        return RingChange(pruned=await _prune(transaction, now))


def _known(transaction: Transaction, key_id: bytes) -> SealingKey:
    key = transaction.view.sealing_keys.with_key(key_id.hex())
    if key is None:
        raise EntityError(
            Reason.NO_SUCH_ENTITY, f"there is no key {key_id.hex()!r}; daypass keys list shows those there are"
        )
    return key


def _waiting(transaction: Transaction, now: float) -> SealingKey | None:
    """The key that is known and does not seal yet; there is one at most."""
    return next((key for key in transaction.view.key_ring if key.active_from > now), None)


async def _new_key(transaction: Transaction, master: MasterKey, now: float, active_from: int) -> SealingKey:
    key_id, wrapped = new_ring_key(master)
    key = SealingKey(key_id, wrapped, int(now), active_from, None)
    await transaction.put(key)
    return key


async def _succeed(transaction: Transaction, following: SealingKey, at: int) -> RingChange:
    """Every other key that has no end, or a later one, ends at this instant."""
    retired = [
        replace(key, retire_at=at)
        for key in transaction.view.key_ring
        if key.key_id != following.key_id and (key.retire_at is None or key.retire_at > at)
    ]
    for key in retired:
        await transaction.put(key)
    return RingChange(seals=following, retired=tuple(retired))


async def _prune(transaction: Transaction, now: float) -> tuple[SealingKey, ...]:
    spent = tuple(key for key in transaction.view.key_ring if opens_no_more(key, now))
    for key in spent:
        await transaction.delete(key)
    return spent
