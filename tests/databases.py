# SPDX-License-Identifier: Apache-2.0
"""
Databases for tests, made once by the migrations and copied from then on: making one takes a tenth of a second, and some
thousands of tests want one of their own. What a copy is opened with is the real thing.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from daypass.store import sqlite
from daypass.store.migrate import migrate


def place(path: Path) -> None:
    """A database at head under this name, with nothing in it, unless there is a file. Raises what ``migrate`` raises."""
    if not path.exists():
        sqlite.prepare(path)
        path.write_bytes(_empty())


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        migrate(path)
        return path.read_bytes()
