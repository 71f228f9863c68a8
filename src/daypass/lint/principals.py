# SPDX-License-Identifier: Apache-2.0
"""
Whom a resource or trust policy lets in (AWS JSON policy elements: Principal; Amazon S3 User Guide, "The meaning of public").
"""

from __future__ import annotations

import re

from daypass import arn
from daypass.lint.findings import quoted
from daypass.lint.narrowing import is_for_own_callers
from daypass.lint.stated import Inspection, Stated
from daypass.policy.document import Kind

_ACCOUNT_OF_ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:([0-9]{12}):")


def check_principals(work: Inspection) -> None:
    """Report Allows for the whole world, and, where the own account is known, for others."""
    if work.kind not in (Kind.RESOURCE, Kind.TRUST):
        return
    for stated in work.statements:
        if stated.allows and stated.source.principal is not None:
            _check_public(work, stated)
            _check_accounts(work, stated)


def _check_public(work: Inspection, stated: Stated) -> None:
    if is_for_own_callers(stated):
        return
    for kind, entry in stated.principals():
        if kind in ("*", "AWS") and entry.text == "*":
            if work.kind is Kind.TRUST:
                message = "Anybody in any account may take this role; name accounts or roles, or add a condition on "
                work.report("public-trust", stated, entry, message + "aws:PrincipalOrgID or aws:PrincipalArn.")
            else:
                message = "Anybody, signed in or not, is allowed this; name principals, or add a condition on "
                work.report("public-principal", stated, entry, message + "aws:PrincipalOrgID or aws:SourceArn.")


def _check_accounts(work: Inspection, stated: Stated) -> None:
    if work.account is None:
        return
    for kind, entry in stated.principals():
        other = _account_of(kind, entry.text or "")
        if other is not None and other != work.account:
            message = f"{quoted(entry.text or '')} is of account {other}, not {work.account}."
            work.report("cross-account-principal", stated, entry, message)


def _account_of(kind: str, text: str) -> str | None:
    if kind not in ("AWS", "Federated"):
        return None
    if arn.is_account_id(text):
        return text
    match = _ACCOUNT_OF_ARN.match(text)
    return None if match is None else match[1]
