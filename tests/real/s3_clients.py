# SPDX-License-Identifier: Apache-2.0
"""
Real S3 clients behind one face (``s3_client.StorageClient``), each a context manager.

    with node_client(tmp_path, endpoint=proxy.url, keys=keys) as client:
        client.put("lake", "a key", b"bytes")

What a client has no operation for is not in what it ``can``. A refusal by the service is a ``RefusedError`` with AWS's code.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from real import needed
from real.s3_client import PART, Listing, RefusedError, StorageClient, listing, no_errors
from real.s3_programs import (
    AwsClient,
    RcloneClient,
    Restic,
    S3cmdClient,
    aws_client,
    rclone_client,
    s3cmd_client,
)
from running import Keys

__all__ = [
    "CLIENTS",
    "KINDS",
    "BotoClient",
    "Listing",
    "NodeClient",
    "RefusedError",
    "Restic",
    "StorageClient",
    "boto_client",
    "can",
    "node_client",
]

NODE_FOLDER = Path(__file__).with_name("s3_client_node")


class BotoClient(StorageClient):
    """boto3."""

    name = "boto3"

    def __init__(self, endpoint: str, keys: Keys, region: str = "us-east-1", **config: Any) -> None:
        session: Any = boto3.Session()
        style = Config(
            s3={"addressing_style": "path"}, signature_version="s3v4", retries={"total_max_attempts": 1}, **config
        )
        self.boto = session.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            config=style,
        )

    def _ask(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self.boto, operation)(**parameters)
        except ClientError as error:
            raise RefusedError(str(error.response["Error"]["Code"]), str(error)) from None

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self._ask("put_object", Bucket=bucket, Key=key, Body=body)

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2)
        self._ask("upload_file", Filename=str(file), Bucket=bucket, Key=key, Config=parts)

    def get(self, bucket: str, key: str) -> bytes:
        return bytes(self._ask("get_object", Bucket=bucket, Key=key)["Body"].read())

    def get_range(self, bucket: str, key: str, first: int, last: int) -> bytes:
        return bytes(self._ask("get_object", Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")["Body"].read())

    def list(self, bucket: str, prefix: str) -> Listing:
        page = self._ask("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/")
        assert not page["IsTruncated"]
        return listing(page)

    def copy(self, bucket: str, key: str, to: str) -> None:
        self._ask("copy_object", Bucket=bucket, Key=to, CopySource={"Bucket": bucket, "Key": key})

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            self._ask("delete_object", Bucket=bucket, Key=keys[0])
        else:
            no_errors(self._ask("delete_objects", Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]}))

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._ask("put_object_tagging", Bucket=bucket, Key=key, Tagging={"TagSet": pairs})

    def get_tags(self, bucket: str, key: str) -> dict[str, str]:
        answer = self._ask("get_object_tagging", Bucket=bucket, Key=key)
        return {pair["Key"]: pair["Value"] for pair in answer["TagSet"]}

    def presign_get(self, bucket: str, key: str) -> str:
        return str(self.boto.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, 300))

    def presign_put(self, bucket: str, key: str) -> str:
        return str(self.boto.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key}, 300))


class NodeClient(StorageClient):
    """The AWS SDK for JavaScript v3, in a process that lives as long as the client."""

    name = "node"

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, operation: str, **parameters: Any) -> Any:
        """One line to the process and one back. Raises RefusedError."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": operation, **parameters}) + "\n")
        stdin.flush()
        readable, _, _ = select.select([stdout], [], [], 60)
        line = stdout.readline() if readable else ""
        assert line, f"no answer to {operation}"
        answer = json.loads(line)
        if "refused" in answer:
            raise RefusedError(answer["refused"]["code"], str(answer["refused"]))
        return answer["ok"]

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.ask("put", bucket=bucket, key=key, body=base64.b64encode(body).decode())

    def put_stream(self, bucket: str, key: str, body: bytes) -> None:
        """As ``put``, from a stream: the SDK then sends the body with an unsigned trailer."""
        self.ask("put_stream", bucket=bucket, key=key, body=base64.b64encode(body).decode())

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        self.ask("put_large", bucket=bucket, key=key, file=str(file))

    def get(self, bucket: str, key: str) -> bytes:
        return base64.b64decode(self.ask("get", bucket=bucket, key=key))

    def get_range(self, bucket: str, key: str, first: int, last: int) -> bytes:
        return base64.b64decode(self.ask("get_range", bucket=bucket, key=key, first=first, last=last))

    def list(self, bucket: str, prefix: str) -> Listing:
        found = self.ask("list", bucket=bucket, prefix=prefix, delimiter="/")
        return Listing(frozenset(found["keys"]), frozenset(found["prefixes"]))

    def copy(self, bucket: str, key: str, to: str) -> None:
        self.ask("copy", bucket=bucket, key=key, to=to)

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        self.ask("delete", bucket=bucket, keys=list(keys))

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        self.ask("put_tags", bucket=bucket, key=key, tags=dict(tags))

    def get_tags(self, bucket: str, key: str) -> dict[str, str]:
        return dict(self.ask("get_tags", bucket=bucket, key=key))

    def presign_get(self, bucket: str, key: str) -> str:
        return str(self.ask("presign_get", bucket=bucket, key=key))

    def presign_put(self, bucket: str, key: str) -> str:
        return str(self.ask("presign_put", bucket=bucket, key=key))


KINDS: dict[str, type[StorageClient]] = {
    kind.name: kind for kind in (BotoClient, AwsClient, RcloneClient, S3cmdClient, NodeClient)
}
"""By name."""


def can(client: str) -> frozenset[str]:
    """The names of the operations that a client has, by the client's name."""
    names = [name for name, value in vars(StorageClient).items() if callable(value)]
    return frozenset(name for name in names if getattr(KINDS[client], name) is not getattr(StorageClient, name))


@contextmanager
def boto_client(folder: Path, *, endpoint: str, keys: Keys, region: str = "us-east-1") -> Iterator[StorageClient]:
    """boto3, with connections that are closed with the block."""
    client = BotoClient(endpoint, keys, region)
    try:
        yield client
    finally:
        client.boto.close()


@contextmanager
def node_client(folder: Path, *, endpoint: str, keys: Keys, region: str = "us-east-1") -> Iterator[StorageClient]:
    """The AWS SDK for JavaScript, in a Node.js process."""
    node = needed.program("node")
    needed.npm_modules(NODE_FOLDER, "@aws-sdk/client-s3")
    credentials = {"accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key}
    if keys.session_token is not None:
        credentials["sessionToken"] = keys.session_token
    settings = {"endpoint": endpoint, "region": region, "credentials": credentials}
    with (
        (folder / "node.log").open("wb") as log,
        subprocess.Popen(
            [node, "client.mjs", json.dumps(settings)],
            cwd=NODE_FOLDER,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield NodeClient(process)
        finally:
            process.kill()


CLIENTS: dict[str, Callable[..., AbstractContextManager[StorageClient]]] = {
    "boto3": boto_client,
    "aws-cli": aws_client,
    "rclone": rclone_client,
    "s3cmd": s3cmd_client,
    "node": node_client,
}
"""By name: the tests' parameter. Each takes ``(folder, *, endpoint, keys, region="us-east-1")``."""
