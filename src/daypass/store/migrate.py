# SPDX-License-Identifier: Apache-2.0
"""
Bringing the database file to the tables of this version.

    migrate(path) -- stored revision is HEAD --> nothing to do (Alembic is not even imported)
                  -- no file, or an older one --> lock --> copy aside --> Alembic, in one transaction
                  -- newer, damaged, foreign --> ConfigurationError

The parent process calls this once before its workers start; workers then find the file at head. Two that start at the
same moment take turns (a lock on the directory), and a migration killed halfway leaves the file as it was.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daypass.errors import Reason, UnavailableError
from daypass.store import sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD: Final = "0007"
"""The newest revision among the migrations; a test compares."""
SCRIPTS: Final = Path(__file__).parent / "migrations"

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"


def migrate(path: Path, scripts: Path = SCRIPTS, head: str = HEAD) -> None:
    """Make the database, or bring it to ``head``, the newest revision in the directory ``scripts``.

    Idempotent. A file of an older revision is first copied to ``NAME.REVISION.bak`` beside it. Raises
    ConfigurationError for a file that cannot be opened, is damaged or no database of ours, or comes from a newer
    daypass; UnavailableError when another process holds it for too long.
    """
    try:
        sqlite.prepare(path)
        if stored_revision(path) == head and _in_wal_mode(path):
            return
        with _turn(path):
            _bring_to_head(path, scripts, head)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise UnavailableError(Reason.STORE_UNAVAILABLE, "The database is in use; try again later.") from error
        raise sqlite.cannot_open(path, str(error)) from error


def stored_revision(path: Path) -> str | None:
    """The revision of a file's tables, or None when it has none at all. Raises sqlite3.DatabaseError.

    Raises ConfigurationError for a file with tables that are not ours.
    """
    with closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as connection:
        tables = {name for (name,) in connection.execute(_TABLES)}
        if not tables:
            return None
        row = None
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row is None:
            raise sqlite.cannot_open(path, "it is not a database of daypass")
        return str(row[0])


def _in_wal_mode(path: Path) -> bool:
    """The mode is kept in the file, but a copy (``VACUUM INTO``, the one put aside before a migration) may lack it."""
    with closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as connection:
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return mode == "wal"


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Hold the lock on the directory: SQLite's own cannot make one of two processes wait while WAL is switched on."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bring_to_head(path: Path, scripts: Path, head: str) -> None:
    before = stored_revision(path)
    if before != head:
        _refuse_unknown_revision(path, before, scripts)
    with closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    if before == head:
        return
    with _exclusive(path) as connection:
        if before is not None:
            _copy_aside(path, path.with_name(f"{path.name}.{before}.bak"))
        _run_alembic(connection, scripts)


def _refuse_unknown_revision(path: Path, revision: str | None, scripts: Path) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}
    if revision is not None and revision not in known:
        raise sqlite.cannot_open(path, "it was written by a newer version of daypass")


@contextmanager
def _exclusive(path: Path) -> Iterator[Connection]:
    """SQLAlchemy's connection in one transaction that nobody else can write beside; committed at the end."""
    import sqlalchemy as sa

    engine = sa.create_engine(
        "sqlite+pysqlite://", creator=lambda: sqlite.connect(path, sqlite.WRITER_PATIENCE), poolclass=sa.NullPool
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise


def _copy_aside(path: Path, copy: Path) -> None:
    """A complete copy of the file as it is, under its name only once it is complete (mode 0600)."""
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as source,
        closing(sqlite.connect(unfinished, sqlite.WRITER_PATIENCE)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    unfinished.replace(copy)


def _run_alembic(connection: Connection, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
