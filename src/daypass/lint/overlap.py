# SPDX-License-Identifier: Apache-2.0
"""
Whether two patterns have a text in common, ``*`` being any run of characters and ``?`` exactly one.

A table's pattern may also have ``NAME``, a run without slashes: bucket names have none, which tells a bucket from an object.

One pattern becomes an automaton whose set of states is the bits of an integer, as in ``daypass.policy.match``; the other is
walked over it, a ``*`` of its reaching every later state. Time: the length of one, in machine words of the other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

NAME: Final = "\x1f"
"""In a table's pattern: any run of characters that are no slash."""
_RENAMED: Final = {"codestar-connections": "codeconnections"}
"""Services whose ARNs go by the old and the new name (Developer Tools console User Guide, "Connections rename")."""

_RUN = re.compile(r"\*+")
_ACCOUNT = re.compile(r"[0-9*?]*|aws")
_VARIABLE = re.compile(r"\$\{[^}]*+(?:\}|\Z)")  # to the end when it is not closed, so that no character is read twice


@lru_cache(maxsize=2048)
def _automaton(pattern: str) -> tuple[int, int, int, dict[str, int], int]:
    """The masks of ``?``, of loops, of loops without slashes, of each character, and the number of the last state."""
    one = loops = names = length = 0
    literal: dict[str, int] = {}
    for character in pattern:
        if character == "*":
            loops |= 1 << length
            continue
        if character == NAME:
            names |= 1 << length
            continue
        if character == "?":
            one |= 1 << length
        else:
            literal[character] = literal.get(character, 0) | 1 << length
        length += 1
    return one, loops, names, literal, length


def overlap(walked: str, pattern: str) -> bool:
    """Whether some text fits both patterns."""
    one, anything, names, literal, length = _automaton(pattern)
    everything = (2 << length) - 1
    states = 1
    for character in _RUN.sub("*", walked):
        loops = anything if character == "/" else anything | names
        if character == "*":
            states = everything & -(states & -states)  # the lowest state and all that come after it
        elif character == "?":
            states = (states << 1) & everything | (states & loops)
        else:
            states = (states & (one | literal.get(character, 0))) << 1 | (states & loops)
        if not states:
            return False
    return bool(states >> length & 1)


def arns_overlap(written: str, table: str) -> bool:
    """
    Whether a document's ARN pattern, of six fields, may mean a resource of the table's pattern.

    Field by field, the first five without regard to case; a variable is any text. A ``*`` at the end of the region may go on
    over colons: where the field behind it is no account, the rest is compared as one.
    """
    fields = _VARIABLE.sub("*", written).split(":", 5)
    if len(fields) < 6:
        return True  # a colon of the six stood in a variable
    mine, theirs = [_RENAMED.get(field.lower(), field.lower()) for field in fields[:5]], _fields(table)
    if not all(map(_field_overlaps, mine[:3], theirs)):
        return False
    if _field_overlaps(mine[3], theirs[3]) and _field_overlaps(mine[4], theirs[4]) and overlap(fields[5], theirs[5]):
        return True
    crosses = mine[3].endswith("*") and _ACCOUNT.fullmatch(mine[4]) is None
    return crosses and overlap(":".join([*mine[3:], fields[5]]), _rest(table))


@lru_cache(maxsize=4096)
def _fields(table: str) -> tuple[str, ...]:
    return tuple(_RENAMED.get(field, field) for field in table.split(":", 5))


@lru_cache(maxsize=4096)
def _rest(table: str) -> str:
    return table.split(":", 3)[3]


def _field_overlaps(one: str, other: str) -> bool:
    return one == other or overlap(one, other)
