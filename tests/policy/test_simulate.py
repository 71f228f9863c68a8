# SPDX-License-Identifier: Apache-2.0
"""
The simulator's answers (section 12), where statements stand in their text, and what would have to change (section 14).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daypass.policy import Kind, Layer, Layers, Level, NamedPolicy, Outcome, Request, compile_policy, decide, explain
from daypass.policy.closest import closest, missing_allows, needed
from daypass.policy.positions import Position, statement_spans
from daypass.policy.simulate import combine, context_keys, most_restrictive, simulate, simulate_one
from daypass.principal import Service
from policy.making import ALICE, AWAY, ROOT, SESSION, document, named, policy, request, statement
from policy.scenarios import Scenario, documents, scenarios

slow = settings(deadline=None, database=None, max_examples=40, suppress_health_check=list(HealthCheck))
SILENT = statement(Action="nobody:Asks")

# Positions

EXAMPLE = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)
"""AWS CLI, simulate-custom-policy: AWS answers 1:38 to 1:167 for it."""

LISTED = """{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "codecommit:ListRepositories",
            "Resource": "*"

        },
        {"Effect": "Deny", "Action": "*", "Resource": "*"}
    ]
}"""
"""AWS CLI, simulate-principal-policy: AWS answers 3:19 to 9:10 for the first statement of a document of this layout."""


def spans(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found = statement_spans(text)
    return [((span.start.line, span.start.column), (span.end.line, span.end.column)) for span in found]


def test_a_single_statement_starts_behind_its_brace_as_in_awss_example() -> None:
    assert spans(EXAMPLE) == [((1, 38), (1, 167))]


def test_the_first_of_a_list_starts_behind_the_bracket_as_in_awss_example_and_the_next_where_it_ended() -> None:
    assert spans(LISTED) == [((3, 19), (9, 10)), ((9, 10), (10, 59))]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_line_ends_at_any_of_the_three_line_ends(newline: str) -> None:
    assert spans(LISTED.replace("\n", newline)) == spans(LISTED)


def test_what_looks_like_a_statement_inside_a_string_is_text() -> None:
    statement = r'{"Sid":"","Effect":"Allow","Action":"a:}{\"[","Resource":"*"}'
    text = rf'{{"Id":"Statement","\u0053tatement":[{statement}],"Version":"2012-10-17"}}'
    [((_, start), (_, end))] = spans(text)
    assert text[start - 1 : end - 1] == statement


@slow
@given(text=documents(Kind.IDENTITY), indent=st.sampled_from([None, 0, 3]))
def test_every_statement_stands_where_its_span_says(text: str, indent: int | None) -> None:
    value = json.loads(text)
    shown = json.dumps(value, indent=indent)
    lines = [0]
    for line in shown.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))

    def offset(position: Position) -> int:
        return lines[position.line - 1] + position.column - 1

    single = isinstance(value["Statement"], dict)
    found = [shown[offset(span.start) - single : offset(span.end)] for span in statement_spans(shown)]
    assert [json.loads(part.lstrip(", \n")) for part in found] == (
        [value["Statement"]] if single else value["Statement"]
    )


# Simulation


def sim(*statements: dict[str, Any], asked: Request | None = None, **layers: Any) -> Any:
    return simulate_one(asked or request(), Layers(identity=(named(*statements, name="PolicyInputList.1"),), **layers))


def matched(simulated: Any) -> list[tuple[str, int]]:
    return [(found.policy, found.index) for found in simulated.matched]


def test_an_explicit_deny_lists_every_deny_and_no_allow() -> None:
    deny = statement("Deny", Action="s3:*")
    boundary = named(deny, kind=Kind.BOUNDARY, name="b")
    simulated = sim(statement(), deny, SILENT, deny, boundary=boundary)
    assert simulated.outcome is Outcome.EXPLICIT_DENY
    assert sorted(matched(simulated)) == [("PolicyInputList.1", 1), ("PolicyInputList.1", 3), ("b", 0)]


def test_otherwise_every_allow_is_listed_also_where_a_boundary_is_silent() -> None:
    simulated = sim(statement(), SILENT, statement(), boundary=named(SILENT, kind=Kind.BOUNDARY))
    assert (simulated.outcome, simulated.by_boundary) == (Outcome.IMPLICIT_DENY, False)
    assert matched(simulated) == [("PolicyInputList.1", 0), ("PolicyInputList.1", 2)]


def test_organisation_policies_end_the_evaluation_and_are_not_listed() -> None:
    scps = (Level("root", (named(statement(), kind=Kind.SCP, name="scp"),)), Level("unit"))
    ended = sim(statement(), asked=request(account=AWAY), scps=scps)
    assert (ended.outcome, ended.by_organization, ended.details) == (Outcome.IMPLICIT_DENY, False, None)
    assert matched(ended) == [("PolicyInputList.1", 0)]
    allowing = sim(statement(), asked=request(account=AWAY), scps=scps[:1])
    assert (allowing.by_organization, allowing.ended_by_organization) == (True, False)
    assert allowing.details == {"IAM Policy": Outcome.ALLOWED, "Resource Policy": Outcome.IMPLICIT_DENY}


def test_missing_keys_leave_out_organisation_policies_and_statements_about_other_actions() -> None:
    asks = {"Bool": {"aws:SecureTransport": "true"}}
    scps = (Level("root", (named(statement(), statement(Condition=asks), kind=Kind.SCP),)),)
    assert sim(statement(Action="sqs:*", Condition=asks), scps=scps).missing == ()
    assert sim(statement(Condition=asks), scps=scps).missing == ("aws:SecureTransport",)


def test_the_most_restrictive_decision_is_an_explicit_deny_then_an_implicit_one() -> None:
    allowed, implicit, explicit = Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY
    assert most_restrictive([allowed]) is allowed
    assert most_restrictive([allowed, implicit]) is implicit
    assert most_restrictive([explicit, implicit, allowed]) is explicit


def test_together_statements_and_keys_stand_once() -> None:
    one = sim(statement(Condition={"Bool": {"aws:SecureTransport": "true"}}), statement())
    other = sim(statement(Condition={"Bool": {"AWS:securetransport": "true"}}), statement())
    total = combine([one, one, other]).total
    assert total.missing == ("aws:SecureTransport",)
    assert matched(combine([one, one]).total) == [("PolicyInputList.1", 1)]


def test_together_the_details_are_the_most_restrictive_of_each_kind() -> None:
    allow = Layers(identity=(named(statement(Resource="arn:aws:s3:::b/*")),))
    asked = [request(resource=f"arn:aws:s3:::{name}/k", account=AWAY) for name in "bc"]
    simulation = simulate(asked, allow)
    assert [part.details for part in simulation.resources] == [
        {"IAM Policy": Outcome.ALLOWED, "Resource Policy": Outcome.IMPLICIT_DENY},
        {"IAM Policy": Outcome.IMPLICIT_DENY, "Resource Policy": Outcome.IMPLICIT_DENY},
    ]
    assert simulation.total.details == simulation.resources[1].details


def test_context_keys_are_of_resources_first_then_of_conditions_each_once() -> None:
    own = policy(
        statement(
            Resource="arn:aws:s3:::${aws:username}/${*}",
            Condition={"StringLike": {"s3:prefix": ["${AWS:UserName}", "${aws:userid}"]}},
        )
    )
    assert context_keys([own, own]) == ("aws:username", "s3:prefix", "aws:userid")


@slow
@given(scenario=scenarios(8))
def test_a_simulation_decides_as_decide_does_and_lists_only_what_decided(scenario: Scenario) -> None:
    for layers in scenario.layers:
        simulation = simulate(scenario.requests, layers)
        outcomes = [decide(asked, layers).outcome for asked in scenario.requests]
        assert [part.outcome for part in simulation.resources] == outcomes
        assert simulation.total.outcome is most_restrictive(outcomes)
        for asked, part in zip(scenario.requests, simulation.resources, strict=True):
            denying = part.outcome is Outcome.EXPLICIT_DENY
            decided = [
                trace.ref
                for trace in explain(asked, layers).statements
                if trace.applies and trace.statement.denies is denying and trace.layer is not Layer.SCP
            ]
            assert [f"{found.layer.value}:{found.policy}#{found.index}" for found in part.matched] == decided


# The closest statement, and what is needed


def nearest(*statements: dict[str, Any], asked: Request | None = None) -> int | None:
    asked = asked or request(resource="arn:aws:s3:::raw/hr/x")
    explanation = explain(asked, Layers(identity=(named(*statements),)))
    trace = closest(explanation, Layer.IDENTITY)
    return None if trace is None else trace.statement.index


HR = {"Resource": "arn:aws:s3:::raw/hr/*"}
BLUE = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}


@pytest.mark.parametrize(
    ("further", "closer"),
    [
        (statement(Action="s3:PutObject"), statement(Action="s3:Get*", Resource="arn:aws:s3:::other/*")),
        (statement(Action="s3:*", Resource="arn:aws:s3:::other/*"), statement(Action="s3:*", Condition=BLUE, **HR)),
        (
            statement(Condition={**BLUE, "Bool": {"aws:SecureTransport": "true"}}, **HR),
            statement(Condition=BLUE, **HR),
        ),
        (statement(Resource="arn:aws:sqs:::raw/hr/*"), statement(Resource="arn:aws:s3:::other/*")),
        (statement(Resource="arn:aws:s3:::other/*"), statement(Resource="arn:aws:s3:::raw/etl/*")),
        (
            statement(Resource=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]),
            statement(Resource=["arn:aws:s3:::a/*", "arn:aws:s3:::raw/*/y"]),
        ),
    ],
)
def test_the_closest_statement_fails_latest(further: dict[str, Any], closer: dict[str, Any]) -> None:
    assert nearest(further, closer) == 1
    assert nearest(closer, further) == 0
    assert nearest(closer, closer) == 0


def test_denies_and_other_services_are_never_close() -> None:
    assert (
        nearest(statement("Deny", **HR, Condition=BLUE), statement(Action="sqs:*"), statement(Action="sts:*")) is None
    )
    assert nearest(statement(Action=["sqs:*", "S3:Put*"])) == 0


def test_a_statement_that_applies_is_not_closest_to_applying() -> None:
    assert nearest(statement(), statement(Condition=BLUE)) == 1


def test_needed_are_all_removals_and_all_silent_layers_with_the_statement_to_begin_at() -> None:
    deny = statement("Deny", Sid="D1", Action="s3:*")
    scps = (
        Level("root", (named(statement(), kind=Kind.SCP),)),
        Level("ou-1", (named(SILENT, deny, kind=Kind.SCP, name="p-123"),)),
    )
    asked = request()
    layers = Layers(identity=(named(statement(Condition=BLUE)),), scps=scps)
    changes = needed(explain(asked, layers))
    shown = [
        (
            change.layer,
            change.level,
            change.remove and change.remove.label,
            change.begin_at and change.begin_at.ref,
        )
        for change in changes
    ]
    assert shown == [
        (Layer.SCP, "ou-1", "scp:p-123#D1", None),
        (Layer.SCP, "ou-1", None, None),
        (Layer.IDENTITY, None, None, "identity:p#0"),
    ]


@pytest.mark.parametrize(
    "asked",
    [request(), request("sts:AssumeRole", SESSION.role_arn, ROOT), request("sts:GetCallerIdentity", "*", ALICE)],
)
def test_nothing_is_needed_when_it_is_allowed_or_no_policy_decides(asked: Request) -> None:
    assert needed(explain(asked, Layers(identity=(named(statement()),)))) == ()


def test_a_caller_without_an_account_needs_the_resources_policy() -> None:
    asked = request(who=Service("sns.amazonaws.com"))
    [change] = needed(explain(asked, Layers()))
    assert (change.layer, change.begin_at) == (Layer.RESOURCE, None)


@slow
@given(scenario=scenarios(8))
def test_every_counterfactual_is_a_needed_change(scenario: Scenario) -> None:
    for layers in scenario.layers:
        for asked in scenario.requests:
            explanation = explain(asked, layers)
            decided_by_policy = explanation.decision.cause is None or (
                explanation.decision.cause.layer is not Layer.OPERATION
            )
            changes = needed(explanation)
            expected = explanation.counterfactual if decided_by_policy else ()
            assert len(changes) == len(expected)
            removed = [f"remove {change.remove.label}" for change in changes if change.remove is not None]
            assert removed == [text for text in expected if text.startswith("remove ")]
            missing = [(change.layer, change.level) for change in changes if change.remove is None]
            assert missing == list(missing_allows(explanation))


def test_the_names_of_policies_are_the_callers() -> None:
    text = document(statement())
    own = NamedPolicy("PolicyInputList.7", compile_policy(text, Kind.IDENTITY))
    [found] = simulate_one(request(), Layers(identity=(own,))).matched
    assert (found.policy, found.layer, found.span) == ("PolicyInputList.7", Layer.IDENTITY, statement_spans(text)[0])


def test_a_text_without_statements_has_no_spans() -> None:
    assert statement_spans('{"Version":"2012-10-17"}') == ()
