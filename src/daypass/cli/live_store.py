# SPDX-License-Identifier: Apache-2.0
"""
The live store, for commands that work on it beside a server that may be running.

A database that is not there is not made, and one of another version is not migrated: both are for ``daypass serve``. What
is committed here counts for a running server from its next request on.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from daypass.clock import system_clock
from daypass.errors import ConfigurationError, Reason
from daypass.iam.provided import load_provided
from daypass.sealing import MasterKey
from daypass.server.bootstrap import MASTER_KEY_FILE, find_master_key
from daypass.server.settings import Settings, load_settings
from daypass.sessions.ring import ring_keys
from daypass.store import Store, View, sqlite
from daypass.store.migrate import HEAD, stored_revision


def store_settings(data_dir: Path | None, database_url: str | None) -> Settings:
    """The settings of ``daypass serve``, with these flags. Raises ConfigurationError."""
    return load_settings({"data_dir": data_dir, "database_url": database_url}, os.environ)


def check_database(settings: Settings) -> Path:
    """The file of the database. Raises ConfigurationError unless it is there and of this version."""
    path = sqlite.locate(settings.database_url, settings.data_dir)
    if not path.exists():
        message = f"--data-dir: there is no database at {str(path)!r}; daypass serve makes one"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
    try:
        if stored_revision(path) != HEAD:
            message = f"{str(path)!r} is of another version; daypass serve brings it up to date"
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
    except sqlite3.DatabaseError as error:
        raise sqlite.cannot_open(path, str(error)) from error
    return path


@asynccontextmanager
async def live_store(settings: Settings) -> AsyncIterator[Store]:
    """The store, to read and to write. Raises ConfigurationError as ``check_database`` does."""
    check_database(settings)
    store = await Store.open(settings.database_url, settings.data_dir, system_clock, load_provided(settings.data_dir))
    try:
        yield store
    finally:
        await store.close()


def stored_master_key(settings: Settings, view: View) -> MasterKey:
    """The master key that this store was made with. Raises ConfigurationError when it is absent or another; makes none."""
    master = find_master_key(settings)
    if master is None:
        path = settings.data_dir / MASTER_KEY_FILE
        message = f"there is no master key at {str(path)!r}; expected the key that the database was made with"
        raise ConfigurationError(Reason.MASTER_KEY_INVALID, message)
    ring_keys(master, view)
    return master
