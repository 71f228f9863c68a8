# SPDX-License-Identifier: Apache-2.0
"""Uploads in chunks: AWS's two documented examples, and a client of our own that makes exactly the asked-for mistake."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from daypass.errors import DaypassError, Reason
from daypass.sigv4 import (
    S3_PAYLOADS,
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    Body,
    PathStyle,
    RawRequest,
    derive_signing_key,
    open_body,
)
from sigv4.signing import SECRET, Received, sign

DOCUMENTED_SECRET = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DOCUMENTED_TIME = 1369353600.0
TIMESTAMP = b"20150830T123600Z"
SCOPE = "20150830/us-east-1/s3/aws4_request"
CHUNK = 8192

PLAIN_HEADERS = (
    (b"host", b"s3.amazonaws.com"),
    (b"x-amz-date", b"20130524T000000Z"),
    (b"x-amz-storage-class", b"REDUCED_REDUNDANCY"),
    (b"content-encoding", b"aws-chunked"),
    (b"x-amz-decoded-content-length", b"66560"),
)


@dataclass(frozen=True)
class Upload:
    """A request whose body comes in chunks, and that body as it is sent."""

    received: Received
    sent: bytes
    secret: bytes = SECRET

    def open(self) -> Body:
        authorization = self.received.read()
        verified = self.received.verify(secret=self.secret, payload_hash=None, accepted_payloads=S3_PAYLOADS)
        return open_body(authorization, verified, secret=self.secret)

    def decode(self, parts: Sequence[bytes] | None = None) -> bytes:
        return decode(self.open(), [self.sent] if parts is None else parts)

    def refused(self, sent: bytes | None = None) -> Reason:
        with pytest.raises(DaypassError) as caught:
            self.decode([self.sent if sent is None else sent])
        return caught.value.reason


def decode(body: Body, parts: Sequence[bytes]) -> bytes:
    pieces = [bytes(piece) for part in parts for piece in body.feed(part)]
    return b"".join(pieces + [bytes(piece) for piece in body.finish()])


def _documented(signed_headers: bytes, signature: bytes, *headers: tuple[bytes, bytes]) -> Received:
    credential = b"AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    value = b"AWS4-HMAC-SHA256 Credential=%b, SignedHeaders=%b, Signature=%b" % (credential, signed_headers, signature)
    authorization = (b"authorization", value)
    request = RawRequest("PUT", b"/examplebucket/chunkObject.txt", b"", (*PLAIN_HEADERS, *headers, authorization))
    return Received(request, b"", "s3", PathStyle.RAW, DOCUMENTED_TIME)


def documented() -> Upload:
    """S3 API, "Transferring Payload in Multiple Chunks": the example of 66 560 bytes."""
    received = _documented(
        b"content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        b"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        (b"x-amz-content-sha256", STREAMING_SIGNED.encode()),
        (b"content-length", b"66824"),
    )
    sent = _documented_chunks(
        b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )
    return Upload(received, sent + b"\r\n", DOCUMENTED_SECRET)


def documented_with_trailer() -> Upload:
    """S3 API, "Signature calculations for trailing headers": the same bytes, and their CRC-32C in the trailer."""
    received = _documented(
        b"content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        b"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        (b"x-amz-content-sha256", STREAMING_SIGNED_TRAILER.encode()),
        (b"x-amz-trailer", b"x-amz-checksum-crc32c"),
    )
    sent = _documented_chunks(
        b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    trailer = b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:%b\r\n\r\n"
    signature = b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    return Upload(received, sent + trailer % signature, DOCUMENTED_SECRET)


def _documented_chunks(first: bytes, second: bytes, last: bytes) -> bytes:
    parts = ((b"10000", first, 65_536), (b"400", second, 1_024))
    data = b"".join(b"%b;chunk-signature=%b\r\n%b\r\n" % (size, sig, b"a" * count) for size, sig, count in parts)
    return data + b"0;chunk-signature=%b\r\n" % last


def crc32(data: bytes) -> bytes:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))


@dataclass
class Client:
    """Sends chunks as it is told. Written apart from what it tests."""

    word: str = STREAMING_SIGNED
    chunks: Sequence[bytes] = (b"a" * CHUNK, b"b" * CHUNK, b"c" * 100)
    trailers: Sequence[tuple[bytes, bytes]] | None = None
    announced: bytes | None = None
    length: bytes | None = None
    key: bytes = b"/bucket/key"
    secret: bytes = SECRET

    def __post_init__(self) -> None:
        data = b"".join(self.chunks)
        if self.trailers is None:
            self.trailers = [(b"x-amz-checksum-crc32", crc32(data))] if "TRAILER" in self.word else []
        if self.announced is None and self.trailers:
            self.announced = b",".join(name for name, _ in self.trailers)
        if self.length is None:
            self.length = b"%d" % len(data)

    @property
    def signs(self) -> bool:
        return self.word in (STREAMING_SIGNED, STREAMING_SIGNED_TRAILER)

    def head(self) -> Received:
        headers = [
            (b"host", b"s3.example.org"),
            (b"x-amz-date", TIMESTAMP),
            (b"x-amz-content-sha256", self.word.encode()),
            (b"x-amz-decoded-content-length", self.length or b""),
        ]
        if self.announced is not None:
            headers.append((b"x-amz-trailer", self.announced))
        received = Received(RawRequest("PUT", self.key, b"", tuple(headers)), b"", "s3", PathStyle.RAW, 1440938160.0)
        return sign(received, scope=SCOPE, payload=self.word)

    def pieces(self) -> list[bytes]:
        """The body as it is sent: each chunk, the last one, the trailer, the end."""
        received = self.head()
        previous = received.header(b"authorization").rpartition(b"Signature=")[2]
        key = derive_signing_key(self.secret, "20150830", "us-east-1", "s3")
        sent = []
        for data in (*self.chunks, b""):
            line = b"%x" % len(data)
            if self.signs:
                text = self._text(
                    b"PAYLOAD", previous, hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()
                )
                previous = hmac.new(key, text, "sha256").hexdigest().encode()
                line += b";chunk-signature=" + previous
            sent.append(line + b"\r\n" + (data + b"\r\n" if data else b""))
        for name, value in self.trailers or ():
            sent.append(name + b":" + value + b"\r\n")
        if self.word == STREAMING_SIGNED_TRAILER:
            canonical = b"".join(name + b":" + value + b"\n" for name, value in sorted(self.trailers or ()))
            text = self._text(b"TRAILER", previous, hashlib.sha256(canonical).hexdigest())
            signature = hmac.new(key, text, "sha256").hexdigest().encode()
            sent.append(b"x-amz-trailer-signature:" + signature + b"\r\n")
        return [*sent, b"\r\n"]

    def upload(self) -> Upload:
        return Upload(self.head(), b"".join(self.pieces()))

    @staticmethod
    def _text(kind: bytes, previous: bytes, *digests: str) -> bytes:
        head = b"\n".join([b"AWS4-HMAC-SHA256-" + kind, TIMESTAMP, SCOPE.encode(), previous])
        return b"\n".join([head, *(digest.encode() for digest in digests)])


SIGNED = Client(STREAMING_SIGNED)
SIGNED_TRAILER = Client(STREAMING_SIGNED_TRAILER)
UNSIGNED_TRAILER = Client(STREAMING_UNSIGNED_TRAILER)
CLIENTS = {client.word: client for client in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)}


def sending(client: Client, **changes: object) -> Upload:
    """What the client sends once something about it is changed; the trailers are made anew."""
    return replace(client, **{"trailers": None, "announced": None, "length": None, **changes}).upload()  # type: ignore[arg-type]
