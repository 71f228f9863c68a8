# SPDX-License-Identifier: Apache-2.0
"""
The state file of a running service: applied at its start, and whenever it, or a policy that it names, has changed.

Every worker watches: to apply what is applied already writes nothing. A file that is refused leaves everything as it was; the
log says why, and so does the store, for readiness checks.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from daypass.clock import Clock
from daypass.errors import ConfigurationError, UnavailableError
from daypass.server.log import RequestLog
from daypass.statefile import Desired, StateFiles, apply, note_problem
from daypass.statefile.files import Stamp
from daypass.store import Store

EVERY: Final = 1.0
"""Seconds between two looks at the files. A change counts at the second look that finds it: whoever writes a file may still be
writing at the first."""

AGAIN: Final = 60
"""Looks until a file that was refused is tried again as it is: a user whom it names may have been made meanwhile."""


class StateWatch:
    """Applies a state file, again and again. ``failed`` is told of errors of ours."""

    def __init__(
        self,
        store: Store,
        path: Path,
        *,
        clock: Clock,
        log: RequestLog,
        failed: Callable[[Exception], None],
        every: float = EVERY,
    ) -> None:
        self._store = store
        self._files = StateFiles(path.absolute())
        self._clock = clock
        self._log = log
        self._failed = failed
        self._every = every
        self._moving: dict[Path, Stamp] | None = None
        self._problem: str | None = None
        self._looks = 0
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch the files from now on. SIGHUP has them read at once."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        self._task = loop.create_task(self._watch())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Apply the files if they have changed, and stand as they stood at the look before."""
        now = await asyncio.to_thread(self._files.now)
        if now == self._files.stamps:
            self._moving = None
            self._looks += 1
            if self._problem is not None and self._looks >= AGAIN:
                await self.read()
        elif now == self._moving:
            await self.read()
        else:
            self._moving = now

    async def read(self) -> None:
        """Read the files and apply them."""
        self._moving, self._looks = None, 0
        try:
            desired = await asyncio.to_thread(self._files.read)
            await self._apply(desired)
        except ConfigurationError as error:
            await self._refuse(str(error))
        except UnavailableError:
            # As if it had not been read: the next looks try again.
            self._files.stamps = dict.fromkeys(self._files.stamps)
        except Exception as error:  # noqa: BLE001 - it is said in the log; requests go on, and so does the watch
            self._failed(error)

    async def _apply(self, desired: Desired) -> None:
        path = str(self._files.path)
        found = await apply(self._store, desired, path, now=self._clock())
        if found.changes or self._problem is not None:
            self._log.state_applied(
                path=path, digest=desired.digest(), changed=len(found.changes), unchanged=found.unchanged
            )
        self._problem = None

    async def _refuse(self, problem: str) -> None:
        if problem != self._problem:
            self._log.state_refused(path=str(self._files.path), problem=problem)
        self._problem = problem
        try:
            await note_problem(self._store, str(self._files.path), problem)
        except UnavailableError:
            pass  # while the store cannot be written, readiness checks say that
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._asked.wait()
            except TimeoutError:
                await self.look()
            else:
                self._asked.clear()
                await self.read()
