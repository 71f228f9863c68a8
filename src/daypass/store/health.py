# SPDX-License-Identifier: Apache-2.0
"""Whether the database can be read at this moment; for readiness checks, from any thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from daypass.store import sqlite

BUSY_SECONDS = 1.0
"""A check is asked again soon; it does not wait as long as a request would."""


def readable(url: str | None, data_dir: Path) -> bool:
    """Open the database that ``Store.open`` would, read one row of its schema, and close it again."""
    path = sqlite.locate(url, data_dir)
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        ) as connection:
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return False
    return True
