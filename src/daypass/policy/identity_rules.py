# SPDX-License-Identifier: Apache-2.0
"""
What AWS checks in an identity-based policy, in its order and its words (IAM API: MalformedPolicyDocument).

1. (the shape: ``daypass.policy.document``)
2. The version is 2012-10-17.
3. "Legacy parsing": the case of Effect, dates, resources of fewer than six fields.
4. Sids are unique and alphanumeric.
5. No principal.
6. There are actions.
7. Resources are ARNs of a known partition; iam and s3 have rules of their own.
8. Actions have a service.
9. There are resources.

Each step looks at every statement before the next step begins; the first failure is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from daypass.errors import PolicyError, Reason
from daypass.policy import values
from daypass.policy.document import VERSION_2012, Document, StatementSource

PARTITIONS = frozenset(
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"]
)
"""Partitions that resources may name (botocore's endpoint data), and the wildcard."""

_SID = re.compile(r"[0-9A-Za-z]*+")
_VENDOR = re.compile(r"[A-Za-z0-9.-]*+")
_IAM_PATHS = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
]
# Seen in AWS's own managed policies, or a resource type of IAM (Service Authorization Reference), though the list in the
# message does not have them.
_IAM_PATHS_ACCEPTED = ("*", "root", "role-template/", "delegation-request/", *_IAM_PATHS)
_S3_REGIONAL = ("accesspoint/", "access-grants/")


def check_identity(document: Document) -> None:
    """Raise PolicyError for the first rule that the document breaks."""
    check_version(document)
    check_legacy(document)
    check_sids(document)
    check_no_principal(document)
    check_actions_present(document)
    check_resource_formats(document)
    check_action_formats(document)
    check_resources_present(document)


def check_version(document: Document) -> None:
    """Step 2."""
    if document.version != VERSION_2012:
        raise PolicyError(Reason.POLICY_VERSION, "Policy document must be version 2012-10-17 or greater.")


def check_legacy(document: Document) -> None:
    """Step 3."""
    for statement in document.statements:
        if statement.effect not in ("Allow", "Deny") or _has_bad_date(statement) or _has_bad_short_arn(statement):
            raise PolicyError(Reason.POLICY_LEGACY_PARSING, "The policy failed legacy parsing")


def _has_bad_date(statement: StatementSource) -> bool:
    return any(
        values.instant(value) is None
        for condition in statement.conditions
        if condition.operator.base.startswith("Date")
        for value in condition.values
    )


def _has_bad_short_arn(statement: StatementSource) -> bool:
    for resource in statement.resources:
        fields = resource.split(":")
        if len(fields) < 6 and ("::" in resource or (len(fields) > 2 and not fields[2])):
            return True
    return False


def check_sids(document: Document) -> None:
    """Step 4."""
    sids = [statement.sid for statement in document.statements if statement.sid]
    if len(sids) != len(set(sids)):
        raise PolicyError(Reason.POLICY_SID_REPEATED, "Statement IDs (SID) in a single policy must be unique.")
    if not all(map(_SID.fullmatch, sids)):
        message = (
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
        raise PolicyError(Reason.POLICY_SID_CHARACTERS, message)


def check_no_principal(document: Document) -> None:
    """Step 5."""
    for statement in document.statements:
        if statement.principal is not None or statement.not_principal is not None:
            raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, "Policy document should not specify a principal.")


def check_actions_present(document: Document) -> None:
    """Step 6. An empty list is as bad as none."""
    if not all(statement.actions for statement in document.statements):
        raise PolicyError(Reason.POLICY_WITHOUT_ACTIONS, "Policy statement must contain actions.")


def check_resource_formats(document: Document) -> None:
    """Step 7. Lists are looked at from the end of the alphabet, as AWS does."""
    for statement in document.statements:
        for resource in sorted(statement.resources, reverse=True):
            problem = None if resource == "*" else _resource_problem(resource)
            if problem is not None:
                raise PolicyError(Reason.POLICY_RESOURCE_INVALID, problem)


def _resource_problem(resource: str) -> str | None:
    fields = resource.split(":", 5)
    if len(fields) == 1:
        return f'Resource {resource} must be in ARN format or "*".'
    if fields[1] not in PARTITIONS:
        shown = ":".join(fields[2:] + ["*"] * (6 - len(fields)))
        return f'Partition "{fields[1]}" is not valid for resource "arn:{fields[1]}:{shown}".'
    if len(fields) == 2:
        return "Resource vendor must be fully qualified and cannot contain regexes."
    service = fields[2]
    region = fields[3] if len(fields) > 3 else ""
    path = fields[5] if len(fields) > 5 else "*"
    if service == "iam":
        if region:
            return f"IAM resource {resource} cannot contain region information."
        if not path.startswith(_IAM_PATHS_ACCEPTED):
            return f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.'
    if service == "s3" and region and not path.startswith(_S3_REGIONAL):
        return f"Resource {resource} can not contain region information."
    return None


def check_action_formats(document: Document) -> None:
    """Step 8."""
    for action in _actions(document):
        vendor, colon, name = action.partition(":")
        if not colon:
            message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        elif ":" in name:
            message = "Actions/Condition can contain only one colon."
        elif _VENDOR.fullmatch(vendor) is None:
            message = f"Vendor {vendor} is not valid"
        else:
            continue
        raise PolicyError(Reason.POLICY_ACTION_INVALID, message)


def _actions(document: Document) -> Iterator[str]:
    for statement in document.statements:
        for action in statement.actions:
            if action != "*":
                yield action


def check_resources_present(document: Document) -> None:
    """Step 9. An empty list, or one of nulls, is as bad as none."""
    if not all(statement.resources for statement in document.statements):
        raise PolicyError(Reason.POLICY_WITHOUT_RESOURCES, "Policy statement must contain resources.")
