# SPDX-License-Identifier: Apache-2.0
"""
JSON with positions (RFC 8259): every value knows where it stands in the text.

    text -- read --> Reading: the root, names that stand twice, or the place and reason where the text stops being JSON

The same texts are accepted as by ``daypass.policy.json_text``, which decides; a test compares the two. This reader only
says where. Scalars are left to the standard library's decoder, so that strings and numbers have one definition.
"""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass, field
from typing import NoReturn

from daypass.policy.json_text import Json, Number
from daypass.policy.limits import MAX_DEPTH

_BLANK = re.compile(r"[ \t\n\r]*+")
_LINE_END = re.compile(r"\r\n|\n|\r")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_SCALAR_START = frozenset('"-0123456789tfn')


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: offsets of its first character and of the one behind its last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scalar(Span):
    """A string, number (``Number``), boolean or null."""

    value: str | bool | None

    @property
    def text(self) -> str | None:
        """The string that it is; None for every other value."""
        return self.value if isinstance(self.value, str) and not isinstance(self.value, Number) else None


@dataclass(frozen=True, slots=True)
class Array(Span):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A name of an object and its value."""

    name: Scalar
    value: Node

    @property
    def key(self) -> str:
        """The member's name as text."""
        return self.name.text or ""


@dataclass(frozen=True, slots=True)
class Object(Span):
    """An object; of a name that stands twice, ``get`` finds the first."""

    members: tuple[Member, ...]
    by_name: dict[str, Member] = field(compare=False)

    def get(self, name: str) -> Node | None:
        """The value of the name; None when it is absent."""
        member = self.by_name.get(name)
        return None if member is None else member.value


Node = Scalar | Array | Object


class Lines:
    """Turns offsets into lines and columns, both counted from 1, columns in characters (code points)."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What reading came to.

    - ``root``: the value; None when the text is not JSON, and then ``broken`` says where and why.
    - ``repeated``: names that stand a second time in their object.
    """

    root: Node | None
    repeated: tuple[Scalar, ...]
    broken: tuple[Span, str] | None


class _BrokenError(Exception):
    """The text is not JSON from here on."""

    def __init__(self, start: int, why: str, end: int | None = None) -> None:
        super().__init__(why)
        self.span = Span(start, start + 1 if end is None else end)
        self.why = why


def read(text: str) -> Reading:
    """Read a text whose length the caller has bounded. Linear; the depth is bounded; never raises."""
    reader = _Reader(text)
    try:
        root = reader.document()
    except _BrokenError as error:
        end = max(error.span.start, min(error.span.end, len(text)))
        return Reading(None, tuple(reader.repeated), (Span(error.span.start, end), error.why))
    return Reading(root, tuple(reader.repeated), None)


def plain(node: Node) -> Json:
    """The value without positions, as ``daypass.policy.json_text`` returns it."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    return {name: plain(member.value) for name, member in node.by_name.items()}


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.repeated: list[Scalar] = []

    def document(self) -> Node:
        node = self._value(self._skip(0), 0)
        rest = self._skip(node.end)
        if rest < len(self.text):
            raise _BrokenError(rest, "Something follows the document; there is one JSON object and nothing else.")
        return node

    def _skip(self, at: int) -> int:
        blank = _BLANK.match(self.text, at)
        return at if blank is None else blank.end()

    def _value(self, at: int, depth: int) -> Node:
        first = self.text[at : at + 1]
        if first in ("{", "["):
            if depth == MAX_DEPTH:
                raise _BrokenError(at, f"Brackets are nested deeper than {MAX_DEPTH}, which no policy needs.")
            return self._object(at, depth + 1) if first == "{" else self._array(at, depth + 1)
        if first not in _SCALAR_START:
            raise _BrokenError(at, _expected_value(self.text, at))
        return self._scalar(at)

    def _scalar(self, at: int) -> Scalar:
        try:
            value, end = _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise _BrokenError(error.pos, _SCALAR_ERRORS.get(error.msg, f"{error.msg}.")) from None
        except ValueError as error:  # parse_constant: -Infinity
            raise _BrokenError(at, f"{error}.") from None
        if isinstance(value, str) and _FORBIDDEN.search(value):
            raise _BrokenError(at, "The string has NUL or half of a surrogate pair.", end)
        return Scalar(at, end, value)

    def _array(self, start: int, depth: int) -> Array:
        items: list[Node] = []
        at = self._skip(start + 1)
        if self.text[at : at + 1] == "]":
            return Array(start, at + 1, ())
        while True:
            items.append(self._value(at, depth))
            at = self._skip(items[-1].end)
            if self.text[at : at + 1] == "]":
                return Array(start, at + 1, tuple(items))
            at = self._comma(at, "]")

    def _object(self, start: int, depth: int) -> Object:
        members: list[Member] = []
        by_name: dict[str, Member] = {}
        at = self._skip(start + 1)
        if self.text[at : at + 1] == "}":
            return Object(start, at + 1, (), by_name)
        while True:
            member = self._member(at, depth)
            members.append(member)
            if by_name.setdefault(member.key, member) is not member:
                self.repeated.append(member.name)
            at = self._skip(member.value.end)
            if self.text[at : at + 1] == "}":
                return Object(start, at + 1, tuple(members), by_name)
            at = self._comma(at, "}")

    def _member(self, at: int, depth: int) -> Member:
        if self.text[at : at + 1] != '"':
            raise _BrokenError(at, _expected_name(self.text, at))
        name = self._scalar(at)
        colon = self._skip(name.end)
        if self.text[colon : colon + 1] != ":":
            raise _BrokenError(colon, "Expected ':' behind the name.")
        return Member(name, self._value(self._skip(colon + 1), depth))

    def _comma(self, at: int, closing: str) -> int:
        """The offset of what follows the comma."""
        if self.text[at : at + 1] != ",":
            if at >= len(self.text):
                raise _BrokenError(at, f"The text ends where ',' or '{closing}' is expected.")
            raise _BrokenError(at, f"Expected ',' or '{closing}'.")
        following = self._skip(at + 1)
        if self.text[following : following + 1] == closing:
            raise _BrokenError(at, f"Remove this comma: nothing follows it before '{closing}'.")
        return following


_SCALAR_ERRORS = {
    "Unterminated string starting at": "The string that begins here is never closed.",
    "Invalid control character at": "A control character, a line break say, stands in a string; write it as an escape.",
    "Invalid \\escape": "A backslash is followed by a character that it cannot escape; write '\\\\' for a backslash.",
    "Invalid \\uXXXX escape": "Expected four hexadecimal digits behind '\\u'.",
    "Expecting value": "Expected a value: a string, number, list, object, true, false or null.",
}


def _expected_value(text: str, at: int) -> str:
    if at >= len(text):
        return "The text ends where a value is expected."
    if text[at] == "'":
        return "Strings stand in double quotes in JSON."
    if text[at] in "/#":
        return "JSON has no comments."
    return _SCALAR_ERRORS["Expecting value"]


def _expected_name(text: str, at: int) -> str:
    if at >= len(text):
        return "The text ends where a name in double quotes is expected."
    return "JSON has no comments." if text[at] in "/#" else "Expected a name in double quotes."
