# SPDX-License-Identifier: Apache-2.0
"""The preparation in a child process: its answer and its refusals reach the parent, and so does its silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.server import first_start
from daypass.server.settings import Settings

# Tests run with threads about; the child does little and ends, but Python 3.12 warns of any fork then.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_the_account_id_comes_back_and_everything_is_in_place(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, account_id="123456789012")
    assert first_start.begin(settings).wait() == "123456789012"
    assert {path.name for path in tmp_path.iterdir()} >= {"daypass.db", "master-key", "root-credentials"}


def test_two_first_starts_at_once_make_one_of_everything(tmp_path: Path) -> None:
    starts = [first_start.begin(Settings(data_dir=tmp_path)) for _ in range(4)]
    assert len({start.wait() for start in starts}) == 1
    assert len(first_start.begin(Settings(data_dir=tmp_path)).wait()) == 12


def test_two_data_directories_with_one_database_do_not_make_two_accounts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared/daypass.db"
    starts = [first_start.begin(Settings(data_dir=tmp_path / name, database_url=url)) for name in ("one", "two")]
    outcomes = []
    for start in starts:
        try:
            outcomes.append(start.wait())
        except ConfigurationError as error:
            outcomes.append(error.reason.value)
    assert sorted(outcomes)[1] == "master-key-invalid"
    assert len(sorted(outcomes)[0]) == 12


def test_a_refusal_comes_back_with_its_reason(tmp_path: Path) -> None:
    first_start.begin(Settings(data_dir=tmp_path)).wait()
    (tmp_path / "master-key").unlink()
    with pytest.raises(ConfigurationError) as caught:
        first_start.begin(Settings(data_dir=tmp_path)).wait()
    assert caught.value.reason is Reason.MASTER_KEY_INVALID


def test_a_directory_that_cannot_be_made_is_a_refusal_that_names_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        first_start.begin(Settings(data_dir=Path("/proc/daypass"))).wait()
    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    assert "/proc/daypass" in str(caught.value)


def test_a_child_that_dies_in_silence_is_an_error() -> None:
    answers, to_parent = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(9)
    os.close(to_parent)
    with pytest.raises(ConfigurationError) as caught:
        first_start.FirstStart(child, answers).wait()
    assert caught.value.reason is Reason.INTERNAL_FAILURE
