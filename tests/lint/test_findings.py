# SPDX-License-Identifier: Apache-2.0
"""
Every code: a document that has it, at the marked place and nowhere else, and near misses that do not.

What the compiler refuses has a file of its own: ``test_refusals``.
"""

from __future__ import annotations

import json

import pytest

from daypass.errors import Reason
from daypass.lint import RULES, lint_document
from daypass.policy import Kind
from lint.documents import ACCOUNT, OTHER, allow, codes, federated, place, policy, trusting, unmarked, when

GITHUB = "token.actions.githubusercontent.com"
GITHUB_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"
KEYCLOAK = "login.example.org/realms/staff"
AUD = f'"StringEquals": {{"{GITHUB}:aud": "sts.amazonaws.com", "{GITHUB}:sub": "repo:acme/app:ref:refs/heads/main"}}'
RESOURCE, TRUST, SCP, IDENTITY = Kind.RESOURCE, Kind.TRUST, Kind.SCP, Kind.IDENTITY
READ = '"s3:GetObject"'
OBJECTS = '"arn:aws:s3:::bucket/*"'


def public(more: str = "", principal: str = '"*"') -> str:
    return policy(f'"Effect": "Allow", "Principal": {principal}, "Action": {READ}, "Resource": {OBJECTS}{more}')


def asks(condition: str, actions: str = READ, resources: str = OBJECTS) -> str:
    return policy(allow(actions, resources, when(condition)))


def second(*statements: str) -> str:
    """A document of two statements, the second of which is marked at its brace."""
    return policy(*statements).replace(",\n {", ",\n «{»")


def misspelt(number: int) -> str:
    return json.dumps([f"s3:GetObjct{index}" for index in range(number)])


def denies(condition: str) -> str:
    return policy(f'"Effect": "Deny", "Action": "s3:*", "Resource": "*"{when(condition)}')


FOUND: list[tuple[str, Kind | None, str]] = [
    ("json-syntax", None, '{"Version": "2012-10-17"«,»}'),
    ("duplicate-name", None, policy(allow(READ, OBJECTS) + ', «"Action"»: "s3:PutObject"')),
    ("duplicate-name", None, asks('"StringEquals": {"s3:prefix": "a"}, «"StringEquals"»: {"s3:delimiter": "/"}')),
    ("unknown-element", None, policy(allow(READ, OBJECTS) + ', «"Resources"»: []')),
    ("unknown-element", None, '{«"version"»: "2012-10-17", "Version": "2012-10-17", "Statement": []}'),
    ("missing-element", None, '«{"Version": "2012-10-17"}»'),
    ("missing-element", None, '{"Version": "2012-10-17", "Statement": «[]»}'),
    ("missing-element", None, '{"Version": "2012-10-17", "Statement": [«{"Action": "s3:*"}»]}'),
    ("wrong-type", None, "«[]»"),
    ("wrong-type", None, '{"Statement": «"x"»}'),
    ("wrong-type", None, '{"Statement": [«1»]}'),
    ("wrong-type", None, policy(allow('["s3:GetObject", «1»]', OBJECTS))),
    ("wrong-type", None, policy(allow(READ, OBJECTS) + ', "Sid": «5»')),
    ("wrong-type", None, policy(allow(READ, "«null»"))),
    ("wrong-type", None, policy(allow(READ, OBJECTS) + ', "Condition": «[]»')),
    ("wrong-type", None, asks('"StringEquals": «"aws:username"»')),
    ("wrong-type", None, asks('"StringEquals": {"aws:username": «null»}')),
    ("wrong-type", None, public(principal='«"123456789012"»')),
    ("wrong-value", None, '{"Version": «"2012-10-18"», "Statement": []}'),
    ("wrong-value", None, policy('"Effect": «"Permit"», "Action": "s3:GetObject", "Resource": "*"')),
    ("conflicting-elements", None, policy(allow(READ, OBJECTS) + ', «"NotAction"»: "s3:PutObject"')),
    ("unknown-operator", None, asks('«"StringEqual"»: {"aws:username": "a"}')),
    ("unknown-operator", None, asks('«"NullIfExists"»: {"aws:username": "true"}')),
    ("unknown-operator", None, asks('«"ForEach:StringEquals"»: {"aws:username": "true"}')),
    ("unknown-service", None, policy(allow('«"s4:GetObject"»', OBJECTS))),
    ("unknown-action", None, policy(allow('["s3:GetObject", «"s3:GetObjct"»]', OBJECTS))),
    ("unknown-action", None, policy('"Effect": "Deny", "NotAction": «"s3:GetObjects"», "Resource": "*"')),
    ("wildcard-matches-nothing", None, policy(allow('«"s3:Fetch*"»', OBJECTS))),
    ("wildcard-matches-nothing", None, policy(allow('«"s3:*Get"»', OBJECTS))),
    ("unknown-resource-type", None, policy(allow('"ec2:StartInstances"', '«"arn:aws:ec2:*:*:machine/*"»'))),
    ("unknown-condition-key", None, asks('"StringEquals": {«"aws:PrincipalOrg"»: "o-1"}')),
    ("unknown-condition-key", None, asks('"StringEquals": {«"s3:prefixes"»: "a"}')),
    ("unknown-condition-key", None, policy(allow(READ, '«"arn:aws:s3:::bucket/${aws:user}/*"»'))),
    ("unknown-condition-key", None, asks('"StringEquals": {"s3:prefix": «"${aws:user}"»}', '"s3:ListBucket"', '"*"')),
    ("condition-key-not-supported", None, asks('"StringEquals": {«"s3:prefix"»: "a"}')),
    (
        "condition-key-not-supported",
        None,
        asks('"StringEquals": {«"iam:PassedToService"»: "x"}', '"iam:GetRole"', '"*"'),
    ),
    ("resource-fits-no-action", None, policy(allow(READ, f'[{OBJECTS}, «"arn:aws:s3:::bucket"»]'))),
    ("action-fits-no-resource", None, policy(allow('["s3:GetObject", «"s3:ListBucket"»]', OBJECTS))),
    ("action-fits-no-resource", None, policy(allow('["s3:GetObject", «"s3:ListAllMyBuckets"»]', OBJECTS))),
    ("statement-never-matches", None, policy(allow(READ, '«"arn:aws:s3:::bucket"»'))),
    ("statement-never-matches", None, policy(allow(READ, '«"arn:aws:sqs:eu-west-1:123456789012:queue"»'))),
    ("statement-never-matches", None, policy(allow('"ec2:DescribeInstances"', '«["arn:aws:ec2:*:*:instance/*"]»'))),
    ("operator-type", None, denies('«"StringEquals"»: {"aws:SourceIp": "203.0.113.7"}')),
    ("operator-type", None, denies('«"StringEquals"»: {"aws:MultiFactorAuthPresent": "false"}')),
    ("operator-type", None, denies('«"StringLike"»: {"aws:CurrentTime": "2026-*"}')),
    ("operator-type", None, denies('«"NumericEquals"»: {"aws:username": "5"}')),
    ("operator-type", None, asks('«"StringEquals"»: {"s3:max-keys": "5"}', '"s3:ListBucket"', '"arn:aws:s3:::b"')),
    ("condition-value-type", None, denies('"Bool": {"aws:SecureTransport": «"no"»}')),
    ("condition-value-type", None, denies('"NumericLessThan": {"aws:MultiFactorAuthAge": [1, «"1h"»]}')),
    ("condition-value-type", None, denies('"NotIpAddress": {"aws:SourceIp": «"203.0.113.0/33"»}')),
    ("condition-value-type", None, denies('"Null": {"aws:TokenIssueTime": «"yes"»}')),
    ("condition-value-type", None, denies('"ArnNotLike": {"aws:PrincipalArn": «"Admin"»}')),
    ("condition-value-type", None, denies('"IpAddress": {"aws:SourceIp": «"${aws:username}"»}')),
    ("wildcard-in-exact-match", None, denies('"StringEquals": {"aws:username": «"admin-*"»}')),
    ("wildcard-in-exact-match", None, denies('"StringNotEquals": {"aws:username": ["a", «"admin-*"»]}')),
    ("missing-set-operator", None, denies('«"StringEquals"»: {"aws:TagKeys": "team"}')),
    ("missing-set-operator", None, denies('«"StringEquals"»: {"aws:PrincipalOrgPaths": "o-1/r-1/"}')),
    (
        "for-all-values-without-null",
        None,
        asks('«"ForAllValues:StringEquals"»: {"aws:TagKeys": ["team"]}', '"ec2:CreateTags"', '"*"'),
    ),
    (
        "variable-in-2008",
        RESOURCE,
        policy(
            f'"Effect": "Allow", "Principal": {{"AWS": "{ACCOUNT}"}}, "Action": {READ}, '
            '"Resource": «"arn:aws:s3:::b/${aws:username}"»',
            version="",
        ),
    ),
    ("variable-misplaced", None, policy(allow(READ, f'[{OBJECTS}, «"arn:aws:s3:${{aws:username}}::b/c"»]'))),
    ("variable-unclosed", None, policy(allow(READ, '«"arn:aws:s3:::b/${aws:username"»'))),
    ("variable-multi-valued", None, policy(allow(READ, '«"arn:aws:s3:::b/${aws:TagKeys}"»'))),
    ("privilege-escalation", None, policy(allow('["s3:GetObject", «"iam:PutRolePolicy"»]'))),
    ("privilege-escalation", None, policy(allow('«"iam:Put*"»', '"arn:aws:iam::123456789012:role/*"'))),
    ("privilege-escalation", None, policy(allow('«"iam:PassRole"»'), allow('"ec2:Run*"'))),
    ("allow-everything", None, policy(allow('«"*"»'))),
    ("allow-whole-service", None, policy(allow('["sqs:SendMessage", «"sns:*"»]'))),
    ("allow-not-action", None, policy('"Effect": "Allow", «"NotAction"»: "iam:*", "Resource": "arn:aws:s3:::b"')),
    (
        "allow-not-resource",
        None,
        policy('"Effect": "Allow", "Action": "s3:GetObject", «"NotResource"»: "arn:aws:s3:::b/*"'),
    ),
    (
        "not-principal",
        RESOURCE,
        policy(f'"Effect": "Deny", «"NotPrincipal"»: {{"AWS": "{ACCOUNT}"}}, "Action": {READ}, "Resource": {OBJECTS}'),
    ),
    ("public-principal", None, public(principal='«"*"»')),
    ("public-principal", None, public(principal='{"AWS": ["123456789012", «"*"»]}')),
    ("public-principal", None, public(when('"Bool": {"aws:SecureTransport": "true"}'), '«"*"»')),
    ("public-principal", None, public(when('"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}'), '«"*"»')),
    ("public-principal", None, public(when('"StringNotEquals": {"aws:PrincipalAccount": "1"}'), '«"*"»')),
    ("public-principal", None, public(when('"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}'), '«"*"»')),
    ("public-trust", None, trusting('{"AWS": «"*"»}')),
    ("oidc-without-audience", None, federated(KEYCLOAK, f'"StringEquals": {{"{KEYCLOAK}:sub": "a"}}').replace(
        f'"arn:aws:iam::{ACCOUNT}:oidc-provider/{KEYCLOAK}"', f'«"arn:aws:iam::{ACCOUNT}:oidc-provider/{KEYCLOAK}"»')),
    (
        "subject-wildcard",
        None,
        federated(
            "oidc.eks.eu-west-1.amazonaws.com/id/A",
            '"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": «"system:serviceaccount:*:app"»}',
        ),
    ),
    (
        "subject-wildcard",
        None,
        federated("token.actions.acme.ghe.com", '"StringLike": {"token.actions.acme.ghe.com:sub": «"repo:*"»}'),
    ),
    ("subject-wildcard", None, federated(KEYCLOAK, f'"StringLike": {{"{KEYCLOAK}:sub": [«"*"»]}}')),
    ("claim-of-other-issuer", None, federated(KEYCLOAK, '"StringEquals": {«"login.example.org:sub"»: "a"}')),
    ("principal-fits-no-action", None, trusting(f'{{"Federated": «"{GITHUB_ARN}"»}}', more=when(AUD))),
    (
        "principal-fits-no-action",
        None,
        trusting(f'{{"AWS": «"{ACCOUNT}"»}}', '"sts:AssumeRoleWithSAML"'),
    ),
    ("redundant-statement", None, second(allow('"s3:*"', OBJECTS), allow(READ, '"arn:aws:s3:::bucket/a"'))),
    ("redundant-statement", None, second(allow(READ, OBJECTS), allow(READ, OBJECTS))),
    ("size-over-limit", SCP, "«{»" + denies(f'"StringEquals": {{"aws:username": "{"x" * 5120}"}}')[1:]),
    ("size-over-default", IDENTITY, "«{»" + denies(f'"StringEquals": {{"aws:username": "{"x" * 6144}"}}')[1:]),
    ("not-checked", RESOURCE, "«»" + policy(allow(misspelt(501), OBJECTS))),
]  # fmt: skip

NOT_FOUND: list[tuple[str, Kind | None, str]] = [
    ("json-syntax", None, policy(allow(READ, OBJECTS))),
    ("duplicate-name", None, policy(allow(READ, OBJECTS), allow(READ, OBJECTS))),
    ("unknown-element", None, '{"Id": "x", ' + policy(allow(READ, OBJECTS))[1:]),
    ("missing-element", None, '{"Statement": {' + allow(READ, OBJECTS) + "}}"),
    ("wrong-type", None, policy(allow(READ, f"[null, {OBJECTS}]"))),
    ("wrong-type", None, asks('"NumericLessThan": {"aws:MultiFactorAuthAge": [1, 2.5], "s3:max-keys": true}')),
    ("wrong-value", RESOURCE, public().replace("2012-10-17", "2008-10-17")),
    ("conflicting-elements", None, policy('"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"')),
    ("unknown-operator", None, asks('"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "a"}, "Nonsense": {}')),
    ("unknown-service", None, policy(allow('"S3:GetObject"', OBJECTS))),
    ("unknown-action", None, policy(allow('"s3:getOBJECT"', OBJECTS))),
    ("unknown-action", None, policy(allow('"lake:Pour"', OBJECTS))),
    ("wildcard-matches-nothing", None, policy(allow('["s3:?etObject", "s3:*Object"]', OBJECTS))),
    ("unknown-resource-type", None, policy(allow('"ec2:StartInstances"', '"arn:aws:ec2:*:*:inst*"'))),
    ("unknown-resource-type", None, policy(allow('"lake:Pour"', '"arn:aws:lake:*:*:drop/x"'))),
    ("unknown-condition-key", None, asks('"StringEquals": {"AWS:principalorgid": "o-1"}')),
    ("unknown-condition-key", None, asks('"StringEquals": {"aws:PrincipalTag/Any thing": "o-1"}')),
    ("unknown-condition-key", None, asks('"StringEquals": {"s3:ExistingObjectTag/team": "a"}')),
    ("unknown-condition-key", None, asks('"StringEquals": {"lake:Depth": "a"}', '"lake:Pour"', '"*"')),
    ("unknown-condition-key", None, federated(GITHUB, AUD)),
    ("unknown-condition-key", None, policy(allow(READ, '"arn:aws:s3:::b/${*}${aws:username, \'none\'}"'))),
    ("unknown-condition-key", None, policy(allow(READ, f'"arn:aws:s3:::b/${{{KEYCLOAK}:sub}}/*"'))),
    (
        "condition-key-not-supported",
        None,
        asks('"StringEquals": {"s3:prefix": "a"}', '["s3:GetObject", "s3:ListBucket"]', '"*"'),
    ),
    ("condition-key-not-supported", None, asks('"StringEquals": {"s3:prefix": "a"}', '"s3:L*"', '"*"')),
    ("condition-key-not-supported", None, asks('"StringEquals": {"aws:RequestTag/team": "a"}')),
    ("condition-key-not-supported", None, asks('"StringEquals": {"s3:prefix": "a"}', '["s3:GetObject", "lake:Pour"]')),
    ("resource-fits-no-action", None, policy(allow('"s3:*"', f'[{OBJECTS}, "arn:aws:s3:::bucket"]'))),
    ("resource-fits-no-action", None, policy(allow(READ, '["*", "arn:aws:s3:::bucket"]'))),
    ("action-fits-no-resource", None, policy(allow('["s3:GetObject", "s3:ListBucket"]', '"arn:aws:s3:::b*"'))),
    ("action-fits-no-resource", None, policy(allow('["s3:GetObject", "s3:ListAllMyBuckets"]', f'[{OBJECTS}, "*"]'))),
    ("action-fits-no-resource", None, policy(allow('"s3:ListAllMyBuckets"', '"arn:aws:s3:::*"'))),
    ("statement-never-matches", None, policy(allow('"s3:ListAllMyBuckets"', '"arn:aws:s3:::*"'))),
    ("statement-never-matches", None, policy(allow(READ, '"arn:aws:s3:::bucket/"'))),
    ("statement-never-matches", None, policy(allow(READ, '"arn:aws:s3:::${aws:username}"'))),
    (
        "statement-never-matches",
        None,
        policy('"Effect": "Deny", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b"'),
    ),
    ("operator-type", None, denies('"Bool": {"aws:SecureTransport": "false"}, "Null": {"aws:SourceIp": "true"}')),
    ("operator-type", None, denies('"NumericLessThan": {"aws:EpochTime": "5"}')),
    ("operator-type", None, denies('"DateLessThan": {"aws:EpochTime": "5"}')),
    ("operator-type", None, denies('"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}')),
    ("condition-value-type", None, denies('"Bool": {"aws:SecureTransport": ["TRUE", false, "${aws:username}"]}')),
    ("condition-value-type", None, denies('"NotIpAddress": {"aws:SourceIp": ["203.0.113.7/24", "2001:db8::/32"]}')),
    ("condition-value-type", None, denies('"ArnLike": {"aws:PrincipalArn": ["*", "${aws:PrincipalArn}", "arn:*"]}')),
    ("wildcard-in-exact-match", None, denies('"StringLike": {"aws:username": "admin-*"}')),
    ("wildcard-in-exact-match", None, denies('"StringEquals": {"aws:username": "${*}"}')),
    ("missing-set-operator", None, denies('"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}')),
    ("missing-set-operator", None, denies('"Null": {"aws:TagKeys": "true"}')),
    (
        "for-all-values-without-null",
        None,
        asks('"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"AWS:TagKeys": "false"}'),
    ),
    (
        "for-all-values-without-null",
        None,
        asks('"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "ForAnyValue:StringLike": {"aws:TagKeys": "*"}'),
    ),
    ("for-all-values-without-null", None, denies('"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}')),
    ("variable-in-2008", None, policy(allow(READ, '"arn:aws:s3:::b/${aws:username}"'))),
    ("variable-misplaced", None, policy(allow(READ, '"arn:aws:s3:::${aws:username}/*"'))),
    ("variable-unclosed", None, policy(allow(READ, '"arn:aws:s3:::b/${$}{aws:username"'))),
    ("variable-multi-valued", None, policy(allow(READ, '"arn:aws:s3:::b/${aws:PrincipalTag/team}"'))),
    ("privilege-escalation", None, policy(allow('"iam:PutRolePolicy"', '"arn:aws:iam::123456789012:role/app-*"'))),
    ("privilege-escalation", None, policy(allow('"iam:PassRole"'))),
    ("privilege-escalation", None, asks('"StringEquals": {"iam:PermissionsBoundary": "x"}', '"iam:PutRolePolicy"', '"*"')),
    (
        "privilege-escalation",
        None,
        policy(allow('"iam:PutRolePolicy"'), '"Effect": "Deny", "Action": "iam:Put*", "Resource": "*"'),
    ),
    ("privilege-escalation", Kind.BOUNDARY, policy(allow('"iam:PutRolePolicy"'))),
    ("privilege-escalation", None, policy(allow('"*"'))),
    ("allow-everything", SCP, policy(allow('"*"'))),
    ("allow-everything", None, policy(allow('"*"', '"arn:aws:s3:::b"'))),
    ("allow-everything", None, asks('"StringEquals": {"aws:ResourceTag/team": "a"}', '"*"', '"*"')),
    ("allow-everything", None, policy('"Effect": "Deny", "Action": "*", "Resource": "*"')),
    ("allow-whole-service", None, policy(allow('"sns:*"', '"arn:aws:sns:*:*:news"'))),
    ("allow-not-action", None, policy('"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"')),
    ("allow-not-action", SCP, policy('"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"')),
    ("allow-not-resource", None, policy('"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"')),
    ("not-principal", RESOURCE, public()),
    ("public-principal", None, public(principal=f'{{"AWS": "{ACCOUNT}"}}')),
    ("public-principal", None, public(when('"StringEquals": {"aws:PrincipalOrgID": "o-1"}'))),
    ("public-principal", None, public(when('"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}'))),
    ("public-principal", None, public(when('"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}'))),
    ("public-principal", Kind.VPC_ENDPOINT, public()),
    ("public-principal", None, public().replace("Allow", "Deny")),
    ("public-trust", None, trusting('{"AWS": "*"}', more=when('"StringEquals": {"aws:PrincipalOrgID": "o-1"}'))),
    ("oidc-without-audience", None, federated(GITHUB, AUD)),
    ("oidc-without-audience", None, trusting(f'{{"AWS": "{ACCOUNT}"}}')),
    (
        "subject-wildcard",
        None,
        federated(
            "oidc.eks.eu-west-1.amazonaws.com/id/A",
            '"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:shop:*"}',
        ),
    ),
    ("subject-wildcard", None, federated(GITHUB, f'"StringLike": {{"{GITHUB}:sub": "repo:acme/*"}}')),
    ("subject-wildcard", None, federated(KEYCLOAK, f'"StringLike": {{"{KEYCLOAK}:sub": "service-*"}}')),
    ("claim-of-other-issuer", None, federated(GITHUB, AUD)),
    ("claim-of-other-issuer", None, federated(KEYCLOAK, f'"StringEquals": {{"{KEYCLOAK.title()}:sub": "a"}}')),
    ("principal-fits-no-action", None, federated(GITHUB, AUD)),
    ("principal-fits-no-action", None, trusting(f'{{"Federated": "{GITHUB_ARN}"}}', '"sts:TagSession"')),
    ("principal-fits-no-action", None, trusting(f'{{"AWS": "{ACCOUNT}"}}', '"sts:Assume*"')),
    ("redundant-statement", None, policy(allow(READ, OBJECTS), allow('"s3:PutObject"', OBJECTS))),
    ("redundant-statement", None, policy(allow(READ, OBJECTS), allow('"s3:*"', OBJECTS))),
    ("redundant-statement", None, policy(allow('"s3:Get?bject"', OBJECTS), allow('"s3:Get*bject"', OBJECTS))),
    ("redundant-statement", None, policy(allow("\"s3:*\""), '"Effect": "Deny", "Action": "s3:*", "Resource": "*"')),
    (
        "redundant-statement",
        None,
        policy(allow(READ, '"*"', when('"Bool": {"aws:SecureTransport": "true"}')), allow(READ, '"*"')),
    ),
    ("redundant-statement", None, policy(allow(READ, '"arn:aws:s3:*"'), allow(READ, '"arn:aws:s3:::b/c"'))),
    ("not-checked", RESOURCE, policy(allow(misspelt(500), OBJECTS))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "document"), FOUND)
def test_a_finding_is_reported_at_the_marked_place_and_only_there(code: str, kind: Kind | None, document: str) -> None:
    text, places = unmarked(document)
    assert [place(finding) for finding in lint_document(text, kind=kind) if finding.code == code] == places


@pytest.mark.parametrize(("code", "kind", "document"), NOT_FOUND)
def test_a_near_miss_is_not_reported(code: str, kind: Kind | None, document: str) -> None:
    assert code not in codes(document, kind)


def test_every_code_has_a_case_and_a_near_miss() -> None:
    refusals = {reason.value for reason in Reason if reason.name.startswith("POLICY_")}
    elsewhere = {"cross-account-principal"} | refusals
    assert {code for code, _, _ in FOUND} | elsewhere == set(RULES)
    sizes = {"size-over-limit", "size-over-default"}
    assert {code for code, _, _ in NOT_FOUND} | elsewhere | sizes == set(RULES)


@pytest.mark.parametrize(
    ("kind", "most", "code"),
    [
        (Kind.IDENTITY, 6_144, "size-over-default"),
        (Kind.IDENTITY, 10_240, "size-over-limit"),
        (Kind.BOUNDARY, 6_144, "size-over-limit"),
        (Kind.SESSION, 2_048, "size-over-limit"),
        (Kind.SCP, 5_120, "size-over-limit"),
    ],
)
def test_a_document_may_have_exactly_as_many_characters_as_fit(kind: Kind, most: int, code: str) -> None:
    empty = len(json.dumps(json.loads(denies('"StringEquals": {"aws:username": ""}')), separators=(",", ":")))
    for more, expected in ((0, False), (1, True)):
        document = denies(f'"StringEquals": {{"aws:username": "{"x" * (most - empty + more)}"}}')
        text = json.dumps(json.loads(document), separators=(",", ":"))
        assert (code in codes(text, kind)) is expected


@pytest.mark.parametrize(("kind", "counts"), [(Kind.SESSION, True), (Kind.IDENTITY, False)])
def test_white_space_counts_where_the_quota_counts_it(kind: Kind, counts: bool) -> None:
    text = policy(allow(READ, OBJECTS)) + " " * 10_240
    assert ("size-over-limit" in codes(text, kind)) is counts


@pytest.mark.parametrize(
    ("principal", "account", "expected"),
    [
        (f'{{"AWS": "{OTHER}"}}', ACCOUNT, True),
        (f'{{"AWS": "arn:aws:iam::{OTHER}:role/x"}}', ACCOUNT, True),
        (f'{{"AWS": "arn:aws:iam::{OTHER}:root"}}', ACCOUNT, True),
        (f'{{"Federated": "arn:aws:iam::{OTHER}:saml-provider/x"}}', ACCOUNT, True),
        (f'{{"AWS": "{OTHER}"}}', OTHER, False),
        (f'{{"AWS": "{OTHER}"}}', None, False),
        ('{"Service": "ec2.amazonaws.com"}', ACCOUNT, False),
        ('{"AWS": "AROAEXAMPLEEXAMPLE01"}', ACCOUNT, False),
    ],
)
def test_principals_of_other_accounts_are_reported_when_the_own_account_is_known(
    principal: str, account: str | None, expected: bool
) -> None:
    assert ("cross-account-principal" in codes(trusting(principal), TRUST, account)) is expected


def test_a_finding_about_a_statement_has_its_index_and_sid() -> None:
    text = policy(allow(READ, OBJECTS), '"Sid": "Typo", ' + allow('"s3:GetObjct"', OBJECTS))
    [finding] = lint_document(text)
    assert (finding.code, finding.statement, finding.sid) == ("unknown-action", 1, "Typo")
    assert "did you mean 's3:GetObject'?" in finding.message


def test_findings_come_in_the_order_of_the_text() -> None:
    text = policy(allow('["s3:Getobjct", "s3:Putobjct"]', '"*"'), allow('["s3:Lst*"]', '"*"'))
    found = [(finding.line, finding.column) for finding in lint_document(text)]
    assert found == sorted(found)
    assert len(found) == 3


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        (policy(allow('"s3:GetObjct"')), "'s3:GetObject'"),
        (policy(allow('"dynamodv:GetItem"')), "'dynamodb'"),
        (asks('"StringEqual": {"aws:username": "a"}'), "'StringEquals'"),
        (asks('"ForAnyValue:stringlikeIfExists": {"aws:username": "a"}'), "'ForAnyValue:StringLikeIfExists'"),
        (asks('"StringEquals": {"aws:PrincipleOrgID": "a"}'), "'aws:PrincipalOrgID'"),
        (policy(allow(READ) + ', "Conditions": {}'), "'Condition'"),
        ('{"version": "2012-10-17"}', "'Version'"),
    ],
)
def test_a_misspelt_name_gets_the_closest_one(document: str, hint: str) -> None:
    assert any(hint in finding.message for finding in lint_document(document))


def test_a_principal_type_with_control_characters_is_quoted() -> None:
    text = policy(allow(READ, OBJECTS) + ', "Principal": {"\\u001b[31m": null}')
    assert [finding.message.isprintable() for finding in lint_document(text)] == [True]


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\x07", "a\u2028", "a\ud800"])
def test_no_message_carries_a_control_character_of_the_document(text: str) -> None:
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        for document in (
            policy(allow(written)),
            policy(allow(READ, written)),
            asks(f'"StringEquals": {{{written}: 1}}'),
        ):
            assert all(finding.message.isprintable() for finding in lint_document(document))
