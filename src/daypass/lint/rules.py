# SPDX-License-Identifier: Apache-2.0
"""
Every code that a finding may have: how grave it is, what it means and what to do. docs/lint.md is compared with this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daypass.errors import Reason
from daypass.lint.findings import Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Rule:
    """One code. ``summary`` is what is wrong, ``help`` what to do about it, ``source`` whose rule it is."""

    code: str
    severity: Severity
    summary: str
    help: str
    source: str


_GRAMMAR: Final = "IAM User Guide, Grammar of the IAM JSON policy language"
_TABLES: Final = "Service Authorization Reference"
_OPERATORS: Final = "IAM JSON policy elements: Condition operators"
_VARIABLES: Final = "IAM policy elements: Variables and tags"
_SETS: Final = "IAM User Guide, Set operators for multivalued context keys"
_OIDC: Final = "IAM User Guide, Create a role for OpenID Connect federation"


def _refusal(reason: Reason, summary: str, advice: str) -> Rule:
    return Rule(reason.value, ERROR, summary, advice, reason.source)


_REFUSALS: Final = (
    _refusal(Reason.POLICY_TOO_LARGE, "The document is longer than any policy may be.", "Split it."),
    _refusal(
        Reason.POLICY_CHARACTERS,
        "A character outside U+0009, U+000A, U+000D, U+0020 to U+00FF.",
        "Replace it; a byte order mark at the start, or quotation marks of a word processor, are the usual ones.",
    ),
    _refusal(Reason.POLICY_SYNTAX, "The shape is wrong.", "Compare with the grammar."),
    _refusal(Reason.POLICY_VERSION, "The version is missing or old.", 'Write "Version": "2012-10-17".'),
    _refusal(
        Reason.POLICY_LEGACY_PARSING,
        "Effect in another case, a date that is none, or a short ARN with empty fields.",
        "Write Allow or Deny, dates such as 2026-01-31T12:00:00Z, and ARNs of six fields.",
    ),
    _refusal(Reason.POLICY_SID_REPEATED, "Two statements have the same Sid.", "Rename one."),
    _refusal(Reason.POLICY_SID_CHARACTERS, "A Sid has more than letters and digits.", "Leave the others out."),
    _refusal(
        Reason.POLICY_ELEMENT_FORBIDDEN,
        "An element that policies of this kind must not have.",
        "Remove it, or say with --kind what the document is.",
    ),
    _refusal(Reason.POLICY_EFFECT, "The Effect is missing, or not one this kind may have.", "Write Allow or Deny."),
    _refusal(Reason.POLICY_WITHOUT_PRINCIPAL, "A statement names no principal.", "Add Principal."),
    _refusal(
        Reason.POLICY_PRINCIPAL_INVALID,
        "A principal of no form that can name anybody.",
        "Write an account, the ARN of a role or user without wildcards, a service, a provider, or the whole *.",
    ),
    _refusal(
        Reason.POLICY_NOT_PRINCIPAL_ALLOWS,
        "Allow with NotPrincipal, which lets in everybody else in the world.",
        "Write Principal.",
    ),
    _refusal(Reason.POLICY_WITHOUT_ACTIONS, "A statement has no actions.", "Add Action."),
    _refusal(Reason.POLICY_ACTION_INVALID, "An action is not service:Name.", "Write it with its service."),
    _refusal(
        Reason.POLICY_ACTION_NOT_STS,
        "A trust policy with an action that is not one of STS for roles.",
        "Trust policies say who may take the role; what the role may do stands in its other policies.",
    ),
    _refusal(Reason.POLICY_WITHOUT_RESOURCES, "A statement has no resources.", "Add Resource."),
    _refusal(Reason.POLICY_RESOURCE_INVALID, "A resource is neither an ARN nor *.", "Write its ARN."),
    _refusal(
        Reason.POLICY_ARN_INCOMPLETE, "An ARN has fewer than six fields.", "Complete it, with * where it matters not."
    ),
    _refusal(
        Reason.POLICY_CONDITION_REQUIRED,
        "Cognito is trusted without a condition.",
        "Add a condition on cognito-identity.amazonaws.com:aud.",
    ),
    _refusal(
        Reason.POLICY_ISSUER_UNSCOPED,
        "An issuer that everybody shares is trusted without asking whose token it is.",
        "Add a condition on the subject that names your organisation in full before the first wildcard.",
    ),
)

_SHAPE: Final = (
    Rule("json-syntax", ERROR, "The text is not JSON.", "Correct it at the position given.", "RFC 8259"),
    Rule(
        "duplicate-name",
        ERROR,
        "An object has a name twice.",
        "Merge the two; readers differ on which counts.",
        _GRAMMAR,
    ),
    Rule("unknown-element", ERROR, "An element that does not exist.", "Names are exact, case included.", _GRAMMAR),
    Rule("missing-element", ERROR, "An element that must be there is not.", "Add it.", _GRAMMAR),
    Rule("wrong-type", ERROR, "A value of the wrong JSON type.", "Write the type that the message names.", _GRAMMAR),
    Rule("wrong-value", ERROR, "A value that is none of the few possible.", "Write one of them.", _GRAMMAR),
    Rule("conflicting-elements", ERROR, "An element and its Not-form together.", "Make it two statements.", _GRAMMAR),
    Rule(
        "unknown-operator",
        ERROR,
        "A condition operator that does not exist.",
        "Names are exact, case included.",
        _OPERATORS,
    ),
)

_NAMES: Final = (
    Rule(
        "unknown-service",
        WARNING,
        "A service that AWS does not have.",
        "Correct it, unless it is your own service behind the gateway.",
        _TABLES,
    ),
    Rule(
        "unknown-action",
        WARNING,
        "An action that its service does not have.",
        "Correct it; as it is, it means nothing.",
        _TABLES,
    ),
    Rule(
        "wildcard-matches-nothing",
        WARNING,
        "A wildcard that no action fits.",
        "Correct it; as it is, it means nothing.",
        _TABLES,
    ),
    Rule(
        "unknown-resource-type",
        WARNING,
        "An ARN that no resource of its service has.",
        "Compare with the service's types.",
        _TABLES,
    ),
    Rule(
        "unknown-condition-key",
        WARNING,
        "A condition key, or a variable, that does not exist.",
        "Correct it: an unknown key is always absent.",
        _TABLES,
    ),
    Rule(
        "condition-key-not-supported",
        WARNING,
        "A condition key that no action of the statement has.",
        "Split the statement, or use a global key.",
        _TABLES,
    ),
    Rule(
        "resource-fits-no-action",
        WARNING,
        "A resource that no action of the statement acts on.",
        "Remove it, or write the ARN that the message names.",
        _TABLES,
    ),
    Rule(
        "action-fits-no-resource",
        WARNING,
        "An action that acts on none of the resources.",
        "Add its kind of resource, or move it to a statement of its own.",
        _TABLES,
    ),
    Rule(
        "statement-never-matches",
        WARNING,
        "No action of the statement acts on any of its resources.",
        "Correct the actions or the resources.",
        _TABLES,
    ),
)

_CONDITIONS: Final = (
    Rule(
        "operator-type",
        WARNING,
        "An operator for another type than the key's.",
        "Use the operator of the key's type.",
        _OPERATORS,
    ),
    Rule(
        "condition-value-type",
        ERROR,
        "A value that the operator cannot compare, so that it never holds.",
        "Correct the value.",
        _OPERATORS,
    ),
    Rule(
        "wildcard-in-exact-match",
        WARNING,
        "A * under an operator that has no wildcards.",
        "Use StringLike or StringNotLike.",
        _OPERATORS,
    ),
    Rule(
        "missing-set-operator",
        WARNING,
        "A key with several values, compared as if it had one.",
        "Add ForAnyValue: or ForAllValues:.",
        _SETS,
    ),
    Rule(
        "for-all-values-without-null",
        WARNING,
        "ForAllValues in an Allow also holds when the key is absent.",
        'Add a Null condition with "false", unless absence is meant to be allowed.',
        _SETS,
    ),
    Rule(
        "variable-in-2008",
        WARNING,
        "A variable in a document without version 2012-10-17 is plain text.",
        'Write "Version": "2012-10-17".',
        _VARIABLES,
    ),
    Rule(
        "variable-misplaced",
        ERROR,
        "A variable before the fifth colon of an ARN, where none is replaced.",
        "Move it behind the fifth colon.",
        _VARIABLES,
    ),
    Rule(
        "variable-unclosed",
        WARNING,
        "A ${ without a closing brace.",
        "Close it; for a dollar sign write ${$}.",
        _VARIABLES,
    ),
    Rule(
        "variable-multi-valued",
        WARNING,
        "A variable whose key has several values never has one.",
        "Use a key with one value.",
        _VARIABLES,
    ),
)

_REACH: Final = (
    Rule(
        "privilege-escalation",
        WARNING,
        "Permissions with which their holder can take more.",
        "Name the resources, or add a condition such as iam:PassedToService or iam:PermissionsBoundary.",
        "Rhino Security Labs; Bishop Fox; docs/lint.md has the table",
    ),
    Rule(
        "allow-everything",
        WARNING,
        "Every action on every resource.",
        "List what is needed.",
        "IAM User Guide, Apply least-privilege permissions",
    ),
    Rule(
        "allow-whole-service",
        NOTE,
        "Every action of a service on every resource.",
        "List actions, or name resources.",
        "IAM User Guide, Apply least-privilege permissions",
    ),
    Rule(
        "allow-not-action",
        WARNING,
        "Allow with NotAction.",
        "List actions in Action.",
        "IAM JSON policy elements: NotAction",
    ),
    Rule(
        "allow-not-resource",
        WARNING,
        "Allow with NotResource.",
        "List resources in Resource.",
        "IAM JSON policy elements: NotResource",
    ),
    Rule(
        "not-principal",
        WARNING,
        "NotPrincipal.",
        "Use Principal * and a condition on aws:PrincipalArn.",
        "AWS JSON policy elements: NotPrincipal",
    ),
    Rule(
        "public-principal",
        WARNING,
        "A resource policy for the whole world.",
        "Name principals, or add a condition on who is asking.",
        "Amazon S3 User Guide, The meaning of public",
    ),
    Rule(
        "public-trust",
        ERROR,
        "A role that anybody may take.",
        "Name principals, or add a condition on who is asking.",
        "IAM User Guide, Role trust policy",
    ),
    Rule(
        "cross-account-principal",
        NOTE,
        "A principal of another account than --account.",
        "Check that it is meant.",
        "AWS JSON policy elements: Principal",
    ),
    Rule(
        "oidc-without-audience",
        WARNING,
        "A web identity provider is trusted for every audience.",
        "Add StringEquals on ISSUER:aud.",
        _OIDC,
    ),
    Rule(
        "subject-wildcard",
        WARNING,
        "A wildcard for subjects that also fits those of other tenants or namespaces.",
        "Write the tenant in full before the first wildcard.",
        _OIDC,
    ),
    Rule(
        "claim-of-other-issuer",
        WARNING,
        "A condition on a claim of an issuer that the statement does not trust.",
        "Write the issuer as in the provider's ARN.",
        _OIDC,
    ),
    Rule(
        "principal-fits-no-action",
        WARNING,
        "A principal that cannot call any of the actions.",
        "Add the operation that it assumes roles with.",
        "IAM User Guide, Role trust policy",
    ),
    Rule("redundant-statement", NOTE, "An earlier statement says the same, or more.", "Remove one.", "docs/lint.md"),
    Rule("size-over-limit", ERROR, "Longer than any entity takes.", "Shorten or split it.", "IAM and STS quotas"),
    Rule(
        "size-over-default",
        WARNING,
        "Longer than what most entities take.",
        "Shorten or split it.",
        "IAM and STS quotas",
    ),
    Rule(
        "not-checked",
        NOTE,
        "Too much to compare or report in one run.",
        "Split the document.",
        "our limits; see daypass.lint.limits",
    ),
)

RULES: Final[dict[str, Rule]] = {rule.code: rule for rule in (*_SHAPE, *_REFUSALS, *_NAMES, *_CONDITIONS, *_REACH)}
"""Every rule by its code."""

SEVERITIES: Final = {rule.code: rule.severity for rule in RULES.values()}
"""How grave a finding of each code is."""
