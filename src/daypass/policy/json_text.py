# SPDX-License-Identifier: Apache-2.0
"""
Reading JSON that a stranger wrote (RFC 8259), before anybody asks whether it is a policy.

Bounded in size and depth before the parser sees it; duplicate names, NUL, lone surrogates and the JavaScript words NaN
and Infinity are refused. Numbers stay as they were written: policies compare them as text or as decimals, never as
floats.
"""

from __future__ import annotations

import json
import re

from daypass.errors import PolicyError, Reason
from daypass.policy import limits

Json = None | bool | str | list["Json"] | dict[str, "Json"]
"""A JSON value. Numbers are ``Number``, a kind of ``str``."""

_ALLOWED = re.compile(r"[\t\n\r\x20-\xff]*+")
# One match takes a whole string, finished or not, so the scan never starts again inside one.
_NOT_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^\[\]{}"]++', re.DOTALL)
_FORBIDDEN_DECODED = re.compile("[\x00\ud800-\udfff]")


class Number(str):
    """A JSON number, as written."""

    __slots__ = ()


class _NotJsonError(ValueError):
    """The text is not JSON, or is JSON of a kind that is refused."""


def read(text: str) -> Json:
    """
    The value that the text stands for. Linear in the length of the text.

    Raises PolicyError: too large, characters that are not allowed, or syntax (which includes too deep).
    """
    if len(text) > limits.MAX_DOCUMENT:
        message = f"The policy document must have at most {limits.MAX_DOCUMENT} characters."
        raise PolicyError(Reason.POLICY_TOO_LARGE, message)
    if _ALLOWED.fullmatch(text) is None:
        message = "The policy document contains characters outside U+0009, U+000A, U+000D, U+0020 to U+00FF."
        raise PolicyError(Reason.POLICY_CHARACTERS, message)
    try:
        _check_depth(text)
        value: Json = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_int=Number, parse_float=Number, parse_constant=_refuse
        )
        if "\\u" in text:
            _check_strings(value)
    except ValueError as error:
        raise PolicyError(Reason.POLICY_SYNTAX, "Syntax errors in policy.") from error
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser, which is recursive, meets it."""
    depth = 0
    for bracket in _NOT_BRACKETS.sub("", text):
        if bracket in "[{":
            depth += 1
            if depth > limits.MAX_DEPTH:
                raise _NotJsonError("nested too deep")
        else:
            depth -= 1


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The object, unless it has a name twice (which of the two counts would depend on the reader)."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotJsonError("duplicate name")
    return value


def _refuse(word: str) -> Json:
    raise _NotJsonError(f"{word} is not JSON")


def _check_strings(value: Json) -> None:
    """Refuse what only an escape can bring in: NUL, and half of a surrogate pair."""
    if isinstance(value, str):
        if _FORBIDDEN_DECODED.search(value):
            raise _NotJsonError("NUL or lone surrogate")
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_strings(name)
            _check_strings(item)
