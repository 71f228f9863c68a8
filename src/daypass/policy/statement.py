# SPDX-License-Identifier: Apache-2.0
"""
One compiled statement: its elements, ready to be asked.

Nothing is parsed at decision time. Action and principal are asked elsewhere (``shelves``, ``applying``): the one depends on the
document alone, the other on who calls.
"""

from __future__ import annotations

from collections.abc import Iterable

from daypass.policy.actions import compile_actions
from daypass.policy.conditions import Condition
from daypass.policy.document import Kind, StatementSource
from daypass.policy.principals import compile_principals
from daypass.policy.resources import ResourceElement, Target
from daypass.policy.variables import Entries


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

    def fits(self, target: Target) -> bool:
        """Whether the resource holds, whatever the conditions say."""
        return self.resource is None or self.resource.matches(target)

    def failing(self, entries: Entries) -> int:
        """How many of the conditions do not hold."""
        return sum([not holds(entries) for holds in self.holds])

    @property
    def label(self) -> str:
        """How explanations point at the statement: by its Sid, or else by its place."""
        return self.source.sid or str(self.index)


def statement_keys(statement: Statement) -> Iterable[str]:
    """The condition keys that a statement's conditions and variables refer to, as spelled there."""
    for condition in statement.conditions:
        yield from condition.keys
    if statement.resource is not None:
        for pattern in statement.resource.patterns:
            yield from pattern.keys


def first_spellings(statements: Iterable[Statement]) -> dict[str, str]:
    """The condition keys that statements refer to, as first spelled, by lower-case name."""
    spellings: dict[str, str] = {}
    for statement in statements:
        for key in statement_keys(statement):
            spellings.setdefault(key.lower(), key)
    return spellings
