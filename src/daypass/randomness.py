# SPDX-License-Identifier: Apache-2.0
"""
Random bytes for what is public: salts, identifiers, request ids.

The bytes are the kernel's; a page of them is fetched at a time, because a system call costs a request more than all that
is done with its answer. Each byte is handed out once. What must stay secret (keys, secret access keys) is not taken from
here: it comes from ``secrets``, and never waited in memory.
"""

from __future__ import annotations

import os
from typing import Final

_PAGE: Final = 4096


class _Pool:
    """Bytes fetched and not yet handed out. A forked child starts with none, or it would repeat its parent's."""

    __slots__ = ("_bytes", "_next")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._bytes = b""
        self._next = 0

    def take(self, count: int) -> bytes:
        start = self._next
        end = start + count
        if end > len(self._bytes):
            self._bytes = os.urandom(max(_PAGE, count))
            start, end = 0, count
        self._next = end
        return self._bytes[start:end]


_POOL: Final = _Pool()
os.register_at_fork(after_in_child=_POOL.clear)


def public_random_bytes(count: int) -> bytes:
    """So many random bytes, for what others may see. Not for threads at once: each process has one event loop."""
    return _POOL.take(count)
