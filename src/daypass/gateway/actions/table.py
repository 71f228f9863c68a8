# SPDX-License-Identifier: Apache-2.0
"""
The action map of a service that is AWS's in nothing: a table of actions in the configuration.

    - {method: GET, path: "/things/{id}", action: things:GetThing, resource: "arn:aws:things:{region}:{account}:thing/{id}"}

The first row whose method and path fit says what is needed; a request that no row fits is refused. A path template is made of
segments: a text, compared with its case; ``{name}``, which takes one segment; and ``*`` at the end, which takes the rest, one
segment or more. What is taken goes into the resource decoded, as text: an asterisk in it is an asterisk and no pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from daypass.errors import ConfigurationError, Reason, RequestError
from daypass.gateway.actions.rest_path import READ_ONLY_METHODS, read_path
from daypass.gateway.asking import AskedOperation, Incoming, Needed

REST: Final = "*"
"""The name under which a resource refers to what the asterisk at a path's end took: ``{*}``."""

_METHOD: Final = re.compile(r"[A-Z]{1,20}|\*", re.ASCII)
_ACTION: Final = re.compile("[a-z0-9-]{1,64}:[A-Za-z0-9]{1,128}", re.ASCII)
_CAPTURE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_OURS: Final = frozenset({"region", "account"})


class ActionRow(msgspec.Struct, frozen=True):
    """One row, as configured. ``method`` is a method or ``*``; ``resource`` is an ARN template or ``*``."""

    method: str
    path: str
    action: str
    resource: str


class _Row(msgspec.Struct, frozen=True):
    """A row, read. ``segments``: a text as itself, a capture as None; ``captures``: the names of those, in order."""

    method: str
    segments: tuple[str | None, ...]
    captures: tuple[str, ...]
    takes_rest: bool
    action: str
    resource: tuple[str, ...]  # texts and names of placeholders in turn, a text first

    def match(self, method: str, segments: Sequence[str]) -> Mapping[str, str] | None:
        """What the path's captures take; None where the row does not fit."""
        count = len(self.segments)
        if self.method not in ("*", method) or len(segments) < count or (len(segments) > count) != self.takes_rest:
            return None
        taken = []
        for wanted, segment in zip(self.segments, segments, strict=False):
            if wanted is None and segment:
                taken.append(segment)
            elif wanted != segment:
                return None
        values = dict(zip(self.captures, taken, strict=True))
        if self.takes_rest:
            values[REST] = "/".join(segments[count:])
            if not values[REST]:
                return None
        return values

    def covers(self, other: _Row) -> bool:
        """Whether every request that fits the other row fits this one."""
        count = len(self.segments)
        if self.method not in ("*", other.method) or len(other.segments) < count:
            return False
        longer = len(other.segments) > count or other.takes_rest
        if longer != self.takes_rest or (self.takes_rest and not other.takes_rest and other.segments[count:] == ("",)):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(mine == theirs or (mine is None and theirs != "") for mine, theirs in pairs)


class TableActions:
    """
    The action map of a table. Raises ConfigurationError (CONFIGURATION_INVALID), which names the row by its number, for one
    that cannot be read, and for one that no request can reach because a row before it takes them all.
    """

    def __init__(self, rows: Sequence[ActionRow]) -> None:
        if not rows:
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, "the table of actions has no rows")
        self._rows = [_read(row, number) for number, row in enumerate(rows, 1)]
        for number, row in enumerate(self._rows, 1):
            for earlier, before in enumerate(self._rows[: number - 1], 1):
                if before.covers(row):
                    raise _wrong(number, f"no request can reach it, because row {earlier} takes them all")

    def body_limit(self, incoming: Incoming) -> int | None:  # noqa: ARG002 - of the protocol
        """None: what is asked stands in the method and path."""
        return None

    def operation(self, incoming: Incoming) -> AskedOperation:
        """What the first row that fits says. Raises RequestError: UNSUPPORTED_OPERATION where none fits, MALFORMED_REQUEST."""
        method = incoming.raw.method
        segments = read_path(incoming.raw).split("/")[1:]
        for row in self._rows:
            values = row.match(method, segments)
            if values is not None:
                resource = _filled(row.resource, {**values, "region": incoming.region, "account": incoming.account})
                service, _, name = row.action.partition(":")
                needed = (Needed(row.action, resource),)
                return AskedOperation(service, name, needed, read_only=method in READ_ONLY_METHODS)
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION, "The method and path are none of the service's table of actions."
        )


def _filled(template: Sequence[str], values: Mapping[str, str]) -> str:
    return "".join(values[part] if index % 2 else part for index, part in enumerate(template))


def _read(row: ActionRow, number: int) -> _Row:
    if _METHOD.fullmatch(row.method) is None:
        raise _wrong(number, f"expected a method in capitals or '*', got {row.method!r}")
    if _ACTION.fullmatch(row.action) is None:
        raise _wrong(number, f"expected an action such as things:GetThing, got {row.action!r}")
    if not row.path.startswith("/"):
        raise _wrong(number, f"expected a path that starts with a slash, got {row.path!r}")
    texts = row.path.split("/")[1:]
    takes_rest = texts[-1] == "*"
    if takes_rest:
        texts = texts[:-1]
    segments, captures = _segments(texts, number, last_may_be_empty=not takes_rest)
    resource = _resource(row.resource, {*captures, *((REST,) if takes_rest else ())}, number)
    return _Row(row.method, segments, captures, takes_rest, row.action, resource)


def _segments(
    texts: Sequence[str], number: int, *, last_may_be_empty: bool
) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    segments: list[str | None] = []
    captures: list[str] = []
    for index, text in enumerate(texts):
        capture = _CAPTURE.fullmatch(text)
        if capture is not None:
            if capture.group(1) in captures or capture.group(1) in _OURS:
                raise _wrong(number, f"the name {capture.group(1)!r} in the path is taken")
            captures.append(capture.group(1))
            segments.append(None)
        elif set(text) & set("{}*?;\\%#") or not text.isprintable():
            raise _wrong(number, f"the segment {text!r} is neither a text, nor {{name}}, nor '*' at the end")
        elif text in (".", "..") or (not text and not (last_may_be_empty and index == len(texts) - 1)):
            raise _wrong(number, "the path has a dot segment or an empty segment, and no request does")
        else:
            segments.append(text)
    return tuple(segments), tuple(captures)


def _resource(template: str, names: set[str], number: int) -> tuple[str, ...]:
    parts = tuple(_PLACEHOLDER.split(template))
    if template == "*":
        return parts
    texts, used = parts[::2], parts[1::2]
    if any(set(text) & set("{}*?") for text in texts):
        raise _wrong(number, "the resource has a wildcard or a single brace; what a request asks for is no pattern")
    for name in used:
        if name not in names | _OURS:
            raise _wrong(number, f"the resource refers to {{{name}}}, which the path does not have")
    before = _PLACEHOLDER.sub(lambda found: "" if found.group(1) in _OURS else found.group(), template).split(":", 5)
    if len(before) != 6 or before[0] != "arn" or not before[2] or not before[5]:
        raise _wrong(number, "the resource is neither an ARN nor '*'")
    if any("{" in field for field in before[:5]):
        raise _wrong(number, "the path's names may stand in the last field of the resource only")
    return parts


def _wrong(number: int, why: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"row {number} of the table of actions: {why}")
