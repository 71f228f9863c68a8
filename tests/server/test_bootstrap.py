# SPDX-License-Identifier: Apache-2.0
"""The first start makes what it must, once; a later start finds it; what does not go together stops the start."""

from __future__ import annotations

import configparser
import stat
from pathlib import Path
from typing import Any

import pytest

from daypass.credentials import Secret, account_of_access_key_id
from daypass.errors import ConfigurationError, Reason
from daypass.sealing import MasterKey
from daypass.server.bootstrap import (
    MASTER_KEY_FILE,
    ROOT_CREDENTIALS_FILE,
    load_master_key,
    prepare,
    write_private_file,
)
from daypass.server.settings import Settings
from daypass.store import Store

NOW = 1_800_000_000.0
GIVEN = {"root_access_key_id": "AKIAQNZKJ3EXAMPLE234", "root_secret_access_key": Secret("s" * 40)}


async def start(data_dir: Path, **settings: Any) -> str:
    """One start of the process, up to where it would listen."""
    values = Settings(data_dir=data_dir, **settings)
    store = await Store.open(values.database_url, data_dir)
    try:
        return await prepare(values, store, load_master_key(values), now=NOW)
    finally:
        await store.close()


async def view_of(data_dir: Path) -> Any:
    store = await Store.open(None, data_dir)
    try:
        return store.view()
    finally:
        await store.close()


def active(view: Any, account: str) -> list[str]:
    return [key.access_key_id for key in view.access_keys.of(account) if key.status == "Active"]


def refusal(error: pytest.ExceptionInfo[ConfigurationError]) -> Reason:
    return error.value.reason


def first_start(data_dir: Path, **settings: Any) -> Settings:
    """The settings, with a master key made before the store, as ``serve`` does."""
    values = Settings(data_dir=data_dir, **settings)
    load_master_key(values)
    return values


async def test_the_first_start_makes_an_account_a_root_key_and_a_sealing_key(tmp_path: Path) -> None:
    first_start(tmp_path)
    account = await start(tmp_path)
    view = await view_of(tmp_path)
    assert [found.account_id for found in view.accounts.of("")] == [account]
    assert len(view.access_keys.of(account)) == len(view.key_ring) == 1
    written = configparser.ConfigParser()
    written.read(tmp_path / ROOT_CREDENTIALS_FILE)
    profile = written["daypass-root"]
    assert account_of_access_key_id(profile["aws_access_key_id"]) == account
    assert view.access_keys.of(account)[0].access_key_id == profile["aws_access_key_id"]
    assert profile["aws_secret_access_key"].encode() not in (tmp_path / "daypass.db").read_bytes()


async def test_secret_files_are_for_their_owner_only(tmp_path: Path) -> None:
    first_start(tmp_path)
    await start(tmp_path)
    for name in (MASTER_KEY_FILE, ROOT_CREDENTIALS_FILE, "daypass.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


async def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    first_start(tmp_path)
    account = await start(tmp_path)
    before = await view_of(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.glob("*-*") if path.suffix == ""}
    assert await start(tmp_path) == account
    after = await view_of(tmp_path)
    assert after.revision == before.revision
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*-*") if path.suffix == ""} == files


async def test_a_given_root_key_is_used_and_replaces_another(tmp_path: Path) -> None:
    first_start(tmp_path)
    account = await start(tmp_path, account_id="123456789012")
    await start(tmp_path, **GIVEN)
    view = await view_of(tmp_path)
    assert active(view, account) == ["AKIAQNZKJ3EXAMPLE234"]
    revision = view.revision
    await start(tmp_path, **GIVEN)
    assert (await view_of(tmp_path)).revision == revision


async def test_a_root_key_that_was_given_before_can_be_given_again(tmp_path: Path) -> None:
    first_start(tmp_path)
    account = await start(tmp_path, **GIVEN)
    await start(tmp_path, root_access_key_id="AKIAQNZKJ3EXAMPLE235", root_secret_access_key=Secret("t" * 40))
    assert active(await view_of(tmp_path), account) == ["AKIAQNZKJ3EXAMPLE235"]
    await start(tmp_path, **GIVEN)
    assert active(await view_of(tmp_path), account) == ["AKIAQNZKJ3EXAMPLE234"]


async def test_a_given_root_key_writes_no_credentials_file(tmp_path: Path) -> None:
    first_start(tmp_path)
    account = await start(tmp_path, **GIVEN)
    assert account == account_of_access_key_id("AKIAQNZKJ3EXAMPLE234")
    assert not (tmp_path / ROOT_CREDENTIALS_FILE).exists()


@pytest.mark.parametrize(
    ("key_id", "secret"),
    [
        ("ASIAQNZKJ3EXAMPLE234", "s" * 40),
        ("AKIA", "s" * 40),
        ("AKIAQNZKJ3EXAMPLE2/4", "s" * 40),
        ("AKIAQNZKJ3EXAMPLE234", "short"),
    ],
)
async def test_a_root_key_of_another_form_is_refused(tmp_path: Path, key_id: str, secret: str) -> None:
    first_start(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        await start(tmp_path, root_access_key_id=key_id, root_secret_access_key=Secret(secret))
    assert refusal(caught) is Reason.CONFIGURATION_INVALID


async def test_another_account_than_the_stores_stops_the_start(tmp_path: Path) -> None:
    first_start(tmp_path)
    await start(tmp_path, account_id="123456789012")
    with pytest.raises(ConfigurationError) as caught:
        await start(tmp_path, account_id="210987654321")
    assert refusal(caught) is Reason.CONFIGURATION_INVALID


async def test_another_master_key_stops_the_start(tmp_path: Path) -> None:
    first_start(tmp_path)
    await start(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        await start(tmp_path, master_key=Secret(MasterKey.generate()))
    assert refusal(caught) is Reason.MASTER_KEY_INVALID


async def test_a_database_without_its_master_key_is_not_started_over(tmp_path: Path) -> None:
    first_start(tmp_path)
    await start(tmp_path)
    (tmp_path / MASTER_KEY_FILE).unlink()
    with pytest.raises(ConfigurationError) as caught:
        load_master_key(Settings(data_dir=tmp_path))
    assert refusal(caught) is Reason.MASTER_KEY_INVALID
    assert not (tmp_path / MASTER_KEY_FILE).exists()


def test_a_master_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    write_private_file(tmp_path / MASTER_KEY_FILE, MasterKey.generate())
    (tmp_path / MASTER_KEY_FILE).chmod(0o640)
    with pytest.raises(ConfigurationError) as caught:
        load_master_key(Settings(data_dir=tmp_path))
    assert refusal(caught) is Reason.CONFIGURATION_INVALID


def test_a_master_key_that_another_start_wrote_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    write_private_file(tmp_path / MASTER_KEY_FILE, "theirs")
    write_private_file(tmp_path / MASTER_KEY_FILE, "ours", replace=False)
    assert (tmp_path / MASTER_KEY_FILE).read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == [MASTER_KEY_FILE]


def test_a_private_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_private_file(tmp_path / "deep" / "file", "one")
    write_private_file(tmp_path / "deep" / "file", "two")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]
    assert (tmp_path / "deep" / "file").read_text() == "two"
