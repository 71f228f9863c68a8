# SPDX-License-Identifier: Apache-2.0
"""
A running gateway before a backend to edit, and requests for it as bytes: signed in each of S3's ways, and altered as a test
likes.

``Sent`` is a request on its way: its first line, its headers in their order, its body. ``Line`` is a connection of a client
that sends and reads what it is told to, and no more.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from fakes.backend import Backend
from real.s3_wire import EMPTY, HASHED, SIGNED_CHUNKS_TRAILER, UNSIGNED, UNSIGNED_TRAILER, Signer
from running import Keys, Server, running_server

ACCOUNT = "123456789012"
REGION = "us-east-1"
BACKEND_SECRET = "backend-secret-key"
ALGORITHM = "AWS4-HMAC-SHA256"
Pairs = tuple[tuple[str, str], ...]

CONFIGURATION = """
gateway:
  backends:
    - {{name: lake, service: s3, upstream: "{url}", region: us-east-1, account: "123456789012",
        match: {{host: lake.example}}, sign_as: {{access_key_id: backend, secret_access_key: {{file: {secret}}}}}}}
    - {{name: hasty, service: s3, upstream: "{url}", region: us-east-1, account: "123456789012", idle_seconds: 1,
        match: {{host: hasty.example}}, sign_as: {{access_key_id: backend, secret_access_key: {{file: {secret}}}}}}}
"""
"""Two backends that are one, by two hosts: the second waits for a second only."""

LAKE, HASTY = "lake.example", "hasty.example"


@dataclass(frozen=True)
class Gateway:
    """A server with a gateway, the backend behind it, and the keys of a user who may do anything in S3."""

    server: Server
    backend: Backend
    keys: Keys

    @property
    def address(self) -> tuple[str, int]:
        """Where the gateway listens."""
        parts = urlsplit(str(self.server.announced["gateway"]))
        return parts.hostname or "", parts.port or 0

    def line(self, **options: Any) -> Line:
        """A new connection of a client."""
        return Line(self.address, **options)

    def request(self, method: str, target: str, **options: Any) -> Sent:
        """A request as it should be, signed by the user."""
        return signed(self.keys, method, target, **options)

    def ask(self, sent: Sent | bytes) -> Reply:
        """Send a request on a connection of its own, and read until it ends or the answer does."""
        octets = sent if isinstance(sent, bytes) else sent.octets
        with self.line() as line:
            line.send(octets)
            return line.reply(head=octets.startswith(b"HEAD "))

    def check_still_served(self) -> None:
        """An ordinary request on a new connection is answered, and is the next one that the backend sees."""
        seen = len(self.backend.complete)
        assert self.ask(self.request("GET", "/bucket/ordinary")).status == 200
        assert [one.target for one in self.backend.complete[seen:]] == [b"/bucket/ordinary"]


@contextmanager
def running_gateway(folder: Path, **settings: Any) -> Iterator[Gateway]:
    """A server with a gateway before a backend, until the block ends; it must have raised no alarm."""
    with Backend() as backend:
        secret, file = folder / "secret", folder / "daypass.yaml"
        secret.write_text(BACKEND_SECRET, encoding="ascii")
        secret.chmod(0o600)
        file.write_text(CONFIGURATION.format(url=backend.url, secret=secret), encoding="ascii")
        given = {"config": file, "gateway_listen": "127.0.0.1:0", **settings}
        with running_server(folder / "server", **given) as server:
            yield Gateway(server, backend, user_keys(server, "uploader", "s3:*"))
            assert server.alarms() == []


def user_keys(server: Server, name: str, action: str) -> Keys:
    """Keys of a new user who may do this to everything."""
    iam = server.client("iam", server.root())
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="main", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


@dataclass(frozen=True)
class Sent:
    """A request as bytes to be. Names of headers in lower case, unless a test wants otherwise."""

    method: str
    target: str
    headers: Pairs
    body: bytes = field(default=b"", repr=False)
    version: str = "HTTP/1.1"

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        lines = [f"{self.method} {self.target} {self.version}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @property
    def octets(self) -> bytes:
        """All of it."""
        return self.head + self.body

    def plus(self, *headers: tuple[str, str]) -> Sent:
        """With more headers behind the others, unsigned."""
        return replace(self, headers=(*self.headers, *headers))

    def without(self, *names: str) -> Sent:
        """Without headers."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0] not in names))

    def value(self, name: str) -> str:
        """The value of a header."""
        return dict(self.headers)[name]

    def edited(self, old: bytes, new: bytes) -> bytes:
        """The bytes, with one place changed."""
        assert self.octets.count(old) == 1, (old, self.head)
        return self.octets.replace(old, new)


def signed(
    keys: Keys,
    method: str,
    target: str,
    *,
    host: str = LAKE,
    body: bytes = b"",
    payload: str = HASHED,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    at: float | None = None,
    region: str = REGION,
    service: str = "s3",
    claimed: bytes | None = None,
) -> Sent:
    """
    A signed request. ``headers``: more of them, signed. ``length``: what Content-Length says, if not the truth. ``at``: when it
    is signed. ``claimed``: the body that is signed, if it is not the one that is sent.
    """
    signer = Signer(keys, region, stamp(at), service)
    chunked = payload not in (HASHED, UNSIGNED)
    promised = body if claimed is None else claimed
    given = {
        "host": host,
        "x-amz-date": signer.date,
        "x-amz-content-sha256": sha256(promised) if payload == HASHED else payload,
        **({"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(promised))} if chunked else {}),
        **({"x-amz-trailer": "x-amz-checksum-crc32"} if payload.endswith("-TRAILER") else {}),
        **(headers or {}),
    }
    seed = as_it_stands(signer, method, target, given)
    sent = in_chunks(signer, seed, promised, payload) if chunked else body
    names = ";".join(sorted(given))
    credential = f"Credential={keys.access_key_id}/{signer.scope}, SignedHeaders={names}, Signature={seed}"
    lengths = {"content-length": str(len(sent) if length is None else length)} if sent or length is not None else {}
    return Sent(
        method, target, (*given.items(), ("authorization", f"{ALGORITHM} {credential}"), *lengths.items()), sent
    )


def as_it_stands(signer: Signer, method: str, target: str, headers: Mapping[str, str]) -> str:
    """The signature of a request whose path and query are in their canonical form, or are taken to be."""
    path, _, query = target.partition("?")
    parameters = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair))
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    whole = [method, path, parameters, *lines, "", ";".join(sorted(headers)), headers["x-amz-content-sha256"]]
    return signer.sign(ALGORITHM, sha256("\n".join(whole).encode("latin-1")))


def presigned(keys: Keys, method: str, path: str, *, expires: int = 60, at: float | None = None) -> Sent:
    """A request whose signature is in its query."""
    signer = Signer(keys, REGION, stamp(at))
    credential = f"{keys.access_key_id}/{signer.scope}".replace("/", "%2F")
    query = (
        f"X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={signer.date}"
        f"&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host"
    )
    lines = [method, path, query, f"host:{LAKE}", "", "host", UNSIGNED]
    signature = signer.sign(ALGORITHM, sha256("\n".join(lines).encode()))
    return Sent(method, f"{path}?{query}&X-Amz-Signature={signature}", (("host", LAKE),))


def in_chunks(signer: Signer, seed: str, body: bytes, payload: str, size: int = 65_536) -> bytes:
    """A body as ``aws-chunked`` (S3 API, "Transferring payload in multiple chunks")."""
    sent, before = bytearray(), seed
    for start in [*range(0, len(body), size), len(body)]:
        data = body[start : start + size]
        extension = ""
        if payload != UNSIGNED_TRAILER:
            before = signer.sign(f"{ALGORITHM}-PAYLOAD", before, EMPTY, sha256(data))
            extension = f";chunk-signature={before}"
        sent += f"{len(data):x}{extension}\r\n".encode() + (data + b"\r\n" if data else b"")
    if payload.endswith("-TRAILER"):
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        sent += f"x-amz-checksum-crc32:{checksum}\r\n".encode()
        if payload == SIGNED_CHUNKS_TRAILER:
            trailer = sha256(f"x-amz-checksum-crc32:{checksum}\n".encode())
            sent += f"x-amz-trailer-signature:{signer.sign(f'{ALGORITHM}-TRAILER', before, trailer)}\r\n".encode()
    return bytes(sent + b"\r\n")


def stamp(at: float | None = None) -> str:
    """An instant as signatures have it: now, if none is given."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Reply:
    """
    An answer as it came. ``status``: 0 when there was none. ``whole``: the body has its end. ``interim``: statuses of 1xx that
    came before. ``head`` is the block of the final answer.
    """

    status: int
    head: bytes
    body: bytes = field(repr=False)
    whole: bool
    interim: Sequence[int] = ()

    @property
    def code(self) -> str:
        """The error code of S3."""
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()

    def all(self, name: bytes) -> list[bytes]:
        """The values of every header of this name."""
        lines = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        return [value.strip() for key, _, value in lines if key.lower() == name.lower()]


class Line:
    """A client's connection. ``buffer``: bytes that its kernel takes in when nobody reads."""

    def __init__(self, address: tuple[str, int], *, buffer: int | None = None, seconds: float = 20.0) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(seconds)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send; false when the other side has hung up meanwhile."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def more(self) -> bytes:
        """What comes next; nothing when the connection has ended, in order or not."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        self._read += data
        return data

    def _until(self, mark: bytes) -> bool:
        while mark not in self._read:
            if not self.more():
                return False
        return True

    def head(self) -> bytes:
        """The next head; empty when the connection ends instead."""
        if not self._until(b"\r\n\r\n"):
            return b""
        found, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        self._read = bytearray(rest)
        return found + b"\r\n\r\n"

    def reply(self, *, head: bool = False) -> Reply:
        """The next answer. ``head``: it is one to HEAD."""
        interim: list[int] = []
        while block := self.head():
            status = int(block.split(b" ", 2)[1])
            if status >= 200:
                answer = Reply(status, block, b"", False, interim)
                body, whole = (b"", True) if head or status in (204, 304) else self._body(answer)
                return replace(answer, body=body, whole=whole)
            interim.append(status)
        return Reply(0, b"", b"", False, interim)

    def _body(self, answer: Reply) -> tuple[bytes, bool]:
        lengths = answer.all(b"content-length")
        if answer.all(b"transfer-encoding"):
            assert answer.all(b"transfer-encoding") == [b"chunked"]
            assert lengths == []
            return self._chunks()
        assert len(lengths) == 1, answer.head
        body = self._exactly(int(lengths[0]))
        return body, len(body) == int(lengths[0])

    def _exactly(self, length: int) -> bytes:
        while len(self._read) < length and self.more():
            pass
        found = bytes(self._read[:length])
        del self._read[:length]
        return found

    def skip(self, length: int) -> int:
        """Read so many bytes of a body and throw them away. Returns how many came."""
        found = min(length, len(self._read))
        del self._read[:found]
        while found < length and (data := self.socket.recv(min(1 << 18, length - found))):
            found += len(data)
        return found

    def _chunks(self) -> tuple[bytes, bool]:
        body = bytearray()
        while self._until(b"\r\n"):
            line = bytes(self._read).partition(b"\r\n")[0]
            del self._read[: len(line) + 2]
            size = int(line, 16)
            data = self._exactly(size + 2)
            body += data[:size]
            if len(data) < size + 2:
                break
            if size == 0:
                return bytes(body), True
        return bytes(body), False

    def ends(self) -> bytes:
        """Everything that still comes until the connection ends. Raises TimeoutError when it does not."""
        while self.more():
            pass
        return bytes(self._read)


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def sockets(pid: int) -> int:
    """Sockets that a process has open."""
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += str(entry.readlink()).startswith("socket:")
        except FileNotFoundError:
            pass  # closed meanwhile
    return count


def wait_for(found: Any, seconds: float = 15.0) -> None:
    """Look again and again at something of another process that cannot tell; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
