# SPDX-License-Identifier: Apache-2.0
"""
Policy variables: ``${aws:username}``, ``${aws:PrincipalTag/team, 'none'}``, ``${*}`` (IAM User Guide, "Variables").

They exist only in documents of version 2012-10-17, in the resource part of a Resource entry and in the values of String,
Arn and Bool conditions. INVARIANT: text that comes from the request is literal; a ``*`` in a tag is never a wildcard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from daypass.identity import ContextValue
from daypass.policy.limits import MAX_REMEMBERED_LENGTH, MAX_REMEMBERED_TEXTS, MAX_SHOWN
from daypass.policy.match import Glob, Token, Wild, compile_glob, least_length, tokens_of

Entries = Mapping[str, ContextValue]
"""A request's condition keys, by lower-case name."""

_ESCAPES = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a condition key; ``lookup`` is its name in lower case."""

    key: str
    lookup: str
    default: str | None

    def value(self, entries: Entries) -> str | None:
        """The text put in for it; None when the request has no value for it, and it has no default."""
        found = entries.get(self.lookup)
        if isinstance(found, tuple):  # a list has no one value, and a default does not give it one
            return None
        return found or self.default


Part = str | Wild | Variable


def parse(text: str, *, variables: bool, wildcards: bool = True) -> tuple[Part, ...]:
    """The parts of a pattern. What is not a variable or a wildcard is text; adjacent text is not joined."""
    parts: list[Part] = []
    start = 0
    while variables:
        opening = text.find("${", start)
        closing = text.find("}", opening) if opening >= 0 else -1
        if closing < 0:
            break
        parts.extend(_literal(text[start:opening], wildcards))
        parts.append(_variable(text[opening + 2 : closing]))
        start = closing + 1
    parts.extend(_literal(text[start:], wildcards))
    return tuple(parts)


def _literal(text: str, wildcards: bool) -> Sequence[Part]:
    if wildcards:
        return tokens_of(text)
    return [text] if text else []


def _variable(body: str) -> Part:
    if body in _ESCAPES:
        return _ESCAPES[body]
    key, comma, rest = body.partition(",")
    quoted = rest.strip()
    if comma and len(quoted) >= 2 and quoted[0] == quoted[-1] == "'":
        key = key.strip()
        return Variable(key, key.lower(), quoted[1:-1])
    return Variable(body, body.lower(), None)


def variables_of(parts: Sequence[Part]) -> tuple[Variable, ...]:
    """The variables among the parts, in order."""
    return tuple(part for part in parts if isinstance(part, Variable))


def resolve(parts: Sequence[Part], entries: Entries) -> tuple[Token, ...] | None:
    """The parts with every variable replaced by literal text; None when one of them has no value."""
    tokens: list[Token] = []
    for part in parts:
        if isinstance(part, Variable):
            value = part.value(entries)
            if value is None:
                return None
            tokens.append(value)
        else:
            tokens.append(part)
    return tuple(tokens)


def plain(parts: Sequence[Part]) -> Sequence[Token]:
    """The parts of a pattern that is known to have no variables."""
    return cast("Sequence[Token]", parts)


def show(tokens: Sequence[Token]) -> str:
    """Tokens as text again."""
    return "".join(token if isinstance(token, str) else token.value for token in tokens)


def shown(tokens: Sequence[Token]) -> str:
    """Tokens as text for explanations: what is very long is cut."""
    pieces: list[str] = []
    room = MAX_SHOWN
    for token in tokens:
        text = token if isinstance(token, str) else token.value
        if len(text) > room:
            return "".join([*pieces, text[:room], "..."])
        pieces.append(text)
        room -= len(text)
    return "".join(pieces)


class Template:
    """A pattern with variables. It is compiled once per resolved text; the last few, if not long, are remembered."""

    __slots__ = ("_remembered", "parts", "variables")

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.variables = variables_of(parts)
        self._remembered: dict[tuple[str | None, ...], Glob | None] = {}

    def glob(self, entries: Entries) -> Glob | None:
        """The pattern for this request; None when a variable has no value."""
        key = tuple([variable.value(entries) for variable in self.variables])
        if key in self._remembered:
            return self._remembered[key]
        tokens = resolve(self.parts, entries)
        if tokens is not None and least_length(tokens) > MAX_REMEMBERED_LENGTH:
            return compile_glob(tokens)
        glob = None if tokens is None else compile_glob(tokens)
        if len(self._remembered) >= MAX_REMEMBERED_TEXTS:
            self._remembered.clear()
        self._remembered[key] = glob
        return glob
