# SPDX-License-Identifier: Apache-2.0
"""
Which table and index a PartiQL statement is about (DynamoDB Developer Guide, "PartiQL - a SQL-compatible query language").

    SELECT ... FROM "table"."index" WHERE ...     INSERT INTO "table" VALUE {...}
    UPDATE "table" SET ... WHERE ...              DELETE FROM "table" WHERE ...

Only as much is read as is needed to be sure: the statement is cut into words, quoted names, texts and signs, and everything
that readers may cut differently (comments, back quotes, backslashes, a text that does not end) is refused, as is a second
statement, a nested one, and a list of tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from daypass.errors import Reason, RequestError

MAX_STATEMENT: Final = 8192
"""Characters of a statement: DynamoDB's own limit."""

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|'')*')|(?P<name>"[^"\\]+")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign><<|>>|[-+*/<>=!?.,:;()\[\]{}|&%]))""",
    re.ASCII,
)
_SPACES: Final = str.maketrans("\t\r\n", "   ")
_ACTIONS: Final = {
    "SELECT": "PartiQLSelect",
    "INSERT": "PartiQLInsert",
    "UPDATE": "PartiQLUpdate",
    "DELETE": "PartiQLDelete",
}
_FOLLOWERS: Final = {
    "SELECT": ("WHERE", "ORDER", ""),
    "INSERT": ("VALUE",),
    "UPDATE": ("SET", "REMOVE"),
    "DELETE": ("WHERE",),
}
_ONCE: Final = frozenset({*_ACTIONS, "FROM", "INTO", "EXISTS", "JOIN", "UNPIVOT", "UNION", "WITH"})


class StatementTarget(msgspec.Struct, frozen=True):
    """The IAM action of a statement, its table, and its index where it names one."""

    action: str
    table: str
    index: str | None


def read_statement(statement: str) -> StatementTarget:
    """What a statement is about. Raises RequestError (UNSUPPORTED_OPERATION) for one that is not plainly of the four forms."""
    tokens = _tokens(statement)
    verb = _word(tokens, 0)
    if verb not in _ACTIONS:
        raise _unclear()
    words = [word for index in range(1, len(tokens)) if (word := _word(tokens, index)) in _ONCE]
    lead = {"SELECT": ["FROM"], "INSERT": ["INTO"], "UPDATE": [], "DELETE": ["FROM"]}[verb]
    if words != lead or any(kind == "sign" and text == ";" for kind, text in tokens):
        raise _unclear()
    place = 1
    if lead:
        place = next(index for index in range(1, len(tokens)) if _word(tokens, index) == lead[0]) + 1
        if verb != "SELECT" and place != 2:
            raise _unclear()
    table, place = _name(tokens, place), place + 1
    index_name = None
    if place < len(tokens) and tokens[place] == ("sign", "."):
        index_name, place = _name(tokens, place + 1), place + 2
    if _word(tokens, place) not in _FOLLOWERS[verb] or (place < len(tokens) and tokens[place][0] != "word"):
        raise _unclear()
    if index_name is not None and verb != "SELECT":
        raise _unclear()
    return StatementTarget(_ACTIONS[verb], table, index_name)


def _tokens(statement: str) -> Sequence[tuple[str, str]]:
    if len(statement) > MAX_STATEMENT or not statement.translate(_SPACES).isprintable():
        raise _unclear()
    tokens: list[tuple[str, str]] = []
    place, end = 0, len(statement.rstrip())
    while place < end:
        match = _TOKEN.match(statement, place, end)
        if match is None:
            raise _unclear()
        kind = match.lastgroup or ""
        tokens.append((kind, match.group(kind)))
        place = match.end()
    for first, second in pairwise(tokens):
        if (first, second) in _COMMENTS:
            raise _unclear()
    return tokens


_COMMENTS: Final = frozenset({(("sign", "-"), ("sign", "-")), (("sign", "/"), ("sign", "*"))})


def _word(tokens: Sequence[tuple[str, str]], index: int) -> str:
    """The word at a place, in capitals; empty where there is none or nothing."""
    return tokens[index][1].upper() if index < len(tokens) and tokens[index][0] == "word" else ""


def _name(tokens: Sequence[tuple[str, str]], index: int) -> str:
    """The name of a table or index at a place, with or without quotation marks."""
    kind, text = tokens[index] if index < len(tokens) else ("", "")
    if kind == "word":
        return text
    if kind != "name":
        raise _unclear()
    return text[1:-1]


def _unclear() -> RequestError:
    return RequestError(
        Reason.UNSUPPORTED_OPERATION,
        "Which table the PartiQL statement is about cannot be told; it must be one plain SELECT, INSERT, UPDATE or DELETE.",
    )
