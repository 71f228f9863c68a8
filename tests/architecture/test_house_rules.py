# SPDX-License-Identifier: Apache-2.0
"""House rules that no general tool knows; each names what it protects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import daypass
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.errors import Reason

SOURCE = Path(daypass.__file__).parent
PROJECT = SOURCE.parent.parent
MODULES = sorted(SOURCE.rglob("*.py"))
PYTHON = [*MODULES, *sorted((PROJECT / "tests").rglob("*.py")), *sorted((PROJECT / "bench").rglob("*.py"))]

MAY_CONSTRUCT = {
    "Identity": {"daypass/federation/oidc.py", "daypass/federation/saml.py"},
    "SamlProof": {"daypass/federation/saml.py"},
    "Permitted": {"daypass/access/authorize.py"},
    "Trusted": {"daypass/access/trust.py"},
    "Caller": {"daypass/access/authenticate.py"},
    "AuthenticatedHead": {"daypass/access/authenticate.py"},
    "AuthenticatedForm": {"daypass/access/authenticate.py"},
    "Allowed": {"daypass/gateway/decision.py"},
    "Assertion": {"daypass/saml/verify.py"},
    "VerifiedSignature": {"daypass/sigv4/verify.py"},
    "VerifiedPostForm": {"daypass/sigv4/post_form.py"},
}
"""The trusted types, and the only modules that may make one (STYLE: the trusted type is made in one place only)."""


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


@pytest.mark.parametrize("trusted", sorted(MAY_CONSTRUCT))
def test_a_trusted_type_is_constructed_in_one_place_only(trusted: str) -> None:
    makers = {str(path.relative_to(SOURCE.parent)) for path in MODULES if trusted in set(calls(path))}
    assert makers == MAY_CONSTRUCT[trusted]


def test_every_file_begins_with_its_licence() -> None:
    without = [
        str(path) for path in PYTHON if not path.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")
    ]
    assert without == []


def test_no_module_has_more_than_400_lines() -> None:
    assert [str(path) for path in MODULES if len(path.read_text().splitlines()) > 400] == []


def test_no_function_has_more_than_60_lines() -> None:
    long = [
        f"{path.name}:{node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - (node.body[0].lineno if node.body else node.lineno) > 60
    ]
    assert long == []


def test_no_check_in_the_source_is_an_assert() -> None:
    found = [
        str(path) for path in MODULES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_every_public_name_has_a_docstring() -> None:
    bare = [
        f"{path.relative_to(SOURCE)}:{node.name}"
        for path in MODULES
        for node in public_definitions(ast.parse(path.read_text()))
        if ast.get_docstring(node) is None
    ]
    assert bare == []


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_definitions(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Module-level definitions and methods of public classes; properties whose name says all are left alone."""
    for node in tree.body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if isinstance(tree, ast.ClassDef) and _needs_no_words(node):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node)


def _needs_no_words(node: Definition) -> bool:
    decorators = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
    return "property" in decorators or "override" in decorators or node.name.startswith("do_")


def test_names_that_say_nothing_are_not_used_for_modules() -> None:
    empty_names = {"core", "common", "utils", "helpers", "base", "manager", "backend", "handlers", "services", "models"}
    assert [str(path) for path in SOURCE.rglob("*") if path.stem in empty_names] == []


def test_every_reason_has_a_wire_error_and_a_source() -> None:
    assert set(WIRE_ERRORS) == set(Reason)
    assert [reason for reason in Reason if not reason.source] == []


def test_every_wire_error_that_is_ours_is_a_5xx_and_every_other_a_4xx() -> None:
    for reason, wire in WIRE_ERRORS.items():
        expected = (
            500 <= wire.status < 600 if wire.fault == "Receiver" or wire.status == 501 else 400 <= wire.status < 500
        )
        assert expected, reason


def test_clock_is_read_in_one_module_only() -> None:
    readers = {path.name for path in MODULES if "time.time(" in path.read_text() or ".now(" in path.read_text()}
    assert readers == {"clock.py"}
