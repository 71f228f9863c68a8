# SPDX-License-Identifier: Apache-2.0
"""
Writers for the tests, each a process of its own.

Reads requests from standard input, a line each: ``run KIND LABEL COUNT``; forks a child for each, and answers
``pid LABEL PID``. A child writes ``ack LABEL NUMBER`` after each commit. ``wait`` waits for the children there are and
answers ``done``. Forking spares each child the imports.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path

from msgspec.structs import replace

from daypass.store import Role, Store

ACCOUNT = "123456789012"


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # in one piece, whoever else writes to the pipe


async def add_roles(store: Store, label: str, count: int) -> None:
    """Commit one role after the other."""
    for number in range(count):
        role = Role(ACCOUNT, "/", f"{label}-{number}", f"AROA-{label}-{number}", None, 3600, "{}", (), 0, (("k", "v"),))
        async with store.transaction() as tx:
            await tx.put(role)
        say(f"ack {label} {number}")


async def count_up(store: Store, label: str, count: int) -> None:
    """Read a number, write the next: what two writers lose if they do not take turns."""
    for number in range(count):
        async with store.transaction() as tx:
            role = tx.view.roles.with_name(ACCOUNT, "Counter")
            if role is None:
                raise LookupError("Counter")
            await tx.put(replace(role, max_session_duration=role.max_session_duration + 1))
        say(f"ack {label} {number}")


async def write(data_dir: Path, kind: str, label: str, count: int) -> None:
    store = await Store.open(None, data_dir)
    await {"add": add_roles, "count": count_up}[kind](store, label, count)
    await store.close()


def main() -> None:
    for module in ("daypass.store.transaction", "sqlalchemy.dialects.sqlite.aiosqlite", "aiosqlite"):
        importlib.import_module(module)
    data_dir = Path(sys.argv[1])
    children: list[int] = []
    for line in sys.stdin:
        if line.strip() == "wait":
            for child in children:
                os.waitpid(child, 0)
            children.clear()
            say("done")
            continue
        _, kind, label, count = line.split()
        child = os.fork()
        if child == 0:
            asyncio.run(write(data_dir, kind, label, int(count)))
            os._exit(0)
        children.append(child)
        say(f"pid {label} {child}")


if __name__ == "__main__":
    main()
