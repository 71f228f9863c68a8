# SPDX-License-Identifier: Apache-2.0
"""What the operations of IAM work with; made once, when the process is wired."""

from __future__ import annotations

from dataclasses import dataclass, field

from daypass.iam.outbox import Outbox
from daypass.iam.passwords import Passwords
from daypass.sealing import MasterKey
from daypass.store import Store


@dataclass(frozen=True, slots=True)
class Iam:
    """
    The store; the master key, which wraps the secrets that are stored; and whether providers at plain http on the loopback
    interface may be registered (development); what hashes passwords; and the URL at which clients reach this service, without
    a slash at its end; and where messages to others are left.
    """

    store: Store
    master: MasterKey = field(repr=False)
    allow_loopback_http: bool = False
    passwords: Passwords = field(default_factory=Passwords)
    public_url: str = "http://127.0.0.1:8450"
    outbox: Outbox | None = None
