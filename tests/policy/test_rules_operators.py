# SPDX-License-Identifier: Apache-2.0
"""
A golden case for every operator in every situation: the tables of sections 5.1 and 5.2, row by row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from daypass.errors import Reason
from daypass.policy.document import Operator
from policy.making import document, reason, statement
from policy.test_conditions import ABSENT, holds


class Golden(NamedTuple):
    """
    An operator with a policy value, a request value for which it holds, one for which it does not, and one that is not of
    its type (None: every text is). ``other`` is a policy value that changes nothing beside the first.
    """

    operator: str
    policy: str
    other: str
    fits: str
    misses: str
    untyped: str | None


BUCKET, QUEUE = "arn:aws:s3:::b/k", "arn:aws:sqs:eu-west-1:111111111111:q"
OPERATORS = [
    Golden("StringEquals", "a", "z", "a", "A", None),
    Golden("StringNotEquals", "a", "z", "A", "a", None),
    Golden("StringEqualsIgnoreCase", "a", "z", "A", "b", None),
    Golden("StringNotEqualsIgnoreCase", "a", "z", "b", "A", None),
    Golden("StringLike", "a*", "z", "a/b:c", "ba", None),
    Golden("StringNotLike", "a*", "z", "ba", "a/b:c", None),
    Golden("NumericEquals", "10", "77", "1e1", "10.1", "ten"),
    Golden("NumericNotEquals", "10", "77", "10.1", "1e1", "ten"),
    Golden("NumericLessThan", "10", "9", "9.9", "10", "0x1"),
    Golden("NumericLessThanEquals", "10", "9", "10", "10.1", "NaN"),
    Golden("NumericGreaterThan", "10", "11", "10.1", "10", "10abc"),
    Golden("NumericGreaterThanEquals", "10", "11", "10", "9.9", ""),
    Golden("DateEquals", "2020-01-01", "1999-01", "1577836800", "1577836801", "soon"),
    Golden("DateNotEquals", "2020-01-01", "1999-01", "1577836801", "1577836800", "soon"),
    Golden("DateLessThan", "2020-01-01", "1999-01", "2019-12-31T23:59:59Z", "2020-01-01", "2020-13"),
    Golden("DateLessThanEquals", "2020-01-01", "1999-01", "2020-01-01T00:00Z", "2020-01-02", "-1"),
    Golden("DateGreaterThan", "2020-01-01", "2040-01", "2020-01-01T00:00:01Z", "1577836800", ""),
    Golden("DateGreaterThanEquals", "2020-01-01", "2040-01", "1577836800", "1577836799", "1.5"),
    Golden("Bool", "true", "TRUE", "True", "false", "1"),
    Golden("BinaryEquals", "aGk=", "eno=", "aGk=", "aGs=", "%%"),
    Golden("IpAddress", "10.0.0.0/8", "192.0.2.1", "10.1.2.3", "11.1.2.3", "here"),
    Golden("NotIpAddress", "10.0.0.0/8", "192.0.2.1", "2001:db8::1", "10.1.2.3", "here"),
    Golden("ArnEquals", "arn:aws:s3:::*", QUEUE + "x", BUCKET, QUEUE, "arn:aws:s3"),
    Golden("ArnNotEquals", "arn:aws:s3:::*", QUEUE + "x", QUEUE, BUCKET, "arn:aws:s3"),
    Golden("ArnLike", "arn:aws:s?:::b/*", QUEUE + "x", BUCKET, QUEUE, "b/k"),
    Golden("ArnNotLike", "arn:aws:s?:::b/*", QUEUE + "x", QUEUE, BUCKET, "b/k"),
]
every_operator = pytest.mark.parametrize("golden", OPERATORS, ids=lambda golden: golden.operator)


def test_the_table_has_a_row_for_every_operator_but_null() -> None:
    named = {golden.operator for golden in OPERATORS}
    assert len(named) == len(OPERATORS) == 26
    assert all(Operator.parse(name) is not None for name in named)
    text = document(statement(Condition={"StringEqualsOrNot": {"k": "v"}}))
    assert reason(text) is Reason.POLICY_SYNTAX


# 5.1


@every_operator
def test_an_absent_key_holds_for_ifexists_forallvalues_and_negated_operators(golden: Golden) -> None:
    negated = "Not" in golden.operator
    for absent in (ABSENT, ()):
        assert holds(golden.operator, golden.policy, absent) is negated
        assert holds(f"{golden.operator}IfExists", golden.policy, absent)
        assert holds(f"ForAllValues:{golden.operator}", golden.policy, absent)
        assert holds(f"ForAllValues:{golden.operator}IfExists", golden.policy, absent)
        assert not holds(f"ForAnyValue:{golden.operator}", golden.policy, absent)


@every_operator
def test_a_foranyvalue_with_ifexists_holds_for_an_absent_key_ambiguous_default(golden: Golden) -> None:
    assert holds(f"ForAnyValue:{golden.operator}IfExists", golden.policy)
    assert not holds(f"ForAnyValue:{golden.operator}IfExists", golden.policy, golden.misses)


@every_operator
def test_a_single_value_is_compared_also_with_ifexists_and_as_a_set_of_one(golden: Golden) -> None:
    for prefix in ("", "ForAllValues:", "ForAnyValue:"):
        for suffix in ("", "IfExists"):
            assert holds(prefix + golden.operator + suffix, golden.policy, golden.fits)
            assert not holds(prefix + golden.operator + suffix, golden.policy, golden.misses)


@every_operator
def test_a_list_without_a_set_operator_never_holds(golden: Golden) -> None:
    for value in (golden.fits, golden.misses):
        assert not holds(golden.operator, golden.policy, (value,))
        assert not holds(f"{golden.operator}IfExists", golden.policy, (value, value))


@every_operator
def test_forallvalues_asks_every_value_and_foranyvalue_one(golden: Golden) -> None:
    cases = [
        ((golden.fits, golden.fits), True, True),
        ((golden.fits, golden.misses), False, True),
        ((golden.misses, golden.fits), False, True),
        ((golden.misses, golden.misses), False, False),
    ]
    for values, every, some in cases:
        assert holds(f"ForAllValues:{golden.operator}", golden.policy, values) is every
        assert holds(f"ForAnyValue:{golden.operator}", golden.policy, values) is some


@every_operator
def test_several_policy_values_are_or_and_for_negated_operators_nor(golden: Golden) -> None:
    for values in ([golden.policy, golden.other], [golden.other, golden.policy]):
        assert holds(golden.operator, values, golden.fits)
        assert not holds(golden.operator, values, golden.misses)


@every_operator
def test_a_value_that_is_not_of_the_type_holds_for_nothing(golden: Golden) -> None:
    if golden.untyped is None:
        return
    for name in (golden.operator, f"{golden.operator}IfExists"):
        for prefix in ("", "ForAllValues:", "ForAnyValue:"):
            assert not holds(prefix + name, golden.policy, golden.untyped)
    assert not holds(f"ForAnyValue:{golden.operator}", golden.policy, (golden.fits, golden.untyped))


# 5.2: whether variables and wildcards mean anything in the policy's value.
STRINGS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike")
VARIABLES_MEAN = [
    *((name, "${v}", "x", {"v": "x"}) for name in STRINGS),
    ("Bool", "${v}", "true", {"v": "true"}),
    *((name, "arn:aws:s3:::${v}", "arn:aws:s3:::x", {"v": "x"}) for name in ("ArnEquals", "ArnLike")),
]
VARIABLES_ARE_TEXT = [
    ("NumericEquals", "${v}", "1", "1"),
    ("NumericLessThan", "${v}", "0", "1"),
    ("BinaryEquals", "${v}", "aGk=", "aGk="),
    ("IpAddress", "${v}", "10.0.0.1", "10.0.0.1"),
    ("Null", "${v}", "x", "false"),
]
WILDCARDS = [
    ("StringEquals", "a*", "ab", False),
    ("StringEqualsIgnoreCase", "a*", "ab", False),
    ("StringLike", "a*", "ab", True),
    ("NumericEquals", "1*", "10", False),
    ("Bool", "t*", "true", False),
    ("BinaryEquals", "aG*=", "aGk=", False),
    ("IpAddress", "10.0.0.*", "10.0.0.1", False),
    ("ArnEquals", "arn:aws:s3:::*", BUCKET, True),
    ("ArnLike", "arn:aws:s3:::*", BUCKET, True),
    ("Null", "*", "x", False),
]


@pytest.mark.parametrize(("operator", "value", "asked", "more"), VARIABLES_MEAN)
def test_variables_are_filled_in_for_strings_booleans_and_arns(
    operator: str, value: str, asked: str, more: dict[str, Any]
) -> None:
    assert holds(operator, value, asked, **more)
    assert not holds(operator, value, asked)


@pytest.mark.parametrize(("operator", "value", "asked", "variable"), VARIABLES_ARE_TEXT)
def test_variables_are_text_for_every_other_operator(operator: str, value: str, asked: str, variable: str) -> None:
    assert not holds(operator, value, asked, v=variable)
    assert holds(operator, variable if operator != "NumericLessThan" else "1", asked)


def test_a_variable_in_a_date_is_refused_when_it_is_written() -> None:
    text = document(statement(Condition={"DateEquals": {"k": "${v}"}}))
    assert reason(text) is Reason.POLICY_LEGACY_PARSING


@pytest.mark.parametrize(("operator", "value", "asked", "expected"), WILDCARDS)
def test_wildcards_mean_something_for_stringlike_and_arns_only(
    operator: str, value: str, asked: str, expected: bool
) -> None:
    assert holds(operator, value, asked) is expected
