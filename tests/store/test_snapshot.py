# SPDX-License-Identifier: Apache-2.0
"""The immutable containers, compared with a dict and a sorted list through random histories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.store import snapshot
from daypass.store.snapshot import LayeredMap, Places, SortedIndex, SortedRecords

histories = st.lists(st.dictionaries(st.integers(0, 40), st.none() | st.integers(), max_size=12), max_size=25)
GROUPS = (("1", "", ""), ("1", "policy", "p"), ("2", "", ""))
places = st.tuples(st.text("abC", min_size=1, max_size=2), st.sets(st.sampled_from(GROUPS), min_size=1).map(tuple))
place_histories = st.lists(
    st.dictionaries(st.text("xyz", min_size=1, max_size=2), st.none() | places, max_size=5), max_size=12
)


@given(histories)
def test_a_layered_map_is_what_a_dict_would_be_at_every_step(history: list[dict[int, int | None]]) -> None:
    # A limit of 3 makes short histories fold; with the real one they would all stay in the overlay.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "SMALLEST_FOLD", 3)
        steps: list[tuple[LayeredMap[int, int], dict[int, int]]] = [(LayeredMap(), {})]
        for changes in history:
            layered, model = steps[-1]
            following = {key: value for key, value in {**model, **changes}.items() if value is not None}
            steps.append((layered.changed(changes), following))
        for layered, model in steps:  # all of them at the end: none was changed by what came after it
            assert sorted(layered.values()) == sorted(model.values())
            assert {key: layered.get(key) for key in range(41)} == {key: model.get(key) for key in range(41)}


@given(place_histories, st.sets(st.integers(0, 12)))
def test_a_sorted_index_is_the_sorted_list_at_every_step(
    history: list[dict[str, Places | None]], looked_at: set[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "MOST_PENDING", 6)
        layered: LayeredMap[str, Places] = LayeredMap()
        index = SortedIndex(layered.items)
        for step, changes in enumerate(history):
            before = {key: layered.get(key) for key in changes}
            layered = layered.changed(changes)
            index = index.changed(before, changes, layered.items)
            if step in looked_at:  # whether it was looked at decides whether it is sorted, patched or handed on
                index.of(GROUPS[0])
        for group in GROUPS:
            expected = sorted((name, key) for key, (name, groups) in layered.items() if group in groups)
            assert index.of(group) == expected


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (None, ["B", "a", "b"]),
        ("", ["B", "a", "b"]),
        ("A", ["B", "a", "b"]),
        ("B", ["a", "b"]),
        ("aa", ["b"]),
        ("b", []),
        ("z", []),
    ],
)
def test_after_a_marker_come_the_names_that_sort_after_it(marker: str | None, expected: list[str]) -> None:
    records = SortedRecords([("B", "key-B"), ("a", "key-a"), ("b", "key-b")], lambda key: key.removeprefix("key-"))
    assert list(records.after(marker)) == expected
    assert list(records) == ["B", "a", "b"]
    assert len(records) == 3
    assert records[0] == "B"
    assert records[1:] == ["a", "b"]


def test_no_change_is_the_same_map() -> None:
    layered = LayeredMap({1: 1})
    assert layered.changed({}) is layered


def test_a_small_change_shares_the_large_base() -> None:
    base = {number: number for number in range(10_000)}
    layered = LayeredMap(base)
    assert layered.changed({1: 2})._base is base
