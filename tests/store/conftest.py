# SPDX-License-Identifier: Apache-2.0
"""Stores on temporary files, records to put into them, and real processes to share them with."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from daypass.clock import MovableClock
from daypass.store import Account, Role, Store

ACCOUNT = "123456789012"
NOW = 1_800_000_000

OpenStore = Callable[[], Awaitable[Store]]
MakeRole = Callable[..., Role]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(float(NOW))


@pytest_asyncio.fixture
async def open_store(data_dir: Path, clock: MovableClock) -> AsyncIterator[OpenStore]:
    """Opens stores on one and the same file, as so many processes would, and closes them."""
    opened: list[Store] = []

    async def open_one() -> Store:
        opened.append(await Store.open(None, data_dir, clock))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest_asyncio.fixture
async def store(open_store: OpenStore) -> Store:
    """A store with one account in it."""
    store = await open_store()
    async with store.transaction() as tx:
        await tx.put(Account(ACCOUNT, NOW))
    return store


@pytest.fixture
def make_role() -> MakeRole:
    """Roles that differ in their unique id, and in what the test says."""
    numbers = itertools.count()

    def make(name: str = "Dev", **fields: object) -> Role:
        values: dict[str, object] = {
            "account": ACCOUNT,
            "path": "/",
            "name": name,
            "unique_id": f"AROA{next(numbers):017d}",
            "description": None,
            "max_session_duration": 3600,
            "trust_policy": "{}",
            "trust_principals": (),
            "created_at": NOW,
        }
        return Role(**{**values, **fields})  # type: ignore[arg-type]

    return make


def environment() -> dict[str, str]:
    """That of this process, importing from where it imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def run_python() -> Callable[[str, Path], str]:
    """Runs a script in another process, on a data directory; its output."""

    def run(script: str, data_dir: Path) -> str:
        command = [sys.executable, "-W", "error", "-c", script, str(data_dir)]
        done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    return run


@pytest.fixture
def writers(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that forks writers on request (see writer_process.py); it has everything imported already."""
    script = Path(__file__).with_name("writer_process.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(data_dir)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        yield process
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)
