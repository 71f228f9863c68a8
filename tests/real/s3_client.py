# SPDX-License-Identifier: Apache-2.0
"""The face that real S3 clients have in common, so that one suite of operations runs with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PART = 5 * 1024 * 1024
"""Bytes of a part of a multipart upload: S3's least."""


class RefusedError(Exception):
    """What the service answered: AWS's error code, and all that the client said of it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Listing:
    """Keys and common prefixes, as the client shows them."""

    keys: frozenset[str]
    prefixes: frozenset[str] = frozenset()


class StorageClient:
    """What the suite asks of a client. Each raises RefusedError where the service refuses."""

    name = ""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object in one request."""
        raise NotImplementedError

    def put_large(self, bucket: str, key: str, file: Path) -> None:
        """Store a file of more than ``PART`` bytes as a multipart upload."""
        raise NotImplementedError

    def get(self, bucket: str, key: str) -> bytes:
        """Read an object."""
        raise NotImplementedError

    def get_range(self, bucket: str, key: str, first: int, last: int) -> bytes:
        """Read the bytes from ``first`` to ``last``, both included."""
        raise NotImplementedError

    def list(self, bucket: str, prefix: str) -> Listing:
        """What is there under a prefix, one level deep: the delimiter is a slash."""
        raise NotImplementedError

    def copy(self, bucket: str, key: str, to: str) -> None:
        """Copy within a bucket, in the service."""
        raise NotImplementedError

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete one object, or several in one request where the client knows that."""
        raise NotImplementedError

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """Set an object's tags."""
        raise NotImplementedError

    def get_tags(self, bucket: str, key: str) -> dict[str, str]:
        """Read an object's tags."""
        raise NotImplementedError

    def presign_get(self, bucket: str, key: str) -> str:
        """A URL with which anybody can read the object for a while."""
        raise NotImplementedError

    def presign_put(self, bucket: str, key: str) -> str:
        """A URL with which anybody can store the object for a while."""
        raise NotImplementedError


def listing(page: Mapping[str, Any]) -> Listing:
    """Of an answer of ListObjectsV2, or of what the command line prints of one."""
    keys = frozenset(str(entry["Key"]) for entry in page.get("Contents") or ())
    return Listing(keys, frozenset(str(entry["Prefix"]) for entry in page.get("CommonPrefixes") or ()))


def no_errors(answer: Mapping[str, Any]) -> None:
    """DeleteObjects answers 200 with errors inside."""
    for error in answer.get("Errors") or ():
        raise RefusedError(str(error["Code"]), str(error))
