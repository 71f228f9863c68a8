# SPDX-License-Identifier: Apache-2.0
"""The trail of a process: what is noted, when it is written, what becomes of what cannot be, and that nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from audit.trails import NOW, event, names, records, refusal
from daypass.audit import Proven
from daypass.doorway import audit_trail as module
from daypass.doorway.audit_trail import Allowance, AuditTrail, slices
from daypass.errors import Reason, UnavailableError
from daypass.store import Store, Transaction
from daypass.store.audit_trail import oldest_first, verify


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


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.005)


class Unwilling:
    """A store that cannot be written for as long as it is told so; ``late``: it has written, and says it has not."""

    def __init__(self, store: Store, error: Exception | None, *, late: bool = False) -> None:
        self._store = store
        self._late = late
        self.error = error
        self.tried = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.tried += 1
        if self.error is not None and not self._late:
            raise self.error
        async with self._store.transaction() as transaction:
            yield transaction
        if self.error is not None:
            raise self.error


def unavailable() -> UnavailableError:
    return UnavailableError(Reason.STORE_UNAVAILABLE, "no")


class Busy:
    """A store during whose first transaction something else happens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.meanwhile: Callable[[], None] | None = None
        self.written = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        async with self._store.transaction() as transaction:
            yield transaction
        self.written += 1


async def test_what_is_noted_is_written_in_its_order(store: Store, path: Path) -> None:
    trail = AuditTrail(store, fail)
    for name in ("One", "Two", "Three"):
        trail.note(event(name))
    assert trail.waiting == 3
    assert records(path) == []
    await trail.close()
    assert names(path) == ["One", "Two", "Three"]
    assert trail.waiting == 0


async def test_every_record_has_an_id_of_its_own(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDS_IN_A_BLOCK", 5)
    monkeypatch.setattr(module, "RECORDS_AT_ONCE", 2)
    trail = AuditTrail(store, fail)
    for number in range(13):
        trail.note(event(f"E{number}"))
    await trail.close()
    assert len({record["eventID"] for record in records(path)}) == 13
    assert [block.records for block in oldest_first(path)] == [5, 5, 3]
    assert verify(path).broken is None


async def test_notes_are_written_by_themselves_after_a_while(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    trail = AuditTrail(store, fail)
    for number in range(1, 3):
        trail.note(event())
        await until(lambda number=number: len(records(path)) == number)  # type: ignore[misc]
    await trail.close()


async def test_many_notes_are_written_early(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 3600)
    monkeypatch.setattr(module, "RECORDS_IN_A_BLOCK", 5)
    trail = AuditTrail(store, fail)
    for _ in range(5):
        trail.note(event())
    await until(lambda: len(records(path)) == 5)
    trail.note(event())
    await trail.close()
    assert len(records(path)) == 6


async def test_notes_change_no_view(store: Store) -> None:
    before = store.view()
    trail = AuditTrail(store, fail)
    trail.note(event())
    await trail.close()
    assert store.view() is before


async def test_notes_wait_for_as_long_as_the_database_cannot_be_written(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    unwilling = Unwilling(store, unavailable())
    trail = AuditTrail(unwilling, fail)  # type: ignore[arg-type]
    trail.note(event())
    await until(lambda: unwilling.tried >= 3)
    unwilling.error = None
    await until(lambda: names(path) == ["GetRole"])
    await trail.close()


async def test_at_the_end_nothing_waits_for_a_database_that_is_gone(store: Store) -> None:
    unwilling = Unwilling(store, unavailable())
    trail = AuditTrail(unwilling, fail)  # type: ignore[arg-type]
    trail.note(event())
    async with asyncio.timeout(10):
        await trail.close()
    assert unwilling.tried == 1


async def test_what_could_not_be_kept_is_counted_and_the_count_is_a_record(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    trail = AuditTrail(store, fail)
    for number in range(10):
        trail.note(event(f"E{number}", NOW + number))
    assert (trail.waiting, trail.dropped) == (4, 6)
    await trail.close()
    *kept, told = records(path)
    assert [record["eventName"] for record in kept] == ["E0", "E1", "E2", "E3"]
    assert (told["eventName"], told["eventSource"], told["eventType"]) == (
        "EventsNotRecorded",
        "audit.daypass",
        "AwsServiceEvent",
    )
    assert told["additionalEventData"] == {
        "events": 6,
        "first": "2027-01-15T08:00:04Z",
        "last": "2027-01-15T08:00:09Z",
    }


async def test_a_long_decision_counts_for_several_notes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    trail = AuditTrail(store, fail)
    trail.note(event(decision=bytes(3 * 1024)))
    assert (trail.waiting, trail.dropped) == (1, 0)
    trail.note(event())
    assert (trail.waiting, trail.dropped) == (1, 1)
    await trail.close()


async def test_there_is_room_again_when_notes_were_written(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    trail = AuditTrail(store, fail)
    for _ in range(3):
        for _ in range(3):
            trail.note(event(decision=None))
        await trail.flush()
    await trail.close()
    assert names(path) == ["GetRole"] * 9


async def test_what_is_noted_while_others_are_written_waits_for_the_next_time(store: Store, path: Path) -> None:
    busy = Busy(store)
    trail = AuditTrail(busy, fail)  # type: ignore[arg-type]
    busy.meanwhile = lambda: trail.note(event("Two"))
    trail.note(event("One"))
    await trail.flush()
    assert (busy.written, names(path), trail.waiting) == (1, ["One"], 1)
    await trail.close()
    assert (busy.written, names(path)) == (2, ["One", "Two"])


async def test_what_is_noted_before_the_end_while_others_are_written_is_written_too(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    busy = Busy(store)
    trail = AuditTrail(busy, fail)  # type: ignore[arg-type]
    closing: list[asyncio.Task[None]] = []

    def meanwhile() -> None:
        trail.note(event("Two"))
        closing.append(asyncio.get_running_loop().create_task(trail.close()))

    busy.meanwhile = meanwhile
    trail.note(event("One"))
    await until(lambda: bool(closing))
    await closing[0]
    assert names(path) == ["One", "Two"]


async def test_an_error_of_ours_is_told_and_what_it_cost_is_counted(store: Store, path: Path) -> None:
    told: list[Exception] = []
    unwilling = Unwilling(store, ValueError("a fault"))
    trail = AuditTrail(unwilling, told.append)  # type: ignore[arg-type]
    trail.note(event())
    trail.note(event())
    await trail.close()
    assert [type(error) for error in told] == [ValueError]
    unwilling.error = None
    await trail.flush()
    assert [record["additionalEventData"]["events"] for record in records(path)] == [2]
    assert trail.dropped == 2


async def test_an_event_that_cannot_be_written_takes_no_other_with_it(store: Store, path: Path) -> None:
    def broken() -> Any:
        raise ValueError

    trail = AuditTrail(store, fail)
    for one in (event("One"), event("Wrong", decision=broken), event("Worse", user_agent="\ud800"), event("Two")):
        trail.note(one)
    await trail.close()
    await trail.flush()
    assert names(path) == ["One", "Two", "EventsNotRecorded"]
    assert records(path)[-1]["additionalEventData"]["events"] == 2


async def test_a_block_whose_commit_was_in_doubt_is_not_written_twice(store: Store, path: Path) -> None:
    unwilling = Unwilling(store, unavailable(), late=True)
    trail = AuditTrail(unwilling, fail)  # type: ignore[arg-type]
    trail.note(event())
    with pytest.raises(UnavailableError):
        await trail.flush()
    other = AuditTrail(store, fail)
    other.note(event("Other"))
    await other.close()
    unwilling.error = None
    await trail.flush()
    assert names(path) == ["GetRole", "Other"]
    assert verify(path).broken is None
    await trail.close()


async def test_refusals_of_requests_that_showed_nothing_are_counted_when_there_are_too_many(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNPROVEN", 3)
    trail = AuditTrail(store, fail)
    for _ in range(4):
        trail.note(refusal())
    trail.note(refusal(Reason.SAML_UNSIGNED))
    trail.note(event())
    await trail.close()
    assert names(path) == ["GetRole"] * 4 + ["RefusalsCounted"]
    told = records(path)[-1]["additionalEventData"]
    assert told["reasons"] == {"unsigned-request": 1, "saml-unsigned": 1}
    assert told["events"] == 2
    assert trail.dropped == 0


async def test_requests_that_showed_nothing_and_were_not_refused_are_counted_too_when_there_are_too_many(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNPROVEN", 3)
    trail = AuditTrail(store, fail)
    for _ in range(5):
        trail.note(event("PostObject", who=None))
    await trail.close()
    assert names(path) == ["PostObject"] * 3 + ["RefusalsCounted"]
    assert records(path)[-1]["additionalEventData"]["reasons"] == {"none": 2}
    assert trail.dropped == 0


async def test_refused_proofs_have_an_allowance_of_their_own_and_accepted_ones_need_none(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNPROVEN", 2)
    proven = Proven("WebIdentityUser", "arn:aws:iam::123456789012:oidc-provider/public.example", "sts", "anybody")
    trail = AuditTrail(store, fail)
    for _ in range(3):
        trail.note(refusal())
    for _ in range(3):
        trail.note(event("Refused", who=proven, reason=Reason.NOT_AUTHORIZED, code="AccessDenied"))
        trail.note(event("Accepted", who=proven))
    await trail.close()
    assert names(path) == ["GetRole", "GetRole", *["Refused", "Accepted"] * 2, "Accepted", "RefusalsCounted"]
    assert records(path)[-1]["additionalEventData"]["reasons"] == {"unsigned-request": 1, "not-authorized": 1}


@pytest.mark.parametrize(("size", "kept"), [(512, True), (513, False)])
async def test_of_a_request_that_showed_nothing_little_text_is_recorded(
    store: Store, path: Path, size: int, kept: bool
) -> None:
    texts: dict[str, Any] = {"user_agent": "a" * 9000, "message": "m" * 300, "parameters": {"roleArn": "r" * size}}
    trail = AuditTrail(store, fail)
    trail.note(event(who=None, reason=Reason.UNSIGNED_REQUEST, code="AccessDenied", **texts))
    trail.note(event(**texts))
    await trail.close()
    [nobodys, somebodys] = records(path)
    assert nobodys["requestParameters"] == (texts["parameters"] if kept else None)
    assert (nobodys["userAgent"], nobodys["errorMessage"]) == ("a" * 256, "m" * 256)
    assert somebodys["requestParameters"] == texts["parameters"]
    assert (somebodys["userAgent"], somebodys["errorMessage"]) == ("a" * 512, "m" * 300)


async def test_a_request_that_showed_nothing_and_says_much_uses_more_of_the_allowance(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNPROVEN", 4)
    trail = AuditTrail(store, fail)
    for length in (255 - len("Get"), 256 - len("Get"), 255 - len("Get"), 0):
        trail.note(event("Get", who=None, reason=Reason.UNSIGNED_REQUEST, parameters={"roleArn": "r" * length}))
    trail.note(event("Get", who=None, reason=Reason.UNSIGNED_REQUEST))
    await trail.close()
    assert names(path) == ["Get"] * 3 + ["RefusalsCounted"]
    assert records(path)[-1]["additionalEventData"]["events"] == 2


@pytest.mark.parametrize("more", [{"user_agent": "a" * 3072}, {"parameters": {"tags": ["t" * 3072]}}])
async def test_much_text_counts_for_several_notes(
    store: Store, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    trail = AuditTrail(store, fail)
    trail.note(event(**more))
    assert (trail.waiting, trail.dropped) == (1, 0)
    trail.note(event())
    assert (trail.waiting, trail.dropped) == (1, 1)
    await trail.flush()
    trail.note(event(**more))
    assert (trail.waiting, trail.dropped) == (1, 1), "what was written weighs nothing any more"
    await trail.close()


def test_a_slice_ends_when_it_has_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TEXT_AT_ONCE", 100)
    events = [event("Get", parameters={"path": "p" * length}) for length in (97, 96, 1, 0)]
    assert [len(some) for some in slices(events)] == [1, 2, 1]


def test_an_allowance_fills_up_again_to_what_it_was_and_no_further() -> None:
    allowance = Allowance(2, 0.5)
    assert [allowance.take(10.0) for _ in range(3)] == [True, True, False]
    assert [allowance.take(11.9), allowance.take(12.0), allowance.take(12.0)] == [False, True, False]
    assert [allowance.take(1000.0) for _ in range(3)] == [True, True, False]
    assert not allowance.take(0.0), "a clock that is set back gives nothing"
    assert [allowance.take(2000.0, 3), allowance.take(2000.0, 2)] == [False, True], "what is too much takes nothing"


def test_slices_are_short_and_a_decision_that_is_yet_to_be_made_ends_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDS_AT_ONCE", 3)
    events = [event(str(number), decision=dict if number == 4 else None) for number in range(7)]
    assert [[one.name for one in some] for some in slices(events)] == [["0", "1", "2"], ["3", "4"], ["5", "6"]]
    assert list(slices([])) == []
