# SPDX-License-Identifier: Apache-2.0
"""
Two evaluators, one answer: the compiled engine and the literal one of ``reference.py`` agree on every case, and explaining
is deciding. DAYPASS_FUZZ_CASES says how many cases (8,000; 20,000 where CI runs the tests).
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from msgspec.structs import replace

from daypass.policy import Explanation, Grant, Layers, Outcome, PolicySet, Request, decide, explain
from daypass.policy.statement import statement_keys
from daypass.policy.traces import StatementTrace
from policy import reference
from policy.recompute import recompute
from policy.scenarios import Scenario, scenarios
from real.needed import WHOLE_MATRIX

CASES = int(os.environ.get("DAYPASS_FUZZ_CASES", "20000" if WHOLE_MATRIX else "8000"))
REQUESTS = 20


def check_explanation(request: Request, layers: Layers, expected: str) -> None:
    explanation = explain(request, layers)
    assert explanation.decision == decide(request, layers), show(request, layers)
    assert recompute([row.to_dict() for row in explanation.layers]) == expected, show(request, layers)
    assert bool(explanation.counterfactual) is (expected != "allowed"), show(request, layers)
    check_traces(explanation, show(request, layers))


def check_traces(explanation: Explanation, case: str) -> None:
    """What is read from the shelves is what comparing every statement with the request comes to."""
    traced = explanation.statements
    for effect in ("Allow", "Deny"):
        applying = [trace.ref for trace in traced if trace.applies and trace.statement.source.effect == effect]
        rows = [row.allow if effect == "Allow" else row.deny for row in explanation.layers]
        assert applying == [ref for refs in rows for ref in refs], case
    keys = [key for trace in traced if trace.action.match for key in statement_keys(trace.statement)]
    missing = {key.lower(): key for key in reversed(keys) if explanation.request.context.get(key) is None}
    assert sorted(explanation.missing_context) == sorted(missing.values()), case
    partial = any(lists_a_part(trace, explanation.request) for trace in traced)
    assert bool(explanation.warnings) is partial, case
    allowed = explanation.decision.allowed
    denied = explanation.decision.outcome is Outcome.EXPLICIT_DENY
    deciding = [t for t in traced if t.applies and (t.statement.denies if denied else allowed)]
    assert list(explanation.deciding) == deciding, case


def brief(request: Request, layers: Layers) -> dict[str, Any]:
    """The explanation but for the listing of every statement, which knows no index."""
    return explain(request, layers).to_dict(())


def lists_a_part(trace: StatementTrace, request: Request) -> bool:
    element, ids = trace.statement.principal, trace.named.principal_ids
    if element is None or not element.negated:
        return False
    return (element.grant(request.principal, ids) is Grant.NONE) is element.names_all_links(request.principal, ids)


def show(request: Request, layers: Layers) -> str:
    named = (*layers.identity, layers.boundary, *(layers.session or ()), layers.resource, layers.vpc_endpoint)
    lines = [f"{n.policy.kind.name} {n.principal_ids} {n.policy.text}" for n in named if n is not None]
    lines += [n.policy.text for level in layers.scps or () for n in level.policies]
    return "\n".join([str(request), str(request.context.entries), *lines, str(layers.explicit_trust_required)])


def test_the_engine_the_reference_and_the_explanation_agree_on_every_case() -> None:
    tally: Counter[str] = Counter()

    @settings(
        max_examples=max(1, CASES // (2 * REQUESTS)),
        deadline=None,
        database=None,
        phases=(Phase.generate,),  # a failing case is printed whole; shrinking hundreds of them takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(REQUESTS))
    def run(scenario: Scenario) -> None:
        for layers in scenario.layers:
            indexed = replace(layers, identity=PolicySet(layers.identity))
            for request in scenario.requests:
                expected = reference.decide(request, layers)
                assert decide(request, layers).outcome.value == expected, show(request, layers)
                assert decide(request, indexed) == decide(request, layers), show(request, layers)
                check_explanation(request, layers, expected)
                assert brief(request, indexed) == brief(request, layers), show(request, layers)
                tally[expected] += 1

    run()
    total = sum(tally.values())
    assert total >= CASES
    assert tally["allowed"] >= total / 3
    assert tally["explicitDeny"] >= total / 50
