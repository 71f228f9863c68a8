# SPDX-License-Identifier: Apache-2.0
"""The server of gRPC in the loop of the process: what was asked is answered to its end, whoever waits for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.gateway.ext_authz import Metadata
from daypass.gateway.ext_authz_listener import ExtAuthzListener
from fakes.ext_authz import CHECK
from real.processes import free_port

AT_ONCE = b"at once"


class Slow:
    """A door that answers when it is told to; ``AT_ONCE`` at once."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.answered = 0

    async def check(self, metadata: Metadata, message: bytes) -> bytes:
        if message == AT_ONCE:
            return message
        self.asked.set()
        await self.may_answer.wait()
        self.answered += 1
        return message


@asynccontextmanager
async def listening(door: Slow) -> AsyncIterator[tuple[ExtAuthzListener, Callable[..., Any]]]:
    where = f"127.0.0.1:{free_port()}"
    listener = ExtAuthzListener(where, door.check)
    await listener.start()
    try:
        async with grpc.aio.insecure_channel(where) as channel:
            yield listener, channel.unary_unary(CHECK)
    finally:
        await listener.close()


async def test_bytes_go_in_and_come_out() -> None:
    door = Slow()
    door.may_answer.set()
    async with listening(door) as (_, call):
        assert await call(b"\x00\xff", timeout=20) == b"\x00\xff"


async def test_a_question_whose_asker_has_gone_is_answered_to_its_end() -> None:
    door = Slow()
    async with listening(door) as (listener, call):
        asking = call(b"question", timeout=20)
        await asyncio.wait_for(door.asked.wait(), 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await call(AT_ONCE, timeout=20) == AT_ONCE  # behind the news that the first is not waited for
        assert door.answered == 0
        door.may_answer.set()
        await listener.close()
        assert door.answered == 1


async def test_a_question_that_is_there_at_the_end_is_answered() -> None:
    door = Slow()
    async with listening(door) as (listener, call):
        asking = asyncio.ensure_future(call(b"question", timeout=20))
        await asyncio.wait_for(door.asked.wait(), 20)
        closing = asyncio.ensure_future(listener.close())
        door.may_answer.set()
        assert await asking == b"question"
        await closing


async def test_an_address_that_somebody_has_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match="cannot listen on") as refused:
            await ExtAuthzListener(where, Slow().check).start()
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


async def test_one_that_was_never_started_ends() -> None:
    await ExtAuthzListener("127.0.0.1:9003", Slow().check).close()
