# SPDX-License-Identifier: Apache-2.0
"""
Documents and requests that somebody made to hurt: every kind of document refuses or decides them, in linear time.

Times are of this thread's processor, and compared with one another: four times the input may take ten times as long, which
what grows with the square does not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from daypass.errors import Reason
from daypass.identity import ContextValue
from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, Request, compile_policy, decide, explain, limits
from daypass.principal import Anonymous, FederatedCaller, Service
from policy.making import ALICE, ALLOW_ALL, HOME, OBJECT, SESSION, document, reason, request, statement
from policy.test_conditions import holds
from policy.test_document import HOSTILE

R = Reason
HAS_PRINCIPAL = (Kind.RESOURCE, Kind.TRUST, Kind.RCP, Kind.VPC_ENDPOINT)
MAY_ALLOW = tuple(kind for kind in Kind if kind is not Kind.RCP)


def of_kind(kind: Kind, **elements: Any) -> dict[str, Any]:
    """A statement that the kind accepts, but for the elements given."""
    made = statement("Deny" if kind is Kind.RCP else "Allow", Action="s3:*")
    if kind in HAS_PRINCIPAL:
        made["Principal"] = "*" if kind is Kind.RCP else {"AWS": HOME}
    if kind is Kind.TRUST:
        made["Action"] = "sts:AssumeRole"
        del made["Resource"]
    return {name: value for name, value in (made | elements).items() if value is not None}


def layers_of(kind: Kind, named: NamedPolicy) -> Layers:
    """The layers with the policy in its place, and nothing else that would deny."""
    full = (NamedPolicy("full", compile_policy(document(ALLOW_ALL), Kind.IDENTITY)),)
    return {
        Kind.IDENTITY: Layers(identity=(named,)),
        Kind.BOUNDARY: Layers(identity=full, boundary=named),
        Kind.SESSION: Layers(identity=full, session=(named,)),
        Kind.RESOURCE: Layers(identity=full, resource=named),
        Kind.TRUST: Layers(identity=full, resource=named, explicit_trust_required=True),
        Kind.SCP: Layers(identity=full, scps=(Level("root", (named,)),)),
        Kind.RCP: Layers(identity=full, rcps=(Level("root", (named,)),)),
        Kind.VPC_ENDPOINT: Layers(identity=full, vpc_endpoint=named),
    }[kind]


def spent(work: Callable[[], object]) -> float:
    """The least time of this thread's processor in three runs."""
    found = []
    for _ in range(3):
        started = time.thread_time()
        work()
        found.append(time.thread_time() - started)
    return min(found)


def is_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """``work`` makes ready for a size, and returns what is measured."""
    small, large = spent(work(size)), spent(work(4 * size))
    assert large < 10 * small + 0.01, (small, large)


# Documents


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_document_refuses_a_hostile_one_with_a_reason(name: str, kind: Kind) -> None:
    assert reason(HOSTILE[name], kind) in R


@pytest.mark.parametrize("kind", Kind)
def test_what_can_be_refused_by_its_form_is_refused_alike_by_every_kind(kind: Kind) -> None:
    fits = document(of_kind(kind))
    twice = fits.replace('"Effect"', '"Effect": "Deny", "Effect"')
    assert reason(fits + " " * limits.MAX_DOCUMENT, kind) is R.POLICY_TOO_LARGE
    assert reason(document(*[of_kind(kind)] * 100_000), kind) is R.POLICY_TOO_LARGE
    assert reason("[" * 10_000_000, kind) is R.POLICY_TOO_LARGE
    assert reason("[" * 10_000, kind) is R.POLICY_SYNTAX
    assert reason(twice, kind) is R.POLICY_SYNTAX
    for sign, expected in (("\x00", R.POLICY_CHARACTERS), ("\ud800", R.POLICY_CHARACTERS)):
        assert reason(fits.replace("Statement", f"Statement{sign}"), kind) is expected
    for escape in ("\\u0000", "\\ud800", "\\udfff"):
        assert reason(fits.replace('"Effect"', f'"Sid": "a{escape}", "Effect"'), kind) is R.POLICY_SYNTAX


@pytest.mark.parametrize("kind", Kind)
def test_as_many_statements_as_fit_are_read_in_linear_time(kind: Kind) -> None:
    is_linear(lambda size: compiling(kind, *[of_kind(kind)] * size), 150)


def compiling(kind: Kind, *statements: dict[str, Any]) -> Callable[[], object]:
    """Compile the statements; another white space each time, for what is the same is only remembered."""
    text = document(*statements)
    spaces = iter(range(1, 100))
    return lambda: compile_policy(text + " " * next(spaces), kind)


def test_as_many_principals_as_fit_are_read_in_linear_time() -> None:
    def work(size: int) -> Callable[[], object]:
        entries = [f"arn:aws:iam::{number:012}:role/r" for number in range(size)]
        return compiling(Kind.RESOURCE, statement(Principal={"AWS": entries}))

    is_linear(work, 800)
    hundred_thousand = document(statement(Principal={"AWS": [HOME] * 100_000}))
    assert reason(hundred_thousand, Kind.RESOURCE) is R.POLICY_TOO_LARGE


def test_as_many_values_as_fit_are_read_in_linear_time_and_a_hundred_thousand_are_refused() -> None:
    def work(size: int) -> Callable[[], object]:
        values = [f"*{number:x}?" for number in range(size)]
        return compiling(Kind.IDENTITY, statement(Condition={"StringLike": {"k": values}}))

    is_linear(work, 2_500)
    assert reason(document(statement(Condition={"StringLike": {"k": ["a"] * 100_000}}))) is R.POLICY_TOO_LARGE


# Conditions: operator, policy value, request value. All are decided: none holds.
LONG = 100_000
DIGITS = "9" * 1_000_000
CONDITIONS = {
    "a pattern of wildcards": ("StringLike", "*?" * 5_000 + "x", "a" * LONG),
    "a pattern that almost fits": ("StringLike", "*a" * 10_000 + "b", "a" * LONG),
    "an arn of wildcards": ("ArnLike", "arn:aws:s3:::" + "*?" * 5_000 + "x", "arn:aws:s3:::" + "a" * LONG),
    "an arn of colons": ("ArnLike", "arn:aws:s3:::x", ":" * LONG),
    "a number of a million digits": ("NumericEquals", "1", DIGITS),
    "a fraction of a million digits": ("NumericGreaterThan", "1", f"0.{DIGITS}"),
    "an enormous exponent": ("NumericLessThan", "1", "1e999999999"),
    "an exponent beyond decimals": ("NumericGreaterThan", "1", f"1e{DIGITS}"),
    "an exponent of nothing": ("NumericGreaterThan", "1", "1e-999999999"),
    "a negative exponent beyond decimals": ("NumericEquals", "0", f"1e-{DIGITS}"),
    "enormous on both sides": ("NumericEquals", "1e999999998", "1e999999999"),
    "a date of a million digits": ("DateLessThan", "2020-01-01", DIGITS),
    "a year of nine digits": ("DateLessThan", "2020-01-01", "292278993-12-31T23:59:59Z"),
    "a year before all": ("DateGreaterThan", "2020-01-01", "-292275054-01-01"),
    "a fraction of a million digits of a second": ("DateEquals", "2020-01-01", f"2020-01-01T00:00:00.{DIGITS}Z"),
    "base64 of a million": ("BinaryEquals", "aGk=", "A" * 1_000_000),
    "base64 of padding": ("BinaryEquals", "aGk=", "=" * 1_000_000),
    "an address of a million": ("IpAddress", "10.0.0.0/8", "1" * 1_000_000),
    "an address of colons": ("IpAddress", "::/0", ":" * 45),
    "an address with a zone": ("IpAddress", "::/0", "fe80::1%eth0"),
    "an address with two gaps": ("IpAddress", "::/0", "1::2::3"),
    "an address with leading zeros": ("IpAddress", "10.0.0.0/8", "010.0.0.1"),
    "an address in brackets": ("IpAddress", "::/0", "[::1]"),
    "an address of nine groups": ("IpAddress", "::/0", "1:2:3:4:5:6:7:8:9"),
    "a mapped address of another net": ("IpAddress", "::/0", "::ffff:10.0.0.1"),
    "half a surrogate": ("StringEqualsIgnoreCase", "a", "\ud800"),
    "half a surrogate as base64": ("BinaryEquals", "aGk=", "\udfff"),
    "half a surrogate as an address": ("IpAddress", "10.0.0.0/8", "\ud800"),
    "nul": ("StringLike", "a*", "\x00" * LONG),
    "nul in a number": ("NumericEquals", "1", "1\x00"),
    "digits of another script": ("NumericEquals", "1", "\u0661"),
    "unclosed variables": ("StringEquals", "${" * 30_000, "x"),
    "a variable in a variable": ("StringEquals", "${" * 5_000 + "k" + "}" * 5_000, "x"),
    "a default of quotes": ("StringEquals", "${gone, '" + "'" * 30_000 + "'}", "x"),
    "a variable of a long name": ("StringEquals", "${" + "k" * 100_000 + "}", "x"),
    "a name of blanks": ("StringLike", "${" + " " * 100_000 + "}", "x"),
}
FAMILIES = {"StringEquals": "StringNotEquals", "StringLike": "StringNotLike", "ArnLike": "ArnNotLike"}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_hostile_condition_is_decided_and_explained(name: str) -> None:
    operator, value, asked = CONDITIONS[name]
    assert not holds(operator, value, asked)
    negated = FAMILIES.get(operator)
    if negated is not None and name != "an arn of colons":  # which is no ARN, and so fits neither
        assert holds(negated, value, asked)
    made = NamedPolicy("p", compile_policy(document(statement(Condition={operator: {"k": value}})), Kind.IDENTITY))
    found = explain(request(context={"k": asked}), Layers(identity=(made,))).to_dict()
    assert found["decision"] == "implicitDeny"


@pytest.mark.parametrize("kind", MAY_ALLOW)
@pytest.mark.parametrize("name", ["a pattern of wildcards", "an arn of wildcards", "an enormous exponent", "nul"])
def test_a_hostile_condition_does_not_hold_in_any_kind_of_document(name: str, kind: Kind) -> None:
    operator, value, asked = CONDITIONS[name]
    text = document(of_kind(kind, Condition={operator: {"k": value}}))
    action = "sts:AssumeRole" if kind is Kind.TRUST else "s3:GetObject"
    layers = layers_of(kind, NamedPolicy("p", compile_policy(text, kind)))
    found = decide(Request(action, OBJECT, HOME, SESSION, Context({"k": asked})), layers)
    assert found.allowed is (kind is Kind.RESOURCE)  # whose silence leaves it to the identity policy


def test_a_hostile_condition_of_a_resource_control_policy_denies_nobody() -> None:
    for operator, value, asked in CONDITIONS.values():
        text = document(of_kind(Kind.RCP, Condition={operator: {"k": value}}))
        layers = layers_of(Kind.RCP, NamedPolicy("p", compile_policy(text, Kind.RCP)))
        assert decide(request(context={"k": asked}), layers).allowed


GROWING: dict[str, Callable[[int], tuple[str, Any, Any]]] = {
    "wildcards against a long text": lambda size: ("StringLike", "*?" * 500 + "x", "a" * size * 10),
    "a long pattern": lambda size: ("StringLike", "*a?" * (size // 2) + "b", "a" * 5_000),
    "a long text in an arn": lambda size: ("ArnLike", "arn:a:b:c:d:*?*b?x", "arn:a:b:c:d:" + "b" * size * 10),
    "digits": lambda size: ("NumericEquals", "1", "1" * size * 50),
    "base64": lambda size: ("BinaryEquals", "aGk=", "AAAA" * size * 50),
    "many values of the request": lambda size: ("ForAllValues:StringLike", "a*b", tuple(["aab"] * size)),
    "many values of the policy": lambda size: ("StringLike", [f"*{number:x}" for number in range(size)], "y"),
    "one variable many times": lambda size: ("StringLike", "${v}" * size + "*", "x" * size),
    "one variable many times, equal": lambda size: ("StringEquals", "${v}" * size, "x" * size),
    "one variable many times in an arn": lambda size: ("ArnLike", "arn:a:b:c:d:" + "${v}" * size, "arn:a:b:c:d:x"),
    "escaped stars": lambda size: ("StringLike", "${*}" * size + "x", "*" * size),
}


@pytest.mark.parametrize("name", GROWING)
def test_a_hostile_condition_takes_linear_time(name: str) -> None:
    def work(size: int) -> Callable[[], object]:
        operator, value, asked = GROWING[name](size)
        text = document(statement(Condition={operator: {"k": value}}))
        layers = Layers(identity=(NamedPolicy("p", compile_policy(text, Kind.IDENTITY)),))
        asking = request(context={"k": asked, "v": "x"})
        return lambda: decide(asking, layers)

    is_linear(work, 2_000)


# Variables make short patterns long


@pytest.mark.parametrize("operator", ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike"])
def test_a_variable_named_ten_thousand_times_does_not_make_a_gigabyte(operator: str) -> None:
    start = "arn:a:b:c:d:" if operator == "ArnLike" else ""
    started = time.thread_time()
    assert not holds(operator, start + "${v}" * 10_000, start + "x", v="x" * 100_000)
    assert time.thread_time() - started < 4  # a second on a slow machine; a minute if the texts were made
    assert holds(operator, start + "${v}" * 1_000, start + "x" * 200_000, v="x" * 200)
    assert not holds(operator, start + "${v}" * 1_000, start + "x" * 200_001, v="x" * 200)
    assert holds(operator, [start + "${v}" * 1_000, start + "y"], start + "y", v="x" * 200)


def test_a_long_text_made_of_variables_equals_what_differs_in_case_only() -> None:
    assert holds("StringEqualsIgnoreCase", "${v}" * 1_000, "X" * 100_000, v="x" * 100)
    assert holds("StringEqualsIgnoreCase", "${v}" * 1_000, "\u0130" * 100_000, v="i\u0307" * 100)
    assert not holds("StringNotEqualsIgnoreCase", "${v}" * 1_000, "X" * 100_000, v="x" * 100)


def test_a_long_text_made_of_variables_is_no_boolean() -> None:
    assert not holds("Bool", "${v}" * 1_000, "true", v="x" * 100)
    assert not holds("Bool", ["true", "${v}" * 1_000], "true", v="x" * 100)


def test_a_resource_made_long_by_variables_is_matched_but_not_remembered_and_shown_in_part() -> None:
    made = NamedPolicy(
        "p", compile_policy(document(statement(Resource="arn:aws:s3:::" + "${v}" * 1_000)), Kind.IDENTITY)
    )
    layers = Layers(identity=(made,))
    key = "x" * 100_000
    assert decide(request(resource=f"arn:aws:s3:::{key}", context={"v": "x" * 100}), layers).allowed
    assert not decide(request(resource=f"arn:aws:s3:::{key}y", context={"v": "x" * 100}), layers).allowed
    element = made.policy.statements[0].resource
    assert element is not None
    assert element.patterns[0]._template is not None
    assert element.patterns[0]._template._remembered == {}
    shown = explain(request(context={"v": "x" * 100}), layers).to_dict()["statements"][0]["resource"]["entries"][0]
    assert shown["resolved"] == "arn:aws:s3:::" + "x" * limits.MAX_SHOWN + "..."


# Requests
TEXTS = {
    "empty": "",
    "half a surrogate": "\ud800",
    "nul": "\x00",
    "a megabyte": "a" * 1_000_000,
    "colons": ":" * 100_000,
    "stars": "*" * 100_000,
    "variables": "${aws:username}" * 6_000,
    "line ends": "\r\n" * 1_000,
}
BROAD = statement(
    Action=["s3:*", "*"],
    Resource=["arn:aws:s3:::b/${k}*", "arn:*:s?:*:*:*x?y"],
    Condition={"StringLikeIfExists": {"k": ["*?*x", "${k}"]}, "NumericEqualsIfExists": {"n": 1}},
)


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_request_is_decided_and_explained(name: str) -> None:
    text = TEXTS[name]
    layers = Layers(identity=(NamedPolicy("p", compile_policy(document(BROAD), Kind.IDENTITY)),))
    for action, resource, value in (
        (text, text, "x"),
        (f"s3:{text}", f"arn:aws:s3:::{text}", "x"),
        ("s3:GetObject", OBJECT, text),
    ):
        context: dict[str, ContextValue] = {"k": value, text: value, "many": (text,) * 10}
        asked = Request(action, resource, HOME, ALICE, Context(context))
        found = explain(asked, layers)
        assert found.decision == decide(asked, layers)
        assert json.dumps(found.to_dict())


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_name_of_a_caller_is_nobodys(name: str) -> None:
    text = TEXTS[name]
    made = compile_policy(
        document(statement(Principal={"AWS": ALICE.arn, "Service": "s", "Federated": "f"})), Kind.RESOURCE
    )
    for who in (Service(text), FederatedCaller(text), Anonymous()):
        assert not decide(request(who=who), Layers(resource=NamedPolicy("p", made))).allowed


def test_a_hundred_thousand_context_keys_and_values_are_decided_in_linear_time() -> None:
    made = statement(Condition={"ForAllValues:StringLike": {"k": ["a*", "*z"]}})
    layers = Layers(identity=(NamedPolicy("p", compile_policy(document(made), Kind.IDENTITY)),))

    def work(size: int) -> Callable[[], object]:
        keys: dict[str, ContextValue] = {f"K{number}": "x" for number in range(size)}
        return lambda: decide(request(context={**keys, "k": ("ab",) * size}), layers)

    is_linear(work, 25_000)
