# SPDX-License-Identifier: Apache-2.0
"""
Where the statements of a document stand in its text (IAM API, SimulateCustomPolicy: StartPosition, EndPosition).

Lines and columns count characters from 1. A statement ends just behind its closing brace. It starts just behind the token
before it: its own opening brace when Statement is one object, the opening bracket for the first of a list (both seen in
AWS's examples), and the end of the statement before for the others (ours).
"""

from __future__ import annotations

import functools
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:]', re.DOTALL)
_NEW_LINES = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two characters, by what stands behind it."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where a statement stands."""

    start: Position
    end: Position


@functools.lru_cache(maxsize=64)
def statement_spans(text: str) -> tuple[Span, ...]:
    """The span of every statement, in the order of the document. ``text`` is one that ``compile_policy`` accepted."""
    lines = [0, *(match.end() for match in _NEW_LINES.finditer(text))]
    return tuple(Span(_position(lines, start), _position(lines, end)) for start, end in _offsets(text))


def _position(lines: list[int], offset: int) -> Position:
    line = bisect_right(lines, offset)
    return Position(line, offset - lines[line - 1] + 1)


def _offsets(text: str) -> Iterator[tuple[int, int]]:
    """Start and end offsets of the statements: objects at the first level below the value of Statement."""
    start, depth, listed, inside = 0, 0, False, False
    before = ""
    for match in _TOKENS.finditer(text):
        sign = match.group()
        if not inside:
            # At depth 1 the only strings before a colon are the names of the document's elements.
            inside = sign == ":" and depth == 1 and before.startswith('"') and json.loads(before) == "Statement"
        elif depth == 1 and sign in "[{":
            start, listed = match.end(), sign == "["
        elif sign == "}" and depth == (3 if listed else 2):
            yield start, match.end()
            start = match.end()
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign, 0)
        if inside and depth == 1 and sign in "]}":
            return
        before = sign
