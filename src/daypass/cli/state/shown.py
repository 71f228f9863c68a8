# SPDX-License-Identifier: Apache-2.0
"""How a difference is shown: a line a change, and of policies what is different in them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from daypass.resources import OWNER, POLICY, PUBLIC_ACCESS
from daypass.statefile import Change, Difference
from daypass.statefile.difference import Action

_SIGNS: Final[Mapping[Action, str]] = {"add": "+", "change": "~", "adopt": "=", "remove": "-", "release": "."}
_COUNTED: Final[Mapping[Action, str]] = {
    "add": "to add",
    "change": "to change",
    "adopt": "to take over",
    "remove": "to remove",
    "release": "to let go",
}
_ASPECTS: Final[Mapping[str, str]] = {
    OWNER: "owner",
    POLICY: "policy",
    PUBLIC_ACCESS: "public access block",
}


def difference_json(found: Difference, path: str, *, applied: bool) -> dict[str, Any]:
    """A difference as one JSON object. ``applied``: whether it has been made."""
    return {
        "file": path,
        "applied": applied,
        "changes": [_change_json(change) for change in found.changes],
        "counts": _counts(found),
        "unchanged": found.unchanged,
    }


def difference_lines(found: Difference) -> list[str]:
    """A difference as lines, with the count at the end."""
    lines = [line for change in found.changes for line in _lines(change)]
    counts = [f"{number} {_COUNTED[action]}" for action, number in _counts(found).items() if number]
    return [*lines, f"{', '.join(counts) or 'Nothing to change'}; {found.unchanged} as wanted."]


def _counts(found: Difference) -> dict[Action, int]:
    actions = [change.action for change in found.changes]
    return {action: actions.count(action) for action in get_args(Action)}


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "action": change.action,
        "aspect": change.aspect,
        "target": change.target,
        "line": None if change.wanted is None else change.wanted.line,
        "before": change.before,
        "after": change.after,
    }


def _lines(change: Change) -> Iterator[str]:
    place = "" if change.wanted is None else f" (line {change.wanted.line})"
    yield f"{_SIGNS[change.action]} {_ASPECTS[change.aspect]} of {change.target}{place}: {_words(change)}"
    if change.aspect == POLICY and change.action in ("add", "change", "remove"):
        for line in _policy_difference(change.before, change.after):
            yield f"    {line}"


def _words(change: Change) -> str:
    if change.action == "adopt":
        return "as wanted already; managed by the file from now on"
    if change.action == "release":
        return "left the file; stays as it is, managed no longer"
    if change.action == "remove":
        return "left the file; removed"
    if change.aspect == POLICY:
        return "new" if change.before is None else "changed"
    return f"{_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    """An owner, or the settings of a block that are on."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        on = [name for name, is_on in value.items() if is_on]
        return "all" if len(on) == len(value) else ", ".join(on) or "all off"
    return str(value)


def _policy_difference(before: Any, after: Any) -> Iterator[str]:
    """The lines of two policies: those that go, those that come, and a few around them."""
    old, new = ([] if one is None else json.dumps(one, indent=2).splitlines() for one in (before, after))
    for line in list(difflib.unified_diff(old, new, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield line
        elif old and new:
            yield "..."
