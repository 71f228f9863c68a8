# SPDX-License-Identifier: Apache-2.0
"""
The gateway after ten thousand requests that went wrong, and with two workers, and while it is being stopped.

Everything is asked of the operating system: sockets and memory of the process, connections at the backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle, islice
from typing import Final

import pytest

from fakes.backend import OK, Behaviour, Complete, Peer, keep_answering
from journeys.gateway import Gateway, Line, memory, running_gateway, sockets, wait_for
from journeys.workers import only, wait_until_ready
from real.s3_wire import HASHED, SIGNED_CHUNKS, UNSIGNED

REQUESTS: Final = 10_000
AT_ONCE: Final = 200
NOISE: Final = 24 << 20
"""Bytes that the memory of a process may grow by: what its allocator keeps, which does not grow with the number of requests."""

BODY: Final = b"x" * 70_000
HALF: Final = 40_000
PARTS: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"y" * 50_000


def by_path() -> Behaviour:
    """A backend that does what the key says."""

    async def one(peer: Peer, complete: Complete) -> None:
        what = complete.target.rpartition(b"/")[2]
        if what == b"stall":
            await peer.until_gone()
        elif what == b"reset":
            peer.reset()
        elif what == b"long":
            await peer.send(PARTS)
            await peer.until_gone()
        elif what == b"break":
            await peer.send(PARTS)
            peer.reset()
        elif what == b"nonsense":
            await peer.send(b"nonsense\r\n\r\n")
        else:
            await peer.send(OK)

    return keep_answering(one)


Step = tuple[bytes, bool]
"""What a client sends, and whether it then waits for the beginning of an answer before it goes."""


def aborted(gateway: Gateway) -> list[Step]:
    """Ways for a request to come to nothing; one of them comes to its end."""
    put, chunks = gateway.request("PUT", "/bucket/key", body=BODY, payload=UNSIGNED), []
    for payload in (HASHED, SIGNED_CHUNKS):
        sent = gateway.request("PUT", "/bucket/key", body=BODY, payload=payload)
        chunks.append(sent.head + sent.body[:HALF])
        chunks.append(replace(sent, body=sent.body[:-50] + b"#" + sent.body[-49:]).octets)

    def get(what: str) -> bytes:
        return gateway.request("GET", f"/bucket/{what}").octets

    return [
        (put.head, False),
        (put.head + BODY[:HALF], False),
        (chunks[0], False),
        (chunks[1], True),
        (chunks[2], False),
        (chunks[3], True),
        (put.without("authorization").octets, True),
        (put.without("authorization").head + BODY[:1000], True),
        (get("stall"), False),
        (get("long"), True),
        (get("break"), True),
        (get("reset"), True),
        (get("nonsense"), True),
        (get("key"), True),
        (get("key")[:200], False),
        (get("key") + get("stall") + b"GET /", True),
        (b"GARBAGE\r\n\r\n", True),
        (b"", False),
    ]


async def go_wrong(address: tuple[str, int], step: Step) -> None:
    """One connection: send, perhaps wait for the answer to begin, and leave."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(step[0])
        await writer.drain()
        if step[1]:
            await asyncio.wait_for(reader.read(1000), 20)
    except ConnectionError:
        pass  # the gateway was the first to go
    finally:
        writer.transport.abort()


async def all_go_wrong(address: tuple[str, int], steps: list[Step], count: int) -> None:
    left = iter(islice(cycle(steps), count))

    async def some() -> None:
        for step in left:
            await go_wrong(address, step)

    await asyncio.gather(*[some() for _ in range(AT_ONCE)])


def test_ten_thousand_requests_that_come_to_nothing_leave_nothing_behind(gateway: Gateway) -> None:
    pid, backend = gateway.server.pid, gateway.backend
    backend.behave = by_path()
    steps = aborted(gateway)
    asyncio.run(
        all_go_wrong(gateway.address, steps, REQUESTS // 10)
    )  # what an allocator keeps for itself it has by now
    before = settled(gateway)
    asyncio.run(all_go_wrong(gateway.address, steps, REQUESTS))
    after = settled(gateway)
    assert backend.opened > REQUESTS // 4
    assert after[0] <= before[0]
    assert after[1] - before[1] < NOISE, (before, after)
    assert sockets(pid) <= before[0]
    gateway.check_still_served()


def settled(gateway: Gateway) -> tuple[int, int]:
    """Sockets and memory of the server, once nothing is under way: no connection to the backend, none of a client."""
    gateway.backend.run(gateway.backend.hang_up())
    gateway.backend.connections.clear()
    gateway.backend.complete.clear()
    pid, seen = gateway.server.pid, [1 << 30]

    def still() -> bool:
        seen.append(sockets(pid))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    wait_for(still)
    return seen[-1], memory(pid)


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Gateway]:
    """A gateway of two workers."""
    with running_gateway(tmp_path_factory.mktemp("pair"), workers=2) as running:
        wait_until_ready(running.server)
        yield running


def test_two_workers_serve_the_gateway_and_a_stop_lets_what_is_under_way_come_to_its_end(pair: Gateway) -> None:
    backend, going = pair.backend, asyncio.Event()
    with ExitStack() as lines:
        idle = [kept(pair, worker, lines) for worker in pair.server.workers()]
        backend.run(backend.hang_up())
        backend.forget()
        backend.behave = halves(going)
        downloads = [begun(pair, "GET", lines) for _ in range(10)]
        backend.wait_until(lambda: len(backend.complete) == 10)
        uploads = [begun(pair, "PUT", lines) for _ in range(10)]
        backend.wait_until(lambda: backend.open == 20)
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(pair.server.stop)
            assert [line.ends() for line in idle] == [b"", b""]  # both workers have begun to stop
            for upload in uploads:
                upload.send(BODY[HALF:])
            backend.wait_until(lambda: len(backend.complete) == 20)
            backend.call(going.set)
            replies = [line.reply() for line in [*downloads, *uploads]]
            assert stopping.result(30) == 0
    assert [(reply.status, reply.whole, len(reply.body)) for reply in replies] == [(200, True, 100_000)] * 20


def halves(going: asyncio.Event) -> Behaviour:
    """Half an answer at once, and the other half when it is time."""

    async def one(peer: Peer, complete: Complete) -> None:
        await peer.send(PARTS)
        await going.wait()
        await peer.send(b"y" * 50_000)

    return keep_answering(one)


def kept(gateway: Gateway, worker: int, lines: ExitStack) -> Line:
    """A connection to one worker, on which one request has been answered."""
    with only(gateway.server, worker):
        line = lines.enter_context(gateway.line())
        line.send(gateway.request("GET", "/bucket/key").octets)
        assert line.reply().status == 200
    return line


def begun(gateway: Gateway, method: str, lines: ExitStack) -> Line:
    """A request that is under way: a download that waits for more, or an upload of which half has been sent."""
    line = lines.enter_context(gateway.line())
    body = BODY if method == "PUT" else b""
    sent = gateway.request(method, "/bucket/key", body=body, payload=UNSIGNED)
    line.send(sent.head + body[:HALF])
    return line
