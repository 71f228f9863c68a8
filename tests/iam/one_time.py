# SPDX-License-Identifier: Apache-2.0
"""An authenticator app, for tests: codes by RFC 4226 section 5.3 and RFC 6238, written down independently of what is tested."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass


def code_of(seed: bytes | str, step: int) -> str:
    """The six digits that a device with this base32 seed shows in a time step."""
    digest = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), "sha1").digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass(frozen=True)
class Codes:
    """The codes that a device shows one after the other; number 1 is the one that it shows now."""

    seed: bytes
    now: float

    def __getitem__(self, number: int) -> str:
        return code_of(self.seed, int(self.now) // 30 - 1 + number)
