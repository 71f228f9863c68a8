# SPDX-License-Identifier: Apache-2.0
"""The service in this process, with a clock that the test moves and requests that botocore signs; no socket."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from xml.etree import ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daypass.clock import MovableClock
from daypass.credentials import Secret
from daypass.server.app import App, open_app
from daypass.server.settings import Settings

ACCOUNT = "123456789012"
ROOT = Credentials("AKIAQNZKJ3EXAMPLE234", "root-secret-root-secret-root-secret-roots")
NOW = 1_800_000_000.0
VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
ENCODED = ". Encoded authorization failure message: "
Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Answer:
    """What came back. ``code`` is the error code, None for a result."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes

    @property
    def code(self) -> str | None:
        found = ElementTree.fromstring(self.body).find("{*}Error/{*}Code")
        return None if found is None else found.text

    @property
    def message(self) -> str:
        """The sentence; of a denial, without the encoded message behind it."""
        return self._message.partition(ENCODED)[0]

    @property
    def encoded(self) -> str:
        """The encoded authorization message of a denial; empty when there is none."""
        return self._message.partition(ENCODED)[2]

    @property
    def _message(self) -> str:
        return ElementTree.fromstring(self.body).findtext("{*}Error/{*}Message") or ""

    def text(self, name: str) -> str | None:
        """The text of the first element of that name."""
        return ElementTree.fromstring(self.body).findtext(f".//{{*}}{name}")


@dataclass
class Service:
    """A wired service and its clock."""

    app: App
    clock: MovableClock
    chunk: int = field(default=1 << 30)
    before_body: Callable[[], None] = field(default=lambda: None)

    async def send(
        self,
        method: str = "POST",
        query: bytes = b"",
        headers: Sequence[Header] = (),
        body: bytes = b"",
        path: bytes = b"/",
    ) -> Answer:
        """One raw request to the AWS door."""
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path,
            "query_string": query,
            "headers": list(headers),
            "client": ("127.0.0.1", 5000),
            "scheme": "http",
        }
        chunks = [body[start : start + self.chunk] for start in range(0, len(body), self.chunk)] or [b""]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            self.before_body()
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app.door(scope, receive, send)
        return Answer(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"])

    async def call(
        self, service: str, action: str, credentials: Credentials | None = ROOT, /, **parameters: str
    ) -> Answer:
        """One operation, signed by botocore as at the clock's time; unsigned when there are no credentials."""
        body = urlencode({"Action": action, "Version": VERSIONS[service], **parameters}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": "daypass.test"}
        request = AWSRequest(method="POST", url="http://daypass.test/", data=body, headers=headers)
        if credentials is not None:
            sign(request, credentials, service, self.clock())
        raw = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        return await self.send(headers=raw, body=body)


def sign(request: AWSRequest, credentials: Credentials, service: str, now: float) -> None:
    """Sign as botocore does, at an instant of the test's choosing."""

    def instant() -> datetime.datetime:
        return datetime.datetime.fromtimestamp(now, datetime.UTC).replace(tzinfo=None)

    with mock.patch("botocore.auth.get_current_datetime", instant):  # making a MagicMock would take longer than signing
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)


@asynccontextmanager
async def service(data_dir: Path, **settings: Any) -> AsyncIterator[Service]:
    """A service with a root key that tests know."""
    values = {
        "data_dir": data_dir,
        "account_id": ACCOUNT,
        "root_access_key_id": ROOT.access_key,
        "root_secret_access_key": Secret(str(ROOT.secret_key)),
        **settings,
    }
    clock = MovableClock(NOW)
    app = await open_app(Settings(**values), clock)
    try:
        yield Service(app, clock)
    finally:
        await app.close()
