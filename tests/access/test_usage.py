# SPDX-License-Identifier: Apache-2.0
"""Notes of last use: what is noted, when it is written, what is left out, and that nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daypass.access import Caller
from daypass.access import usage as module
from daypass.access.usage import REFRESH_SECONDS, UsageRecorder
from daypass.errors import Reason, UnavailableError
from daypass.principal import RoleSession, Root
from daypass.principal import User as UserPrincipal
from daypass.store import AccessKey, LastUse, Role, Store, Transaction, User
from in_process import ACCOUNT, NOW, service

ANN, DEV, KEY = "AIDAANN", "AROADEV", "AKIAANN"
ARN = f"arn:aws:iam::{ACCOUNT}:user/ann"
CALLER = Caller(UserPrincipal(ACCOUNT, "/", "ann", ANN), KEY, "eu-west-1")
SESSION = Caller(RoleSession(ACCOUNT, "/", "Dev", DEV, "web"), "ASIADEV", "us-east-1")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with a user, its key, and a role."""
    async with service(tmp_path) as running:
        async with running.app.store.transaction() as transaction:
            await transaction.put(User(ACCOUNT, "/", "ann", ANN, 1))
            await transaction.put(AccessKey(KEY, ACCOUNT, ANN, b"x", "Active", 1))
            await transaction.put(Role(ACCOUNT, "/", "Dev", DEV, None, 3600, "{}", (), 1))
        yield running.app.store


def fail(error: Exception) -> None:
    raise AssertionError(error)


def recorder(store: Store) -> UsageRecorder:
    return UsageRecorder(store, fail)


def note(usage: UsageRecorder, caller: Caller = CALLER, action: str = "ListUsers", now: float = NOW) -> None:
    usage.note(caller, service="iam", action=action, now=now)


def uses(store: Store, entity_id: str) -> list[LastUse]:
    return list(store.view().last_uses.linked(ACCOUNT, ("entity", entity_id)))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.005)


async def test_a_use_is_that_of_the_user_and_of_its_key(store: Store) -> None:
    usage = recorder(store)
    note(usage)
    assert uses(store, ANN) == []
    await usage.flush()
    for entity_id in (ANN, KEY):
        expected = LastUse(ACCOUNT, entity_id, "iam", "ListUsers", int(NOW), "eu-west-1", ARN)
        assert uses(store, entity_id) == [expected]
    await usage.close()


async def test_a_use_by_a_session_is_that_of_the_role_and_of_no_key(store: Store) -> None:
    usage = recorder(store)
    note(usage, SESSION)
    await usage.close()
    [use] = uses(store, DEV)
    assert use.caller == f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/web"
    assert uses(store, "ASIADEV") == []


async def test_a_use_by_the_root_user_is_that_of_its_key(store: Store) -> None:
    usage = recorder(store)
    async with store.transaction() as transaction:
        await transaction.put(AccessKey("AKIAROOT", ACCOUNT, None, b"x", "Active", 1))
    note(usage, Caller(Root(ACCOUNT), "AKIAROOT", "us-east-1"))
    await usage.close()
    assert [use.entity_id for use in uses(store, "AKIAROOT")] == ["AKIAROOT"]
    assert uses(store, ACCOUNT) == []


async def test_every_action_has_its_own_last_use(store: Store) -> None:
    usage = recorder(store)
    note(usage, action="ListUsers", now=NOW)
    note(usage, action="GetUser", now=NOW + 5)
    await usage.close()
    assert {use.action: use.used_at for use in uses(store, ANN)} == {"ListUsers": NOW, "GetUser": NOW + 5}


@pytest.mark.parametrize(("later", "kept"), [(REFRESH_SECONDS - 1, 0), (REFRESH_SECONDS, REFRESH_SECONDS)])
@pytest.mark.parametrize("same", [True, False])
async def test_a_use_is_written_again_after_a_minute_whichever_process_wrote_it(
    store: Store, later: int, kept: int, same: bool
) -> None:
    one = recorder(store)
    other = one if same else recorder(store)
    note(one)
    await one.flush()
    revision = store.view().revision
    note(other, now=NOW + later)
    await other.flush()
    assert [use.used_at for use in uses(store, ANN)] == [NOW + kept]
    assert (store.view().revision == revision) is (kept == 0)
    await one.close()
    await other.close()


async def test_of_two_processes_the_later_instant_wins_in_whatever_order_they_write(store: Store) -> None:
    one, other = recorder(store), recorder(store)
    note(one, now=NOW)
    note(other, now=NOW + 1000)
    await other.flush()
    await one.flush()
    assert [use.used_at for use in uses(store, ANN)] == [NOW + 1000]
    await one.close()
    await other.close()


async def test_uses_of_what_was_deleted_meanwhile_are_dropped(store: Store) -> None:
    usage = recorder(store)
    note(usage)
    note(usage, SESSION)
    async with store.transaction() as transaction:
        for record in (transaction.view.access_keys.with_key(KEY), transaction.view.roles.with_key(DEV)):
            assert record is not None
            await transaction.delete(record)
    await usage.close()
    assert (len(uses(store, ANN)), uses(store, KEY), uses(store, DEV)) == (1, [], [])


async def test_notes_are_written_by_themselves_after_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    usage = recorder(store)
    note(usage)
    await until(lambda: bool(uses(store, ANN)))
    note(usage, action="GetUser")  # and again, when there is more
    await until(lambda: len(uses(store, ANN)) == 2)
    await usage.close()


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


async def test_notes_wait_for_as_long_as_the_database_cannot_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    unwilling = Unwilling(store, UnavailableError(Reason.STORE_UNAVAILABLE, "no"))
    usage = UsageRecorder(unwilling, fail)  # type: ignore[arg-type]
    note(usage)
    await until(lambda: unwilling.tried >= 3)
    unwilling.error = None
    await until(lambda: bool(uses(store, ANN)))
    await usage.close()


async def test_at_the_end_nothing_waits_for_a_database_that_is_gone(store: Store) -> None:
    unwilling = Unwilling(store, UnavailableError(Reason.STORE_UNAVAILABLE, "no"))
    usage = UsageRecorder(unwilling, fail)  # type: ignore[arg-type]
    note(usage)
    async with asyncio.timeout(10):
        await usage.close()
    assert unwilling.tried == 1


async def test_an_error_of_ours_is_told_and_not_met_again(store: Store) -> None:
    told: list[Exception] = []
    unwilling = Unwilling(store, ValueError("a fault"))
    usage = UsageRecorder(unwilling, told.append)  # type: ignore[arg-type]
    note(usage)
    await usage.close()
    assert [type(error) for error in told] == [ValueError]
    unwilling.error = None
    await usage.flush()
    assert uses(store, ANN) == []


async def test_memory_is_bounded_while_notes_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    usage = recorder(store)
    for number in range(10):
        note(usage, action=f"Action{number}")
    assert len(usage._waiting) == 4
    assert len(usage._noted) <= 3
    await usage.close()
    assert len(uses(store, ANN)) == 2


async def test_more_notes_than_a_transaction_takes_are_written_in_several(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NOTES_IN_A_TRANSACTION", 3)
    usage = recorder(store)
    for number in range(5):
        note(usage, action=f"Action{number}")
    await usage.close()
    assert (len(uses(store, ANN)), len(uses(store, KEY))) == (5, 5)


async def test_the_door_notes_what_is_asked_whether_it_is_permitted_or_not(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        await running.call("sts", "GetCallerIdentity")
        await running.call("iam", "GetRole", RoleName="nobody")
        await running.call("iam", "GetRole", None, RoleName="unsigned")
        await running.app.usage.flush()
        view = running.app.store.view()
        noted = {(use.service, use.action) for use in view.last_uses.of(ACCOUNT)}
    assert noted == {("sts", "GetCallerIdentity"), ("iam", "GetRole")}
