# SPDX-License-Identifier: Apache-2.0
"""No text makes the linter raise, or take long: bounded, and linear below the bounds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.lint import Severity, guess_kind, json_report, lint_document, sarif_report, text_report
from daypass.lint.limits import MAX_FINDINGS
from daypass.lint.report import Linted
from daypass.policy import Kind
from daypass.policy.limits import MAX_DOCUMENT
from lint.documents import allow, codes, policy

SECONDS = 8.0
"""Generous for a loaded machine: the slowest takes a second, and what is not linear takes minutes."""
HEAD, TAIL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ', "}]}"


def filled(unit: Callable[[int], str], head: str, tail: str) -> str:
    """As many units as fit into a document of the greatest length."""
    number = (MAX_DOCUMENT - len(head) - len(tail)) // (len(unit(100_000)) + 1)
    return head + ",".join(map(unit, range(number))) + tail


HOSTILE = {
    "ten-megabytes": "x" * 10_000_000,
    "ten-megabytes-of-lines": "\n" * 10_000_000,
    "deep-lists": "[" * 10_000,
    "deep-objects": '{"Statement":' * 10_000,
    "nul": "\0" * 100_000,
    "lone-surrogates": "\ud800" * 100_000,
    "escaped-lone-surrogate": policy(allow('"\\ud800"')),
    "statements": '{"Statement":[' + ",".join(["{}"] * 100_000) + "]}",
    "statements-that-fit": '{"Statement":[' + ",".join(["{}"] * 40_000) + "]}",
    "same-name": filled(lambda index: '"a":1', "{", "}"),
    "names": filled(lambda index: f'"Versio{index}":1', "{", "}"),
    "digits": '{"Version":' + "9" * 120_000 + "}",
    "wild-actions": filled(lambda index: f'"ec2:*{index}*a?b"', HEAD + "[", '],"Resource":"*"' + TAIL),
    "unknown-actions": filled(lambda index: f'"ec2:DescribeInstancez{index}"', HEAD + "[", '],"Resource":"*"' + TAIL),
    "unknown-services": filled(lambda index: f'"s{index}:x"', HEAD + "[", '],"Resource":"*"' + TAIL),
    "resources": filled(lambda index: f'"arn:aws:ec2:*:*:*x*{index}*"', HEAD + '["ec2:*"],"Resource":[', "]" + TAIL),
    "stars": HEAD + '"ec2:*","Resource":"arn:aws:ec2:*:*:' + "*a?" * 40_000 + '"' + TAIL,
    "every-action": filled(lambda index: '"ec2:*"', HEAD + "[", '],"Resource":"arn:aws:ec2:*:*:instance/*"' + TAIL),
    "every-action-of-a-condition": filled(
        lambda index: '"ec2:*"', HEAD + "[", '],"Resource":"*","Condition":{"Bool":{"ec2:Public":"true"}}' + TAIL
    ),
    "services": filled(
        lambda index: f'"{["s3", "ec2", "iam", "sqs", "sns", "kms"][index % 6]}:{"?" * (index % 9)}*"',
        HEAD + "[",
        '],"Resource":["arn:aws:s3:::b/*","arn:aws:sqs:*:*:q"]' + TAIL,
    ),
    "keys": filled(lambda index: f'"ec2:key{index}":"*"', HEAD + '"ec2:*","Resource":"*","Condition":{"Bool":{', "}}" + TAIL),
    "variables": HEAD + '"s3:*","Resource":"arn:aws:s3:::' + "${aws:usernam}" * 9_000 + '"' + TAIL,
    "open-variables": HEAD + '"s3:GetObject","Resource":"arn:aws:s3:::' + "${" * 60_000 + '"' + TAIL,
    "alike-statements": filled(
        lambda index: f'{{"Effect":"Allow","Action":"s3:Get{index}","Resource":"*"}}', '{"Statement":[', "]}"
    ),
    "principals": filled(
        lambda index: f'"{index:012d}"', HEAD + '"s3:*","Resource":"*","Principal":{"AWS":[', "]}" + TAIL
    ),
    "issuers": filled(
        lambda index: '"gitlab.com"',
        HEAD + '"sts:*","Condition":{"StringLike":{' + ",".join(f'"gitlab.com:x{i}":"a"' for i in range(1_000)) + "}},"
        '"Principal":{"Federated":[',
        "]}" + TAIL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long_or_raises(name: str) -> None:
    text = HOSTILE[name]
    start = time.process_time()
    findings = lint_document(text, account="123456789012")
    guess_kind(text)
    assert time.process_time() - start < SECONDS
    assert findings
    assert len(findings) <= MAX_FINDINGS + 1
    json.dumps(sarif_report([Linted("x", text, Kind.IDENTITY, findings)]))


def test_the_longest_document_is_read_and_one_character_more_is_not() -> None:
    document = policy(allow('"s3:GetObject"', '"arn:aws:s3:::b/c"'))
    longest = document + " " * (MAX_DOCUMENT - len(document))
    assert lint_document(longest) == ()
    [finding] = lint_document(longest + " ")
    assert (finding.code, finding.severity) == ("policy-too-large", Severity.ERROR)


TEXT = st.text() | st.text(alphabet=st.characters())
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
PIECE = st.sampled_from(
    ["s3:", "iam:*", "arn:aws:s3:::", "${", "}", "*", "?", ":", "/", "aws:", "a.b:sub", "\\", "\ud800", "é"]
)
STRING = st.lists(PIECE | TEXT, max_size=6).map("".join)
STRINGS = STRING | st.lists(STRING, max_size=3)
STATEMENT = st.fixed_dictionaries(
    {},
    optional={
        "Effect": st.sampled_from(["Allow", "Deny"]) | VALUE,
        "Sid": STRING | VALUE,
        **dict.fromkeys(("Action", "NotAction", "Resource", "NotResource"), STRINGS | VALUE),
        "Principal": STRING | st.dictionaries(st.sampled_from(["AWS", "Federated", "Service"]), STRINGS) | VALUE,
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "ArnLike", "IpAddress", "ForAllValues:Bool", "Null", "X"]),
            st.dictionaries(STRING, STRINGS | VALUE, max_size=3) | VALUE,
            max_size=3,
        )
        | VALUE,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={"Version": st.just("2012-10-17") | VALUE, "Statement": st.lists(STATEMENT, max_size=3) | VALUE},
)


@settings(max_examples=250, deadline=None)
@given(
    TEXT | VALUE.map(json.dumps) | DOCUMENT.map(json.dumps) | DOCUMENT.map(lambda d: json.dumps(d, ensure_ascii=False)),
    st.sampled_from([None, *Kind]),
)
def test_arbitrary_text_never_raises_and_every_position_is_in_the_text(text: str, kind: Kind | None) -> None:
    findings = lint_document(text, kind=kind, account="123456789012")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for finding in findings:
        assert (finding.line, finding.column) <= (finding.end_line, finding.end_column)
        assert finding.end_line <= len(lines)
        assert finding.column <= len(lines[finding.line - 1]) + 2  # behind the line, if "\r\n" ends it
        assert finding.message.isprintable()
    linted = [Linted("x", text, guess_kind(text), findings)]
    json.dumps([sarif_report(linted), json_report(linted)])
    for line in text_report(linted, caret=True):
        line.encode("utf-8")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (allow('"s3:GetObject"'), Kind.IDENTITY),
        ('"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"', Kind.TRUST),
        ('"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "STS:TagSession"]', Kind.TRUST),
        ('"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "s3:GetObject"]', Kind.RESOURCE),
        ('"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"', Kind.RESOURCE),
        ('"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"', Kind.RESOURCE),
        ('"Effect": "Allow", "Principal": "*"', Kind.RESOURCE),
        ('"Effect": 5', Kind.IDENTITY),
    ],
)
def test_the_kind_is_guessed_from_principals_and_actions(statement: str, kind: Kind) -> None:
    assert guess_kind(policy(statement)) is kind
    assert codes(policy(statement)) == codes(policy(statement), kind)
