# SPDX-License-Identifier: Apache-2.0
"""Every path of the table is found when all of its actions are granted, and not when one of them is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from daypass.lint import lint_document
from daypass.lint.escalation import PATHS, Path
from lint.documents import allow, policy, when


def found(*statements: str) -> list[str]:
    return [f.message for f in lint_document(policy(*statements)) if f.code == "privilege-escalation"]


def granting(actions: Sequence[str], resources: str = '"*"', more: str = "") -> str:
    return allow(json.dumps(list(actions)), resources, more)


def opens(messages: list[str], path: Path) -> bool:
    return any(f"can {path.gain}" in message or path.name in message for message in messages)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_path_is_reported_when_all_of_its_actions_are_granted(path: Path) -> None:
    assert opens(found(granting(path.actions)), path)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_path_may_be_spread_over_statements(path: Path) -> None:
    assert opens(found(*(granting([action]) for action in path.actions)), path)


@pytest.mark.parametrize(
    ("path", "missing"),
    [(path, action) for path in PATHS for action in path.actions],
    ids=lambda value: str(value)[:40],
)
def test_a_path_is_not_reported_when_one_of_its_actions_is_missing(path: Path, missing: str) -> None:
    rest = [action for action in path.actions if action != missing]
    messages = found(granting(rest)) if rest else []
    assert not any(f"can {path.gain}" in message and path.actions[-1] in message for message in messages)
    assert not any(path.name in message for message in messages)


def test_names_and_rows_are_unique() -> None:
    assert len({path.name for path in PATHS}) == len(PATHS)
    assert len({frozenset(path.actions) for path in PATHS}) == len(PATHS)


@pytest.mark.parametrize(
    "resources",
    [
        '"*"',
        '["arn:aws:s3:::b", "*"]',
        '"arn:aws:iam::*:*"',
        '"arn:aws:iam::123456789012:role/*"',
        '"arn:aws:iam::*:role/**"',
    ],
)
def test_resources_that_name_at_most_a_type_are_wildcards(resources: str) -> None:
    assert found(granting(["iam:PutRolePolicy"], resources))


@pytest.mark.parametrize(
    "resources", ['"arn:aws:iam::*:role/app"', '"arn:aws:iam::*:role/app/*"', '"arn:aws:iam::*:role/${aws:username}"']
)
def test_resources_that_name_something_are_not(resources: str) -> None:
    assert not found(granting(["iam:PutRolePolicy"], resources))


@pytest.mark.parametrize(
    ("condition", "narrows"),
    [
        ('"StringEquals": {"aws:ResourceTag/team": "a"}', True),
        ('"StringLike": {"aws:ResourceTag/team": "a*"}', True),
        ('"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}', True),
        ('"StringLike": {"aws:ResourceTag/team": "*"}', False),
        ('"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}', False),
        ('"StringEqualsIfExists": {"aws:ResourceTag/team": "a"}', False),
        ('"ForAllValues:StringEquals": {"aws:TagKeys": "a"}', False),
        ('"StringNotEquals": {"aws:ResourceTag/team": "a"}', False),
        ('"Null": {"aws:ResourceTag/team": "false"}', False),
        ('"StringEquals": {"aws:ResourceTag/team": []}', False),
        ("", False),
    ],
)
def test_a_condition_narrows_only_when_not_every_request_fulfils_it(condition: str, narrows: bool) -> None:
    assert bool(found(granting(["iam:PutRolePolicy"], more=when(condition)))) is not narrows


@pytest.mark.parametrize(
    ("deny", "stops"),
    [
        ('"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "*"', True),
        ('"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"', True),
        ('"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::*:role/admin"', False),
        (
            '"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "*", '
            '"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}',
            False,
        ),
    ],
)
def test_only_a_deny_without_exception_closes_a_path(deny: str, stops: bool) -> None:
    assert bool(found(granting(["iam:PutRolePolicy"]), deny)) is not stops


@pytest.mark.parametrize("listed", ['"s3:*"', "[]"])
def test_not_action_grants_paths_too(listed: str) -> None:
    assert found(f'"Effect": "Allow", "NotAction": {listed}, "Resource": "*"')


def test_one_entry_that_opens_many_paths_is_one_finding() -> None:
    [message] = found(granting(["iam:*"]))
    assert "more: default-version" in message
