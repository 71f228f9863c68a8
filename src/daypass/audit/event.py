# SPDX-License-Identifier: Apache-2.0
"""What a door notes: references to what is there anyway, so that a note costs next to nothing."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from daypass.errors import Reason
from daypass.principal import AccountPrincipal

UNSIGNED_REGION: Final = "us-east-1"
"""Where a request without a signature counts as sent to: only a signature names a region."""

MAX_DECISION: Final = 65_536
"""Bytes of a packed decision (``pack``). One with more is left out; most have 1,000."""

_DECISION_TEXT: Final = 1 << 22
"""Bytes to which a packed decision may unpack."""


class Who(msgspec.Struct, frozen=True, cache_hash=True):
    """
    A caller whose signature was verified.

    - ``access_key_id``: what the request was signed with.
    - ``issued_at``, ``mfa``: of a session; None and False for long-term keys. ``source_identity``: of the session.
    - ``provider``, ``subject``: who vouched for whoever began the session, and for whom. ``chain``: the callers before.
    """

    principal: AccountPrincipal
    access_key_id: str
    issued_at: int | None = None
    mfa: bool = False
    source_identity: str | None = None
    provider: str | None = None
    subject: str | None = None
    chain: tuple[str, ...] = ()


class Proven(msgspec.Struct, frozen=True):
    """
    Whoever brought a proof that was verified.

    - ``provider_arn``: the registration; ``qualifier``: the audience of a token, the name qualifier of an assertion.
    - ``proof_id``: the id of the assertion or token, which is recorded as its SHA-256, so that whoever has the assertion finds
      the record, and nobody gets from the record to it. ``certificate``: SHA-256 of the certificate whose key signed.
    - ``weak``: exceptions of the configuration that were made use of (``sha1``, ``small-rsa``, ``cbc``, ``replay``).
    """

    kind: Literal["SAMLUser", "WebIdentityUser"]
    provider_arn: str
    qualifier: str
    subject: str
    proof_id: str | None = None
    certificate: str | None = None
    weak: tuple[str, ...] = ()


Decision = bytes | Callable[[], Mapping[str, Any]]
"""
The evidence of a denial: packed, or what will make it. Where nothing may be told by the time that an answer takes, it is made
when the record is: a role that is not there has none.
"""

Told = Callable[[Proven], None]
"""Is called with a proof as soon as it is verified, whatever becomes of the request afterwards."""


def nobody_told(_proven: Proven) -> None:
    """For whoever does not want to know."""


class Event(msgspec.Struct, frozen=True):
    """
    What happened, as a door notes it: references to what is there anyway, so that a note costs next to nothing.

    - ``at``: when the request had come, in seconds since 1970. ``source``: ``sts.amazonaws.com``. ``name``: the operation.
    - ``who``: None where nobody was identified.
    - ``parameters``, ``answer``: what ``admitted``, ``recorded_answer`` and ``credentials_answer`` have let through.
    - ``reason``, ``code``, ``message``: of a refusal; the message is what the caller was told.
    - ``data``: ours (``additionalEventData``); ``decision``: the evidence of a denial, packed (``pack``), or what makes it.
    - ``resources``: ARNs. ``account``: whose trail it is, where neither caller nor parameters say so.
    """

    at: float
    source: str
    name: str
    request_id: str
    source_ip: str | None = None
    user_agent: str | None = None
    who: Who | Proven | None = None
    region: str = UNSIGNED_REGION
    parameters: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    reason: Reason | None = None
    code: str | None = None
    message: str | None = None
    read_only: bool = True
    management: bool = True
    data: Mapping[str, Any] | None = None
    decision: Decision | None = None
    resources: tuple[str, ...] = ()
    account: str | None = None
    kind: str = "AwsApiCall"

    def __repr__(self) -> str:
        return f"Event({self.source!r}, {self.name!r}, {self.request_id!r})"


def pack(document: Mapping[str, Any]) -> bytes:
    """The evidence of a denial, as it waits and as it is sealed: compact JSON, deflated."""
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 6)


def unpack(packed: bytes) -> bytes | None:
    """The JSON text of a packed document; None for one that is too long to be recorded."""
    if len(packed) > MAX_DECISION:
        return None
    opened = zlib.decompressobj()
    text = opened.decompress(packed, _DECISION_TEXT)
    return text if opened.eof else None
