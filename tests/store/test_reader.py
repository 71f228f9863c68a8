# SPDX-License-Identifier: Apache-2.0
"""Views: current after every commit of anyone, unchanged once handed out, and still there without the database."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from daypass.clock import MovableClock
from daypass.store import Role, SealingKey, Store, loading, reader, transaction
from daypass.store.view import View
from store.looking import fresh

ACCOUNT = "123456789012"
OpenStore = Callable[[], Awaitable[Store]]
MakeRole = Callable[..., Role]


async def put(store: Store, *roles: Role) -> None:
    async with store.transaction() as tx:
        for role in roles:
            await tx.put(role)


def stale_since(store: Store) -> float | None:
    """The property as a call: a type checker takes an attribute to stay as it was a line ago."""
    return store.stale_since


@contextmanager
def by_hand(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """A connection to do to the file what the store would not."""
    with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
        yield connection
        connection.commit()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one with every time that everything is read."""
    counted: list[None] = []
    load = loading.load

    def counting(cursor: sqlite3.Cursor, contents: loading.Contents = loading.EVERYTHING) -> View:
        counted.append(None)
        return load(cursor, contents)

    monkeypatch.setattr(loading, "load", counting)
    return counted


async def test_without_a_change_the_view_is_the_same_object(store: Store) -> None:
    first = fresh(store)
    assert all(fresh(store) is first for _ in range(3 * reader.READS_BETWEEN_FILE_CHECKS))


async def test_a_view_stays_as_it_was_when_it_was_taken(store: Store, make_role: MakeRole) -> None:
    role = make_role("Dev")
    await put(store, role)
    before = fresh(store)
    listed = before.roles.of(ACCOUNT)
    async with store.transaction() as tx:
        await tx.put(replace(role, max_session_duration=1))
        await tx.put(make_role("Ops"))
    after = fresh(store)
    assert (before.roles.with_name(ACCOUNT, "Dev"), before.roles.with_name(ACCOUNT, "Ops")) == (role, None)
    assert list(listed) == list(before.roles.of(ACCOUNT)) == [role]
    assert [found.name for found in after.roles.of(ACCOUNT)] == ["Dev", "Ops"]
    assert after.revision == before.revision + 2


async def test_every_store_on_the_file_sees_every_commit_at_once(
    store: Store, open_store: OpenStore, make_role: MakeRole
) -> None:
    other = await open_store()
    for turn, (writer, watcher) in enumerate([(store, other), (other, store)] * 3):
        role = make_role(f"R{turn}")
        await put(writer, role)
        assert (
            fresh(watcher).roles.with_name(ACCOUNT, role.name)
            == fresh(writer).roles.with_name(ACCOUNT, role.name)
            == role
        )
        async with writer.transaction() as tx:
            await tx.delete(role)
        assert fresh(watcher).roles.with_name(ACCOUNT, role.name) is None
        assert fresh(watcher).roles.with_key(role.unique_id) is None


async def test_an_open_transaction_is_not_seen(store: Store, open_store: OpenStore, make_role: MakeRole) -> None:
    other = await open_store()
    async with store.transaction() as tx:
        await tx.put(make_role("Dev"))
        assert fresh(store).roles.with_name(ACCOUNT, "Dev") is None
        assert fresh(other).roles.with_name(ACCOUNT, "Dev") is None
    assert fresh(other).roles.with_name(ACCOUNT, "Dev") is not None


async def test_a_change_reads_again_only_what_it_names(store: Store, make_role: MakeRole, loads: list[None]) -> None:
    await put(store, make_role("A"), make_role("B"))
    async with store.transaction() as tx:
        await tx.put(SealingKey(b"1234", b"w", 1, 1, None))
    before = fresh(store)
    changed = before.roles.with_name(ACCOUNT, "A")
    assert changed is not None
    await put(store, replace(changed, description="new"))
    after = fresh(store)
    assert after.roles.with_name(ACCOUNT, "A") is not changed
    assert after.roles.with_name(ACCOUNT, "B") is before.roles.with_name(ACCOUNT, "B")
    assert after.key_ring is before.key_ring
    assert loads == []


@pytest.mark.parametrize(("behind", "reloads"), [(4, 0), (5, 1)])
async def test_a_reader_behind_the_trimmed_log_reads_everything(
    store: Store,
    open_store: OpenStore,
    make_role: MakeRole,
    data_dir: Path,
    loads: list[None],
    monkeypatch: pytest.MonkeyPatch,
    behind: int,
    reloads: int,
) -> None:
    monkeypatch.setattr(transaction, "CHANGES_KEPT", 4)
    monkeypatch.setattr(transaction, "TRIM_EVERY", 1)
    doomed = make_role("Doomed")
    await put(store, doomed)
    late = await open_store()
    loads.clear()
    async with store.transaction() as tx:
        await tx.delete(doomed)
    for number in range(behind - 1):
        await put(store, make_role(f"R{number}"))
    with by_hand(data_dir) as connection:
        assert connection.execute("SELECT count(*) FROM change").fetchone() == (4,) or behind < 4
    names = [role.name for role in fresh(late).roles.of(ACCOUNT)]
    assert names == [f"R{number}" for number in range(behind - 1)]
    assert len(loads) == reloads


async def test_the_log_is_trimmed_only_when_it_crosses_a_mark(
    store: Store, make_role: MakeRole, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "CHANGES_KEPT", 3)
    monkeypatch.setattr(transaction, "TRIM_EVERY", 10)
    lengths = []
    for number in range(12):  # revisions 2 to 13: the account was the first
        await put(store, make_role(f"R{number}"))
        with by_hand(data_dir) as connection:
            lengths.append(connection.execute("SELECT count(*) FROM change").fetchone()[0])
    assert lengths == [2, 3, 4, 5, 6, 7, 8, 9, 3, 4, 5, 6]


async def test_a_kind_of_change_that_is_not_known_is_passed_over(
    store: Store, make_role: MakeRole, data_dir: Path
) -> None:
    before = fresh(store)
    with by_hand(data_dir) as connection:
        connection.execute("INSERT INTO change (kind, key) VALUES ('from the future', 'x')")
    assert fresh(store).revision == before.revision + 1
    await put(store, make_role("Dev"))
    assert fresh(store).roles.with_name(ACCOUNT, "Dev") is not None


async def test_the_last_view_answers_while_the_file_is_gone(
    store: Store, make_role: MakeRole, data_dir: Path, clock: MovableClock
) -> None:
    await put(store, make_role("Dev"))
    last = fresh(store)
    assert stale_since(store) is None
    (data_dir / "daypass.db").rename(data_dir / "moved")
    gone_at = clock.instant
    assert stale_since(store) == gone_at
    clock.advance(3600)
    assert all(fresh(store) is last for _ in range(3))
    assert stale_since(store) == gone_at, "since when, not when last tried"
    (data_dir / "moved").rename(data_dir / "daypass.db")
    clock.advance(reader.RETRY_AFTER)
    assert fresh(store) is last
    assert stale_since(store) is None


async def test_reading_alone_finds_out_that_the_file_is_gone(store: Store, data_dir: Path) -> None:
    fresh(store)
    (data_dir / "daypass.db").unlink()
    for _ in range(reader.READS_BETWEEN_FILE_CHECKS):
        fresh(store)
    assert store._reader._stale_since is not None


async def test_a_database_that_cannot_be_read_is_tried_again_after_a_while_and_not_before(
    store: Store, make_role: MakeRole, data_dir: Path, clock: MovableClock
) -> None:
    await put(store, make_role("Dev"))
    last = fresh(store)
    with by_hand(data_dir) as connection:
        connection.execute("ALTER TABLE role RENAME TO hidden")
        connection.execute("INSERT INTO change (kind, key) VALUES ('role', 'AROA1')")
    assert fresh(store) is last
    assert store.stale_since == clock.instant
    with by_hand(data_dir) as connection:
        connection.execute("ALTER TABLE hidden RENAME TO role")
    clock.advance(reader.RETRY_AFTER * 0.99)
    assert fresh(store) is last
    clock.advance(reader.RETRY_AFTER * 0.01 + 0.001)
    assert fresh(store).revision == last.revision + 1
    assert store.stale_since is None


async def test_a_file_put_in_the_place_of_this_one_is_read_from_the_beginning(
    store: Store, make_role: MakeRole, data_dir: Path
) -> None:
    await put(store, make_role("Old"))
    with by_hand(data_dir) as source, closing(sqlite3.connect(data_dir / "copy")) as copy:
        source.backup(copy)
        copy.execute("UPDATE role SET name = 'New', folded_name = 'new'")  # and no change in the log
        copy.commit()
    (data_dir / "copy").replace(data_dir / "daypass.db")
    for suffix in ("-wal", "-shm"):
        (data_dir / f"daypass.db{suffix}").unlink(missing_ok=True)
    assert store.stale_since is None
    assert [role.name for role in fresh(store).roles.of(ACCOUNT)] == ["New"]
    await put(store, make_role("Newer"))
    assert [role.name for role in fresh(store).roles.of(ACCOUNT)] == ["New", "Newer"]


async def test_a_log_that_ends_before_the_view_means_another_file(
    store: Store, make_role: MakeRole, data_dir: Path, loads: list[None]
) -> None:
    await put(store, make_role("Dev"))
    fresh(store)
    with by_hand(data_dir) as connection:
        connection.execute("DELETE FROM change WHERE revision > 1")
        connection.execute("DELETE FROM role")
    assert list(fresh(store).roles.of(ACCOUNT)) == []
    assert len(loads) == 1


async def test_a_view_from_another_thread_is_a_fault_and_not_an_outage(store: Store) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        await asyncio.to_thread(store.view)
    assert store.stale_since is None


async def test_looking_whether_the_view_is_current_is_cheap(store: Store) -> None:
    def microseconds() -> float:
        start = time.perf_counter()
        for _ in range(2000):
            fresh(store)
        return (time.perf_counter() - start) / 2000 * 1e6

    assert min(microseconds() for _ in range(5)) < 30  # 3 to 5 when measured; the bound is for slow machines


async def test_within_one_turn_of_the_loop_the_answer_is_kept_and_a_later_turn_asks_again(
    store: Store, make_role: Callable[..., Role], data_dir: Path
) -> None:
    other = await Store.open(None, data_dir)
    try:
        before = store.view()
        async with other.transaction() as tx:
            await tx.put(make_role("Dev"))
        kept = store.view()
        assert kept is not before  # the commit took turns of the loop
        dev = kept.roles.with_name(ACCOUNT, "Dev")
        assert dev is not None
        # A commit within this turn, of which nobody can have heard who asked before the turn began.
        with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
            connection.execute("UPDATE role SET description = 'new' WHERE unique_id = ?", (dev.unique_id,))
            connection.execute("INSERT INTO change (kind, key) VALUES ('role', ?)", (dev.unique_id,))
            connection.commit()
        assert store.view() is kept
        await asyncio.sleep(0)
        renewed = store.view().roles.with_name(ACCOUNT, "Dev")
        assert renewed is not None
        assert renewed.description == "new"
    finally:
        await other.close()


async def test_a_commit_of_ones_own_is_in_the_next_view_at_once(store: Store, make_role: Callable[..., Role]) -> None:
    store.view()
    async with store.transaction() as tx:
        store.view()
        await tx.put(make_role("Dev"))
        store.view()
    assert store.view().roles.with_name(ACCOUNT, "Dev") is not None


async def test_a_store_that_looks_at_some_kinds_only_has_no_others(
    data_dir: Path, store: Store, make_role: MakeRole
) -> None:
    await put(store, make_role("Dev"))
    narrow = await Store.open(None, data_dir, only=frozenset({"account"}))
    try:
        await put(store, make_role("Ops"))
        view = fresh(narrow)
        assert (len(view.accounts), len(view.roles)) == (1, 0)
        assert view.revision == fresh(store).revision
    finally:
        await narrow.close()
