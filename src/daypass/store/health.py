# SPDX-License-Identifier: Apache-2.0
"""Whether the database can be read now, and what it says of the state file; for readiness checks, from any thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from daypass.store import sqlite

BUSY_SECONDS = 1.0
"""A check is asked again soon; it does not wait as long as a request would."""


def readable(url: str | None, data_dir: Path) -> bool:
    """Open the database that ``Store.open`` would, read one row of its schema, and close it again."""
    return _ask("SELECT version_num FROM alembic_version", url, data_dir) is not None


def state_problem(url: str | None, data_dir: Path) -> str | None:
    """Why the state file as it stands was refused; None where it was not, or nobody can say."""
    row = _ask("SELECT problem FROM state_file", url, data_dir)
    return row[0] if row else None


def _ask(query: str, url: str | None, data_dir: Path) -> tuple[Any, ...] | None:
    """The first row of an answer, empty without one; None when the database cannot be read."""
    path = sqlite.locate(url, data_dir)
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        ) as connection:
            found: tuple[Any, ...] | None = connection.execute(query).fetchone()
    except sqlite3.Error:
        return None
    return found or ()
