# SPDX-License-Identifier: Apache-2.0
"""Policy templates: what fills a place, what does not, and that a value stays a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.errors import EntityError, Reason
from daypass.iam.policy_templates import boundaries_of, fill
from daypass.policy.limits import MANAGED_POLICY


def document(**statement: Any) -> str:
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::@{bucket}/*", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


def filled(text: str, **parameters: str | list[str]) -> Any:
    return json.loads(fill(text, made_of(parameters)))["Statement"]


def made_of(parameters: dict[str, str | list[str]]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (name, "string", (value,)) if isinstance(value, str) else (name, "stringList", tuple(value))
        for name, value in parameters.items()
    )


def test_every_place_of_a_name_has_its_value() -> None:
    resources = ["arn:aws:s3:::@{bucket}", "arn:aws:s3:::@{bucket}/@{prefix}/*"]
    condition = {"StringEquals": {"aws:ResourceAccount": "@{account}"}}
    found = filled(document(Resource=resources, Condition=condition), bucket="logs", prefix="web", account="1" * 12)
    assert found["Resource"] == ["arn:aws:s3:::logs", "arn:aws:s3:::logs/web/*"]
    assert found["Condition"] == {"StringEquals": {"aws:ResourceAccount": "1" * 12}}


def test_a_string_with_the_place_of_a_list_becomes_as_many_strings() -> None:
    assert filled(document(), bucket=["a", "b"])["Resource"] == ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]
    assert filled(document(), bucket=["a"])["Resource"] == "arn:aws:s3:::a/*"
    among = document(Resource=["arn:aws:s3:::x", "arn:aws:s3:::@{bucket}", "arn:aws:s3:::y"])
    assert filled(among, bucket=["a", "b"])["Resource"] == [f"arn:aws:s3:::{name}" for name in "xaby"]


def test_a_template_without_places_is_the_policy_it_is() -> None:
    text = document(Resource="*", Condition={"NumericLessThan": {"s3:max-keys": 10}})
    assert filled(text)["Condition"] == {"NumericLessThan": {"s3:max-keys": "10"}}


def test_a_value_ends_no_string_and_is_no_place() -> None:
    hostile = 'x"],"Action":"*","Resource":["*'
    assert filled(document(), bucket=hostile)["Resource"] == f"arn:aws:s3:::{hostile}/*"
    text = document(Resource=["arn:aws:s3:::@{bucket}", "arn:aws:s3:::@{other}"])
    assert filled(text, bucket="@{other}", other="x")["Resource"] == ["arn:aws:s3:::@{other}", "arn:aws:s3:::x"]


@pytest.mark.parametrize(
    ("text", "parameters", "words"),
    [
        (document(), {}, "'bucket' of the policy template has no value"),
        (document(), {"bucket": "x", "other": "y"}, "no parameter 'other'"),
        (document(), {"bucket": []}, "must have one value"),
        (document(Resource="arn:aws:s3:::@{a}/@{b}"), {"a": ["x"], "b": ["y"]}, "two lists in one string"),
        (document(Sid="@{bucket}"), {"bucket": "not a sid"}, "does not make a valid policy"),
        (document(Effect="@{bucket}"), {"bucket": "Perhaps"}, "does not make a valid policy"),
    ],
    ids=["absent", "unknown", "empty", "two", "no Sid", "no effect"],
)
def test_what_does_not_fit_is_refused(text: str, parameters: dict[str, str | list[str]], words: str) -> None:
    with pytest.raises(EntityError) as caught:
        fill(text, made_of(parameters))
    assert caught.value.reason is Reason.INVALID_INPUT
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "parameters",
    [
        (("bucket", "string", ("a", "b")),),
        (("bucket", "string", ()),),
        (("bucket", "string", ("a",)), ("bucket", "string", ("b",))),
    ],
    ids=["two values", "no value", "given twice"],
)
def test_a_string_has_one_value_and_a_name_one_meaning(parameters: Any) -> None:
    with pytest.raises(EntityError) as caught:
        fill(document(), parameters)
    assert caught.value.reason is Reason.INVALID_INPUT


def test_a_policy_is_as_long_as_a_managed_one_and_not_longer() -> None:
    room = MANAGED_POLICY - len(fill(document(), made_of({"bucket": ""})))
    assert len(fill(document(), made_of({"bucket": "x" * room}))) == MANAGED_POLICY
    for beyond in ("x" * (room + 1), ["x" * 1000] * 100_000):
        with pytest.raises(EntityError) as caught:
            fill(document(), made_of({"bucket": beyond}))
        assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_boundaries_are_those_that_statements_that_allow_ask_for() -> None:
    def asks(effect: str, operator: str, key: str, values: Any) -> dict[str, Any]:
        return {"Effect": effect, "Action": "iam:CreateRole", "Resource": "*", "Condition": {operator: {key: values}}}

    statements = [
        asks("Allow", "StringEquals", "iam:PermissionsBoundary", ["arn:b", "arn:a"]),
        asks("Allow", "ArnLike", "IAM:permissionsboundary", "arn:c"),
        asks("Deny", "ArnLike", "iam:PermissionsBoundary", "arn:d"),
        asks("Allow", "StringEquals", "aws:ResourceTag/iam:PermissionsBoundary", "arn:e"),
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ]
    assert boundaries_of(json.dumps({"Statement": statements})) == ["arn:a", "arn:b", "arn:c"]
    assert boundaries_of(json.dumps({"Statement": statements[1]})) == ["arn:c"]
