# SPDX-License-Identifier: Apache-2.0
"""What the library speaks of: credentials, callers, permissions and decisions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from threading import Lock
from typing import Final, Generic, NoReturn, TypeVar

import msgspec

from daypass.credentials import Secret

NO_CONTEXT: Final[Mapping[str, Sequence[str]]] = {}


class Credentials(msgspec.Struct, frozen=True):
    """What the service itself signs its questions with."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id!r})"


class Sender(msgspec.Struct, frozen=True):
    """Where a request came from, as the service knows it: the address behind its own proxies, and whether TLS was used."""

    source_ip: str | None = None
    secure: bool = False


UNKNOWN_SENDER: Final = Sender()


class Permission(msgspec.Struct, frozen=True):
    """
    One permission: an action of the service (``notes:Read``) on a resource (an ARN, or ``*``). ``context``: condition keys that
    the request brings, of the service's own prefix, or ``aws:RequestTag/...``, ``aws:ResourceTag/...`` and ``aws:TagKeys``.
    """

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = NO_CONTEXT


class Decision(msgspec.Struct, frozen=True):
    """Whether one permission is there; ``message``: what the caller is told when it is not."""

    action: str
    resource: str
    allowed: bool
    message: str = ""

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision is not a bool; look at its member allowed")


class VerifiedCaller(msgspec.Struct, frozen=True):
    """
    Whose request it is. Only a plan of ``daypass.verify`` makes one, from a signature that verified.

    - ``kind``: ``User``, ``AssumedRole``, ``FederatedUser`` or ``Account`` (root). ``tags``: of the user or role and session.
    - ``payload``: what the signature promises of the body: its SHA-256 in hexadecimal, or a word (``UNSIGNED-PAYLOAD``, ...).
      **The service owes the body:** nothing that it asks for is done before it was compared.
    - ``signed_at``, ``issued_at``, ``expires_at``, ``mfa_at``: seconds since the epoch; the last three of sessions only.
    - ``handle``: names the caller to daypass for a few minutes; it is no credential.
    """

    arn: str
    account: str
    user_id: str
    kind: str
    access_key_id: str
    payload: str
    signed_at: int
    presigned: bool
    handle: str
    handle_ends_at: int
    tags: Mapping[str, str]
    session_name: str | None = None
    source_identity: str | None = None
    provider: str | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    mfa_at: int | None = None
    sender: Sender = UNKNOWN_SENDER
    user_agent: str | None = None
    referer: str | None = None

    def __repr__(self) -> str:
        return f"VerifiedCaller({self.arn!r})"


Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by name, each until an instant; the least recently used goes first. For threads, too."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: Hashable, now: float) -> Value | None:
        """The value, while it may be used."""
        with self._lock:
            found = self._values.get(name)
            if found is None:
                return None
            if not now < found[0]:
                del self._values[name]
                return None
            self._values.move_to_end(name)
            return found[1]

    def put(self, name: Hashable, value: Value, until: float) -> None:
        """Keep a value until an instant (which is not included)."""
        with self._lock:
            self._values[name] = (until, value)
            self._values.move_to_end(name)
            if len(self._values) > self._capacity:
                self._values.popitem(last=False)
