# SPDX-License-Identifier: Apache-2.0
"""
Long lists of statements for one action: what the index leaves out would not have covered the resource.

A statement that is alone is not shelved, so that the same statement alone and in a long list is asked in two ways.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.identity import ContextValue
from daypass.policy import Kind, Layers, NamedPolicy, PolicySet, decide, explain
from daypass.policy.resources import ResourceElement, ResourcePattern, Target
from daypass.policy.shelves import SHELVED_FROM
from policy.making import named, policy, request, statement
from policy.test_resources import LOGS, QUEUE, TABLE

OTHERS = tuple(f"arn:aws:s3:::other-{number}-*/area/*" for number in range(SHELVED_FROM))
CONTEXT: dict[str, ContextValue] = {"aws:username": "alice", "star": "*", "list": ("a", "b")}

BUCKETS = [
    # a wildcard in the name of the bucket
    ("arn:aws:s3:::team-*/reports/*", "arn:aws:s3:::team-a/reports/1", True),
    ("arn:aws:s3:::team-*/reports/*", "arn:aws:s3:::team-/reports/", True),
    ("arn:aws:s3:::team-*/reports/*", "arn:aws:s3:::Team-a/reports/1", False),
    ("arn:aws:s3:::team-*/reports/*", "arn:aws:s3:::tea", False),
    ("arn:aws:s3:::team-*", "arn:aws:s3:::team-", True),
    ("arn:aws:s3:::team-*", "arn:aws:s3:::team", False),
    ("arn:aws:s3:::*/k", "arn:aws:s3:::any/k", True),
    ("arn:aws:s3:::*", "arn:aws:s3:::", True),
    ("arn:aws:s3:::?eam/k", "arn:aws:s3:::team/k", True),
    ("arn:aws:s3:::t?am/k", "arn:aws:s3:::team/k", True),
    ("arn:aws:s3:::t?am/k", "arn:aws:s3:::tam/k", False),
    ("arn:aws:s3:::t?*/k", "arn:aws:s3:::te:am/k", True),
    ("arn:aws:s3:::t*?/k", "arn:aws:s3:::t/k", False),
    # the case of fields 1 to 5, in the pattern and in the resource
    ("ARN:aws:S3:::team-*/k", "arn:aws:s3:::team-a/k", True),
    ("arn:aws:s3:::team-*/k", "ARN:aws:S3:::team-a/k", True),
    ("ARN:aws:SQS:US-EAST-1:111111111111:q*x", f"{QUEUE}ax", True),
    ("arn:aws:s3:::Team-*/k", "arn:aws:s3:::team-a/k", False),
    # a * at the end of its field goes on over colons
    ("arn:aws:logs:us-*:log-group:/x:*", LOGS, True),
    ("arn:aws:sqs:*:q:k*", f"{QUEUE}:q:k", True),
    ("arn:aws:s3:::team-*:x/*", "arn:aws:s3:::team-a:b:x/1", True),
    # variables, and what looks like them
    ("arn:aws:s3:::${aws:username}-*/k", "arn:aws:s3:::alice-1/k", True),
    ("arn:aws:s3:::${aws:username}-*/k", "arn:aws:s3:::bob-1/k", False),
    ("arn:aws:s3:::team-${aws:username}/k", "arn:aws:s3:::team-alice/k", True),
    ("arn:aws:s3:::te${gone, 'am'}-*/k", "arn:aws:s3:::team-1/k", True),
    ("arn:aws:s3:::te${gone}*", "arn:aws:s3:::te", False),
    ("arn:aws:s3:::${list}*", "arn:aws:s3:::a", False),
    ("arn:aws:s3:::${star}/k", "arn:aws:s3:::*/k", True),
    ("arn:aws:s3:::${star}/k", "arn:aws:s3:::b/k", False),
    ("arn:aws:s3:::a${*}b*/k", "arn:aws:s3:::a*bc/k", True),
    ("arn:aws:s3:::a${*}b*/k", "arn:aws:s3:::axbc/k", False),
    ("arn:aws:s3:::a${?}${$}*/k", "arn:aws:s3:::a?$/k", True),
]


def listed(*made: dict[str, Any]) -> list[Layers]:
    """Statements among many others, which stand before and behind them: in one policy, and in a set of policies."""
    before, *behind = (statement(Resource=other) for other in OTHERS)
    many = [before, *made, *behind]
    return [
        Layers(identity=(named(*many),)),
        Layers(identity=PolicySet(NamedPolicy("p", policy(one)) for one in many)),
    ]


@pytest.mark.parametrize(("pattern", "resource", "expected"), [*TABLE, *BUCKETS])
def test_a_statement_in_a_long_list_covers_what_it_covers_alone(pattern: str, resource: str, expected: bool) -> None:
    asked = request(resource=resource, context=CONTEXT)
    made = statement(Resource=pattern)
    assert decide(asked, Layers(identity=(named(made),))).allowed is expected
    for layers in listed(made):
        assert decide(asked, layers).allowed is expected
    for layers in listed(statement(Resource=["arn:aws:sns:::none*x", pattern])):
        assert decide(asked, layers).allowed is expected


@pytest.mark.parametrize(("pattern", "resource", "expected"), [*TABLE, *BUCKETS])
def test_a_deny_in_a_long_list_denies_what_it_denies_alone(pattern: str, resource: str, expected: bool) -> None:
    asked = request(resource=resource, context=CONTEXT)
    denies = [statement("Deny", Resource=other) for other in (OTHERS[0], pattern, *OTHERS[1:])]
    for layers in listed(statement(), *denies):
        assert decide(asked, layers).allowed is not expected


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_all_statements_that_apply_are_told_in_the_order_in_which_they_stand(effect: str) -> None:
    resources = ["arn:aws:s3:::b/k", "*", "arn:aws:s3:::b*", "arn:aws:s3:::b/*", "arn:aws:s3:::*"]
    others = [statement(effect, Resource=other) for other in OTHERS]
    made = [*others, *(statement(effect, Resource=one) for one in resources)]
    places = range(len(others), len(made))
    in_one = Layers(identity=(named(*made),))
    in_many = Layers(identity=PolicySet(NamedPolicy(str(place), policy(one)) for place, one in enumerate(made)))
    for layers, refs in ((in_one, [f"p#{place}" for place in places]), (in_many, [f"{place}#0" for place in places])):
        row = explain(request(), layers).layers[-1]
        assert [*row.allow, *row.deny] == [f"identity:{ref}" for ref in refs]


def test_one_text_under_two_names_is_two_statements() -> None:
    twice = PolicySet(NamedPolicy(name, policy(statement())) for name in ("b", "a"))
    assert explain(request(), Layers(identity=twice)).layers[-1].allow == ("identity:b#0", "identity:a#0")


@pytest.mark.parametrize(("pattern", "resource", "expected"), TABLE)
def test_notresource_in_a_long_list_covers_all_but_what_it_names(pattern: str, resource: str, expected: bool) -> None:
    for layers in listed(statement(NotResource=[pattern, "arn:aws:sns:::none*x"])):
        assert decide(request(resource=resource), layers).allowed is not expected


@pytest.mark.parametrize(
    ("pattern", "start"),
    [
        ("arn:aws:s3:::team-*/reports/*", "arn:aws:s3:::team-"),
        ("ARN:aws:S3:::Team-?/k", "arn:aws:s3:::Team-"),
        ("arn:aws:s3:::b/k", "arn:aws:s3:::b/k"),
        ("arn:aws:s3:::*", "arn:aws:s3:::"),
        ("arn:aws:s3:::", "arn:aws:s3:::"),
        ("arn:aws:s3:::x${*}y${aws:username}/k", "arn:aws:s3:::x*y"),
        ("arn:aws:sqs:us-east-1:1:q:?", "arn:aws:sqs:us-east-1:1:q:"),
        ("arn:aws:s3:*::b*/k", None),
        ("arn:aws:s?:::b*/k", None),
        ("arn:aws:${aws:username}:::b*/k", None),
        ("arn:aws:sqs", None),
        ("*", None),
    ],
)
def test_how_a_resource_must_begin_for_a_pattern(pattern: str, start: str | None) -> None:
    assert ResourcePattern(pattern, Kind.IDENTITY, variables=True).start == start


@pytest.mark.parametrize(
    ("patterns", "negated", "starts"),
    [
        (["arn:aws:s3:::a*/k", "arn:aws:s3:::b*/k"], False, {"arn:aws:s3:::a", "arn:aws:s3:::b"}),
        (["arn:aws:s3:::a*/k", "*"], False, None),
        (["arn:aws:s3:::a*/k"], True, None),
    ],
)
def test_how_a_resource_must_begin_for_an_element(patterns: list[str], negated: bool, starts: set[str] | None) -> None:
    assert ResourceElement(patterns, Kind.IDENTITY, negated=negated, variables=True).starts == starts


def test_only_statements_that_know_how_a_resource_begins_are_left_out() -> None:
    kept = [
        statement(Resource="*"),
        statement(NotResource="arn:aws:s3:::b*/k"),
        statement(Resource=["arn:aws:s3:::b*/k", "arn:aws:s?:::b*/k"]),
    ]
    made = policy(*(statement(Resource=other) for other in OTHERS), *kept)
    shelf = made.shelves("s3:GetObject").allow
    assert [one.index for one in shelf.line] == list(range(SHELVED_FROM + len(kept)))
    assert [one.index for one in shelf._begun] == list(range(SHELVED_FROM))
    assert [one.index for one in shelf._open] == [SHELVED_FROM, SHELVED_FROM + 1, SHELVED_FROM + 2]


def test_a_resource_policy_statement_without_resource_is_always_asked() -> None:
    grants = [statement(Principal="*", Resource=other) for other in OTHERS]
    made = policy(*grants, statement(Principal="*", Resource=None), kind=Kind.RESOURCE)
    shelf = made.shelves("s3:GetObject").allow
    assert shelf.any_covers(Target("arn:aws:s3:::b/k", {}))
    assert shelf.any_covers(Target("*", {}))


pieces = st.sampled_from(["a", "B", "b/", ":", "*", "?", "${v}", "${*}", "${gone, 'a'}", "$"])
tails = st.lists(pieces, max_size=5).map("".join)
heads = st.sampled_from(
    ["arn:aws:s3:::", "ARN:aws:S3:::", "arn:aws:sqs:a:1:", "arn:aws:s*:::", "arn:aws:s3:?::", "arn:"]
)
texts = st.lists(st.sampled_from(["a", "B", "b/", ":", "*", "?", "$", "/"]), max_size=6).map("".join)
settled = settings(deadline=None, database=None, max_examples=500)


@settled
@given(heads, tails, heads, texts, texts, st.booleans())
def test_what_a_pattern_covers_begins_as_the_pattern_says(
    head: str, tail: str, other: str, text: str, value: str, variables: bool
) -> None:
    pattern = ResourcePattern(head + tail, Kind.IDENTITY, variables=variables)
    for resource in (other + text, head + tail.replace("${v}", value).replace("*", text).replace("?", "b")):
        target = Target(resource, {"v": value} if value else {})
        if pattern.start is not None and not (target.head + target.tail).startswith(pattern.start):
            assert not pattern.matches(target)


def test_what_a_variable_stands_for_is_not_remembered() -> None:
    pattern = ResourcePattern("arn:aws:s3:::b/${aws:username}", Kind.IDENTITY, variables=True)
    for name in ("alice", "bob", "alice"):
        for resource, why in ((f"arn:aws:s3:::b/{name}", None), ("arn:aws:s3:::b/carol", "RESOURCE_PART")):
            trace = pattern.trace(Target(resource, {"aws:username": name}))
            assert (trace.resolved, trace.match, trace.why) == (f"arn:aws:s3:::b/{name}", why is None, why)


def test_what_did_not_fit_is_remembered_for_each_reason() -> None:
    pattern = ResourcePattern("arn:aws:sqs:us-*:111111111111:q?", Kind.IDENTITY, variables=True)
    asked = [
        ("arn:aws:sqs:us-east-1:111111111111:q1", None),
        ("arn:aws:sqs:us-east-1:111111111111:p", "RESOURCE_PART"),
        ("arn:aws:sqs:us-east-1:222222222222:q1", "ACCOUNT"),
        ("arn:aws:sqs:eu-west-1:111111111111:q1", "REGION"),
        ("arn:aws:sns:us-east-1:111111111111:q1", "SERVICE"),
        ("arn:aws-cn:sqs:us-east-1:111111111111:q1", "PARTITION"),
        ("*", "RESOURCE_STAR"),
    ]
    for resource, why in (*asked, *reversed(asked)):
        trace = pattern.trace(Target(resource, {}))
        assert (trace.resolved, trace.match, trace.why) == (pattern.text, why is None, why)
        assert pattern.trace(Target(resource, {})) is trace


@settled
@given(heads, tails, st.lists(st.tuples(heads, texts, texts), min_size=2, max_size=12), st.booleans())
def test_a_remembered_trace_is_the_one_made_afresh(
    head: str, tail: str, asked: list[tuple[str, str, str]], variables: bool
) -> None:
    kept = ResourcePattern(head + tail, Kind.RESOURCE, variables=variables)
    for other, text, value in (*asked, *reversed(asked)):
        target = Target(other + text, {"v": value} if value else {})
        trace = kept.trace(target)
        assert trace == ResourcePattern(head + tail, Kind.RESOURCE, variables=variables).trace(target)
        assert trace.match is kept.matches(target) is (trace.why is None)
