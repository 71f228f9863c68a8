# SPDX-License-Identifier: Apache-2.0
"""The map in ``daypass/__init__.py``, the directory, and the import rules say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import daypass

SOURCE = Path(daypass.__file__).parent
PROJECT = SOURCE.parent.parent


def map_lines() -> list[str]:
    """The lines of the map: the second indented block of the docstring."""
    assert daypass.__doc__ is not None
    blocks = re.findall(r"(?:^    .+\n)+", daypass.__doc__, re.MULTILINE)
    return [line.strip() for line in blocks[1].splitlines()]


def rooms(lines: list[str]) -> tuple[set[str], set[str]]:
    """The rooms that are there, and those that are to come."""
    names = {name.strip() for line in lines for name in line.split("|")}
    to_come = {name for name in names if name.startswith("(")}
    return names - to_come, {name.strip("()") for name in to_come}


def on_disk() -> set[str]:
    found = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    return found | {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")}


def test_the_map_names_every_room_and_no_other() -> None:
    there, to_come = rooms(map_lines())
    assert there == on_disk()
    assert not to_come & on_disk()


def test_the_import_rules_are_the_map() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    assert layers["layers"] == map_lines()
    assert layers["exhaustive"] is True
