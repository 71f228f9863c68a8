# SPDX-License-Identifier: Apache-2.0
"""
What is checked in a role trust policy, and in AWS's words (IAM User Guide, "Role trust policy"; IAM API: CreateRole).

The order: version, statements, then for each statement its effect, principal, condition, actions and the absence of
resources; then the Sids; last, that nobody else's workloads are trusted by a shared issuer's mere name.
"""

from __future__ import annotations

from daypass.errors import PolicyError, Reason
from daypass.policy.document import PRINCIPAL_TYPES, VERSION_2008, VERSION_2012, Document, StatementSource
from daypass.policy.identity_rules import check_legacy, check_sids
from daypass.policy.json_text import Json
from daypass.policy.match import ascii_lower
from daypass.policy.resource_rules import check_principal_entries
from daypass.policy.shared_issuers import check_issuers_scoped

_STS_ACTIONS = frozenset(
    [
        "assumerole",
        "assumerolewithsaml",
        "assumerolewithwebidentity",
        "tagsession",
        "setsourceidentity",
        "setcontext",
        "decodeauthorizationmessage",
        "getaccesskeyinfo",
        "getcalleridentity",
        "getfederationtoken",
        "getservicebearertoken",
        "getsessiontoken",
    ]
)
_COGNITO = "cognito-identity.amazonaws.com"


def check_trust_shape(value: Json) -> None:
    """What trust policies have words of their own for; the rest of the shape is checked like everybody's."""
    if not isinstance(value, dict):
        return
    if "Version" in value and value["Version"] not in (VERSION_2008, VERSION_2012):
        raise PolicyError(Reason.POLICY_SYNTAX, "The policy must contain a valid version string")
    statements = value.get("Statement")
    if not statements:
        raise PolicyError(Reason.POLICY_SYNTAX, "Could not parse the policy: Statement is empty!")
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict):
            _check_effect(statement)
            _check_principal_shape(statement)


def _check_effect(statement: dict[str, Json]) -> None:
    effect = statement.get("Effect")
    if effect is None or effect == "":
        raise PolicyError(Reason.POLICY_EFFECT, "Missing required field Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(Reason.POLICY_EFFECT, f"Invalid effect: {effect}")


def _check_principal_shape(statement: dict[str, Json]) -> None:
    if "NotPrincipal" in statement:
        if statement["Effect"] == "Allow":
            raise PolicyError(Reason.POLICY_NOT_PRINCIPAL_ALLOWS, "Allow with NotPrincipal is not allowed.")
        message = "AssumeRole policy must not contain NotPrincipal field."
        raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, message)
    principal = statement.get("Principal")
    if principal is None:
        raise PolicyError(Reason.POLICY_WITHOUT_PRINCIPAL, "Missing required field Principal")
    if isinstance(principal, str):
        raise PolicyError(Reason.POLICY_PRINCIPAL_INVALID, "Principal must be a JSON object.")
    if isinstance(principal, dict):
        for name in principal:
            if name not in PRINCIPAL_TYPES or name == "CanonicalUser":
                raise PolicyError(Reason.POLICY_PRINCIPAL_INVALID, f'Invalid principal in policy: "{name}"')


def check_trust(document: Document) -> None:
    """Raise PolicyError for the first rule that the document breaks."""
    for statement in document.statements:
        check_principal_entries(statement.principal or {})
        _check_cognito(statement)
        _check_actions(statement)
        _check_no_resources(statement)
    check_legacy(document)
    _check_sids(document)
    for statement in document.statements:
        check_issuers_scoped(statement)


def _check_cognito(statement: StatementSource) -> None:
    federated = (statement.principal or {}).get("Federated", ())
    if _COGNITO in federated and not statement.denies and not statement.conditions:
        message = "A condition block must be present for the Cognito provider"
        raise PolicyError(Reason.POLICY_CONDITION_REQUIRED, message)


def _check_actions(statement: StatementSource) -> None:
    if not statement.actions:
        raise PolicyError(Reason.POLICY_WITHOUT_ACTIONS, "Missing required field Action")
    for action in statement.actions:
        service, _, name = ascii_lower(action).partition(":")
        wild = "*" in name or "?" in name
        if service != "sts" or not (wild or name in _STS_ACTIONS):
            message = "AssumeRole policy may only specify STS AssumeRole actions."
            raise PolicyError(Reason.POLICY_ACTION_NOT_STS, message)


def _check_no_resources(statement: StatementSource) -> None:
    if statement.resource is not None:
        raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, "Has prohibited field Resource")
    if statement.not_resource is not None:
        raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, "AssumeRole policy must not contain resources.")


def _check_sids(document: Document) -> None:
    try:
        check_sids(document)
    except PolicyError as error:
        if error.reason is Reason.POLICY_SID_REPEATED:
            message = "The Statement Ids in the policy are not unique"
            raise PolicyError(Reason.POLICY_SID_REPEATED, message) from error
        raise
