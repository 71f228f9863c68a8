# SPDX-License-Identifier: Apache-2.0
"""
What is SQLite's own: where the file is, how it is opened, and when it is no longer the file that was opened.

One file, ``daypass.db`` in the data directory, in WAL mode (readers and the writer do not wait for each other) with
``synchronous=FULL`` (a commit is on the disk before it is acknowledged). See https://www.sqlite.org/pragma.html for the
settings and https://www.sqlite.org/wal.html for what WAL promises.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daypass.errors import ConfigurationError, Reason

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

FILE_NAME: Final = "daypass.db"
WRITER_PATIENCE: Final = 5.0
"""Seconds that a writer waits for another process's transaction before it gives up."""
READER_PATIENCE: Final = 0.25
"""Seconds that a reader waits. It holds up the event loop, and the view it has will do meanwhile. In WAL mode readers
wait for nothing but the recovery of the log after a crash."""

_SETTINGS: Final = ("PRAGMA foreign_keys=ON", "PRAGMA synchronous=FULL")
_SCHEME: Final = "sqlite:///"

FileIdentity = tuple[int, int]
"""Device and inode: which file it is, whatever its name."""


def locate(url: str | None, data_dir: Path) -> Path:
    """The database file that a database URL names; without one, ``daypass.db`` in the data directory.

    ``sqlite:///relative/path.db`` or ``sqlite:////absolute/path.db``. Raises ConfigurationError for anything else,
    without quoting it: a database URL may hold a password.
    """
    if url is None:
        return (data_dir / FILE_NAME).absolute()
    path = url.removeprefix(_SCHEME)
    if path == url:
        raise _not_supported()
    if not path or "?" in path or "#" in path or "\0" in path or path.startswith(":"):
        raise _not_supported()
    return Path(path).absolute()


def prepare(path: Path) -> None:
    """Make the directory (mode 0700) and an empty file (mode 0600) if they are missing.

    SQLite gives the log files beside the database the mode of the database. A directory that exists keeps its mode: it
    may be a volume that is not ours to change. Raises ConfigurationError when the file cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise cannot_open(path, error.strerror or "the operating system refused") from error


def _create(path: Path) -> None:
    """Make an empty file, unless there is one.

    NOTE: a file that exists must not be opened and closed here. Closing any descriptor of a file gives up all of the
    process's POSIX locks on it (https://www.sqlite.org/howtocorrupt.html, 2.2), those of a connection included.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    os.close(descriptor)


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to a file that exists, in autocommit mode. Raises sqlite3.DatabaseError."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=patience, isolation_level=None)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that refuses to write. Raises sqlite3.DatabaseError."""
    connection = connect(path, READER_PATIENCE)
    connection.execute("PRAGMA query_only=ON")
    return connection


def writing_engine(path: Path) -> AsyncEngine:
    """SQLAlchemy's engine for the writes of this process: one connection, every transaction BEGIN IMMEDIATE.

    A transaction that began as a reader may find that another process wrote before it could; one that begins as a
    writer cannot, so what it read is still true when it writes.
    """
    from sqlalchemy import URL, Connection, event  # not at start: see daypass.store.store
    from sqlalchemy.ext.asyncio import create_async_engine

    # The file's URI is SQLite's own; SQLAlchemy passes on what stands in front of the query as it is.
    url = URL.create("sqlite+aiosqlite", database=path.as_uri(), query={"mode": "rw", "uri": "true"})
    connect_args = {"timeout": WRITER_PATIENCE, "isolation_level": None}
    engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args=connect_args)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        for setting in _SETTINGS:
            cursor.execute(setting)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def identity(path: Path) -> FileIdentity | None:
    """Which file stands at the path now, or None.

    SQLite goes on reading and writing a file that was removed or replaced under it; what is written there is lost.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def cannot_open(path: Path, why: str) -> ConfigurationError:
    """The error for a file that this process cannot start with."""
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"The database {str(path)!r} cannot be opened: {why}.")


def _not_supported() -> ConfigurationError:
    return ConfigurationError(
        Reason.CONFIGURATION_INVALID,
        "The database URL is not supported: expected sqlite:///PATH without options"
        " (four slashes for an absolute path).",
    )
