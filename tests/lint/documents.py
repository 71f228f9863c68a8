# SPDX-License-Identifier: Apache-2.0
"""Documents for the linter's tests: «these marks» stand around the text that a finding must point at."""

from __future__ import annotations

from daypass.lint import Finding, lint_document
from daypass.policy import Kind

OPEN, CLOSE = "«", "»"
ACCOUNT = "123456789012"
OTHER = "210987654321"


def policy(*statements: str, version: str = '"Version": "2012-10-17", ') -> str:
    """A document of these statements, each the inside of an object."""
    return "{" + version + '"Statement": [' + ",\n ".join("{" + statement + "}" for statement in statements) + "]}"


def allow(actions: str, resources: str = '"*"', more: str = "") -> str:
    """The inside of an Allow; actions and resources are JSON."""
    return f'"Effect": "Allow", "Action": {actions}, "Resource": {resources}{more}'


def when(condition: str) -> str:
    """A Condition to put behind other elements; ``condition`` is the inside of its object."""
    return f', "Condition": {{{condition}}}'


def trusting(principal: str, actions: str = '"sts:AssumeRole"', more: str = "") -> str:
    """A trust policy with one Allow."""
    return policy(f'"Effect": "Allow", "Principal": {principal}, "Action": {actions}{more}')


def federated(issuer: str, condition: str, actions: str = '"sts:AssumeRoleWithWebIdentity"') -> str:
    """A trust policy for the provider of an issuer."""
    principal = f'{{"Federated": "arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"}}'
    return trusting(principal, actions, when(condition))


def unmarked(document: str) -> tuple[str, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """The document without its marks, and the lines and columns (from 1) that each pair of marks encloses."""
    text = ""
    places: list[tuple[tuple[int, int], tuple[int, int]]] = []
    start = (0, 0)
    for character in document:
        if character == OPEN:
            start = _position(text)
        elif character == CLOSE:
            places.append((start, _position(text)))
        else:
            text += character
    return text, places


def _position(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def place(finding: Finding) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a finding points."""
    return (finding.line, finding.column), (finding.end_line, finding.end_column)


def codes(document: str, kind: Kind | None = None, account: str | None = None) -> set[str]:
    """The codes of everything that is found."""
    return {finding.code for finding in lint_document(unmarked(document)[0], kind=kind, account=account)}
