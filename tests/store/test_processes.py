# SPDX-License-Identifier: Apache-2.0
"""Several processes on one file, and what is left when one of them is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen

from daypass.store import Role, Store
from store.looking import fresh

ACCOUNT = "123456789012"
ROUNDS = 20
MORE_THAN_IT_LIVES_FOR = 100_000


def ask(process: Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: Popen[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the writer process ended"
    return line.split()


async def test_a_commit_of_another_process_is_in_the_next_view(store: Store, writers: Popen[str]) -> None:
    ask(writers, "run add Other 3")
    assert answer(writers)[0] == "pid"
    for number in range(3):
        assert answer(writers) == ["ack", "Other", str(number)]
        assert fresh(store).roles.with_name(ACCOUNT, f"Other-{number}") is not None


async def test_a_commit_of_this_process_is_in_the_next_view_of_another(
    store: Store, make_role: Callable[..., Role], run_python: Callable[[str, Path], str], data_dir: Path
) -> None:
    async with store.transaction() as tx:
        await tx.put(make_role("Dev", tags=(("k", "v"),)))
    script = (
        "import asyncio, sys, pathlib; from daypass.store import Store\n"
        "async def main():\n"
        "    store = await Store.open(None, pathlib.Path(sys.argv[1]))\n"
        f"    print(store.view().roles.with_name({ACCOUNT!r}, 'Dev').tags)\n"
        "    await store.close()\n"
        "asyncio.run(main())"
    )
    assert run_python(script, data_dir).strip() == "(('k', 'v'),)"


async def test_concurrent_writers_of_two_processes_lose_nothing(
    store: Store, make_role: Callable[..., Role], writers: Popen[str]
) -> None:
    each = 40
    async with store.transaction() as tx:
        await tx.put(make_role("Counter", max_session_duration=0))
    ask(writers, f"run count A {each}")
    ask(writers, f"run count B {each}")
    ask(writers, "wait")
    answers = []
    while (line := answer(writers)) != ["done"]:
        answers.append(line)
    assert sum(line[0] == "ack" for line in answers) == 2 * each
    counter = fresh(store).roles.with_name(ACCOUNT, "Counter")
    assert counter is not None
    assert counter.max_session_duration == 2 * each


async def test_every_acknowledged_write_is_there_after_kill_9(
    store: Store, writers: Popen[str], data_dir: Path
) -> None:
    await store.close()  # the writer has the file to itself, and its death leaves the log to be recovered
    acknowledged = set()
    for cycle in range(ROUNDS):
        ask(writers, f"run add R{cycle} {MORE_THAN_IT_LIVES_FOR}")
        _, _, pid = answer(writers)
        for _ in range(1 + cycle % 4):
            _, label, number = answer(writers)
            acknowledged.add(f"{label}-{number}")
        os.kill(int(pid), signal.SIGKILL)
        ask(writers, "wait")
        while (line := answer(writers)) != ["done"]:
            acknowledged.add(f"{line[1]}-{line[2]}")
        with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept = {name for (name,) in connection.execute("SELECT name FROM role")}
            ids = connection.execute("SELECT count(*) FROM used_id WHERE unique_id LIKE 'AROA%'").fetchone()[0]
            changes = connection.execute("SELECT count(*) FROM change WHERE kind = 'role'").fetchone()[0]
        assert acknowledged <= kept
        assert len(kept - acknowledged) <= cycle + 1, "at most the one commit of each round that was under way"
        assert ids == changes == len(kept), "a role is there with its id and its change, or not at all"
    assert len(acknowledged) >= ROUNDS
