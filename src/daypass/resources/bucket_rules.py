# SPDX-License-Identifier: Apache-2.0
"""
What S3 checks in a bucket policy, in its words (S3 API, PutBucketPolicy: MalformedPolicy).

1. It is a JSON object.
2. Each statement has Effect, Principal, Action and Resource (or the Not form); the version is known.
3. (what is checked in every resource policy: ``daypass.policy.resource_rules``)
4. Actions are S3's, or ``*``.
5. Resources are the bucket itself, or below it.
6. Each action applies to a resource of its statement: the bucket, or the objects in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daypass.errors import PolicyError, Reason
from daypass.lint.tables import matching_actions
from daypass.policy import Kind, Policy, compile_policy, json_text
from daypass.policy.actions import split_action
from daypass.policy.document import VERSION_2008, VERSION_2012, StatementSource
from daypass.policy.json_text import Json
from daypass.resources.limits import ACTION_PATTERNS

_REQUIRED: Final = (
    ("Effect", "Effect", Reason.POLICY_EFFECT),
    ("Principal", "NotPrincipal", Reason.POLICY_WITHOUT_PRINCIPAL),
    ("Action", "NotAction", Reason.POLICY_WITHOUT_ACTIONS),
    ("Resource", "NotResource", Reason.POLICY_WITHOUT_RESOURCES),
)
_IN_ITS_WORDS: Final[Mapping[Reason, str]] = {
    Reason.POLICY_SYNTAX: "Invalid policy syntax.",
    Reason.POLICY_PRINCIPAL_INVALID: "Invalid principal in policy",
    Reason.POLICY_ACTION_INVALID: "Policy has invalid action",
    Reason.POLICY_RESOURCE_INVALID: "Policy has invalid resource",
    Reason.POLICY_WITHOUT_RESOURCES: "Missing required field Resource",
    Reason.POLICY_WITHOUT_ACTIONS: "Missing required field Action",
    Reason.POLICY_WITHOUT_PRINCIPAL: "Missing required field Principal",
}
"""Messages of S3's own for what every resource policy is checked for."""


def compile_bucket_policy(document: str, arn: str) -> Policy:
    """The policy of the bucket with this ARN, compiled. Raises PolicyError in S3's words for the first rule it breaks."""
    _check_shape(_read(document))  # 1, 2
    try:
        policy = compile_policy(document, Kind.RESOURCE)  # 3
    except PolicyError as error:
        raise PolicyError(error.reason, _IN_ITS_WORDS.get(error.reason, str(error))) from error
    _check_patterns(policy)
    for statement in policy.statements:
        _check_actions(statement.source)  # 4
    for statement in policy.statements:
        _check_resources(statement.source, arn)  # 5
    for statement in policy.statements:
        _check_fit(statement.source)  # 6
    return policy


def _read(document: str) -> Json:
    if not document.startswith("{"):
        message = "Policies must be valid JSON and the first byte must be '{'"
        raise PolicyError(Reason.POLICY_SYNTAX, message)
    try:
        return json_text.read(document)
    except PolicyError as error:
        if error.reason is Reason.POLICY_SYNTAX:
            raise PolicyError(Reason.POLICY_SYNTAX, "This policy contains invalid Json") from error
        raise


def _check_shape(value: Json) -> None:
    if not isinstance(value, dict):
        return
    if "Version" in value and value["Version"] not in (VERSION_2008, VERSION_2012):
        raise PolicyError(Reason.POLICY_VERSION, "The policy must contain a valid version string")
    if "Statement" not in value:
        raise PolicyError(Reason.POLICY_SYNTAX, "Missing required field Statement")
    statements = value["Statement"]
    if statements == []:
        raise PolicyError(Reason.POLICY_SYNTAX, "Could not parse the policy: Statement is empty!")
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict):
            _check_elements(statement)


def _check_elements(statement: dict[str, Json]) -> None:
    for name, other, reason in _REQUIRED:
        if name not in statement and other not in statement:
            raise PolicyError(reason, f"Missing required field {name}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise PolicyError(Reason.POLICY_EFFECT, f"Invalid effect: {statement['Effect']}")


def _check_patterns(policy: Policy) -> None:
    """Bound the work of 4 and 6: a pattern that is no prefix is compared with every action of S3, for half a millisecond."""
    actions = {action.lower() for statement in policy.statements for action in statement.source.actions}
    if sum("*" in action[:-1] or "?" in action for action in actions) > ACTION_PATTERNS:
        message = f"The policy has more than {ACTION_PATTERNS} different actions with wildcards before their end."
        raise PolicyError(Reason.POLICY_TOO_LARGE, message)


def _check_actions(statement: StatementSource) -> None:
    for action in statement.actions:
        prefix, name = split_action(action)
        if action != "*" and not (prefix == "s3" and matching_actions("s3", name)):
            raise PolicyError(Reason.POLICY_ACTION_INVALID, _IN_ITS_WORDS[Reason.POLICY_ACTION_INVALID])


def _check_resources(statement: StatementSource, arn: str) -> None:
    for resource in statement.resources:
        if resource != arn and not resource.startswith(f"{arn}/"):
            raise PolicyError(Reason.POLICY_RESOURCE_INVALID, _IN_ITS_WORDS[Reason.POLICY_RESOURCE_INVALID])


def _check_fit(statement: StatementSource) -> None:
    """What is excepted from everything (NotAction, NotResource) has no resource that it must fit."""
    if statement.action is None or statement.resource is None:
        return
    named = {"object" if "/" in resource else "bucket" for resource in statement.resource}
    for action in statement.action:
        if action != "*" and not named & _resource_types(action):
            message = "Action does not apply to any resource(s) in statement"
            raise PolicyError(Reason.POLICY_RESOURCE_INVALID, message)


def _resource_types(action: str) -> set[str]:
    """What the actions that a pattern covers act on (Service Authorization Reference, Amazon S3)."""
    return {kind.name for found in matching_actions("s3", split_action(action)[1]) for kind in found.resources}
