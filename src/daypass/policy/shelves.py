# SPDX-License-Identifier: Apache-2.0
"""
How the statements for one action are found again: on shelves, by effect and by the root of the resources that they name.

    all for an action -- Shelves --> Deny | Allow -- Shelf --> those that may cover a target -- covers --> those that do

A decision stops at the first that covers (``any_covers``), an explanation wants all (``covering``). What the shelves leave
out would not have covered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from daypass.policy.nearest import Distance, Neighbours, nearest
from daypass.policy.resources import Target
from daypass.policy.statement import Statement, first_spellings

SHELVED_FROM: Final = 8
"""Statements for one action from which it pays to shelve them by resource."""


class Shelf:
    """
    Statements of one effect for one action: those of known resources by root, the others in line.

    Most of a long line are wildcards in a bucket's name. They know at least how a resource must begin, so that one look at
    all of their beginnings (``_starts``) tells whether they (``_begun``) need be asked; the rest (``_open``) always are.
    ``statements`` are all of them, as they came.
    """

    __slots__ = ("_begun", "_neighbours", "_open", "_starts", "by_root", "line", "statements")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = tuple(statements)
        self.by_root: dict[str, list[Statement]] = {}
        self.line = self.statements
        self._begun: list[Statement] = []
        self._starts: tuple[str, ...] = ()
        self._open = self.line
        self._neighbours: Neighbours | None = None
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

    def covering(self, target: Target) -> list[Statement]:
        """All statements that cover the target, in no order."""
        if not self.statements:
            return []
        return [statement for statement in self._candidates(target) if statement.covers(target)]

    def _candidates(self, target: Target) -> Sequence[Statement]:
        """The statements whose resource may be the target."""
        found = self._open
        if self._starts and (target.head + target.tail).startswith(self._starts):
            found = (*found, *self._begun)
        if self.by_root:
            found = (*found, *self.by_root.get(target.root, ()))
        return found

    def nearest(self, target: Target, without: Collection[Statement]) -> tuple[Distance, Statement] | None:
        """The statement that is nearest to covering the target, but for those ``without``, among which all are that do."""
        fitting = {one for one in self._candidates(target) if one not in without and one.fits(target)}
        if fitting or len(self.statements) < SHELVED_FROM:
            return nearest(
                [one for one in self.statements if one in fitting or not (fitting or one in without)], target
            )
        if self._neighbours is None:
            self._neighbours = Neighbours(self.statements)
        return self._neighbours.nearest(target, without)


class Shelves:
    """
    The Deny and the Allow statements for one action.

    ``beside``: the Allow statements about other actions of its service, once somebody asked (``set_beside``).
    """

    __slots__ = ("_keys", "_statements", "allow", "beside", "deny")

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._statements = tuple(statements)
        self.deny = Shelf([statement for statement in self._statements if statement.denies])
        self.allow = Shelf([statement for statement in self._statements if not statement.denies])
        self.beside: Shelf | None = None
        self._keys: tuple[tuple[str, str], ...] | None = None

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """The condition keys that the statements refer to, each once: in lower case, and as it is spelled first."""
        if self._keys is None:
            self._keys = tuple(first_spellings(self._statements).items())
        return self._keys
