# SPDX-License-Identifier: Apache-2.0
"""
What is checked in session policies, resource policies, endpoint policies and organisation policies, kind by kind
(IAM User Guide, "Policies and permissions"; Organizations User Guide, SCP and RCP syntax).

Where a check is that of an identity policy, so are its words. Role trust policies have a file of their own.
"""

from __future__ import annotations

from daypass.errors import PolicyError, Reason
from daypass.policy import identity_rules as rules
from daypass.policy.document import Document, Principals, StatementSource
from daypass.policy.principals import is_aws_principal


def check_session(document: Document) -> None:
    """Session policies: like identity policies, and every ARN is complete."""
    rules.check_identity(document)
    for statement in document.statements:
        _check_complete(statement)


def check_scp(document: Document) -> None:
    """Service control policies: like identity policies, without Id."""
    _check_no_id(document)
    rules.check_identity(document)


def check_rcp(document: Document) -> None:
    """Resource control policies: Deny, for everybody, of named services; AWS's own RCPFullAWSAccess is the one Allow."""
    _check_no_id(document)
    rules.check_version(document)
    rules.check_legacy(document)
    rules.check_sids(document)
    for statement in document.statements:
        if statement.principal != {"*": ("*",)}:
            message = 'The Principal element of a resource control policy must be "*".'
            raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, message)
        if statement.not_action is not None:
            message = "A resource control policy must not contain NotAction."
            raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, message)
    rules.check_actions_present(document)
    for statement in document.statements:
        if not _is_full_access(statement):
            _check_rcp_statement(statement)
    rules.check_resource_formats(document)
    rules.check_action_formats(document)
    rules.check_resources_present(document)
    for statement in document.statements:
        _check_complete(statement)


def _is_full_access(statement: StatementSource) -> bool:
    unconditional = not statement.denies and not statement.has_condition
    return unconditional and statement.actions == ("*",) and statement.resource == ("*",)


def _check_rcp_statement(statement: StatementSource) -> None:
    if not statement.denies:
        raise PolicyError(Reason.POLICY_EFFECT, "The Effect of a resource control policy must be Deny.")
    if "*" in statement.actions:
        message = "An action in a resource control policy must have a service prefix."
        raise PolicyError(Reason.POLICY_ACTION_INVALID, message)


def check_resource(document: Document) -> None:
    """Resource policies: either version, and principals of a form that can name somebody."""
    rules.check_legacy(document)
    _check_principals(document)
    rules.check_actions_present(document)
    rules.check_resource_formats(document)
    rules.check_action_formats(document)
    _check_no_empty_resources(document)


def check_vpc_endpoint(document: Document) -> None:
    """Endpoint policies: like resource policies; a statement without Principal is for everybody."""
    check_resource(document)


def _check_no_id(document: Document) -> None:
    if document.id is not None:
        raise PolicyError(Reason.POLICY_ELEMENT_FORBIDDEN, "A policy of this type must not contain Id.")


def _check_complete(statement: StatementSource) -> None:
    for resource in statement.resources:
        if resource != "*" and resource.count(":") < 5:
            raise PolicyError(Reason.POLICY_ARN_INCOMPLETE, f"Resource {resource} must be a complete ARN.")


def _check_no_empty_resources(document: Document) -> None:
    """Whether a service asks for Resource is its own affair, but a list of nothing is a mistake."""
    for statement in document.statements:
        if () in (statement.resource, statement.not_resource):
            raise PolicyError(Reason.POLICY_WITHOUT_RESOURCES, "Policy statement must contain resources.")


def _check_principals(document: Document) -> None:
    for statement in document.statements:
        if statement.not_principal is not None and not statement.denies:
            raise PolicyError(Reason.POLICY_NOT_PRINCIPAL_ALLOWS, "Allow with NotPrincipal is not allowed.")
        for entries in (statement.principal, statement.not_principal):
            if entries is not None:
                check_principal_entries(entries)


def check_principal_entries(entries: Principals) -> None:
    """
    Refuse a principal that can name nobody: no entries, an AWS entry of no known form, canonical users.

    Accounts have no canonical ids here, so that a Deny with one would be a promise that nobody keeps.
    """
    if not all(entries.values()) or not entries:
        message = "Missing required field Principal cannot be empty!"
        raise PolicyError(Reason.POLICY_WITHOUT_PRINCIPAL, message)
    for kind, texts in entries.items():
        for text in texts:
            if kind == "*" or (kind == "AWS" and is_aws_principal(text)):
                continue
            if kind == "CanonicalUser" or kind == "AWS" or not text or "*" in text:
                message = f'Invalid principal in policy: "{kind.upper()}":"{text}"'
                raise PolicyError(Reason.POLICY_PRINCIPAL_INVALID, message)
