# SPDX-License-Identifier: Apache-2.0
"""The state file of a running service: applied at its start and after a change, and refused without harm."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from daypass.clock import MovableClock
from daypass.resources import managed_aspects
from daypass.server.log import RequestLog
from daypass.server.state_watch import AGAIN, StateWatch
from daypass.store import STATE_FILE, StateFile, Store, sqlite
from in_process import ACCOUNT, service
from resources.lake import ARN, BUCKET, NOW, OTHER, OWNER, Lake, document, filled, identity, statement


class Log(RequestLog):
    """Keeps what was said of the state file."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def state_applied(self, *, path: str, digest: str, changed: int, unchanged: int) -> None:
        super().state_applied(path=path, digest=digest, changed=changed, unchanged=unchanged)
        self.said.append(f"applied {changed} {unchanged}")

    def state_refused(self, *, path: str, problem: str) -> None:
        super().state_refused(path=path, problem=problem)
        self.said.append(f"refused {problem}")


@dataclass
class Watched:
    """A store, a state file, and a watch that looks when it is told."""

    lake: Lake
    file: Path
    log: Log = field(default_factory=Log)
    failed: list[Exception] = field(default_factory=list)
    watches: list[StateWatch] = field(default_factory=list)

    def write(self, *entries: str) -> None:
        self.file.write_text("version: 1\nresources:\n" + "".join(f"- {entry}\n" for entry in entries))

    def watch(self, store: Store | None = None, every: float = 3600.0) -> StateWatch:
        made = StateWatch(
            store or self.lake.store,
            self.file,
            clock=MovableClock(NOW),
            log=self.log,
            failed=self.failed.append,
            every=every,
        )
        self.watches.append(made)
        return made

    @property
    def record(self) -> StateFile:
        found = self.lake.store.view().state_files.with_key(STATE_FILE)
        assert found is not None
        return found

    @property
    def owner(self) -> str:
        found = self.lake.store.view().buckets.with_key(BUCKET)
        assert found is not None
        return found.account


def owned(account: str) -> str:
    return json.dumps({"arn": ARN, "owner": account})


async def begin(watch: StateWatch) -> None:
    """What a service does at its start."""
    await watch.read()
    watch.start()


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    store = await Store.open(None, tmp_path / "data")
    made = Watched(await filled(store), tmp_path / "state.yaml")
    try:
        yield made
        assert made.failed == []
    finally:
        for watch in made.watches:
            await watch.close()
        await store.close()


async def test_the_file_is_applied_at_the_start(watched: Watched) -> None:
    watched.write(owned(OTHER))
    await begin(watched.watch())
    assert watched.owner == OTHER
    assert (watched.record.path, watched.record.problem) == (str(watched.file), None)
    assert watched.log.said == ["applied 1 0"]


async def test_a_second_start_has_nothing_to_do(watched: Watched) -> None:
    watched.write(owned(OTHER))
    await begin(watched.watch())
    before = watched.lake.store.view()
    await begin(watched.watch())
    assert watched.lake.store.view() is before
    assert watched.log.said == ["applied 1 0"]


async def test_a_change_counts_at_the_second_look_that_finds_it(watched: Watched) -> None:
    watched.write(owned(OWNER))
    watch = watched.watch()
    await begin(watch)
    watched.write(owned(OTHER))
    await watch.look()
    assert watched.owner == OWNER
    await watch.look()
    assert watched.owner == OTHER


async def test_a_file_that_is_being_written_is_left_alone_until_it_stands_still(watched: Watched) -> None:
    watched.write(owned(OWNER))
    watch = watched.watch()
    await begin(watch)
    for step in range(3):  # each a right file, and none what its writer means
        watched.write(owned(OTHER), *(json.dumps({"arn": f"{ARN}{n}", "owner": OTHER}) for n in range(step)))
        await watch.look()
    assert watched.owner == OWNER
    await watch.look()
    assert len(list(watched.lake.store.view().buckets.all())) == 3


async def test_a_policy_that_the_file_names_is_watched_too(watched: Watched, tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(document(statement(principal={"AWS": OTHER})))
    watched.write(json.dumps({"arn": ARN, "policy": "policy.json"}))
    watch = watched.watch()
    await begin(watch)
    policy.write_text(document(statement("Deny")))
    await watch.look()
    await watch.look()
    stored = watched.lake.store.view().resource_policies.with_key(ARN)
    assert stored is not None
    assert stored.document == policy.read_text()


@pytest.mark.parametrize(
    "bad", ["version: 2", "nonsense: [", None, f"version: 1\nresources: [{owned('999999999999')}]"]
)
async def test_a_file_that_is_refused_changes_nothing_and_is_said_once(watched: Watched, bad: str | None) -> None:
    watched.write(owned(OTHER))
    watch = watched.watch()
    await begin(watch)
    if bad is None:
        watched.file.unlink()
    else:
        watched.file.write_text(bad)
    for _ in range(4):
        await watch.look()
    assert watched.owner == OTHER
    assert managed_aspects(ARN, watched.lake.store.view()) == ("owner",)
    problem = watched.record.problem
    assert problem is not None
    assert watched.log.said == ["applied 1 0", f"refused {problem}"]

    watched.write(owned(OTHER))
    await watch.look()
    await watch.look()
    assert watched.record.problem is None
    assert watched.log.said[2:] == ["applied 0 1"]


async def test_a_service_starts_with_a_file_that_is_refused(watched: Watched) -> None:
    await begin(watched.watch())
    assert "FileNotFoundError" in (watched.record.problem or "")
    assert watched.owner == OWNER


async def test_a_file_that_was_refused_is_tried_again_as_it_is(watched: Watched) -> None:
    arn = f"arn:aws:iam::{OTHER}:user/reader"
    made = document(statement(principal={"AWS": arn}))
    watched.write(json.dumps({"arn": ARN, "policy": json.loads(made)}))
    watch = watched.watch()
    await begin(watch)
    assert "Invalid principal" in (watched.record.problem or "")
    await watched.lake.user(OTHER, "reader", identity("Allow", "s3:*"))
    for _ in range(AGAIN - 1):
        await watch.look()
    assert watched.record.problem is not None
    await watch.look()
    assert watched.record.problem is None


async def test_while_the_store_cannot_be_written_it_is_tried_again(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WRITER_PATIENCE", 0.02)
    watched.write(owned(OTHER))
    watch = watched.watch()
    with closing(sqlite3.connect(tmp_path / "data" / "daypass.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await begin(watch)
        assert watched.owner == OWNER
    await watch.look()
    await watch.look()
    assert watched.owner == OTHER


async def test_an_error_of_ours_is_reported_and_the_watch_goes_on(watched: Watched) -> None:
    watched.write(owned(OWNER))
    watch = watched.watch()
    await begin(watch)
    watched.write(owned(OTHER))
    lost, watch._store = watch._store, None  # type: ignore[assignment]
    await watch.look()
    await watch.look()
    assert [type(error) for error in watched.failed] == [AttributeError]
    watched.failed.clear()
    watch._store = lost
    watched.write(owned(OTHER), json.dumps({"arn": f"{ARN}2", "owner": OTHER}))
    await watch.look()
    await watch.look()
    assert watched.owner == OTHER


async def test_of_several_workers_one_applies_a_change_and_all_know_it(watched: Watched, tmp_path: Path) -> None:
    other = await Store.open(None, tmp_path / "data")
    try:
        watched.write(owned(OTHER))
        watches = [watched.watch(), watched.watch(other)]
        await asyncio.gather(*(begin(watch) for watch in watches))
        revision = watched.lake.store.view().revision
        for watch in watches * 2:
            await watch.look()
        assert (watched.owner, watched.lake.store.view().revision) == (OTHER, revision)
        found = other.view().buckets.with_key(BUCKET)
        assert found is not None
        assert found.account == OTHER
    finally:
        await other.close()


async def test_the_file_is_looked_at_by_itself_and_at_once_after_a_hangup(watched: Watched) -> None:
    watched.write(owned(OWNER))
    await begin(watched.watch())
    watched.write(owned(OTHER))
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(20):
        while watched.owner != OTHER:  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0)
    watched.write(owned(OWNER))
    await begin(watched.watch(every=0.001))
    watched.write(owned(OTHER))
    async with asyncio.timeout(20):
        while watched.owner != OTHER:  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0)


async def test_a_service_applies_the_file_of_its_settings_before_it_serves(tmp_path: Path) -> None:
    file = tmp_path / "state.yaml"
    file.write_text(f"version: 1\nresources: [{json.dumps({'arn': ARN, 'owner': ACCOUNT})}]")
    async with service(tmp_path / "data", state=file) as running:
        bucket = running.app.store.view().buckets.with_key(BUCKET)
        assert bucket is not None
        assert bucket.account == ACCOUNT
