# SPDX-License-Identifier: Apache-2.0
"""The server of gRPC beside the loop: what was asked is answered to its end, and no call takes a place for ever."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.gateway import ext_authz_listener
from daypass.gateway.ext_authz import Metadata
from daypass.gateway.ext_authz_listener import AT_ONCE, CONNECTIONS, QUESTION_SECONDS, ExtAuthzListener
from fakes.ext_authz import CHECK
from fakes.grpc_line import PREFACE, head, line
from real.processes import free_port

NOW = b"now"
KNOWN = (("known", "yes"),)


class Slow:
    """A door that answers when it is told to; ``NOW`` and unread calls at once."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.answered = 0
        self.given_up = 0
        self.time = 0.0

    async def check(self, metadata: Metadata, message: bytes) -> bytes:
        """The message."""
        if message in (NOW, b""):
            return message
        self.asked.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        self.answered += 1
        return message

    def knows(self, metadata: Metadata) -> bool:
        """Whether a call says that it is known."""
        return ("known", "yes") in [(key, value) for key, value in metadata]


class Listening:
    """A listener and a way to call it."""

    def __init__(self, where: str, listener: ExtAuthzListener, channel: Any) -> None:
        self.where, self.close = where, listener.close
        self._call, self._stream = channel.unary_unary(CHECK), channel.stream_unary(CHECK)

    def ask(self, message: bytes) -> Any:
        """A call that is known."""
        return self._call(message, metadata=KNOWN, timeout=20)

    def begin(self, metadata: Any = KNOWN) -> Any:
        """The head of a call, and no message yet."""
        return self._stream(metadata=metadata, timeout=20)


@asynccontextmanager
async def listening(door: Slow) -> AsyncIterator[Listening]:
    where = f"127.0.0.1:{free_port()}"
    listener = ExtAuthzListener(where, door.check, door.knows, clock=lambda: door.time)
    await listener.start()
    try:
        async with grpc.aio.insecure_channel(where) as channel:
            yield Listening(where, listener, channel)
    finally:
        await listener.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for comes soon."""
    monkeypatch.setattr(ext_authz_listener, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ext_authz_listener, "CLOSING_SECONDS", 0.05)


async def test_bytes_go_in_and_come_out() -> None:
    door = Slow()
    door.may_answer.set()
    async with listening(door) as here:
        assert await here.ask(b"\x00\xff") == b"\x00\xff"


async def test_a_question_whose_asker_has_gone_is_answered_to_its_end() -> None:
    door = Slow()
    async with listening(door) as here:
        asking = here.ask(b"question")
        await asyncio.wait_for(door.asked.wait(), 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await here.ask(NOW) == NOW  # behind the news that the first is not waited for
        assert (door.answered, door.given_up) == (0, 0)
        door.may_answer.set()
        await here.close()
        assert (door.answered, door.given_up) == (1, 0)


async def test_a_question_that_is_there_at_the_end_is_answered() -> None:
    door = Slow()
    async with listening(door) as here:
        asking = asyncio.ensure_future(here.ask(b"question"))
        await asyncio.wait_for(door.asked.wait(), 20)
        closing = asyncio.ensure_future(here.close())
        door.may_answer.set()
        assert await asking == b"question"
        await closing


@pytest.mark.usefixtures("soon")
async def test_the_end_does_not_wait_for_what_takes_long_and_leaves_no_thread() -> None:
    door, before = Slow(), {*threading.enumerate()}
    async with listening(door) as here:
        asking = [asyncio.ensure_future(here.ask(b"question")) for _ in range(AT_ONCE + 2)]
        unread = here.begin()
        await asyncio.wait_for(door.asked.wait(), 20)
        await asyncio.wait_for(here.close(), 20)
        assert (door.answered, door.given_up > 0) == (0, True)
        for one in [*asking, unread]:
            with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
                await one
        left = {*threading.enumerate()} - before
        # The loop's own pool ends with the loop; the channel's threads with the channel.
        assert [thread.name for thread in left if "ext-authz" in thread.name or "_serve" in thread.name] == []


@pytest.mark.usefixtures("soon")
async def test_a_question_that_takes_longer_than_anybody_waits_is_given_up() -> None:
    door = Slow()
    async with listening(door) as here:
        asking = here.ask(b"question")
        await asyncio.wait_for(door.asked.wait(), 20)
        door.time = QUESTION_SECONDS - 1
        assert await here.ask(NOW) == NOW
        assert door.given_up == 0
        door.time = QUESTION_SECONDS
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await asking
        assert (failed.value.code(), door.given_up) == (grpc.StatusCode.UNAVAILABLE, 1)


@pytest.mark.usefixtures("soon")
async def test_a_question_that_does_not_come_is_given_up() -> None:
    door = Slow()
    async with listening(door) as here:
        calls = [here.begin() for _ in range(AT_ONCE)]  # each keeps a thread
        async with asyncio.timeout(20):
            while not all(call.done() for call in calls):
                door.time += QUESTION_SECONDS
                await asyncio.sleep(0.01)
        assert {await call.code() for call in calls} == {grpc.StatusCode.CANCELLED}
        assert await here.ask(NOW) == NOW


async def test_a_call_without_the_secret_is_answered_before_its_message_comes() -> None:
    async with listening(Slow()) as here:
        for _ in range(AT_ONCE + 1):
            assert await here.begin(()) == b""


async def test_calls_without_the_secret_that_never_end_take_nobodys_place() -> None:
    async with listening(Slow()) as here:
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                heads = [head(1 + 2 * number) for number in range(200)]
                await asyncio.to_thread(_entered, stack, here.where, heads)
            assert await _soon(lambda: here.ask(NOW)) == NOW


def _entered(stack: contextlib.ExitStack, where: str, heads: list[bytes]) -> None:
    stack.enter_context(line(where, *heads))


async def _soon(ask: Callable[[], Any]) -> bytes:
    """The answer, once the calls before are refused."""
    async with asyncio.timeout(20):
        while True:
            try:
                answer: bytes = await ask()
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED):
                    raise
            else:
                return answer


@pytest.mark.parametrize("path", [b"/\xff", b"", b"/", b"\xc3", CHECK.encode() + b"\xff"])
async def test_a_call_whose_name_is_no_text_stops_nobody(path: bytes) -> None:
    async with listening(Slow()) as here:
        for _ in range(3):
            with await asyncio.to_thread(_sent, here.where, head(1, path)):
                assert await here.ask(NOW) == NOW


def _sent(where: str, one: bytes) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    stack.enter_context(line(where, one))
    return stack


async def test_there_are_so_many_connections_and_no_more() -> None:
    async with listening(Slow()) as here:
        assert await here.ask(NOW) == NOW
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS - 1):
                await asyncio.to_thread(_entered, stack, here.where, [])
            assert await asyncio.to_thread(_said, here.where) == b""
            assert await here.ask(NOW) == NOW  # who was there stays


def _said(where: str) -> bytes:
    """What a new connection is told; nothing if it is closed."""
    host, _, port = where.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(PREFACE)
        return connection.recv(9)
    return b""


async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    options = dict(ext_authz_listener._OPTIONS) | {"grpc.server_handshake_timeout_ms": 50}
    monkeypatch.setattr(ext_authz_listener, "_OPTIONS", tuple(options.items()))
    async with listening(Slow()) as here:
        host, _, port = here.where.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as silent:
            told = await asyncio.to_thread(lambda: b"".join(iter(lambda: silent.recv(4096), b"")))
    assert told.endswith(b"handshake timeout")


def test_where_the_machine_gives_no_more_threads_those_that_are_there_do_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with ext_authz_listener._Pool(4) as pool, ext_authz_listener._Pool(4) as empty:
        assert pool.submit(abs, -1).result(20) == 1
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_more)
            waiting = [pool.submit(abs, -2) for _ in range(8)]
            with pytest.raises(RuntimeError):
                empty.submit(abs, -1)
        assert [one.result(20) for one in waiting] == [2] * 8


async def test_an_address_that_somebody_has_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        listener = ExtAuthzListener(where, Slow().check, Slow().knows)
        with pytest.raises(ConfigurationError, match="cannot listen on") as refused:
            await listener.start()
        await listener.close()
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


async def test_one_that_was_never_started_ends() -> None:
    await ExtAuthzListener("127.0.0.1:9003", Slow().check, Slow().knows).close()
