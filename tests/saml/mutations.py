# SPDX-License-Identifier: Apache-2.0
"""Mutations of a document: of its bytes, its tokens, its tree. Each has a number, by which it can be made again."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from lxml import etree

Mutation = Callable[[bytes, random.Random], bytes]

_TOKEN: Final = re.compile(rb"<[^>]*>|[^<]+")
_DICTIONARY: Final = (
    *(
        b"<!---->",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?x y?>",
        b"<!DOCTYPE r>",
        b"&lt;",
        b"&#60;",
        b"&#0;",
        b"&#x202e;",
    ),
    *(b"\0", b"\n", b"\t", b"  ", b"\xc2\xa0", b"\xff", b"'", b'"', b"<", b">", b"/", b"=", b":", b"mallory", b"alice"),
    *(
        b' ID="_forged"',
        b' Id="x"',
        b' xml:id="x"',
        b' xmlns:a="urn:a"',
        b' xmlns=""',
        b' xmlns:r="../r"',
        b"#",
        b"_forged",
    ),
    *(b"<ds:Object/>", b"<saml:Advice/>", b"<samlp:Extensions/>", b"<saml:Assertion/>", b"2.0", b"1.1", b"true", b"0"),
)
_VALUES: Final = ("", "mallory", "_forged", "#_forged", "#", "2.0", "1.1", "2099-01-01T00:00:00Z", "none", " ", "urn:x")


def _bytes(document: bytes, choice: random.Random) -> bytes:
    """One to four edits anywhere: flip, delete, copy, insert, replace."""
    changed = bytearray(document)
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(changed) + 1)
        to = min(len(changed), at + choice.choice((1, 1, 2, 8, 64)))
        kind = choice.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << choice.randrange(8)
        elif kind == 1:
            del changed[at:to]
        elif kind == 2:
            changed[at:at] = changed[at:to]
        elif kind == 3:
            changed[at:at] = choice.choice(_DICTIONARY)
        else:
            changed[at:to] = choice.choice(_DICTIONARY)
    return bytes(changed)


def _tokens(document: bytes, choice: random.Random) -> bytes:
    """Tags and texts moved, copied, removed, or replaced by others of the document."""
    tokens = _TOKEN.findall(document)
    for _ in range(choice.randint(1, 3)):
        one, other = choice.randrange(len(tokens)), choice.randrange(len(tokens))
        kind = choice.randrange(5)
        if kind == 0:
            tokens[one], tokens[other] = tokens[other], tokens[one]
        elif kind == 1:
            tokens.insert(one, tokens[other])
        elif kind == 2:
            tokens[one] = tokens[other]
        elif kind == 3:
            tokens.insert(one, choice.choice(_DICTIONARY))
        elif len(tokens) > 1:
            del tokens[one]
    return b"".join(tokens)


def _within(element: Any, other: Any) -> bool:
    return element is other or any(parent is other for parent in element.iterancestors())


def _tree(document: bytes, choice: random.Random) -> bytes:
    """Elements moved, copied, removed, renamed, emptied; attributes and texts changed: the document stays well-formed."""
    root = etree.fromstring(document)
    for _ in range(choice.randint(1, 3)):
        elements: Sequence[Any] = list(root.iter("*"))
        one, other = choice.choice(elements), choice.choice(elements)
        kind = choice.randrange(8)
        if kind in (0, 1):
            moved = copy.deepcopy(one) if kind == 0 else one
            if not _within(other, one):
                other.insert(choice.randint(0, len(other)), moved)
        elif kind == 2 and one.getparent() is not None:
            one.getparent().remove(one)
        elif kind == 3:
            one.tag = other.tag
        elif kind == 4:
            names = [*one.attrib, "ID", "Id", "NotOnOrAfter", "Recipient", "Format"]
            one.set(choice.choice(names), choice.choice((*_VALUES, *other.attrib.values())))
        elif kind == 5 and one.attrib:
            del one.attrib[choice.choice(list(one.attrib))]
        elif kind == 6:
            one.text = choice.choice((*_VALUES, other.text or ""))
        else:
            one.tail = choice.choice((*_VALUES, "\n"))
    return etree.tostring(root)


MUTATIONS: Final[tuple[Mutation, ...]] = (_bytes, _tokens, _tree)


def mutated(document: bytes, seed: int) -> bytes:
    """The mutation with this number."""
    choice = random.Random(seed)
    return MUTATIONS[seed % len(MUTATIONS)](document, choice)
