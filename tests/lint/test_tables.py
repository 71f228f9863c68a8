# SPDX-License-Identifier: Apache-2.0
"""The tables of AWS's services, and whether two patterns have a text in common."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.lint.escalation import PATHS
from daypass.lint.global_keys import GLOBAL_KEYS, global_key
from daypass.lint.overlap import arns_overlap, overlap
from daypass.lint.tables import home_of_key, matching_actions, service, service_names
from daypass.policy.actions import split_action

PATTERN = st.text(alphabet="ab*?", max_size=5)
TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("ab", repeat=length)]


def test_a_service_that_is_not_in_the_list_is_not_looked_for_on_disk() -> None:
    assert service("../actions/s3") is None
    assert service("S3") is None
    assert service("s3") is not None


def test_every_service_of_the_list_has_tables_whose_arns_have_six_fields() -> None:
    for name in sorted(service_names())[::10]:
        tables = service(name)
        assert tables is not None
        assert [kind for kind in tables.resources.values() if kind.arn.count(":") < 5] == []


def test_an_action_knows_its_resources_and_the_keys_of_those() -> None:
    [action] = matching_actions("iam", "createrole")
    assert action.name == "CreateRole"
    assert [kind.name for kind in action.resources] == ["role"]
    assert "iam:permissionsboundary" in action.keys


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("getobject", {"GetObject"}),
        ("getobjecta*", {"GetObjectAcl", "GetObjectAttributes"}),
        ("*nothinglikeit", set()),
        ("get?bject", {"GetObject"}),
    ],
)
def test_a_pattern_covers_the_actions_that_it_matches(pattern: str, expected: set[str]) -> None:
    found = {action.name for action in matching_actions("s3", pattern)}
    assert found == expected or (expected < found and "*" in pattern)


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("iam:resourcetag/team", True),
        ("iam:resourcetag/", True),  # ${TagKey} may be matched by nothing; AWS's tags have a character at least
        ("s3:existingobjecttag/team", True),
        ("secretsmanager:resourcetag/team", True),
        ("catalog:changetype", True),
        ("iam:resourcetags/team", False),
    ],
)
def test_keys_with_a_placeholder_and_with_a_foreign_prefix_are_found(key: str, known: bool) -> None:
    assert any(tables.key(key) for tables in home_of_key(key.partition(":")[0])) is known


def test_tags_are_global_keys_only_with_a_name() -> None:
    assert global_key("aws:principaltag/team") is not None
    assert global_key("aws:principaltag/") is None
    assert global_key("aws:principaltag") is None


def test_global_keys_are_looked_up_by_their_lower_case_name() -> None:
    assert all(name == key.name.lower() for name, key in GLOBAL_KEYS.items())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_action_of_the_escalation_table_exists_as_it_is_spelled(path: object) -> None:
    from daypass.lint.escalation import Path

    assert isinstance(path, Path)
    for action in path.actions:
        prefix, name = split_action(action)
        assert [f"{prefix}:{found.name}" for found in matching_actions(prefix, name)] == [action]


def fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern.replace("*", ".*").replace("?", "."), text) is not None


@given(PATTERN, PATTERN)
def test_patterns_overlap_exactly_when_some_text_fits_both(one: str, other: str) -> None:
    # Two patterns of 5 characters that overlap at all do so in a text of at most 10; most need far fewer.
    texts = TEXTS if len(one.replace("*", "")) + len(other.replace("*", "")) <= 5 else []
    found = overlap(one, other)
    assert found == overlap(other, one)
    if texts:
        assert found == any(fits(one, text) and fits(other, text) for text in texts)


@pytest.mark.parametrize(
    ("written", "table", "expected"),
    [
        ("arn:aws:s3:::bucket", "arn:*:s3:::*", True),
        ("arn:aws:s3:::bucket", "arn:*:s3:::*/*", False),
        ("arn:aws:s3:::bucket/*", "arn:*:s3:::*/*", True),
        ("arn:aws:s3:::b*", "arn:*:s3:::*/*", True),
        ("arn:aws:s3:::${aws:username}", "arn:*:s3:::*/*", True),
        ("arn:aws:s3:::${aws:username", "arn:*:s3:::*/*", True),
        ("ARN:AWS:S3:::bucket/x", "arn:*:s3:::*/*", True),
        ("arn:aws:iam::123456789012:Role/x", "arn:*:iam::*:role/*", False),
        ("arn:aws:logs:us-*:log-group:/x:*", "arn:*:logs:*:*:log-group:*:log-stream:*", True),
        ("arn:aws:sqs:*:*:queue", "arn:*:sns:*:*:*", False),
    ],
)
def test_an_arn_may_mean_a_resource_of_a_type(written: str, table: str, expected: bool) -> None:
    assert arns_overlap(written, table) is expected
