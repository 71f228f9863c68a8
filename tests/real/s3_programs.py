# SPDX-License-Identifier: Apache-2.0
"""Real S3 clients that are programs: the AWS command line, rclone, s3cmd, and restic, with a configuration of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real import needed
from real.s3_client import PART, Listing, RefusedError, StorageClient, listing, no_errors
from running import Keys, Ran


class CommandClient(StorageClient):
    """A client that is a program: one run for each operation. ``last`` is how the last run ended."""

    REFUSAL = r""
    """Finds AWS's code in what the program says, in its first group."""

    def __init__(self, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.last = Ran(0, "", "")
        self._command = list(command)
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **environment}

    def run(self, *arguments: str, binary: bool = False) -> bytes:
        """Run it. Returns what it printed; raises RefusedError when it ended otherwise than with 0."""
        command = [*self._command, *arguments]
        ran = subprocess.run(
            command, env=self._environment, cwd=self.folder, capture_output=True, timeout=120, check=False
        )
        said = "" if binary and ran.returncode == 0 else ran.stdout.decode(errors="replace")
        self.last = Ran(ran.returncode, said, ran.stderr.decode(errors="replace"))
        if ran.returncode != 0:
            text = self.last.error + self.last.output
            found = re.search(self.REFUSAL, text)
            raise RefusedError(found.group(1) if found else "?", text)
        return ran.stdout

    def _file(self, body: bytes = b"") -> Path:
        file = self.folder / "body"
        file.write_bytes(body)
        return file


class AwsClient(CommandClient):
    """The AWS command line."""

    name = "aws-cli"
    REFUSAL = r"\((\w+)\)"

    def _json(self, operation: str, bucket: str, *arguments: str) -> Any:
        printed = self.run("s3api", operation, "--bucket", bucket, *arguments)
        return json.loads(printed or b"{}")

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self._json("put-object", bucket, f"--key={key}", f"--body={self._file(body)}")

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        self.run("s3", "cp", "--only-show-errors", str(file), f"s3://{bucket}/{key}")

    def get(self, bucket: str, key: str) -> bytes:
        return self.run("s3", "cp", "--only-show-errors", f"s3://{bucket}/{key}", "-", binary=True)

    def get_range(self, bucket: str, key: str, first: int, last: int) -> bytes:
        self._json("get-object", bucket, f"--key={key}", f"--range=bytes={first}-{last}", "ranged")
        return (self.folder / "ranged").read_bytes()

    def list(self, bucket: str, prefix: str) -> Listing:
        return listing(self._json("list-objects-v2", bucket, f"--prefix={prefix}", "--delimiter=/"))

    def copy(self, bucket: str, key: str, to: str) -> None:
        self.run("s3", "cp", "--only-show-errors", f"s3://{bucket}/{key}", f"s3://{bucket}/{to}")

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            self._json("delete-object", bucket, f"--key={keys[0]}")
            return
        wanted = json.dumps({"Objects": [{"Key": key} for key in keys]})
        no_errors(self._json("delete-objects", bucket, f"--delete={wanted}"))

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        pairs = json.dumps({"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]})
        self._json("put-object-tagging", bucket, f"--key={key}", f"--tagging={pairs}")

    def get_tags(self, bucket: str, key: str) -> dict[str, str]:
        answer = self._json("get-object-tagging", bucket, f"--key={key}")
        return {pair["Key"]: pair["Value"] for pair in answer["TagSet"]}

    def presign_get(self, bucket: str, key: str) -> str:
        return self.run("s3", "presign", f"s3://{bucket}/{key}", "--expires-in", "300").decode().strip()


class RcloneClient(CommandClient):
    """rclone. It writes characters that other storages do not have in another way; keys here are plain."""

    name = "rclone"
    REFUSAL = r"(?:^|: )([A-Z]\w+): .*\n?\s*status code|status code: \d+.*?(\w+)"

    def _at(self, bucket: str, key: str) -> str:
        return f"lake:{bucket}/{key}"

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.run("copyto", str(self._file(body)), self._at(bucket, key), "--ignore-times")

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        parts = ["--s3-upload-cutoff=5M", "--s3-chunk-size=5M", "--s3-upload-concurrency=2"]
        self.run("copyto", str(file), self._at(bucket, key), *parts)

    def get(self, bucket: str, key: str) -> bytes:
        return self.run("cat", self._at(bucket, key), binary=True)

    def get_range(self, bucket: str, key: str, first: int, last: int) -> bytes:
        where = ["--offset", str(first), "--count", str(last - first + 1)]
        return self.run("cat", self._at(bucket, key), *where, binary=True)

    def list(self, bucket: str, prefix: str) -> Listing:
        entries = json.loads(self.run("lsjson", self._at(bucket, prefix)))
        files = frozenset(prefix + entry["Path"] for entry in entries if not entry["IsDir"])
        return Listing(files, frozenset(f"{prefix}{entry['Path']}/" for entry in entries if entry["IsDir"]))

    def copy(self, bucket: str, key: str, to: str) -> None:
        self.run("copyto", self._at(bucket, key), self._at(bucket, to))

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.run("deletefile", self._at(bucket, key))

    def presign_get(self, bucket: str, key: str) -> str:
        return self.run("link", self._at(bucket, key), "--expire", "5m").decode().strip()


class S3cmdClient(CommandClient):
    """s3cmd."""

    name = "s3cmd"
    REFUSAL = r"S3 error: \d+ \((\w+)\)"

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.run("put", str(self._file(body)), f"s3://{bucket}/{key}")

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        self.run("put", "--multipart-chunk-size-mb=5", str(file), f"s3://{bucket}/{key}")

    def get(self, bucket: str, key: str) -> bytes:
        return self.run("get", "--no-progress", f"s3://{bucket}/{key}", "-", binary=True)

    def list(self, bucket: str, prefix: str) -> Listing:
        printed = self.run("ls", f"s3://{bucket}/{prefix}").decode().splitlines()
        found = [(line.split()[0] == "DIR", line.partition(f"s3://{bucket}/")[2]) for line in printed]
        keys, prefixes = ([name for is_prefix, name in found if is_prefix is wanted] for wanted in (False, True))
        return Listing(frozenset(keys), frozenset(prefixes))

    def copy(self, bucket: str, key: str, to: str) -> None:
        self.run("cp", f"s3://{bucket}/{key}", f"s3://{bucket}/{to}")

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        self.run("del", *(f"s3://{bucket}/{key}" for key in keys))


@contextmanager
def aws_client(folder: Path, *, endpoint: str, keys: Keys, region: str = "us-east-1") -> Iterator[StorageClient]:
    """The AWS command line, with nothing of this machine's configuration."""
    configuration = folder / "aws-config"
    configuration.write_text(
        f"[default]\nregion = {region}\ns3 =\n  addressing_style = path\n  signature_version = s3v4\n"
        f"  multipart_threshold = {PART}\n  multipart_chunksize = {PART}\n",
        encoding="utf-8",
    )
    environment = keys.environment() | {
        "AWS_CONFIG_FILE": str(configuration),
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": endpoint,
    }
    yield AwsClient(folder, [str(Path(sys.executable).with_name("aws"))], environment)


@contextmanager
def rclone_client(folder: Path, *, endpoint: str, keys: Keys, region: str = "us-east-1") -> Iterator[StorageClient]:
    """rclone with one remote, configured by its environment."""
    remote = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ACCESS_KEY_ID": keys.access_key_id,
        "SECRET_ACCESS_KEY": keys.secret_access_key,
        "SESSION_TOKEN": keys.session_token or "",
        "ENDPOINT": endpoint,
        "REGION": region,
        "NO_CHECK_BUCKET": "true",
    }
    environment = {f"RCLONE_CONFIG_LAKE_{name}": value for name, value in remote.items() if value}
    (folder / "rclone.conf").touch()
    command = [
        needed.program("rclone", "rclone"),
        "--config",
        "rclone.conf",
        "--low-level-retries=1",
        "--retries=1",
        "-q",
    ]
    yield RcloneClient(folder, command, environment)


@contextmanager
def s3cmd_client(folder: Path, *, endpoint: str, keys: Keys, region: str = "us-east-1") -> Iterator[StorageClient]:
    """s3cmd with a configuration file of its own."""
    host = endpoint.removeprefix("http://")
    settings = {
        "access_key": keys.access_key_id,
        "secret_key": keys.secret_access_key,
        "access_token": keys.session_token or "",
        "host_base": host,
        "host_bucket": host,
        "bucket_location": region,
        "use_https": "False",
        "max_retries": "1",
    }
    lines = ["[default]", *(f"{name} = {value}" for name, value in settings.items())]
    configuration = folder / "s3cmd.ini"
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    configuration.chmod(0o600)
    command = [needed.program("s3cmd", "s3cmd"), "--config", str(configuration), "--no-progress"]
    yield S3cmdClient(folder, command, {})


class Restic:
    """
    restic, which keeps backups in S3: the one program here that signs a body chunk by chunk (minio-go does, over plain HTTP).

    It has no operations of its own for objects, so it is none of ``CLIENTS``.
    """

    def __init__(self, folder: Path, *, endpoint: str, keys: Keys, bucket: str, region: str = "us-east-1") -> None:
        self._folder = folder
        self._program = needed.program("restic", "restic")
        self._environment = keys.environment() | {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_DEFAULT_REGION": region,
            "RESTIC_REPOSITORY": f"s3:{endpoint}/{bucket}/backups",
            "RESTIC_PASSWORD": "of the backups",
        }

    def run(self, *arguments: str) -> Ran:
        """``init``, ``backup FOLDER``, ``check``, ``restore latest --target FOLDER``: how it ended."""
        command = [self._program, "--no-cache", "-o", "s3.bucket-lookup=path", *arguments]
        ran = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)
