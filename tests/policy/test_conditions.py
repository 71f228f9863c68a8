# SPDX-License-Identifier: Apache-2.0
"""
Conditions: the tables of sections 5.1 and 5.2, IP addresses, ARNs, and the context.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.identity import ContextValue
from daypass.policy import Context
from policy.making import applies, policy, request, statement

ABSENT = object()


def holds(operator: str, values: Any, context: Any = ABSENT, **more: ContextValue) -> bool:
    """Whether the condition holds on the key ``k``."""
    found: dict[str, ContextValue] = dict(more) if context is ABSENT else {"k": context} | more
    return applies(statement(Condition={operator: {"k": values}}), request(context=found))


# 5.1: operator, the request's value, result; the policy's value is "a" throughout.
PRESENCE: list[tuple[str, Any, bool]] = [
    ("StringEquals", ABSENT, False),
    ("StringNotEquals", ABSENT, True),
    ("StringLike", ABSENT, False),
    ("StringNotLike", ABSENT, True),
    ("StringEqualsIfExists", ABSENT, True),
    ("StringNotEqualsIfExists", ABSENT, True),
    ("ForAllValues:StringEquals", ABSENT, True),
    ("ForAllValues:StringNotEquals", ABSENT, True),
    ("ForAnyValue:StringEquals", ABSENT, False),
    ("ForAnyValue:StringNotEquals", ABSENT, False),
    ("ForAllValues:StringEqualsIfExists", ABSENT, True),
    ("StringEquals", (), False),
    ("StringNotEquals", (), True),
    ("StringEquals", "a", True),
    ("StringEquals", "b", False),
    ("StringNotEquals", "a", False),
    ("StringNotEquals", "b", True),
    ("StringEqualsIfExists", "b", False),
    ("StringEquals", ("a",), False),
    ("StringNotEquals", ("b",), False),
    ("StringEqualsIfExists", ("a",), False),
    ("ForAllValues:StringEquals", "a", True),
    ("ForAllValues:StringEquals", ("a", "a"), True),
    ("ForAllValues:StringEquals", ("a", "b"), False),
    ("ForAnyValue:StringEquals", "a", True),
    ("ForAnyValue:StringEquals", ("b", "a"), True),
    ("ForAnyValue:StringEquals", ("b", "c"), False),
    ("ForAllValues:StringNotEquals", ("b", "c"), True),
    ("ForAllValues:StringNotEquals", ("a", "b"), False),
    ("ForAnyValue:StringNotEquals", ("a", "b"), True),
    ("ForAnyValue:StringNotEquals", ("a", "a"), False),
]


@pytest.mark.parametrize(("operator", "value", "expected"), PRESENCE)
def test_presence_and_sets(operator: str, value: Any, expected: bool) -> None:
    assert holds(operator, "a", value) is expected
    assert holds(operator, ["a"], value) is expected


def test_foranyvalue_ifexists_on_a_missing_key_holds_ambiguous_default() -> None:
    assert holds("ForAnyValue:StringEqualsIfExists", "a")
    assert holds("ForAnyValue:StringNotEqualsIfExists", "a")


def test_a_list_of_one_empty_string_is_an_ordinary_value_ambiguous_default() -> None:
    assert not holds("ForAllValues:StringEquals", "a", ("",))
    assert not holds("ForAnyValue:StringEquals", "a", ("",))
    assert holds("ForAllValues:StringEquals", "", ("",))
    assert not holds("Null", "true", ("",))


def test_an_empty_string_counts_as_present_for_null_ambiguous_default() -> None:
    assert holds("Null", "false", "")
    assert not holds("Null", "true", "")


def test_an_empty_list_of_policy_values_fits_nothing_ambiguous_default() -> None:
    assert not holds("StringEquals", [], "a")
    assert holds("StringNotEquals", [], "a")
    assert not holds("NumericEquals", [], "1")
    assert holds("NotIpAddress", [], "10.0.0.1")
    assert not holds("Null", [], "a")
    assert not holds("Null", [])


def test_context_names_that_differ_only_in_case_become_a_list_ambiguous_default() -> None:
    context = Context([("aws:RequestTag/team", "a"), ("aws:RequestTag/Team", "b"), ("aws:requesttag/TEAM", ("c",))])
    assert context.get("AWS:requesttag/team") == ("a", "b", "c")
    made = statement(Condition={"StringEquals": {"aws:RequestTag/Team": ["a", "b", "c"]}})
    asked = request(context={"aws:RequestTag/team": "a", "aws:RequestTag/Team": "b"})
    assert not applies(made, asked)
    assert applies(statement(Condition={"ForAnyValue:StringEquals": {"aws:RequestTag/Team": "a"}}), asked)


def test_short_patterns_and_a_bare_star_in_arn_operators_ambiguous_default() -> None:
    assert holds("ArnLike", "*", "arn:aws:s3:::b")
    assert holds("ArnEquals", "arn:aws:s*", "arn:aws:s3:::b/k:x")
    assert not holds("ArnEquals", "arn:aws:s3", "arn:aws:s3:::b")
    assert holds("ArnNotEquals", "arn:aws:s3", "arn:aws:s3:::b")


@pytest.mark.parametrize(
    ("values", "present", "absent"),
    [
        ("true", False, True),
        ("TRUE", False, True),
        ("false", True, False),
        (["true", "false"], True, True),
        ("x", False, False),
        (True, False, True),
    ],
)
@pytest.mark.parametrize("operator", ["Null", "ForAllValues:Null", "ForAnyValue:Null"])
def test_null_asks_only_whether_the_key_is_there(operator: str, values: Any, present: bool, absent: bool) -> None:
    assert holds(operator, values, "a") is present
    assert holds(operator, values, ("a", "b")) is present
    assert holds(operator, values) is absent
    assert holds(operator, values, ()) is absent


# 5.2: operator, policy value, request value, result (None: a type error, false for both signs).
COMPARISONS: list[tuple[str, Any, str, bool | None]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", "\u00e9", "e\u0301", False),
    ("StringEquals", "", "", True),
    ("StringEquals", ["x", "a"], "a", True),
    ("StringEqualsIgnoreCase", "ALICE", "alice", True),
    ("StringEqualsIgnoreCase", "stra\u00dfe", "STRASSE", False),
    ("StringEqualsIgnoreCase", "\u00c9", "\u00e9", True),
    ("StringEqualsIgnoreCase", "a*", "ab", False),
    ("StringLike", "a*", "a:b/c", True),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "A*", "abc", False),
    ("StringLike", ["x", "*c"], "abc", True),
    ("StringLike", ["x", "abc"], "abc", True),
    ("StringLike", "arn:aws:svc:*:1111:fin/*", "arn:aws:svc:us-east-2:9999:store/abc:1111:fin/d", True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", 10, "1e1", True),
    ("NumericEquals", "0.1", "0.10000000000000000000000001", False),
    ("NumericEquals", "10", "10abc", None),
    ("NumericEquals", "ten", "10", None),
    ("NumericEquals", ["10", "ten"], "10", None),
    ("NumericEquals", "NaN", "NaN", None),
    ("DateEquals", "2020-01-01T00:00:00Z", "1577836800", True),
    ("DateEquals", "2020-01-01", "2020-01-01T01:00+01", True),
    ("DateEquals", "2020-01-01", "soon", None),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
    ("IpAddress", "10.0.0.1", "10.0.0.1", True),
    ("IpAddress", "10.0.0.1", "10.0.0.2", False),
    ("IpAddress", "10.0.0.9/29", "10.0.0.15", True),
    ("IpAddress", "0.0.0.0/0", "203.0.113.7", True),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "::/0", "10.0.0.1", False),
    ("IpAddress", "2001:db8::/32", "2001:0db8:0::1", True),
    ("IpAddress", "2001:db8::1", "2001:db8::2", False),
    ("IpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("IpAddress", ["192.0.2.0/24", "10.0.0.0/8"], "10.1.2.3", True),
    ("IpAddress", "10.0.0.0/8", "here", None),
    ("IpAddress", "nowhere", "10.0.0.1", None),
    ("IpAddress", ["nowhere", "10.0.0.0/8"], "10.0.0.1", None),
    ("ArnEquals", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", True),
    ("ArnEquals", "arn:aws:s3:::B/*", "arn:aws:s3:::b/k", False),
    ("ArnEquals", "arn:aws:svc:*:1111:fin/*", "arn:aws:svc:us-east-2:9999:store/abc:1111:fin/d", False),
    ("ArnEquals", "arn:aws:svc:*:9999:store/*", "arn:aws:svc:us-east-2:9999:store/abc:1111:fin/d", True),
    ("ArnEquals", "arn:aws:s3:::b", "arn:aws:s3", None),
    ("ArnEquals", "arn:aws:s3:::b", "x:aws:s3:::b", None),
    ("ArnEquals", "nonsense", "arn:aws:s3:::b", False),
    ("ArnEquals", "arn:*", "arn:aws:s3:::b", True),
    ("ArnLike", "arn:aws:s?:::b", "arn:aws:s3:::b", True),
]
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}


@pytest.mark.parametrize(("operator", "values", "value", "expected"), COMPARISONS)
def test_a_comparison_and_its_negation(operator: str, values: Any, value: str, expected: bool | None) -> None:
    assert holds(operator, values, value) is bool(expected)
    assert holds(NEGATED[operator], values, value) is (expected is False)


@pytest.mark.parametrize(
    ("operator", "less", "equal", "greater"),
    [
        ("LessThan", True, False, False),
        ("LessThanEquals", True, True, False),
        ("GreaterThan", False, False, True),
        ("GreaterThanEquals", False, True, True),
    ],
)
def test_the_orders_have_the_requests_value_on_the_left(operator: str, less: bool, equal: bool, greater: bool) -> None:
    assert [holds(f"Numeric{operator}", "10", value) for value in ("9.99", "10", "10.01")] == [less, equal, greater]
    instants = ("2019-12-31T23:59:59Z", "1577836800", "2020-01-01T00:00:01Z")
    assert [holds(f"Date{operator}", "2020-01-01", value) for value in instants] == [less, equal, greater]


@pytest.mark.parametrize(
    ("values", "value", "expected"),
    [
        ("true", "TRUE", True),
        (True, "true", True),
        ("false", "true", False),
        ("yes", "true", False),
        ("true", "1", False),
        (["true", "yes"], "true", False),
    ],
)
def test_booleans_ignore_case_and_are_nothing_else(values: Any, value: str, expected: bool) -> None:
    assert holds("Bool", values, value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("aGk=", True), ("aGl=", True), ("aGs=", False), ("aGk", False), ("a Gk=", False), ("\u00e9", False)],
)
def test_binary_values_are_compared_as_bytes(value: str, expected: bool) -> None:
    assert holds("BinaryEquals", "aGk=", value) is expected


def test_a_value_of_another_type_among_several_makes_the_whole_condition_false() -> None:
    for values in (("1", "ten"), ("ten", "1")):
        assert not holds("ForAnyValue:NumericEquals", "1", values)
        assert not holds("ForAllValues:NumericNotEquals", "2", values)
        assert not holds("ForAnyValue:NumericNotEquals", "2", values)


def test_an_absent_key_is_absent_even_where_the_policys_value_is_broken() -> None:
    assert holds("NumericNotEquals", "ten")
    assert holds("NumericEqualsIfExists", "ten")
    assert not holds("NumericEquals", "ten")


# variables


def test_variables_in_string_bool_and_arn_values() -> None:
    assert holds("StringEquals", "${v}", "x", v="x")
    assert holds("StringEqualsIgnoreCase", "${v}", "X", v="x")
    assert holds("StringLike", "${v}-*", "x-1", v="x")
    assert holds("StringLike", ["y", "${v}-*"], "y", v="x")
    assert holds("Bool", "${v}", "true", v="TRUE")
    assert not holds("Bool", "${v}", "true", v="x")
    assert holds("ArnEquals", "arn:aws:s3:::${v}/*", "arn:aws:s3:::x/k", v="x")
    assert holds("ArnEquals", "${v}", "arn:aws:s3:::x/k", v="arn:aws:s3:::x/k")
    assert not holds("ArnEquals", "arn:aws:s3:::${v}", "arn:aws:s3:::x", v="*")
    assert not holds("ArnNotEquals", "${v}", "no-arn", v="x")


def test_variables_mean_nothing_to_numbers_dates_addresses_and_bytes() -> None:
    assert not holds("NumericEquals", "${v}", "1", v="1")
    assert not holds("NumericNotEquals", "${v}", "2", v="1")
    assert not holds("IpAddress", "${v}", "10.0.0.1", v="10.0.0.1")
    assert not holds("BinaryEquals", "${v}", "aGk=", v="aGk=")


def test_a_variable_without_a_value_fits_nothing() -> None:
    assert not holds("StringEquals", "${gone}", "x")
    assert holds("StringNotEquals", "${gone}", "x")
    assert holds("StringEquals", ["${gone}", "x"], "x")
    assert not holds("StringNotEquals", ["${gone}", "x"], "x")
    assert not holds("StringLike", "${gone}*", "x")
    assert holds("StringNotLike", "${gone}*", "x")
    assert holds("ArnNotEquals", "${gone}", "arn:aws:s3:::b")


def test_an_escaped_star_is_a_star() -> None:
    assert holds("StringLike", "a${*}b", "a*b")
    assert not holds("StringLike", "a${*}b", "axb")
    assert holds("StringLike", "${$}{${?}}", "${?}")


def test_variables_work_under_set_operators() -> None:
    assert holds("ForAllValues:StringEquals", ["${v}", "y"], ("x", "y"), v="x")
    assert not holds("ForAllValues:StringEquals", ["${v}"], ("x", "y"), v="x")


# the block


def test_every_operator_and_key_must_hold_and_any_value() -> None:
    made = statement(Condition={"StringEquals": {"a": ["1", "2"], "b": "3"}, "Bool": {"c": "true"}})
    full: dict[str, ContextValue] = {"a": "2", "b": "3", "c": "true"}
    assert applies(made, request(context=full))
    for key in full:
        assert not applies(made, request(context=full | {key: "x"}))


def test_key_names_ignore_case_and_so_do_tag_keys() -> None:
    made = statement(Condition={"StringEquals": {"AWS:ResourceTag/Team": "red"}})
    assert applies(made, request(context={"aws:resourcetag/TEAM": "red"}))


def test_an_empty_block_and_an_operator_that_asks_nothing_hold() -> None:
    assert applies(statement(Condition={}))
    assert applies(statement(Condition={"whatever": {}}))


def test_a_context_does_not_print_its_values() -> None:
    context = Context([("aws:PrincipalTag/secret", "value"), ("B", ("x",))])
    assert repr(context) == "Context(aws:principaltag/secret, b)"
    assert context.get("b") == ("x",)
    assert context.get("c") is None


def test_the_keys_that_a_policy_refers_to_are_listed_in_their_first_spelling() -> None:
    made = policy(
        statement(
            Resource=["arn:aws:s3:::${aws:username}/${*}/${aws:PrincipalTag/x, 'd'}", "arn:aws:s3:::b"],
            Condition={
                "StringLike": {"aws:UserAgent": ["${AWS:UserName}", "${s:a}"]},
                "NumericEquals": {"s:n": "${s:x}"},
            },
        )
    )
    assert made.context_keys == ("aws:UserAgent", "AWS:UserName", "s:a", "s:n", "aws:PrincipalTag/x")


@given(st.sampled_from(sorted(NEGATED)), st.text("ab*", max_size=3), st.text("ab", max_size=3))
def test_positive_and_negated_operators_are_complements_on_well_typed_values(
    operator: str, left: str, right: str
) -> None:
    if not operator.startswith("String"):
        number = {"N": (str(len(left)), str(len(right))), "D": (str(len(left)), str(len(right)))}
        address = (f"10.0.0.{len(left)}/31", f"10.0.0.{len(right)}")
        left, right = number.get(
            operator[0], address if operator[0] == "I" else (f"arn:a:b:c:d:{left}", f"arn:a:b:c:d:{right}")
        )
    assert holds(operator, left, right) is not holds(NEGATED[operator], left, right)
