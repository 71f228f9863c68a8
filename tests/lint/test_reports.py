# SPDX-License-Identifier: Apache-2.0
"""What findings look like as text, JSON and SARIF, and that docs/lint.md lists every one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from daypass.lint import RULES, Linted, Severity, json_report, lint_document, sarif_report, text_report
from daypass.lint.escalation import PATHS
from daypass.policy import Kind
from lint.documents import allow, policy

PROJECT = Path(__file__).parent.parent.parent
DOCUMENT = policy('"Sid": "Typo", ' + allow('"s3:GetObjct"', '"arn:aws:s3:::b/c"'), allow('"*"'))


def linted(text: str = DOCUMENT, file: str = "policies/read.json") -> list[Linted]:
    return [Linted(file, text, Kind.IDENTITY, lint_document(text, kind=Kind.IDENTITY))]


def test_a_line_of_text_has_place_severity_message_and_code() -> None:
    first, second = text_report(linted())
    assert first == (
        "policies/read.json:1:86: warning: The service s3 has no action 's3:GetObjct'; did you mean 's3:GetObject'? "
        "[unknown-action]"
    )
    assert second.startswith("policies/read.json:2:32: warning: ")
    assert second.endswith(" [allow-everything]")


def test_a_caret_line_marks_what_is_meant() -> None:
    _, source, carets, *_ = text_report(linted(), caret=True)
    start, end = carets.index("^"), carets.rindex("^") + 1
    assert source[start:end] == '"s3:GetObjct"'
    assert set(carets[4:]) == {" ", "^"}


def test_a_long_line_is_shown_around_the_place() -> None:
    text = policy('"Sid": "' + "a" * 1000 + '", ' + allow('"s3:GetObjct"', '"arn:aws:s3:::b/c"'))
    _, source, carets = text_report(linted(text), caret=True)
    assert len(source) <= 4 + 160
    assert source[carets.index("^") : carets.rindex("^") + 1] == '"s3:GetObjct"'


@pytest.mark.parametrize("text", ['{"a": \x1b[31m}', '{"a\x07"', "\x00", '{"a\u202e": x'])
def test_no_control_character_of_the_document_or_of_a_name_is_printed(text: str) -> None:
    lines = list(text_report(linted(text, "a\x1b[31m\n\udcff"), caret=True))
    assert lines
    assert all(line.isprintable() for line in lines)


def test_json_has_every_field_and_the_totals() -> None:
    report = json.loads(json.dumps(json_report(linted())))
    [file] = report["files"]
    assert (file["file"], file["kind"]) == ("policies/read.json", "identity")
    assert file["findings"][0] == {
        "code": "unknown-action",
        "severity": "warning",
        "message": "The service s3 has no action 's3:GetObjct'; did you mean 's3:GetObject'?",
        "file": "policies/read.json",
        "line": 1,
        "column": 86,
        "end_line": 1,
        "end_column": 99,
        "statement": 0,
        "sid": "Typo",
    }
    assert (report["errors"], report["warnings"], report["notes"]) == (0, 2, 0)


def test_sarif_has_what_the_schema_requires() -> None:
    report = json.loads(json.dumps(sarif_report(linted())))
    assert report["version"] == "2.1.0"
    assert report["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"
    [run] = report["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "daypass lint"
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", driver["semanticVersion"])
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}


def test_every_sarif_result_points_into_its_rule_its_file_and_its_region() -> None:
    files = [*linted(), *linted("{", "other.json")]
    [run] = sarif_report(files)["runs"]
    assert len(run["results"]) == 3
    for result, finding in zip(run["results"], [f for each in files for f in each.findings], strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert result["level"] == finding.severity.value
        assert result["message"] == {"text": finding.message}
        [location] = result["locations"]
        physical = location["physicalLocation"]
        artifact = physical["artifactLocation"]
        assert run["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]
        assert physical["region"] == {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
    assert run["results"][0]["locations"][0]["logicalLocations"] == [{"name": "Typo", "kind": "object"}]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/c%d.json", "a%20b/c%25d.json"),
        ("é.json", "%C3%A9.json"),
        ("\udcff.json", "%FF.json"),
        ("/etc/x.json", "file:///etc/x.json"),
        ("-", "stdin"),
    ],
)
def test_a_files_name_is_a_uri_reference_in_sarif(file: str, uri: str) -> None:
    assert sarif_report(linted(file=file))["runs"][0]["artifacts"] == [{"location": {"uri": uri}}]


def test_rules_are_told_apart_and_say_what_to_do() -> None:
    for code, rule in RULES.items():
        assert rule.code == code
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert rule.summary.endswith(".")
        assert rule.help.endswith(".")
        assert rule.source
    assert {rule.severity for rule in RULES.values()} == set(Severity)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of docs/lint.md."""
    section = (PROJECT / "docs" / "lint.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_documentation_lists_every_finding_as_the_code_has_it() -> None:
    assert rows("Findings") == [
        [f"`{rule.code}`", rule.severity.value, rule.summary, rule.help, rule.source] for rule in RULES.values()
    ]


def test_the_documentation_lists_every_escalation_path() -> None:
    assert rows("Privilege escalation") == [
        [f"`{path.name}`", ", ".join(f"`{action}`" for action in path.actions), path.gain, path.source]
        for path in PATHS
    ]
