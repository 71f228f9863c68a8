# SPDX-License-Identifier: Apache-2.0
"""
A fake forward-auth endpoint and a fake backend for the tests of proxies: they record what arrives, byte for byte.

    with FakeAuthz(secret="...") as authz, RecordingBackend() as backend:
        authz.decide = lambda asked: Denial(403, "AccessDenied", "no")

``FakeAuthz`` speaks the wire of ``/authz/BACKEND`` as docs/proxies.md describes it, for all the proxies that it describes.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """A request as it arrived: the target of its first line raw, header names as sent."""

    method: str
    target: str
    headers: Pairs
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """The values of every header of this name, in their order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The value of a header that must not come twice."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


@dataclass(frozen=True)
class Answer:
    """What a fake answers."""

    status: int = 200
    headers: Pairs = ()
    body: bytes = b""


class RecordingServer:
    """
    An HTTP/1.1 server on a free port of loopback, in threads.

    ``seen`` is what arrived, oldest first; ``received`` counts the bytes of bodies as they arrive.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.received = 0
        self._server = _Listener(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, seen: Seen) -> Answer:
        """What to answer; for subclasses."""
        return Answer()

    def reset(self) -> None:
        """Forget what was recorded, and answer as at first."""
        self.seen.clear()
        self.received = 0

    def take(self, seen: Seen) -> Answer:
        """Record a request, and answer it."""
        self.seen.append(seen)
        return self.answer(seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class RecordingBackend(RecordingServer):
    """A backend that answers every request with ``reply``."""

    FIRST = Answer(200, (("ETag", '"of-the-backend"'),), b"from the backend")

    def __init__(self) -> None:
        super().__init__()
        self.reply = self.FIRST

    def reset(self) -> None:
        """See ``RecordingServer``."""
        super().reset()
        self.reply = self.FIRST

    def answer(self, seen: Seen) -> Answer:
        """``reply``."""
        return self.reply


@dataclass(frozen=True)
class Asked:
    """A question of a proxy: the client's request as the proxy tells it."""

    method: str
    target: str
    host: str
    seen: Seen = field(repr=False)

    @classmethod
    def of(cls, seen: Seen, prefix: str) -> Asked:
        """nginx tells it in X-Original-*, Caddy and Traefik in X-Forwarded-*, Envoy in the request itself."""
        original, forwarded = seen.get("X-Original-URI"), seen.get("X-Forwarded-Uri")
        if original is not None:
            return cls(seen.get("X-Original-Method") or "", original, seen.get("Host") or "", seen)
        if forwarded is not None:
            return cls(seen.get("X-Forwarded-Method") or "", forwarded, seen.get("X-Forwarded-Host") or "", seen)
        assert seen.target.startswith(prefix), seen.target
        return cls(seen.method, seen.target.removeprefix(prefix), seen.get("Host") or "", seen)


@dataclass(frozen=True)
class Denial:
    """A refusal in AWS's form."""

    status: int
    code: str
    message: str

    def body(self) -> bytes:
        """As S3 writes it."""
        return f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>".encode()


ALLOWED: Mapping[str, str] = {
    "Authorization": "AWS4-HMAC-SHA256 signed-for-the-backend",
    "X-Amz-Date": "20300101T000000Z",
    "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
    "X-Daypass-Principal": "arn:aws:sts::123456789012:assumed-role/Reader/alice",
    "X-Daypass-Account": "123456789012",
    "X-Daypass-Request-Id": "7a1f0f0e-0000-4000-8000-000000000000",
    "X-Daypass-Access-Key-Id": "ASIAEXAMPLE",
    "X-Daypass-Session-Name": "alice",
}
"""What an allowing answer sets on the request to the backend."""


def signed_by_the_client(asked: Asked) -> Mapping[str, str]:
    """For ``FakeAuthz.allowed``: the backend is to verify the client's own signature."""
    names = ("Authorization", "X-Amz-Date", "X-Amz-Content-Sha256")
    return {name: value for name in names if (value := asked.seen.get(name)) is not None}


class FakeAuthz(RecordingServer):
    """
    ``/authz/lake``. ``decide`` says None to allow, ``allowed`` what the answer then sets on the request; ``broken`` is an
    answer instead of any decision. A proxy without the secret gets 500, which no test expects.
    """

    def __init__(self, secret: str, backend: str = "lake") -> None:
        super().__init__()
        self.secret = secret
        self.prefix = f"/authz/{backend}"
        self.asked: list[Asked] = []
        self.allowed: Callable[[Asked], Mapping[str, str]]
        self.decide: Callable[[Asked], Denial | None]
        self.broken: Answer | None
        self.reset()

    def reset(self) -> None:
        """See ``RecordingServer``."""
        super().reset()
        self.asked.clear()
        self.allowed, self.decide, self.broken = lambda asked: ALLOWED, lambda asked: None, None

    def answer(self, seen: Seen) -> Answer:
        """A decision, or for nginx the text of one."""
        if self.broken is not None:
            return self.broken
        if seen.get("X-Daypass-Proxy") != self.secret:
            return Answer(500, (), b"not the proxy")
        written = seen.get("X-Daypass-Denial")
        # A client of Envoy may ask about /denied, a client of Traefik may send the header: never both.
        if seen.target == f"{self.prefix}/denied" and written is not None:
            status, code, message = json.loads(base64.b64decode(written))
            return _refusal(Denial(status, code, message))
        asked = Asked.of(seen, self.prefix)
        self.asked.append(asked)
        denial = self.decide(asked)
        if denial is None:
            return Answer(
                200, (*self.allowed(asked).items(), ("x-envoy-auth-headers-to-remove", "x-amz-security-token"))
            )
        if seen.get("X-Original-URI") is None:
            return _refusal(denial)
        opaque = base64.b64encode(json.dumps([denial.status, denial.code, denial.message]).encode()).decode()
        return Answer(403, (("X-Daypass-Denial", opaque),))


def _refusal(denial: Denial) -> Answer:
    return Answer(denial.status, (("Content-Type", "application/xml"), ("x-amz-request-id", "of-authz")), denial.body())


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A proxy that hangs up in the middle is no news."""


def _handler(server: RecordingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

        def answer_it(self) -> None:
            method, target, _ = self.requestline.split(" ")  # self.path is altered by the library where it has "//"
            unread = target.endswith("/denied")  # as daypass does: what was refused is not read
            seen = Seen(method, target, list(self.headers.items()), b"" if unread else self._body())
            self.close_connection |= unread
            answer = server.take(seen)
            lines = [f"HTTP/1.1 {answer.status} Fake", *(f"{name}: {value}" for name, value in answer.headers)]
            body = b"" if method == "HEAD" else answer.body
            head = "\r\n".join([*lines, f"Content-Length: {len(answer.body)}", "", ""])
            self.wfile.write(head.encode("latin-1") + body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self._read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self._read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(pieces)

        def _read(self, size: int) -> bytes:
            pieces = []
            while size and (piece := self.rfile.read1(size)):
                pieces.append(piece)
                size -= len(piece)
                server.received += len(piece)
            return b"".join(pieces)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = answer_it  # noqa: N815

    return Handler
