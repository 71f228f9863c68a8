# SPDX-License-Identifier: Apache-2.0
"""
A server that Envoy asks over HTTP and over gRPC, and questions as bytes: as Envoy puts them, and altered as a test likes.
"""

from __future__ import annotations

import functools
import json
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

from fakes.ext_authz import CHECK
from journeys.enforcement import SECRET
from journeys.gateway import LAKE, Sent
from real.processes import free_port
from running import Keys, Server

CLIENT = "198.51.100.7"
"""The address that Envoy tells."""

SHOWN = (("x-daypass-proxy", SECRET),)
BACKEND = (
    "service: s3, upstream: 'http://127.0.0.1:9', region: us-east-1, account: '123456789012', empty_segments: true"
)
SIGN_AS = "sign_as: {{access_key_id: backend, secret_access_key: {{file: {secret}}}}}"
CONFIGURATION = f"""
gateway:
  proxy_secret: {{{{file: {{secret}}}}}}
  ext_authz: {{{{listen: "127.0.0.1:{{port}}"}}}}
  backends:
    - {{{{name: grpc, match: {{{{host: {LAKE}, path: /-/grpc}}}}, proxy: envoy-grpc, {BACKEND}, {SIGN_AS}}}}}
    - {{{{name: http, match: {{{{host: {LAKE}, path: /-/http}}}}, proxy: envoy, {BACKEND}, {SIGN_AS}}}}}
    - {{{{name: unsigned, match: {{{{host: {LAKE}, path: /-/unsigned}}}}, proxy: envoy-grpc, {BACKEND}}}}}
"""


@dataclass(frozen=True)
class Verdict:
    """``code``: empty when the request may go on, with ``headers`` set and ``removed`` taken out."""

    status: int
    code: str
    headers: dict[str, str]
    removed: list[str]


@dataclass(frozen=True)
class Stage:
    """A server that is asked both ways, and the keys of a user who may do anything in S3 but read what is secret."""

    server: Server
    keys: Keys
    channel: Any

    def grpc(self, sent: Sent, *, backend: str = "grpc", metadata: Any = SHOWN) -> Verdict:
        """Ask over gRPC."""
        return self.ask(question(sent, backend).SerializeToString(), metadata)

    def ask(self, message: bytes, metadata: Any = SHOWN) -> Verdict:
        """Ask over gRPC, with any bytes."""
        return verdict(self.channel.unary_unary(CHECK)(message, metadata=metadata, timeout=20))

    def http(self, sent: Sent, *, backend: str = "http") -> Verdict:
        """Ask over HTTP."""
        lengths = tuple(
            ("x-original-content-length", value) for name, value in sent.headers if name == "content-length"
        )
        said = (("x-daypass-proxy", SECRET), ("x-original-address", CLIENT), *lengths)
        asked = replace(sent.without("content-length"), target=f"/authz/{backend}{sent.target}", body=b"").plus(*said)
        where = urlsplit(self.server.url)
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as connection:
            connection.sendall(asked.octets.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
            answer = b"".join(iter(functools.partial(connection.recv, 65_536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = [line.decode("latin-1").partition(": ") for line in head.split(b"\r\n")[1:]]
        headers = {name.lower(): value for name, _, value in lines}
        status = int(head.split(b" ")[1])
        return Verdict(status, "" if status == 200 else code_of(body, headers), headers, [])


def question(sent: Sent, backend: str = "grpc") -> CheckRequest:
    """As Envoy asks with ``encode_raw_headers``. Names stay as they are: Envoy itself has them in lower case."""
    request = CheckRequest()
    request.attributes.context_extensions["daypass-backend"] = backend
    request.attributes.source.address.socket_address.address = CLIENT
    http = request.attributes.request.http
    pairs = [(":method", sent.method), (":path", sent.target), *sent.headers]
    for name, value in pairs:
        http.header_map.headers.add(
            key=":authority" if name == "host" and ":authority" not in dict(sent.headers) else name,
            raw_value=value.encode("latin-1"),
        )
    return request


def verdict(answer: bytes) -> Verdict:
    """What Envoy would make of it."""
    response = CheckResponse.FromString(answer)
    if response.WhichOneof("http_response") == "ok_response":
        assert response.status.code == 0
        headers = {option.header.key: option.header.value for option in response.ok_response.headers}
        return Verdict(200, "", headers, list(response.ok_response.headers_to_remove))
    assert response.status.code == grpc.StatusCode.PERMISSION_DENIED.value[0]
    denied = response.denied_response
    headers = {option.header.key: option.header.value for option in denied.headers}
    return Verdict(denied.status.code, code_of(denied.body.encode(), headers), headers, [])


def code_of(body: bytes, headers: dict[str, str]) -> str:
    """The error code, of XML or JSON."""
    found = body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    return found or headers.get("x-amzn-errortype", "") or str(json.loads(body))


def configuration(folder: Path) -> Path:
    secret, file = folder / "secret", folder / "daypass.yaml"
    secret.write_text(SECRET, encoding="ascii")
    secret.chmod(0o600)
    file.write_text(CONFIGURATION.format(secret=secret, port=free_port()), encoding="ascii")
    return file
