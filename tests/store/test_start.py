# SPDX-License-Identifier: Apache-2.0
"""What a start costs: nothing that only writing or migrating needs, and little for a large store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from daypass.store import Store, migrate

ACCOUNT = "123456789012"
ROLES = 100_000
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:'
    'oidc-provider/issuer.example"},"Action":"sts:AssumeRoleWithWebIdentity"}]}'
)

REOPEN = """
import asyncio, pathlib, sys
from daypass.store import Store

async def main():
    store = await Store.open(None, pathlib.Path(sys.argv[1]))
    store.view().accounts()
    await store.close()

asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"sqlalchemy", "alembic", "aiosqlite"}))
"""


def test_reading_imports_neither_sqlalchemy_nor_alembic(data_dir: Path, run_python: Callable[[str, Path], str]) -> None:
    migrate(data_dir / "daypass.db")
    assert run_python(REOPEN, data_dir).strip() == "[]"


async def test_100_000_roles_are_read_quickly(data_dir: Path) -> None:
    migrate(data_dir / "daypass.db")
    with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
        connection.execute("INSERT INTO account VALUES (?, 1)", (ACCOUNT,))
        connection.executemany(
            "INSERT INTO role VALUES (?, ?, '/', ?, ?, NULL, 3600, ?, '[]', 1)",
            ((f"AROA{n:017d}", ACCOUNT, f"Role{n}", f"role{n}", TRUST) for n in range(ROLES)),
        )
        connection.executemany(
            "INSERT INTO role_tag VALUES (?, 0, 'team', ?)", ((f"AROA{n:017d}", str(n)) for n in range(ROLES))
        )
        connection.executemany(
            "INSERT INTO role_inline_policy VALUES (?, 0, 'p', ?)", ((f"AROA{n:017d}", TRUST) for n in range(ROLES))
        )
        connection.commit()
    start = time.process_time()  # not the clock on the wall: other tests run beside this one
    store = await Store.open(None, data_dir)
    spent = time.process_time() - start
    last = store.view().role(ACCOUNT, f"Role{ROLES - 1}")
    page = store.view().roles(ACCOUNT).after("Role50000")
    assert last is not None
    assert (last.tags, last.inline_policies) == ((("team", str(ROLES - 1)),), (("p", TRUST),))
    assert next(page).name == "Role50001"
    await store.close()
    assert spent < 4  # seconds; the bound is there to catch what grows faster than the store
