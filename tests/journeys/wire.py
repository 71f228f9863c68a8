# SPDX-License-Identifier: Apache-2.0
"""
Requests as bytes: signed by botocore's own signer, altered on the way as a test likes, sent without a client library.

``AwsRequest`` is a request before it is signed; ``sign`` and ``presign`` make an ``Outgoing``, which may be changed with
``dataclasses.replace`` and is sent by ``Outgoing.send``. The time of signing is botocore's, moved by ``client_clock``.
"""

from __future__ import annotations

import datetime
import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from running import Keys

VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """An answer: its HTTP status and body, and what the XML of the Query protocol says."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """The text of the first element of this name."""
        for element in ElementTree.fromstring(self.body).iter():
            if element.tag.rpartition("}")[2] == name:
                return element.text
        return None

    @property
    def code(self) -> str | None:
        """The error code."""
        return self.text("Code")

    @property
    def refusal(self) -> tuple[int, str | None]:
        """Status and error code."""
        return self.status, self.code


@dataclass(frozen=True)
class Outgoing:
    """A request on its way: what will be written to the socket."""

    url: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    def send(self) -> Answer:
        """Send it over a new connection."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            headers = {"Host": parts.netloc, "Content-Length": str(len(self.body)), **self.headers}
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()


@dataclass(frozen=True)
class Call:
    """An operation of STS or IAM to be asked for."""

    url: str
    service: str
    action: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> dict[str, str]:
        """The parameters with the protocol's own."""
        return {"Action": self.action, "Version": VERSIONS[self.service], **self.parameters}

    def unsigned(self) -> Outgoing:
        """The request without a signature."""
        body = urlencode(self.form).encode()
        return Outgoing(self.url, "POST", "/", {"Content-Type": FORM, **self.headers}, body)

    def signed(self, keys: Keys, service: str | None = None) -> Outgoing:
        """The request, signed in its headers. ``service``: the one of the credential scope, if another."""
        body = urlencode(self.form).encode()
        request = AWSRequest("POST", self.url + "/", headers={"Content-Type": FORM, **self.headers}, data=body)
        SigV4Auth(_credentials(keys), service or self.service, self.region).add_auth(request)
        return Outgoing(self.url, "POST", "/", dict(request.headers.items()), body)

    def presigned(self, keys: Keys, expires: int = 60) -> Outgoing:
        """A GET, signed in its query."""
        request = AWSRequest("GET", f"{self.url}/?{urlencode(self.form)}", headers=dict(self.headers))
        SigV4QueryAuth(_credentials(keys), self.service, self.region, expires=expires).add_auth(request)
        parts = urlsplit(str(request.url))
        return Outgoing(self.url, "GET", f"{parts.path}?{parts.query}", dict(self.headers))


def get_caller_identity(url: str, **options: Any) -> Call:
    """The call that nobody can be denied."""
    return Call(url, "sts", "GetCallerIdentity", **options)


def _credentials(keys: Keys) -> Credentials:
    return Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)


@contextmanager
def client_clock(instant: float) -> Iterator[None]:
    """Botocore signs as of this instant."""

    def now(remove_tzinfo: bool = True) -> datetime.datetime:
        moment = datetime.datetime.fromtimestamp(instant, datetime.UTC)
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    with patch("botocore.auth.get_current_datetime", now):
        yield


def other_signature(value: str) -> str:
    """An Authorization header or a query with the last digit of its signature changed."""

    def change(match: re.Match[str]) -> str:
        return match[1] + ("0" if match[2] != "0" else "1")

    return re.sub(r"(Signature=[0-9a-f]{63})([0-9a-f])", change, value)
