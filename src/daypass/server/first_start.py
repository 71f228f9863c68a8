# SPDX-License-Identifier: Apache-2.0
"""
Migrations and the first start, in a process of their own.

They need the database toolkit, which takes as long to import as the rest of the service together and is not needed again
until somebody writes. A child does them while its parent imports the server, and takes the memory with it when it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass

from daypass.clock import system_clock
from daypass.errors import ConfigurationError, DaypassError, Reason
from daypass.server.settings import Settings


@dataclass(frozen=True, slots=True)
class FirstStart:
    """A preparation under way."""

    child: int
    answers: int

    def wait(self) -> str:
        """The account id, once everything is in place. Raises ConfigurationError when it cannot be."""
        with os.fdopen(self.answers, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(self.child, 0)
        if not answer:
            message = "the preparation of the store ended without an answer; standard error says more"
            raise ConfigurationError(Reason.INTERNAL_FAILURE, message)
        told = json.loads(answer)
        if "account_id" in told:
            return str(told["account_id"])
        reason = next(reason for reason in Reason if reason.value == told["reason"])
        raise ConfigurationError(reason, told["message"])


def begin(settings: Settings) -> FirstStart:
    """Start preparing. Call it before any thread is started: the child is a fork."""
    answers, to_parent = os.pipe()
    child = os.fork()
    if child:
        os.close(to_parent)
        return FirstStart(child, answers)
    try:
        os.close(answers)
        with os.fdopen(to_parent, "w") as pipe:
            json.dump(_outcome(settings), pipe)
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happens
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _outcome(settings: Settings) -> dict[str, str]:
    try:
        return {"account_id": asyncio.run(_prepare(settings))}
    except DaypassError as error:
        return {"reason": error.reason.value, "message": str(error)}


async def _prepare(settings: Settings) -> str:
    # Imported here: in the child, and not before the fork.
    from daypass.server.bootstrap import LOOKED_AT, load_master_key, prepare, taking_turns
    from daypass.store import Store
    from daypass.store.sqlite import locate

    with taking_turns(locate(settings.database_url, settings.data_dir).parent):
        master = load_master_key(settings)
        store = await Store.open(settings.database_url, settings.data_dir, only=LOOKED_AT)
        try:
            return await prepare(settings, store, master, now=system_clock())
        finally:
            await store.close()
