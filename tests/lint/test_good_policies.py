# SPDX-License-Identifier: Apache-2.0
"""Policies as people write them: those that are right have no findings, wide ones no errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.lint import Severity, lint_document
from daypass.policy import Kind

ACCOUNT = "123456789012"
ISSUER = "token.actions.githubusercontent.com"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def allow(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


RIGHT: dict[str, tuple[Kind, str]] = {
    "read-a-bucket": (
        Kind.IDENTITY,
        document(
            allow(["s3:GetObject", "s3:GetObjectVersion"], "arn:aws:s3:::reports/*"),
            allow(
                "s3:ListBucket",
                "arn:aws:s3:::reports",
                Condition={"StringLike": {"s3:prefix": ["", "${aws:PrincipalTag/team}/*"]}},
            ),
            allow(["s3:ListAllMyBuckets", "s3:GetBucketLocation"]),
        ),
    ),
    "own-home": (Kind.IDENTITY, document(allow(["s3:*Object"], "arn:aws:s3:::homes/${aws:username}/*"))),
    "run-a-function": (
        Kind.IDENTITY,
        document(
            allow(
                ["lambda:InvokeFunction", "lambda:GetFunction"],
                f"arn:aws:lambda:*:{ACCOUNT}:function:report-*",
            ),
            allow(
                "iam:PassRole",
                f"arn:aws:iam::{ACCOUNT}:role/report-*",
                Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
            ),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:*:{ACCOUNT}:log-group:/aws/lambda/*:*"),
        ),
    ),
    "tag-what-it-creates": (
        Kind.IDENTITY,
        document(
            allow(
                "ec2:CreateTags",
                f"arn:aws:ec2:*:{ACCOUNT}:instance/*",
                Condition={
                    "StringEquals": {"ec2:CreateAction": "RunInstances"},
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]},
                    "Null": {"aws:TagKeys": "false"},
                },
            )
        ),
    ),
    "own-keys-with-mfa": (
        Kind.IDENTITY,
        document(
            allow(["iam:CreateAccessKey", "iam:ListAccessKeys"], "arn:aws:iam::*:user/${aws:username}"),
            {
                "Effect": "Deny",
                "NotAction": ["iam:*", "sts:GetSessionToken"],
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ),
    ),
    "boundary": (
        Kind.BOUNDARY,
        document(allow("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}),
    ),
    "session": (Kind.SESSION, document(allow("*"))),
    "bucket-policy": (
        Kind.RESOURCE,
        document(
            allow("s3:GetObject", "arn:aws:s3:::site/*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}),
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::site", "arn:aws:s3:::site/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ),
    ),
    "queue-for-a-topic": (
        Kind.RESOURCE,
        document(
            allow(
                "sqs:SendMessage",
                f"arn:aws:sqs:eu-central-1:{ACCOUNT}:jobs",
                Principal={"Service": "sns.amazonaws.com"},
                Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:jobs"}},
            )
        ),
    ),
    "key-policy": (
        Kind.RESOURCE,
        document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
    ),
    "trust-of-a-service": (
        Kind.TRUST,
        document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
    ),
    "trust-of-github": (
        Kind.TRUST,
        document(
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
                "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
                    "StringLike": {f"{ISSUER}:sub": "repo:acme/app:*"},
                },
            }
        ),
    ),
    "trust-of-saml": (
        Kind.TRUST,
        document(
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/office"},
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": {
                    "StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"},
                    "ForAnyValue:StringEquals": {
                        "saml:edupersonaffiliation": "staff",
                        "saml:attribute/https://idp.example.org/dept": "7",
                        "saml:attribute/idp.example:role": "admin",
                    },
                },
            }
        ),
    ),
    "guardrail": (
        Kind.SCP,
        document(
            allow("*"),
            {
                "Sid": "Regions",
                "Effect": "Deny",
                "NotAction": ["iam:*", "organizations:*", "sts:*"],
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}},
            },
        ),
    ),
    "perimeter": (
        Kind.RCP,
        document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:*", "sqs:*"],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-example"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            }
        ),
    ),
    "endpoint": (Kind.VPC_ENDPOINT, document(allow("*", Principal="*"))),
}

WIDE = {
    "administrator": document(allow("*")),
    "power-user": document(
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        allow(["iam:CreateServiceLinkedRole", "iam:ListRoles", "organizations:DescribeOrganization"]),
    ),
    "full-access": document(allow(["s3:*", "s3-object-lambda:*"])),
    "read-only": document(allow(["ec2:Describe*", "ec2:Get*", "s3:List*", "s3:Get*", "rds:Describe*", "retired:Get*"])),
    "automation": document(allow(["ssm:*", "iam:PassRole", "ec2:RunInstances", "lambda:*", "cloudformation:*"])),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_policy_that_is_right_has_no_findings(name: str) -> None:
    kind, text = RIGHT[name]
    assert lint_document(text, kind=kind, account=ACCOUNT) == ()


@pytest.mark.parametrize("name", WIDE)
def test_a_wide_policy_is_a_matter_of_warnings_and_not_of_errors(name: str) -> None:
    findings = lint_document(WIDE[name])
    assert findings
    assert Severity.ERROR not in {finding.severity for finding in findings}
