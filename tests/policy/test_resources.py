# SPDX-License-Identifier: Apache-2.0
"""
Resource and NotResource against ARNs: section 4.2.
"""

from __future__ import annotations

from typing import Any

import pytest

from daypass.policy import Kind, Layers, NamedPolicy, compile_policy, decide
from policy.making import HOME, applies, document, named, request, statement

QUEUE = "arn:aws:sqs:us-east-1:111111111111:q"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:/x:log-stream:s"
B = "arn:aws:s3:::b/*/test/*"

TABLE = [
    # AWS's own examples
    (B, "arn:aws:s3:::b/1/test/o", True),
    (B, "arn:aws:s3:::b/1/2/test/3/o", True),
    (B, "arn:aws:s3:::b//test/o", True),
    (B, "arn:aws:s3:::b/1/test/", True),
    (B, "arn:aws:s3:::b/1///test///o", True),
    (B, "arn:aws:s3:::b/1-test/o", False),
    (B, "arn:aws:s3:::b/test/o", False),
    (B, "arn:aws:s3:::b/1/2/test.jpg", False),
    ("arn:aws:logs:us-*:log-group:/x:*", LOGS, True),
    ("arn:aws:logs:us-*t:log-group:/x:*", LOGS, False),
    ("arn:aws:logs:us-*t-1:*:log-group:/x:*", LOGS, True),
    # the entry * and the resource *
    ("*", QUEUE, True),
    ("*", "*", True),
    ("arn:aws:s3:::*", "*", False),
    ("arn:*:*:*:*:*", "*", False),
    ("arn:aws:s3:::*", "arn:aws:s3:::*", True),
    ("arn:aws:s3:::b", "arn:aws:s3:::*", False),
    ("arn:*:*:*:*:*", "not-an-arn", False),
    ("arn:aws:s3:::b", "arn:aws:s3", False),
    # the resource part
    ("arn:aws:s3:::b/k", "arn:aws:s3:::b/k", True),
    ("arn:aws:s3:::b/k", "arn:aws:s3:::b/K", False),
    ("arn:aws:s3:::b/?", "arn:aws:s3:::b/:", True),
    ("arn:aws:s3:::b*", "arn:aws:s3:::b:c/d", True),
    ("arn:aws:s3:::b/k", "arn:aws:s3:::b/k:1", False),
    ("arn:aws:sqs:us-east-1:111111111111:q:1", f"{QUEUE}:1", True),
    ("arn:aws:s3:::", "arn:aws:s3:::", True),
    # the first five fields
    ("arn:aws:sqs:us-*:111111111111:q", QUEUE, True),
    ("arn:aws:sqs:us-?ast-1:111111111111:q", QUEUE, True),
    ("arn:aws:sqs:??-east-1:*:q", QUEUE, True),
    ("arn:aws:sqs:us?east-1:*:q", QUEUE, True),
    ("arn:aws:sqs:*:*:p", QUEUE, False),
    ("arn:aws:sq?:*:*:q", QUEUE, True),
    ("arn:aws:s3:::q", QUEUE, False),
    ("arn:aws:sqs:us-east-1:222222222222:q", QUEUE, False),
    ("arn:aws:sqs:*:r:q", "arn:aws:sqs:a:b:r:q", True),
    ("arn:aws:sqs:*:q:k", f"{QUEUE}:q:k", True),
    ("arn:aws:sqs:*:Q:k", f"{QUEUE}:q:k", True),
    ("arn:aws:sqs:*:q:K", f"{QUEUE}:q:k", False),
    ("arn:aws:sqs:*:x:q?k", f"{QUEUE}:x:q:k", True),
    ("arn:aws:sqs:?s-*:x:*", f"{QUEUE}:x:q:k", True),
    ("arn:aws:sqs:us?*:x:*", f"{QUEUE}:x:q:k", True),
    ("arn:aws:sqs:us-east-1?*:x:*", f"{QUEUE}:x:q:k", False),
    # incomplete ARNs
    ("arn:aws:sqs", QUEUE, True),
    ("arn:aws:sqs:*", QUEUE, True),
    ("arn:aws:sqs:us-east-1", QUEUE, True),
    ("arn:aws:sqs:eu-west-1", QUEUE, False),
    ("arn:aws:sq", QUEUE, False),
    ("arn:aws:sq*", QUEUE, True),
    ("x:aws:sqs", QUEUE, False),
]


@pytest.mark.parametrize(("pattern", "resource", "expected"), TABLE)
def test_a_pattern_against_an_arn(pattern: str, resource: str, expected: bool) -> None:
    asked = request(resource=resource)
    assert applies(statement(Resource=pattern), asked) is expected
    assert applies(statement(NotResource=pattern), asked) is not expected
    assert applies(statement(Resource=["arn:aws:sns:::none", pattern, "arn:aws:s3:::nothing/*x"]), asked) is expected


@pytest.mark.parametrize("pattern", ["ARN:aws:S3:::b/k", "Arn:aws:s3:::b/*", "arn:aws:S?:*:*:b/k"])
def test_the_case_of_the_first_five_fields_is_ignored_ambiguous_default(pattern: str) -> None:
    assert applies(statement(Resource=pattern))


def test_notresource_with_a_variable_without_value_matches_no_resource() -> None:
    made = statement(NotResource=["arn:aws:s3:::other", "arn:aws:s3:::x/${aws:username}"])
    assert applies(made, request(context={"aws:username": "alice"}))
    assert not applies(made, request())


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
def test_a_variable_before_the_fifth_colon_never_matches(element: str) -> None:
    asked = request(resource=QUEUE, context={"r": "us-east-1"})
    entries: list[Any] = ["arn:aws:sqs:${r}:111111111111:q", ["arn:aws:sqs:${r}", "arn:aws:s3:::b"]]
    for entry in entries:
        elements: dict[str, Any] = {element: entry}
        assert not applies(statement(**elements), asked)


def test_a_colon_in_a_variable_does_not_separate_fields() -> None:
    assert applies(
        statement(Resource="arn:aws:s3:::b/${aws:PrincipalTag/a:b}"), request(context={"aws:PrincipalTag/a:b": "k"})
    )


def test_a_colon_in_a_value_stays_in_the_resource_part() -> None:
    asked = request(resource="arn:aws:s3:::b/x:y", context={"k": "x:y"})
    assert applies(statement(Resource="arn:aws:s3:::b/${k}"), asked)
    assert applies(statement(Resource="arn:aws:s*:::b/${k}"), asked)
    assert not applies(statement(Resource="arn:aws:s*:::b/${gone}"), asked)


def test_a_variable_behind_a_star_that_crosses_fields() -> None:
    asked = request(resource=f"{QUEUE}:q:alice", context={"k": "alice"})
    assert applies(statement(Resource="arn:aws:sqs:*:q:${k}"), asked)
    assert not applies(
        statement(Resource="arn:aws:sqs:*:q:${k}"), request(resource=f"{QUEUE}:q:bob", context={"k": "alice"})
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("arn:aws:sqs", False), ("arn:aws:sqs:us-east-1", False), ("arn:aws:sqs:*", True), ("arn:aws:s*s", True)],
)
@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.VPC_ENDPOINT])
def test_a_short_arn_in_a_resource_policy_needs_a_star_ambiguous_default(
    pattern: str, expected: bool, kind: Kind
) -> None:
    made = named({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": pattern}, kind=kind)
    layers = Layers(resource=made) if kind is Kind.RESOURCE else Layers(vpc_endpoint=made)
    outcome = decide(request(resource=QUEUE), layers).outcome.value
    assert (outcome == "explicitDeny") is expected


def test_the_padding_of_a_short_arn_comes_before_crossing_ambiguous_default() -> None:
    assert applies(statement(Resource="arn:aws:sqs:us-*"), request(resource=f"{QUEUE}:1:2:3"))
    assert not applies(statement(Resource="arn:aws:sqs:us-*t"), request(resource=f"{QUEUE}:t"))


def test_a_statement_without_resource_is_for_every_resource() -> None:
    made: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*"}
    text = document(made)
    for resource in ("*", QUEUE):
        layers = Layers(resource=NamedPolicy("p", compile_policy(text, Kind.RESOURCE)))
        assert decide(request(resource=resource), layers).allowed


@pytest.mark.parametrize("count", [1, 7, 8, 9, 40])
def test_many_statements_for_one_action_are_found_by_their_resource(count: int) -> None:
    made = [
        statement(Action="s3:GetObject", Resource=[f"arn:aws:s3:::b{i}/*", f"arn:aws:s3:::b{i}"]) for i in range(count)
    ]
    made += [statement("Deny", Resource=f"arn:aws:s3:::b{i}/secret") for i in range(count)]
    made += [statement("Deny", Resource="arn:aws:s3:::b0/secret*"), statement(Resource="arn:aws:s3:::*/open")]
    layers = Layers(identity=(named(*made),))
    for i in range(count):
        assert decide(request(resource=f"arn:aws:s3:::b{i}/k", account=HOME), layers).allowed
        assert decide(request(resource=f"arn:aws:s3:::b{i}", account=HOME), layers).allowed
        cause = decide(request(resource=f"arn:aws:s3:::b{i}/secret"), layers).cause
        assert cause is not None
        assert cause.statement == count + i
    assert decide(request(resource="arn:aws:s3:::elsewhere/open"), layers).allowed
    assert not decide(request(resource="arn:aws:s3:::elsewhere/k"), layers).allowed
    assert not decide(request(resource="arn:aws:s3:::b0/secrets"), layers).allowed


def test_a_policy_forgets_actions_when_a_caller_invents_too_many() -> None:
    made = named(statement(Action="s3:*"))
    for i in range(600):
        assert decide(request(f"s3:Invented{i}"), Layers(identity=(made,))).allowed
    assert len(made.policy._shelves) <= 256
