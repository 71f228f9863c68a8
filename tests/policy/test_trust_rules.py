# SPDX-License-Identifier: Apache-2.0
"""
What is checked in a role trust policy: sections 2.1, 2.3 and 2.4, and shared issuers (threats.md, J18).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.errors import Reason
from daypass.policy import Kind, compile_policy
from daypass.policy.shared_issuers import TENANT_CLAIM, TENANT_KEY
from policy.making import ALICE, ALLOW_ALL, HOME, ROLE, document, policy, reason, refused

R = Reason
TRUST: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}


def trust(**changes: Any) -> str:
    made = {name: value for name, value in (TRUST | changes).items() if value is not None}
    return document(made)


@pytest.mark.parametrize(
    ("text", "expected", "message"),
    [
        ("{", R.POLICY_SYNTAX, "This policy contains invalid Json"),
        ("[]", R.POLICY_SYNTAX, "Syntax error in policy."),
        (document(TRUST, version="2020-01-01"), R.POLICY_SYNTAX, "The policy must contain a valid version string"),
        ('{"Statement":[]}', R.POLICY_SYNTAX, "Could not parse the policy: Statement is empty!"),
        ("{}", R.POLICY_SYNTAX, "Could not parse the policy: Statement is empty!"),
        ('{"Statement":["x"]}', R.POLICY_SYNTAX, "Syntax error in policy."),
        (
            document(TRUST | {"Sid": "a"}, TRUST | {"Sid": "a"}),
            R.POLICY_SID_REPEATED,
            "The Statement Ids in the policy are not unique",
        ),
        (trust(Effect=None), R.POLICY_EFFECT, "Missing required field Effect"),
        (trust(Effect="allow"), R.POLICY_EFFECT, "Invalid effect: allow"),
        (trust(Principal=None), R.POLICY_WITHOUT_PRINCIPAL, "Missing required field Principal"),
        (trust(Principal={}), R.POLICY_WITHOUT_PRINCIPAL, "Missing required field Principal cannot be empty!"),
        (trust(Principal="*"), R.POLICY_PRINCIPAL_INVALID, "Principal must be a JSON object."),
        (trust(Principal=[1]), R.POLICY_SYNTAX, "Syntax error in policy."),
        (
            trust(Principal=None, NotPrincipal={"AWS": "*"}),
            R.POLICY_NOT_PRINCIPAL_ALLOWS,
            "Allow with NotPrincipal is not allowed.",
        ),
        (
            trust(Effect="Deny", Principal=None, NotPrincipal={"AWS": "*"}),
            R.POLICY_ELEMENT_FORBIDDEN,
            "AssumeRole policy must not contain NotPrincipal field.",
        ),
        (trust(Action=None), R.POLICY_WITHOUT_ACTIONS, "Missing required field Action"),
        (
            trust(Action="s3:GetObject"),
            R.POLICY_ACTION_NOT_STS,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            trust(Action="sts:Nope"),
            R.POLICY_ACTION_NOT_STS,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (trust(Action="*"), R.POLICY_ACTION_NOT_STS, "AssumeRole policy may only specify STS AssumeRole actions."),
        (trust(Resource="*"), R.POLICY_ELEMENT_FORBIDDEN, "Has prohibited field Resource"),
        (trust(NotResource="*"), R.POLICY_ELEMENT_FORBIDDEN, "AssumeRole policy must not contain resources."),
        (trust(Principal={"AWS": "arn:aws:iam::1:user/x"}), R.POLICY_PRINCIPAL_INVALID, None),
        (trust(Principal={"AWS": "bob"}), R.POLICY_PRINCIPAL_INVALID, 'Invalid principal in policy: "AWS":"bob"'),
        (trust(Principal={"Service": ""}), R.POLICY_PRINCIPAL_INVALID, 'Invalid principal in policy: "SERVICE":""'),
        (
            trust(Principal={"Federated": "*"}),
            R.POLICY_PRINCIPAL_INVALID,
            'Invalid principal in policy: "FEDERATED":"*"',
        ),
        (
            trust(Principal={"CanonicalUser": "x"}),
            R.POLICY_PRINCIPAL_INVALID,
            'Invalid principal in policy: "CanonicalUser"',
        ),
        (
            trust(Principal={"Federated": "cognito-identity.amazonaws.com"}, Action="sts:AssumeRoleWithWebIdentity"),
            R.POLICY_CONDITION_REQUIRED,
            "A condition block must be present for the Cognito provider",
        ),
        (trust(Condition={"Nope": {"a": "b"}}), R.POLICY_SYNTAX, "Syntax error in policy."),
        (trust(Condition={"DateEquals": {"a": "b"}}), R.POLICY_LEGACY_PARSING, None),
        (trust(Sid="a b"), R.POLICY_SID_CHARACTERS, None),
    ],
)
def test_the_refusal_of_a_trust_policy(text: str, expected: Reason, message: str | None) -> None:
    error = refused(text, Kind.TRUST)
    assert error.reason is expected
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    "text",
    [
        trust(),
        document(TRUST, version=None),
        document(TRUST, version="2008-10-17"),
        trust(Action=["sts:AssumeRole*", "STS:tagsession", "sts:SetSourceIdentity", "sts:?etContext"]),
        trust(Principal={"AWS": "*"}),
        trust(Principal={"AWS": [ALICE.unique_id, "AROADEVDEVDEVDEVDEV01", f"arn:aws:iam::{HOME}:root"]}),
        trust(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/Dev/laptop", "Service": "ec2.amazonaws.com"}),
        trust(Principal={"Federated": f"arn:aws:iam::{HOME}:saml-provider/x"}, Action="sts:AssumeRoleWithSAML"),
        trust(Effect="Deny", Action=None, NotAction="sts:AssumeRole"),
        json.dumps({"Statement": TRUST}),
    ],
)
def test_trust_policies_that_are_accepted(text: str) -> None:
    assert compile_policy(text, Kind.TRUST).statements


def test_a_document_too_large_for_the_reader_is_not_called_invalid_json() -> None:
    assert reason(" " * 200_000, Kind.TRUST) is R.POLICY_TOO_LARGE


def test_users_and_roles_are_listed_for_resolution_once_and_accounts_are_not() -> None:
    entries = [ALICE.arn, HOME, f"arn:aws:iam::{HOME}:root", ROLE, ALICE.arn, f"arn:aws:sts::{HOME}:assumed-role/Dev/x"]
    made = policy(TRUST | {"Principal": {"AWS": entries}}, TRUST | {"Principal": {"AWS": ROLE}}, kind=Kind.TRUST)
    assert made.principal_arns == (ALICE.arn, ROLE)
    denial = {"Effect": "Deny", "NotPrincipal": {"AWS": ALICE.arn}, "Action": "s3:*", "Resource": "*"}
    assert policy(denial, kind=Kind.RESOURCE).principal_arns == (ALICE.arn,)
    assert policy(ALLOW_ALL).principal_arns == ()


# Shared issuers


def web(issuer: str, condition: Any, action: Any = "sts:AssumeRoleWithWebIdentity", **changes: Any) -> str:
    provider = {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/{issuer}"}
    return trust(**({"Principal": provider, "Action": action, "Condition": condition} | changes))


GITHUB = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    "issuer", [*TENANT_CLAIM, *TENANT_KEY, "oidc.circleci.com/org/6d1f", "GitLab.com", "gitlab.com/"]
)
def test_a_shared_issuer_without_a_condition_on_the_tenant_is_refused(issuer: str) -> None:
    unrelated = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    assert reason(web(issuer, unrelated), Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


@pytest.mark.parametrize("issuer", [*TENANT_CLAIM, *TENANT_KEY])
def test_a_shared_issuer_with_a_condition_on_the_tenant_is_accepted(issuer: str) -> None:
    keys = (TENANT_KEY[issuer],) if issuer in TENANT_KEY else [f"{issuer}:{claim}" for claim in TENANT_CLAIM[issuer]]
    for key in keys:
        assert compile_policy(web(issuer, {"StringEquals": {key: "mine"}}), Kind.TRUST).statements


@pytest.mark.parametrize(
    ("condition", "accepted"),
    [
        ({"StringEquals": {f"{GITHUB}:sub": "repo:acme/site:ref:refs/heads/main"}}, True),
        ({"StringEquals": {f"{GITHUB}:SUB": ["repo:acme/site:ref:refs/heads/main"]}}, True),
        ({"StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}, True),
        ({"StringLike": {f"{GITHUB}:sub": "repo:acme/site:ref:refs/heads/main"}}, True),
        ({"ForAnyValue:StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}, True),
        ({"StringEqualsIgnoreCase": {f"{GITHUB}:sub": "repo:acme/site"}}, True),
        ({"StringLike": {f"{GITHUB}:sub": "*"}}, False),
        ({"StringLike": {f"{GITHUB}:sub": "repo:*"}}, False),
        ({"StringLike": {f"{GITHUB}:sub": "repo:acme*"}}, False),
        ({"StringLike": {f"{GITHUB}:sub": "repo:?*/site"}}, False),
        ({"StringLike": {f"{GITHUB}:sub": "*:ref:refs/heads/main"}}, False),
        ({"StringLike": {f"{GITHUB}:sub": ["repo:acme/*", "repo:*"]}}, False),
        ({"StringLike": {f"{GITHUB}:sub": []}}, False),
        ({"StringEquals": {f"{GITHUB}:sub": ""}}, False),
        ({"StringLike": {f"{GITHUB}:sub": "${aws:PrincipalTag/repo}"}}, False),
        ({"StringNotEquals": {f"{GITHUB}:sub": "repo:evil/site"}}, False),
        ({"StringEqualsIfExists": {f"{GITHUB}:sub": "repo:acme/site"}}, False),
        ({"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}, False),
        ({"Null": {f"{GITHUB}:sub": "false"}}, False),
        ({"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}, False),
        ({"StringEquals": {"gitlab.com:sub": "repo:acme/site"}}, False),
    ],
)
def test_what_narrows_a_shared_issuer(condition: dict[str, Any], accepted: bool) -> None:
    text = web(GITHUB, condition)
    if accepted:
        assert compile_policy(text, Kind.TRUST).statements
    else:
        assert reason(text, Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


@pytest.mark.parametrize(
    "action", ["sts:*", "sts:AssumeRoleWith*", ["sts:TagSession", "STS:assumerolewithwebidentity"]]
)
def test_wildcards_that_reach_web_identities_are_seen(action: Any) -> None:
    assert reason(web(GITHUB, None, action), Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


def test_notaction_that_leaves_web_identities_open_is_seen() -> None:
    text = web(GITHUB, None, None, NotAction="sts:AssumeRole")
    assert reason(text, Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


def test_a_deny_and_a_statement_for_other_actions_need_no_condition() -> None:
    assert compile_policy(web(GITHUB, None, Effect="Deny"), Kind.TRUST).statements
    assert compile_policy(web(GITHUB, None, "sts:TagSession"), Kind.TRUST).statements


def test_an_issuer_of_ones_own_needs_no_condition() -> None:
    assert compile_policy(web("login.acme.example/realms/main", None), Kind.TRUST).statements


def test_the_name_of_a_well_known_provider_is_held_to_the_same_rule() -> None:
    text = web("", None, Principal={"Federated": "accounts.google.com"})
    assert reason(text, Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


def test_one_shared_issuer_among_others_is_seen() -> None:
    arns = [f"arn:aws:iam::{HOME}:oidc-provider/{issuer}" for issuer in ("login.acme.example", GITHUB)]
    assert reason(web("", None, Principal={"Federated": arns}), Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED


def test_everyone_with_a_web_identity_is_refused_without_a_subject() -> None:
    everyone = {"AWS": "*"}
    assert reason(web("", None, Principal=everyone), Kind.TRUST) is R.POLICY_ISSUER_UNSCOPED
    narrowed = {"StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}
    assert compile_policy(web("", narrowed, Principal=everyone), Kind.TRUST).statements


def test_only_trust_policies_are_asked_about_issuers() -> None:
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    assert policy(everyone, kind=Kind.RESOURCE).statements
    assert policy(everyone, kind=Kind.VPC_ENDPOINT).statements
