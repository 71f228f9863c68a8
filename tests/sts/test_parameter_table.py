# SPDX-License-Identifier: Apache-2.0
"""docs/sts-parameters.toml says what becomes of every parameter of STS, and each of its tests is there and about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sts.asking import MODEL
from sts.parameters import OFFERED, REFUSED, parameters_of, table
from sts.test_bad_values import BAD

TESTS = {
    name: (path.name, body)
    for path in Path(__file__).parent.glob("test_*.py")
    for name, body in re.findall(
        r"^(?:async )?def (test_\w+)(.*?)(?=^(?:async )?def |^@|\Z)", path.read_text(), re.MULTILINE | re.DOTALL
    )
}
ROWS = [(operation, name, state) for operation, of in table().items() for name, state in of.items()]


def test_every_operation_that_is_offered_has_a_row_for_each_of_its_parameters_and_no_other() -> None:
    assert sorted(table()) == OFFERED
    assert set(OFFERED) <= set(MODEL.operation_names)
    for operation in OFFERED:
        assert set(table()[operation]) == set(parameters_of(operation)), operation


@pytest.mark.parametrize(("operation", "name", "state"), [row for row in ROWS if row[2] != REFUSED])
def test_the_test_of_an_enforced_parameter_is_there_and_uses_it(operation: str, name: str, state: str) -> None:
    file, body = TESTS[state]
    whole = (Path(__file__).parent / file).read_text()
    assert name in body or f'"{name}"' in whole or f"{name}=" in whole
    assert operation in whole


@pytest.mark.parametrize(("operation", "name"), [row[:2] for row in ROWS if row[2] == REFUSED])
def test_a_parameter_that_is_refused_is_refused_with_a_good_value(operation: str, name: str) -> None:
    """Its bad values would be refused of an enforced one, too; this one is refused in our own words."""
    assert any(bad.says == name for bad in BAD[operation][name])
