# SPDX-License-Identifier: Apache-2.0
"""
The reading side: a view that is current, at the price of one PRAGMA.

    view() -- PRAGMA data_version --> unchanged: the view there is
                                  --> changed:   the change log --> the entities it names --> the next view
                                  --> an error:  the view there is, ``stale_since`` is set, tried again a little later

``data_version`` changes when any other connection, of this process or another, has committed
(https://www.sqlite.org/pragma.html#pragma_data_version), so what one process has acknowledged every other sees.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from daypass.clock import Clock
from daypass.store import loading, sqlite
from daypass.store.view import View

RETRY_AFTER: Final = 0.25
"""Seconds between two attempts to read a database that could not be read."""
READS_BETWEEN_FILE_CHECKS: Final = 64
"""Every so many reads, look whether the file is still the one that was opened. SQLite does not notice, and asking
costs two thirds of a read; what a removed file last said is right to go on answering with anyway."""

_DATA_VERSION: Final = "PRAGMA data_version"


class Reader:
    """Holds the newest view and the connection that tells whether it still is.

    Belongs to the thread that made it. Raises sqlite3.DatabaseError when made on a file that cannot be read; after
    that, no failure of the database gets out of it. ``contents`` is what is in every view.
    """

    def __init__(self, path: Path, clock: Clock, contents: loading.Contents = loading.EVERYTHING) -> None:
        self._path = path
        self._clock = clock
        self._contents = contents
        self._stale_since: float | None = None
        self._retry_at = 0.0
        self._reads = 0
        self._identity, self._connection, self._version, self._view = self._read_everything()
        self._execute = self._connection.cursor().execute

    def view(self) -> View:
        """The current view; or the last one there was, while the database cannot be read."""
        self._reads += 1
        if self._stale_since is not None or self._reads >= READS_BETWEEN_FILE_CHECKS:
            return self._checked()
        try:
            version = self._execute(_DATA_VERSION).fetchone()[0]
            if version != self._version:
                self._refresh(version)
        except sqlite3.DatabaseError as error:
            self._failed(error)
        return self._view

    @property
    def stale_since(self) -> float | None:
        """The instant since which the database could not be read, or None while views are current. Looks afresh."""
        self._checked()
        return self._stale_since

    def close(self) -> None:
        """Close the connection. The reader is of no use afterwards."""
        self._connection.close()

    def _checked(self) -> View:
        """A read that also looks whether the file is the one that is open, and opens it again where it must."""
        self._reads = 0
        if self._stale_since is not None and self._clock() < self._retry_at:
            return self._view
        try:
            if sqlite.identity(self._path) != self._identity or not self._caught_up():
                self._reopen()
            self._stale_since = None
        except sqlite3.DatabaseError as error:
            self._failed(error)
        return self._view

    def _caught_up(self) -> bool:
        """Whether the connection there is could tell what changed."""
        try:
            self._refresh(self._execute(_DATA_VERSION).fetchone()[0])
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError:
            return False
        return True

    def _reopen(self) -> None:
        """Connect and load again; a failure leaves everything as it was."""
        before = self._connection
        self._identity, self._connection, self._version, self._view = self._read_everything()
        self._execute = self._connection.cursor().execute
        before.close()

    def _read_everything(self) -> tuple[sqlite.FileIdentity | None, sqlite3.Connection, int, View]:
        identity = sqlite.identity(self._path)
        connection = sqlite.connect_reader(self._path)
        try:
            cursor = connection.cursor()
            version: int = cursor.execute(_DATA_VERSION).fetchone()[0]
            cursor.execute("BEGIN")
            view = loading.load(cursor, self._contents)
            cursor.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return identity, connection, version, view

    def _refresh(self, version: int) -> None:
        """Catch up with the change log. ``version`` was read before: a commit in between is found by the next read."""
        if version == self._version:
            return
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        try:
            self._view = loading.catch_up(cursor, self._view, self._contents)
        finally:
            self._connection.rollback()
        self._version = version

    def _failed(self, error: sqlite3.DatabaseError) -> None:
        """Go on with the view there is. A wrong call is a fault of ours, and not to be taken for a broken disk."""
        if isinstance(error, sqlite3.ProgrammingError):
            raise error
        now = self._clock()
        self._retry_at = now + RETRY_AFTER
        if self._stale_since is None:
            self._stale_since = now
