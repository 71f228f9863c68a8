# SPDX-License-Identifier: Apache-2.0
"""
The policy simulator's answers, from explanations (IAM API, SimulateCustomPolicy and SimulatePrincipalPolicy).

    one action, its resources -- explain, each --> explanations -- simulate --> Simulation

What was asked and how it is written in XML is for ``daypass.iam``; here is what the answer is. A policy is known by its
``NamedPolicy.name``, which is what the simulator calls SourcePolicyId.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daypass.policy.compiled import Policy
from daypass.policy.evaluate import ABSENT, ALLOW, DENY, NONE, Verdict
from daypass.policy.explain import Explanation, explain
from daypass.policy.positions import Span, statement_spans
from daypass.policy.request import Layer, Layers, Outcome, Request
from daypass.policy.statement import Statement

IAM_POLICY: Final = "IAM Policy"
RESOURCE_POLICY: Final = "Resource Policy"
BOUNDARY_POLICY: Final = "Permissions Boundary Policy"
"""The names of EvalDecisionDetails (from memory; AWS's reference does not list them)."""

_SEVERITY: Final = (Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY)
_OUTCOMES: Final = {NONE: Outcome.IMPLICIT_DENY, ALLOW: Outcome.ALLOWED, DENY: Outcome.EXPLICIT_DENY}


@dataclass(frozen=True, slots=True)
class MatchedStatement:
    """A statement that decided: its layer, the name of its policy, its place in it and in its text."""

    layer: Layer
    policy: str
    index: int
    span: Span


@dataclass(frozen=True, slots=True)
class Simulated:
    """
    The answer for one action on one resource, or, put together, on all of them.

    - ``matched``: all statements that deny when one does, else all that allow; never one of an organisation policy.
    - ``missing``: condition keys that matching statements refer to and the request does not have, first spelling.
    - ``by_boundary``, ``by_organization``: whether these allow; None when they do not apply.
    - ``details``: across accounts, the decision of every type of policy; None within one account, and when an
      organisation policy ended the evaluation.
    """

    outcome: Outcome
    matched: tuple[MatchedStatement, ...]
    missing: tuple[str, ...]
    by_boundary: bool | None
    by_organization: bool | None
    details: Mapping[str, Outcome] | None
    ended_by_organization: bool
    same_account: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """One action: the answer over all resources, and for each, in the order asked."""

    total: Simulated
    resources: tuple[Simulated, ...]


def simulate(requests: Sequence[Request], layers: Layers) -> Simulation:
    """The answer for one action on several resources, at least one. The decisions are those of ``decide``."""
    return combine([simulate_one(request, layers) for request in requests])


def simulate_one(request: Request, layers: Layers) -> Simulated:
    """The answer for one action on one resource."""
    explanation = explain(request, layers)
    decision = explanation.decision
    organization = _verdict(explanation, Layer.SCP)
    ended = decision.cause is not None and decision.cause.layer is Layer.SCP
    return Simulated(
        outcome=decision.outcome,
        matched=tuple(_matched(explanation)),
        missing=_distinct(_missing(explanation, request)),
        by_boundary=_allowed(_verdict(explanation, Layer.BOUNDARY)),
        by_organization=_allowed(organization),
        details=None if explanation.same_account or ended else _details(explanation),
        ended_by_organization=ended,
        same_account=explanation.same_account,
    )


def combine(parts: Sequence[Simulated]) -> Simulation:
    """The most restrictive of several answers, with all their statements and missing keys. ``parts`` is not empty."""
    by_kind: dict[str, Outcome] = {}
    for part in parts:
        for kind, outcome in (part.details or {}).items():
            by_kind[kind] = most_restrictive([by_kind.get(kind, outcome), outcome])
    total = Simulated(
        outcome=most_restrictive([part.outcome for part in parts]),
        matched=tuple(dict.fromkeys(statement for part in parts for statement in part.matched)),
        missing=_distinct(key for part in parts for key in part.missing),
        by_boundary=_all_allow([part.by_boundary for part in parts]),
        by_organization=_all_allow([part.by_organization for part in parts]),
        details=by_kind or None,
        ended_by_organization=any(part.ended_by_organization for part in parts),
        same_account=all(part.same_account for part in parts),
    )
    return Simulation(total, tuple(parts))


def most_restrictive(outcomes: Iterable[Outcome]) -> Outcome:
    """explicitDeny before implicitDeny before allowed."""
    return max(outcomes, key=_SEVERITY.index)


def context_keys(policies: Iterable[Policy]) -> tuple[str, ...]:
    """The condition keys that policies refer to, each once in its first spelling; in a statement, Resource goes first."""
    return _distinct(key for policy in policies for statement in policy.statements for key in _keys_of(statement))


def _keys_of(statement: Statement) -> Iterable[str]:
    if statement.resource is not None:
        for pattern in statement.resource.patterns:
            yield from pattern.keys
    for condition in statement.conditions:
        yield from condition.keys


def _matched(explanation: Explanation) -> Iterable[MatchedStatement]:
    denied = explanation.decision.outcome is Outcome.EXPLICIT_DENY
    for row in explanation.layers:
        if row.layer is not Layer.SCP:
            for placed in row.denying if denied else row.allowing:
                index = placed.statement.index
                yield MatchedStatement(
                    row.layer, placed.named.name, index, statement_spans(placed.named.policy.text)[index]
                )


def _missing(explanation: Explanation, request: Request) -> Iterable[str]:
    for row in explanation.layers:
        if row.layer is not Layer.SCP:
            for named in row.policies:
                for statement in named.policy.matching_action(request.action):
                    yield from (key for key in _keys_of(statement) if request.context.get(key) is None)


def _distinct(keys: Iterable[str]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for key in keys:
        spellings.setdefault(key.lower(), key)
    return tuple(spellings.values())


def _verdict(explanation: Explanation, layer: Layer) -> Verdict:
    """What a layer said, over all of its levels: the worst of them."""
    said = [trace.result for trace in explanation.layers if trace.layer is layer]
    return next((verdict for verdict in (DENY, NONE, ALLOW) if verdict in said), ABSENT)


def _allowed(verdict: Verdict) -> bool | None:
    return None if verdict is ABSENT else verdict is ALLOW


def _all_allow(answers: Sequence[bool | None]) -> bool | None:
    given = [answer for answer in answers if answer is not None]
    return all(given) if given else None


def _details(explanation: Explanation) -> dict[str, Outcome]:
    kinds = {IAM_POLICY: Layer.IDENTITY, RESOURCE_POLICY: Layer.RESOURCE, BOUNDARY_POLICY: Layer.BOUNDARY}
    verdicts = {kind: _verdict(explanation, layer) for kind, layer in kinds.items()}
    return {kind: _OUTCOMES[verdict] for kind, verdict in verdicts.items() if verdict is not ABSENT}
