# SPDX-License-Identifier: Apache-2.0
"""One statement against the request, in words: which element fits, which does not and why, and what would make it fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from daypass.policy import Request
from daypass.policy.closest import Change
from daypass.policy.conditions import ConditionTrace
from daypass.policy.traces import StatementTrace

SHOWN: Final = 3
"""Patterns and values that are shown of a list."""

WHY: Final = {
    "ACTION": "another action",
    "PARTITION": "the partition differs",
    "SERVICE": "the service differs",
    "REGION": "the region differs",
    "ACCOUNT": "the account differs",
    "RESOURCE_PART": "the resource part differs",
    "UNRESOLVED_VARIABLE": "a variable has no value",
    "INCOMPLETE_ARN": "the ARN is incomplete",
    "RESOURCE_STAR": "only * covers a request without a resource",
    "MISSING_KEY": "the request has no such key",
    "MISSING_KEY_TRUE": "holds because the request has no such key",
    "VALUE": "the value differs",
    "TYPE_ERROR": "a value is not of the operator's type",
    "NEEDS_SET_OPERATOR": "a list needs ForAnyValue: or ForAllValues:",
    "NO_PRINCIPAL": "the statement has no Principal",
    "PRINCIPAL": "the caller is not meant",
    "BOUNDARY_NOTPRINCIPAL": "with a permissions boundary, NotPrincipal means whomever it lists",
}


def label(trace: StatementTrace) -> str:
    """``Write of ReadRaw``, or ``statement 2 of ReadRaw`` where there is no Sid; counted from 1."""
    sid = trace.statement.source.sid
    return f"{sid or f'statement {trace.statement.index + 1}'} of {trace.named.name}"


def plural(count: int, noun: str) -> str:
    """``1 statement``, ``2 statements``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def statement_lines(trace: StatementTrace, request: Request, *, is_closest: bool) -> Iterator[str]:
    """The statement and its effect; for one that does not apply, every element with a sign and the reason."""
    effect = trace.statement.source.effect
    if trace.applies:
        yield f"      ✓ {label(trace)}: {effect}, applies"
        return
    yield f"      – {'closest: ' if is_closest else ''}{label(trace)}: {effect}, does not apply"
    for line in _elements(trace, request):
        yield f"          {line}"


def _elements(trace: StatementTrace, request: Request) -> Iterator[str]:
    action = trace.statement.action
    name = "NotAction" if action.negated else "Action"
    if trace.action.match:
        yield f"{name} ✓ {trace.action.by or request.action}"
    else:
        yield f"{name} ✕ {_some([pattern.text for pattern in action.patterns])} ({WHY['ACTION']})"
    if trace.principal is not None:
        why = f" ({WHY[trace.principal.why]})" if trace.principal.why else ""
        yield f"Principal {_sign(trace.principal.match)}{why or ' means the caller'}"
    yield from _resource(trace)
    for condition in trace.conditions:
        yield _condition(condition)


def _resource(trace: StatementTrace) -> Iterator[str]:
    element = trace.statement.resource
    if element is None or trace.resource is None:
        return
    name = "NotResource" if element.negated else "Resource"
    if element.negated or trace.resource_match:
        fitting = [entry.resolved for entry in trace.resource if entry.match or trace.resource_match]
        yield f"{name} {_sign(trace.resource_match)} {_some(fitting or [entry.resolved for entry in trace.resource])}"
        return
    for entry in trace.resource[:SHOWN]:
        yield f"{name} ✕ {entry.resolved} ({WHY[entry.why or 'RESOURCE_PART']})"
    if len(trace.resource) > SHOWN:
        yield f"{name} ✕ and {len(trace.resource) - SHOWN} more"


def _condition(trace: ConditionTrace) -> str:
    asked = f"Condition {_sign(trace.result)} {trace.op} {trace.key}: {_some(trace.policy)}"
    if not trace.present:
        return f"{asked} ({WHY[trace.why] if trace.why in ('MISSING_KEY', 'MISSING_KEY_TRUE') else 'no such key'})"
    has = f"the request has {_some(trace.values)}"
    return f"{asked} ({has}{'' if trace.why in (None, 'VALUE') else f'; {WHY[trace.why]}'})"


def _sign(fits: bool) -> str:
    return "✓" if fits else "✕"


def _some(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:SHOWN]) or "nothing"
    return shown if len(texts) <= SHOWN else f"{shown} and {len(texts) - SHOWN} more"


def advice(change: Change, title: str, request: Request) -> str:
    """What to change, in a sentence. ``title`` is the layer's."""
    where = title if change.level is None else f"{title}, {change.level}"
    if change.remove is not None:
        return f"remove or narrow {label(change.remove)} ({where}), which denies it"
    fresh = f"add a statement that allows {request.action} on {request.resource} ({where})"
    if change.begin_at is None:
        return fresh
    steps = "; ".join(_steps(change.begin_at, request))
    return f"in {label(change.begin_at)}, {steps}; or {fresh}"


def _steps(trace: StatementTrace, request: Request) -> Iterable[str]:
    action, resource = trace.statement.action, trace.statement.resource
    if not trace.action.match:
        yield f"take {request.action} out of NotAction" if action.negated else f"add {request.action} to Action"
    if trace.principal is not None and not trace.principal.match:
        yield "name the caller in Principal"
    if not trace.resource_match and resource is not None:
        yield (
            f"take {request.resource} out of NotResource" if resource.negated else f"add {request.resource} to Resource"
        )
    for condition in trace.conditions:
        if not condition.result:
            key = "bring the context key" if condition.why == "MISSING_KEY" else "meet"
            yield f"{key} {condition.key} ({condition.op}: {_some(condition.policy)})"
