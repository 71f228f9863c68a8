# SPDX-License-Identifier: Apache-2.0
"""What a state file wants, in one list: each entry is one aspect of one thing, and knows its line."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """
    One thing that the file wants.

    - ``aspect`` and ``target``: what of what (``daypass.store.Managed``).
    - ``value``: what it shall be, as the aspect has it (``daypass.statefile.aspects``).
    - ``line``: where it stands in the file.
    """

    aspect: str
    target: str
    value: Any
    line: int

    @property
    def key(self) -> tuple[str, str]:
        """Which thing it is."""
        return self.aspect, self.target


class WantedPolicy(msgspec.Struct, frozen=True):
    """
    The value of a policy. ``document``: its text. ``owner``: the account that the file names for a resource that is no bucket
    and whose ARN names none.
    """

    document: str
    owner: str | None = None


class Desired(msgspec.Struct, frozen=True):
    """A whole state file, read. ``name``: how messages call it. ``wanted``: no thing twice."""

    name: str
    wanted: tuple[Wanted, ...]

    def digest(self) -> str:
        """SHA-256 of what it wants, in hexadecimal: the same for files that differ in form only."""
        entries = sorted((one.aspect, one.target, msgspec.json.encode(one.value).decode()) for one in self.wanted)
        return hashlib.sha256(msgspec.json.encode(entries)).hexdigest()

    def where(self, line: int) -> str:
        """A place in the file, as messages begin."""
        return f"{self.name}, line {line}"
