# SPDX-License-Identifier: Apache-2.0
"""
Whether two patterns have a text in common, ``*`` being any run of characters and ``?`` exactly one.

One pattern becomes an automaton whose set of states is the bits of an integer, as in ``daypass.policy.match``; the other is
walked over it, a ``*`` of its reaching every later state. Time: the length of one, in machine words of the other.
"""

from __future__ import annotations

import re
from functools import lru_cache

_RUN = re.compile(r"\*+")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


@lru_cache(maxsize=2048)
def _automaton(pattern: str) -> tuple[int, int, dict[str, int], int]:
    """The masks of ``?``, of loops, of each character, and the number of the last state."""
    one = loops = length = 0
    literal: dict[str, int] = {}
    for character in pattern:
        if character == "*":
            loops |= 1 << length
            continue
        if character == "?":
            one |= 1 << length
        else:
            literal[character] = literal.get(character, 0) | 1 << length
        length += 1
    return one, loops, literal, length


def overlap(walked: str, pattern: str) -> bool:
    """Whether some text fits both patterns."""
    one, loops, literal, length = _automaton(pattern)
    everything = (2 << length) - 1
    states = 1
    for character in _RUN.sub("*", walked):
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
    Whether a document's ARN pattern may mean a resource of the table's pattern.

    Generous where it must be: a variable is any text, and a ``*`` in the first five fields may go on over colons.
    """
    fields = _VARIABLE.sub("*", written).split(":", 5)
    return overlap(":".join([*(field.lower() for field in fields[:5]), *fields[5:]]), table)
