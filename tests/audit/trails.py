# SPDX-License-Identifier: Apache-2.0
"""Events to note, and what became of them in the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from daypass.audit import Event, Who
from daypass.errors import Reason
from daypass.principal import Root
from daypass.store.audit_trail import oldest_first
from in_process import Service

ACCOUNT: Final = "123456789012"
NOW: Final = 1_800_000_000
ROOT: Final = Who(Root(ACCOUNT), "AKIAROOT")


def event(name: str = "GetRole", at: float = NOW, **more: Any) -> Event:
    """Something that root did."""
    return Event(at, "iam.amazonaws.com", name, f"request-{name}-{at}", **{"who": ROOT, **more})


def refusal(reason: Reason = Reason.UNSIGNED_REQUEST, at: float = NOW) -> Event:
    """A request that showed nothing."""
    return event("GetRole", at, who=None, reason=reason, code="MissingAuthenticationToken")


def records(path: Path) -> list[dict[str, Any]]:
    """Every record of a database file, the oldest first."""
    return [json.loads(line) for block in oldest_first(path) for line in block.lines()]


def names(path: Path) -> list[str]:
    """The names of the events of every record, the oldest first."""
    return [record["eventName"] for record in records(path)]


async def recorded(service: Service, data_dir: Path) -> list[dict[str, Any]]:
    """Every record of a service in this process, the oldest first."""
    await service.app.audit.flush()
    return records(data_dir / "daypass.db")
