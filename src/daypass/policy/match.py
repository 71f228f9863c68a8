# SPDX-License-Identifier: Apache-2.0
"""
Matching text against patterns with ``*`` and ``?`` (IAM User Guide, "Using wildcards").

``*`` is any run of characters, ``?`` exactly one; everything else stands for itself, and a pattern covers the whole text.
A pattern is a list of tokens, so that text put in for a variable can never turn into a wildcard.

No backtracking anywhere: patterns of literals and ``*`` are found piece by piece from the left (which is complete, for the
leftmost place of a piece leaves the most room to those behind it); the rest runs on an automaton whose set of states is one
integer. Either way the time is at most proportional to the text times the pattern, in machine words.
"""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daypass.policy.limits import MAX_COMPILED_TEXT

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Wild(enum.Enum):
    """A wildcard in a list of tokens."""

    MANY = "*"
    ONE = "?"


Token = str | Wild
Matcher = Callable[[str], bool]

MANY, ONE = Wild.MANY, Wild.ONE
_WILD: dict[str, Token] = {"*": MANY, "?": ONE}
_WILDCARDS = re.compile(r"([*?])")


def ascii_lower(text: str) -> str:
    """Lower-case, leaving everything outside ASCII alone (the Kelvin sign is not a k)."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


@dataclass(frozen=True, slots=True)
class Glob:
    """
    A compiled pattern.

    - ``matches``: whether the pattern covers a text.
    - ``literal``: the one text that it matches, when it has no wildcard.
    - ``prefix``: the literal text before its only wildcard, when that is a ``*`` at the end.
    """

    matches: Matcher
    literal: str | None = None
    prefix: str | None = None


def tokens_of(text: str) -> list[Token]:
    """The tokens of a pattern without variables."""
    if "*" not in text and "?" not in text:
        return [text] if text else []
    return [_WILD.get(piece, piece) for piece in _WILDCARDS.split(text) if piece]


def compile_text(text: str) -> Glob:
    """Compile a pattern without variables; the two common kinds, literal and ``prefix*``, without taking it apart."""
    if "?" not in text:
        star = text.find("*")
        if star < 0:
            return Glob(text.__eq__, literal=text)
        if star == len(text) - 1:
            return Glob(_starting(text[:-1]), prefix=text[:-1])
    return compile_glob(tokens_of(text))


def compile_glob(tokens: Sequence[Token]) -> Glob:
    """Compile a pattern."""
    if len(tokens) == 1 and isinstance(tokens[0], str):
        return Glob(tokens[0].__eq__, literal=tokens[0])
    least = least_length(tokens)
    return Glob(_when_long_enough(tokens, least)) if least > MAX_COMPILED_TEXT else _compile(tokens)


def least_length(tokens: Sequence[Token]) -> int:
    """How many characters a text has at least that the tokens cover."""
    return sum([len(token) if isinstance(token, str) else token is ONE for token in tokens])


def _when_long_enough(tokens: Sequence[Token], least: int) -> Matcher:
    """
    For a pattern that variables made long: it is put together only for a text that is as long.

    A thousand times the same variable is a short pattern and may be a thousand long texts.
    """

    def matches(text: str) -> bool:
        return len(text) >= least and _compile(tokens).matches(text)

    return matches


def _compile(tokens: Sequence[Token]) -> Glob:
    pieces = _normalise(tokens)
    if not pieces:
        return Glob("".__eq__, literal="")
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return Glob(pieces[0].__eq__, literal=pieces[0])
    if ONE in pieces:
        return Glob(_counted(pieces) if MANY not in pieces else _mixed(pieces))
    if pieces[-1] is MANY and len(pieces) <= 2:
        prefix = pieces[0] if isinstance(pieces[0], str) else ""
        return Glob(_starting(prefix), prefix=prefix)
    return Glob(_pieces_in_order(pieces))


def _normalise(tokens: Sequence[Token]) -> list[Token]:
    """Join literals; in a run of wildcards put the ``?`` first and keep one ``*``, which means the same."""
    pieces: list[Token] = []
    for literal, run in itertools.groupby(tokens, _is_literal):
        if literal:
            text = "".join(map(str, run))
            if text:
                pieces.append(text)
            continue
        for token in run:
            if not pieces or pieces[-1] is not MANY:
                pieces.append(token)
            elif token is ONE:
                pieces[-1:] = [ONE, MANY]
    return pieces


def _is_literal(token: Token) -> bool:
    return isinstance(token, str)


def _starting(prefix: str) -> Matcher:
    def matches(text: str) -> bool:
        return text.startswith(prefix)

    return matches


def _pieces_in_order(pieces: list[Token]) -> Matcher:
    """For literals and ``*`` only: the first at the start, the last at the end, the others from the left."""
    prefix = pieces[0] if isinstance(pieces[0], str) else ""
    suffix = pieces[-1] if isinstance(pieces[-1], str) else ""
    middle = tuple(piece for piece in pieces[1:-1] if isinstance(piece, str))
    start, shortest = len(prefix), len(prefix) + len(suffix)

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(prefix) or not text.endswith(suffix):
            return False
        position, end = start, len(text) - len(suffix)
        for piece in middle:
            position = text.find(piece, position, end)
            if position < 0:
                return False
            position += len(piece)
        return True

    return matches


def _counted(pieces: list[Token]) -> Matcher:
    """For literals and ``?`` only: the length is known, and so is the place of every literal."""
    placed: list[tuple[int, str]] = []
    length = 0
    for piece in pieces:
        if isinstance(piece, str):
            placed.append((length, piece))
            length += len(piece)
        else:
            length += 1

    def matches(text: str) -> bool:
        return len(text) == length and all(text.startswith(piece, place) for place, piece in placed)

    return matches


def _mixed(pieces: list[Token]) -> Matcher:
    """For ``*`` together with ``?``: what stands before the first wildcard is compared, the rest is run."""
    prefix = pieces[0] if isinstance(pieces[0], str) else ""
    automaton = Automaton()
    for piece in pieces[1:] if prefix else pieces:
        if isinstance(piece, str):
            automaton.add_literal(piece)
        elif piece is ONE:
            automaton.add_one()
        else:
            automaton.add_many()

    def matches(text: str) -> bool:
        return text.startswith(prefix) and automaton.matches(text, len(prefix))

    return matches


class Automaton:
    """
    A nondeterministic automaton whose set of states is the bits of one integer (Baeza-Yates and Gonnet, 1992).

    State *i* means that the first *i* single characters of the pattern are matched. A ``*`` is a loop on a state. The
    ``within_field`` forms do not take a colon; ``any_case`` literals ignore the case of ASCII letters.
    """

    __slots__ = ("_colonless", "_length", "_literal", "_literal_any_case", "_loops", "_loops_colonless", "_one")

    def __init__(self) -> None:
        self._length = 0
        self._literal: dict[str, int] = {}
        self._literal_any_case: dict[str, int] = {}
        self._one = self._colonless = 0
        self._loops = self._loops_colonless = 0

    def add_literal(self, text: str, *, any_case: bool = False) -> None:
        """Append characters that stand for themselves."""
        masks = self._literal_any_case if any_case else self._literal
        for character in ascii_lower(text) if any_case else text:
            masks[character] = masks.get(character, 0) | 1 << self._length
            self._length += 1

    def add_one(self, *, within_field: bool = False) -> None:
        """Append a ``?``."""
        if within_field:
            self._colonless |= 1 << self._length
        else:
            self._one |= 1 << self._length
        self._length += 1

    def add_many(self, *, within_field: bool = False) -> None:
        """Append a ``*``."""
        if within_field:
            self._loops_colonless |= 1 << self._length
        else:
            self._loops |= 1 << self._length

    def matches(self, text: str, start: int = 0) -> bool:
        """Whether the pattern covers the text from ``start`` to its end."""
        exact, any_case = self._literal, self._literal_any_case
        lowered = ascii_lower(text) if any_case else text
        states = 1
        for position in range(start, len(text)):
            character = text[position]
            step, stay = self._one | exact.get(character, 0), self._loops
            if any_case:
                step |= any_case.get(lowered[position], 0)
            if character != ":":
                step |= self._colonless
                stay |= self._loops_colonless
            states = (states & step) << 1 | (states & stay)
            if not states:
                return False
        return bool(states >> self._length & 1)
