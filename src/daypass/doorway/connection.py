# SPDX-License-Identifier: Apache-2.0
"""
What a door that streams may ask of the connection that a request came on. ASGI has no words for these things.

The server puts a ``Connection`` into ``scope["extensions"]``; where there is none (a test in the process), ``NOWHERE`` is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

EXTENSION: Final = "daypass.connection"
"""Its name among the extensions of a scope."""


class Connection(Protocol):
    """A connection of a client, for as long as one request of it is under way."""

    def stream(self, idle_seconds: float) -> None:
        """The body may take as long as it likes to come, if some of it comes every ``idle_seconds``."""

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call this, once, should the client go away before the answer is complete."""

    def abort(self) -> None:
        """End the connection where the answer stands: the client must not take it for complete."""

    def may_wait(self) -> bool:
        """Whether sending more may have to wait for the client; if not, it takes no time."""

    def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """
        Answer in one step, without ASGI's messages. ``headers``: names in lower case; the last says how long the body is, and
        none how the connection goes on. False, and nothing is done, where the answer must go by messages.
        """


class _Nowhere:
    def stream(self, idle_seconds: float) -> None:
        """Nothing bounds the body."""

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Nobody goes away."""

    def abort(self) -> None:
        """There is nothing to end."""

    def may_wait(self) -> bool:
        """Nobody knows."""
        return True

    def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:  # noqa: ARG002 - the protocol's
        """By messages."""
        return False


NOWHERE: Final[Connection] = _Nowhere()


def connection_of(scope: Mapping[str, Any]) -> Connection:
    """The connection of a request."""
    extensions = scope.get("extensions")
    connection: Connection = NOWHERE if extensions is None else extensions.get(EXTENSION, NOWHERE)
    return connection
