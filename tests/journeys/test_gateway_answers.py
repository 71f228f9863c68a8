# SPDX-License-Identifier: Apache-2.0
"""
Answers of backends that are in order, in all their forms, reach the client as they are (RFC 9110, RFC 9112); and a body is
asked for when its head is allowed, not before (``Expect: 100-continue``).
"""

from __future__ import annotations

import gzip

import pytest

from fakes.backend import OK, Behaviour, Complete, Peer, answers, answers_once, keep_answering
from journeys.gateway import HASTY, Gateway, Reply, Sent, user_keys
from real.s3_wire import HASHED, UNSIGNED, UNSIGNED_TRAILER
from running import Keys


@pytest.fixture(scope="module")
def stranger(_gateway: Gateway) -> Keys:
    """Keys of a user who may do nothing here."""
    return user_keys(_gateway.server, "stranger", "sqs:*")


def get(gateway: Gateway, method: str = "GET", **headers: str) -> Reply:
    return gateway.ask(gateway.request(method, "/bucket/key", headers=headers))


def answer(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def test_the_answer_to_head_has_a_length_and_no_body(gateway: Gateway) -> None:
    gateway.backend.behave = answers(answer("HTTP/1.1 200 OK\nContent-Length: 123456\nETag: x"))
    for _ in range(3):
        reply = get(gateway, "HEAD")
        assert (reply.status, reply.all(b"content-length"), reply.all(b"etag")) == (200, [b"123456"], [b"x"])
    assert gateway.backend.opened == 1


@pytest.mark.parametrize("more", ["", "\nContent-Length: 0", "\nTransfer-Encoding: identity"])
def test_an_answer_without_content_has_none(gateway: Gateway, more: str) -> None:
    gateway.backend.behave = answers(answer(f"HTTP/1.1 204 No Content{more}\nx-amz-version-id: 1"))
    for _ in range(3):
        reply = get(gateway, "DELETE")
        assert (reply.status, reply.body, reply.all(b"x-amz-version-id")) == (204, b"", [b"1"])
        assert reply.all(b"transfer-encoding") == reply.all(b"content-length") == []


@pytest.mark.parametrize("more", ["", "\nContent-Length: 123456"])
def test_what_is_not_modified_has_no_body_whatever_length_it_names(gateway: Gateway, more: str) -> None:
    gateway.backend.behave = answers(answer(f'HTTP/1.1 304 Not Modified\nETag: "x"{more}'))
    with gateway.line() as line:
        for _ in range(3):
            line.send(gateway.request("GET", "/bucket/key", headers={"if-none-match": '"x"'}).octets)
            reply = line.reply()
            assert (reply.status, reply.all(b"etag"), reply.all(b"content-length")) == (304, [b'"x"'], [])


def test_a_range_and_a_precondition_are_asked_for_and_answered(gateway: Gateway) -> None:
    head = "HTTP/1.1 206 Partial Content\nContent-Range: bytes 2-5/10\nContent-Length: 4"
    gateway.backend.behave = answers(answer(head, b"2345"))
    reply = get(gateway, range="bytes=2-5")
    assert (reply.status, reply.body, reply.all(b"content-range")) == (206, b"2345", [b"bytes 2-5/10"])
    assert gateway.backend.complete[0].all(b"range") == [b"bytes=2-5"]
    gateway.backend.behave = answers(answer("HTTP/1.1 412 Precondition Failed\nContent-Length: 0"))
    gateway.backend.run(gateway.backend.hang_up())
    assert get(gateway, **{"if-match": '"y"'}).status == 412


WHOLE = b"The whole of the body. " * 4000
CHUNKS = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in (WHOLE[:1], WHOLE[1:50_000], WHOLE[50_000:]))

UNMEASURED: dict[str, Behaviour] = {
    "chunks": answers(answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", CHUNKS + b"0\r\n\r\n")),
    "chunks with trailers": answers(
        answer(
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: x-a",
            CHUNKS + b"0\r\nx-a: b\r\nset-cookie: c\r\n\r\n",
        )
    ),
    "until the end": answers_once(answer("HTTP/1.1 200 OK\nConnection: close", WHOLE)),
    "HTTP/1.0": answers_once(answer("HTTP/1.0 200 OK", WHOLE)),
    "HTTP/1.0 with a length": answers_once(answer(f"HTTP/1.0 200 OK\nContent-Length: {len(WHOLE)}", WHOLE)),
    "a line feed for a line's end": answers_once(b"HTTP/1.1 200 OK\nConnection: close\n\n" + WHOLE),
}


@pytest.mark.parametrize("form", UNMEASURED)
def test_a_body_is_whole_however_its_end_is_told(gateway: Gateway, form: str) -> None:
    gateway.backend.behave = UNMEASURED[form]
    for _ in range(2):
        reply = get(gateway)
        assert (reply.status, reply.whole, reply.body == WHOLE) == (200, True, True)
        assert reply.all(b"set-cookie") == reply.all(b"x-a") == reply.all(b"trailer") == []


def test_a_length_beside_chunks_does_not_count(gateway: Gateway) -> None:
    head = "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked"
    gateway.backend.behave = answers_once(answer(head, CHUNKS + b"0\r\n\r\n"))
    reply = get(gateway)
    assert reply.status == 503 or (reply.body == WHOLE and reply.all(b"content-length") == [])


def test_what_is_compressed_stays_as_it_is(gateway: Gateway) -> None:
    packed = gzip.compress(WHOLE)
    for more in ("", "\nX-Broken: no"):
        body = packed if not more else b"not gzip at all!"
        gateway.backend.behave = answers_once(
            answer(f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(body)}{more}", body)
        )
        reply = get(gateway, **{"accept-encoding": "gzip"})
        assert (reply.body, reply.all(b"content-encoding")) == (body, [b"gzip"])
        assert reply.all(b"content-length") == [str(len(body)).encode()]


def test_headers_go_back_as_they_came_large_and_repeated_ones_too(gateway: Gateway) -> None:
    meta = "".join(f"\nx-amz-meta-{number}: {'v' * 2000}" for number in range(20))
    cookies = "\nSet-Cookie: a=1\nSet-Cookie: b=2\nset-cookie: c=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT"
    gateway.backend.behave = answers(
        answer(f"HTTP/1.1 200 OK\nContent-Length: 0\nServer: MinIO\nX-Empty:\nX-Latin: caf\u00e9{cookies}{meta}")
    )
    reply = get(gateway)
    assert reply.all(b"set-cookie") == [b"a=1", b"b=2", b"c=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]
    assert [len(reply.all(b"x-amz-meta-%d" % number)[0]) for number in range(20)] == [2000] * 20
    assert (reply.all(b"server"), reply.all(b"x-empty"), reply.all(b"x-latin")) == (
        [b"MinIO"],
        [b""],
        ["caf\u00e9".encode()],
    )


def test_headers_of_one_hop_and_of_ours_do_not_come_back(gateway: Gateway) -> None:
    more = "Keep-Alive: timeout=5\nProxy-Authenticate: Basic\nUpgrade: h2c\nTrailer: x\nx-daypass-principal: somebody"
    gateway.backend.behave = answers(answer(f"HTTP/1.1 200 OK\nContent-Length: 0\n{more}"))
    reply = get(gateway)
    for name in (b"keep-alive", b"proxy-authenticate", b"upgrade", b"trailer", b"x-daypass-principal"):
        assert reply.all(name) == []
    assert len(reply.all(b"date")) == 1


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints\nLink: </x>; rel=preload"])
def test_what_a_backend_says_in_between_is_no_answer(gateway: Gateway, interim: str) -> None:
    gateway.backend.behave = answers(answer(f"HTTP/1.1 {interim}"), answer(f"HTTP/1.1 {interim}"), OK)
    for _ in range(2):
        reply = get(gateway)
        assert (reply.status, reply.body, reply.interim) == (200, b"ok", [])


def test_a_redirect_is_the_clients_to_follow(gateway: Gateway) -> None:
    head = f"HTTP/1.1 307 Temporary Redirect\nLocation: {gateway.backend.url}/other\nContent-Length: 0"
    gateway.backend.behave = answers(answer(head))
    assert get(gateway).status == 307
    assert len(gateway.backend.complete) == 1


def test_an_upload_that_takes_longer_than_a_side_may_be_silent_is_taken(gateway: Gateway) -> None:
    """The backend reads steadily, and has said 100 (Continue) unasked: that is no reason to wait for it."""

    async def behave(peer: Peer) -> None:
        head = await peer.head()
        await peer.send(answer("HTTP/1.1 100 Continue"))
        if await peer.body(head) is not None:
            await peer.send(OK)

    gateway.backend.behave = behave
    sent = gateway.request("PUT", "/bucket/key", host=HASTY, payload=UNSIGNED, length=8 * 4096)
    with gateway.line() as line:
        line.send(sent.head)
        for _ in range(7):
            line.send(b"x" * 4096)
            line.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                line.more()
        line.socket.settimeout(10)
        line.send(b"x" * 4096)
        assert line.reply().body == b"ok"


def expecting(gateway: Gateway, keys: Keys | None = None, payload: str = HASHED) -> Sent:
    gateway_ = gateway if keys is None else Gateway(gateway.server, gateway.backend, keys)
    sent = gateway_.request("PUT", "/bucket/key", body=b"body" * 1000, payload=payload)
    return sent.plus(("expect", "100-continue"))


def test_a_body_is_not_asked_for_when_its_head_is_refused(gateway: Gateway, stranger: Keys) -> None:
    spoilt = expecting(gateway).plus(("x-amz-acl", "public-read"))
    for sent in (expecting(gateway, stranger), spoilt, expecting(gateway).without("authorization")):
        with gateway.line() as line:
            line.send(sent.head)
            reply = line.reply()
            assert (reply.status, reply.interim, reply.code) == (403, [], "AccessDenied")
            assert reply.all(b"connection") == [b"close"]
            line.send(sent.body)  # some send it all the same
            assert line.ends() == b""
    assert gateway.backend.opened == 0


@pytest.mark.parametrize("payload", [HASHED, UNSIGNED, UNSIGNED_TRAILER])
def test_a_body_is_asked_for_once_when_its_head_is_allowed(gateway: Gateway, payload: str) -> None:
    with gateway.line() as line:
        for number in range(3):
            sent = expecting(gateway, payload=payload)
            line.send(sent.head)
            assert line.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            gateway.backend.wait_until(lambda: gateway.backend.opened == 1)
            assert len(gateway.backend.complete) == number
            line.send(sent.body)
            reply = line.reply()
            assert (reply.status, reply.interim) == (200, [])
    assert [one.all(b"expect") for one in gateway.backend.complete] == [[]] * 3


def test_a_body_is_not_asked_for_when_there_is_nobody_to_give_it_to(gateway: Gateway) -> None:
    backend = gateway.backend
    backend.run(backend.close())
    try:
        with gateway.line() as line:
            line.send(expecting(gateway).head)
            reply = line.reply()
            assert (reply.status, reply.interim, reply.code) == (503, [], "ServiceUnavailable")
    finally:
        backend.run(backend.listen(backend.port))


def test_many_requests_go_over_few_connections(gateway: Gateway) -> None:
    async def one(peer: Peer, complete: Complete) -> None:
        await peer.send(answer(f"HTTP/1.1 200 OK\nContent-Length: {complete.length}", complete.body))

    gateway.backend.behave = keep_answering(one)
    with gateway.line() as line:
        for number in range(50):
            body = b"%d" % number * 100
            line.send(gateway.request("PUT", "/bucket/key", body=body).octets)
            assert line.reply().body == body
    assert gateway.backend.opened == 1
