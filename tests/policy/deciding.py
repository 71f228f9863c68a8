# SPDX-License-Identifier: Apache-2.0
"""
Layers that allow, deny, or say nothing.
"""

from __future__ import annotations

from typing import Any

from daypass.policy import Kind, Level, NamedPolicy
from policy.making import (
    named,
    statement,
)

SILENT = statement(Action="nobody:Asks")
ALLOW = statement()
DENY = statement("Deny")
SAYS: dict[str, tuple[dict[str, Any], ...]] = {"allow": (ALLOW,), "none": (SILENT,), "deny": (ALLOW, DENY)}


def layer(says: str, kind: Kind) -> NamedPolicy:
    return named(*SAYS[says], kind=kind, name=kind.value)


def resource(*entries: Any, effect: str = "Allow") -> NamedPolicy:
    return named(*[statement(effect, Principal=entry) for entry in entries], kind=Kind.RESOURCE, name="resource")


def levels(*says: str) -> tuple[Level, ...]:
    return tuple(Level(f"level{i}", (layer(word, Kind.SCP),)) for i, word in enumerate(says))


TRUST_STATEMENT = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def rcp(action: str = "s3:*", **more: Any) -> tuple[Level, ...]:
    made = statement("Deny", Principal="*", Action=action, **more)
    return (Level("root", (named(made, kind=Kind.RCP, name="rcp"),)), Level("unit"))
