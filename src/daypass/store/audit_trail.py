# SPDX-License-Identifier: Apache-2.0
"""
The audit trail in the database: blocks of records, each chained to the one before. In no view, and nothing is decided by it.

    Transaction.append_audit_block -- chain, insert, trim --> audit_block -- newest_first, oldest_first --> lines -- verify

A row holds many records, one a line as JSON, deflated; ``digest`` is the SHA-256 of the digest before and the content. So
nothing in the middle can be changed, removed or put in without every later digest being another: whoever has kept one digest
elsewhere sees it. What a record is, is ``daypass.audit``'s.
"""

from __future__ import annotations

import datetime
import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from daypass.errors import Reason, UnavailableError
from daypass.store import sqlite

FIRST: Final = bytes(32)
"""The digest before the first block."""

BLOCKS_READ: Final = 16
"""Blocks that are read in one query: no reader holds back a checkpoint for longer than that takes."""

BLOCKS_REMOVED: Final = 8
"""Blocks that are removed with one that is added, at most: what is kept shrinks, and no writer waits."""

BLOCKS_ASKED: Final = 64
"""Newest blocks that are looked through for one whose commit was in doubt: other processes may have appended meanwhile."""

_TEXT_BYTES: Final = 1 << 28
"""Bytes to which a block may unpack: far more than any that was written."""


class Block(msgspec.Struct, frozen=True):
    """Records to be written. ``begun_at``, ``ended_at``: the seconds of the first and the last; ``content``: deflated."""

    begun_at: int
    ended_at: int
    records: int
    content: bytes


class Keep(msgspec.Struct, frozen=True):
    """What is kept: blocks that ended within so many days, and the newest of them that have so many bytes together."""

    days: int = 90
    bytes: int = 1 << 30


class StoredBlock(msgspec.Struct, frozen=True):
    """
    A row. ``bytes_before``: the bytes of all content that was ever written before it, so that what is kept is a subtraction.
    """

    number: int
    begun_at: int
    ended_at: int
    records: int
    bytes_before: int
    content: bytes
    previous: bytes
    digest: bytes

    def lines(self) -> list[bytes]:
        """The records, oldest first, as JSON. Raises ValueError for content that is none of ours."""
        opened = zlib.decompressobj()
        try:
            text = opened.decompress(self.content, _TEXT_BYTES)
        except zlib.error as error:
            raise ValueError("the content of a block cannot be read") from error
        if not opened.eof or opened.unused_data:
            raise ValueError("the content of a block is cut, or something follows it")
        return text.splitlines()


COLUMNS: Final = StoredBlock.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM audit_block"  # noqa: S608 - constants of ours


def digest_of(previous: bytes, content: bytes) -> bytes:
    """The digest of a block that follows another."""
    return hashlib.sha256(previous + content).digest()


def newest_first(path: Path, *, since: float | None = None, until: float | None = None) -> Iterator[StoredBlock]:
    """
    The blocks of a database file that have records of a time, the newest first. What is written meanwhile is left out. Raises
    UnavailableError when the file cannot be read.
    """
    before = 1 << 62
    where = " WHERE number < ? AND number >= ? AND ended_at >= ? AND begun_at <= ? ORDER BY number DESC LIMIT ?"
    earliest, latest = -1 if since is None else int(since), 1 << 62 if until is None else int(until)
    first = _rows(path, "SELECT min(number) FROM audit_block WHERE ended_at >= ?", (earliest,))[0][0] or 0
    while found := _blocks(path, where, (before, first, earliest, latest, BLOCKS_READ)):
        yield from found
        before = found[-1].number


def oldest_first(path: Path, *, after: int = 0) -> Iterator[StoredBlock]:
    """The blocks that come after a number, the oldest first, up to what there is now. Raises UnavailableError."""
    while found := _blocks(path, " WHERE number > ? ORDER BY number LIMIT ?", (after, BLOCKS_READ)):
        yield from found
        after = found[-1].number


class Checked(msgspec.Struct, frozen=True):
    """
    What a walk along the chain found: how many blocks and records hold together, from which number to which, the digest of the
    last of them; and the number of the first block that does not fit, with why, or None.
    """

    blocks: int = 0
    records: int = 0
    first: int | None = None
    last: int | None = None
    digest: bytes | None = None
    broken: int | None = None
    why: str | None = None


def verify(path: Path, known: bytes | None = None) -> Checked:
    """
    Walk along the chain. ``known``: a digest that must be among those of the blocks. The oldest block may follow one that was
    removed for its age. Raises UnavailableError.
    """
    last_given = _last_number(path)  # before the walk: what is appended meanwhile may be met, and need not be
    found, before, seen = Checked(), None, known is None
    for block in oldest_first(path):
        why = _flaw(block, before)
        if why is not None:
            return msgspec.structs.replace(found, broken=block.number, why=why)
        seen = seen or block.digest == known
        first = block.number if found.first is None else found.first
        found = Checked(found.blocks + 1, found.records + block.records, first, block.number, block.digest)
        before = block
    last = found.last or 0
    if not seen:
        return msgspec.structs.replace(found, broken=last + 1, why="the digest that was given is in no block")
    if last < last_given:
        return msgspec.structs.replace(found, broken=last + 1, why="the newest blocks were removed")
    return found


def _flaw(block: StoredBlock, before: StoredBlock | None) -> str | None:
    """What is wrong with a block, if anything is."""
    if before is None and block.number == 1 and block.previous != FIRST:
        return "it is the first, and follows another"
    if before is not None and block.number != before.number + 1:
        return "the blocks before it are missing"
    if before is not None and block.previous != before.digest:
        return "it does not follow the block before it"
    if block.digest != digest_of(block.previous, block.content):
        return "its content is not what was written"
    try:
        lines = block.lines()
        if len(lines) != block.records:
            return "it has another number of records than it says"
        return None if _covers(block, lines) else "it has records of another time than it says"
    except ValueError as error:
        return str(error)


def _covers(block: StoredBlock, lines: list[bytes]) -> bool:
    """
    Whether the instants of a block, which are not in its digest, reach over all of its records: a search by time would pass
    over others. (They may reach further: over events of which no record could be made.) Raises ValueError.
    """
    try:
        instants = [
            datetime.datetime.fromisoformat(one.event_time).timestamp()
            for one in _times.decode_lines(b"\n".join(lines))
        ]
    except (msgspec.MsgspecError, ValueError):
        raise ValueError("it has a record that cannot be read") from None
    return not instants or (block.begun_at <= min(instants) and max(instants) <= block.ended_at)


class _Timed(msgspec.Struct, rename="camel"):
    """What is read of a record here."""

    event_time: str


_times: Final = msgspec.json.Decoder(_Timed)


def _last_number(path: Path) -> int:
    """The highest number that was ever given: SQLite remembers it (https://www.sqlite.org/autoinc.html)."""
    rows = _rows(path, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit_block'", ())
    return int(rows[0][0] or 0)


def _blocks(path: Path, where: str, values: tuple[object, ...]) -> list[StoredBlock]:
    return [StoredBlock(*row) for row in _rows(path, _SELECT + where, values)]


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[Any]:
    try:
        with closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return connection.execute(query, values).fetchall()
    except sqlite3.DatabaseError as error:
        raise UnavailableError(Reason.STORE_UNAVAILABLE, "The audit trail cannot be read.") from error
