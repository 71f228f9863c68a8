# SPDX-License-Identifier: Apache-2.0
"""Transactions: all or nothing, one at a time, and what they refuse."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from daypass.errors import EntityError, Reason, UnavailableError
from daypass.store import AccessKey, Account, OidcProvider, Role, SealingKey, Store, sqlite

ACCOUNT = "123456789012"
OTHER = "210987654321"
KEY = AccessKey("AKIA0000000000000001", ACCOUNT, None, b"w", "Active", 5)
OpenStore = Callable[[], Awaitable[Store]]
MakeRole = Callable[..., Role]


async def put(store: Store, *roles: Role) -> None:
    async with store.transaction() as tx:
        for role in roles:
            await tx.put(role)


async def test_a_transaction_that_raises_leaves_nothing(store: Store, make_role: MakeRole, data_dir: Path) -> None:
    before = store.view()

    async def write_and_fail() -> None:
        async with store.transaction() as tx:
            await tx.put(make_role("Dev", tags=(("k", "v"),)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert store.view() is before
    with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
        for table, count in (("role", 0), ("used_id", 0), ("change", 1)):  # the one change made the account
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)


async def test_a_transaction_that_is_cancelled_leaves_nothing(store: Store, make_role: MakeRole) -> None:
    written = asyncio.Event()

    async def write_and_wait() -> None:
        async with store.transaction() as tx:
            await tx.put(make_role("Dev"))
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.view().roles.with_name(ACCOUNT, "Dev") is None
    await put(store, make_role("Dev"))
    assert store.view().roles.with_name(ACCOUNT, "Dev") is not None


async def test_a_name_that_differs_in_case_only_is_taken(store: Store, make_role: MakeRole) -> None:
    dev = make_role("Dev")
    await put(store, dev)
    with pytest.raises(EntityError) as refused:
        await put(store, make_role("dEV"))
    assert refused.value.reason is Reason.ENTITY_ALREADY_EXISTS
    async with store.transaction() as tx:
        assert tx.view.roles.like_name(ACCOUNT, "DEV") == dev
        assert tx.view.roles.like_name(OTHER, "DEV") is None
        assert tx.view.roles.with_name(ACCOUNT, "DEV") is None, "a lookup by name is exact"


async def test_the_same_name_in_another_account_is_free(store: Store, make_role: MakeRole) -> None:
    mine, theirs = make_role("Dev"), make_role("Dev", account=OTHER)
    async with store.transaction() as tx:
        await tx.put(Account(OTHER, 1))
        await tx.put(mine)
        await tx.put(theirs)
    assert list(store.view().roles.of(ACCOUNT)) == [mine]
    assert list(store.view().roles.of(OTHER)) == [theirs]


async def test_the_unique_id_of_a_deleted_role_is_never_used_again(store: Store, make_role: MakeRole) -> None:
    role = make_role("Dev")
    await put(store, role)
    async with store.transaction() as tx:
        await tx.delete(role)
    with pytest.raises(EntityError) as refused:
        await put(store, replace(role, name="Another"))
    assert refused.value.reason is Reason.ENTITY_ALREADY_EXISTS
    assert store.view().roles.with_name(ACCOUNT, "Another") is None


async def test_the_id_of_a_deleted_access_key_is_never_used_again(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put(KEY)
        await tx.delete(KEY)
    with pytest.raises(EntityError) as refused:
        async with store.transaction() as tx:
            await tx.put(KEY)
    assert refused.value.reason is Reason.ENTITY_ALREADY_EXISTS


async def test_a_role_deleted_and_made_again_in_one_transaction_is_the_new_one(
    store: Store, make_role: MakeRole
) -> None:
    first, second = make_role("Dev", tags=(("k", "1"),)), make_role("Dev")
    await put(store, first)
    async with store.transaction() as tx:
        await tx.delete(first)
        await tx.put(second)
    view = store.view()
    assert view.roles.with_name(ACCOUNT, "Dev") == second
    assert view.roles.with_key(first.unique_id) is None
    assert list(view.roles.of(ACCOUNT)) == [second]


async def test_what_belongs_to_an_unknown_account_is_refused(store: Store, make_role: MakeRole) -> None:
    with pytest.raises(EntityError) as refused:
        await put(store, make_role("Dev", account=OTHER))
    assert refused.value.reason is Reason.NO_SUCH_ENTITY


async def test_a_value_that_no_caller_may_send_here_is_a_fault_and_not_a_conflict(store: Store) -> None:
    with pytest.raises(IntegrityError):
        async with store.transaction() as tx:
            await tx.put(replace(KEY, status="active"))


async def test_a_transaction_in_which_a_call_failed_is_not_committed(store: Store, make_role: MakeRole) -> None:
    await put(store, make_role("Dev"))

    async def carry_on_regardless() -> None:
        async with store.transaction() as tx:
            await tx.put(make_role("Ops"))
            with pytest.raises(EntityError):
                await tx.put(make_role("DEV"))

    with pytest.raises(RuntimeError, match="cannot be committed"):
        await carry_on_regardless()
    assert store.view().roles.with_name(ACCOUNT, "Ops") is None


async def test_deleting_what_is_not_there_changes_nothing(store: Store, make_role: MakeRole) -> None:
    before = store.view()
    async with store.transaction() as tx:
        assert not await tx.delete(make_role("Dev"))
        assert not await tx.delete(OidcProvider(ACCOUNT, "https://x", (), (), (), 1))
        assert not await tx.delete(KEY)
        assert not await tx.delete(SealingKey(b"1234", b"w", 1, 1, None))
    assert store.view() is before


async def test_transactions_of_one_process_take_turns(store: Store, make_role: MakeRole) -> None:
    await put(store, make_role("Counter", max_session_duration=0))

    async def count() -> None:
        async with store.transaction() as tx:
            role = tx.view.roles.with_name(ACCOUNT, "Counter")
            assert role is not None
            await tx.put(replace(role, max_session_duration=role.max_session_duration + 1))

    await asyncio.gather(*(count() for _ in range(20)))
    counter = store.view().roles.with_name(ACCOUNT, "Counter")
    assert counter is not None
    assert counter.max_session_duration == 20


async def test_a_database_locked_for_too_long_is_unavailable_and_then_available_again(
    open_store: OpenStore, store: Store, make_role: MakeRole, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WRITER_PATIENCE", 0.02)
    impatient = await open_store()
    with closing(sqlite3.connect(data_dir / "daypass.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError) as refused:
            await put(impatient, make_role("Dev"))
        assert refused.value.reason is Reason.STORE_UNAVAILABLE
        assert impatient.view().accounts.of(""), "reading does not wait for the writer"
        other.execute("ROLLBACK")
    await put(impatient, make_role("Dev"))
    assert store.view().roles.with_name(ACCOUNT, "Dev") is not None


async def test_a_write_to_a_file_that_was_removed_is_not_acknowledged(
    store: Store, make_role: MakeRole, data_dir: Path
) -> None:
    file = data_dir / "daypass.db"
    file.rename(data_dir / "moved")
    with pytest.raises(UnavailableError) as refused:
        await put(store, make_role("Dev"))
    assert refused.value.reason is Reason.STORE_UNAVAILABLE
    assert not file.exists(), "an empty database is not made in the place of a lost one"
    (data_dir / "moved").rename(file)
    await put(store, make_role("Ops"))
    assert store.view().roles.with_name(ACCOUNT, "Ops") is not None


async def test_a_write_during_which_the_file_is_removed_is_not_acknowledged(
    store: Store, make_role: MakeRole, data_dir: Path
) -> None:
    async def write_and_lose_the_file() -> None:
        async with store.transaction() as tx:
            await tx.put(make_role("Dev"))
            (data_dir / "daypass.db").rename(data_dir / "moved")

    with pytest.raises(UnavailableError):
        await write_and_lose_the_file()


async def test_a_file_that_is_no_database_any_more_is_unavailable(
    open_store: OpenStore, store: Store, make_role: MakeRole, data_dir: Path
) -> None:
    await store.close()
    fresh = await open_store()
    (data_dir / "daypass.db").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(UnavailableError) as refused:
        await put(fresh, make_role("Dev"))
    assert refused.value.reason is Reason.STORE_UNAVAILABLE
    assert fresh.view().accounts.with_key(ACCOUNT) is not None
