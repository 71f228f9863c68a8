# SPDX-License-Identifier: Apache-2.0
"""
What people do with S3, as data: operations that run with any client against any endpoint.

Each takes a client, a witness and a bucket, and asserts the outcome by what the witness reads: boto3 with the backend's own
keys, past every proxy. ``outcome`` makes a word of how one ended, so that two ways to the same backend can be compared.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from real.s3_clients import RefusedError, StorageClient
from real.s3_wire import SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED, UNSIGNED_TRAILER, path_of, send
from running import Keys

BODY = bytes(range(256)) * 8
"""2 KB with every byte in it."""

AWKWARD_KEYS = {
    "space": "a key with spaces.txt",
    "plus": "1+1=2.txt",
    "percent-2f": "not%2Fa-slash",
    "percent": "100%",
    "two slashes": "two//slashes",
    "leading slash": "/leading",
    "trailing slash": "folder/",
    "dots in a name": "a..b/...c",
    "dot segment": "dot/./segment",
    "dot-dot segment": "dots/../segment",
    "unicode": "größe/日本語/😀.txt",
    "decomposed": "e\u0301",
    "reserved": "a:b?c#d[e]@f!g$h&i'j(k)l*m,n;o=p",
    "unwise": 'a"b<c>d\\e^f`g{h|i}j~k',
    "control": "a\x01b\x1fc",
    "newline": "a\nb",
    "long": "/".join(["k" * 200] * 5)[:1024],
}
"""Keys that something on the way may alter. What S3 allows, all of them; its documentation warns of dot segments."""

Operation = Callable[[StorageClient, Any, str], None]


def read(witness: Any, bucket: str, key: str) -> bytes | None:
    """What the backend has under a key; None when nothing."""
    try:
        return bytes(witness.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise


def put(client: StorageClient, witness: Any, bucket: str) -> None:
    """Store an object, and replace it."""
    for body in (b"first", BODY):
        client.put(bucket, "put/object", body)
        assert read(witness, bucket, "put/object") == body


def put_empty(client: StorageClient, witness: Any, bucket: str) -> None:
    """Store an object without a byte."""
    client.put(bucket, "put/empty", b"")
    assert read(witness, bucket, "put/empty") == b""


def get(client: StorageClient, witness: Any, bucket: str) -> None:
    """Read an object."""
    witness.put_object(Bucket=bucket, Key="get/object", Body=BODY)
    assert client.get(bucket, "get/object") == BODY


def get_range(client: StorageClient, witness: Any, bucket: str) -> None:
    """Read a part of an object."""
    witness.put_object(Bucket=bucket, Key="range/object", Body=BODY)
    assert client.get_range(bucket, "range/object", 100, 299) == BODY[100:300]


def list_level(client: StorageClient, witness: Any, bucket: str) -> None:
    """List one level: an object beside a prefix with two in it."""
    for key in ("list/a", "list/b/c", "list/b/d", "listed-not"):
        witness.put_object(Bucket=bucket, Key=key, Body=b"x")
    found = client.list(bucket, "list/")
    assert (found.keys, found.prefixes) == (frozenset({"list/a"}), frozenset({"list/b/"}))


def copy(client: StorageClient, witness: Any, bucket: str) -> None:
    """Copy an object within the bucket."""
    witness.put_object(Bucket=bucket, Key="copy/from here", Body=BODY)
    client.copy(bucket, "copy/from here", "copy/to there")
    assert read(witness, bucket, "copy/to there") == BODY


def delete_many(client: StorageClient, witness: Any, bucket: str) -> None:
    """Delete three objects, and leave a fourth."""
    keys = [f"delete/{number}" for number in range(4)]
    for key in keys:
        witness.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.delete(bucket, keys[:3])
    assert [read(witness, bucket, key) for key in keys] == [None, None, None, b"x"]


def tags(client: StorageClient, witness: Any, bucket: str) -> None:
    """Set tags, and read them."""
    witness.put_object(Bucket=bucket, Key="tags/object", Body=b"x")
    client.put_tags(bucket, "tags/object", {"project": "blue/green + red", "stage": "one"})
    answer = witness.get_object_tagging(Bucket=bucket, Key="tags/object")
    wanted = {"project": "blue/green + red", "stage": "one"}
    assert {pair["Key"]: pair["Value"] for pair in answer["TagSet"]} == wanted
    assert client.get_tags(bucket, "tags/object") == wanted


def presigned_get(client: StorageClient, witness: Any, bucket: str) -> None:
    """Read by a URL, without any header."""
    witness.put_object(Bucket=bucket, Key="presigned/a read", Body=BODY)
    assert _open(urllib.request.Request(client.presign_get(bucket, "presigned/a read"))) == BODY


def presigned_put(client: StorageClient, witness: Any, bucket: str) -> None:
    """Store by a URL."""
    url = client.presign_put(bucket, "presigned/a write")
    _open(urllib.request.Request(url, BODY, {"Content-Type": "application/octet-stream"}, method="PUT"))
    assert read(witness, bucket, "presigned/a write") == BODY


def multipart(client: StorageClient, witness: Any, bucket: str, folder: Path, megabytes: int = 12) -> None:
    """Store a file of so many MB in parts; the witness compares hashes, piece by piece."""
    file, wanted = folder / f"{megabytes}-megabytes", hashlib.sha256()
    with file.open("wb") as output:
        for number in range(megabytes):
            piece = hashlib.shake_128(number.to_bytes(4, "big")).digest(1024 * 1024)
            output.write(piece)
            wanted.update(piece)
    client.put_large(bucket, "multipart/object", file)
    file.unlink()
    found, answer = hashlib.sha256(), witness.get_object(Bucket=bucket, Key="multipart/object")
    for piece in answer["Body"].iter_chunks(1024 * 1024):
        found.update(piece)
    assert (answer["ContentLength"], found.hexdigest()) == (megabytes * 1024 * 1024, wanted.hexdigest())


OPERATIONS: dict[str, tuple[Operation, frozenset[str]]] = {
    "put": (put, frozenset({"put"})),
    "put empty": (put_empty, frozenset({"put"})),
    "get": (get, frozenset({"get"})),
    "range": (get_range, frozenset({"get_range"})),
    "list": (list_level, frozenset({"list"})),
    "copy": (copy, frozenset({"copy"})),
    "delete many": (delete_many, frozenset({"delete"})),
    "tags": (tags, frozenset({"put_tags", "get_tags"})),
    "presigned get": (presigned_get, frozenset({"presign_get"})),
    "presigned put": (presigned_put, frozenset({"presign_put"})),
}
"""By name: the operation, and what it needs a client to be able to. ``multipart`` is apart: it needs a folder."""


def key_round_trip(client: StorageClient, witness: Any, bucket: str, key: str) -> None:
    """Store, read, list and delete under a key; at each step the backend has exactly this key."""
    client.put(bucket, key, BODY)
    assert read(witness, bucket, key) == BODY
    assert key in [entry["Key"] for entry in _everything(witness, bucket)]
    assert client.get(bucket, key) == BODY
    client.delete(bucket, [key])
    assert read(witness, bucket, key) is None


KNOWN: dict[tuple[str, str, str], str] = {
    # No Content-MD5: the SDKs of today send other checksums, MinIO's front in JuiceFS wants the old one.
    ("juicefs", "boto3", "delete many"): "refused MissingContentMD5",
    ("juicefs", "aws-cli", "delete many"): "refused MissingContentMD5",
    ("juicefs", "node", "delete many"): "refused MissingContentMD5",
    # Behind that front is a file system.
    ("juicefs", "*", "key: two slashes"): "differs",
    ("juicefs", "*", "key: leading slash"): "differs",
    ("juicefs", "*", "key: trailing slash"): "refused XMinioObjectExistsAsDirectory",
    ("juicefs", "*", "key: dot segment"): "refused XMinioInvalidResourceName",
    ("juicefs", "*", "key: dot-dot segment"): "refused XMinioInvalidResourceName",
    # It is older than trailing checksums.
    ("juicefs", "*", SIGNED_CHUNKS_TRAILER): "refused XAmzContentSHA256Mismatch",
    ("juicefs", "*", UNSIGNED_TRAILER): "refused XAmzContentSHA256Mismatch",
    # And it wants a length, which a stream of the JavaScript SDK has not.
    ("juicefs", "node", UNSIGNED_TRAILER): "refused MissingContentLength",
    ("moto", "rclone", "multipart"): "refused BadRequest",
    ("moto", "boto3", "key: newline"): "refused 404",
    ("moto", "node", "key: newline"): "refused Error",
}
"""By backend, client (``*``: all) and operation: how it ends directly at the backend, where that is not ``done``."""


def expected(backend: str, client: str, operation: str) -> str:
    """How an operation ends directly at a backend. ``operation``: a name of OPERATIONS or BODIES, or ``key: NAME``."""
    return KNOWN.get((backend, client, operation)) or KNOWN.get((backend, "*", operation), "done")


BODIES = (UNSIGNED, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED_TRAILER)
"""Ways to declare a body, beside its hash."""


def put_by_wire(url: str, keys: Keys, witness: Any, bucket: str, payload: str, *, region: str = "us-east-1") -> None:
    """Store 200 KB, in chunks where ``payload`` says so; the backend must have them without the chunks' framing."""
    body = BODY * 100
    target = path_of(bucket, "wire/object")
    answer = send(url, keys, "PUT", target, body=body, payload=payload, region=region)
    if answer.status != 200:
        raise RefusedError(code_of(answer.body) or str(answer.status), answer.body.decode(errors="replace"))
    assert read(witness, bucket, "wire/object") == body


def outcome(attempt: Callable[[], None]) -> str:
    """``done``, ``refused CODE``, or ``differs``: how an operation ended, comparable between two ways to a backend."""
    try:
        attempt()
    except RefusedError as refused:
        return f"refused {refused.code}"
    except ClientError as error:
        return f"witness {error.response['Error']['Code']}"
    except AssertionError:
        return "differs"
    return "done"


def code_of(body: bytes) -> str:
    """The code of an error body, without a parser: empty when there is none."""
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode(errors="replace")


def _everything(witness: Any, bucket: str) -> list[dict[str, Any]]:
    pages = witness.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry for page in pages for entry in page.get("Contents", ())]


def _open(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
        raise RefusedError(code_of(body) or str(error.code), body.decode(errors="replace")) from None
