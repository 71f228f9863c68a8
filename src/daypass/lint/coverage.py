# SPDX-License-Identifier: Apache-2.0
"""
What a statement's Action element covers, by the tables: known for sure, or not known at all.

INVARIANT: where anything is in doubt (a service that no table has, NotAction, ``*``, too much to compare) the answer is None,
and whoever asks keeps silent.
"""

from __future__ import annotations

from daypass.lint.findings import Collector
from daypass.lint.located import Scalar
from daypass.lint.stated import Stated
from daypass.lint.tables import Action, matching_actions, service
from daypass.policy.actions import split_action
from daypass.policy.match import compile_text


def covered(entry: Scalar, out: Collector) -> tuple[Action, ...] | None:
    """The actions that one entry covers; None when that is not known."""
    prefix, name = split_action(entry.text or "")
    tables = service(prefix)
    if tables is None:
        return None
    wild = "*" in name or "?" in name
    if wild and compile_text(name).prefix is None and not out.spend(len(tables.actions)):
        return None
    found = matching_actions(prefix, name)
    return found if out.spend(len(found)) else None  # whoever asks looks at each


def all_covered(stated: Stated, out: Collector) -> tuple[tuple[Scalar, tuple[Action, ...]], ...] | None:
    """Every entry of Action with what it covers; None when one of them is not known, or there is no Action."""
    if not stated.source.action:
        return None
    found: list[tuple[Scalar, tuple[Action, ...]]] = []
    for entry in stated.actions:
        actions = covered(entry, out)
        if not actions:
            return None  # an unknown name is reported as such, and nothing is concluded from it
        found.append((entry, actions))
    return tuple(found)
