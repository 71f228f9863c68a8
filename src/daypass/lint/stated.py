# SPDX-License-Identifier: Apache-2.0
"""
A document under inspection: each statement as ``daypass.policy`` reads it, beside the places where its parts stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from daypass.lint.findings import Collector
from daypass.lint.located import Array, Node, Object, Scalar, Span
from daypass.policy.document import VERSION_2012, Kind, Operator, StatementSource
from daypass.policy.json_text import Number


def entries_of(node: Node | None) -> tuple[Scalar, ...]:
    """The strings of an element that is one string or a list of strings."""
    if isinstance(node, Scalar):
        return (node,) if node.text is not None else ()
    if isinstance(node, Array):
        return tuple(item for item in node.items if isinstance(item, Scalar) and item.text is not None)
    return ()


def written(node: Scalar) -> str:
    """A scalar as conditions compare it: a string or number as it is, true as "true"."""
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return str(node.value)


@dataclass(frozen=True, slots=True)
class Asked:
    """One (operator, key, values) of a Condition block, with its places."""

    operator: Operator
    operator_place: Span
    key: str
    key_place: Span
    values: tuple[Scalar, ...]

    @property
    def lookup(self) -> str:
        """The key's name as conditions compare it: in lower case."""
        return self.key.lower()

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as conditions compare them."""
        return tuple(written(value) for value in self.values)


@dataclass(frozen=True)
class Stated:
    """A statement: ``source`` is what it says, ``node`` where it stands."""

    source: StatementSource
    node: Object

    @property
    def allows(self) -> bool:
        """Whether its Effect is Allow."""
        return not self.source.denies

    def place(self, *names: str) -> Span:
        """Where the first of the elements that is there stands; the whole statement when none is."""
        for name in names:
            node = self.node.get(name)
            if node is not None:
                return node
        return self.node

    @cached_property
    def actions(self) -> tuple[Scalar, ...]:
        """The entries of Action or NotAction."""
        return entries_of(self.node.get("Action") or self.node.get("NotAction"))

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """The services that the actions name, in lower case."""
        return tuple(dict.fromkeys((entry.text or "").partition(":")[0].lower() for entry in self.actions))

    @cached_property
    def resources(self) -> tuple[Scalar, ...]:
        """The entries of Resource or NotResource."""
        return entries_of(self.node.get("Resource") or self.node.get("NotResource"))

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """The conditions."""
        return tuple(_asked(self.node.get("Condition")))

    def principals(self) -> Iterator[tuple[str, Scalar]]:
        """The entries of Principal or NotPrincipal by type; everyone is of the type ``*``."""
        node = self.node.get("Principal") or self.node.get("NotPrincipal")
        if isinstance(node, Scalar):
            yield "*", node
        elif isinstance(node, Object):
            for member in node.members:
                for entry in entries_of(member.value):
                    yield member.key, entry


def _asked(block: Node | None) -> Iterator[Asked]:
    for member in block.members if isinstance(block, Object) else ():
        operator = Operator.parse(member.key)
        if operator is None or not isinstance(member.value, Object):
            continue
        for key in member.value.members:
            values = key.value.items if isinstance(key.value, Array) else (key.value,)
            scalars = tuple(value for value in values if isinstance(value, Scalar))
            yield Asked(operator, member.name, key.key, key.name, scalars)


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    One document under inspection.

    - ``version``: as written; None when it is absent.
    - ``statements``: those whose shape is right.
    - ``account``: the account that the document belongs to, where the caller said so.
    """

    kind: Kind
    account: str | None
    version: str | None
    root: Object
    statements: tuple[Stated, ...]
    out: Collector

    @property
    def has_variables(self) -> bool:
        """Whether ``${...}`` means a variable in this document."""
        return self.version == VERSION_2012

    def report(self, code: str, stated: Stated, place: Span, message: str) -> None:
        """Report something about a statement."""
        self.out.add(code, place, message, statement=stated.source.index, sid=stated.source.sid or None)


def is_text(node: Node | None) -> bool:
    """Whether the value is a string (numbers are not)."""
    return isinstance(node, Scalar) and isinstance(node.value, str) and not isinstance(node.value, Number)
