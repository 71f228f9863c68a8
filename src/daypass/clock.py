# SPDX-License-Identifier: Apache-2.0
"""
The one clock, and the forms of time that the wire uses.

An instant is a float of seconds since 1970-01-01T00:00:00Z (POSIX time). Nothing else in the tree may read the
machine's clock (a lint rule holds it): whoever needs the time is handed an instant, or a ``Clock`` by the wiring.
"""

from __future__ import annotations

import datetime
import functools
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns the present instant, in seconds since the epoch."""


def system_clock() -> float:
    """The machine's clock."""
    return time.time()


def iso8601(instant: float) -> str:
    """``2026-01-31T12:00:00Z``: the form of every date in STS's and IAM's answers (whole seconds, rounded down)."""
    return _iso8601(int(instant))


@functools.lru_cache(maxsize=1024)  # many requests a second ask for the same second
def _iso8601(second: int) -> str:
    return datetime.datetime.fromtimestamp(second, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class MovableClock:
    """A clock that stands still until it is moved; for tests and for replaying what happened."""

    def __init__(self, instant: float) -> None:
        self.instant = instant

    def __call__(self) -> float:
        return self.instant

    def advance(self, seconds: float) -> None:
        """Move forward (or, with a negative number, back) by so many seconds."""
        self.instant += seconds
