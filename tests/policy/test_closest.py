# SPDX-License-Identifier: Apache-2.0
"""
The closest statement, found without comparing every statement, is the one that comparing every statement finds.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daypass.policy import Explanation, Kind, Layer, Layers, Level, NamedPolicy, Outcome, PolicySet, explain
from daypass.policy.actions import split_action
from daypass.policy.closest import closest, telling
from daypass.policy.nearest import Neighbours
from daypass.policy.shelves import SHELVED_FROM
from daypass.policy.traces import StatementTrace
from daypass.principal import Anonymous
from policy.making import ALICE, BOB, named, policy, request, statement
from policy.scenarios import Scenario, scenarios

FIELDS = ("PARTITION", "SERVICE", "REGION", "ACCOUNT", "RESOURCE_PART")
settled = settings(deadline=None, database=None, max_examples=300, suppress_health_check=list(HealthCheck))


def found_by_comparing(explanation: Explanation, layer: Layer, level: str | None) -> StatementTrace | None:
    """The definition, to the letter, over the traces of all statements."""
    service = split_action(explanation.request.action)[0]
    near = [
        trace
        for trace in explanation.statements
        if (trace.layer, trace.level) == (layer, level)
        and not trace.applies
        and not trace.statement.denies
        and (trace.action.match or service in (trace.statement.action.services or ()))
    ]
    return min(near, key=lambda trace: distance(trace, explanation.request.resource), default=None)


def distance(trace: StatementTrace, resource: str) -> tuple[Any, ...]:
    failing = sum(not condition.result for condition in trace.conditions)
    meant = trace.principal is None or trace.principal.match
    reached = [
        (FIELDS.index(entry.why) if entry.why in FIELDS else -1, common(entry.resolved, resource))
        for entry in trace.resource or ()
    ]
    field, characters = max(reached, default=(0, 0))
    return not trace.action.match, not meant, not trace.resource_match, failing, -field, -characters


def common(one: str, other: str) -> int:
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def check(explanation: Explanation) -> None:
    for row in explanation.layers:
        expected = found_by_comparing(explanation, row.layer, row.level)
        assert closest(explanation, row.layer, row.level) == expected


@settled
@given(scenario=scenarios(4))
def test_the_closest_is_the_one_that_comparing_every_statement_finds(scenario: Scenario) -> None:
    for layers in scenario.layers:
        for asked in scenario.requests:
            check(explain(asked, layers))
            check(explain(asked, replace(layers, identity=PolicySet(layers.identity))))


HEADS = [
    "arn:aws:s3:::",
    "arn:aws:s3:::",
    "ARN:aws:S3:::",
    "arn:aws:sqs:a:1:",
    "arn:aws:sqs:b:1:",
    "arn:aws:s*:::",
    "arn:aws:sqs:a:1",
]
"""As far as the account: literal, in capital letters, with a wildcard, and cut short."""
tails = st.lists(st.sampled_from(["a", "B", "b/", "/", ":", "*", "?", "${v}", "${*}", "${gone}"]), max_size=5)
entries = st.builds(lambda head, tail: head + "".join(tail), st.sampled_from(HEADS), tails) | st.just("*")
resources = st.builds(lambda head, tail: head + tail, st.sampled_from(HEADS), st.text("aBb/:*", max_size=6)) | st.just(
    "*"
)
blocks = st.lists(st.sampled_from(["yes", "no", "maybe"]), unique=True, max_size=3)


@st.composite
def long_lists(draw: Any) -> list[dict[str, Any]]:
    """Statements about one action, some of them with conditions; enough to be shelved, or a few less."""
    made = []
    for listed in draw(st.lists(st.lists(entries, min_size=1, max_size=2), min_size=SHELVED_FROM - 1, max_size=24)):
        one = statement(**{draw(st.sampled_from(["Resource"] * 9 + ["NotResource"])): listed})
        one["Condition"] = {"StringEquals": dict.fromkeys(draw(blocks), "1")}
        one["Action"] = draw(st.sampled_from(["s3:GetObject", "s3:Get*"]))
        made.append(one)
    return made


@settled
@given(made=long_lists(), resource=resources, action=st.sampled_from(["s3:GetObject", "s3:PutObject"]))
def test_the_closest_of_many_is_the_one_that_comparing_every_statement_finds(
    made: list[dict[str, Any]], resource: str, action: str
) -> None:
    asked = request(action, resource, context={"yes": "1", "no": "0", "v": "b/"})
    check(explain(asked, Layers(identity=(named(*made),))))
    check(explain(asked, Layers(identity=PolicySet(NamedPolicy(str(n), policy(one)) for n, one in enumerate(made)))))
    in_two = (named(*made[::2], name="even"), named(*made[1::2], name="odd"))
    check(explain(asked, Layers(identity=in_two)))
    check(explain(asked, Layers(identity=PolicySet(in_two))))


OTHERS = [statement(Action="s3:*", Resource=f"arn:aws:s3:::other-{number}/*") for number in range(SHELVED_FROM)]


def nearest(*made: dict[str, Any], resource: str = "arn:aws:s3:::raw/hr/x") -> int:
    """The place of the closest statement among many others, which stand behind."""
    explanation = explain(request(resource=resource), Layers(identity=(named(*made, *OTHERS),)))
    found = closest(explanation, Layer.IDENTITY)
    assert found is not None
    return found.statement.index


BLUE = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}


@pytest.mark.parametrize(
    ("further", "closer"),
    [
        ("arn:aws:s3:::raw/etl/*", "arn:aws:s3:::raw/hr/y"),
        ("arn:aws:sqs:::raw/hr/x", "arn:aws:s3:::q/*"),
        ("arn:aws:s3:::raw/hr/${gone}", "arn:aws:s3:::raw/*/y"),
        ("ARN:aws:S3:::raw/hr/y", "arn:aws:s3:::raw/*/y"),
    ],
)
def test_among_many_the_one_that_fits_the_furthest_is_closest(further: str, closer: str) -> None:
    made = [statement(Action="s3:*", Resource=text) for text in (further, closer)]
    assert (nearest(*made), nearest(*made[::-1])) == (1, 0)


def test_capital_letters_before_the_fifth_colon_of_the_resource_are_the_same() -> None:
    made = [statement(Action="s3:*", Resource=text) for text in ("arn:aws:sqs:::raw/hr/x", "arn:aws:s3:::q/*")]
    assert nearest(*made, resource="ARN:aws:S3:::raw/hr/x") == 1


def test_conditions_that_fail_count_more_than_how_far_a_resource_fits() -> None:
    near = statement(Action="s3:*", Resource="arn:aws:s3:::raw/hr/y", Condition=BLUE)
    assert nearest(near) == 1
    assert nearest(near, *[one | {"Condition": BLUE} for one in OTHERS[:2]], *OTHERS) == 1 + 2


def test_among_many_one_that_applies_is_not_closest_to_applying() -> None:
    made = [statement(Action="s3:*", Resource="arn:aws:s3:::raw/hr/*"), statement(Resource="arn:aws:s3:::raw/etl/*")]
    assert nearest(*made) == 1
    assert nearest(made[0]) == 1, "and a group of nothing else is passed over"


def test_of_a_set_of_policies_the_statements_beside_the_action_are_remembered() -> None:
    policies = PolicySet((NamedPolicy("p", policy(statement(Action="s3:Put*"))),))
    for _ in range(2):
        found = closest(explain(request(), Layers(identity=policies)), Layer.IDENTITY)
        assert found is not None
        assert found.ref == "identity:p#0"


def test_all_conditions_may_fail() -> None:
    made = [one | {"Condition": BLUE | {"Bool": {"aws:SecureTransport": "true"}}} for one in OTHERS]
    made[3]["Condition"] = BLUE
    explanation = explain(request(), Layers(identity=(named(*made),)))
    found = closest(explanation, Layer.IDENTITY)
    assert found is not None
    assert found.statement.index == 3


def test_there_is_no_nearest_of_none() -> None:
    target = explain(request(), Layers()).target
    assert Neighbours(()).nearest(target, ()) is None


def test_of_a_resource_policy_the_closest_names_the_caller_if_any_does() -> None:
    layers = Layers(
        resource=named(
            statement(Principal={"AWS": BOB.arn}),
            statement(Principal={"AWS": ALICE.arn}, Resource="arn:aws:s3:::other/*"),
            kind=Kind.RESOURCE,
        )
    )
    found = closest(explain(request(), layers), Layer.RESOURCE)
    assert found is not None
    assert found.statement.index == 1
    found = closest(explain(request(who=Anonymous()), layers), Layer.RESOURCE)
    assert found is not None
    assert found.statement.index == 0


# What is told


def test_told_of_are_the_statements_that_decided() -> None:
    made = named(statement(Sid="A"), statement("Deny", Sid="D", Action="s3:Put*"))
    layers = Layers(identity=(made,), scps=(Level("root", (named(statement(), kind=Kind.SCP),)),))
    assert [trace.label for trace in telling(explain(request(), layers))] == ["scp:p#0", "identity:p#A"]
    denied = explain(request("s3:PutObject"), layers)
    assert denied.decision.outcome is Outcome.EXPLICIT_DENY
    assert [trace.label for trace in telling(denied)] == ["identity:p#D"]


def test_told_of_is_the_closest_of_each_layer_that_must_allow_if_there_is_one() -> None:
    boundary = named(statement(Action="sqs:*"), kind=Kind.BOUNDARY)
    explanation = explain(request(), Layers(identity=(named(statement(Sid="C", Condition=BLUE)),), boundary=boundary))
    assert explanation.counterfactual == ("allow in identity", "allow in boundary")
    assert [(trace.label, trace.applies) for trace in telling(explanation)] == [("identity:p#C", False)]


def test_an_explanation_may_be_shown_with_some_of_its_statements() -> None:
    explanation = explain(request(), Layers(identity=(named(statement(Sid="A"), statement(Action="sqs:*")),)))
    whole, brief = explanation.to_dict(), explanation.to_dict(telling(explanation))
    assert [one["sid"] for one in brief.pop("statements")] == ["A"]
    assert len(whole.pop("statements")) == 2
    assert brief == whole
