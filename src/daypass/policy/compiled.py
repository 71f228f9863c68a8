# SPDX-License-Identifier: Apache-2.0
"""
Compiled policies: what ``compile_policy`` makes of a document, and how its statements are found again.

Nothing is parsed at decision time. Which statements cover an action depends on the document alone, so a policy remembers
them per action (``Shelves``); in a long list they are further shelved by the root of the resources that they name. Of the
statements that are left, resource and conditions are asked, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from daypass.policy.actions import compile_actions, split_action
from daypass.policy.conditions import Condition
from daypass.policy.document import VERSION_2008, VERSION_2012, Document, Kind, StatementSource
from daypass.policy.limits import MAX_REMEMBERED_ACTIONS
from daypass.policy.principals import compile_principals, entity_arns
from daypass.policy.resources import ResourceElement, Target

SHELVED_FROM: Final = 8
"""Statements for one action from which it pays to shelve them by resource."""


class Statement:
    """
    One statement, compiled.

    ``principal`` is None when the element is absent; ``unreachable`` marks a resource policy's statement without one, which
    is stored but never applies. ``resource`` is None in trust policies, where every resource is meant.
    """

    __slots__ = ("action", "conditions", "denies", "holds", "index", "principal", "resource", "source", "unreachable")

    def __init__(self, source: StatementSource, kind: Kind, *, variables: bool) -> None:
        self.source = source
        self.index = source.index
        self.denies = source.denies
        self.action = compile_actions(source.actions, negated=source.not_action is not None)
        self.resource: ResourceElement | None = None
        if source.resource is not None or source.not_resource is not None:
            negated = source.not_resource is not None
            self.resource = ResourceElement(source.resources, kind, negated=negated, variables=variables)
        entries = source.principal if source.principal is not None else source.not_principal
        negated = source.not_principal is not None
        self.principal = None if entries is None else compile_principals(entries, negated=negated)
        self.unreachable = kind in (Kind.RESOURCE, Kind.TRUST) and self.principal is None
        self.conditions = tuple(Condition(condition, variables=variables) for condition in source.conditions)
        self.holds = tuple(condition.holds for condition in self.conditions)

    def covers(self, target: Target) -> bool:
        """Whether resource and conditions hold. Action and principal are asked elsewhere."""
        resource = self.resource
        if resource is not None and not resource.matches(target):
            return False
        for holds in self.holds:  # noqa: SIM110 - a generator costs as much again
            if not holds(target.entries):
                return False
        return True

    @property
    def label(self) -> str:
        """How explanations point at the statement: by its Sid, or else by its place."""
        return self.source.sid or str(self.index)


class Shelf:
    """
    Statements of one effect for one action: those of known resources by root, the others in line.

    Most of a long line are wildcards in a bucket's name. They know at least how a resource must begin, so that one look at
    all of their beginnings (``_starts``) tells whether they (``_begun``) need be asked; the rest (``_open``) always are.
    """

    __slots__ = ("_begun", "_open", "_starts", "by_root", "line")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.by_root: dict[str, list[Statement]] = {}
        self.line: tuple[Statement, ...] = tuple(statements)
        self._begun: list[Statement] = []
        self._starts: tuple[str, ...] = ()
        self._open = self.line
        if len(statements) < SHELVED_FROM:
            return
        rest: list[Statement] = []
        for statement in statements:
            roots = statement.resource.roots if statement.resource is not None else None
            if roots is None:
                rest.append(statement)
            else:
                for root in roots:
                    self.by_root.setdefault(root, []).append(statement)
        self.line = tuple(rest)
        self._sort_line()

    def _sort_line(self) -> None:
        always: list[Statement] = []
        beginnings: set[str] = set()
        for statement in self.line:
            starts = statement.resource.starts if statement.resource is not None else None
            if starts is None:
                always.append(statement)
            else:
                self._begun.append(statement)
                beginnings |= starts
        self._open, self._starts = tuple(always), tuple(beginnings)

    def any_covers(self, target: Target) -> bool:
        """Whether a statement on the shelf covers the target."""
        for statement in self._open:
            if statement.covers(target):
                return True
        if self._starts and (target.head + target.tail).startswith(self._starts):
            for statement in self._begun:
                if statement.covers(target):
                    return True
        if self.by_root:
            for statement in self.by_root.get(target.root, ()):
                if statement.covers(target):
                    return True
        return False


class Shelves:
    """The Deny and the Allow statements for one action."""

    __slots__ = ("allow", "deny")

    def __init__(self, statements: Iterable[Statement]) -> None:
        found = list(statements)
        self.deny = Shelf([statement for statement in found if statement.denies])
        self.allow = Shelf([statement for statement in found if not statement.denies])


class Policy:
    """
    A compiled document.

    - ``kind``, ``text``: as given to ``compile_policy``; ``version``: 2008-10-17 when the document has none.
    - ``statements``: in the order of the document.
    - ``principal_arns``: the user and role ARNs in Principal and NotPrincipal, to be resolved to unique ids when the document
      is saved; each once, in order.
    - ``context_keys``: the condition keys that conditions and variables refer to, first spelling, each once.
    """

    __slots__ = (
        "_any_service",
        "_by_service",
        "_shelves",
        "context_keys",
        "kind",
        "principal_arns",
        "statements",
        "text",
        "version",
    )

    def __init__(self, document: Document, kind: Kind, text: str) -> None:
        self.kind = kind
        self.text = text
        self.version = document.version or VERSION_2008
        variables = self.version == VERSION_2012
        self.statements = tuple(Statement(source, kind, variables=variables) for source in document.statements)
        self.principal_arns = tuple(dict.fromkeys(_principal_arns(document)))
        self.context_keys = _first_spellings(self.statements)
        self._shelves: dict[str, Shelves] = {}
        self._any_service: list[Statement] = []
        self._by_service: dict[str, list[Statement]] = {}
        self._index()

    def _index(self) -> None:
        for statement in self.statements:
            services = statement.action.services
            if services is None:
                self._any_service.append(statement)
            else:
                for service in services:
                    self._by_service.setdefault(service, []).append(statement)

    def matching_action(self, action: str) -> list[Statement]:
        """The statements whose Action or NotAction covers the action, in the order of the document."""
        service, name = split_action(action)
        candidates = self._any_service + self._by_service.get(service, [])
        found = [statement for statement in candidates if statement.action.matches(service, name)]
        found.sort(key=_place)
        return found

    def shelves(self, action: str) -> Shelves:
        """The statements for an action; remembered, for actions come from a table."""
        found = self._shelves.get(action)
        if found is None:
            found = Shelves(self.matching_action(action))
            if len(self._shelves) >= MAX_REMEMBERED_ACTIONS:
                self._shelves.clear()
            self._shelves[action] = found
        return found

    def __repr__(self) -> str:
        return f"Policy({self.kind.name}, {len(self.statements)} statements)"


def _place(statement: Statement) -> int:
    return statement.index


def _principal_arns(document: Document) -> Iterable[str]:
    for source in document.statements:
        for entries in (source.principal, source.not_principal):
            if entries is not None:
                yield from entity_arns(entries)


def _first_spellings(statements: Iterable[Statement]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for statement in statements:
        for key in statement_keys(statement):
            spellings.setdefault(key.lower(), key)
    return tuple(spellings.values())


def statement_keys(statement: Statement) -> Iterable[str]:
    """The condition keys that a statement's conditions and variables refer to, as spelled there."""
    for condition in statement.conditions:
        yield from condition.keys
    if statement.resource is not None:
        for pattern in statement.resource.patterns:
            yield from pattern.keys
