# SPDX-License-Identifier: Apache-2.0
"""
Compiled policies: what ``compile_policy`` makes of a document, and how its statements are found again.

Nothing is parsed at decision time. Which statements cover an action depends on the document alone, so a policy remembers
them per action (``Shelves``); in a long list they are further shelved by the root of the resources that they name. Of the
statements that are left, resource and conditions are asked, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable

from daypass.policy.actions import split_action
from daypass.policy.document import VERSION_2008, VERSION_2012, Document, Kind
from daypass.policy.limits import MAX_REMEMBERED_ACTIONS
from daypass.policy.principals import entity_arns
from daypass.policy.shelves import Shelf, Shelves
from daypass.policy.statement import Statement, first_spellings


class Policy:
    """
    A compiled document.

    - ``kind``, ``text``: as given to ``compile_policy``; ``version``: 2008-10-17 when the document has none.
    - ``statements``: in the order of the document.
    - ``principal_arns``: the user and role ARNs in Principal and NotPrincipal, to be resolved to unique ids when the document
      is saved; each once, in order.
    - ``not_principals``: the NotPrincipal elements, which few documents have.
    - ``context_keys``: the condition keys that conditions and variables refer to, first spelling, each once.
    """

    __slots__ = (
        "_any_service",
        "_by_service",
        "_shelves",
        "context_keys",
        "kind",
        "not_principals",
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
        self.context_keys = tuple(first_spellings(self.statements).values())
        principals = [statement.principal for statement in self.statements]
        self.not_principals = tuple([one for one in principals if one is not None and one.negated])
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

    def beside_action(self, action: str) -> list[Statement]:
        """The Allow statements that name the action's service, and not the action; in the order of the document."""
        service, name = split_action(action)
        return [
            statement
            for statement in self._by_service.get(service, [])
            if not statement.denies and not statement.action.matches(service, name)
        ]

    def beside(self, action: str) -> Shelf:
        """The same statements on a shelf; remembered with those for the action."""
        shelves = self.shelves(action)
        if shelves.beside is None:
            shelves.beside = Shelf(self.beside_action(action))
        return shelves.beside

    def __repr__(self) -> str:
        return f"Policy({self.kind.name}, {len(self.statements)} statements)"


def _place(statement: Statement) -> int:
    return statement.index


def _principal_arns(document: Document) -> Iterable[str]:
    for source in document.statements:
        for entries in (source.principal, source.not_principal):
            if entries is not None:
                yield from entity_arns(entries)
