# SPDX-License-Identifier: Apache-2.0
"""
S3 requests by hand: every byte of the target as the test wants it, signed in each of the ways that S3 has for a body.

AWS's page "Signature calculations for the Authorization header: transferring a payload in multiple chunks", and the one on
trailing checksums. It shares no code with what it tests, nor with botocore, which has no chunk signatures.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPResponse
from urllib.parse import quote, unquote_to_bytes, urlsplit

from running import Keys

HASHED = "the hash of the body"
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
PAYLOADS = (HASHED, UNSIGNED, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED_TRAILER)
"""What ``x-amz-content-sha256`` says."""

EMPTY = hashlib.sha256(b"").hexdigest()
CHUNK = 64 * 1024
"""Bytes; S3 wants at least 8 KB in every chunk but the last."""


@dataclass(frozen=True)
class WireAnswer:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Signer:
    """Signs for one instant."""

    keys: Keys
    region: str
    date: str
    service: str = "s3"

    @property
    def scope(self) -> str:
        """``DATE/REGION/SERVICE/aws4_request``."""
        return f"{self.date[:8]}/{self.region}/{self.service}/aws4_request"

    def sign(self, kind: str, *lines: str) -> str:
        """The signature of a string to sign: its algorithm, the date, the scope, and what follows them."""
        key = f"AWS4{self.keys.secret_access_key}".encode()
        for part in self.scope.split("/"):
            key = _mac(key, part.encode())
        return _mac(key, "\n".join([kind, self.date, self.scope, *lines]).encode()).hex()

    def seed(self, method: str, target: str, headers: Mapping[str, str]) -> str:
        """The signature of the request itself, over every header. S3: the path is not normalised, escaped once."""
        path, _, query = target.partition("?")
        pairs = sorted(_canonical_pair(pair) for pair in query.split("&") if pair)
        names = sorted(name.lower() for name in headers)
        lines = [f"{name}:{value}" for name, value in sorted((k.lower(), v) for k, v in headers.items())]
        canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
        payload = headers["x-amz-content-sha256"]
        request = [method, _escaped(path, "/"), canonical_query, *lines, "", ";".join(names), payload]
        return self.sign("AWS4-HMAC-SHA256", _sha256("\n".join(request).encode()))


def send(
    url: str,
    keys: Keys,
    method: str,
    target: str,
    *,
    body: bytes = b"",
    payload: str = HASHED,
    headers: Mapping[str, str] | None = None,
    region: str = "us-east-1",
    chunk: int = CHUNK,
    spoil: bool = False,
) -> WireAnswer:
    """
    Send one request and read the answer.

    - ``target``: path and query, exactly as they go into the first line. ``headers``: more of them, all signed.
    - ``payload``: one of ``PAYLOADS``. ``spoil``: change one byte of the body after it was signed.
    """
    host = urlsplit(url).netloc
    signer = Signer(keys, region, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    chunked = payload not in (HASHED, UNSIGNED)
    all_headers = {
        "host": host,
        "x-amz-date": signer.date,
        "x-amz-content-sha256": _sha256(body) if payload == HASHED else payload,
        **({} if keys.session_token is None else {"x-amz-security-token": keys.session_token}),
        **({"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(body))} if chunked else {}),
        **({"x-amz-trailer": "x-amz-checksum-crc32"} if payload.endswith("-TRAILER") else {}),
        **(headers or {}),
    }
    seed = signer.seed(method, target, all_headers)
    sent = b"".join(_pieces(signer, seed, body, payload, chunk)) if chunked else body
    if spoil:
        at = sent.rindex(body[-8:]) if body else 0
        sent = sent[:at] + bytes([sent[at] ^ 1]) + sent[at + 1 :]
    names = ";".join(sorted(all_headers))
    credential = f"Credential={keys.access_key_id}/{signer.scope}, SignedHeaders={names}, Signature={seed}"
    all_headers |= {"authorization": f"AWS4-HMAC-SHA256 {credential}", "content-length": str(len(sent))}
    return exchange(url, method, target, all_headers, sent)


def exchange(url: str, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> WireAnswer:
    """One request, byte for byte, on a connection of its own."""
    parts = urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        try:
            connection.sendall(head + body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the body was read to its end; the answer may be there
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        with answer:
            return WireAnswer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def _pieces(signer: Signer, seed: str, body: bytes, payload: str, chunk: int) -> Iterator[bytes]:
    """The body in ``aws-chunked`` form."""
    before = seed
    for start in [*range(0, len(body), chunk), len(body)]:
        data = body[start : start + chunk]
        if payload == UNSIGNED_TRAILER:
            head = f"{len(data):x}\r\n"
        else:
            before = signer.sign("AWS4-HMAC-SHA256-PAYLOAD", before, EMPTY, _sha256(data))
            head = f"{len(data):x};chunk-signature={before}\r\n"
        yield head.encode() + (data + b"\r\n" if data else b"")
    if payload.endswith("-TRAILER"):
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        yield f"x-amz-checksum-crc32:{checksum}\r\n".encode()
        if payload == SIGNED_CHUNKS_TRAILER:
            trailer = _sha256(f"x-amz-checksum-crc32:{checksum}\n".encode())
            signature = signer.sign("AWS4-HMAC-SHA256-TRAILER", before, trailer)
            yield f"x-amz-trailer-signature:{signature}\r\n".encode()
    yield b"\r\n"


def path_of(bucket: str, key: str) -> str:
    """The path of an object, path style, as SDKs escape it: everything but the unreserved characters and the slash."""
    return f"/{quote(bucket, safe='')}/{quote(key, safe='-._~/')}"


def _canonical_pair(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return _escaped(name, ""), _escaped(value, "")


def _escaped(text: str, safe: str) -> str:
    return quote(unquote_to_bytes(text), safe=f"-._~{safe}")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
