# SPDX-License-Identifier: Apache-2.0
"""docs/policy-rules.md: every rule has its code and its test, and every ambiguous default is pinned by one that says so."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
PAGE = (PROJECT / "docs" / "policy-rules.md").read_text()
RULES, AMBIGUOUS = PAGE.split("## 16 ")
_TEST = re.compile(r"`(test_\w+)`")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[-1].strip() != "test"]


def defined() -> set[str]:
    return {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def test_every_rule_has_its_code_and_a_test_that_exists() -> None:
    known = defined()
    assert len(rows(RULES)) > 80
    for row in [*rows(RULES), *rows(AMBIGUOUS)]:
        code, test = row[-2].strip(), row[-1].strip()
        assert (PROJECT / code.strip("`")).is_file(), row
        assert test.strip("`") in known, row


def test_every_ambiguous_default_of_the_register_has_one_row_and_a_test_that_says_so() -> None:
    found = rows(AMBIGUOUS)
    assert [row[0].strip() for row in found] == [*map(str, range(1, 14)), "5.4"]
    tests = [row[-1].strip().strip("`") for row in found]
    assert len(set(tests)) == len(tests)
    assert [test for test in tests if not test.endswith("_ambiguous_default")] == []


def test_no_other_row_rests_on_an_ambiguous_default() -> None:
    assert [test for test in _TEST.findall(RULES) if "ambiguous" in test] == []
