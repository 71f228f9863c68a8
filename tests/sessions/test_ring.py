# SPDX-License-Identifier: Apache-2.0
"""The ring in the store: rotation leaves no instant without a key, an emergency leaves no session, and processes follow."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.errors import AuthenticationError, ConfigurationError, EntityError, Reason
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS, KeyRing, MasterKey, new_ring_key
from daypass.sessions import Session, Sessions
from daypass.sessions.ring import (
    ACTIVATION_SECONDS,
    RingChange,
    StoredRing,
    drop,
    opens_no_more,
    prune,
    retire,
    ring_keys,
    rotate,
    state,
)
from daypass.store import SealingKey, Store

NOW = 1_800_000_000
MASTER = MasterKey(bytes(range(32)))
SESSION = Session("123456789012", "AROAEXAMPLE", "web", NOW, NOW + 3600)


def fail(error: Exception) -> None:
    raise AssertionError(error)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with one key, as a first start makes it."""
    store = await Store.open(None, tmp_path)
    async with store.transaction() as transaction:
        await transaction.put(SealingKey(*new_ring_key(MASTER), NOW - 1000, NOW - 1000, None))
    yield store
    await store.close()


def following(store: Store) -> Sessions:
    """Sessions of a process that follows the store."""
    return Sessions(StoredRing(store.view, MASTER, fail).current)


def sealed_by(sessions: Sessions, now: float) -> bytes:
    """The id of the key that seals at an instant."""
    return base64.b64decode(sessions.issue(SESSION, now=now).session_token.reveal())[2:6]


def states(store: Store, now: float) -> list[str]:
    return [state(key, now) for key in store.view().key_ring]


async def first(store: Store) -> SealingKey:
    return store.view().key_ring[0]


def always_seals(store: Store) -> None:
    """From now on there is a key at every instant that something changes at, and just before and after; one has no end."""
    ring = store.view().key_ring
    instants = {NOW, *(key.active_from for key in ring), *(key.retire_at for key in ring if key.retire_at is not None)}
    for instant in instants:
        for moment in (instant - 0.001, instant, instant + 0.001):
            if moment >= NOW:
                KeyRing(ring_keys(MASTER, store.view())).seal(b"", kind=1, label="", now=moment)
    assert sum(key.retire_at is None for key in ring) == 1


async def test_a_rotation_makes_a_key_that_is_known_before_it_seals(store: Store) -> None:
    old, sessions = await first(store), following(store)
    change = await rotate(store, MASTER, now=NOW + 0.5)
    made = change.seals
    assert made is not None
    at = NOW + ACTIVATION_SECONDS
    assert (made.active_from, made.retire_at) == (at, None)
    assert [(key.key_id, key.retire_at) for key in change.retired] == [(old.key_id, at)]
    assert sealed_by(sessions, at - 0.001) == old.key_id
    assert sealed_by(sessions, at) == made.key_id
    assert states(store, NOW + 1) == ["sealing", "next"]
    assert states(store, at) == ["retired", "sealing"]
    always_seals(store)


async def test_the_key_before_opens_for_thirty_six_hours_and_not_an_instant_longer(store: Store) -> None:
    sessions = following(store)
    issued = sessions.issue(SESSION, now=NOW)
    change = await rotate(store, MASTER, now=NOW, after=0)
    end = NOW + ACCEPTED_AFTER_RETIREMENT_SECONDS
    token, key_id = issued.session_token.reveal(), issued.access_key_id
    following(store).open(token, access_key_id=key_id, now=end - 1)
    with pytest.raises(AuthenticationError) as caught:
        following(store).open(token, access_key_id=key_id, now=end)
    assert caught.value.reason is Reason.SEAL_UNKNOWN_KEY
    assert not opens_no_more(change.retired[0], end - 1)
    assert opens_no_more(change.retired[0], end)


async def test_a_rotation_may_take_effect_at_once(store: Store) -> None:
    change = await rotate(store, MASTER, now=NOW + 0.9, after=0)
    assert change.seals is not None
    assert sealed_by(following(store), NOW + 0.9) == change.seals.key_id
    always_seals(store)


async def test_while_a_key_waits_there_is_no_other_rotation(store: Store) -> None:
    await rotate(store, MASTER, now=NOW)
    before = store.view().key_ring
    with pytest.raises(EntityError) as caught:
        await rotate(store, MASTER, now=NOW + ACTIVATION_SECONDS - 1)
    assert caught.value.reason is Reason.ENTITY_ALREADY_EXISTS
    assert store.view().key_ring == before
    await rotate(store, MASTER, now=NOW + ACTIVATION_SECONDS)
    always_seals(store)


async def test_another_master_key_makes_no_key(store: Store) -> None:
    other, old = MasterKey(bytes(32)), await first(store)
    before = store.view().key_ring
    for attempt in (
        rotate(store, other, now=NOW),
        retire(store, other, old.key_id, now=NOW),
        drop(store, other, old.key_id, now=NOW),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await attempt
        assert caught.value.reason is Reason.MASTER_KEY_INVALID
    assert store.view().key_ring == before


async def test_a_rotation_removes_what_opens_no_more_and_nothing_else(store: Store) -> None:
    old = await first(store)
    await rotate(store, MASTER, now=NOW, after=0)
    end = NOW + ACCEPTED_AFTER_RETIREMENT_SECONDS
    assert (await prune(store, now=end - 1)).pruned == ()
    change = await rotate(store, MASTER, now=end)
    assert [key.key_id for key in change.pruned] == [old.key_id]
    assert len(store.view().key_ring) == 2
    always_seals(store)


async def test_pruning_alone_removes_what_opens_no_more(store: Store) -> None:
    old = await first(store)
    await rotate(store, MASTER, now=NOW, after=0)
    change = await prune(store, now=NOW + ACCEPTED_AFTER_RETIREMENT_SECONDS)
    assert [key.key_id for key in change.pruned] == [old.key_id]
    assert states(store, NOW) == ["sealing"]


async def test_retiring_the_key_that_seals_makes_its_successor(store: Store) -> None:
    old = await first(store)
    change = await retire(store, MASTER, old.key_id, now=NOW)
    assert change.seals is not None
    assert change.seals.active_from == NOW + ACTIVATION_SECONDS
    always_seals(store)


async def test_retiring_now_hastens_a_rotation_that_is_under_way(store: Store) -> None:
    old = await first(store)
    waiting = (await rotate(store, MASTER, now=NOW, after=1000)).seals
    assert waiting is not None
    change = await retire(store, MASTER, old.key_id, now=NOW + 5, after=0)
    assert change.seals is not None
    assert (change.seals.key_id, change.seals.active_from) == (waiting.key_id, NOW + 5)
    assert sealed_by(following(store), NOW + 5) == waiting.key_id
    always_seals(store)


async def test_retiring_what_is_retired_or_about_to_be_changes_nothing(store: Store) -> None:
    old = await first(store)
    await rotate(store, MASTER, now=NOW)
    revision = store.view().revision
    assert await retire(store, MASTER, old.key_id, now=NOW) == RingChange()
    assert await retire(store, MASTER, old.key_id, now=NOW + 100) == RingChange()
    assert store.view().revision == revision


async def test_a_key_that_waits_or_is_not_there_is_not_retired(store: Store) -> None:
    waiting = (await rotate(store, MASTER, now=NOW)).seals
    assert waiting is not None
    for key_id, reason in ((waiting.key_id, Reason.INVALID_INPUT), (b"none", Reason.NO_SUCH_ENTITY)):
        with pytest.raises(EntityError) as caught:
            await retire(store, MASTER, key_id, now=NOW)
        assert caught.value.reason is reason


async def test_an_emergency_ends_every_session_of_a_key_and_seals_with_another_at_once(store: Store) -> None:
    old, sessions = await first(store), following(store)
    issued = sessions.issue(SESSION, now=NOW)
    opened = {"access_key_id": issued.access_key_id, "now": NOW}
    sessions.open(issued.session_token.reveal(), **opened)  # type: ignore[arg-type]
    change = await drop(store, MASTER, old.key_id, now=NOW + 0.5)
    with pytest.raises(AuthenticationError) as caught:
        sessions.open(issued.session_token.reveal(), **opened)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.SEAL_UNKNOWN_KEY
    assert change.seals is not None
    assert [key.key_id for key in change.dropped] == [old.key_id]
    assert sealed_by(sessions, NOW + 0.5) == change.seals.key_id
    assert sealed_by(sessions, NOW - 30) == change.seals.key_id, "a request that was under way is answered too"
    assert states(store, NOW + 0.5) == ["sealing"]
    always_seals(store)


async def test_an_emergency_during_a_rotation_leaves_one_key_that_seals(store: Store) -> None:
    old = await first(store)
    waiting = (await rotate(store, MASTER, now=NOW, after=1000)).seals
    assert waiting is not None
    change = await drop(store, MASTER, old.key_id, now=NOW + 1)
    assert {key.key_id for key in change.dropped} == {old.key_id, waiting.key_id}
    assert len(store.view().key_ring) == 1
    always_seals(store)


async def test_an_emergency_of_a_key_that_waits_keeps_the_sessions_of_the_other(store: Store) -> None:
    sessions = following(store)
    issued = sessions.issue(SESSION, now=NOW)
    waiting = (await rotate(store, MASTER, now=NOW, after=1000)).seals
    assert waiting is not None
    change = await drop(store, MASTER, waiting.key_id, now=NOW + 1)
    assert [key.key_id for key in change.dropped] == [waiting.key_id]
    sessions.open(issued.session_token.reveal(), access_key_id=issued.access_key_id, now=NOW + 1)
    assert states(store, NOW + 1) == ["retired", "sealing"]
    always_seals(store)


async def test_an_emergency_of_a_retired_key_ends_its_sessions_only(store: Store) -> None:
    old, sessions = await first(store), following(store)
    of_old = sessions.issue(SESSION, now=NOW)
    await rotate(store, MASTER, now=NOW, after=0)
    of_new = sessions.issue(SESSION, now=NOW + 1)
    await drop(store, MASTER, old.key_id, now=NOW + 2)
    sessions.open(of_new.session_token.reveal(), access_key_id=of_new.access_key_id, now=NOW + 2)
    with pytest.raises(AuthenticationError):
        sessions.open(of_old.session_token.reveal(), access_key_id=of_old.access_key_id, now=NOW + 2)
    always_seals(store)


async def test_the_ring_is_the_same_object_until_the_stored_one_is_another(store: Store) -> None:
    current = StoredRing(store.view, MASTER, fail).current
    ring = current()
    async with store.transaction() as transaction:
        await transaction.put(SealingKey(*new_ring_key(MASTER), NOW, NOW, NOW))
    changed = current()
    assert changed is not ring
    async with store.transaction():
        pass
    assert current() is changed


async def test_a_session_that_was_opened_before_is_remembered_while_the_ring_is_the_same(store: Store) -> None:
    sessions = following(store)
    issued = sessions.issue(SESSION, now=NOW)
    token, key_id = issued.session_token.reveal(), issued.access_key_id
    opened = sessions.open(token, access_key_id=key_id, now=NOW)
    assert sessions.open(token, access_key_id=key_id, now=NOW) is opened
    await rotate(store, MASTER, now=NOW)
    again = sessions.open(token, access_key_id=key_id, now=NOW)
    assert again is not opened
    assert again == opened


async def test_a_key_that_the_master_key_does_not_open_is_left_out_and_told_of(store: Store) -> None:
    told: list[Exception] = []
    sessions = Sessions(StoredRing(store.view, MASTER, told.append).current)
    old = await first(store)
    async with store.transaction() as transaction:
        await transaction.put(SealingKey(*new_ring_key(MasterKey(bytes(32))), NOW, NOW, None))
    assert sealed_by(sessions, NOW) == old.key_id
    sealed_by(sessions, NOW)
    assert [type(error) for error in told] == [ConfigurationError], "once, not at every request"
