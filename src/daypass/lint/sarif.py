# SPDX-License-Identifier: Apache-2.0
"""
Findings in SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), which code hosts show beside the lines.
"""

from __future__ import annotations

import os.path
import urllib.parse
from collections.abc import Sequence
from typing import Any, Final

from daypass import __version__
from daypass.lint.findings import Finding
from daypass.lint.report import Linted
from daypass.lint.rules import RULES, Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
"""Where the format's JSON schema is published."""

_INDEX: Final = {code: index for index, code in enumerate(RULES)}


def sarif_report(files: Sequence[Linted]) -> dict[str, Any]:
    """One run with every rule and every finding (SARIF sections 3.13 and 3.14). Columns count code points (3.14.17)."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "daypass lint",
                        "semanticVersion": _semantic(__version__),
                        "version": __version__,
                        "rules": [_rule(rule) for rule in RULES.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "artifacts": [{"location": {"uri": _uri(linted.file)}} for linted in files],
                "results": [
                    _result(linted, index, finding) for index, linted in enumerate(files) for finding in linted.findings
                ],
            }
        ],
    }


def _semantic(version: str) -> str:
    """``0.1.0.dev0`` (PEP 440) is ``0.1.0-dev0`` in Semantic Versioning."""
    return version.replace(".dev", "-dev")


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"{rule.help} (Source: {rule.source}.)"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(linted: Linted, artifact: int, finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(linted.file), "index": artifact},
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endLine": finding.end_line,
                "endColumn": finding.end_column,
            },
        }
    }
    if finding.statement is not None:
        name = finding.sid or f"Statement[{finding.statement}]"
        location["logicalLocations"] = [{"name": name, "kind": "object"}]
    return {
        "ruleId": finding.code,
        "ruleIndex": _INDEX[finding.code],
        "level": finding.severity.value,
        "message": {"text": finding.message},
        "locations": [location],
    }


def _uri(file: str) -> str:
    """A URI reference (RFC 3986): relative paths stay relative, which code hosts ask for."""
    if file == "-":
        return "stdin"
    path = file.replace("\\", "/") if os.path.sep == "\\" else file
    quoted = urllib.parse.quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if quoted.startswith("/") else quoted
