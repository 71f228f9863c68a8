# SPDX-License-Identifier: Apache-2.0
"""
Writing that nobody waits for: notes pile up in memory, and what came meanwhile is written some seconds after the first.

    a note -- _soon --> memory -- within seconds, or early, or at the end --> flush --> again, while something waits

An outage of the database leaves the notes waiting. Any other error is told, and ends nothing else.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from daypass.errors import UnavailableError


class LateNotes(ABC):
    """
    Notes, and the task that writes them. Belongs to one event loop; any number of processes may write to one store.

    ``seconds``: from the first note to the writing of all that came meanwhile. ``failed`` is told of an error that is not an
    outage of the database.
    """

    def __init__(self, seconds: float, failed: Callable[[Exception], None]) -> None:
        self._seconds = seconds
        self._failed = failed
        self._writing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = False

    @abstractmethod
    async def flush(self) -> None:
        """
        Write every note that waits, now. Raises UnavailableError when the database cannot be written; what was not written
        waits on.
        """

    @abstractmethod
    def _is_waiting(self) -> bool:
        """Whether there is anything to be written."""

    @abstractmethod
    def _give_up(self) -> None:
        """Forget what could not be written: whatever is wrong with it would be met again."""

    def _not_written(self) -> None:  # noqa: B027 - who counts it says so
        """The database cannot be written. Health checks and the requests that write tell of it too."""

    async def close(self) -> None:
        """Write what waits, if it can be written, and stop. Nothing is to be noted afterwards."""
        self._closing = True
        self._wake.set()
        if self._writing is not None:
            await self._writing

    def _soon(self, *, early: bool = False) -> None:
        """A note has come: write within ``seconds``, or ``early``, without waiting for more. Never waits or raises."""
        if early:
            self._wake.set()
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def _write_soon(self) -> None:
        while self._is_waiting():
            try:
                await asyncio.wait_for(self._wake.wait(), self._seconds)
            except TimeoutError:
                pass  # the usual case: neither many notes nor the end
            last = self._closing
            if not last:
                self._wake.clear()
            await self._try_to_flush()
            if last:
                break
        self._writing = None

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except UnavailableError:
            self._not_written()
        except Exception as error:  # noqa: BLE001 - INVARIANT: notes are never the reason why anything else fails
            self._give_up()
            self._failed(error)
