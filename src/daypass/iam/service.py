# SPDX-License-Identifier: Apache-2.0
"""What the operations of IAM work with; made once, when the process is wired."""

from __future__ import annotations

from dataclasses import dataclass

from daypass.store import Store


@dataclass(frozen=True, slots=True)
class Iam:
    """The store, and whether providers at plain http on the loopback interface may be registered (development)."""

    store: Store
    allow_loopback_http: bool = False
