# SPDX-License-Identifier: Apache-2.0
"""An answer in one step is the answer by messages; and a connection on which nothing more is asked is closed in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn import Config, Server

from daypass.doorway.connection import NOWHERE, connection_of
from daypass.server.protocol import BoundedProtocol

GET = b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n"
KEPT = 75.0
"""Seconds that a connection is kept for, in the stub below."""

ANSWERS: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {
    "/plain": ([(b"x-a", b"1"), (b"content-length", b"2")], b"ok"),
    "/empty": ([(b"content-length", b"0")], b""),
    "/longer": ([(b"content-length", b"1")], b"ok"),
    "/chunks": ([(b"x-a", b"1")], b"ok"),
    "/not-last": ([(b"content-length", b"2"), (b"x-a", b"1")], b"ok"),
    "/break": ([(b"x-a", b"1\r\nx-b: 2"), (b"content-length", b"2")], b"ok"),
}
taken: list[bool] = []


async def told(scope: Any, receive: Any, send: Any) -> None:
    headers, body = ANSWERS[scope["path"]]
    taken.append(connection_of(scope).answer(200, headers, body))
    if not taken[-1]:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    taken.clear()
    config = Config(
        told, port=0, http=BoundedProtocol, lifespan="off", log_level="critical", ws="none", timeout_keep_alive=60
    )
    server = Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await server.shutdown()


async def exchanged(port: int, octets: bytes) -> list[bytes]:
    """Every line of what is answered until the other side closes; for requests of which the last closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    lines = (await asyncio.wait_for(reader.read(), 5)).split(b"\r\n")
    writer.close()
    return [line for line in lines if not line.startswith((b"date:", b"server:"))]


LAST = GET % (b"/plain", b"Connection: close\r\n")
OF_LAST = [b"HTTP/1.1 200 OK", b"x-a: 1", b"content-length: 2", b"connection: close", b"", b"ok"]


async def test_an_answer_in_one_step_is_the_answer_by_messages_and_the_connection_goes_on(port: int) -> None:
    lines = await exchanged(port, GET % (b"/plain", b"") + GET % (b"/empty", b"") + LAST)
    first = [b"HTTP/1.1 200 OK", b"x-a: 1", b"content-length: 2", b""]
    assert lines == [*first, b"okHTTP/1.1 200 OK", b"content-length: 0", b"", *OF_LAST]
    assert taken == [True, True, False]


@pytest.mark.parametrize("path", [b"/longer", b"/break"])
async def test_an_answer_that_is_none_is_not_sent_in_one_step_either(port: int, path: bytes) -> None:
    lines = await exchanged(port, GET % (path, b""))
    assert taken == [False]
    assert b"x-b: 2" not in lines
    assert b"ok" not in lines[-1]


@pytest.mark.parametrize("path", [b"/chunks", b"/not-last"])
async def test_an_answer_whose_length_is_not_told_last_goes_by_messages(port: int, path: bytes) -> None:
    assert (await exchanged(port, GET % (path, b"") + LAST))[-6:][1:] == OF_LAST[1:]
    assert taken == [False, False]


async def test_an_answer_without_its_body_goes_by_messages(port: int) -> None:
    lines = await exchanged(port, (GET % (b"/plain", b"")).replace(b"GET", b"HEAD") + LAST)
    assert lines == [b"HTTP/1.1 200 OK", b"x-a: 1", b"content-length: 2", b"", *OF_LAST]
    assert taken == [False, False]


@pytest.mark.parametrize(
    ("cycle", "flow"),
    [
        ({"disconnected": True}, {}),
        ({"response_started": True}, {}),
        ({"keep_alive": False}, {}),
        ({}, {"write_paused": True}),
    ],
)
def test_nothing_is_written_where_there_is_more_to_see_to(cycle: dict[str, bool], flow: dict[str, bool]) -> None:
    connection: Any = object.__new__(BoundedProtocol)
    connection.flow = SimpleNamespace(write_paused=False, **flow) if not flow else SimpleNamespace(**flow)
    found = {"disconnected": False, "response_started": False, "keep_alive": True, "scope": {"method": "GET"}, **cycle}
    assert not connection.answer(SimpleNamespace(**found), 200, [(b"content-length", b"0")], b"")


def test_where_there_is_no_connection_answers_go_by_messages() -> None:
    assert not NOWHERE.answer(200, [(b"content-length", b"0")], b"")


class Clockwork:
    """A loop whose time is moved by hand, and the transport of a connection on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Any]] = []
        self.closed = False
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Any, *_: Any) -> Any:
        self.due.append((self.now + seconds, call))
        return self

    def go_on_to(self, now: float) -> None:
        """Move to an instant, and do what was due by then."""
        self.now = now
        due, self.due = [one for one in self.due if one[0] <= now], [one for one in self.due if one[0] > now]
        for _, call in due:
            call()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.fixture
def kept() -> tuple[Clockwork, Any]:
    connection: Any = object.__new__(BoundedProtocol)
    clockwork = connection.loop = connection.transport = Clockwork()
    connection.flow = SimpleNamespace(resume_reading=lambda: None)
    connection.server_state = SimpleNamespace(total_requests=0)
    connection.pipeline, connection.timeout_keep_alive_task, connection.timeout_keep_alive = (), None, KEPT
    return clockwork, connection


def test_a_connection_is_closed_when_nothing_more_is_asked_for_so_long(kept: tuple[Clockwork, Any]) -> None:
    clockwork, connection = kept
    connection.on_response_complete()
    clockwork.go_on_to(KEPT - 0.001)
    assert not clockwork.closed
    clockwork.go_on_to(KEPT)
    assert clockwork.closed


def test_the_time_begins_anew_with_every_answer_and_one_timer_runs(kept: tuple[Clockwork, Any]) -> None:
    clockwork, connection = kept
    for _ in range(3):
        connection.on_response_complete()
        clockwork.now += 10
        connection._unset_keepalive_if_required()
    connection.on_response_complete()  # at 30
    assert len(clockwork.due) == 1
    clockwork.go_on_to(KEPT)
    clockwork.go_on_to(30 + KEPT - 0.001)
    assert (clockwork.closed, len(clockwork.due)) == (False, 1)
    clockwork.go_on_to(30 + KEPT)
    assert clockwork.closed


def test_a_request_that_takes_long_is_not_cut_off(kept: tuple[Clockwork, Any]) -> None:
    clockwork, connection = kept
    connection.on_response_complete()
    connection._unset_keepalive_if_required()  # the next one comes
    clockwork.go_on_to(3 * KEPT)
    assert (clockwork.closed, clockwork.due) == (False, [])
    connection.on_response_complete()
    clockwork.go_on_to(4 * KEPT)
    assert clockwork.closed


def test_a_connection_that_has_ended_is_not_kept_by_its_timer(kept: tuple[Clockwork, Any]) -> None:
    clockwork, connection = kept
    connection.on_response_complete()
    connection.connections, connection.logger, connection.cycle = {connection}, SimpleNamespace(level=99), None
    connection.flow.resume_writing = lambda: None
    connection.connection_lost(None)
    assert clockwork.cancelled == 1


async def test_nothing_follows_an_answer_that_came_before_the_end_of_its_requests_body(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /plain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    answered = await asyncio.wait_for(reader.readuntil(b"ok"), 5)
    rest = asyncio.create_task(reader.read())
    while not rest.done():  # more and more of its framing, until that is more than is taken
        writer.write(b"1\r\na\r\n" * 20)
        await asyncio.wait([rest], timeout=0.001)
    writer.close()
    if rest.exception() is None:  # or it was cut
        answered += rest.result()
    assert answered.count(b"HTTP/1.1 ") == 1
