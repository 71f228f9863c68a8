# SPDX-License-Identifier: Apache-2.0
"""Tags ignore case in their keys; pages neither repeat nor hide what does not change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import EntityError, Reason, RequestError
from daypass.iam import tags
from daypass.iam.paging import page

names = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=30).map(sorted)


def refusal(wrong: tags.Tags) -> Reason:
    with pytest.raises(EntityError) as caught:
        tags.checked(wrong)
    return caught.value.reason


def test_tags_are_kept_as_sent_up_to_fifty() -> None:
    fifty = tuple((f"Key{n}", str(n)) for n in range(50))
    assert tags.checked(fifty) == fifty
    assert refusal((*fifty, ("one", "more"))) is Reason.LIMIT_EXCEEDED


def test_two_keys_that_differ_in_case_only_are_one_key_twice() -> None:
    assert refusal((("Team", "red"), ("team", "blue"))) is Reason.INVALID_INPUT


@pytest.mark.parametrize("key", ["aws:team", "AWS:team"])
def test_reserved_keys_are_refused(key: str) -> None:
    assert refusal(((key, "red"),)) is Reason.INVALID_INPUT


def test_a_tag_that_is_there_gets_the_new_value_and_spelling() -> None:
    assert tags.added((("Team", "red"), ("Cost", "7")), (("TEAM", "blue"),)) == (("Cost", "7"), ("TEAM", "blue"))


def test_adding_beyond_fifty_is_refused() -> None:
    with pytest.raises(EntityError) as caught:
        tags.added(tuple((f"Key{n}", "") for n in range(50)), (("more", ""),))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_removing_ignores_case_and_keys_that_are_not_there() -> None:
    assert tags.removed((("Team", "red"), ("Cost", "7")), ["TEAM", "nope"]) == (("Cost", "7"),)


@given(items=names, size=st.integers(1, 10))
def test_pages_in_a_row_are_the_list(items: list[str], size: int) -> None:
    seen: list[str] = []
    marker: dict[str, object] = {}
    while True:
        chosen, more = page(items, {"MaxItems": size, **marker}, key=str)
        seen += chosen
        if not more["IsTruncated"]:
            assert "Marker" not in more
            break
        assert len(chosen) == size
        marker = {"Marker": more["Marker"]}
    assert seen == items


@given(items=names, gone=st.integers(0, 29), came=st.text(min_size=1, max_size=6))
def test_what_does_not_change_between_two_pages_is_seen_once(items: list[str], gone: int, came: str) -> None:
    first, more = page(items, {"MaxItems": 5}, key=str)
    if not more["IsTruncated"]:
        return
    later = sorted({*items, came} - {items[gone % len(items)]})
    rest, _ = page(later, {"MaxItems": 1000, "Marker": more["Marker"]}, key=str)
    stable = [item for item in items if item in later]
    assert [item for item in stable if item in first] + [item for item in rest if item in stable] == stable


@pytest.mark.parametrize("marker", ["*", "a", "é", "_w==", "AAA=AAA="])
def test_a_marker_that_is_not_ours_is_refused(marker: str) -> None:
    with pytest.raises(RequestError) as caught:
        page(["a"], {"Marker": marker}, key=str)
    assert caught.value.reason is Reason.INVALID_PARAMETER
