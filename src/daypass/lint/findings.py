# SPDX-License-Identifier: Apache-2.0
"""
What the linter reports: findings, and how they are collected.

Which codes there are, how grave each is and what to do about it is a table of its own: ``daypass.lint.rules``.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Collection
from dataclasses import dataclass

from daypass.lint import limits
from daypass.lint.located import Lines, Span


class Severity(enum.Enum):
    """How grave a finding is; the values are the levels of SARIF 2.1.0 (section 3.58.6) too."""

    ERROR = "error"
    """The document is refused, or does what nobody means: opens a role to strangers, never matches."""
    WARNING = "warning"
    """Probably not what was meant, or more than is wise."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One finding. Lines and columns count from 1, columns in characters; the end column is the one behind the last character.

    - ``code``: a stable slug, a key of ``daypass.lint.RULES``.
    - ``message``: one sentence, with what to write instead where that is known. Control characters are escaped in it.
    - ``statement``: the index of the statement, from 0; None when the finding is about the document. ``sid``: its Sid, if any.
    """

    code: str
    severity: Severity
    message: str
    line: int
    column: int
    end_line: int
    end_column: int
    statement: int | None = None
    sid: str | None = None


def quoted(text: str) -> str:
    """A document's text for a message: in quotes, control characters escaped, cut when it is long."""
    shown = text if len(text) <= limits.MAX_SHOWN else text[: limits.MAX_SHOWN - 3] + "..."
    return ascii(shown) if not shown.isprintable() else repr(shown)


class Collector:
    """Collects the findings of one document, and keeps the accounts of what may still be compared and suggested."""

    def __init__(self, text: str, severities: dict[str, Severity]) -> None:
        self._lines = Lines(text)
        self._severities = severities
        self._found: dict[Finding, None] = {}
        self._suggestions = limits.MAX_SUGGESTIONS
        self._steps = limits.MAX_STEPS
        self.left_out = False

    def add(self, code: str, span: Span, message: str, *, statement: int | None = None, sid: str | None = None) -> None:
        """Report something. What is reported twice with the same words at the same place counts once."""
        if len(self._found) >= limits.MAX_FINDINGS:
            self.left_out = True
            return
        line, column = self._lines.at(span.start)
        end_line, end_column = self._lines.at(max(span.end, span.start))
        severity = self._severities[code]
        shown = message if message.isprintable() else ascii(message)[1:-1]  # names in it are the document's
        self._found[Finding(code, severity, shown, line, column, end_line, end_column, statement, sid)] = None

    def spend(self, steps: int) -> bool:
        """Whether so many comparisons may still be made; when not, the check is left out and the reader is told."""
        if self._steps < steps:
            self.left_out = True
            return False
        self._steps -= steps
        return True

    def closest(self, name: str, candidates: Collection[str]) -> str | None:
        """The candidate that is most like the name, if one is like it; case does not count."""
        if len(name) > limits.MAX_NAME or self._suggestions <= 0:
            return None
        self._suggestions -= 1
        spelled = {candidate.lower(): candidate for candidate in candidates}
        found = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.7)
        return spelled[found[0]] if found else None

    @property
    def has_errors(self) -> bool:
        """Whether one of the findings is an error."""
        return any(finding.severity is Severity.ERROR for finding in self._found)

    def findings(self) -> tuple[Finding, ...]:
        """Everything that was reported, in the order of the text."""
        if self.left_out:
            message = "The document is too large to check in full; what is left out is not reported."
            note = Finding("not-checked", self._severities["not-checked"], message, 1, 1, 1, 1)
            self._found[note] = None
        return tuple(sorted(self._found, key=_position))


def _position(finding: Finding) -> tuple[int, int, str]:
    return finding.line, finding.column, finding.code


def did_you_mean(name: str | None) -> str:
    """The end of a message: a question, or nothing."""
    return "" if name is None else f"; did you mean {quoted(name)}?"
