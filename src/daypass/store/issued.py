# SPDX-License-Identifier: Apache-2.0
"""
The log of issued sessions: which there are, for whoever wants to list or to end one. In no view, and nothing is decided by it.

    Transaction.log_sessions -- append, trim --> issued_session -- issued_sessions --> the newest first

A session is good without its row and ends without it: rows are written later, the newest 100,000 are kept, and what has
expired is removed. So no row is ever waited for, and none is missed by anything but a list.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from daypass.errors import Reason, UnavailableError
from daypass.store import sqlite

ROWS_KEPT: Final = 100_000
"""Some 50 MB on the disk. A service that issues more than this in the life of a session lists its newest."""


class IssuedSession(msgspec.Struct, frozen=True):
    """
    What is known of a session that was issued: never its secret or its token. Instants are whole seconds since the epoch.

    ``sealed_by`` is the id of the sealing key, in hexadecimal; ``parents`` the ids of the sessions and roles before it in
    its chain, with spaces between; the other fields are those of ``daypass.sessions.Session``.
    """

    access_key_id: str
    account: str
    kind: str
    principal_arn: str
    role_id: str
    user_id: str
    key_id: str
    session_name: str
    provider_arn: str | None
    subject: str | None
    origin_provider: str | None
    origin_subject: str | None
    source_identity: str | None
    parents: str
    sealed_by: str
    source_ip: str | None
    issued_at: int
    expires_at: int


COLUMNS: Final = IssuedSession.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM issued_session"  # noqa: S608 - constants of ours
_ROW: Final = f"({', '.join('?' * len(COLUMNS))})"

ROWS_IN_A_STATEMENT: Final = 512
"""
A power of two. The driver lets go of the interpreter for each statement, and a busy event loop gives it back up to 5 ms later:
2,048 rows take a tenth of a second in statements of 256, and more than two seconds in statements of one (``executemany``),
for which everybody else who writes would wait. SQLite takes 32,766 values in one.
"""


def insertions(issued: Sequence[IssuedSession]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """
    Statements that insert these rows in their order, each with its values; a row that is there already is left alone. Few
    different ones, so that the driver remembers them: each has as many rows as the greatest power of two that is left.
    """
    begun = 0
    while begun < len(issued):
        rows = 1 << min(len(issued) - begun, ROWS_IN_A_STATEMENT).bit_length() - 1
        values = chain.from_iterable([msgspec.structs.astuple(row) for row in issued[begun : begun + rows]])
        yield _insertion(rows), tuple(values)
        begun += rows


@functools.lru_cache
def _insertion(rows: int) -> str:
    columns, values = ", ".join(COLUMNS), ", ".join([_ROW] * rows)
    return f"INSERT INTO issued_session ({columns}) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608 - as above


def issued_sessions(
    path: Path, *, live_at: int | None = None, limit: int | None = None, **equal: str
) -> list[IssuedSession]:
    """
    The sessions in the log of a database file, the newest first.

    ``live_at``: only those that had not expired then. ``equal``: only those with these values, by name of the field.
    Raises UnavailableError when the file cannot be read.
    """
    where, values = _where(live_at, equal)
    query = f"{_SELECT}{where} ORDER BY number DESC LIMIT ?"
    return [IssuedSession(*row) for row in _rows(path, query, (*values, -1 if limit is None else limit))]


def count_issued(path: Path, *, live_at: int, **equal: str) -> int:
    """How many ``issued_sessions`` would be found. Raises UnavailableError when the file cannot be read."""
    where, values = _where(live_at, equal)
    return int(_rows(path, f"SELECT count(*) FROM issued_session{where}", values)[0][0])  # noqa: S608


def _where(live_at: int | None, equal: Mapping[str, str]) -> tuple[str, tuple[object, ...]]:
    unknown = equal.keys() - set(COLUMNS)
    if unknown:
        raise TypeError(f"no such field of a session: {sorted(unknown)}")
    terms = [f"{name} = ?" for name in equal]
    values: list[object] = [*equal.values()]
    if live_at is not None:
        terms.append("expires_at > ?")
        values.append(live_at)
    return (f" WHERE {' AND '.join(terms)}" if terms else ""), tuple(values)


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[Any]:
    try:
        with closing(sqlite.connect(path, sqlite.WRITER_PATIENCE)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return connection.execute(query, values).fetchall()
    except sqlite3.DatabaseError as error:
        raise UnavailableError(Reason.STORE_UNAVAILABLE, "The log of issued sessions cannot be read.") from error
