# SPDX-License-Identifier: Apache-2.0
"""
What must hold whatever the policies say: the property tests of section 17.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.errors import PolicyError
from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, Outcome, Request, compile_policy, decide
from daypass.principal import RoleSession
from policy.making import ALICE, named, statement
from policy.scenarios import (
    ACTION_PATTERNS,
    ACTIONS,
    CALLERS,
    RESOURCE_PATTERNS,
    RESOURCES,
    Scenario,
    policies,
    scenarios,
)

slow = settings(deadline=None, database=None, max_examples=40, suppress_health_check=list(HealthCheck))


def cases(scenario: Scenario) -> list[tuple[Request, Layers]]:
    return [(request, layers) for layers in scenario.layers for request in scenario.requests]


def rewritten(policy: NamedPolicy, change: Any) -> NamedPolicy:
    document = json.loads(policy.policy.text)
    listed = document["Statement"]
    document["Statement"] = change(listed if isinstance(listed, list) else [listed])
    return replace(policy, policy=compile_policy(json.dumps(document), policy.policy.kind))


def everywhere(layers: Layers, change: Any) -> Layers:
    """The layers with the statements of every policy changed."""

    def one(policy: NamedPolicy | None) -> NamedPolicy | None:
        return None if policy is None else rewritten(policy, change)

    return replace(
        layers,
        identity=tuple(rewritten(p, change) for p in layers.identity),
        boundary=one(layers.boundary),
        session=None if layers.session is None else tuple(rewritten(p, change) for p in layers.session),
        resource=one(layers.resource),
        vpc_endpoint=one(layers.vpc_endpoint),
    )


@slow
@given(scenarios(10), policies(Kind.IDENTITY))
def test_adding_denies_never_allows_and_adding_allows_never_denies_implicitly(
    scenario: Scenario, more: NamedPolicy
) -> None:
    only = {effect: rewritten_effect(more, effect) for effect in ("Deny", "Allow")}
    for request, layers in cases(scenario):
        before = decide(request, layers)
        denying = decide(request, replace(layers, identity=(*layers.identity, only["Deny"])))
        allowing = decide(request, replace(layers, identity=(*layers.identity, only["Allow"])))
        assert before.allowed or not denying.allowed
        assert not before.allowed or allowing.allowed


def rewritten_effect(policy: NamedPolicy, effect: str) -> NamedPolicy:
    return rewritten(policy, lambda listed: [statement | {"Effect": effect} for statement in listed])


@slow
@given(scenarios(10), policies(Kind.BOUNDARY), policies(Kind.SCP), policies(Kind.VPC_ENDPOINT), policies(Kind.SESSION))
def test_adding_a_guardrail_never_allows(
    scenario: Scenario, boundary: NamedPolicy, scp: NamedPolicy, endpoint: NamedPolicy, session: NamedPolicy
) -> None:
    for request, layers in cases(scenario):
        pairs = [
            (replace(layers, boundary=None), replace(layers, boundary=boundary)),
            (layers, replace(layers, scps=(*(layers.scps or ()), Level("more", (scp,))))),
            (replace(layers, vpc_endpoint=None), replace(layers, vpc_endpoint=endpoint)),
        ]
        if isinstance(request.principal, RoleSession):
            pairs.append((replace(layers, session=None), replace(layers, session=(session,))))
        for bare, guarded in pairs:
            assert decide(request, bare).allowed or not decide(request, guarded).allowed


@slow
@given(scenarios(10))
def test_the_order_of_statements_policies_and_lists_never_matters(scenario: Scenario) -> None:
    def turned(listed: Any) -> Any:
        return [
            {k: v[::-1] if isinstance(v, list) else v for k, v in statement.items()} for statement in reversed(listed)
        ]

    for request, layers in cases(scenario):
        other = everywhere(replace(layers, identity=layers.identity[::-1]), turned)
        assert decide(request, other).outcome is decide(request, layers).outcome


@slow
@given(scenarios(10))
def test_a_string_and_a_list_of_it_are_the_same(scenario: Scenario) -> None:
    def listed_and_not(listed: Any) -> Any:
        return [
            {
                k: v[0]
                if isinstance(v, list) and len(v) == 1
                else [v]
                if k.endswith("Action") and isinstance(v, str)
                else v
                for k, v in s.items()
            }
            for s in listed
        ]

    for request, layers in cases(scenario):
        assert decide(request, everywhere(layers, listed_and_not)) == decide(request, layers)


@slow
@given(scenarios(10))
def test_the_case_of_actions_and_keys_never_matters(scenario: Scenario) -> None:
    for request, layers in cases(scenario):
        shouted = Context({key.upper(): value for key, value in request.context.entries.items()})
        other = replace(request, action=request.action.swapcase(), context=shouted)
        assert decide(other, layers) == decide(request, layers)


@slow
@given(scenarios(10))
def test_an_empty_resource_policy_is_no_resource_policy_in_one_account(scenario: Scenario) -> None:
    empty = named(statement(Action="nobody:Asks", Principal="*"), kind=Kind.RESOURCE)
    for request, layers in cases(scenario):
        plain = replace(layers, resource=None, explicit_trust_required=False)
        assert decide(request, replace(plain, resource=empty)).outcome is decide(request, plain).outcome


@slow
@given(st.data())
def test_the_not_form_of_a_list_is_its_complement(data: st.DataObject) -> None:
    fixed = [pattern for pattern in RESOURCE_PATTERNS if "${" not in pattern]
    for element, pool in (("Action", ACTION_PATTERNS), ("Resource", fixed)):
        patterns = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
        action, resource = data.draw(st.sampled_from(ACTIONS)), data.draw(st.sampled_from(RESOURCES))
        if action == "sts:AssumeRole":
            continue
        request = Request(action, resource, ALICE.account, ALICE)
        found: set[Outcome] = set()
        for name in (element, f"Not{element}"):
            elements: dict[str, Any] = {name: patterns}
            found.add(decide(request, Layers(identity=(named(statement(**elements)),))).outcome)
        assert found == {Outcome.ALLOWED, Outcome.IMPLICIT_DENY}


@settings(deadline=None, database=None, max_examples=200)
@given(
    st.text(max_size=30),
    st.text(max_size=40),
    st.sampled_from(CALLERS),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
)
def test_every_request_gets_a_decision(action: str, resource: str, who: Any, context: dict[str, str]) -> None:
    made = statement(
        Action=["s3:*", "*"],
        Resource=["arn:aws:s3:::${k}/*", "arn:*:s?:us-*:*:x*?y"],
        Condition={"StringLikeIfExists": {"k": "${k}*"}, "NumericEqualsIfExists": {"n": 1}},
    )
    request = Request(action, resource, ALICE.account, who, Context(context))
    assert decide(request, Layers(identity=(named(made),))).outcome in Outcome


@settings(deadline=None, database=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_json_that_is_no_policy_is_refused_and_nothing_else_happens(value: Any) -> None:
    for kind in Kind:
        for text in (json.dumps(value), json.dumps({"Version": "2012-10-17", "Statement": value})):
            with pytest.raises(PolicyError):
                compile_policy(text, kind)
