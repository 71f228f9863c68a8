# SPDX-License-Identifier: Apache-2.0
"""
``PolicySet``: many policies that are asked as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from daypass.policy.limits import MAX_REMEMBERED_ACTIONS
from daypass.policy.request import NamedPolicy
from daypass.policy.shelves import Shelf, Shelves
from daypass.policy.statement import Statement

Owned = tuple[NamedPolicy, Statement]
"""A statement, and the policy in which it stands."""


class PolicySet(tuple[NamedPolicy, ...]):
    """
    Policies that are asked together, with one index over all of them.

    A tuple in every other way. Make one where the same policies are asked again and again (a role's, say) and keep it: it
    remembers, for each action, the few statements that matter out of however many policies.
    """

    _owners: dict[Statement, list[tuple[int, NamedPolicy]]]
    _shelves: dict[str, Shelves]

    def __new__(cls, policies: Iterable[NamedPolicy] = ()) -> PolicySet:
        made = super().__new__(cls, policies)
        made._owners = {}
        made._shelves = {}
        return made

    def shelves(self, action: str) -> Shelves:
        """The statements for an action, of all the policies."""
        found = self._shelves.get(action)
        if found is None:
            found = Shelves(statement for named in self for statement in named.policy.matching_action(action))
            if len(self._shelves) >= MAX_REMEMBERED_ACTIONS:
                self._shelves.clear()
            self._shelves[action] = found
        return found

    def beside(self, action: str) -> Shelf:
        """The Allow statements that name the action's service, and not the action."""
        shelves = self.shelves(action)
        if shelves.beside is None:
            shelves.beside = Shelf([one for named in self for one in named.policy.beside_action(action)])
        return shelves.beside

    def owned(self, statements: Iterable[Statement]) -> list[Owned]:
        """Statements of the set with their policies, in order. The same text under two names is two statements."""
        owners = self._owners or self._find_owners()
        found = [(place, named, one) for one in dict.fromkeys(statements) for place, named in owners[one]]
        found.sort(key=itemgetter(0))
        return [(named, one) for _, named, one in found]

    def _find_owners(self) -> dict[Statement, list[tuple[int, NamedPolicy]]]:
        owners: dict[Statement, list[tuple[int, NamedPolicy]]] = {}
        places = ((named, one) for named in self for one in named.policy.statements)
        for place, (named, one) in enumerate(places):
            owners.setdefault(one, []).append((place, named))
        self._owners = owners  # at once, for another thread may be reading
        return owners
