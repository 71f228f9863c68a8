# SPDX-License-Identifier: Apache-2.0
"""Where the file is, who may read it, and the settings that durability rests on."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.store import Account, Store, migrate, sqlite

DATA = Path("/var/lib/daypass")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (None, DATA / "daypass.db"),
        ("sqlite:////srv/d/x.db", Path("/srv/d/x.db")),
        ("sqlite:////srv/with space%20and é.db", Path("/srv/with space%20and é.db")),
        ("sqlite:///here.db", Path.cwd() / "here.db"),
    ],
)
def test_a_database_url_names_a_file(url: str | None, path: Path) -> None:
    assert sqlite.locate(url, DATA) == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:////a.db?mode=memory",
        "sqlite:////a.db#x",
        "sqlite:////a\0.db",
        "SQLITE:////a.db",
        "sqlite+pysqlite:////a.db",
        "postgresql://user:hunter2@db/daypass",
        "/var/lib/daypass/daypass.db",
    ],
)
def test_a_database_url_that_is_not_supported_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        sqlite.locate(url, DATA)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
    assert "sqlite:///" in str(refused.value), "it says what is supported"
    assert "hunter2" not in str(refused.value)


async def test_nobody_else_may_read_what_is_made(tmp_path: Path) -> None:
    data_dir = tmp_path / "odd ?%# name" / "data"
    store = await Store.open(None, data_dir)
    async with store.transaction() as tx:
        await tx.put(Account("123456789012", 1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    await store.close()
    assert modes == {"daypass.db": 0o600, "daypass.db-wal": 0o600, "daypass.db-shm": 0o600}
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_closed_to_them_and_a_directory_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "daypass.db"
    migrate(file)
    file.chmod(0o644)
    migrate(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


async def test_a_database_url_is_used_instead_of_the_data_directory(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/elsewhere/my.db", tmp_path / "data")
    await store.close()
    assert (tmp_path / "elsewhere" / "my.db").exists()
    assert not (tmp_path / "data").exists()


async def test_a_directory_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError) as refused:
        await Store.open(None, tmp_path / "file" / "data")
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


async def test_the_writing_connection_flushes_every_commit_and_checks_references(store: Store) -> None:
    async with store.transaction() as tx:
        settings = {}
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            settings[name] = (await tx._connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_the_reading_connection_cannot_write(store: Store, data_dir: Path) -> None:
    connection = sqlite.connect_reader(data_dir / "daypass.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM account")
    connection.close()


def test_making_the_file_twice_does_not_open_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "daypass.db"
    sqlite.prepare(file)
    monkeypatch.setattr("os.close", lambda descriptor: pytest.fail("a descriptor of the file was closed"))
    sqlite.prepare(file)
