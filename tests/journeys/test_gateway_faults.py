# SPDX-License-Identifier: Apache-2.0
"""
Backends and clients of the gateway that fail in the middle: whoever is left learns of it, soon, and nothing is left behind.

RFC 9110 section 15 and RFC 9112 sections 6 to 9 say what an answer is; the bounds on time are those of ``idle_seconds``, which
is one second for the host ``HASTY``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from fakes.backend import (
    OK,
    Behaviour,
    Complete,
    Peer,
    answers,
    answers_once,
    before_the_body,
    endless,
    keep_answering,
    never_read,
    reset,
    stall,
    then,
)
from journeys.gateway import HASTY, LAKE, Gateway, Sent, memory, sockets, wait_for
from real.s3_wire import SIGNED_CHUNKS, UNSIGNED

MEGABYTE: Final = 1 << 20
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
IN_CHUNKS: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PART: Final = b"p" * 50_000


def get(gateway: Gateway, host: str = HASTY) -> Sent:
    return gateway.request("GET", "/bucket/key", host=host)


def put(gateway: Gateway, body: bytes = b"body", host: str = HASTY, **options: object) -> Sent:
    return gateway.request("PUT", "/bucket/key", body=body, host=host, payload=UNSIGNED, **options)


NO_ANSWER: Final[dict[str, Behaviour]] = {
    "says nothing": then(end=stall),
    "stalls in its first line": then(b"HTTP/1.1 2", end=stall),
    "stalls in a header": then(b"HTTP/1.1 200 OK\r\nETag: ", end=stall),
    "closes without an answer": answers_once(),
    "closes in the head": answers_once(b"HTTP/1.1 200 OK\r\nETag"),
    "resets without an answer": then(end=reset),
    "resets in the head": then(b"HTTP/1.1 200 OK\r\nETag", end=reset),
    "speaks something else": answers_once(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "speaks HTTP/2": answers_once(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18),
    "answers zeros": answers_once(b"\x00" * 100_000),
    "has a status of four digits": answers_once(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    "has a status of 600": answers_once(b"HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n"),
    "has a status of 0": answers_once(b"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n"),
    "switches protocols": answers_once(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "says two lengths": answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    "says a length below zero": answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
    "says a length that is none": answers_once(b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"),
    "has a control character in a value": answers_once(b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n"),
    "has a bracket in a name": answers_once(b"HTTP/1.1 200 OK\r\nX[: a\r\nContent-Length: 0\r\n\r\n"),
    "has a header without end": endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65_536),
    "has headers without end": endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 8192),
}


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_a_backend_that_gives_no_answer_is_one_that_is_not_available(gateway: Gateway, fault: str) -> None:
    gateway.backend.behave = NO_ANSWER[fault]
    for sent in (get(gateway), put(gateway)):
        reply = gateway.ask(sent)
        assert (reply.status, reply.code, reply.whole) == (503, "ServiceUnavailable", True)
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    gateway.backend.behave = answers(OK)
    gateway.check_still_served()


BROKEN: Final[dict[str, Behaviour]] = {
    "stalls": then(HEAD, PART, end=stall),
    "stalls at the first byte": then(HEAD, end=stall),
    "closes": answers_once(HEAD, PART),
    "closes at the first byte": answers_once(HEAD),
    "closes at the last byte": answers_once(HEAD, PART, PART[1:]),
    "resets": then(HEAD, PART, end=reset),
    "stalls between chunks": then(IN_CHUNKS, b"5\r\nhello\r\n", end=stall),
    "closes between chunks": answers_once(IN_CHUNKS, b"5\r\nhello\r\n"),
    "closes in a chunk": answers_once(IN_CHUNKS, b"50\r\nhello"),
    "closes before the last line": answers_once(IN_CHUNKS, b"5\r\nhello\r\n0\r\n"),
    "sends a chunk that is none": answers_once(IN_CHUNKS, b"5\r\nhello\r\nxyz\r\n"),
    "sends a chunk longer than it says": answers_once(IN_CHUNKS, b"5\r\nhello, world\r\n0\r\n\r\n"),
    "resets between chunks": then(IN_CHUNKS, b"5\r\nhello\r\n", end=reset),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_answer_that_breaks_off_is_not_complete_for_the_client(gateway: Gateway, fault: str) -> None:
    gateway.backend.behave = BROKEN[fault]
    with gateway.line() as line:
        line.send(get(gateway).octets)
        reply = line.reply()
        assert (reply.status, reply.whole) in (
            (200, False),
            (503, True),
        )  # 503: all of it came in one read, and was nonsense
        line.ends() if reply.status == 200 else None
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    gateway.backend.behave = answers(OK)
    gateway.check_still_served()


POISON: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def test_what_a_backend_sends_behind_its_answer_is_nobodys_answer(gateway: Gateway) -> None:
    waiting, poisoned = asyncio.Event(), asyncio.Event()
    for late in (False, True):

        async def one(peer: Peer, complete: Complete, late: bool = late) -> None:
            await peer.send(OK if late else OK + POISON)
            if late:
                await waiting.wait()
                await peer.send(POISON)
                poisoned.set()
                await peer.until_gone()

        gateway.backend.run(gateway.backend.hang_up())
        gateway.backend.behave = keep_answering(one)
        assert gateway.ask(get(gateway)).body == b"ok"
        gateway.backend.behave = answers(OK)
        if late:
            gateway.backend.call(waiting.set)
            gateway.backend.run(poisoned.wait())
        for _ in range(3):
            assert gateway.ask(get(gateway)).body == b"ok"


def test_a_kept_connection_that_its_backend_closes_is_not_used_again(gateway: Gateway) -> None:
    gateway.backend.behave = answers_once(OK)
    for _ in range(5):
        assert gateway.ask(get(gateway)).body == b"ok"
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)
        assert gateway.ask(put(gateway)).body == b"ok"
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)


def test_a_backend_that_is_down_is_not_available_until_it_is_back(gateway: Gateway) -> None:
    backend = gateway.backend
    backend.run(backend.close())
    try:
        for sent in (get(gateway), put(gateway)):
            reply = gateway.ask(sent)
            assert (reply.status, reply.code) == (503, "ServiceUnavailable")
        reply = gateway.ask(gateway.request("HEAD", "/bucket/key", host=HASTY))
        assert (reply.status, reply.body) == (503, b"")
    finally:
        backend.run(backend.listen(backend.port))
    gateway.check_still_served()


DENIED: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied"


@pytest.mark.parametrize("end", [stall, never_read, reset])
@pytest.mark.parametrize(
    "length", [DENIED, DENIED.replace(b"Content-Length: 6", b"Connection: close\r\nContent-Length: 6")]
)
def test_an_answer_before_the_body_has_come_is_handed_on_and_the_body_goes_no_further(
    gateway: Gateway, length: bytes, end: Behaviour
) -> None:
    async def when_told(peer: Peer) -> None:
        if end is reset:  # not so soon that the reset overtakes the answer, in the kernel
            await answered.wait()
        await end(peer)

    answered = asyncio.Event()
    gateway.backend.behave = before_the_body(length, end=when_told)
    sent = put(gateway, b"", length=40 * MEGABYTE)
    with gateway.line() as line:
        line.send(sent.head + b"x" * MEGABYTE)
        reply = line.reply()
        gateway.backend.call(answered.set)
        assert (reply.status, reply.body, reply.all(b"connection")) == (403, b"denied", [b"close"])
        line.send(b"x" * 5 * MEGABYTE)
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    assert gateway.backend.received < 8 * MEGABYTE
    gateway.backend.behave = answers(OK)
    gateway.check_still_served()


def test_a_backend_that_does_not_read_the_body_is_not_available(gateway: Gateway) -> None:
    gateway.backend.behave = before_the_body(end=never_read)
    with gateway.line() as line:
        line.send(put(gateway, b"", length=40 * MEGABYTE).head)
        line.send(b"x" * 40 * MEGABYTE)
        assert (line.reply().status) in (503, 0)  # 0: the answer was lost, for the client was still sending
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)


def test_a_client_that_stalls_in_its_upload_is_cut_off(gateway: Gateway) -> None:
    for begun in (b"", b"x" * 1000, b"x" * MEGABYTE):
        with gateway.line() as line:
            line.send(put(gateway, b"", length=2 * MEGABYTE).head + begun)
            line.ends()
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    assert gateway.backend.complete == []


@pytest.mark.parametrize("payload", [UNSIGNED, SIGNED_CHUNKS])
def test_a_client_that_goes_away_in_its_upload_ends_the_request_to_the_backend(gateway: Gateway, payload: str) -> None:
    for part in (1000, 60_000, 1_000_000):
        sent = gateway.request("PUT", "/bucket/key", body=b"x" * 2 * MEGABYTE, payload=payload)
        with gateway.line() as line:
            line.send(sent.head + sent.body[:part])
            gateway.backend.wait_until(lambda: gateway.backend.open == 1)
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)
    assert gateway.backend.complete == []


def test_a_client_that_goes_away_before_the_answer_ends_the_request_to_the_backend(gateway: Gateway) -> None:
    gateway.backend.behave = then(end=stall)
    for sent in (get(gateway, LAKE), put(gateway, host=LAKE)):
        gateway.backend.complete.clear()
        with gateway.line() as line:
            line.send(sent.octets)
            gateway.backend.wait_until(lambda: len(gateway.backend.complete) == 1)
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)


def test_a_client_that_goes_away_in_its_download_ends_the_request_to_the_backend(gateway: Gateway) -> None:
    for head in (IN_CHUNKS, HEAD.replace(b"100000", b"1000000000000")):
        more = b"10000\r\n" + b"x" * 65_536 + b"\r\n" if head is IN_CHUNKS else b"x" * 65_536
        gateway.backend.behave = endless(head, more)
        with gateway.line() as line:
            line.send(get(gateway, LAKE).octets)
            assert line.head().startswith(b"HTTP/1.1 200 ")
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)


def test_a_client_that_does_not_read_its_download_is_cut_off(gateway: Gateway) -> None:
    gateway.backend.behave = endless(HEAD.replace(b"100000", b"1000000000000"), b"x" * 65_536)
    before = sockets(gateway.server.pid)
    with gateway.line(buffer=65_536) as line:
        line.send(get(gateway).octets)
        gateway.backend.wait_until(lambda: gateway.backend.opened == 1)
        gateway.backend.wait_until(lambda: gateway.backend.open == 0)
        wait_for(lambda: sockets(gateway.server.pid) <= before)  # while the client still holds its end
        assert not line.reply().whole


def test_a_client_that_only_ends_its_own_direction_is_gone(gateway: Gateway) -> None:
    """As for nginx: nothing tells it from one that has gone, and no SDK does it."""
    gateway.backend.behave = then(end=stall)
    with gateway.line() as line:
        line.send(get(gateway, LAKE).octets)
        gateway.backend.wait_until(lambda: len(gateway.backend.complete) == 1)
        line.socket.shutdown(1)
        assert line.ends() == b""
    gateway.backend.wait_until(lambda: gateway.backend.open == 0)


LARGE: Final = 300 * MEGABYTE
GROWTH: Final = 40 * MEGABYTE


def test_an_upload_waits_for_its_backend_and_is_not_kept_in_memory(gateway: Gateway) -> None:
    going, highest, sent = asyncio.Event(), 0, 0
    before = memory(gateway.server.pid)

    async def behave(peer: Peer) -> None:
        head = await peer.head()
        await going.wait()
        if await peer.body(head) is not None:
            await peer.send(OK)

    gateway.backend.behave = behave
    with gateway.line() as line:
        line.send(put(gateway, b"", length=LARGE, host=LAKE).head)
        piece = memoryview(b"x" * MEGABYTE)
        line.socket.settimeout(0.5)
        try:
            while sent < LARGE:
                sent += line.socket.send(piece)
        except TimeoutError:
            pass  # nobody takes any more
        assert sent < 64 * MEGABYTE  # the kernel's, on four sockets
        highest = max(highest, memory(gateway.server.pid))
        gateway.backend.call(going.set)
        line.socket.settimeout(20)
        while sent < LARGE:
            sent += line.socket.send(piece[: LARGE - sent])
        highest = max(highest, memory(gateway.server.pid))
        assert line.reply().body == b"ok"
    assert [one.length for one in gateway.backend.complete] == [LARGE]
    assert highest - before < GROWTH


def test_a_download_waits_for_its_client_and_is_not_kept_in_memory(gateway: Gateway) -> None:
    before, produced = memory(gateway.server.pid), 0

    async def one(peer: Peer, complete: Complete) -> None:
        nonlocal produced
        await peer.send(HEAD.replace(b"100000", b"%d" % LARGE))
        while produced < LARGE:
            await peer.send(b"x" * MEGABYTE)
            produced += MEGABYTE

    gateway.backend.behave = keep_answering(one)
    with gateway.line() as line:
        line.send(get(gateway, LAKE).octets)
        assert line.head().startswith(b"HTTP/1.1 200 ")
        gateway.backend.run(until_still(lambda: produced))
        assert produced < 64 * MEGABYTE  # the kernel's, on four sockets
        highest = memory(gateway.server.pid)
        assert line.skip(LARGE - MEGABYTE) == LARGE - MEGABYTE
        highest = max(highest, memory(gateway.server.pid))
        assert line.skip(MEGABYTE) == MEGABYTE
    assert highest - before < GROWTH


async def until_still(count: Callable[[], int]) -> None:
    """Wait until a count has begun, and has stayed where it is for a quarter of a second."""
    seen = 0
    while not seen or seen != count():
        seen = count()
        await asyncio.sleep(0.25)
