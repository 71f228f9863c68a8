# SPDX-License-Identifier: Apache-2.0
"""
What is made of a caller by a view, made once: kept with the view (``View.caller_memory``), so that whatever is written, a
revocation say, is followed by a view that remembers nothing.

INVARIANT: what is kept depends on the caller and the view, and on nothing else: neither on the time nor on the request.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from daypass.store import View

MOST: Final = 16_384
"""What is kept with one view, four things for a caller: some 10 MB. When there is more, all of it is forgotten."""

C = TypeVar("C")
T = TypeVar("T")


def remembered(make: Callable[[C, View], T]) -> Callable[[C, View], T]:
    """What ``make`` makes of a caller by a view; the same object for as long as both are the same objects."""

    def found_or_made(caller: C, view: View) -> T:
        # An id names one object while that lives, and what is kept keeps it alive.
        key = make, id(caller)
        known: tuple[C, T] | None = view.caller_memory.get(key)
        if known is not None:
            return known[1]
        made = make(caller, view)
        remember(view, key, (caller, made))
        return made

    return found_or_made


def remember(view: View, key: Hashable, value: object) -> None:
    """Keep a value with the view."""
    memory = view.caller_memory
    if len(memory) >= MOST:
        memory.clear()
    memory[key] = value
