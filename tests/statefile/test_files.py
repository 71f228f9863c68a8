# SPDX-License-Identifier: Apache-2.0
"""A state file on the disk: where its policies are, how they are read, and that a change of any of them is seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daypass.errors import ConfigurationError
from daypass.statefile import StateFiles
from daypass.statefile import files as files_module
from daypass.statefile.limits import DOCUMENT_FILE, STATE_FILE

LAKE = "arn:aws:s3:::lake"


@pytest.fixture
def files(tmp_path: Path) -> StateFiles:
    """A file with a policy in a directory beside it."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "lake.json").write_text('{ "a": 1 }')
    return wanting(tmp_path, "policies/lake.json")


def wanting(folder: Path, *paths: str) -> StateFiles:
    entries = "".join(f"  - {{arn: {LAKE}{number}, policy: '{path}'}}\n" for number, path in enumerate(paths))
    (folder / "state.yaml").write_text(f"version: 1\nresources:\n{entries}")
    return StateFiles(folder / "state.yaml")


def document(files: StateFiles) -> str:
    return str(files.read().wanted[0].value.document)


def refused(files: StateFiles) -> str:
    with pytest.raises(ConfigurationError) as caught:
        files.read()
    return str(caught.value)


def test_a_policy_is_found_from_the_directory_of_the_state_file_and_kept_as_it_stands(
    files: StateFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert document(files) == '{ "a": 1 }'
    assert document(wanting(tmp_path, str(tmp_path / "policies" / "lake.json"))) == '{ "a": 1 }'


@pytest.mark.parametrize("name", ["lake.yaml", "lake.yml", "lake.YAML"])
def test_a_policy_in_yaml_becomes_json(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Version: 2012-10-17\nStatement: [{Sid: no, é: true}]\n", encoding="utf-8")
    expected = '{"Version": "2012-10-17", "Statement": [{"Sid": "no", "é": true}]}'
    assert document(wanting(tmp_path, name)) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "line 3: 'lake.yaml' cannot be read: FileNotFoundError"),
        ("a: 1\na: 2", "line 3: 'lake.yaml' is not YAML as expected in line 2"),
        ("#" * (DOCUMENT_FILE + 1), f"line 3: 'lake.yaml' is longer than {DOCUMENT_FILE} bytes"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_where_it_is_named(
    tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "lake.yaml").write_text(content)
    assert says in refused(wanting(tmp_path, "lake.yaml"))


def test_a_state_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    files = StateFiles(tmp_path / "state.yaml")
    assert "state.yaml' cannot be read: FileNotFoundError" in refused(files)
    files.path.write_text("#" * (STATE_FILE + 1))
    assert f"is longer than {STATE_FILE} bytes" in refused(files)


def test_policies_have_a_bound_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.json").write_text("x" * 100)
    monkeypatch.setattr(files_module, "DOCUMENTS", 200)
    assert len(wanting(tmp_path, "p.json", "p.json").read().wanted) == 2
    assert "longer than 200 bytes" in refused(wanting(tmp_path, "p.json", "p.json", "p.json"))


# What tells that something has changed


def test_files_that_nobody_touched_are_as_they_were(files: StateFiles) -> None:
    files.read()
    assert len(files.stamps) == 2
    assert files.now() == files.stamps
    assert None not in files.stamps.values()


@pytest.mark.parametrize("name", ["state.yaml", "policies/lake.json"])
@pytest.mark.parametrize("how", ["written", "same length", "replaced", "removed"])
def test_a_change_of_any_file_is_seen(files: StateFiles, tmp_path: Path, name: str, how: str) -> None:
    files.read()
    path = tmp_path / name
    text = path.read_text()
    if how == "removed":
        path.unlink()
    elif how == "replaced":
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(path)
    else:
        status = path.stat()
        path.write_text(text.replace("1", "2", 1) + ("\n" if how == "written" else ""))
        if how == "written":
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # by a tool that keeps times
        else:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert files.now() != files.stamps


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        wanting(tmp_path / name)
    (tmp_path / "data").symlink_to("one")
    files = StateFiles(tmp_path / "data" / "state.yaml")
    (tmp_path / "data" / "state.yaml").write_text("version: 1")
    files.read()
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(tmp_path / "data")
    assert files.now() != files.stamps


def test_a_file_that_is_absent_is_waited_for(tmp_path: Path) -> None:
    files = wanting(tmp_path, "late.json")
    refused(files)
    assert files.now() == files.stamps
    (tmp_path / "late.json").write_text("{}")
    assert files.now() != files.stamps
    assert document(files) == "{}"
