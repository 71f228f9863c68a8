# SPDX-License-Identifier: Apache-2.0
"""
Real S3 clients with a federated session through the enforcement door, each way to real backends.

Every operation and every key ends as it ends directly at the backend (``s3_suite.expected``), but for what the door does by
rule: ``DIFFERENCES``, each with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from journeys.enforcement import WAYS, Enforcement, enforcement
from journeys.gateway import memory
from journeys.roles import allow
from real import s3_suite
from real.needed import WHOLE_MATRIX
from real.proxies import PROXIES
from real.s3_clients import CLIENTS, NodeClient, Restic, can
from real.s3_suite import AWKWARD_KEYS, BODIES, BODY, OPERATIONS, expected, outcome
from real.s3_wire import HASHED, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED_TRAILER, path_of, send
from running import Keys

BUCKET = "by-{way}-{client}"
GATEWAY = ("gateway",)
BY_SDK = ("boto3", "aws-cli", "node")
"""Clients that delete many objects in one request, with a checksum that is not MD5."""


@dataclass(frozen=True)
class Difference:
    """What ends otherwise through the door than directly, and why. Empty: all."""

    operation: str
    ends: str
    why: str
    ways: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()

    def fits(self, way: str, backend: str, client: str, operation: str) -> bool:
        """Whether it is about this."""
        pairs = ((self.ways, way), (self.backends, backend), (self.clients, client))
        return operation == self.operation and all(not wanted or one in wanted for wanted, one in pairs)


BYTES_TO_DECIDE = "refused NotImplemented"
DIFFERENCES = [
    Difference(
        "delete many", "done", "the gateway adds the Content-MD5 that this backend wants", GATEWAY, ("juicefs",), BY_SDK
    ),
    Difference(
        "delete many",
        BYTES_TO_DECIDE,
        "the keys are in the body, which stays with the proxy",
        tuple(PROXIES),
        (),
        BY_SDK,
    ),
    Difference("tags", BYTES_TO_DECIDE, "the tags are in the body, which stays with the proxy", tuple(PROXIES)),
    Difference(
        "copy",
        "refused ?",
        "s3cmd puts an ACL behind a copy and forgives a 501, which Envoy cannot hand on (400)",
        ("envoy",),
        (),
        ("s3cmd",),
    ),
    Difference("key: dot segment", "refused InvalidURI", "URL libraries remove dot segments"),
    Difference("key: dot-dot segment", "refused InvalidURI", "URL libraries remove dot segments"),
    Difference("key: control", "refused InvalidRequest", "control characters are refused in keys"),
    Difference("key: newline", "refused InvalidRequest", "control characters are refused in keys"),
    Difference("key: two slashes", "refused InvalidRequest", "this backend keeps objects in files", (), ("juicefs",)),
    Difference("key: leading slash", "refused InvalidRequest", "this backend keeps objects in files", (), ("juicefs",)),
    *[
        Difference(payload, "done", "verified here, and sent on without its framing", GATEWAY, ("juicefs",))
        for payload in (SIGNED_CHUNKS_TRAILER, UNSIGNED_TRAILER)
    ],
    *[
        Difference(payload, BYTES_TO_DECIDE, "only the client can sign its chunks", tuple(PROXIES))
        for payload in (SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER)
    ],
]


def ends(way: str, backend: str, client: str, operation: str) -> str:
    """How an operation ends through the door."""
    found = [one.ends for one in DIFFERENCES if one.fits(way, backend, client, operation)]
    assert len(found) <= 1
    return found[0] if found else expected(backend, client, operation)


class Rig:
    """The door, and a federated session that may do anything to the buckets of these tests: one for each client and way."""

    def __init__(self, door: Enforcement) -> None:
        self.door = door
        self.keys = door.session(allow("s3:*", resource=["arn:aws:s3:::by-*", "arn:aws:s3:::by-*/*"]), team="red")
        self._buckets: set[tuple[str, str]] = set()

    def bucket(self, way: str, backend: str, client: str) -> str:
        """A bucket that is there."""
        name = BUCKET.format(way=way, client=client)
        if (backend, name) not in self._buckets:
            self.door.witness(backend).create_bucket(Bucket=name)
            self._buckets.add((backend, name))
        return name

    def parts(self, way: str, backend: str, client: str) -> tuple[Any, Any, str]:
        """Client, witness and bucket: what the suite takes."""
        there = self.door.client(way, backend, client, self.keys)
        return there, self.door.witness(backend), self.bucket(way, backend, client)


@pytest.fixture(scope="module")
def rig(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with enforcement(tmp_path_factory.mktemp("clients"), "juicefs", "moto", "recorded") as door:
        yield Rig(door)


PLAIN = frozenset({"put empty", "get"})
"""What the command line, which takes a second to start and is boto3 below, does behind proxies."""


def _is_run(way: str, client: str) -> bool:
    """See ``WHOLE_MATRIX``."""
    return WHOLE_MATRIX or client == "boto3" or way in ("gateway", "nginx")


def _operations(way: str, client: str) -> list[str]:
    fitting = [name for name, (_, needs) in OPERATIONS.items() if needs <= can(client)]
    return [name for name in fitting if client != "aws-cli" or way == "gateway" or name in PLAIN]


NEAR = ("gateway", "nginx")
PAIRS = [
    *[(way, "juicefs", client) for way in WAYS for client in CLIENTS if _is_run(way, client)],
    *[(way, "moto", client) for way in NEAR for client in ("boto3", "node") if WHOLE_MATRIX or client == "boto3"],
]
CASES = [(*pair, operation) for pair in PAIRS for operation in _operations(pair[0], pair[2])]
KEYS = [
    (way, backend, client, key)
    for way in WAYS
    for backend in ("juicefs", "moto")
    for client in ("boto3", "node")
    for key in AWKWARD_KEYS
    if (client == "boto3" or (way == "gateway" and backend == "moto"))
    and (WHOLE_MATRIX or way in NEAR or backend == "juicefs")
]
WIRE = [(way, backend, payload) for way in WAYS for backend in ("juicefs", "moto") for payload in (HASHED, *BODIES)]


@pytest.mark.parametrize(("way", "backend", "client", "operation"), CASES)
def test_an_operation_ends_as_it_does_directly(rig: Rig, way: str, backend: str, client: str, operation: str) -> None:
    run, _ = OPERATIONS[operation]
    parts = rig.parts(way, backend, client)
    assert outcome(lambda: run(*parts)) == ends(way, backend, client, operation)


@pytest.mark.parametrize(("way", "backend", "client", "key"), KEYS)
def test_an_awkward_key_ends_as_it_does_directly(rig: Rig, way: str, backend: str, client: str, key: str) -> None:
    parts = rig.parts(way, backend, client)
    ended = outcome(lambda: s3_suite.key_round_trip(*parts, AWKWARD_KEYS[key]))
    assert ended == ends(way, backend, client, f"key: {key}")


@pytest.mark.parametrize(("way", "backend", "payload"), WIRE)
def test_a_body_declared_in_each_way_ends_as_it_does_directly(rig: Rig, way: str, backend: str, payload: str) -> None:
    _, witness, bucket = rig.parts(way, backend, "boto3")
    url = rig.door.url(way, backend)
    ended = outcome(lambda: s3_suite.put_by_wire(url, rig.keys, witness, bucket, payload))
    assert ended == ends(way, backend, "wire", payload)


@pytest.mark.parametrize(
    ("way", "client"), [(way, name) for way in WAYS for name in CLIENTS if name != "aws-cli" and _is_run(way, name)]
)
def test_a_large_file_is_stored_in_parts(rig: Rig, way: str, client: str, tmp_path: Path) -> None:
    parts = rig.parts(way, "juicefs", client)
    assert outcome(lambda: s3_suite.multipart(*parts, tmp_path)) == "done"
    _, witness, bucket = parts
    assert witness.head_object(Bucket=bucket, Key="multipart/object")["ETag"].endswith('-3"')


MEGABYTES = 200
ROOM = 64 * 1024 * 1024
"""How much more memory the server may have after an upload than before: a few pieces of each connection, not the file."""


def test_an_upload_of_200_mb_takes_no_memory_of_the_gateway(rig: Rig, tmp_path: Path) -> None:
    parts = rig.parts("gateway", "juicefs", "boto3")
    before = memory(rig.door.server.pid)
    s3_suite.multipart(*parts, tmp_path, megabytes=MEGABYTES)
    assert memory(rig.door.server.pid) - before < ROOM
    parts[1].delete_object(Bucket=parts[2], Key="multipart/object")


DIRECTLY = expected("juicefs", "node", UNSIGNED_TRAILER)


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_of_the_javascript_sdk_has_an_unsigned_trailer(rig: Rig, way: str) -> None:
    client, witness, bucket = rig.parts(way, "juicefs", "node")
    assert isinstance(client, NodeClient)

    def stored() -> None:
        client.put_stream(bucket, "streamed", BODY)
        assert s3_suite.read(witness, bucket, "streamed") == BODY

    # This backend takes no trailers, and wants a length. The gateway sends the body on without the first and with the second;
    # of the proxies nginx knows a length by then, so that it is refused for another reason than directly.
    ended = outcome(stored)
    assert ended == "done" if way == "gateway" else ended in (DIRECTLY, expected("juicefs", "wire", UNSIGNED_TRAILER))


def test_a_backup_of_restic_comes_back_through_the_gateway(rig: Rig, tmp_path: Path) -> None:
    """restic signs every upload chunk by chunk."""
    files, back = tmp_path / "files", tmp_path / "back"
    files.mkdir()
    (files / "one").write_bytes(BODY * 50)
    bucket = rig.bucket("gateway", "juicefs", "restic")
    restic = Restic(tmp_path, endpoint=rig.door.url("gateway", "juicefs"), keys=rig.keys, bucket=bucket)
    for command in (["init"], ["backup", str(files)], ["restore", "latest", "--target", str(back)]):
        ran = restic.run(*command)
        assert ran.code == 0, ran.error
    [found] = back.rglob("one")
    assert found.read_bytes() == BODY * 50


TARGETS = ["/recorded/a/../b", "/recorded/./a", "/recorded/%2e%2e/other", "/recorded/a/.", "/recorded/a%2F..%2Fb"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", WAYS)
def test_a_dot_segment_is_refused_and_never_seen_by_the_backend(
    rig: Rig, everything: Keys, way: str, target: str
) -> None:
    rig.door.recorded.reset()
    answer = send(rig.door.url(way, "recorded"), everything, "GET", target)
    assert answer.status == 400
    assert rig.door.recorded.seen == []


@pytest.fixture(scope="module")
def everything(rig: Rig) -> Keys:
    """A session that may do anything anywhere."""
    return rig.door.session(allow("s3:*"))


LENGTHS = [("PUT", BODY, HASHED), ("PUT", b"", HASHED), ("GET", b"", HASHED), ("PUT", BODY, "UNSIGNED-PAYLOAD")]


@pytest.mark.parametrize(("method", "body", "payload"), LENGTHS)
@pytest.mark.parametrize("way", WAYS)
def test_a_signature_may_cover_the_length(
    rig: Rig, everything: Keys, way: str, method: str, body: bytes, payload: str
) -> None:
    """The AWS SDKs for JavaScript and Go sign it, and so do rclone and s3cmd."""
    rig.door.recorded.reset()
    length = {"content-length": str(len(body))}
    target = path_of("recorded", "of a length")
    answer = send(rig.door.url(way, "recorded"), everything, method, target, body=body, payload=payload, headers=length)
    assert answer.status == 200, answer.body
    [seen] = rig.door.recorded.seen
    assert (seen.body, seen.get("X-Original-Content-Length")) == (body, None)


@pytest.mark.skipif(not WHOLE_MATRIX, reason="some differences are of pairs that only CI runs")
def test_every_difference_is_one_that_a_test_reaches() -> None:
    reached = {
        *CASES,
        *((*case[:3], f"key: {case[3]}") for case in KEYS),
        *((way, backend, "wire", payload) for way, backend, payload in WIRE),
    }
    idle = [one for one in DIFFERENCES if not any(one.fits(*case) for case in reached)]
    assert idle == []
