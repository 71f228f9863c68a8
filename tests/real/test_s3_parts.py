# SPDX-License-Identifier: Apache-2.0
"""
The real S3 backends and clients alone, directly at one another.

What is learned here is what the tests through a door compare with: an operation through it ends as it ends without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.authz import Answer, RecordingBackend
from real import s3_suite
from real.needed import WHOLE_MATRIX
from real.s3_backends import BACKENDS, S3Backend
from real.s3_clients import CLIENTS, NodeClient, Restic, StorageClient, can
from real.s3_suite import AWKWARD_KEYS, BODIES, BODY, OPERATIONS, expected, outcome
from real.s3_wire import HASHED, SIGNED_CHUNKS, UNSIGNED, UNSIGNED_TRAILER, exchange, path_of, send
from running import Keys

STRANGER = Keys("somebody", "else")


class Rigs:
    """What runs, started when it is first asked for; a bucket for each client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._backends: dict[str, S3Backend] = {}
        self._clients: dict[tuple[str, str], StorageClient] = {}

    def backend(self, name: str) -> S3Backend:
        """A backend with its buckets."""
        if name not in self._backends:
            backend = self._stack.enter_context(BACKENDS[name](self.folder / "backends"))
            for client in CLIENTS:
                backend.client().create_bucket(Bucket=f"of-{client}")
            self._backends[name] = backend
        return self._backends[name]

    def client(self, backend: str, name: str) -> StorageClient:
        """A client of a backend."""
        if (backend, name) not in self._clients:
            room = self.folder / backend / name
            room.mkdir(parents=True)
            there = self.backend(backend)
            started = CLIENTS[name](room, endpoint=there.url, keys=there.keys)
            self._clients[backend, name] = self._stack.enter_context(started)
        return self._clients[backend, name]

    def close(self) -> None:
        """End everything."""
        self._stack.close()


@pytest.fixture(scope="module")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigs]:
    running = Rigs(tmp_path_factory.mktemp("s3"))
    yield running
    running.close()


PAIRS = [
    (backend, client)
    for backend in BACKENDS
    for client in CLIENTS
    if (backend, client) != ("moto", "aws-cli")
    and (WHOLE_MATRIX or backend == "juicefs" or client in ("boto3", "node"))
]
"""The command line is boto3 below, and slow to start: once is enough."""
CASES = [(*pair, operation) for pair in PAIRS for operation, (_, needs) in OPERATIONS.items() if needs <= can(pair[1])]


@pytest.mark.parametrize(("backend", "name", "operation"), CASES)
def test_an_operation_ends_as_recorded(rigs: Rigs, backend: str, name: str, operation: str) -> None:
    run, _ = OPERATIONS[operation]
    client, witness = rigs.client(backend, name), rigs.backend(backend).client()
    assert outcome(lambda: run(client, witness, f"of-{name}")) == expected(backend, name, operation)


def test_every_operation_is_run_by_some_client_at_every_backend() -> None:
    assert {(backend, operation) for backend, _, operation in CASES} == {(b, o) for b in BACKENDS for o in OPERATIONS}


@pytest.mark.parametrize(("backend", "name"), PAIRS)
def test_a_large_file_is_stored_in_parts(rigs: Rigs, backend: str, name: str, tmp_path: Path) -> None:
    client, witness = rigs.client(backend, name), rigs.backend(backend).client()
    ended = outcome(lambda: s3_suite.multipart(client, witness, f"of-{name}", tmp_path))
    assert ended == expected(backend, name, "multipart")
    if ended == "done":
        assert witness.head_object(Bucket=f"of-{name}", Key="multipart/object")["ETag"].endswith('-3"')


@pytest.mark.parametrize("key", AWKWARD_KEYS)
@pytest.mark.parametrize("name", ["boto3", "node"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_awkward_key_ends_as_recorded(rigs: Rigs, backend: str, name: str, key: str) -> None:
    client, witness = rigs.client(backend, name), rigs.backend(backend).client()
    ended = outcome(lambda: s3_suite.key_round_trip(client, witness, f"of-{name}", AWKWARD_KEYS[key]))
    assert ended == expected(backend, name, f"key: {key}")


@pytest.mark.parametrize("payload", [HASHED, *BODIES])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_body_declared_in_each_way_ends_as_recorded(rigs: Rigs, backend: str, payload: str) -> None:
    there = rigs.backend(backend)
    ended = outcome(lambda: s3_suite.put_by_wire(there.url, there.keys, there.client(), "of-boto3", payload))
    assert ended == expected(backend, "wire", payload)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stream_of_the_javascript_sdk_has_an_unsigned_trailer(rigs: Rigs, backend: str) -> None:
    client, witness = rigs.client(backend, "node"), rigs.backend(backend).client()
    assert isinstance(client, NodeClient)

    def stored() -> None:
        client.put_stream("of-node", "streamed", BODY)
        assert s3_suite.read(witness, "of-node", "streamed") == BODY

    assert outcome(stored) == expected(backend, "node", UNSIGNED_TRAILER)


@pytest.mark.parametrize("payload", [HASHED, SIGNED_CHUNKS])
def test_juicefs_refuses_a_signed_body_that_was_altered(rigs: Rigs, payload: str) -> None:
    there = rigs.backend("juicefs")
    target = path_of("of-boto3", "altered")
    answer = send(there.url, there.keys, "PUT", target, body=BODY, payload=payload, spoil=True)
    assert answer.status in (400, 403)
    assert s3_suite.read(there.client(), "of-boto3", "altered") is None


def test_an_unsigned_body_that_was_altered_is_stored(rigs: Rigs) -> None:
    there = rigs.backend("juicefs")
    answer = send(there.url, there.keys, "PUT", "/of-boto3/any", body=BODY, payload=UNSIGNED, spoil=True)
    assert answer.status == 200
    assert s3_suite.read(there.client(), "of-boto3", "any") != BODY


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_a_backend_that_verifies_refuses_a_strangers_signature(rigs: Rigs, backend: str) -> None:
    there = rigs.backend(backend)
    answer = send(there.url, STRANGER, "GET", "/of-boto3?list-type=2")
    assert answer.status == (403 if there.verifies else 200)


def test_juicefs_refuses_a_signature_in_the_query_beside_one_in_a_header(rigs: Rigs, tmp_path: Path) -> None:
    """So whoever signs a presigned request again has to take the first signature out of its query."""
    there = rigs.backend("juicefs")
    there.client().put_object(Bucket="of-boto3", Key="twice", Body=BODY)
    with CLIENTS["boto3"](tmp_path, endpoint=there.url, keys=STRANGER) as stranger:
        presigned = stranger.presign_get("of-boto3", "twice").removeprefix(there.url)
    answer = send(there.url, there.keys, "GET", presigned)
    assert (answer.status, s3_suite.code_of(answer.body)) == (400, "InvalidRequest")
    assert exchange(there.url, "GET", presigned, {"host": there.url.removeprefix("http://")}).status == 403


TEMPORARY = Keys("ASIATEMPORARY", "of the session", "the/session+token==")
DENIED = Answer(
    403, (("Content-Type", "application/xml"),), b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_sends_its_session_token_and_tells_the_code_of_a_refusal(name: str, tmp_path: Path) -> None:
    with RecordingBackend() as there, CLIENTS[name](tmp_path, endpoint=there.url, keys=TEMPORARY) as client:
        there.reply = DENIED
        ended = outcome(lambda: client.put("lake", "refused", BODY))
    # rclone begins with HEAD, whose answer has no body to tell a code.
    assert ended == ("refused Forbidden" if name == "rclone" else "refused AccessDenied")
    assert {seen.get("X-Amz-Security-Token") for seen in there.seen} == {TEMPORARY.session_token}
    assert all("ASIATEMPORARY/" in (seen.get("Authorization") or "") for seen in there.seen)


def test_a_backup_of_restic_comes_back(rigs: Rigs, tmp_path: Path) -> None:
    there = rigs.backend("juicefs")
    files, back = tmp_path / "files", tmp_path / "back"
    files.mkdir()
    (files / "one").write_bytes(BODY * 50)
    restic = Restic(tmp_path, endpoint=there.url, keys=there.keys, bucket="of-boto3")
    for command in (["init"], ["backup", str(files)], ["restore", "latest", "--target", str(back)]):
        ran = restic.run(*command)
        assert ran.code == 0, ran.error
    [found] = back.rglob("one")
    assert found.read_bytes() == BODY * 50
