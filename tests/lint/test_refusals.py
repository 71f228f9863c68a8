# SPDX-License-Identifier: Apache-2.0
"""What the compiler refuses is reported as an error, at its place; what it accepts is not reported as refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.errors import PolicyError, Reason
from daypass.lint import RULES, Severity, lint_document
from daypass.lint.refusals import RULES_OF_KIND
from daypass.policy import Kind, compile_policy
from daypass.policy import compile as compiler
from lint.documents import ACCOUNT, allow, federated, place, policy, trusting, unmarked, when

READ, OBJECTS = '"s3:GetObject"', '"arn:aws:s3:::bucket/*"'
GITHUB = "token.actions.githubusercontent.com"
REFUSALS = {
    *(reason.value for reason in Reason if reason.name.startswith("POLICY_")),
    *("json-syntax", "duplicate-name", "unknown-element", "missing-element", "wrong-type", "wrong-value"),
    *("conflicting-elements", "unknown-operator"),
}
"""The codes that say that the compiler refuses."""


def whole(statement: str) -> str:
    """A document whose only statement is marked."""
    return policy(statement).replace("[{", "[«{").replace("}]", "}»]")


REFUSED: list[tuple[Reason, Kind, str]] = [
    (Reason.POLICY_CHARACTERS, Kind.IDENTITY, policy(allow(READ, '"arn:aws:s3:::«\u2019»"'))),
    (Reason.POLICY_CHARACTERS, Kind.IDENTITY, "«\ufeff»" + policy(allow(READ, OBJECTS))),
    (Reason.POLICY_VERSION, Kind.IDENTITY, policy(allow(READ, OBJECTS), version='"Version": «"2008-10-17"», ')),
    (Reason.POLICY_VERSION, Kind.IDENTITY, "«{»" + policy(allow(READ, OBJECTS), version="")[1:]),
    (Reason.POLICY_LEGACY_PARSING, Kind.IDENTITY, policy(f'"Effect": «"allow"», "Action": {READ}, "Resource": "*"')),
    (
        Reason.POLICY_LEGACY_PARSING,
        Kind.IDENTITY,
        policy(allow(READ, OBJECTS, when('"DateLessThan": {"aws:CurrentTime": ["2026-01-01", «"tomorrow"»]}'))),
    ),
    (Reason.POLICY_LEGACY_PARSING, Kind.IDENTITY, policy(allow(READ, '["*", «"arn:aws:s3::b"»]'))),
    (
        Reason.POLICY_SID_REPEATED,
        Kind.IDENTITY,
        policy(*(f'"Sid": {sid}, {allow(READ, OBJECTS)}' for sid in ('"a"', '"b"', '«"a"»'))),
    ),
    (Reason.POLICY_SID_CHARACTERS, Kind.IDENTITY, policy(f'"Sid": «"a-b"», {allow(READ, OBJECTS)}')),
    (Reason.POLICY_ELEMENT_FORBIDDEN, Kind.IDENTITY, policy(allow(READ, OBJECTS) + ', "Principal": «"*"»')),
    (Reason.POLICY_ELEMENT_FORBIDDEN, Kind.SCP, '{«"Id"»: "x", ' + policy(allow(READ, '"*"'))[1:]),
    (
        Reason.POLICY_ELEMENT_FORBIDDEN,
        Kind.TRUST,
        trusting(f'{{"AWS": "{ACCOUNT}"}}', more=', "Resource": «"*"»'),
    ),
    (
        Reason.POLICY_ELEMENT_FORBIDDEN,
        Kind.RCP,
        policy('"Effect": "Deny", "Principal": "*", "NotAction": «"s3:*"», "Resource": "*"'),
    ),
    (Reason.POLICY_EFFECT, Kind.TRUST, trusting(f'{{"AWS": "{ACCOUNT}"}}').replace('"Allow"', '«"allow"»')),
    (
        Reason.POLICY_EFFECT,
        Kind.RCP,
        policy('"Effect": «"Allow"», "Principal": "*", "Action": "s3:*", "Resource": "*"'),
    ),
    (Reason.POLICY_WITHOUT_PRINCIPAL, Kind.TRUST, whole('"Effect": "Allow", "Action": "sts:AssumeRole"')),
    (Reason.POLICY_WITHOUT_PRINCIPAL, Kind.TRUST, trusting('«{"AWS": []}»')),
    (Reason.POLICY_PRINCIPAL_INVALID, Kind.TRUST, trusting(f'{{"AWS": ["{ACCOUNT}", «"arn:aws:iam::1:role/*"»]}}')),
    (Reason.POLICY_PRINCIPAL_INVALID, Kind.TRUST, trusting('«"*"»')),
    (
        Reason.POLICY_NOT_PRINCIPAL_ALLOWS,
        Kind.RESOURCE,
        policy(allow(READ, OBJECTS) + f', "NotPrincipal": «{{"AWS": "{ACCOUNT}"}}»'),
    ),
    (Reason.POLICY_WITHOUT_ACTIONS, Kind.IDENTITY, whole('"Effect": "Allow", "Resource": "*"')),
    (Reason.POLICY_WITHOUT_ACTIONS, Kind.IDENTITY, policy(allow("«[]»", OBJECTS))),
    (Reason.POLICY_ACTION_INVALID, Kind.IDENTITY, policy(allow('["s3:GetObject", «"GetObject"», «"s3*:Get"»]', OBJECTS))),
    (Reason.POLICY_ACTION_NOT_STS, Kind.TRUST, trusting(f'{{"AWS": "{ACCOUNT}"}}', '["sts:AssumeRole", «"s3:GetObject"»]')),
    (Reason.POLICY_WITHOUT_RESOURCES, Kind.IDENTITY, whole('"Effect": "Allow", "Action": "s3:*"')),
    (Reason.POLICY_WITHOUT_RESOURCES, Kind.IDENTITY, policy(allow(READ, "«[null]»"))),
    (Reason.POLICY_RESOURCE_INVALID, Kind.IDENTITY, policy(allow(READ, '["*", «"bucket"», «"arn:aws:iam:eu::role/x"»]'))),
    (Reason.POLICY_ARN_INCOMPLETE, Kind.SESSION, policy(allow(READ, f'[{OBJECTS}, «"arn:aws:s3"»]'))),
    (
        Reason.POLICY_CONDITION_REQUIRED,
        Kind.TRUST,
        trusting('«{"Federated": "cognito-identity.amazonaws.com"}»', '"sts:AssumeRoleWithWebIdentity"'),
    ),
    (
        Reason.POLICY_ISSUER_UNSCOPED,
        Kind.TRUST,
        federated(GITHUB, f'"StringLike": {{"{GITHUB}:sub": "repo:acme*"}}').replace(
            f'"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"', f'«"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"»'
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "kind", "document"), REFUSED)
def test_what_the_compiler_refuses_is_reported_at_its_place(reason: Reason, kind: Kind, document: str) -> None:
    text, places = unmarked(document)
    with pytest.raises(PolicyError) as caught:
        compile_policy(text, kind)
    assert caught.value.reason is reason
    assert [place(finding) for finding in lint_document(text, kind=kind) if finding.code == reason.value] == places


def test_every_reason_of_the_compiler_has_a_rule_and_a_case() -> None:
    reasons = {reason for reason in Reason if reason.name.startswith("POLICY_")}
    assert {reason.value for reason in reasons} <= set(RULES)
    tested_elsewhere = {Reason.POLICY_TOO_LARGE, Reason.POLICY_SYNTAX}  # test_hostile; the codes of shapes
    assert {reason for reason, _, _ in REFUSED} | tested_elsewhere == reasons


def test_every_statement_gets_its_own_refusal() -> None:
    text = policy(allow("[]"), allow('"s3"'), allow(READ, '"bucket"'), allow(READ, OBJECTS))
    found = {finding.statement: finding.code for finding in lint_document(text, kind=Kind.IDENTITY)}
    assert found == {0: "policy-without-actions", 1: "policy-action-invalid", 2: "policy-resource-invalid"}


def test_a_wrong_version_does_not_hide_a_repeated_sid() -> None:
    text = policy(*[f'"Sid": "a", {allow(READ, OBJECTS)}'] * 2, version='"Version": "2008-10-17", ')
    assert {"policy-version", "policy-sid-repeated"} <= {f.code for f in lint_document(text, kind=Kind.IDENTITY)}


def test_the_rules_of_each_kind_are_those_of_the_compiler() -> None:
    assert compiler._RULES == RULES_OF_KIND


TEXTS = ["", "*", "a", "s3:Get*", "sts:AssumeRole", "arn:aws:s3:::b", "arn:aws:iam::123456789012:role/r", ACCOUNT]
MORE = ["2012-10-17", "2008-10-17", "${aws:username}", "true", "10.0.0.0/8", "2026-01-01"]
VALUE: st.SearchStrategy[Any] = st.sampled_from([*TEXTS, *MORE, None, 1, True, [], ["*", "a:b"], {}])
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Allow", "Deny", "allow", 1])},
    optional={
        "Sid": st.sampled_from(["", "a", "b", "a b", 1]),
        "Principal": VALUE | st.fixed_dictionaries({}, optional={"AWS": VALUE, "Federated": VALUE, "Nobody": VALUE}),
        "NotPrincipal": st.just({"AWS": ACCOUNT}),
        "Action": VALUE,
        "NotAction": VALUE,
        "Resource": VALUE,
        "NotResource": VALUE,
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "ForAllValues:StringLike", "DateLessThan", "Bool", "Nonsense"]),
            st.dictionaries(st.sampled_from(["aws:username", "s3:prefix", "x"]), VALUE, max_size=2) | VALUE,
            max_size=2,
        ),
        "Other": VALUE,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {"Statement": st.lists(STATEMENT, max_size=3) | STATEMENT},
    optional={
        "Version": st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17", 1]),
        "Id": st.sampled_from(["a", 1]),
    },
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENT.map(json.dumps), st.sampled_from(Kind))
def test_a_document_is_reported_as_refused_exactly_when_the_compiler_refuses_it(text: str, kind: Kind) -> None:
    reported = {finding.code for finding in lint_document(text, kind=kind)} & REFUSALS
    try:
        compile_policy(text, kind)
    except PolicyError:
        assert reported
    else:
        assert not reported


def test_refusals_are_errors() -> None:
    assert {RULES[code].severity for code in REFUSALS} == {Severity.ERROR}
