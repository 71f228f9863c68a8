# SPDX-License-Identifier: Apache-2.0
"""
Requests that are wrong in one place, made from AWS's model: for every parameter of an operation, every way to get it wrong
that the model knows, and some that only the wire knows.

A form is a list of names and values as they stand on the wire, percent-encoded by whoever makes the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote_plus

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from iam.kitchen import form, model_of

Form = Mapping[str, str]
"""Names and values, encoded."""

VALIDATION: Final = frozenset({"ValidationError"})
MALFORMED: Final = frozenset({"MalformedQueryString"})
UNKNOWN: Final = frozenset({"InvalidQueryParameter"})
MISREAD: Final = MALFORMED | UNKNOWN
TOO_MANY: Final = frozenset({"RequestEntityTooLarge"})
MANY: Final = 900
LONGEST: Final = 131_072
"""Where the model allows more than this, what is too long is longer than a request may be."""
BEYOND: Final = 4096
"""Characters of a text that is long, where the model has no bound."""

NOT_UTF8: Final = ("%FF", "%C3", "%ED%A0%80", "%C0%AF", "a%F4%90%80%80", "%", "%2", "%zz", "%u0041")
NOT_INTEGERS: Final = ("", "abc", "1.5", "1e3", "+1", " 1", "01", "0x10", "-0", "\u0661", "9" * 20, "NaN", "true")
NOT_BOOLEANS: Final = ("", "yes", "True", "1", "0", " true")
NOT_IN_PATTERNS: Final = (" ", "\u0001", "\u20ac", "\n", "a b", "%", "<>", "\ufffd", "A", "")


@dataclass(frozen=True)
class Case:
    """One request, what is wrong with it, and the codes that it may be refused with."""

    what: str
    form: Form
    codes: frozenset[str]


def encoded(form_: Mapping[str, str]) -> dict[str, str]:
    """Names and values as botocore encodes them."""
    return {quote_plus(name): quote_plus(value) for name, value in form_.items()}


def cases(operation: str, parameters: Mapping[str, Any]) -> Iterator[Case]:
    """Every wrong request of an operation, made of one that is right."""
    shape = model_of(operation).input_shape
    good = encoded(form(operation, parameters))
    yield Case("a parameter that there is not", {**good, "NoSuchParameter": "x"}, UNKNOWN)
    yield Case("a name that is not UTF-8", {**good, "%FF": "x"}, MALFORMED)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            rest = {key: value for key, value in good.items() if key.partition(".")[0] != name}
            if name in shape.required_members:
                yield Case(f"{name} is missing", rest, VALIDATION)
            yield from _wrong(name, member, rest)


def _wrong(name: str, shape: Shape, rest: Form) -> Iterator[Case]:
    """What can be wrong with a value whose name on the wire this is; ``rest`` is the request without it."""

    def case(what: str, codes: frozenset[str], **more: str) -> Case:
        return Case(f"{name} {what}", {**rest, **more}, codes)

    for text in (*NOT_UTF8, "a%00b", "%00"):
        codes = MALFORMED
        yield case(f"is {text}", codes, **{_leaf(name, shape): text})
    if isinstance(shape, StructureShape):
        yield case("is a text", MISREAD, **{name: "x"})
        yield case("has a member that there is not", MISREAD, **{f"{name}.NoSuchMember": "x"})
        sample = dict(_sample(name, shape))
        for inner, member in shape.members.items():
            others = {key: value for key, value in sample.items() if not _is_in(key, f"{name}.{inner}")}
            if inner in shape.required_members:
                yield case(f"lacks {inner}", VALIDATION | MISREAD, **others)
            yield from _wrong(f"{name}.{inner}", member, {**rest, **others})
    elif isinstance(shape, ListShape):
        yield from _wrong_list(name, shape, rest)
    elif isinstance(shape, MapShape):
        yield case("is a text", MISREAD, **{name: "x"})
        yield case("has a key without a value", MISREAD, **{f"{name}.entry.1.key": "x"})
        yield case("has no entry 1", MISREAD, **{f"{name}.entry.2.key": "x", f"{name}.entry.2.value": "x"})
    else:
        yield from _wrong_scalar(name, shape, rest)


def _wrong_list(name: str, shape: ListShape, rest: Form) -> Iterator[Case]:
    def case(what: str, codes: frozenset[str], **more: str) -> Case:
        return Case(f"{name} {what}", {**rest, **more}, codes)

    yield case("is a text", MISREAD, **{name: "x"})
    yield case("is numbered without 'member'", MISREAD, **{f"{name}.1": "x"})
    yield case("begins at 0", MISREAD, **{f"{name}.member.0": "x"})
    yield case("begins at 2", MISREAD, **{f"{name}.member.2": "x"})
    yield case("has a number that is none", MISREAD, **{f"{name}.member.x": "x"})
    yield case("is a text and a list", MISREAD, **{f"{name}.member": "x", f"{name}.member.1": "x"})
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if least > 0:
        yield case("is empty", VALIDATION, **{name: ""})
    if most is not None and most < 300:
        many: dict[str, str] = {}
        for number in range(1, most + 2):
            many.update(_sample(f"{name}.member.{number}", shape.member))
        # There may be so many that the form has too many parameters, which is found first.
        yield case(f"has {most + 1} members", VALIDATION if len(many) < MANY else VALIDATION | TOO_MANY, **many)
    yield from _wrong(f"{name}.member.1", shape.member, rest)


def _wrong_scalar(name: str, shape: Shape, rest: Form) -> Iterator[Case]:
    def case(what: str, text: str, codes: frozenset[str] = VALIDATION) -> Case:
        return Case(f"{name} {what}", {**rest, name: quote_plus(text)}, codes)

    yield Case(f"{name} is a structure", {**rest, f"{name}.Inner": "x"}, MISREAD)
    yield Case(f"{name} is a list", {**rest, f"{name}.member.1": "x"}, MISREAD)
    if isinstance(shape, StringShape):
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
        if shape.enum:
            for text in ("no-such-value", shape.enum[0].swapcase(), f"{shape.enum[0]} ", ""):
                yield case(f"is {text!r}, which is none of its values", text)
            return
        if most is not None and most <= LONGEST:
            yield case("is too long", text_of(shape, most + 1))
        if least > 0:
            yield case("is empty", "")
        if least > 1:
            yield case("is too short", text_of(shape, least - 1))
        for text in not_matching(shape):
            yield case(f"is {text!r}, which does not match", text)
    elif shape.type_name in ("integer", "long"):
        for text in NOT_INTEGERS:
            yield case(f"is {text!r}, which is no number", text)
        for bound, step in (("min", -1), ("max", 1)):
            if bound in shape.metadata:
                yield case(f"is beyond its {bound}imum", str(shape.metadata[bound] + step))
    elif shape.type_name == "boolean":
        for text in NOT_BOOLEANS:
            yield case(f"is {text!r}, which is neither true nor false", text)


def leaves(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """The names on the wire, with their shapes, of everything that a parameter can hold one of."""
    if isinstance(shape, StructureShape):
        for inner, member in shape.members.items():
            yield from leaves(f"{name}.{inner}", member)
    elif isinstance(shape, ListShape):
        yield from leaves(f"{name}.member.1", shape.member)
    elif isinstance(shape, MapShape):
        yield f"{name}.entry.1.value", shape.value
    else:
        yield name, shape


def _leaf(name: str, shape: Shape) -> str:
    return next(leaves(name, shape))[0]


def _is_in(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _sample(name: str, shape: Shape) -> Iterator[tuple[str, str]]:
    """A value that the model allows, encoded."""
    if isinstance(shape, StructureShape):
        for inner in shape.required_members or shape.members:
            yield from _sample(f"{name}.{inner}", shape.members[inner])
    elif isinstance(shape, ListShape):
        yield from _sample(f"{name}.member.1", shape.member)
    elif isinstance(shape, StringShape):
        text = shape.enum[0] if shape.enum else text_of(shape, max(1, shape.metadata.get("min", 1)))
        yield name, quote_plus(text)
    else:
        yield name, "true" if shape.type_name == "boolean" else str(shape.metadata.get("min", 1))


@cache
def _pattern(shape: Shape) -> re.Pattern[str] | None:
    """A Java pattern, near enough for the few texts that are tried here."""
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return None
    for category, letters in ((r"\p{L}", "A-Za-z"), (r"\p{Z}", " "), (r"\p{N}", "0-9")):
        pattern = pattern.replace(category, letters)
    return re.compile(pattern, re.ASCII)


def not_matching(shape: Shape) -> list[str]:
    """Texts of a length that is allowed, which the pattern does not match."""
    pattern = _pattern(shape)
    if pattern is None:
        return []
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", BEYOND)
    texts = [text * max(1, least) for text in NOT_IN_PATTERNS]
    return [text for text in texts if text and len(text) <= most and pattern.fullmatch(text) is None][:3]


def text_of(shape: Shape, length: int) -> str:
    """A text of this length that the pattern matches, where one of the simple ones does."""
    pattern = _pattern(shape)
    for text in (
        "a" * length,
        "A" * length,
        "1" * length,
        "/" + "a" * (length - 2) + "/",
        "/" + "a" * (length - 1),
        "/",
    ):
        if pattern is None or pattern.fullmatch(text) is not None:
            return text
    return "a" * length
