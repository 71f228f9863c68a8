# SPDX-License-Identifier: Apache-2.0
"""The policy benchmark asks what it says it asks, and times nothing that is answered differently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest

from bench.decision_cases import (
    ACTIONS,
    DENSE_MARK,
    SIZES,
    Call,
    Case,
    Equal,
    Rule,
    calls_of,
    case_of,
    dense_document,
    iam_document,
)
from bench.decision_engines import ENGINES, Ask, Daypass, Rego
from bench.decision_report import (
    COMPILED,
    EXPLAINED,
    LISTED,
    POLICIES,
    POLICY_COUNTS,
    Goal,
    Rates,
    Report,
    as_json,
    as_table,
)
from bench.decisions import COMPILE, DOCUMENT, DisagreementError, agree, among_policies, measure
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import policy_size

PLAIN = {f"key{number}": "value" for number in range(12)}


def answering(answers: Sequence[bool]) -> list[Ask]:
    return [partial(bool, answer) for answer in answers]


@pytest.mark.parametrize("size", SIZES)
def test_all_engines_give_the_same_answers_to_mixed_calls(size: int) -> None:
    case = case_of(size)
    calls = calls_of(case)
    answers = {name: [ask() for ask in engine(case).asks(calls)] for name, engine in ENGINES.items()}
    assert answers["daypass"] == answers["cedarpy"] == answers["regopy"]
    assert len(calls) / 3 <= sum(answers["daypass"]) <= len(calls) * 2 / 3 + 10


@pytest.mark.parametrize("size", SIZES[:2])
def test_explanations_give_the_same_answers(size: int) -> None:
    case = case_of(size)
    calls = calls_of(case)
    engine = Daypass(case)
    answers = [ask() for ask in engine.asks(calls)]
    assert [ask() for ask in engine.explanations(calls)] == answers
    assert [ask() for ask in engine.listings(calls)] == answers


@pytest.mark.parametrize("size", SIZES)
def test_the_calls_are_many_and_different_with_twelve_context_keys_each(size: int) -> None:
    calls = calls_of(case_of(size))
    assert len(calls) >= 200
    assert len({(call.session, call.action, call.resource, *call.context.items()) for call in calls}) == len(calls)
    assert {len(call.context) for call in calls} == {12}
    assert {call.action for call in calls} <= set(ACTIONS)


@pytest.mark.parametrize("size", SIZES)
def test_a_case_is_the_same_at_every_run(size: int) -> None:
    assert calls_of(case_of(size)) == calls_of(case_of(size))


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_third_of_the_statements_is_about_the_service_that_is_called(size: int) -> None:
    identity = case_of(size).identity
    about_s3 = [rule for rule in identity if rule.actions[0].startswith("s3:")]
    assert len(identity) == size
    assert len(about_s3) / size == pytest.approx(1 / 3, abs=0.05)
    services = Counter(rule.actions[0].partition(":")[0] for rule in identity)
    del services["s3"]
    assert len(services) == 6
    assert max(services.values()) - min(services.values()) <= 2


@pytest.mark.parametrize("size", SIZES)
def test_one_statement_denies_and_some_call_meets_it(size: int) -> None:
    case = case_of(size)
    denying = [rule for rule in case.identity if rule.denies]
    without = Case(tuple(rule for rule in case.identity if not rule.denies), case.boundary, case.session)
    calls = calls_of(case)
    changed = zip(Daypass(case).asks(calls), Daypass(without).asks(calls), strict=True)
    assert len(denying) == 1
    assert any(not one() and other() for one, other in changed)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("layer", ["boundary", "session"])
def test_a_silent_boundary_or_session_policy_denies_in_every_engine(name: str, layer: str) -> None:
    everything = (Rule(("s3:*",), ("*",)),)
    other = (Rule(("sqs:*",), ("*",)),)
    call = Call("build-0", "s3:GetObject", "arn:aws:s3:::app-0/key", PLAIN)
    case = Case(everything, other if layer == "boundary" else everything, other if layer == "session" else everything)
    assert [ask() for ask in ENGINES[name](Case(everything, everything, everything)).asks([call])] == [True]
    assert [ask() for ask in ENGINES[name](case).asks([call])] == [False]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("when", "value", "allowed"),
    [
        (Equal("key0", "value"), "value", True),
        (Equal("key0", "value"), "Value", False),
        (Equal("key0", same_as="key1"), "value", True),
        (Equal("key0", same_as="key1"), "another", False),
    ],
)
def test_a_condition_means_the_same_in_every_engine(name: str, when: Equal, value: str, allowed: bool) -> None:
    everything = (Rule(("s3:*",), ("*",)),)
    identity = (Rule(("s3:GetObject",), ("arn:aws:s3:::app-0/*",), when=when),)
    call = Call("build-0", "s3:GetObject", "arn:aws:s3:::app-0/key", PLAIN | {"key0": value})
    assert [ask() for ask in ENGINES[name](Case(identity, everything, everything)).asks([call])] == [allowed]


@pytest.mark.parametrize("resource", ["arn:aws:s3:::app-*/end", "arn:aws:s3:::*/a/*/b/*"])
def test_a_resource_that_the_rego_module_cannot_say_is_refused(resource: str) -> None:
    rules = (Rule(("s3:GetObject",), (resource,)),)
    with pytest.raises(ValueError, match="no form"):
        Rego(Case(rules, rules, rules))


def test_a_disagreement_is_raised_with_the_request_and_the_answers() -> None:
    calls = calls_of(case_of(3), 3)
    asks = {"one": answering([True, True, True]), "other": answering([True, False, True])}
    with pytest.raises(DisagreementError) as raised:
        agree(calls, asks)
    assert calls[1].resource in str(raised.value)
    assert "'other': False" in str(raised.value)


@pytest.mark.parametrize(("allowed", "enough"), [(1, False), (2, True)])
def test_fewer_than_a_third_allowed_is_no_comparison(allowed: int, enough: bool) -> None:
    calls = calls_of(case_of(3), 6)
    asks = {"one": answering([True] * allowed + [False] * (6 - allowed))}
    if enough:
        agree(calls, asks)
    else:
        with pytest.raises(DisagreementError):
            agree(calls, asks)


def test_the_dense_document_has_exactly_the_size_of_a_managed_policy_and_compiles() -> None:
    text = dense_document(DOCUMENT)
    assert len(text) == policy_size(text) == 6_144
    assert text.count(DENSE_MARK) == 1
    assert len(compile_policy(text, Kind.IDENTITY).statements) >= 30


def test_of_a_thousand_policies_the_ten_that_apply_decide() -> None:
    few, many = ([ask() for ask in among_policies(number)] for number in POLICY_COUNTS)
    assert few == many
    assert few.count(False) == sum(number % 11 == 10 for number in range(len(few)))


def test_iam_writes_a_condition_on_another_key_as_a_variable() -> None:
    document = json.loads(iam_document([Rule(("s3:*",), ("*",), when=Equal("a:b", same_as="c:d"))]))
    assert document["Statement"][0]["Condition"] == {"StringEquals": {"a:b": "${c:d}"}}


def test_every_contestant_has_a_figure_for_each_round_and_meets_every_call() -> None:
    met: list[int] = []

    def asking(number: int) -> Ask:
        def ask() -> bool:
            met.append(number)
            return True

        return ask

    asks = [asking(number) for number in range(5)]
    rates = measure({("daypass", 3): asks}, 2, 0.001)
    assert {name: len(figures) for name, figures in rates.items()} == {("daypass", 3): 2, COMPILE: 2}
    assert met[:10] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert all(rate > 0 for figures in rates.values() for rate in figures)


def made_up(**changed: float) -> Report:
    """A report in which every goal is just met."""
    figures = {"daypass": 3000.0, "cedarpy": 300.0, "regopy": 200.0, EXPLAINED: 200.0, LISTED: 1.0, "compile": 500.0}
    figures |= changed
    rates: Rates = {(name, size): [figures[name]] * 3 for name in (*ENGINES, EXPLAINED, LISTED) for size in SIZES}
    rates |= {(POLICIES, POLICY_COUNTS[0]): [200.0] * 3, (POLICIES, POLICY_COUNTS[1]): [100.0] * 3}
    return Report(3, 0.1, rates | {(COMPILED, 6_144): [figures["compile"]] * 3})


def test_a_limit_itself_meets_the_goal() -> None:
    assert all(goal.met for goal in made_up().goals())


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"regopy": 301.0}, ["1,000 statements, times as fast as regopy"]),
        ({"compile": 499.0}, ["milliseconds to compile a document"]),
        ({"explained": 199.0}, [f"{size:,} statements, explanation in times the decision" for size in SIZES]),
    ],
)
def test_a_step_beyond_the_limit_misses_it(changed: dict[str, float], missed: list[str]) -> None:
    report = made_up(**changed)
    assert [goal.what for goal in report.goals() if not goal.met] == missed
    assert as_table(report).count("NOT MET") == len(missed)


def test_the_table_has_a_row_for_the_whole_listing_and_says_what_each_explanation_is() -> None:
    table = as_table(made_up())
    assert "\ndaypass, explained: the decision with its reasons" in table
    assert "\nexplained, every statement traced: the same" in table


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_figures() -> None:
    rates: Rates = {("daypass", 3): [10.0, 100.0, 1.0], ("cedarpy", 3): [5.0, 10.0, 1.0]}
    assert Report(3, 0.1, rates).ratio(("daypass", 3), ("cedarpy", 3)) == 2.0


def test_the_json_can_be_written_and_says_what_the_mix_is() -> None:
    shown = json.loads(json.dumps(as_json(made_up())))
    assert shown["median_per_second"]["daypass 1000"] == 3000.0
    assert shown["mix"]
    assert {goal["met"] for goal in shown["goals"]} == {True}


def test_a_goal_says_on_which_side_of_the_limit_it_lies() -> None:
    assert Goal("", 3.0, 3.0, at_least=True).met
    assert not Goal("", 2.99, 3.0, at_least=True).met
    assert Goal("", 3.0, 3.0, at_least=False).met
    assert not Goal("", 3.01, 3.0, at_least=False).met
