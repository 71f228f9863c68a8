# SPDX-License-Identifier: Apache-2.0
"""Where Envoy asks over gRPC others may send what they like, and backends may be silent: who asks meanwhile is answered."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import pytest

from daypass.cli.audit.selection import Wanted
from fakes.backend import Backend, Peer
from fakes.ext_authz import CHECK
from fakes.grpc_line import PREFACE, frame, head, line
from journeys.ext_authz import SHOWN, configuration, question, verdict
from journeys.gateway import LAKE, signed, user_keys
from journeys.test_audit_trail import wait_for
from running import Server, get, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("grpc")
    with running_server(folder / "server", config=configuration(folder)) as server:
        yield server
        assert server.alarms() == []


def answers(server: Server) -> bool:
    """Whether an empty question is answered: that it is none."""
    with grpc.insecure_channel(server.announced["ext_authz"]) as channel:
        return verdict(channel.unary_unary(CHECK)(b"", metadata=SHOWN, timeout=20)).status == 400


@pytest.mark.parametrize("workers", [1, 2])
def test_a_call_whose_name_is_no_text_stops_nobody(tmp_path: Path, workers: int) -> None:
    with running_server(tmp_path / "server", config=configuration(tmp_path), workers=workers) as server:
        for _ in range(4 * workers):
            with line(str(server.announced["ext_authz"]), head(1, b"/\xff")) as connection:
                assert connection.recv(1)
        assert answers(server)
        assert json.loads(get(server.health)[1]) == {"status": "ready", "failing": []}
        assert server.alarms() == []


def test_calls_without_the_secret_that_never_end_take_nobodys_place(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            calls = (head(1 + 2 * number) for number in range(100))
            stack.enter_context(line(str(server.announced["ext_authz"]), *calls))
        assert answers(server)


NO_CALLS = {
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01" + b"\xff" * 500,
    "frames without end": PREFACE + b"\xff" * 5000,
    "metadata that is no text": PREFACE + frame(4, 0, 0) + head(1, CHECK.encode(), (b"x-daypass-proxy", b"\xff")),
}


@pytest.mark.parametrize("case", NO_CALLS)
def test_what_is_no_call_writes_nothing_but_lines_of_the_log(server: Server, case: str) -> None:
    host, _, port = str(server.announced["ext_authz"]).rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(NO_CALLS[case])
        connection.recv(9)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass
    assert answers(server)
    for written in server.log().splitlines():
        json.loads(written)


DEPENDS_ON_TAGS = {
    "Effect": "Allow",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"StringEquals": {"s3:ExistingObjectTag/a": "b"}},
}


def test_it_ends_while_a_backend_is_silent_and_records_what_was_not_decided(tmp_path: Path) -> None:
    asked = threading.Event()

    async def silent(peer: Peer) -> None:
        await peer.head()
        asked.set()
        await peer.until_gone()

    with Backend() as backend:
        backend.behave = silent
        file = configuration(tmp_path)
        file.write_text(file.read_text().replace("http://127.0.0.1:9'", f"{backend.url}'"), encoding="ascii")
        with running_server(tmp_path / "server", config=file) as server:
            keys = user_keys(server, "asker", "s3:GetObjectTagging")
            server.client("iam", server.root()).put_user_policy(
                UserName="asker",
                PolicyName="main",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": DEPENDS_ON_TAGS}),
            )
            with grpc.insecure_channel(server.announced["ext_authz"]) as channel:
                message = question(signed(keys, "GET", "/bucket/key", host=LAKE)).SerializeToString()
                asking = channel.unary_unary(CHECK).future(message, metadata=SHOWN, timeout=20)
                assert asked.wait(20)
                assert server.stop() == 0
                assert asking.exception() is not None
            assert server.alarms() == []
            [record] = wait_for(server, Wanted(event="GetObject"))
    assert (record["errorCode"], record["userIdentity"]["userName"]) == ("ServiceUnavailable", "asker")
