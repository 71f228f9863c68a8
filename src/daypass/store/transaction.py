# SPDX-License-Identifier: Apache-2.0
"""
The writing side: what one transaction may read and write.

Records are written whole, in one call each. Reads within a transaction (``Transaction.view``) see what it has written,
and nothing can change between a read and a write: there is one writer at a time. Errors of the database come out as
EntityError (something in the way, something missing) or UnavailableError (out of reach for now).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as insert_unless_there
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from daypass.errors import EntityError, Reason, UnavailableError
from daypass.store import schema
from daypass.store.audit_trail import BLOCKS_ASKED, BLOCKS_REMOVED, FIRST, Block, Keep, digest_of
from daypass.store.issued import ROWS_KEPT, IssuedSession, insertions
from daypass.store.kinds import kind_of
from daypass.store.records import Record
from daypass.store.view import Changes, View

CHANGES_KEPT: Final = 4096
"""Length of the change log. A reader further behind reads everything, which then costs no more than catching up."""
TRIM_EVERY: Final = 256
"""The log is trimmed when a transaction crosses a multiple of this, so that most pay nothing for it."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the database's errors into ours. Anything that is neither a conflict nor an outage passes: it is a fault."""
    try:
        yield
    except IntegrityError as error:
        raise _conflict(error) from error
    except OperationalError as error:
        raise unavailable() from error
    except DBAPIError as error:
        # sqlite3 raises the family's own root for a file that is damaged or no database; its branches are faults.
        if type(error) is not sa.exc.DatabaseError:
            raise
        raise unavailable() from error


def unavailable() -> UnavailableError:
    """The error for a database that cannot be written now."""
    return UnavailableError(Reason.STORE_UNAVAILABLE, "The service cannot write at the moment; try again later.")


class Transaction:
    """An open transaction; made by ``Store.transaction`` only.

    After any call has raised, the transaction can only be rolled back: leaving the block normally is then an error.
    """

    def __init__(self, connection: AsyncConnection, view: View) -> None:
        self._connection = connection
        self._before = self._view = view
        self._changes: Changes = {}
        self._unseen: Changes = {}
        """Those that are not in ``_view`` yet."""
        self._broken = False

    @property
    def view(self) -> View:
        """Everything as this transaction would leave it, if it ended now."""
        if self._unseen:
            self._view, self._unseen = self._view.changed(self._before.revision, self._unseen), {}
        return self._view

    async def put(self, record: Record) -> None:
        """
        Insert a record, or replace the one of its identity.

        Raises EntityError when another record of the account has its name (for IAM's entities, without regard to case),
        when its unique id is that of one that was deleted, or when its account does not exist.
        """
        kind, table = kind_of(record), schema.tables[record.kind]
        values = kind.values(record)
        if self._known(record) is None:
            await self._execute(sa.insert(table), values)
            if record.permanent:
                await self._execute(sa.insert(schema.used_id), {"unique_id": record.key})
        else:
            result = await self._execute(sa.update(table).where(*_same(table, record)).values(values))
            if not result.rowcount:
                self._broken = True
                raise RuntimeError(f"what comes with the service is in no table: {record.kind} {record.key}")
        self._note(record, record)

    async def delete(self, record: Record) -> bool:
        """Delete the record of this identity, whose id is never used again. Returns whether there was one."""
        table = schema.tables[record.kind]
        result = await self._execute(sa.delete(table).where(*_same(table, record)))
        if not result.rowcount:
            return False
        self._note(record, None)
        return True

    async def log_sessions(self, issued: Sequence[IssuedSession]) -> None:
        """
        Append to the log of issued sessions (``daypass.store.issued``), and remove what is too much or has expired when the
        last of these was issued. One that is there already is left alone.
        """
        table = schema.issued_session
        for statement, values in insertions(issued):
            await self._execute_text(statement, values)
        oldest = sa.select(sa.func.max(table.c.number)).scalar_subquery() - ROWS_KEPT
        await self._execute(sa.delete(table).where(table.c.number <= oldest))
        await self._execute(sa.delete(table).where(table.c.expires_at <= issued[-1].issued_at))

    async def append_audit_block(self, block: Block, keep: Keep, *, again: bool = False) -> None:
        """
        Chain a block to the newest of the audit trail, and remove a few of the oldest that are not to be kept. Nobody else
        appends meanwhile: there is one writer at a time. ``again``: it may be there already, for a commit was in doubt.
        """
        table = schema.audit_block
        if again and await self._has_audit_block(block):
            return
        size = sa.func.length(table.c.content)
        newest = sa.select(table.c.digest, table.c.bytes_before + size).order_by(table.c.number.desc()).limit(1)
        last = (await self._execute(newest)).first()
        previous, before = (FIRST, 0) if last is None else last
        row = {**msgspec.structs.asdict(block), "bytes_before": before, "previous": previous}
        await self._execute(sa.insert(table), {**row, "digest": digest_of(previous, block.content)})
        # INVARIANT: what is removed has nothing before it. Blocks of several processes end in another order than they come in.
        kept = sa.and_(
            table.c.ended_at >= block.ended_at - keep.days * 86_400,
            sa.or_(table.c.bytes_before >= before + len(block.content) - keep.bytes, table.c.bytes_before == before),
        )
        first = sa.select(table.c.number).where(kept).order_by(table.c.number).limit(1).scalar_subquery()
        oldest = sa.select(table.c.number).order_by(table.c.number).limit(BLOCKS_REMOVED)
        await self._execute(sa.delete(table).where(table.c.number < first, table.c.number.in_(oldest)))

    async def _has_audit_block(self, block: Block) -> bool:
        """Whether it is among the newest: every record has an id of its own, so no two blocks have the same content."""
        table = schema.audit_block
        newest = sa.select(table.c.content).order_by(table.c.number.desc()).limit(BLOCKS_ASKED).subquery()
        found = sa.select(sa.func.count()).select_from(newest).where(newest.c.content == block.content)
        return bool((await self._execute(found)).scalar_one())

    async def spend(self, kind: str, key: str, *, until: int, now: float) -> None:
        """
        Use a one-time thing up: ``key`` among those of this ``kind``. Raises EntityError (ENTITY_ALREADY_EXISTS) when it was
        used before.

        It is remembered until the instant ``until``, from which nobody may take it any more; what ended before ``now`` is
        forgotten here. INVARIANT: whoever uses it answers only when the transaction has been committed.
        """
        table = schema.spent
        await self._execute(sa.delete(table).where(table.c.expires_at < int(now)))
        row = {"kind": kind, "key": key, "expires_at": until}
        result = await self._execute(insert_unless_there(table).on_conflict_do_nothing().values(row))
        if not result.rowcount:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, "This can be used once, and was used before.")

    async def record_changes(self) -> None:
        """Write the change log; the last thing before the commit. For ``Store.transaction``."""
        if self._broken:
            raise RuntimeError("a transaction in which a call has failed cannot be committed")
        changed = [{"kind": kind, "key": key} for kind, records in self._changes.items() for key in records]
        if not changed:
            return
        await self._execute(sa.insert(schema.change), changed)
        row: Sequence[Any] = (await self._execute(sa.select(sa.func.max(schema.change.c.revision)))).one()
        newest = int(row[0])
        if newest // TRIM_EVERY != (newest - len(changed)) // TRIM_EVERY:
            await self._execute(sa.delete(schema.change).where(schema.change.c.revision <= newest - CHANGES_KEPT))

    def _known(self, record: Record) -> Record | None:
        """What stands under the record's identity now."""
        written = self._changes.get(record.kind, {})
        if record.key in written:
            known: Record | None = written[record.key]
            return known
        before: Record | None = self._before.record(record)
        return before

    def _note(self, record: Record, now: Record | None) -> None:
        for changes in (self._changes, self._unseen):
            changes.setdefault(record.kind, {})[record.key] = now

    async def _execute(self, query: sa.Executable, values: Any = None) -> Any:
        """Run a statement; its cursor result."""
        with self._failing():
            return await self._connection.execute(query, values)

    async def _execute_text(self, statement: str, values: tuple[object, ...]) -> None:
        """Run a statement that is written in the database's own words: nothing is made of it or of its values on the way."""
        with self._failing():
            await self._connection.exec_driver_sql(statement, values)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Whatever goes wrong in here, the transaction can only be rolled back."""
        try:
            with translated_errors():
                yield
        except BaseException:
            self._broken = True
            raise


def _same(table: sa.Table, record: Record) -> list[sa.ColumnElement[bool]]:
    return [table.c[column] == getattr(record, column) for column in record.identity]


def _conflict(error: IntegrityError) -> EntityError:
    """Which constraint it was. SQLite names the kind (https://www.sqlite.org/rescode.html#extrc)."""
    name = getattr(error.orig, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return EntityError(Reason.NO_SUCH_ENTITY, "What this belongs to does not exist.")
    if name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
        return EntityError(Reason.ENTITY_ALREADY_EXISTS, "The name or id is taken.")
    raise error
