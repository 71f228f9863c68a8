# SPDX-License-Identifier: Apache-2.0
"""
Requests to a gateway that it must refuse, as bytes. Each is good, and signed by somebody who may do anything, but for the one
thing that its name says.

Sources: RFC 9112 sections 3, 5, 6, 7 and 11.2; RFC 9110 sections 5, 7.6 and 10.1; the attacks of public corpora on request
smuggling ("HTTP Desync Attacks"); docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from journeys.gateway import LAKE, Gateway, Sent
from real.s3_wire import HASHED, UNSIGNED

Attack = Callable[[Gateway], bytes]

HIDDEN = b"hidden"
BODY = b"the body of the request, of some length"
CHUNKED = ("transfer-encoding", "chunked")


def put(gateway: Gateway, **options: object) -> Sent:
    """An upload of ``BODY``."""
    return gateway.request("PUT", "/bucket/key", **{"body": BODY, "payload": UNSIGNED, **options})


def get(gateway: Gateway, target: str = "/bucket/key", **options: object) -> Sent:
    """A download."""
    return gateway.request("GET", target, **options)


def hidden(gateway: Gateway) -> bytes:
    """A request that is in order, for those who look for one where there should be none."""
    return get(gateway, f"/bucket/{HIDDEN.decode()}").octets


def _framed(*headers: tuple[str, str], body: Callable[[Gateway], bytes] = lambda _: BODY) -> Attack:
    """An upload with these instead of its Content-Length."""

    def attack(gateway: Gateway) -> bytes:
        sent = put(gateway).without("content-length")
        return replace(sent.plus(*headers), body=body(gateway)).octets

    return attack


def _line(edit: Callable[[bytes], bytes]) -> Attack:
    """A download with another first line."""

    def attack(gateway: Gateway) -> bytes:
        first, _, rest = get(gateway).octets.partition(b"\r\n")
        return edit(first) + b"\r\n" + rest

    return attack


def _raw(line: bytes, end: bytes = b"\r\n") -> Attack:
    """A download with this line before the last."""
    return lambda gateway: get(gateway).octets[:-2] + line + end + b"\r\n"


def _one_chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n0\r\n" % (len(data), extension, data)


_ENDED = _one_chunk(BODY) + b"\r\n"


def _bearing(method: str) -> Attack:
    """A request that bears a body which means nothing, and is a request for whoever does not read it."""
    return lambda gateway: gateway.request(method, "/bucket/key", body=hidden(gateway)).octets


FRAMING: Mapping[str, Attack] = {
    "a length and chunks": _framed(("content-length", str(len(_ENDED))), CHUNKED, body=lambda _: _ENDED),
    "chunks and a length": _framed(CHUNKED, ("content-length", "4"), body=lambda g: b"0\r\n\r\n" + hidden(g)),
    "a length of zero and chunks": _framed(("content-length", "0"), CHUNKED, body=lambda g: b"0\r\n\r\n" + hidden(g)),
    "two lengths": _framed(("content-length", str(len(BODY))), ("content-length", "0")),
    "twice the same length": _framed(*[("content-length", str(len(BODY)))] * 2),
    "a list of lengths": _framed(("content-length", f"{len(BODY)}, {len(BODY)}")),
    "a length with a plus": _framed(("content-length", f"+{len(BODY)}")),
    "a negative length": _framed(("content-length", "-1")),
    "a length with a space inside": _framed(("content-length", "3 9")),
    "a length in hexadecimal": _framed(("content-length", "0x27")),
    "a length with an underscore": _framed(("content-length", "3_9")),
    "a length with a fraction": _framed(("content-length", "39.0")),
    "a length in other digits": _framed(("content-length", "\xb9\xb3")),
    "an empty length": _framed(("content-length", "")),
    "a length beyond 64 bits": _framed(("content-length", "18446744073709551655")),
    "a length of twenty nines": _framed(("content-length", "9" * 20)),
    "xchunked": _framed(("transfer-encoding", "xchunked"), body=lambda _: _ENDED),
    "chunked twice in a list": _framed(("transfer-encoding", "chunked, chunked"), body=lambda _: _ENDED),
    "chunked twice": _framed(CHUNKED, CHUNKED, body=lambda _: _ENDED),
    "identity": _framed(("transfer-encoding", "identity"), ("content-length", str(len(BODY)))),
    "identity alone": _framed(("transfer-encoding", "identity")),
    "chunked, identity": _framed(("transfer-encoding", "chunked, identity"), body=lambda _: _ENDED),
    "gzip, chunked": _framed(("transfer-encoding", "gzip, chunked"), body=lambda _: _ENDED),
    "chunked in quotes": _framed(("transfer-encoding", '"chunked"'), body=lambda _: _ENDED),
    "chunked behind a vertical tab": _framed(("transfer-encoding", "\x0bchunked"), body=lambda _: _ENDED),
    "chunked and a null": _framed(("transfer-encoding", "chunked\x00"), body=lambda _: _ENDED),
    "chunked with a parameter": _framed(("transfer-encoding", "chunked;q=1"), body=lambda _: _ENDED),
    "an empty transfer coding": _framed(("transfer-encoding", ""), body=lambda _: _ENDED),
    "a space before the colon of transfer-encoding": _framed(("transfer-encoding ", "chunked"), body=lambda _: _ENDED),
    "a tab before the colon of content-length": _framed(("content-length\t", str(len(BODY)))),
    "chunks by HTTP/1.0": lambda g: (
        replace(put(g).without("content-length").plus(CHUNKED), body=_ENDED, version="HTTP/1.0").octets
    ),
    "a size of a chunk with a sign": _framed(CHUNKED, body=lambda _: b"+1\r\na\r\n0\r\n\r\n"),
    "a size of a chunk with 0x": _framed(CHUNKED, body=lambda _: b"0x1\r\na\r\n0\r\n\r\n"),
    "a size of a chunk beyond 64 bits": _framed(CHUNKED, body=lambda _: b"10000000000000001\r\na\r\n0\r\n\r\n"),
    "a size of a chunk that is none": _framed(CHUNKED, body=lambda _: b"\r\na\r\n0\r\n\r\n"),
    "a chunk that ends with a line feed": _framed(CHUNKED, body=lambda _: b"1\na\n0\n\n"),
    "a chunk that is longer than it says": _framed(CHUNKED, body=lambda g: b"1\r\nab\r\n0\r\n\r\n" + hidden(g)),
    "an extension with a line feed": _framed(CHUNKED, body=lambda _: b"1;a\nb\r\na\r\n0\r\n\r\n"),
    **{f"a request as the body of a {method}": _bearing(method) for method in ("GET", "HEAD", "DELETE")},
    "a length behind the last chunk": _framed(CHUNKED, body=lambda _: _one_chunk(BODY) + b"content-length: 5\r\n\r\n"),
    "a coding behind the last chunk": _framed(
        CHUNKED, body=lambda _: _one_chunk(BODY) + b"transfer-encoding: chunked\r\n\r\n"
    ),
    "a digest, and chunks without a length": lambda g: (
        replace(put(g, payload=HASHED).without("content-length").plus(CHUNKED), body=_ENDED).octets
    ),
    "chunks with an extension, and no length of the whole": _framed(
        CHUNKED, body=lambda _: _one_chunk(BODY, b";a=b") + b"\r\n"
    ),
}
"""Where does the body end?"""

HEADS: Mapping[str, Attack] = {
    "lines that end with a line feed": lambda g: get(g).octets.replace(b"\r\n", b"\n"),
    "one line that ends with a line feed": _raw(b"x-one: 1", b"\n"),
    "a carriage return inside a line": _raw(b"x-one: 1\rx-two: 2"),
    "a null in a value": _raw(b"x-one: a\x00b"),
    "a null in a name": _raw(b"x-o\x00ne: a"),
    "a control character in a value": _raw(b"x-one: a\x01b"),
    "a delete in a value": _raw(b"x-one: a\x7fb"),
    "a folded line": _raw(b"x-one: 1\r\n folded"),
    "a line folded with a tab": _raw(b"x-one: 1\r\n\tfolded"),
    "a folded first line": lambda g: get(g).octets.replace(b"\r\n", b"\r\n x: y\r\n", 1),
    "a space before a colon": _raw(b"x-one : 1"),
    "a space in a name": _raw(b"x one: 1"),
    "a line without a colon": _raw(b"x-one"),
    "an empty name": _raw(b": 1"),
    "a name that is not ASCII": _raw(b"x-\xc3\xbc: 1"),
    "HTTP/0.9": lambda g: b"GET /bucket/key\r\n\r\n",
    "a first line of HTTP/0.9 and headers": _line(lambda first: first.removesuffix(b" HTTP/1.1")),
    "HTTP/2.0": _line(lambda first: first.replace(b"HTTP/1.1", b"HTTP/2.0")),
    "HTTP/1.2": _line(lambda first: first.replace(b"HTTP/1.1", b"HTTP/1.2")),
    "HTTP/0.9 by name": _line(lambda first: first.replace(b"HTTP/1.1", b"HTTP/0.9")),
    "http in lower case": _line(lambda first: first.replace(b"HTTP/1.1", b"http/1.1")),
    "the preface of HTTP/2": lambda g: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": lambda g: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "the absolute form with another authority": _line(lambda first: first.replace(b" /", b" http://other.example/")),
    "the absolute form with the same authority": _line(
        lambda first: first.replace(b" /", b" http://" + LAKE.encode() + b"/")
    ),
    "the absolute form without a path": _line(lambda first: b"GET http://lake.example HTTP/1.1"),
    "the authority form": _line(lambda first: b"GET lake.example:80 HTTP/1.1"),
    "OPTIONS *": lambda g: replace(g.request("OPTIONS", "/"), target="*").octets,
    "GET *": _line(lambda first: b"GET * HTTP/1.1"),
    "CONNECT": lambda g: replace(g.request("CONNECT", "/"), target="lake.example:443").octets,
    "CONNECT with a path": lambda g: g.request("CONNECT", "/bucket/key").octets,
    "TRACE": lambda g: g.request("TRACE", "/bucket/key").octets,
    "a method of another case": lambda g: get(g).octets.replace(b"GET", b"get", 1),
    "a method that there is not": lambda g: g.request("FETCH", "/bucket/key").octets,
    "a tab in the first line": _line(lambda first: first.replace(b" /", b"\t/")),
    "a space in the path": _line(lambda first: first.replace(b"key", b"k ey")),
    "Upgrade: h2c": lambda g: (
        get(g).plus(("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "AAMA")).octets
        + hidden(g)
    ),
    "Upgrade: websocket": lambda g: (
        get(g).plus(("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "a" * 22 + "==")).octets
    ),
    "Connection takes a header away that was decided by": lambda g: (
        g.request("PUT", "/bucket/key", headers={"x-amz-copy-source": "/bucket/other"})
        .plus(("connection", "x-amz-copy-source"))
        .octets
    ),
    "Connection: close and a header": lambda g: get(g).plus(("connection", "close, authorization")).octets,
    "another expectation": lambda g: put(g).plus(("expect", "200-ok")).octets,
    "two expectations": lambda g: put(g).plus(("expect", "100-continue, x")).octets,
    "101 headers": lambda g: get(g).plus(*[(f"x-{number}", "1") for number in range(101)]).octets,
    "headers of 70 KB": lambda g: get(g).plus(*[(f"x-{number}", "v" * 7000) for number in range(10)]).octets,
    "a header of 140 KB": lambda g: get(g).plus(("x-one", "v" * 140_000)).octets,
    "no host": lambda g: get(g).without("host").octets,
    "two hosts": lambda g: get(g).plus(("host", "other.example")).octets,
    "twice the same host": lambda g: get(g).plus(("host", LAKE)).octets,
    "another host": lambda g: get(g).edited(b"host: lake.example", b"host: hasty.example"),
    "a host and a user": lambda g: get(g).edited(b"host: lake.example", b"host: user@lake.example"),
}
"""What does the head say?"""


def _signed_path(path: str) -> Attack:
    return lambda gateway: get(gateway, path).octets


def _path_instead(path: bytes, of: str = "/bucket/key") -> Attack:
    """A path that is not the one that was signed, though some would say that it means the same."""
    return lambda gateway: get(gateway, of).octets.replace(b" " + of.encode() + b" ", b" " + path + b" ", 1)


PATHS: Mapping[str, Attack] = {
    **{f"signed: {path}": _signed_path(path) for path in (
        "/bucket/../other/key", "/bucket/./key", "/bucket/..", "/bucket/%2e%2e/other/key", "/bucket/%2E./key",
        "/bucket/.%2e/key", "/bucket/%2e/key", "/bucket/..%2fother", "/bucket/a/..%2F..%2Fother/key",
        "/bucket%2F..%2Fother/key",
        "/../bucket/key", "/%2e%2e/key", "//bucket/key", "/bucket//key", "/bucket/a//b", "/bucket/%2Fkey", "/bucket/a%2F%2Fb",
        "/bucket/%00", "/bucket/a%00b", "/bucket%00/key", "/bucket%2Fkey",
        "/bucket/..;/other/key", "/bucket/..%3Bx/key", "/bucket/%2e%2e;a=b/key", "/bucket/.;/key",
        "/bucket/%C0%AF", "/bucket/%C0%AE%C0%AE/key", "/bucket/%E0%80%AF", "/bucket/%ED%A0%80",
        "/bucket/%FF", "/bucket/%", "/bucket/%2", "/bucket/%zz", "/bucket/%u002f", "/bucket;x/key", "/bucket\\key/a",
        "/BUCKET/key", "/bucket /key", "/.bucket/key", "/bucket/%6bey", "/bucket/" + "k" * 9 * 1024, "/bucket/" + "k" * 1025,
        "/bucket/a%0D%0AX-Injected:%20b/../c",
    )},
    **{f"not signed: {path!r}": _path_instead(path) for path in (
        b"/bucket/x/../key", b"/bucket/./key", b"//bucket/key", b"/bucket//key", b"/bucket/key/",
        b"/bucket/key;x", b"/bucket/key#", b"/bucket/key#fragment", b"/bucket/key??", b"/bucket%2Fkey",
        b"/bucket\\key", b"/bucket/key%00", b"/bucket/key%20", b"/Bucket/key", b"/bucket/k\xc3\xa9y", b"bucket/key",
        b"/bucket/key?versionId=1", b"/bucket/key&acl", b"/other/key", b"/bucket/key?acl", b"/bucket/key?X-Amz-Expires=60",
    )},
}  # fmt: skip
"""Which object is it?"""
