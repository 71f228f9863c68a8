# SPDX-License-Identifier: Apache-2.0
"""YAML of operators: one reading, known by line, and what a reader could overlook is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import ConfigurationError, Reason
from daypass.yamltext import MAX_DEPTH, read_file, read_yaml


def refused(text: str, *, json_only: bool = False) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(text, "'file'", json_only=json_only)
    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    assert str(caught.value).startswith("'file' is not YAML")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-1", -1),
        ("1.50", 1.5),
        ("012345678901", "012345678901"),
        ("0o17", "0o17"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("9" * 19, "9" * 19),
        ("'12'", "12"),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_a_plain_scalar_is_what_json_would_make_of_it_and_else_text(text: str, value: object) -> None:
    found = read_yaml(f"a: {text}", "f", json_only=True).value["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2", "line 2: a key is there twice"),
        ("a: 1\nb: *x", "line 2: aliases are not supported"),
        ("a:\n  b: {", "line 2"),
        ("a: 1\n--- \nb: 2", "line 2"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "line 1: nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
@pytest.mark.parametrize("json_only", [False, True])
def test_what_can_be_overlooked_is_refused_with_its_line(text: str, says: str, json_only: bool) -> None:
    assert says in refused(text, json_only=json_only)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: !!int '1'", "line 1: tags are not supported"),
        ("a: ! x", "tags are not supported"),
        ("a: &x 1", "anchors are not supported"),
        ("a: !!set {x}", "tags are not supported"),
        ("1: a", "line 1: expected a key that is text"),
        ("true: a", "expected a key that is text"),
        ("? [a]\n: b", "twice"),
        ('a: "\\uD800"', "is not YAML"),
        ('a: "\\uD800\\uDC00"', "is not YAML"),
    ],
)
def test_what_json_cannot_say_is_refused(text: str, says: str) -> None:
    assert says in refused(text, json_only=True)


def test_numbers_that_are_too_long_to_be_one_are_refused_and_no_fault() -> None:
    refused("a: " + "9" * 5_000)


def test_nesting_as_deep_as_it_may_be_is_read() -> None:
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f").value is not None


def test_every_part_is_known_by_its_line() -> None:
    text = "# first\na:\n  - x\n  - b: 1\n    c: 2\nd: {e: 3}\n"
    found = read_yaml(text, "f", json_only=True)
    places = {(): 1, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "b"): 4, ("a", 1, "c"): 5, ("d",): 6, ("d", "e"): 6}
    assert found.lines == places
    assert found.line(("a", 1, "missing", 7)) == 4
    assert found.line(("nothing",)) == 1


def test_an_empty_text_is_nothing() -> None:
    assert read_yaml("", "f").value is None
    assert read_yaml("", "f").line(("a",)) == 1


texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)
plain = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | texts
trees = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=12
)


@given(trees)
def test_json_is_read_as_json_readers_read_it(value: Any) -> None:
    assert read_yaml(json.dumps(value), "f", json_only=True).value == value


# Files


def test_a_file_is_read_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("é" * 5, encoding="utf-8")
    assert read_file(path, "f", 10) == "é" * 5
    for max_bytes, content in ((9, "é".encode() * 5), (10, b"\xff")):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError):
            read_file(path, "f", max_bytes)


@pytest.mark.parametrize("name", ["absent", ".", "with\0nul", "pipe"])
def test_what_is_no_ordinary_file_is_refused_and_nobody_waits_for_it(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match="'it'"):
        read_file(tmp_path / name, "'it'", 10, ordinary=True)
