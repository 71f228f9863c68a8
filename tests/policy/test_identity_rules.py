# SPDX-License-Identifier: Apache-2.0
"""
What AWS checks in an identity policy, in its order and its words: section 2.2; and the other kinds' own rules: 2.1.
"""

from __future__ import annotations

from typing import Any

import pytest

from daypass.errors import Reason
from daypass.policy import Kind, compile_policy
from policy.making import ALLOW_ALL, document, policy, reason, refused, statement

R = Reason
LEGACY = "The policy failed legacy parsing"
IAM_PATH = (
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, '
    "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
)


def resource(text: str) -> str:
    return document(statement(Resource=text))


# Each document breaks every later rule too; what is answered is the first.
WORST: dict[str, Any] = {"Effect": "allow", "Sid": "a b", "Principal": "*", "Action": [], "Resource": ["x"]}
IN_ORDER: list[tuple[dict[str, Any], str | None, Reason]] = [
    (WORST, None, R.POLICY_VERSION),
    (WORST, "2008-10-17", R.POLICY_VERSION),
    (WORST, "2012-10-17", R.POLICY_LEGACY_PARSING),
    (WORST | {"Effect": "Allow"}, "2012-10-17", R.POLICY_SID_CHARACTERS),
    (WORST | {"Effect": "Allow", "Sid": "a"}, "2012-10-17", R.POLICY_ELEMENT_FORBIDDEN),
    ({"Effect": "Allow", "Action": [], "Resource": ["x"]}, "2012-10-17", R.POLICY_WITHOUT_ACTIONS),
    ({"Effect": "Allow", "Action": "x", "Resource": ["x"]}, "2012-10-17", R.POLICY_RESOURCE_INVALID),
    ({"Effect": "Allow", "Action": "x", "Resource": []}, "2012-10-17", R.POLICY_ACTION_INVALID),
    ({"Effect": "Allow", "Action": "*", "Resource": []}, "2012-10-17", R.POLICY_WITHOUT_RESOURCES),
]


@pytest.mark.parametrize(("made", "version", "expected"), IN_ORDER)
def test_the_first_broken_rule_is_the_answer(made: dict[str, Any], version: str | None, expected: Reason) -> None:
    assert reason(document(made, version=version)) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Syntax errors in policy."),
        (document(ALLOW_ALL, version=None), "Policy document must be version 2012-10-17 or greater."),
        (document(statement("DENY")), LEGACY),
        (
            document(ALLOW_ALL | {"Sid": "a"}, ALLOW_ALL | {"Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            document(ALLOW_ALL | {"Sid": "a-b"}),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ),
        (document(statement(Principal="*")), "Policy document should not specify a principal."),
        (document(statement(NotPrincipal={"AWS": "*"})), "Policy document should not specify a principal."),
        (document(statement(Action=None)), "Policy statement must contain actions."),
        (document(statement(NotAction=[])), "Policy statement must contain actions."),
        (
            document(statement(Action="GetObject")),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (document(statement(NotAction="a:b:c")), "Actions/Condition can contain only one colon."),
        (document(statement(Action="s3*:Get")), "Vendor s3* is not valid"),
        (document(statement(Resource=None)), "Policy statement must contain resources."),
        (document(statement(Resource=[None])), "Policy statement must contain resources."),
        (resource("bucket"), 'Resource bucket must be in ARN format or "*".'),
        (resource("arn:nope:s3:::b"), 'Partition "nope" is not valid for resource "arn:nope:s3:::b".'),
        (resource("arn:nope:s3"), 'Partition "nope" is not valid for resource "arn:nope:s3:*:*:*".'),
        (resource("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."),
        (
            resource("arn:aws:iam:eu-west-1:1:user/x"),
            "IAM resource arn:aws:iam:eu-west-1:1:user/x cannot contain region information.",
        ),
        (resource("arn:aws:s3:eu-west-1::b"), "Resource arn:aws:s3:eu-west-1::b can not contain region information."),
        (resource("arn:aws:iam::1:nobody/x"), IAM_PATH),
        (resource("arn:aws:s3::b"), LEGACY),
        (resource("arn:aws::b:c"), LEGACY),
        (document(statement(NotResource="arn:aws::")), LEGACY),
    ],
)
def test_the_refusal_is_in_awss_words(text: str, message: str) -> None:
    assert str(refused(text)) == message


def test_a_list_of_resources_is_examined_from_the_end_of_the_alphabet() -> None:
    assert "zebra" in str(refused(document(statement(Resource=["ant", "zebra", "*"]))))


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "arn:aws:s3:::b",
        "arn:aws-cn:s3:::b",
        "arn:*:s3:::b",
        "arn:aws:sqs",
        "arn:aws:sqs:*",
        "arn:aws:s3",
        "arn:aws:s3:eu-west-1:1:accesspoint/x",
        "arn:aws:s3:*:*:access-grants/default",
        "arn:aws:iam::*:root",
        "arn:aws:iam::123456789012:delegation-request/*",
        "arn:aws:iam::*:*",
        "arn:aws:iam::1:sms-mfa/x",
        "arn:aws:nobody-knows:a:b:c:d:e",
    ],
)
def test_resources_that_aws_accepts_are_accepted(text: str) -> None:
    assert compile_policy(resource(text), Kind.IDENTITY).statements


@pytest.mark.parametrize(
    "value", ["x", "2020-13", "2020-02-30", "9223372036854775808", "2020-01-01T24:00Z", ["2020-01", ""]]
)
def test_a_date_that_cannot_be_read_fails_legacy_parsing(value: Any) -> None:
    text = document(statement(Condition={"DateLessThanIfExists": {"aws:CurrentTime": value}}))
    assert reason(text) is R.POLICY_LEGACY_PARSING


@pytest.mark.parametrize(
    "value", ["2020-01", "9223372036854775807", 0, "-292275054-01-01", "2020-01-01t00:00:00.123456789z"]
)
def test_a_date_that_can_be_read_is_accepted(value: Any) -> None:
    assert compile_policy(document(statement(Condition={"DateEquals": {"k": value}})), Kind.IDENTITY).statements


def test_sids_that_are_empty_or_absent_are_not_compared() -> None:
    assert policy(ALLOW_ALL, ALLOW_ALL, statement(Sid=""), statement(Sid="")).statements


@pytest.mark.parametrize("kind", [Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION, Kind.SCP])
def test_kinds_without_principal_refuse_one(kind: Kind) -> None:
    assert reason(document(statement(Principal="*")), kind) is R.POLICY_ELEMENT_FORBIDDEN


@pytest.mark.parametrize("kind", [Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION, Kind.SCP, Kind.RCP])
def test_kinds_that_need_the_newer_version_refuse_the_older(kind: Kind) -> None:
    assert reason(document(ALLOW_ALL, version="2008-10-17"), kind) is R.POLICY_VERSION


def test_an_incomplete_arn_in_a_session_policy_is_refused() -> None:
    assert reason(resource("arn:aws:sqs:*"), Kind.SESSION) is R.POLICY_ARN_INCOMPLETE
    assert compile_policy(resource("arn:aws:sqs:*:*:*"), Kind.SESSION).statements


@pytest.mark.parametrize("kind", [Kind.SCP, Kind.RCP])
def test_organisation_policies_have_no_id(kind: Kind) -> None:
    text = document(ALLOW_ALL)[:-1] + ',"Id":"x"}'
    assert reason(text, kind) is R.POLICY_ELEMENT_FORBIDDEN


def test_a_service_control_policy_may_allow_with_a_condition_and_notaction() -> None:
    made = statement(NotAction="iam:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    assert policy(made, kind=Kind.SCP).statements


RCP = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Principal": {"AWS": "*"}}, R.POLICY_ELEMENT_FORBIDDEN),
        ({"Principal": None}, R.POLICY_ELEMENT_FORBIDDEN),
        ({"Action": None, "NotAction": "s3:*"}, R.POLICY_ELEMENT_FORBIDDEN),
        ({"Action": "*"}, R.POLICY_ACTION_INVALID),
        ({"Action": []}, R.POLICY_WITHOUT_ACTIONS),
        ({"Effect": "Allow"}, R.POLICY_EFFECT),
        ({"Resource": "arn:aws:s3"}, R.POLICY_ARN_INCOMPLETE),
        ({"Resource": None}, R.POLICY_WITHOUT_RESOURCES),
        ({"Effect": "deny"}, R.POLICY_LEGACY_PARSING),
    ],
)
def test_what_a_resource_control_policy_may_not_say(change: dict[str, Any], expected: Reason) -> None:
    made = {name: value for name, value in (RCP | change).items() if value is not None}
    assert reason(document(made), Kind.RCP) is expected


def test_resource_control_policies_deny_and_awss_own_full_access_is_the_one_that_allows() -> None:
    assert policy(RCP, kind=Kind.RCP).statements
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    assert policy(full, kind=Kind.RCP).statements
    assert reason(document(full | {"Condition": {}}), Kind.RCP) is R.POLICY_EFFECT


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (statement(NotPrincipal={"AWS": "*"}), R.POLICY_NOT_PRINCIPAL_ALLOWS),
        (statement(Principal={}), R.POLICY_WITHOUT_PRINCIPAL),
        (statement(Principal={"AWS": []}), R.POLICY_WITHOUT_PRINCIPAL),
        (statement(Principal="111111111111"), R.POLICY_SYNTAX),
        (statement(Principal={"Nobody": "*"}), R.POLICY_SYNTAX),
        (statement(Principal={"AWS": "alice"}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"AWS": "arn:aws:iam::111111111111:user/*"}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"AWS": "arn:aws:iam::111111111111:group/g"}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"CanonicalUser": "79a5"}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"Service": "*"}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"Federated": ""}), R.POLICY_PRINCIPAL_INVALID),
        (statement(Principal={"AWS": "111111111111"}, Resource=[]), R.POLICY_WITHOUT_RESOURCES),
        (statement(Principal={"AWS": "111111111111"}, Action=None), R.POLICY_WITHOUT_ACTIONS),
        (statement("Deny", NotPrincipal={"AWS": "x"}), R.POLICY_PRINCIPAL_INVALID),
    ],
)
@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.VPC_ENDPOINT])
def test_what_a_resource_policy_may_not_say(made: dict[str, Any], expected: Reason, kind: Kind) -> None:
    assert reason(document(made), kind) is expected


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17", None])
def test_a_resource_policy_may_have_either_version_free_sids_and_no_resource(version: str | None) -> None:
    made = statement(Sid="free text!", Principal={"AWS": "*"}, Resource=None, Action="s3:*")
    assert policy(made, kind=Kind.RESOURCE, version=version).version == (version or "2008-10-17")
