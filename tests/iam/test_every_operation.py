# SPDX-License-Identifier: Apache-2.0
"""
What holds for every operation of IAM, whichever there are: a row that is added to the table is tested here at once, with
the recipe that it must have.

botocore's serialiser writes each request, its parser reads each answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.model import ListShape, MapShape, Shape, StructureShape

from iam.absent import ABSENT
from iam.cooking import ALLOW_ALL, COOKED, ROWS, prepared, succeeds
from iam.kitchen import Kitchen, kitchen, model_of
from iam.recipe import UNKNOWN
from iam.recipes import RECIPES
from in_process import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kitchen]:
    """One service for all: an order's entities have names of their own."""
    async with kitchen(tmp_path_factory.mktemp("data")) as running:
        yield running


async def test_every_operation_that_is_offered_has_a_recipe() -> None:
    assert sorted(ROWS.keys() - RECIPES.keys()) == []


# The answer


@pytest.mark.parametrize("name", COOKED)
async def test_every_member_that_aws_fills_is_in_the_answer(iam: Kitchen, name: str, tmp_path: Path) -> None:
    pages = RECIPES[name].pages
    if pages is not None and pages.alone:  # the first page of everything there is must have some of each kind
        async with kitchen(tmp_path) as own:
            found = await answered(own, name)
    else:
        found = await answered(iam, name)
    shape = model_of(name).output_shape
    if found is None or shape is None:
        return
    missing = set(missing_members(shape, [found]))
    meant = {path for path in members(shape) if is_meant_to_be_absent(name, path)}
    assert sorted(missing - meant) == [], "not in the answer, and without a reason in absent.py"
    assert sorted(path for path in meant - missing if not beneath(path, missing)) == [], "absent.py says otherwise"


async def answered(iam: Kitchen, name: str) -> Any:
    """The answer of an operation's good call."""
    made = RECIPES[name]
    order, caller = await prepared(iam, made, ALLOW_ALL)
    return await succeeds(iam, order, name, caller if made.by_caller else ROOT)


def members(shape: Shape | None, path: str = "") -> Iterator[str]:
    """The paths of all members that an answer may have."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from members(member, inner)
    elif isinstance(shape, ListShape):
        yield f"{path}[]"
        yield from members(shape.member, f"{path}[]")


def missing_members(shape: Shape, values: list[Any], path: str = "") -> Iterator[str]:
    """The paths of members that none of the values has; of a list, those that no element has, and an empty list."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = f"{path}.{name}" if path else name
            there = [value[name] for value in values if name in value]
            if there:
                yield from missing_members(member, there, inner)
            else:
                yield inner
    elif isinstance(shape, ListShape):
        elements = [element for value in values for element in value]
        if elements:
            yield from missing_members(shape.member, elements, f"{path}[]")
        else:
            yield f"{path}[]"
    elif isinstance(shape, MapShape) and not any(values):
        yield f"{path}{{}}"


def is_meant_to_be_absent(name: str, path: str) -> bool:
    return any(fnmatchcase(f"{name}: {path}", _literal(line)) for lines in ABSENT.values() for line in lines)


def _literal(line: str) -> str:
    return line.replace("[]", "[[][]]")


def beneath(path: str, missing: set[str]) -> bool:
    return any(
        path.startswith((f"{other}.", f"{other}[")) or (path.startswith(other) and other.endswith("[]"))
        for other in missing
    )


# What is not there


REFERRING = [
    pytest.param(name, parameter, id=f"{name}-{parameter}")
    for name in COOKED
    if any(error.name == "NoSuchEntityException" for error in model_of(name).error_shapes)
    for parameter in RECIPES[name].parameters
    if parameter in UNKNOWN and parameter not in RECIPES[name].new
]


IDEMPOTENT = {"DeleteOpenIDConnectProvider"}
"""It "does not fail or return an error if you call the operation for a provider that does not exist" (IAM API)."""


@pytest.mark.parametrize(("name", "parameter"), REFERRING)
async def test_a_name_that_nobody_has_is_no_such_entity(iam: Kitchen, name: str, parameter: str) -> None:
    made = RECIPES[name]
    order, caller = await prepared(iam, made, ALLOW_ALL)
    before = iam.contents()
    wrong = {**made.parameters, parameter: UNKNOWN[parameter]}
    answer = await iam.ask(order, name, wrong, caller if made.by_caller else ROOT)
    expected = (200, None) if name in IDEMPOTENT else (404, "NoSuchEntity")
    assert (answer.status, answer.code) == expected, answer.body
    assert iam.contents() == before
