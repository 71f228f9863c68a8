# SPDX-License-Identifier: Apache-2.0
"""
What nearly applied, and what would have to change: the reading of an explanation, without a layout.

    Explanation -- closest --> the Allow statement that fits the request best, of one layer
                -- needed --> every change that the request needs, with the statement to begin at
                -- telling --> the statements to tell of: those that decided, and the closest of each layer that must allow

Pure, and of the same opinion as ``explain``: only the statements that are told of are compared element by element.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from operator import itemgetter
from typing import Final

import msgspec

from daypass.policy.applying import WITH_PRINCIPAL, PlacedStatement, reach
from daypass.policy.compiled import Policy
from daypass.policy.explain import Explanation, LayerTrace
from daypass.policy.nearest import Distance, nearest
from daypass.policy.policy_set import PolicySet
from daypass.policy.request import Layer, NamedPolicy, Outcome
from daypass.policy.shelves import Shelf
from daypass.policy.statement import Statement
from daypass.policy.traces import StatementTrace

_ALLOW_IN: Final = "allow in "


class Change(msgspec.Struct, frozen=True):
    """
    One thing that must change.

    - ``layer``, ``level``: where; the level is that of an organisation policy, else None.
    - ``remove``: the statement that denies, which must go or stop applying; None when an Allow is missing.
    - ``begin_at``: for a missing Allow, the closest statement there is, if any is close.
    """

    layer: Layer
    level: str | None
    remove: StatementTrace | None = None
    begin_at: StatementTrace | None = None


def closest(explanation: Explanation, layer: Layer, level: str | None = None) -> StatementTrace | None:
    """
    The Allow statement of a layer that does not apply and is nearest to it; None when none speaks of the service.

    Nearest is: about the action; naming the caller; on the resource; with the fewest conditions that fail; then with the
    resource that fits the furthest; then the first.
    """
    rows = [row for row in explanation.layers if (row.layer, row.level) == (layer, level)]
    for shelf_of in (_about_the_action, _beside_the_action):
        found = [near for row in rows for near in _nearest_of_each(row, explanation, shelf_of)]
        if found:
            return explanation.trace([min(found, key=itemgetter(0))[1]])[0]
    return None


def _about_the_action(policies: Policy | PolicySet, action: str) -> Shelf:
    return policies.shelves(action).allow


def _beside_the_action(policies: Policy | PolicySet, action: str) -> Shelf:
    return policies.beside(action)


def _nearest_of_each(
    row: LayerTrace, explanation: Explanation, shelf_of: Callable[[Policy | PolicySet, str], Shelf]
) -> Iterator[tuple[Distance, PlacedStatement]]:
    """The nearest on the shelf of each policy, or of the set of them, but for the statements that apply."""
    action, target = explanation.request.action, explanation.target
    without = {placed.statement for placed in row.allowing}
    if isinstance(row.policies, PolicySet):
        found = shelf_of(row.policies, action).nearest(target, without)
        if found is not None:
            [(named, statement), *_] = row.policies.owned([found[1]])
            yield found[0], PlacedStatement(row.layer, row.level, named, statement)
        return
    for named in row.policies:
        shelf = shelf_of(named.policy, action)
        if row.layer in WITH_PRINCIPAL:
            found = nearest(_naming(shelf, named, explanation, without), target)
        else:
            found = shelf.nearest(target, without)
        if found is not None:
            yield found[0], PlacedStatement(row.layer, row.level, named, found[1])


def _naming(
    shelf: Shelf, named: NamedPolicy, explanation: Explanation, without: Collection[Statement]
) -> list[Statement]:
    """The statements that speak of the caller; all of them when none does."""
    rest = [one for one in shelf.statements if one not in without]
    return [one for one in rest if reach(one, named, explanation.request, explanation.given)] or rest


def telling(explanation: Explanation) -> tuple[StatementTrace, ...]:
    """What to tell of: the statements that decided, then the closest of each layer that would have to allow."""
    near = [closest(explanation, layer, level) for layer, level in missing_allows(explanation)]
    return (*explanation.deciding, *(trace for trace in near if trace is not None))


def needed(explanation: Explanation) -> tuple[Change, ...]:
    """Every change without which the request stays denied; none when it is allowed or no policy decides it."""
    decision = explanation.decision
    if decision.outcome is Outcome.ALLOWED or (decision.cause is not None and decision.cause.layer is Layer.OPERATION):
        return ()
    denying = explanation.trace(placed for row in explanation.layers for placed in row.denying)
    removals = [Change(trace.layer, trace.level, remove=trace) for trace in denying]
    missing = [
        Change(layer, level, begin_at=closest(explanation, layer, level))
        for layer, level in missing_allows(explanation)
    ]
    return (*removals, *missing)


def missing_allows(explanation: Explanation) -> Iterable[tuple[Layer, str | None]]:
    """The layers, and organisation levels, of which the counterfactual says that they must allow."""
    for change in explanation.counterfactual:
        if change.startswith(_ALLOW_IN):
            layer, colon, level = change.removeprefix(_ALLOW_IN).partition(":")
            yield Layer(layer), level if colon else None
