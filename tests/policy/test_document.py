# SPDX-License-Identifier: Apache-2.0
"""
The reader and the shape of documents: section 2 and the first step of 2.2; hostile documents.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from daypass.errors import Reason
from daypass.policy import Kind, compile_policy, limits
from daypass.policy.compile import _remembered
from daypass.policy.document import Operator
from policy.making import ALLOW_ALL, document, policy, reason, refused, statement

SYNTAX = Reason.POLICY_SYNTAX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"x"',
        "{",
        "{}",
        '{"Statement":[]}',
        '{"Version":"2012-10-17"}',
        '{"Version":"2012-10-18","Statement":{}}',
        '{"Version":2012,"Statement":{}}',
        '{"Version":null,"Statement":{}}',
        '{"version":"2012-10-17","Statement":{}}',
        document("x"),  # type: ignore[arg-type]
        document({}),
        document({"Effect": "Allow", "action": "*"}),
        document(statement("Permit")),
        document(statement(Effect=None)),
        document(statement(Effect=["Allow"])),
        document(statement(Sid=1)),
        document(statement(Action=1)),
        document(statement(Action=[1])),
        document(statement(Action=["*", None])),
        document(statement(Resource={"a": 1})),
        document(statement(Condition=[])),
        document(statement(Condition={"StringEquals": "x"})),
        document(statement(Condition={"StringEquals": {"a": None}})),
        document(statement(Condition={"StringEquals": {"a": {"b": "c"}}})),
        document(statement(Condition={"StringEquals": {"a": [["b"]]}})),
        document(statement(Condition={"Nope": {"a": "b"}})),
        document(statement(Condition={"stringequals": {"a": "b"}})),
        document(statement(Condition={"ForEach:StringEquals": {"a": "b"}})),
        document(statement(Condition={"NullIfExists": {"a": "true"}})),
        document(statement(Condition={"StringEqualsIfExistsIfExists": {"a": "b"}})),
        document(statement() | {"NotAction": "*"}),
        document(statement() | {"NotResource": "*"}),
        document(statement(Principal="*", NotPrincipal="*")),
        '{"Version":"2012-10-17","Id":1,"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    ],
)
def test_a_document_of_the_wrong_shape_is_a_syntax_error(text: str) -> None:
    assert reason(text) is SYNTAX


@pytest.mark.parametrize(
    "text",
    [
        document(ALLOW_ALL),
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        '{"Statement":[{"Resource":"*","Action":"*","Effect":"Deny"}],"Version":"2012-10-17"}',
        '{"Version":"2012-10-17","Id":"accepted","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        document(statement(Condition={})),
        document(statement(Condition={"nobody-knows": {}})),
        document(statement(Condition={"StringEquals": {"a": []}})),
        document(statement(Condition={"StringEquals": {"a": ["b", 1, 2.50, True]}})),
        document(statement(Condition={"ForAnyValue:Null": {"a": "true"}})),
        document(statement(Resource=["*", None])),
        document(statement(Action="made-up:Do Something")),
        document(statement(Sid="")),
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}\r\n\t ',
    ],
)
def test_a_document_of_the_right_shape_is_accepted(text: str) -> None:
    assert compile_policy(text, Kind.IDENTITY).statements


def test_numbers_and_booleans_are_compared_as_they_are_written() -> None:
    values: list[Any] = ["b", 1, True, False]
    source = policy(statement(Condition={"StringEquals": {"a": values}})).statements[0].source
    assert source.conditions[0].values == ("b", "1", "true", "false")
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":1.50}}}}'
    assert compile_policy(text, Kind.IDENTITY).statements[0].source.conditions[0].values == ("1.50",)


def test_a_duplicate_name_in_one_object_is_refused() -> None:
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}'
    assert reason(text) is SYNTAX
    assert reason(document(ALLOW_ALL)[:-1] + ',"Version":"2012-10-17"}') is SYNTAX


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_the_numbers_that_json_does_not_have_are_refused(word: str) -> None:
    text = document(statement(Condition={"Bool": {"a": "WORD"}}))
    assert compile_policy(text, Kind.IDENTITY).statements
    assert reason(text.replace('"WORD"', word)) is SYNTAX


def test_a_number_of_any_length_is_text() -> None:
    text = document(ALLOW_ALL | {"Condition": {"NumericEquals": {"a": 0}}}).replace(": 0}", ": " + "9" * 10_000 + "}")
    assert compile_policy(text, Kind.IDENTITY).statements[0].source.conditions[0].values == ("9" * 10_000,)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\u0100", "\u20ac", "\ud800", "\U0001f600"])
def test_a_character_outside_the_allowed_set_is_refused(character: str) -> None:
    assert reason(document(statement(Sid="x")).replace("x", character)) is Reason.POLICY_CHARACTERS


def test_the_last_allowed_character_is_accepted() -> None:
    text = document(statement(Resource="arn:aws:s3:::b/\xff")).replace("\\u00ff", "\xff")
    assert compile_policy(text, Kind.IDENTITY).statements


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "\\udc00\\ud800"])
@pytest.mark.parametrize("place", ["value", "name", "key", "list"])
def test_an_escaped_nul_or_half_surrogate_is_refused(escape: str, place: str) -> None:
    made = {
        "value": statement(Resource="arn:aws:s3:::b/HERE"),
        "list": statement(Resource=["arn:aws:s3:::b/HERE"]),
        "name": statement(Condition={"HERE": {}}),
        "key": statement(Condition={"StringEquals": {"HERE": "x"}}),
    }[place]
    assert reason(document(made).replace("HERE", escape)) is SYNTAX


def test_an_escaped_character_beyond_latin_1_is_text() -> None:
    text = document(statement(Resource="arn:aws:s3:::b/HERE")).replace("HERE", "\\ud83d\\ude00")
    assert compile_policy(text, Kind.IDENTITY).statements[0].source.resources == ("arn:aws:s3:::b/\U0001f600",)


def test_the_size_is_bounded_before_anything_is_parsed() -> None:
    fits = document(ALLOW_ALL)
    fits += " " * (limits.MAX_DOCUMENT - len(fits))
    assert compile_policy(fits, Kind.IDENTITY).statements
    assert reason(fits + " ") is Reason.POLICY_TOO_LARGE


def test_the_depth_of_the_grammar_is_accepted_and_a_deeper_one_is_not() -> None:
    deepest = document(statement(Condition={"StringEquals": {"a": ["b"]}}))
    assert compile_policy(deepest, Kind.IDENTITY).statements
    brackets = "[" * limits.MAX_DEPTH + "]" * limits.MAX_DEPTH
    assert refused(brackets).__cause__.__class__.__name__ != "_NotJsonError"
    assert refused(f"[{brackets}]").__cause__.__class__.__name__ == "_NotJsonError"


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    text = document(statement(Resource="arn:aws:s3:::b/" + '[{"\\' * 50))
    assert compile_policy(text, Kind.IDENTITY).statements


HOSTILE = {
    "ten megabytes": "[" * 10_000_000,
    "a hundred thousand statements": document(*[ALLOW_ALL] * 100_000),
    "depth ten thousand": "[" * 10_000 + "]" * 10_000,
    "objects of depth ten thousand": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "unfinished strings": '"' * 131_000,
    "escaped quotes": '"\\"' * 43_000,
    "backslashes": '{"' + "\\" * 131_000,
    "closing brackets": "]" * 131_000,
    "two thousand statements": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}] * 6_000}),
    "lone surrogate": '{"\ud800": 1}',
    "nul": "\x00" * 1000,
    "many names": "{" + ",".join(f'"{i}":1' for i in range(14_000)) + "}",
    "a thousand sids": document(*[statement(Sid=f"s{i}", Action=[]) for i in range(1_000)]),
    "spaces in a variable": document(statement(Resource="arn:aws:s3:::${" + " " * 100_000 + "}/*", Action=[])),
    "many variables": document(statement(Resource="arn:aws:s3:::" + "${" * 60_000, Action=[])),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", [Kind.IDENTITY, Kind.TRUST, Kind.RCP])
def test_a_hostile_document_is_refused_quickly_and_with_a_reason(name: str, kind: Kind) -> None:
    started = time.process_time()
    refused(HOSTILE[name], kind)
    assert time.process_time() - started < 5  # seconds of work; a tracer may slow it


def test_the_same_text_is_compiled_once_for_each_kind() -> None:
    text = document(statement(Sid="once"))
    assert compile_policy(text, Kind.IDENTITY) is compile_policy(str(text), Kind.IDENTITY)
    assert compile_policy(text, Kind.IDENTITY) is not compile_policy(text, Kind.BOUNDARY)


def test_what_is_remembered_is_bounded_in_number_and_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = _remembered[Kind.SCP]
    monkeypatch.setattr(limits, "MAX_COMPILED", 3)
    texts = [document(statement(Sid=f"bounded{i}")) for i in range(5)]
    for text in texts:
        compile_policy(text, Kind.SCP)
    assert list(remembered.policies) == texts[-3:]
    monkeypatch.setattr(limits, "MAX_COMPILED_CHARACTERS", 2 * len(texts[0]))
    compile_policy(document(statement(Sid="another")), Kind.SCP)
    assert len(remembered.policies) <= 2


def test_a_text_that_another_thread_compiled_meanwhile_is_counted_once() -> None:
    text = document(statement(Sid="twice"))
    made = compile_policy(text, Kind.BOUNDARY)
    before = _remembered[Kind.BOUNDARY]._characters
    _remembered[Kind.BOUNDARY].add(text, made)
    assert _remembered[Kind.BOUNDARY]._characters == before


def test_a_refused_document_is_not_remembered() -> None:
    refused("{}")
    assert "{}" not in _remembered[Kind.IDENTITY].policies


def test_an_operator_is_taken_apart() -> None:
    assert Operator.parse("ForAnyValue:StringNotLikeIfExists") == Operator(
        "ForAnyValue:StringNotLikeIfExists", "ForAnyValue", "StringNotLike", True
    )
    assert Operator.parse(":StringEquals") is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ('{ "a" :\t"b c" }', 11), ('{"a\\"  ":1}\r\n', 11), ('"unfinished  ', 13), ("  ", 0)],
)
def test_the_size_that_iam_counts_leaves_out_white_space_outside_strings(text: str, size: int) -> None:
    assert limits.policy_size(text) == size


def test_a_policy_does_not_print_its_text() -> None:
    assert repr(policy(ALLOW_ALL)) == "Policy(IDENTITY, 1 statements)"
