# SPDX-License-Identifier: Apache-2.0
"""The log of issued sessions: what is noted, when it is written, how much is kept, and that nothing waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from daypass.credentials import TemporaryCredentials
from daypass.errors import Reason, UnavailableError
from daypass.sealing import MasterKey, RingKey, new_ring_key
from daypass.sessions import Session, Sessions
from daypass.sessions import log as module
from daypass.sessions.log import SessionLog, session_of
from daypass.store import Store, Transaction, count_issued, issued_sessions
from daypass.store import issued as rows
from daypass.store import transaction as writing

ACCOUNT = "123456789012"
NOW = 1_800_000_000
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/web"
MASTER = MasterKey(bytes(32))
KEY_ID, _WRAPPED = new_ring_key(MASTER)
SESSIONS = Sessions([RingKey.unwrap(MASTER, key_id=KEY_ID, wrapped=_WRAPPED, active_from=0, retire_at=None)])
SESSION = Session(
    ACCOUNT,
    "AROADEV",
    "web",
    NOW,
    NOW + 3600,
    provider_arn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org",
    subject="alice",
    source_identity="alice@example.org",
    user_id="AIDAANN",
    parents=("ASIAONE", "ASIATWO"),
    origin_provider=f"arn:aws:iam::{ACCOUNT}:oidc-provider/first.example.org",
    origin_subject="ann",
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(None, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daypass.db"


def fail(error: Exception) -> None:
    raise AssertionError(error)


def note(log: SessionLog, session: Session = SESSION, source_ip: str | None = "192.0.2.1") -> TemporaryCredentials:
    """Issue and note, as the operations of STS do."""
    credentials = SESSIONS.issue(session, now=NOW)
    log.note(session, credentials, principal_arn=ARN, source_ip=source_ip)
    return credentials


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.005)


async def test_a_session_is_noted_with_all_that_says_whose_it_is_and_none_of_its_secrets(
    store: Store, path: Path
) -> None:
    log = SessionLog(store, fail)
    credentials = note(log)
    assert issued_sessions(path) == []
    await log.close()
    [issued] = issued_sessions(path)
    assert (issued.access_key_id, issued.principal_arn, issued.source_ip) == (
        credentials.access_key_id,
        ARN,
        "192.0.2.1",
    )
    assert issued.sealed_by == KEY_ID.hex()
    assert session_of(issued) == SESSION
    kept = b"".join(file.read_bytes() for file in path.parent.glob("daypass.db*"))
    assert credentials.secret_access_key.reveal().encode() not in kept
    assert credentials.session_token.reveal()[8:60].encode() not in kept


@pytest.mark.parametrize("kind", ["user", "federated", "root"])
async def test_sessions_of_every_kind_come_back_as_they_were(store: Store, path: Path, kind: Any) -> None:
    log = SessionLog(store, fail)
    session = Session(ACCOUNT, "", "bob", NOW, NOW + 900, kind=kind, user_id="AIDAANN", key_id="AKIAANN", mfa_at=NOW)
    note(log, session, source_ip=None)
    await log.close()
    [issued] = issued_sessions(path)
    assert session_of(issued) == replace(session, mfa_at=None)
    assert issued.source_ip is None


async def test_the_newest_come_first_and_what_is_asked_for_only(store: Store, path: Path) -> None:
    log = SessionLog(store, fail)
    ids = [note(log, replace(SESSION, role_id=f"AROA{number % 2}")).access_key_id for number in range(6)]
    await log.close()
    assert [found.access_key_id for found in issued_sessions(path)] == ids[::-1]
    assert [found.access_key_id for found in issued_sessions(path, limit=2)] == ids[:3:-1]
    assert [found.access_key_id for found in issued_sessions(path, role_id="AROA1")] == ids[::-2]
    assert count_issued(path, live_at=NOW, role_id="AROA1") == 3
    with pytest.raises(TypeError):
        issued_sessions(path, **{"1=1; --": "x"})  # type: ignore[arg-type]


async def test_what_has_expired_is_not_listed_and_is_removed_by_the_next_writing(store: Store, path: Path) -> None:
    log = SessionLog(store, fail)
    note(log)
    await log.flush()
    assert len(issued_sessions(path, live_at=NOW + 3599)) == 1
    assert issued_sessions(path, live_at=NOW + 3600) == []
    note(log, replace(SESSION, issued_at=NOW + 3599, expires_at=NOW + 9000))
    await log.flush()
    assert len(issued_sessions(path)) == 2
    note(log, replace(SESSION, issued_at=NOW + 3600, expires_at=NOW + 9000))
    await log.close()
    assert [found.issued_at - NOW for found in issued_sessions(path)] == [3600, 3599]


async def test_the_newest_rows_are_kept_and_no_more(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note(log := SessionLog(store, fail))
    await log.flush()
    monkeypatch.setattr(writing, "ROWS_KEPT", 5)
    ids = [note(log).access_key_id for _ in range(12)]
    await log.close()
    assert [found.access_key_id for found in issued_sessions(path)] == ids[:-6:-1]


@pytest.mark.parametrize("count", [1, 4, 11, 16])
async def test_rows_are_written_in_their_order_in_however_many_statements(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(rows, "ROWS_IN_A_STATEMENT", 4)
    monkeypatch.setattr(module, "NOTES_AT_ONCE", 9)
    log = SessionLog(store, fail)
    ids = [note(log).access_key_id for _ in range(count)]
    await log.close()
    assert [found.access_key_id for found in issued_sessions(path)] == ids[::-1]


async def test_notes_change_no_view(store: Store) -> None:
    before = store.view()
    note(log := SessionLog(store, fail))
    await log.close()
    assert store.view() is before


async def test_notes_are_written_by_themselves_after_a_while(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    log = SessionLog(store, fail)
    for number in range(1, 3):
        note(log)
        await until(lambda number=number: len(issued_sessions(path)) == number)  # type: ignore[misc]
    await log.close()


async def test_many_notes_are_written_early(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 3600)
    monkeypatch.setattr(module, "WRITE_EARLY_AT", 5)
    monkeypatch.setattr(module, "NOTES_IN_A_TRANSACTION", 2)
    log = SessionLog(store, fail)
    for _ in range(5):
        note(log)
    await until(lambda: len(issued_sessions(path)) == 5)
    note(log)
    await log.close()
    assert len(issued_sessions(path)) == 6


class Busy:
    """A store during whose first transaction something else happens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.meanwhile: Callable[[], object] | None = None
        self.written = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        async with self._store.transaction() as transaction:
            yield transaction
        self.written += 1


async def test_what_is_noted_while_others_are_written_waits_for_the_next_time(store: Store, path: Path) -> None:
    busy = Busy(store)
    log = SessionLog(busy, fail)  # type: ignore[arg-type]
    busy.meanwhile = partial(note, log)
    note(log)
    await log.flush()
    assert (busy.written, len(issued_sessions(path))) == (1, 1)
    await log.close()
    assert (busy.written, len(issued_sessions(path))) == (2, 2)


async def test_what_is_noted_before_the_end_while_others_are_written_is_written_too(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    busy = Busy(store)
    log = SessionLog(busy, fail)  # type: ignore[arg-type]
    closing: list[asyncio.Task[None]] = []

    def meanwhile() -> None:
        note(log)
        closing.append(asyncio.get_running_loop().create_task(log.close()))

    busy.meanwhile = meanwhile
    note(log)
    await until(lambda: bool(closing))
    await closing[0]
    assert len(issued_sessions(path)) == 2


class Unwilling:
    """A store that cannot be written for as long as it is told so."""

    def __init__(self, store: Store, error: Exception) -> None:
        self._store = store
        self.error: Exception | None = error
        self.tried = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.tried += 1
        if self.error is not None:
            raise self.error
        async with self._store.transaction() as transaction:
            yield transaction


def unavailable() -> UnavailableError:
    return UnavailableError(Reason.STORE_UNAVAILABLE, "no")


async def test_notes_wait_for_as_long_as_the_database_cannot_be_written(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    unwilling = Unwilling(store, unavailable())
    log = SessionLog(unwilling, fail)  # type: ignore[arg-type]
    note(log)
    await until(lambda: unwilling.tried >= 3)
    unwilling.error = None
    await until(lambda: len(issued_sessions(path)) == 1)
    await log.close()


async def test_at_the_end_nothing_waits_for_a_database_that_is_gone(store: Store) -> None:
    unwilling = Unwilling(store, unavailable())
    log = SessionLog(unwilling, fail)  # type: ignore[arg-type]
    note(log)
    async with asyncio.timeout(10):
        await log.close()
    assert unwilling.tried == 1


async def test_memory_is_bounded_while_notes_wait(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    log = SessionLog(store, fail)
    for _ in range(10):
        note(log)
    assert len(log._waiting) == 4
    await log.close()
    assert len(issued_sessions(path)) == 4


async def test_an_error_of_ours_is_told_and_not_met_again(store: Store, path: Path) -> None:
    told: list[Exception] = []
    unwilling = Unwilling(store, ValueError("a fault"))
    log = SessionLog(unwilling, told.append)  # type: ignore[arg-type]
    note(log)
    await log.close()
    assert [type(error) for error in told] == [ValueError]
    unwilling.error = None
    await log.flush()
    assert issued_sessions(path) == []


async def test_a_note_whose_commit_was_in_doubt_is_not_written_twice(store: Store, path: Path) -> None:
    log = SessionLog(store, fail)
    credentials = SESSIONS.issue(SESSION, now=NOW)
    for _ in range(2):
        log.note(SESSION, credentials, principal_arn=ARN, source_ip=None)
        await log.flush()
    await log.close()
    assert len(issued_sessions(path)) == 1


def test_a_log_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE something (x)")
    with pytest.raises(UnavailableError):
        issued_sessions(path)
