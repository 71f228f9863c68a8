# SPDX-License-Identifier: Apache-2.0
"""
The store of one process: a view to read, a transaction to write.

    Store.open -- migrate, if need be --> load --> view()         synchronous, from memory
                                               --> transaction()  one at a time, on the disk when it ends

Reading waits for nothing and survives the loss of the database. SQLAlchemy is imported by the first transaction, in a
thread: a process that only reads never pays for it.
"""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daypass.clock import Clock, system_clock
from daypass.errors import Reason, UnavailableError
from daypass.store import sqlite
from daypass.store.kinds import KINDS
from daypass.store.loading import Contents
from daypass.store.migrate import migrate
from daypass.store.reader import Reader
from daypass.store.records import ManagedPolicy
from daypass.store.view import View

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from daypass.store.transaction import Transaction

_WRITING: Final = "daypass.store.transaction"
_DRIVER: Final = "sqlalchemy.dialects.sqlite.aiosqlite"


class Store:
    """What the service remembers. Belongs to one event loop of one process; each worker process opens its own."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        self._writer = asyncio.Lock()
        self._engine: AsyncEngine | None = None
        self._engine_file: sqlite.FileIdentity | None = None
        self._view: View | None = None

    @classmethod
    async def open(
        cls,
        url: str | None,
        data_dir: Path,
        clock: Clock = system_clock,
        provided: Sequence[ManagedPolicy] = (),
        only: frozenset[str] = frozenset(KINDS),
    ) -> Store:
        """Open the database, made or migrated first where it has to be, and load everything.

        ``url``: ``sqlite:///PATH``, or None for ``daypass.db`` in ``data_dir``. ``only``: the kinds of records that
        are read, for a process that looks at no others. ``provided``: managed policies of the
        account ``aws``, which every view has and no transaction can write. Raises ConfigurationError for another kind of
        database, a file that is none or is damaged, or one written by a newer daypass.
        """
        path = sqlite.locate(url, data_dir)
        migrate(path)
        try:
            return cls(path, Reader(path, clock, Contents(provided, only)))
        except sqlite3.DatabaseError as error:
            raise sqlite.cannot_open(path, str(error)) from error

    def view(self) -> View:
        """Everything as it is now. Call it once for each request, and look up in what it returns.

        Sees what any process on this machine has committed. While the database cannot be read, the last view there was
        keeps being returned, and ``stale_since`` says since when.
        """
        if self._view is not None:
            return self._view
        view = self._reader.view()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return view
        # INVARIANT: an answer is good for what the loop has queued already, and no longer. Whatever runs before the
        # callback below was queued before this moment, so a commit that it must see was acknowledged before too. What
        # is received later is queued behind the callback. A commit of our own forgets the answer at once.
        self._view = view
        loop.call_soon(self._forget_view)
        return view

    def _forget_view(self) -> None:
        self._view = None

    @property
    def stale_since(self) -> float | None:
        """The instant since which views are no longer known to be current, or None. For health checks."""
        return self._reader.stale_since

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction: committed, on the disk, when the block ends; rolled back when it raises.

        One at a time, so a transaction may not be opened within another, and waits for nothing but the database while
        it is open. Raises UnavailableError when the database cannot be written; EntityError from the calls on it. When
        the commit itself fails with UnavailableError, whether the write took place is unknown.
        """
        async with self._writer:
            writing = await _writing_module()
            engine = await self._current_engine()
            try:
                with writing.translated_errors():
                    async with engine.begin() as connection:
                        transaction: Transaction = writing.Transaction(connection, self._view_to_write())
                        yield transaction
                        await transaction.record_changes()
                self._refuse_lost_file()
            except UnavailableError:
                await self._dispose()
                raise
            finally:
                self._forget_view()

    def _view_to_write(self) -> View:
        """What the transaction that has just begun reads: nobody else can commit before it ends."""
        view = self._reader.view()
        if self._reader.stale_since is not None:
            raise UnavailableError(Reason.STORE_UNAVAILABLE, "The service cannot write at the moment; try again later.")
        return view

    async def close(self) -> None:
        """Close every connection."""
        async with self._writer:
            await self._dispose()
        self._reader.close()

    async def _current_engine(self) -> AsyncEngine:
        """The engine for the file that stands at the path now: it may have been replaced."""
        if self._engine is not None and self._engine_file == sqlite.identity(self._path):
            return self._engine
        await self._dispose()
        self._engine_file = sqlite.identity(self._path)
        self._engine = sqlite.writing_engine(self._path)
        return self._engine

    def _refuse_lost_file(self) -> None:
        """Not to acknowledge what was written to a file that nobody will find again."""
        if sqlite.identity(self._path) != self._engine_file:
            raise UnavailableError(Reason.STORE_UNAVAILABLE, "The service cannot write at the moment; try again later.")

    async def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()


async def _writing_module() -> Any:
    """``daypass.store.transaction``, imported in a thread the first time: the event loop has requests to answer."""
    if _WRITING not in sys.modules or _DRIVER not in sys.modules:
        await asyncio.to_thread(importlib.import_module, _DRIVER)
        await asyncio.to_thread(importlib.import_module, _WRITING)
    return sys.modules[_WRITING]
