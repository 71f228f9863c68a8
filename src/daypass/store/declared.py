# SPDX-License-Identifier: Apache-2.0
"""
What a state file is in charge of, and what became of the file. Records like those of ``daypass.store.records``; they belong to
no account.
"""

from __future__ import annotations

from daypass.store.records import Record

STATE_FILE = "state"
"""The name of the one state file that a store has."""


class Managed(Record, frozen=True):
    """
    One thing that the state file manages, and nobody else may change. ``aspect``: what of it (``policy``); ``target``: of what,
    an ARN or an account.
    """

    kind = "managed"
    collection = "managed"
    identity = ("aspect", "target")
    named = permanent = False

    aspect: str
    target: str

    @property
    def owner(self) -> str:
        """There is one state file."""
        return ""

    @property
    def sort_name(self) -> str:
        """By aspect, then by target."""
        return self.key


class StateFile(Record, frozen=True):
    """
    The state file that was applied last, or refused.

    ``digest``: SHA-256 of what the applied one said, in hexadecimal; empty when none was applied yet. ``problem``: why the file
    as it stands now was refused, or None.
    """

    kind = "state_file"
    collection = "state_files"
    identity = ("name",)
    named = permanent = False

    name: str
    path: str
    digest: str
    applied_at: int | None
    problem: str | None = None

    @property
    def owner(self) -> str:
        """There is one."""
        return ""
