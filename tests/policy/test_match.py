# SPDX-License-Identifier: Apache-2.0
"""
Globs (section 3), actions (4.1), typed values (5.4, 5.5) and variables (6): the small machinery.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.policy import Kind, compile_policy, values
from daypass.policy.match import MANY, ONE, Automaton, ascii_lower, compile_glob, compile_text, tokens_of
from daypass.policy.variables import parse, resolve, show
from policy import reference, reference_conditions
from policy.making import HOME, applies, document, request, statement

GLOBS = [
    ("", "", True),
    ("", "x", False),
    ("*", "", True),
    ("*", "a/b:c\nd", True),
    ("?", "", False),
    ("?", "\n", True),
    ("?", "\U0001f600", True),
    ("a*", "a", True),
    ("a*", "ba", False),
    ("*a", "ba", True),
    ("*a", "ab", False),
    ("a*a", "a", False),
    ("a*a", "aa", True),
    ("a*b*c", "a-b-b-c", True),
    ("a*b*c", "acb", False),
    ("*b*", "abc", True),
    ("*b*", "ac", False),
    ("**", "", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("a??", "abc", True),
    ("a?*", "a", False),
    ("a*?", "ab", True),
    ("*?*?*", "a", False),
    ("*?*?*", "ab", True),
    ("a*b?d*", "aabcd", True),
    ("a*b?d*", "abd", False),
    ("[ab]", "a", False),
    ("[ab]", "[ab]", True),
    ("a.c", "abc", False),
    ("\\*", "\\x", True),
    ("A", "a", False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), GLOBS)
def test_a_glob_covers_the_whole_text(pattern: str, text: str, expected: bool) -> None:
    assert compile_text(pattern).matches(text) is expected
    assert compile_glob(tokens_of(pattern)).matches(text) is expected


@given(st.text("ab*?", max_size=8), st.text("ab:", max_size=10))
def test_globs_agree_with_the_definition(pattern: str, text: str) -> None:
    expected = reference_conditions.glob(reference_conditions.tokenize(pattern, False), text)
    assert compile_text(pattern).matches(text) is expected
    assert compile_glob(list(tokens_of(pattern))).matches(text) is expected


@given(st.text("aB:*?", max_size=8), st.text("abB:", max_size=10), st.booleans())
def test_the_automaton_agrees_with_the_definition(pattern: str, text: str, head: bool) -> None:
    automaton, tokens = Automaton(), []
    for kind, character in reference_conditions.tokenize(pattern, False):
        tokens.append((f"{kind}-head" if head else kind, character))
        if kind == "lit":
            automaton.add_literal(character, any_case=head)
        elif kind == "one":
            automaton.add_one(within_field=head)
        else:
            automaton.add_many(within_field=head)
    assert automaton.matches(text) is reference.arn_glob(tuple(tokens), text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*?" * 1_000 + "x", "a" * 100_000),
        ("*a" * 1_000 + "b", "a" * 100_000),
        ("*a?" * 500 + "b", "a" * 20_000),
        ("*" + "a" * 2_000 + "b*", "a" * 100_000),
        ("?" * 2_000, "a" * 100_000),
        ("*" * 5_000, "a" * 100_000),
    ],
)
def test_no_pattern_makes_matching_slow(pattern: str, text: str) -> None:
    matches = compile_text(pattern).matches
    started = time.process_time()
    matches(text)
    assert time.process_time() - started < 1


def test_a_hostile_pattern_against_a_long_resource_is_decided_quickly() -> None:
    texts = ["arn:aws:s3:::" + "*?" * 800 + "x", "arn:aws:s*:*:*:" + "*a?" * 800 + "b"]
    asked = request(resource="arn:aws:s3:::" + "a:" * 20_000)
    started = time.process_time()
    assert not applies(statement(Resource=texts), asked)
    assert time.process_time() - started < 2


def test_tokens_keep_literal_stars_literal() -> None:
    assert compile_glob(["a", "*"]).matches("a*")
    assert not compile_glob(["a", "*"]).matches("ab")
    assert compile_glob(["*", MANY]).matches("*b")
    assert compile_glob([ONE, "?"]).matches("a?")
    assert not compile_glob([ONE, "?"]).matches("ab")
    assert compile_glob(["", "a", ""]).literal == "a"
    assert compile_glob([]).matches("")


def test_lower_case_is_of_ascii_only() -> None:
    assert ascii_lower("GetObject") == "getobject"
    assert ascii_lower("\u212aEY\u00c9") == "\u212aey\u00c9"


ACTIONS = [
    ("*", "s3:GetObject", True),
    ("s3:*", "s3:GetObject", True),
    ("s3:Get*", "s3:GetObject", True),
    ("s3:get*", "S3:GETOBJECT", True),
    ("IAM:listaccesskeys", "iam:ListAccessKeys", True),
    ("s3:*Object", "s3:GetObject", True),
    ("s3:?etObject", "s3:GetObject", True),
    ("s3:GetObject", "s3:GetObjects", False),
    ("s3:*", "s3-object-lambda:GetObject", False),
    ("s3:*", "sts:GetObject", False),
    ("s3:Ge*x", "s3:GetObject", False),
]


@pytest.mark.parametrize(("pattern", "action", "expected"), ACTIONS)
def test_actions_ignore_case_and_their_service_is_whole(pattern: str, action: str, expected: bool) -> None:
    assert applies(statement(Action=pattern), request(action)) is expected
    assert applies(statement(NotAction=pattern), request(action)) is not expected


def test_a_list_of_actions_means_any_and_notaction_none() -> None:
    assert applies(statement(Action=["sqs:*", "s3:*"]))
    assert not applies(statement(NotAction=["sqs:*", "s3:*"]))


def test_actions_have_no_variables() -> None:
    assert not applies(statement(Action="s3:${key}"), request("s3:alice", context={"key": "alice"}))
    assert applies(statement(Action="s3:${key}"), request("s3:${key}"))


def test_a_sign_that_lowers_to_a_letter_is_not_that_letter() -> None:
    assert not applies(statement(Action="sqs:K"), request("sqs:\u212a"))


INSTANTS = [
    ("0", 0),
    ("2020", 2020),
    ("1577836800", 1577836800),
    ("9223372036854775807", 2**63 - 1),
    ("1970-01", 0),
    ("1970-01-02", 86_400),
    ("2020-01-01T00:00Z", 1577836800),
    ("2020-01-01t00:00:00z", 1577836800),
    ("2020-01-01T00:00:00", 1577836800),
    ("2020-01-01T02:00:00+02:00", 1577836800),
    ("2020-01-01T02:00:00+02", 1577836800),
    ("2019-12-31T22:30-01:30", 1577836800),
    ("2020-02-29", 1582934400),
    ("1969-12-31T23:59:59Z", -1),
    ("0001-01-01", -62135596800),
    ("9999-12-31T23:59:59Z", 253402300799),
    ("10000-01-01", 253402300800),
]


@pytest.mark.parametrize(("text", "seconds"), INSTANTS)
def test_instants(text: str, seconds: int) -> None:
    assert values.instant(text) == seconds * 1_000_000_000


def test_fractions_of_a_second_count_to_the_nanosecond() -> None:
    assert values.instant("1970-01-01T00:00:00.5Z") == 500_000_000
    assert values.instant("1970-01-01T00:00:00.000000001Z") == 1


def test_a_year_alone_is_seconds_ambiguous_default() -> None:
    assert values.instant("2020") == 2020 * 10**9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-1",
        "1.5",
        "9223372036854775808",
        "99999999999999999999",
        "2020-1",
        "2020-13",
        "2020-00",
        "2020-01-00",
        "2020-01-32",
        "2021-02-29",
        "1900-02-29",
        "2020-01-01T",
        "2020-01-01T24:00",
        "2020-01-01T00:60",
        "2020-01-01T00:00:60",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00.0000000001Z",
        "2020-01-01T00:00+24",
        "2020-01-01T00:00+00:60",
        "2020-01-01 00:00",
        "292278994-01-01",
        "-292275055-01-01",
        "\u0662\u0660\u0662\u0660-01",
    ],
)
def test_what_is_not_an_instant(text: str) -> None:
    assert values.instant(text) is None


@pytest.mark.parametrize(
    "text", ["10abc", "NaN", "Infinity", "0x10", "", ".5", "5.", "1e", "+", "1_000", "1e999999999999999999999"]
)
def test_what_is_not_a_number(text: str) -> None:
    assert values.number(text) is None


def test_numbers_are_exact() -> None:
    assert values.number("0.1") != values.number("0.1000000000000000000000000000001")
    assert values.number("+1.50E+1") == 15
    assert values.number("1e999999") != values.number("1e999998")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", (4, 0x0A000001)),
        ("2001:0db8:0::1", (6, 0x20010DB8 << 96 | 1)),
        ("2001:db8::1", (6, 0x20010DB8 << 96 | 1)),
        ("::ffff:10.0.0.1", (4, 0x0A000001)),
        ("10.0.0.01", None),
        ("10.0.0.0/8", None),
        ("fe80::1%eth0", None),
        ("here", None),
        ("1" * 1_000_000, None),
    ],
)
def test_addresses(text: str, expected: object) -> None:
    assert values.address(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.2.3", (4, 0x0A010203, 0xFFFFFFFF)),
        ("10.1.2.3/8", (4, 0x0A000000, 0xFF000000)),
        ("0.0.0.0/0", (4, 0, 0)),
        ("2001:db8::1", (6, 0x20010DB8 << 96 | 1, 2**128 - 1)),
        ("2001:db8::1/32", (6, 0x20010DB8 << 96, 0xFFFFFFFF << 96)),
        ("::ffff:10.1.2.3/104", (4, 0x0A000000, 0xFF000000)),
        ("::ffff:10.1.2.3/95", (6, 0xFFFE << 32, ((1 << 95) - 1) << 33)),
        ("10.0.0.0/33", None),
        ("::/129", None),
        ("10.0.0.0/", None),
        ("10.0.0.0/255.0.0.0", None),
        ("10.0.0.0/-1", None),
        ("nope/8", None),
    ],
)
def test_networks(text: str, expected: object) -> None:
    assert values.network(text) == expected


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_networks_agree_with_the_standard_library(base: object, length: int, other: object) -> None:
    network, address = values.network(f"{base}/{length}"), values.address(str(other))
    assert network is not None
    assert address is not None
    inside = address[1] & network[2] == network[1]
    assert inside is reference_conditions.ip_fits(str(other), f"{base}/{length}")


VARIABLES = [
    ("${aws:username}", "alice"),
    ("${AWS:UserName}", "alice"),
    ("a-${aws:username}-${aws:username}", "a-alice-alice"),
    ("${gone, 'x y'}", "x y"),
    ("${ gone , '' }", ""),
    ("${empty, 'd'}", "d"),
    ("${aws:username, 'd'}", "alice"),
    ("${gone}", None),
    ("${empty}", None),
    ("${list}", None),
    ("${list, 'd'}", None),
    ("${gone, d}", None),
    ("${gone, '}", None),
    ("${ aws:username}", None),
    ("${*}${?}${$}", "*?$"),
    ("${aws:username", "${aws:username"),
    ("$aws:username}", "$aws:username}"),
    ("${}", None),
]


@pytest.mark.parametrize(("text", "expected"), VARIABLES)
def test_variables(text: str, expected: str | None) -> None:
    entries: dict[str, str | tuple[str, ...]] = {"aws:username": "alice", "empty": "", "list": ("a",)}
    tokens = resolve(parse(text, variables=True), entries)
    assert (None if tokens is None else show(tokens)) == expected
    assert show(parse(text, variables=False)) == text  # type: ignore[arg-type]


def test_a_context_value_is_never_a_wildcard() -> None:
    made = statement(Resource="arn:aws:s3:::b/${aws:username}/*")
    assert not applies(made, request(resource="arn:aws:s3:::b/alice/k", context={"aws:username": "*"}))
    assert applies(made, request(resource="arn:aws:s3:::b/*/k", context={"aws:username": "*"}))
    assert not applies(made, request(resource="arn:aws:s3:::b/xyz/k", context={"aws:username": "?yz"}))


def test_variables_need_the_newer_version() -> None:
    made = statement(Resource="arn:aws:s3:::b/${aws:username}")
    asked = request(resource="arn:aws:s3:::b/alice", context={"aws:username": "alice"})
    assert applies(made, asked)
    assert not applies(made, asked, version="2008-10-17")
    assert not applies(made, asked, version=None)
    assert applies(made, request(resource="arn:aws:s3:::b/${aws:username}", account=HOME), version="2008-10-17")


def test_the_remembered_texts_of_a_pattern_with_variables_are_bounded() -> None:
    made = statement(Resource="arn:aws:s3:::b/${aws:username}")
    for number in range(200):
        name = f"user{number}"
        assert applies(made, request(resource=f"arn:aws:s3:::b/{name}", context={"aws:username": name}))
    pattern = compile_policy(document(made), Kind.IDENTITY).statements[0].resource
    assert pattern is not None
    assert len(pattern.patterns[0]._template._remembered) <= 64  # type: ignore[union-attr]
