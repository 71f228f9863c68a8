# SPDX-License-Identifier: Apache-2.0
"""
How one statement compared with one request, element by element: the small print of an explanation.

Asks every element, where the decision stops at the first that does not fit. ``why`` is one of a closed vocabulary: ACTION,
PARTITION, SERVICE, REGION, ACCOUNT, RESOURCE_PART, UNRESOLVED_VARIABLE, INCOMPLETE_ARN, RESOURCE_STAR, MISSING_KEY,
MISSING_KEY_TRUE, VALUE, TYPE_ERROR, NEEDS_SET_OPERATOR, NO_PRINCIPAL, PRINCIPAL, BOUNDARY_NOTPRINCIPAL.
"""

from __future__ import annotations

from typing import Any

import msgspec

from daypass.policy.actions import split_action
from daypass.policy.applying import WITH_PRINCIPAL, PlacedStatement, reach
from daypass.policy.conditions import ConditionTrace
from daypass.policy.principals import Grant, PrincipalElement
from daypass.policy.request import Layers, NamedPolicy, Request
from daypass.policy.resources import ResourceTrace, Target
from daypass.policy.statement import Statement


class ActionTrace(msgspec.Struct, frozen=True):
    """Whether Action or NotAction covers the action, and by which pattern."""

    match: bool
    by: str | None
    why: str | None


class PrincipalTrace(msgspec.Struct, frozen=True):
    """Whether the statement speaks of the caller, and with which class of grant."""

    match: bool
    grant: Grant
    why: str | None


class StatementTrace(PlacedStatement, frozen=True):
    """One statement against one request. ``resource`` is None when the statement has no such element."""

    applies: bool
    action: ActionTrace
    resource_match: bool
    resource: tuple[ResourceTrace, ...] | None
    principal: PrincipalTrace | None
    conditions: tuple[ConditionTrace, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        statement = self.statement
        return {
            "ref": self.ref,
            "sid": statement.source.sid or None,
            "effect": statement.source.effect,
            "applies": self.applies,
            "action": {"match": self.action.match, "by": self.action.by, "why": self.action.why},
            "resource": self._resource(),
            "principal": self._principal(),
            "conditions": [_condition(condition) for condition in self.conditions],
        }

    def _resource(self) -> dict[str, Any] | None:
        element = self.statement.resource
        if element is None or self.resource is None:
            return None
        entries = [
            {"pattern": pattern.text, "resolved": trace.resolved, "match": trace.match, "why": trace.why}
            for pattern, trace in zip(element.patterns, self.resource, strict=True)
        ]
        return {"match": self.resource_match, "negated": element.negated, "entries": entries}

    def _principal(self) -> dict[str, Any] | None:
        trace = self.principal
        return None if trace is None else {"match": trace.match, "grant": trace.grant.name, "why": trace.why}


def _condition(trace: ConditionTrace) -> dict[str, Any]:
    return {
        "op": trace.op,
        "key": trace.key,
        "present": trace.present,
        "values": list(trace.values),
        "policy": list(trace.policy),
        "result": trace.result,
        "why": trace.why,
    }


def trace_statement(place: PlacedStatement, request: Request, layers: Layers, target: Target) -> StatementTrace:
    """Compare every element of a statement."""
    named, statement = place.named, place.statement
    action = _trace_action(statement, request)
    resource_match, resource = _trace_resource(statement, target)
    principal = _trace_principal(statement, named, request, layers) if place.layer in WITH_PRINCIPAL else None
    conditions = tuple([condition.trace(target.entries) for condition in statement.conditions])
    applies = action.match and resource_match and (principal is None or principal.match)
    return StatementTrace(
        layer=place.layer,
        level=place.level,
        named=named,
        statement=statement,
        applies=applies and all(condition.result for condition in conditions),
        action=action,
        resource_match=resource_match,
        resource=resource,
        principal=principal,
        conditions=conditions,
    )


def _trace_action(statement: Statement, request: Request) -> ActionTrace:
    service, name = split_action(request.action)
    element = statement.action
    hit = element.hit(service, name)
    match = (hit is not None) is not element.negated
    return ActionTrace(match, hit, None if match else "ACTION")


def _trace_resource(statement: Statement, target: Target) -> tuple[bool, tuple[ResourceTrace, ...] | None]:
    element = statement.resource
    if element is None:
        return True, None
    traces = tuple([pattern.trace(target) for pattern in element.patterns])
    if not element.negated:
        return any(trace.match for trace in traces), traces
    unresolved = any(pattern.unresolved(target.entries) for pattern in element.patterns)
    return not unresolved and not any(trace.match for trace in traces), traces


def _trace_principal(
    statement: Statement, named: NamedPolicy, request: Request, layers: Layers
) -> PrincipalTrace | None:
    element = statement.principal
    if element is None:
        return PrincipalTrace(False, Grant.NONE, "NO_PRINCIPAL") if statement.unreachable else None
    grant = reach(statement, named, request, layers)
    if grant is Grant.NONE:
        return PrincipalTrace(False, grant, "PRINCIPAL")
    listed = element.negated and element.grant(request.principal, named.principal_ids) is not Grant.NONE
    by_boundary = listed and layers.boundary is not None
    return PrincipalTrace(True, grant, "BOUNDARY_NOTPRINCIPAL" if by_boundary else None)


def has_partial_chain(element: PrincipalElement, named: NamedPolicy, request: Request) -> bool:
    """Whether a NotPrincipal lists the caller, but not every link of its chain: services may differ about that."""
    listed = element.grant(request.principal, named.principal_ids) is not Grant.NONE
    return listed is not element.names_all_links(request.principal, named.principal_ids)
