# SPDX-License-Identifier: Apache-2.0
"""Request ids, and what a door reports about a request: reasons, codes and names of operations, never what was sent."""

from __future__ import annotations

from typing import Protocol

from daypass.errors import Reason
from daypass.randomness import public_random_bytes


class DoorLog(Protocol):
    """Where the doors say what they refused; never with a parameter or a header."""

    def refused(self, *, request_id: str, operation: str | None, reason: Reason, code: str) -> None:
        """A request that was answered with an error."""

    def failed(self, *, request_id: str, operation: str | None, error: Exception) -> None:
        """A request that met an error of ours."""


def request_id() -> str:
    """A random UUID (RFC 9562, version 4), as AWS's request ids are; uuid4() takes four times as long."""
    digits = public_random_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
