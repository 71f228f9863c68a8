# SPDX-License-Identifier: Apache-2.0
"""
What each condition operator compares (IAM JSON policy elements: Condition operators).

A comparison is compiled from the policy's values once. At decision time it becomes a test of one value of the request:
true (some policy value fits), false (none does), or None (the text is not of the operator's type). Negation, absent keys
and lists are the business of ``daypass.policy.conditions``.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from daypass.policy import values as typed
from daypass.policy.limits import MAX_COMPILED_TEXT
from daypass.policy.match import MANY, Glob, Token, compile_glob, least_length
from daypass.policy.variables import Entries, Part, Variable, parse, plain, resolve, show

Test = Callable[[str], "bool | None"]
"""Whether some policy value fits the request's value; None when the request's value is not of the type."""

T = TypeVar("T")


class Comparison:
    """
    The values of one condition, compiled.

    - ``static``: the test, when no variable is involved.
    - ``bind``: the test for a request, with variables looked up in its context.
    - ``broken``: a policy value is not of the operator's type, so that the condition cannot hold.
    """

    __slots__ = ("bind", "broken", "static")

    def __init__(self, static: Test | None, bind: Callable[[Entries], Test], *, broken: bool = False) -> None:
        self.static = static
        self.bind = bind
        self.broken = broken


def _static(test: Test, *, broken: bool = False) -> Comparison:
    return Comparison(test, lambda _entries: test, broken=broken)


def compile_comparison(base: str, values: Sequence[str], *, variables: bool) -> Comparison:
    """Compile the values of an operator (``base`` is its name without prefix and suffix, and is not Null)."""
    stem = base.replace("Not", "", 1)
    if stem in ("StringEquals", "StringEqualsIgnoreCase", "Bool"):
        return _texts(stem, values, variables=variables)
    if stem == "StringLike":
        return _patterns([parse(value, variables=variables) for value in values], _like)
    if stem in ("ArnEquals", "ArnLike"):
        return _patterns([parse(value, variables=variables) for value in values], _arn)
    if stem == "IpAddress":
        return _addresses(values)
    if stem == "BinaryEquals":
        return _ordered(values, typed.binary, compare.eq)
    order = _ORDERS[stem.removeprefix("Numeric").removeprefix("Date")]
    return _ordered(values, typed.number if stem.startswith("Numeric") else typed.instant, order)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}


def _ordered(values: Sequence[str], read: Callable[[str], T | None], order: Callable[[T, T], bool]) -> Comparison:
    """Numbers, instants, bytes: the request's value stands on the left of the order."""
    found = [read(value) for value in values]
    bounds = [bound for bound in found if bound is not None]

    def test(text: str) -> bool | None:
        value = read(text)
        if value is None:
            return None
        for bound in bounds:  # noqa: SIM110 - a generator costs as much again
            if order(value, bound):
                return True
        return False

    return _static(test, broken=None in found)


def _addresses(values: Sequence[str]) -> Comparison:
    found = [typed.network(value) for value in values]
    networks = [network for network in found if network is not None]

    def test(text: str) -> bool | None:
        address = typed.address(text)
        if address is None:
            return None
        version, number = address
        for family, base, mask in networks:  # noqa: SIM110 - a generator costs as much again
            if family == version and number & mask == base:
                return True
        return False

    return _static(test, broken=None in found)


def _same(text: str) -> str | None:
    return text


def _lowered(text: str) -> str | None:
    return text.lower()


_READERS: dict[str, Callable[[str], Any]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _lowered,
    "Bool": typed.boolean,
}


def _texts(stem: str, values: Sequence[str], *, variables: bool) -> Comparison:
    """Equality after reading both sides; wildcards are ordinary characters here."""
    read = _READERS[stem]
    parsed = [parse(value, variables=variables, wildcards=False) for value in values]
    fixed = [read(show(plain(parts))) for parts in parsed if not _varies(parts)]
    varying = [parts for parts in parsed if _varies(parts)]
    wanted = frozenset(fixed) - {None}
    broken = None in fixed
    if not varying:
        return _static(_member(wanted, read), broken=broken)

    def bind(entries: Entries) -> Test:
        resolved = [tokens for parts in varying if (tokens := resolve(parts, entries)) is not None]
        short = [tokens for tokens in resolved if least_length(tokens) <= MAX_COMPILED_TEXT]
        more = [read(show(tokens)) for tokens in short]
        if None in more or (stem == "Bool" and len(short) < len(resolved)):
            return _untyped
        known = _member(wanted.union(more), read)
        return known if len(short) == len(resolved) else _or_long(known, resolved, read)

    return Comparison(None, bind, broken=broken)


def _or_long(known: Test, resolved: Sequence[Sequence[Token]], read: Callable[[str], Any]) -> Test:
    """
    Equality with texts that variables made long, too: they are only put together for a value that may be as long.

    A character in lower case is at most three; so much shorter may the value be.
    """

    def test(text: str) -> bool | None:
        longest = 3 * len(text)
        return known(text) or any(
            read(text) == read(show(tokens)) for tokens in resolved if least_length(tokens) <= longest
        )

    return test


def _member(wanted: frozenset[Any], read: Callable[[str], Any]) -> Test:
    if read is _same:
        return wanted.__contains__

    def test(text: str) -> bool | None:
        value = read(text)
        return None if value is None else value in wanted

    return test


def _untyped(text: str) -> bool | None:  # noqa: ARG001 - the form of a test
    """For a policy value that turned out, with its variables filled in, not to be of the type."""
    return None


def _varies(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Variable) for part in parts)


def _patterns(parsed: Sequence[tuple[Part, ...]], build: Callable[[list[Sequence[Token]]], Test]) -> Comparison:
    """String and ARN patterns: those without variables are compiled now, the others for each request."""
    fixed = [plain(parts) for parts in parsed if not _varies(parts)]
    varying = [parts for parts in parsed if _varies(parts)]
    known = build(fixed)
    if not varying:
        return _static(known)

    def bind(entries: Entries) -> Test:
        rest = build([tokens for parts in varying if (tokens := resolve(parts, entries)) is not None])

        def test(text: str) -> bool | None:
            hit = known(text)
            return rest(text) if hit is False else hit

        return test

    return Comparison(None, bind)


def _like(patterns: list[Sequence[Token]]) -> Test:
    globs = [compile_glob(tokens) for tokens in patterns]
    literals = frozenset(glob.literal for glob in globs if glob.literal is not None)
    prefixes = tuple(glob.prefix for glob in globs if glob.prefix is not None)
    others = [glob.matches for glob in globs if glob.literal is None and glob.prefix is None]

    def test(text: str) -> bool | None:
        if text in literals or text.startswith(prefixes):
            return True
        return any(matches(text) for matches in others)

    return test


def _arn(patterns: list[Sequence[Token]]) -> Test:
    """Six fields against six fields; a wildcard never leaves its field, and case counts."""
    compiled = [globs for tokens in patterns if (globs := _arn_fields(tokens)) is not None]

    def test(text: str) -> bool | None:
        fields = text.split(":", 5)
        if len(fields) != 6 or fields[0] != "arn":
            return None
        return any(all(glob.matches(field) for glob, field in zip(globs, fields, strict=True)) for globs in compiled)

    return test


def _arn_fields(tokens: Sequence[Token]) -> list[Glob] | None:
    """
    A glob per field; None for a short pattern that does not end in ``*``, which fits nothing.

    Colons count after variables are filled in: ``${aws:PrincipalArn}`` is six fields, not one.
    """
    fields: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            fields[-1].append(token)
            continue
        first, *others = token.split(":", 6 - len(fields))
        fields[-1].append(first)
        fields.extend([other] for other in others)
    missing = 6 - len(fields)
    if missing and [token for token in fields[-1] if token != ""][-1:] != [MANY]:
        return None
    return [compile_glob(field) for field in fields] + [compile_glob((MANY,))] * missing
