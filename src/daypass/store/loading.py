# SPDX-License-Identifier: Apache-2.0
"""
From rows to the view, and from the change log to the next view.

Plain SQL over an open cursor: this is what runs at start and after every change, and SQLAlchemy's import alone would
take longer than reading a small store. The statements are constants; keys are only ever bound. The caller holds a read
transaction, so that the log and the rows belong together.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from daypass.store.kinds import KINDS
from daypass.store.records import ManagedPolicy
from daypass.store.view import Changes, View

_LOG_BOUNDS: Final = "SELECT (SELECT min(revision) FROM change), (SELECT max(revision) FROM change)"
_LOG_AFTER: Final = "SELECT DISTINCT kind, key FROM change WHERE revision > ?"


class Contents(NamedTuple):
    """
    What views have in them: all kinds of records, or ``only`` these (for a process that looks at nothing else); and the
    managed policies that are ``provided``, in no table because they come with the service.
    """

    provided: Sequence[ManagedPolicy] = ()
    only: frozenset[str] = frozenset(KINDS)


EVERYTHING: Final = Contents()


def load(cursor: sqlite3.Cursor, contents: Contents = EVERYTHING) -> View:
    """Everything, from nothing.

    The garbage collector rests meanwhile: all of this stays, and looking through it again and again as it grows would
    take as long as reading it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(cursor, contents)
    finally:
        if collecting:
            gc.enable()


def _load(cursor: sqlite3.Cursor, contents: Contents) -> View:
    _, newest = cursor.execute(_LOG_BOUNDS).fetchone()
    rows = {name: cursor.execute(kind.select).fetchall() for name, kind in KINDS.items() if name in contents.only}
    return View.of_rows(newest or 0, rows, contents.provided)


def catch_up(cursor: sqlite3.Cursor, view: View, contents: Contents = EVERYTHING) -> View:
    """The view after what the change log has beyond it; the same object when there is nothing.

    Everything is read again when the log cannot tell: it was trimmed past this view, or ends before it (another file
    was put in the place of this one).
    """
    oldest, newest = cursor.execute(_LOG_BOUNDS).fetchone()
    if (newest or 0) == view.revision:
        return view
    if newest is None or newest < view.revision or oldest > view.revision + 1:
        return load(cursor, contents)
    changes: Changes = {}
    for name, key in cursor.execute(_LOG_AFTER, (view.revision,)).fetchall():
        kind = KINDS.get(name)
        if kind is None or name not in contents.only:
            continue  # not looked at; or it belongs to a newer daypass at work on the same file
        row = cursor.execute(kind.select_one, kind.identity(key)).fetchone()
        changes.setdefault(name, {})[key] = None if row is None else kind.read(row)
    return view.changed(newest, changes)
