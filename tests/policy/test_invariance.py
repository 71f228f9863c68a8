# SPDX-License-Identifier: Apache-2.0
"""
More of what must hold whatever the policies say (section 17): in every layer, and for every list of a document.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.policy import Kind, Layers, Level, NamedPolicy, Outcome, Request, compile_policy, decide
from policy.making import ALICE, named, statement
from policy.scenarios import CALLERS, ENTRIES, IDS, Scenario, policies, scenarios
from policy.test_conditions import holds
from policy.test_properties import everywhere

slow = settings(deadline=None, database=None, max_examples=25, suppress_health_check=list(HealthCheck))
Change = Callable[[Any], Any]


def in_every_layer(layers: Layers, change: Change) -> Layers:
    """``everywhere``, and in the organisation's policies."""

    def levels(given: tuple[Level, ...] | None) -> tuple[Level, ...] | None:
        if given is None:
            return None
        return tuple(Level(level.name, tuple(map(rewritten, level.policies))) for level in given)

    def rewritten(policy: NamedPolicy) -> NamedPolicy:
        document = json.loads(policy.policy.text)
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        return replace(
            policy, policy=compile_policy(json.dumps(document | {"Statement": change(statements)}), policy.policy.kind)
        )

    changed = everywhere(layers, change)
    return replace(changed, scps=levels(layers.scps), rcps=levels(layers.rcps))


def cases(scenario: Scenario) -> list[tuple[Request, Layers]]:
    return [(request, layers) for layers in scenario.layers for request in scenario.requests]


def turned(value: Any) -> Any:
    """Every list and every object the other way round."""
    if isinstance(value, list):
        return [turned(item) for item in reversed(value)]
    if isinstance(value, dict):
        return {key: turned(item) for key, item in reversed(value.items())}
    return value


@slow
@given(scenarios(10))
def test_the_order_of_every_list_and_every_object_never_matters(scenario: Scenario) -> None:
    for request, layers in cases(scenario):
        found = decide(request, in_every_layer(layers, turned))
        assert (found.outcome, found.grant) == (decide(request, layers).outcome, decide(request, layers).grant)


def listed(value: Any) -> Any:
    """Every string that may be a list of one is one, below a statement."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [value] if isinstance(value, str) else value


def unlisted(value: Any) -> Any:
    """Every list of one string is that string, below a statement."""
    if isinstance(value, dict):
        return {key: unlisted(item) for key, item in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def below(change: Change) -> Change:
    def changed(key: str, value: Any) -> Any:
        fixed = key in ("Effect", "Sid") or (key.endswith("Principal") and isinstance(value, str))
        return value if fixed else change(value)

    return lambda statements: [{k: changed(k, v) for k, v in made.items()} for made in statements]


@slow
@given(scenarios(10))
def test_a_string_and_a_list_of_it_are_the_same_in_every_element(scenario: Scenario) -> None:
    for request, layers in cases(scenario):
        expected = decide(request, layers)
        assert decide(request, in_every_layer(layers, below(listed))) == expected
        assert decide(request, in_every_layer(layers, below(unlisted))) == expected


def shouted(statements: Any) -> Any:
    """Actions and condition keys in the other case."""

    def change(key: str, value: Any) -> Any:
        if key.endswith("Action"):
            return [text.swapcase() for text in value] if isinstance(value, list) else value.swapcase()
        if key == "Condition":
            return {
                operator: {name.swapcase(): asked for name, asked in keys.items()} for operator, keys in value.items()
            }
        return value

    return [{key: change(key, value) for key, value in made.items()} for made in statements]


@slow
@given(scenarios(10))
def test_the_case_of_actions_and_keys_in_a_policy_never_matters(scenario: Scenario) -> None:
    for request, layers in cases(scenario):
        assert decide(request, in_every_layer(layers, shouted)) == decide(request, layers)


@slow
@given(scenarios(8), st.data())
def test_a_deny_added_to_any_layer_never_allows(scenario: Scenario, data: st.DataObject) -> None:
    kinds = {Kind.BOUNDARY: "boundary", Kind.RESOURCE: "resource", Kind.VPC_ENDPOINT: "vpc_endpoint"}
    for kind, name in kinds.items():
        more = json.loads(data.draw(policies(kind)).policy.text)["Statement"]
        denies = [made | {"Effect": "Deny"} for made in (more if isinstance(more, list) else [more])]
        for request, layers in cases(scenario):
            present: NamedPolicy | None = getattr(layers, name)
            if present is None or present.policy.kind is not kind:
                continue
            document = json.loads(present.policy.text)
            had = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
            text = json.dumps(document | {"Statement": [*had, *denies]})
            denying = replace(layers, **{name: replace(present, policy=compile_policy(text, kind))})
            assert decide(request, layers).allowed or not decide(request, denying).allowed


@slow
@given(scenarios(8))
def test_taking_a_guardrail_away_never_denies(scenario: Scenario) -> None:
    for request, layers in cases(scenario):
        if not decide(request, layers).allowed:
            continue
        for name in ("scps", "rcps", "vpc_endpoint", "boundary"):
            assert decide(request, replace(layers, **{name: None})).allowed
        needs_one = hasattr(request.principal, "parent") or getattr(request.principal, "for_a_task", False)
        if layers.session is not None and not needs_one:  # federated users and root's tasks have nothing without
            assert decide(request, replace(layers, session=None)).allowed


@slow
@given(st.sampled_from(ENTRIES), st.sampled_from(CALLERS), st.sampled_from(IDS))
def test_notprincipal_is_the_complement_of_principal_without_a_boundary(entry: Any, who: Any, ids: Any) -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::b/k", ALICE.account, who)
    found = [
        decide(request, Layers(resource=named(statement("Deny", **{name: entry}), kind=Kind.RESOURCE, ids=ids))).outcome
        for name in ("Principal", "NotPrincipal")
    ]
    assert found.count(Outcome.EXPLICIT_DENY) == 1


OPPOSITES = [("LessThan", "GreaterThanEquals"), ("GreaterThan", "LessThanEquals")]


@given(st.sampled_from(OPPOSITES), st.integers(0, 4), st.integers(0, 4), st.sampled_from(["Numeric", "Date"]))
def test_an_order_and_its_opposite_are_complements_on_well_typed_values(
    pair: tuple[str, str], bound: int, value: int, family: str
) -> None:
    first, second = (holds(f"{family}{order}", str(bound), str(value)) for order in pair)
    assert first is not second
