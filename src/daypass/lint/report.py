# SPDX-License-Identifier: Apache-2.0
"""
Findings as lines of text and as JSON. What is printed never has a control character of the document or of a file's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from daypass.lint import limits
from daypass.lint.findings import Finding, Severity
from daypass.policy.document import Kind


@dataclass(frozen=True, slots=True)
class Linted:
    """One file: its name as given, its text, what it was taken for, and what was found."""

    file: str
    text: str
    kind: Kind
    findings: tuple[Finding, ...]


def printable(text: str) -> str:
    """The text with everything that is not printable replaced by U+FFFD, one for one, so that columns stay."""
    return "".join(character if character.isprintable() else "�" for character in text)


def count(files: Sequence[Linted]) -> Counter[Severity]:
    """How many findings there are of each severity."""
    return Counter(finding.severity for linted in files for finding in linted.findings)


def text_report(files: Sequence[Linted], *, caret: bool = False) -> Iterator[str]:
    """``file:line:column: severity: message [code]``, and, with ``caret``, the line meant with a mark below it."""
    for linted in files:
        lines = linted.text[: limits.MAX_FILE].replace("\r\n", "\n").replace("\r", "\n").split("\n") if caret else []
        for finding in linted.findings:
            place = f"{printable(linted.file)}:{finding.line}:{finding.column}"
            yield f"{place}: {finding.severity.value}: {finding.message} [{finding.code}]"
            if caret and finding.line <= len(lines):
                yield from _marked(lines[finding.line - 1], finding)


def _marked(line: str, finding: Finding) -> Iterator[str]:
    """The source line and a line with carets; of a long line the part around the column."""
    start = finding.column - 1
    end = finding.end_column - 1 if finding.end_line == finding.line else len(line)
    left = max(0, start - limits.MAX_LINE // 2) if len(line) > limits.MAX_LINE else 0
    shown = printable(line[left : left + limits.MAX_LINE])
    width = max(1, min(end, left + limits.MAX_LINE) - start)
    yield f"    {shown}"
    yield f"    {' ' * (start - left)}{'^' * width}"


def json_report(files: Sequence[Linted]) -> dict[str, Any]:
    """The findings as one JSON object; lines and columns as in ``Finding``."""
    totals = count(files)
    return {
        "files": [
            {
                "file": printable(linted.file),
                "kind": linted.kind.value,
                "findings": [_as_dict(linted, finding) for finding in linted.findings],
            }
            for linted in files
        ],
        **{f"{severity.value}s": totals[severity] for severity in Severity},
    }


def _as_dict(linted: Linted, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": printable(linted.file),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "statement": finding.statement,
        "sid": finding.sid,
    }
