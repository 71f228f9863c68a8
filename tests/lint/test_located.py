# SPDX-License-Identifier: Apache-2.0
"""The reader with positions: it accepts what the strict reader accepts, and says where it does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import PolicyError, Reason
from daypass.lint.located import Lines, Object, Scalar, plain, read
from daypass.policy import json_text
from daypass.policy.limits import MAX_DEPTH
from lint.documents import unmarked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
NEARLY_JSON = st.text(alphabet="{}[]\":,\\u0d8 \n\r\t1.-+eEtrufalsn/#'", max_size=40)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("«»", "ends where a value"),
        ("   «»", "ends where a value"),
        ("{«»", "ends where a name"),
        ('{"a"«»', "':'"),
        ('{"a" «1»}', "':'"),
        ('{"a":«»', "ends where a value"),
        ('{"a": 1«»', "ends where ',' or '}'"),
        ('{"a": 1 «"»b": 2}', "',' or '}'"),
        ('{"a": 1«,»}', "Remove this comma"),
        ('{"a": [1«,» ]}', "Remove this comma"),
        ('{"a": [1 «2»]}', "',' or ']'"),
        ("{«a»: 1}", "name in double quotes"),
        ("{«'»a': 1}", "name in double quotes"),
        ("{\"a\": «'»b'}", "double quotes"),
        ('{"a": 1}\n«{»}', "follows the document"),
        ('{"a": «/»/ why\n 1}', "comments"),
        ('{«#» why\n "a": 1}', "comments"),
        ('{"a": «"»b}', "never closed"),
        ('{"a": "b«\n»"}', "control character"),
        ('{"a": "«\\»x"}', "backslash"),
        ('{"a": "\\«u»12x4"}', "hexadecimal"),
        ('{"a": «"\\u0000"»}', "NUL"),
        ('{"a": «"\\ud800"»}', "surrogate"),
        ('{"a": «t»ru}', "Expected a value"),
        ('{"a": «N»aN}', "Expected a value"),
        ('{"a": «-»Infinity}', "not JSON"),
        ('{"a": 0«1»}', "',' or '}'"),
        ('{"a": 1«.»}', "',' or '}'"),
        ('\r\n{\r"a":\n«x»}', "Expected a value"),
        ("[" * MAX_DEPTH + "«[»", "deeper"),
    ],
)
def test_the_first_character_that_is_not_json_is_where_the_finding_stands(document: str, word: str) -> None:
    text = document.replace("«", "").replace("»", "")
    reading = read(text)
    assert reading.root is None
    assert reading.broken is not None
    span, why = reading.broken
    assert (span.start, span.end) == (document.index("«"), document.index("»") - 1)
    assert word in why


def test_brackets_may_be_nested_as_deep_as_the_strict_reader_allows() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).broken is None


def test_a_name_that_stands_twice_is_reported_where_it_stands_again_and_the_first_counts() -> None:
    text, [(start, _)] = unmarked('{"a": 1, "b": {"a": 2}, «"a"»: 3}')
    reading = read(text)
    assert [name.start + 1 for name in reading.repeated] == [start[1]]
    assert isinstance(reading.root, Object)
    first = reading.root.get("a")
    assert isinstance(first, Scalar)
    assert first.value == "1"


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("ab", 0, (1, 1)),
        ("ab", 2, (1, 3)),
        ("a\nb", 1, (1, 2)),
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\rb", 2, (2, 1)),
        ("a\n\nb", 2, (2, 1)),
        ("\U0001f600b", 1, (1, 2)),
    ],
)
def test_lines_and_columns_count_from_one_and_in_characters(text: str, offset: int, expected: tuple[int, int]) -> None:
    assert Lines(text).at(offset) == expected


@given(JSON.map(json.dumps) | JSON.map(lambda value: json.dumps(value, indent=2)) | NEARLY_JSON)
def test_the_same_texts_are_json_as_for_the_strict_reader_and_mean_the_same(text: str) -> None:
    reading = read(text)
    accepted = reading.broken is None and not reading.repeated
    try:
        strict = json_text.read(text)
    except PolicyError as error:
        reason = error.reason
    else:
        assert accepted
        assert reading.root is not None
        assert plain(reading.root) == strict
        return
    assert reason is Reason.POLICY_CHARACTERS or (reason is Reason.POLICY_SYNTAX and not accepted)


@given(JSON.map(lambda value: json.dumps(value, indent=1)))
def test_every_scalar_stands_where_its_text_is(text: str) -> None:
    reading = read(text)
    stack = [reading.root] if reading.root is not None else []
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            assert json.loads(text[node.start : node.end], parse_int=str, parse_float=str) == node.value
        elif isinstance(node, Object):
            assert text[node.start] + text[node.end - 1] == "{}"
            stack += [part for member in node.members for part in (member.name, member.value)]
        else:
            assert text[node.start] + text[node.end - 1] == "[]"
            stack += node.items
