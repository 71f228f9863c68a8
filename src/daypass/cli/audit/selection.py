# SPDX-License-Identifier: Apache-2.0
"""
Which records are meant, by the options of ``daypass audit search`` and ``tail``.

A record is read only when its line has every text that was asked for: most lines are passed over without being parsed.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer

from daypass.store.audit_trail import StoredBlock, newest_first

Record = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True):
    """
    What of a record is asked for; what is None is not. ``since`` and ``until`` are instants.

    - ``user``: a caller's name, ARN, principal id or access key id; or the subject of a proof.
    - ``role``: a role's name or ARN: of the session that called, or asked for.
    - ``account``: the caller's, the one whose trail it is, or that of a resource.
    """

    since: float | None = None
    until: float | None = None
    user: str | None = None
    role: str | None = None
    event: str | None = None
    error: str | None = None
    reason: str | None = None
    request_id: str | None = None
    account: str | None = None

    def needles(self) -> tuple[bytes, ...]:
        """Texts that the line of every record that is meant has, as JSON has them."""
        asked = (self.user, self.role, self.event, self.error, self.reason, self.request_id, self.account)
        return tuple(msgspec.json.encode(text)[1:-1] for text in asked if text is not None)

    def meant(self, record: Record) -> bool:
        """Whether a record is one of them."""
        at = record["eventTime"]
        if (self.since is not None and instant_of(at) < int(self.since)) or (
            self.until is not None and instant_of(at) > self.until
        ):
            return False
        equal = (
            (self.event, record["eventName"]),
            (self.error, record.get("errorCode")),
            (self.reason, record.get("additionalEventData", {}).get("reason")),
            (self.request_id, record["requestID"]),
        )
        return (
            all(wanted is None or wanted == found for wanted, found in equal)
            and (self.user is None or self.user in _user(record))
            and (self.role is None or self.role in _roles(record))
            and (self.account is None or self.account in _accounts(record))
        )


def _user(record: Record) -> set[str | None]:
    who = record["userIdentity"]
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {})
    federated = who.get("sessionContext", {}).get("webIdFederationData", {}).get("attributes", {})
    names = {who.get(name) for name in ("userName", "arn", "principalId", "accessKeyId")}
    if issuer.get("type") != "Role":
        names |= {issuer.get("userName"), issuer.get("arn")}
    return names | {federated.get("sub"), who.get("sessionContext", {}).get("sourceIdentity")}


def _roles(record: Record) -> set[str]:
    issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {})
    asked = record.get("requestParameters") or {}
    arns = [issuer.get("arn") if issuer.get("type") == "Role" else None, asked.get("roleArn")]
    arns += [resource["ARN"] for resource in record.get("resources", ()) if ":role/" in resource["ARN"]]
    found = {arn for arn in arns if isinstance(arn, str)}
    names = {arn.rpartition("/")[2] for arn in found}
    return found | names | {name for name in (asked.get("roleName"),) if isinstance(name, str)}


def _accounts(record: Record) -> set[str | None]:
    resources = {resource.get("accountId") for resource in record.get("resources", ())}
    return {record["userIdentity"].get("accountId"), record.get("recipientAccountId")} | resources


def instant_of(text: str) -> float:
    """The instant of an ISO 8601 time with its zone. Raises ValueError."""
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found.timestamp()


def instant_option(text: str | None, name: str) -> float | None:
    """The instant that an option names. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        return instant_of(text)
    except ValueError:
        message = "expected a time with its zone, as in 2026-01-31T12:00:00Z."
        raise typer.BadParameter(message, param_hint=name) from None


def found_in(block: StoredBlock, wanted: Wanted, needles: Sequence[bytes]) -> Iterator[Record]:
    """
    The records of a block that are meant, oldest first. Nothing of a block that is damaged: ``daypass audit
    verify`` tells of it.
    """
    try:
        lines = block.lines()
    except ValueError:
        return
    for line in lines:
        if all(needle in line for needle in needles):
            record = json.loads(line)
            if wanted.meant(record):
                yield record


def search(path: Path, wanted: Wanted, upto: int | None = None) -> Iterator[Record]:
    """
    The records of a database file that are meant, of the blocks up to a number, the newest first. Raises UnavailableError.
    """
    needles = wanted.needles()
    for block in newest_first(path, since=wanted.since, until=wanted.until):
        if upto is None or block.number <= upto:
            yield from reversed(list(found_in(block, wanted, needles)))
