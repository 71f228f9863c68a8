# SPDX-License-Identifier: Apache-2.0
"""The documentation says what the code does, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from daypass.errors import Reason

PROJECT = Path(__file__).parent.parent.parent
PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]


def generator() -> ModuleType:
    specification = importlib.util.spec_from_file_location("docs_generate", PROJECT / "docs" / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "action-maps.md",
        "errors.md",
        "operations.md",
        "s3-actions.md",
        "settings.md",
        "state-file.md",
        "state-file.schema.json",
        "sts-parameters.md",
        "terraform.md",
    ],
)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    assert (PROJECT / "docs" / name).read_text() == generator().render(name), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_module_and_test_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|bench)/[\w/.]+\.(?:py|js|json))`", page.read_text())
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_the_readmes_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join((PROJECT / "README.md").read_text().splitlines()[:25])
    assert "    make demo\n" in first_screen
    assert "    make test\n" in first_screen


def test_the_make_targets_that_are_promised_are_there() -> None:
    targets = re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert {"setup", "demo", "test", "check", "bench", "help"} <= set(targets)


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert [line.splitlines()[0] for line in pinned if "--hash=sha256:" not in line] == []


def test_every_test_that_a_page_names_exists() -> None:
    defined = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text())}
    assert sorted(named - defined) == []


def test_every_reason_that_the_saml_page_names_exists() -> None:
    named = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", (PROJECT / "docs" / "saml.md").read_text(), re.MULTILINE)
    reasons = {reason for cell in named for reason in re.findall(r"`([a-z-]+)`", cell)}
    assert len(reasons) > 10
    assert reasons <= {reason.value for reason in Reason}
