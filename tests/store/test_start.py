# SPDX-License-Identifier: Apache-2.0
"""What a start costs: nothing that only writing or migrating needs, and little for a large store."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from daypass.store import Store, migrate

ACCOUNT = "123456789012"
MANY = 100_000
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:'
    'oidc-provider/issuer.example"},"Action":"sts:AssumeRoleWithWebIdentity"}]}'
)

REOPEN = """
import asyncio, pathlib, sys
from daypass.store import Store

async def main():
    store = await Store.open(None, pathlib.Path(sys.argv[1]))
    store.view().accounts.of("")
    await store.close()

asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"sqlalchemy", "alembic", "aiosqlite"}))
"""


def test_reading_imports_neither_sqlalchemy_nor_alembic(data_dir: Path, run_python: Callable[[str, Path], str]) -> None:
    migrate(data_dir / "daypass.db")
    assert run_python(REOPEN, data_dir).strip() == "[]"


def fill(path: Path) -> None:
    """100,000 roles and as many users, each with a tag and an inline policy."""
    tags, policies = ((f'[["team","{n}"]]' for n in range(MANY)), json.dumps([["p", TRUST]]))
    rows = [(f"{n:017d}", f"Name{n}", f"name{n}", tag) for n, tag in enumerate(tags)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO account VALUES (?, 1)", (ACCOUNT,))
        connection.executemany(
            "INSERT INTO role (account, path, name, folded_name, unique_id, max_session_duration, trust_policy,"
            " trust_principals, created_at, tags, inline_policies, attached_policies)"
            " VALUES (?, '/', ?, ?, ?, 3600, ?, '[]', 1, ?, ?, '[]')",
            ((ACCOUNT, name, folded, f"AROA{n}", TRUST, tag, policies) for n, name, folded, tag in rows),
        )
        connection.executemany(
            "INSERT INTO iam_user (account, path, name, folded_name, unique_id, created_at, tags, inline_policies,"
            " attached_policies, groups) VALUES (?, '/', ?, ?, ?, 1, ?, ?, '[]', '[]')",
            ((ACCOUNT, name, folded, f"AIDA{n}", tag, policies) for n, name, folded, tag in rows),
        )
        connection.commit()


async def test_100_000_roles_and_as_many_users_are_read_quickly(data_dir: Path) -> None:
    migrate(data_dir / "daypass.db")
    fill(data_dir / "daypass.db")
    start = time.process_time()  # not the clock on the wall: other tests run beside this one
    store = await Store.open(None, data_dir)
    spent = time.process_time() - start
    view, name = store.view(), f"Name{MANY - 1}"
    for last in (view.roles.with_name(ACCOUNT, name), view.users.with_name(ACCOUNT, name)):
        assert last is not None
        assert (last.tags, last.inline_policies) == ((("team", str(MANY - 1)),), (("p", TRUST),))
    assert next(view.roles.of(ACCOUNT).after("Name50000")).name == "Name50001"
    await store.close()
    assert spent < 4  # seconds; the bound is there to catch what grows faster than the store
