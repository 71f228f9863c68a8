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

from daypass.clock import system_clock
from journeys.gateway import LAKE, Gateway, Sent, presigned, sha256, signed
from real.s3_wire import HASHED, PAYLOADS, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED, UNSIGNED_TRAILER
from running import Keys

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
    "transfer-encoding by an underscore and no length": _framed(
        ("transfer_encoding", "chunked"), body=lambda _: _ENDED
    ),
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
    "two spaces in the first line": _line(lambda first: first.replace(b" /", b"  /")),
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
        "/bucket/.%2e/key", "/bucket/%2e/key", "/bucket/..%2fother", "/bucket/a/..%2F..%2Fother/key", "/bucket%2F..%2Fother/key",
        "/../bucket/key", "/%2e%2e/key", "//bucket/key", "/bucket//key", "/bucket/a//b", "/bucket/%2Fkey", "/bucket/a%2F%2Fb",
        "/bucket/%00", "/bucket/a%00b", "/bucket%00/key", "/bucket%2Fkey",
        "/bucket/..;/other/key", "/bucket/%C0%AF", "/bucket/%C0%AE%C0%AE/key", "/bucket/%E0%80%AF", "/bucket/%ED%A0%80",
        "/bucket/%FF", "/bucket/%", "/bucket/%2", "/bucket/%zz", "/bucket/%u002f", "/bucket;x/key", "/bucket\\key/a",
        "/BUCKET/key", "/bucket /key", "/.bucket/key", "/", "/bucket/" + "k" * 9 * 1024, "/bucket/" + "k" * 1025,
        "/bucket/a%0D%0AX-Injected:%20b/../c",
    ) if path != "/"},
    **{f"not signed: {path!r}": _path_instead(path) for path in (
        b"/bucket/%6bey", b"/bucket/x/../key", b"/bucket/./key", b"//bucket/key", b"/bucket//key", b"/bucket/key/",
        b"/bucket/key;x", b"/bucket/key#", b"/bucket/key#fragment", b"/bucket/key?", b"/bucket/key??", b"/bucket%2Fkey",
        b"/bucket\\key", b"/bucket/key%00", b"/bucket/key%20", b"/Bucket/key", b"/bucket/k\xc3\xa9y", b"bucket/key",
        b"/bucket/key?versionId=1", b"/bucket/key&acl", b"/other/key", b"/bucket/key?acl", b"/bucket/key?X-Amz-Expires=60",
    ) if path != b"/bucket/key?"},
}  # fmt: skip
"""Which object is it?"""


def _credentials(change: Callable[[Gateway], Sent]) -> Attack:
    return lambda gateway: change(gateway).octets


def _authorization(old: str, new: str) -> Attack:
    return lambda gateway: get(gateway).edited(old.encode(), new.encode())


def _other_secret(gateway: Gateway) -> Keys:
    return replace(gateway.keys, secret_access_key="0" * 40)


CREDENTIALS: Mapping[str, Attack] = {
    "no signature": _credentials(lambda g: get(g).without("authorization")),
    "another secret": _credentials(lambda g: signed(_other_secret(g), "GET", "/bucket/key")),
    "two Authorization headers": _credentials(lambda g: get(g).plus(("authorization", get(g).value("authorization")))),
    "Authorization and Proxy-Authorization of nobody": _credentials(
        lambda g: get(g).without("authorization").plus(("proxy-authorization", get(g).value("authorization")))
    ),
    "a header and a query": _credentials(
        lambda g: replace(presigned(g.keys, "GET", "/bucket/key"), headers=get(g).headers)
    ),
    "a header and a parameter of a presigned query": _credentials(lambda g: get(g, "/bucket/key?X-Amz-Signature=0")),
    "a form beside a header": _credentials(
        lambda g: g.request(
            "POST",
            "/bucket",
            body=_FORM,
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
    ),
    "Signature Version 2": _credentials(
        lambda g: get(g).without("authorization").plus(("authorization", f"AWS {g.keys.access_key_id}:c2ln"))
    ),
    "another service": _credentials(lambda g: get(g, service="sts")),
    "the service s3express": _credentials(lambda g: get(g, service="s3express")),
    "another region": _credentials(lambda g: get(g, region="eu-central-1")),
    "the region aws-global": _credentials(lambda g: get(g, region="aws-global")),
    "a date in the scope that is not the date": _authorization(
        f"/{_today()}/us-east-1", "/20200101/us-east-1"
    ) if False else _credentials(lambda g: _scope_of_another_day(g)),
    "signed sixteen minutes ago": _credentials(lambda g: get(g, at=system_clock() - 960)),
    "signed in sixteen minutes": _credentials(lambda g: get(g, at=system_clock() + 960)),
    "a presigned request that has expired": _credentials(
        lambda g: presigned(g.keys, "GET", "/bucket/key", expires=60, at=system_clock() - 62)
    ),
    "a presigned request for longer than a week": _credentials(
        lambda g: presigned(g.keys, "GET", "/bucket/key", expires=604_801)
    ),
    "a presigned request with one more parameter": _credentials(
        lambda g: _retargeted(presigned(g.keys, "GET", "/bucket/key"), "&versionId=1")
    ),
    "a presigned request with one parameter twice": _credentials(
        lambda g: _retargeted(presigned(g.keys, "GET", "/bucket/key"), "&X-Amz-Expires=60")
    ),
    "a presigned GET as PUT": _credentials(
        lambda g: replace(presigned(g.keys, "GET", "/bucket/key"), method="PUT")
    ),
    "a presigned request with an x-amz header": _credentials(
        lambda g: presigned(g.keys, "PUT", "/bucket/key").plus(("x-amz-copy-source", "/bucket/other"))
    ),
    "a header that was signed, twice": _credentials(
        lambda g: get(g, headers={"range": "bytes=0-1"}).plus(("range", "bytes=2-3"))
    ),
    "an x-amz header that was not signed": _credentials(
        lambda g: put(g).plus(("x-amz-copy-source", "/bucket/other"))
    ),
    "an x-amz header that was not signed, in other case": _credentials(
        lambda g: put(g).plus(("X-AMZ-ACL", "public-read"))
    ),
    "an x-amz header by an underscore": _credentials(
        lambda g: put(g).plus(("x_amz_copy_source", "/bucket/other"))
    ),
    "the date twice": _credentials(lambda g: get(g).plus(("x-amz-date", get(g).value("x-amz-date")))),
    "two payload hashes": _credentials(lambda g: put(g).plus(("x-amz-content-sha256", sha256(BODY)))),
    "no payload hash": _credentials(lambda g: get(g).without("x-amz-content-sha256")),
    "a header for the backend's own use": _credentials(
        lambda g: get(g).without("authorization").plus(("x-daypass-principal", "arn:aws:iam::123456789012:root"))
    ),
}  # fmt: skip
"""Who is it, and when was it?"""


def _today() -> str:
    return ""


_FORM = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n'


def _scope_of_another_day(gateway: Gateway) -> Sent:
    sent = get(gateway)
    day = sent.value("x-amz-date")[:8]
    headers = tuple((name, value.replace(f"/{day}/", "/20200101/")) for name, value in sent.headers)
    return replace(sent, headers=headers)


def _retargeted(sent: Sent, more: str) -> Sent:
    return replace(sent, target=sent.target + more)


LONG = b"0123456789abcdef" * 12_500
"""200,000 bytes: more than one piece."""


def _spoiled(payload: str, body: bytes) -> Attack:
    """One byte of the body is another than was signed, or than its checksum says."""

    def attack(gateway: Gateway) -> bytes:
        sent = put(gateway, body=body, payload=payload)
        at = sent.body.rindex(body[-8:])
        return replace(sent, body=sent.body[:at] + b"#" + sent.body[at + 1 :]).octets

    return attack


def _cut(payload: str, by: int) -> Attack:
    """The request ends, but its body has not come whole: the client hangs up there."""
    return lambda gateway: put(gateway, body=LONG, payload=payload).octets[:-by]


def _resized(payload: str, *, by: int, body: bytes = LONG) -> Attack:
    """The body is longer, or shorter, than was signed; its Content-Length is the truth."""

    def attack(gateway: Gateway) -> bytes:
        sent = put(gateway, body=body, payload=payload)
        changed = sent.body + b"x" * by if by > 0 else sent.body[:by]
        length = ("content-length", str(len(changed)))
        return replace(sent.without("content-length").plus(length), body=changed).octets

    return attack


_PROMISING = tuple(payload for payload in PAYLOADS if payload != UNSIGNED)

BODIES: Mapping[str, Attack] = {
    **{f"{payload}: one byte changed, {len(body)} bytes": _spoiled(payload, body)
       for payload in _PROMISING for body in (BODY, LONG)},
    **{f"{payload}: longer than signed": _resized(payload, by=1) for payload in _PROMISING},
    **{f"{payload}: shorter than signed": _resized(payload, by=-1) for payload in _PROMISING},
    **{f"{payload}: a piece missing": _resized(payload, by=-70_000) for payload in _PROMISING},
    "another body under the same digest": lambda g: put(g, payload=HASHED, claimed=b"?" * len(BODY)).octets,
    "a body where none was signed": lambda g: replace(
        get(g).plus(("content-length", str(len(BODY)))), body=BODY
    ).octets,
    "a request as the body where none was signed": lambda g: replace(
        get(g).plus(("content-length", str(len(hidden(g))))), body=hidden(g)
    ).octets,
    "no body where one was signed": lambda g: replace(
        put(g, payload=HASHED, claimed=BODY, body=b"").plus(("content-length", "0"))
    ).octets,
    "a trailer that was not announced": lambda g: _with_trailer(g, b"x-amz-meta-other:1\r\n"),
    "a trailer that names Authorization": lambda g: _with_trailer(g, b"authorization:AWS4-HMAC-SHA256 x\r\n"),
    "no trailer": lambda g: _with_trailer(g, b"", instead=True),
    "another checksum": lambda g: _with_trailer(g, b"x-amz-checksum-crc32:AAAAAA==\r\n", instead=True),
    "the checksum twice": lambda g: _with_trailer(g, b"x-amz-checksum-crc32:AAAAAA==\r\n"),
    "a chunk signature left out": lambda g: _without_signature(g),
    "chunks of another order": lambda g: _swapped(g),
    "the last chunk left out": lambda g: _ended_early(g),
    "signed chunks said to be plain": lambda g: put(g, payload=SIGNED_CHUNKS)
    .edited(SIGNED_CHUNKS.encode(), UNSIGNED.encode()),
    "a longer decoded length": lambda g: put(g, payload=SIGNED_CHUNKS).edited(
        b"x-amz-decoded-content-length: 39", b"x-amz-decoded-content-length: 40"
    ),
}  # fmt: skip
"""Is it the body that was signed?"""

CUT: Mapping[str, Attack] = {
    f"{payload}: {by} bytes missing": _cut(payload, by) for payload in PAYLOADS for by in (1, 2, 100, 100_000)
}
"""Bodies that do not come whole."""


def _refit(sent: Sent, body: bytes) -> bytes:
    return replace(sent.without("content-length").plus(("content-length", str(len(body)))), body=body).octets


def _with_trailer(gateway: Gateway, line: bytes, *, instead: bool = False) -> bytes:
    sent = put(gateway, payload=UNSIGNED_TRAILER)
    chunks, mark, trailer = sent.body.rpartition(b"0\r\n")
    return _refit(sent, chunks + mark + line + (b"\r\n" if instead else trailer))


def _without_signature(gateway: Gateway) -> bytes:
    sent = put(gateway, payload=SIGNED_CHUNKS)
    return _refit(sent, sent.body.replace(sent.body[2:83], b"", 1))


def _swapped(gateway: Gateway) -> bytes:
    sent = put(gateway, body=b"a" * 65_536 + b"b" * 65_536, payload=SIGNED_CHUNKS)
    size = (len(sent.body) - len(b"0;chunk-signature=\r\n\r\n") - 64) // 2
    first, second, rest = sent.body[:size], sent.body[size : 2 * size], sent.body[2 * size :]
    return _refit(sent, second + first + rest)


def _ended_early(gateway: Gateway) -> bytes:
    sent = put(gateway, body=LONG, payload=SIGNED_CHUNKS_TRAILER)
    return _refit(sent, sent.body[: sent.body.rindex(b"0;chunk-signature=")])
