# SPDX-License-Identifier: Apache-2.0
"""
What nearly applied, and what would have to change: the reading of an explanation, without a layout.

    Explanation -- closest --> the Allow statement that fits the request best, of one layer
                -- needed --> every change that the request needs, with the statement to begin at

Pure, and of the same opinion as ``explain``: nothing is compared here again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from daypass.policy.actions import split_action
from daypass.policy.explain import Explanation
from daypass.policy.request import Layer, Outcome, Request
from daypass.policy.traces import StatementTrace

_ALLOW_IN: Final = "allow in "
_FIELDS: Final = ("PARTITION", "SERVICE", "REGION", "ACCOUNT", "RESOURCE_PART")
"""Where a resource can stop fitting, from left to right: the further, the closer."""


@dataclass(frozen=True, slots=True)
class Change:
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


def closest(
    request: Request, explanation: Explanation, layer: Layer, level: str | None = None
) -> StatementTrace | None:
    """
    The Allow statement of a layer that does not apply and is nearest to it; None when none speaks of the service.

    Nearest is: about the action; naming the caller; on the resource; with the fewest conditions that fail; then with the
    resource that fits the furthest; then the first.
    """
    service = split_action(request.action)[0]
    near = [
        trace
        for trace in explanation.statements
        if (trace.layer, trace.level) == (layer, level)
        and not trace.applies
        and not trace.statement.denies
        and (trace.action.match or _speaks_of(trace, service))
    ]
    return min(near, key=lambda trace: _distance(trace, request.resource), default=None)


def _speaks_of(trace: StatementTrace, service: str) -> bool:
    services = trace.statement.action.services
    return services is not None and service in services


def _distance(trace: StatementTrace, resource: str) -> tuple[bool, bool, bool, int, int, int]:
    failing = sum(not condition.result for condition in trace.conditions)
    named = trace.principal is None or trace.principal.match
    field, common = _reach(trace, resource)
    return not trace.action.match, not named, not trace.resource_match, failing, -field, -common


def _reach(trace: StatementTrace, resource: str) -> tuple[int, int]:
    """How far the best entry of Resource fits: fields of the ARN, then characters."""
    reached = [
        (_FIELDS.index(entry.why) if entry.why in _FIELDS else -1, _common(entry.resolved, resource))
        for entry in trace.resource or ()
    ]
    return max(reached, default=(0, 0))


def _common(one: str, other: str) -> int:
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def needed(request: Request, explanation: Explanation) -> tuple[Change, ...]:
    """Every change without which the request stays denied; none when it is allowed or no policy decides it."""
    decision = explanation.decision
    if decision.outcome is Outcome.ALLOWED or (decision.cause is not None and decision.cause.layer is Layer.OPERATION):
        return ()
    removals = [
        Change(trace.layer, trace.level, remove=trace)
        for trace in explanation.statements
        if trace.applies and trace.statement.denies
    ]
    missing = [
        Change(layer, level, begin_at=closest(request, explanation, layer, level))
        for layer, level in missing_allows(explanation)
    ]
    return (*removals, *missing)


def missing_allows(explanation: Explanation) -> Iterable[tuple[Layer, str | None]]:
    """The layers, and organisation levels, of which the counterfactual says that they must allow."""
    for change in explanation.counterfactual:
        if change.startswith(_ALLOW_IN):
            layer, colon, level = change.removeprefix(_ALLOW_IN).partition(":")
            yield Layer(layer), level if colon else None
