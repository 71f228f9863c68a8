# SPDX-License-Identifier: Apache-2.0
r"""
The models' patterns, as Python regular expressions (java.util.regex.Pattern, "Summary of regular-expression constructs").

AWS's patterns are Java's, for the whole text. Translated here is what they use and Python reads differently: ``\w`` and
``\d`` are ASCII; ``\p{L}``, ``\p{Z}``, ``\p{N}`` are Unicode categories. A construct without an exact translation is
refused, so that a test notices it in a new model.

Every pattern of the models runs in linear time: no two parts that can match the same characters repeat side by side or
one inside the other. A test runs each one on long hostile texts.
"""

from __future__ import annotations

import functools
import re
from typing import Final

# Separators (Zs, Zl, Zp): unchanged since Unicode 6.3. A test compares them with the interpreter's own table.
_SEPARATORS: Final = r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# NOTE: to Java, AWS's "\u10000-\u10FFFF" is U+1000, the range from "0" to U+10FF, and "F" twice. What is meant, and taken
# here, is the supplementary planes; the literal reading would let the C1 controls in and every emoji out.
_SUPPLEMENTARY: Final = (r"\u10000-\u10FFFF", r"\U00010000-\U0010ffff")

_ESCAPE: Final = r"\\(?:u[0-9A-Fa-f]{4}|U[0-9a-f]{8}|[wd]|p\{[LZN]\}|[^A-Za-z0-9])"
_CLASS: Final = re.compile(rf"\[(\^?)((?:{_ESCAPE}|[^\[\]\\&^]|&(?!&))+)\]", re.ASCII)
_OUTSIDE: Final = re.compile(rf"(?:(?!\\p){_ESCAPE}|\(\?[:!]|\((?!\?)|[^\[\]\\.(])*", re.ASCII)
_POSSESSIVE: Final = re.compile(r"[*+?}]\+")


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, to be used with ``fullmatch``. Raises ValueError for what has no exact translation."""
    source = pattern.replace(*_SUPPLEMENTARY)
    outside = _CLASS.sub("x", source)
    if not _OUTSIDE.fullmatch(outside) or _POSSESSIVE.search(outside):
        raise ValueError(f"the pattern {pattern!r} has a construct that is not translated")
    pieces: list[str] = []
    position = 0
    for found in _CLASS.finditer(source):
        pieces += _ascii(source[position : found.start()], "[%s]"), _character_class(found[1], found[2])
        position = found.end()
    return re.compile("".join(pieces) + _ascii(source[position:], "[%s]"))


def _character_class(negation: str, content: str) -> str:
    content = _ascii(content, "%s").replace(r"\p{Z}", _SEPARATORS)
    if r"\p" in content:
        # Python's \w is \p{L}, \p{N} and "_": exact where the class has all three, and the models' classes do.
        if r"\p{L}" not in content or r"\p{N}" not in content or "_" not in content:
            raise ValueError(f"a character class of {content!r} is not translated")
        content = content.replace(r"\p{L}", r"\w").replace(r"\p{N}", "")
    return f"[{negation}{content}]"


def _ascii(text: str, form: str) -> str:
    return text.replace(r"\w", form % "A-Za-z0-9_").replace(r"\d", form % "0-9")
