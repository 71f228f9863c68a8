# SPDX-License-Identifier: Apache-2.0
"""
Two evaluators, one answer: the compiled engine and the literal one of ``reference.py`` agree on every case, and explaining
is deciding. DAYPASS_FUZZ_CASES says how many cases (20,000 by default).
"""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from msgspec.structs import replace

from daypass.policy import Layers, PolicySet, Request, decide, explain
from policy import reference
from policy.recompute import recompute
from policy.scenarios import Scenario, scenarios

CASES = int(os.environ.get("DAYPASS_FUZZ_CASES", "20000"))
REQUESTS = 20


def check_explanation(request: Request, layers: Layers, expected: str) -> None:
    explanation = explain(request, layers)
    assert explanation.decision == decide(request, layers), show(request, layers)
    assert recompute(explanation.to_dict()["layers"]) == expected, show(request, layers)
    assert bool(explanation.counterfactual) is (expected != "allowed"), show(request, layers)


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
                tally[expected] += 1

    run()
    total = sum(tally.values())
    assert total >= CASES * 0.9
    assert tally["allowed"] >= total / 3
    assert tally["explicitDeny"] >= total / 50
