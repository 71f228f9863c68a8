# SPDX-License-Identifier: Apache-2.0
"""
Requests to a gateway whose credential or body is not what it should be; otherwise as those of ``journeys.gateway_attacks``.

Sources: IAM User Guide, "Signature Version 4"; S3 API Reference, "Authenticating Requests"; docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from daypass.clock import system_clock
from journeys.gateway import Gateway, Sent, presigned, sha256, signed
from journeys.gateway_attacks import BODY, Attack, get, hidden, put
from real.s3_wire import HASHED, PAYLOADS, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED, UNSIGNED_TRAILER
from running import Keys

_FORM = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n'


def _credentials(change: Callable[[Gateway], Sent]) -> Attack:
    return lambda gateway: change(gateway).octets


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
    "a date in the scope that is not the date": lambda g: _scope_of_another_day(g).octets,
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
        put(g, body=b"", payload=HASHED).plus(("content-length", str(len(BODY)))), body=BODY
    ).octets,
    "a request as the body where none was signed": lambda g: replace(
        put(g, body=b"", payload=HASHED).plus(("content-length", str(len(hidden(g))))), body=hidden(g)
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
