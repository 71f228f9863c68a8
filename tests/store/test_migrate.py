# SPDX-License-Identifier: Apache-2.0
"""Migrations: from nothing, from an older file, not at all, and never from what is not ours."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from daypass.errors import ConfigurationError, Reason, UnavailableError
from daypass.store import Bucket, Managed, OidcProvider, Role, StateFile, Store, migrate, schema, sqlite
from daypass.store.migrate import HEAD, SCRIPTS, stored_revision

NEXT = f"""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{HEAD}"
def upgrade():
    op.add_column("account", sa.Column("alias", sa.Text))
    op.execute("UPDATE account SET alias = 'moved'")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "daypass.db"


@pytest.fixture
def filled(file: Path) -> Path:
    """A database at head with an account and a thousand ids in it."""
    migrate(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO account VALUES ('123456789012', 1)")
        connection.executemany("INSERT INTO used_id VALUES (?)", ((f"AROA{n:017d}",) for n in range(1000)))
        connection.commit()
    return file


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later version: one more."""
    scripts = tmp_path / "later %(version)s"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "revision_9999.py").write_text(NEXT)
    return scripts


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_head_is_the_last_of_the_migrations() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [HEAD]


def test_a_new_file_is_at_head_and_in_wal_mode(file: Path) -> None:
    migrate(file)
    assert stored_revision(file) == HEAD
    assert rows(file, "PRAGMA journal_mode") == [("wal",)]
    assert [path.name for path in file.parent.iterdir()] == ["daypass.db"], "nothing was there to copy aside"


def test_the_migrations_make_the_tables_of_the_schema(file: Path) -> None:
    migrate(file)
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(file), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_what_an_account_has_set_is_kept_when_the_table_is_moved(file: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    scripts = (SCRIPTS / "versions").glob("revision_*.py")
    later = [path.name for path in scripts if path.name > "revision_0002.py"]
    shutil.copytree(SCRIPTS, before, ignore=shutil.ignore_patterns("__pycache__", *later))
    migrate(file, before, "0002")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO account VALUES ('123456789012', 1)")
        connection.execute("INSERT INTO account_settings VALUES ('123456789012', 'us', 'null', 'v2Token', '[]')")
        connection.commit()
    migrate(file)
    assert rows(file, "SELECT * FROM account_settings") == [("123456789012", "us", "null", "v2Token", "[]", None)]


async def test_what_is_kept_about_resources_is_there_after_the_tables_of_state_files_are_made(
    file: Path, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    later = [path.name for path in (SCRIPTS / "versions").glob("revision_*.py") if path.name > "revision_0006.py"]
    shutil.copytree(SCRIPTS, before, ignore=shutil.ignore_patterns("__pycache__", *later))
    migrate(file, before, "0006")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO account VALUES ('123456789012', 1)")
        connection.execute("INSERT INTO bucket VALUES ('lake', '123456789012', 'b', 5, 'null')")
        connection.execute("INSERT INTO change (kind, key) VALUES ('bucket', 'lake')")
        connection.commit()
    store = await Store.open(None, file.parent)
    try:
        async with store.transaction() as transaction:
            await transaction.put(Managed("owner", "arn:aws:s3:::lake"))
            await transaction.put(StateFile("state", "/f", "", None))
        view = store.view()
        assert view.buckets.with_key("lake") == Bucket("lake", "123456789012", "b", 5)
        assert [mark.target for mark in view.managed.of("")] == ["arn:aws:s3:::lake"]
        assert view.managed.with_key("owner:arn:aws:s3:::lake") is not None
    finally:
        await store.close()


def test_the_migrations_and_the_schema_make_the_same_statements(file: Path, tmp_path: Path) -> None:
    # What compare_metadata does not look at: check constraints, WITHOUT ROWID, AUTOINCREMENT, names.
    # SQLite quotes the name of a table that was moved, and of no other.
    migrate(file)
    engine = sa.create_engine(f"sqlite:///{tmp_path}/schema.db", poolclass=sa.NullPool)
    schema.metadata.create_all(engine)
    query = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%alembic%' AND sql IS NOT NULL ORDER BY name"

    def parts(path: Path) -> dict[object, list[str]]:
        texts = ((name, str(text).replace(f'"{name}"', str(name))) for name, text in rows(path, query))
        return {name: sorted(line.strip(" \t,") for line in text.split("\n")) for name, text in texts}

    assert parts(file) == parts(tmp_path / "schema.db")


def test_a_file_at_head_is_left_alone(filled: Path) -> None:
    before = filled.read_bytes(), filled.stat().st_mtime_ns
    migrate(filled)
    assert (filled.read_bytes(), filled.stat().st_mtime_ns) == before


def test_a_copy_put_back_is_in_wal_mode_again(filled: Path, later: Path) -> None:
    migrate(filled, later, "9999")
    filled.with_name(f"daypass.db.{HEAD}.bak").replace(filled)
    assert rows(filled, "PRAGMA journal_mode") == [("delete",)]
    migrate(filled)
    assert rows(filled, "PRAGMA journal_mode") == [("wal",)]
    assert rows(filled, "SELECT account_id FROM account") == [("123456789012",)]


def test_an_older_file_is_copied_aside_and_brought_to_head(filled: Path, later: Path) -> None:
    migrate(filled, later, "9999")
    assert rows(filled, "SELECT account_id, alias FROM account") == [("123456789012", "moved")]
    assert stored_revision(filled) == "9999"
    copy = filled.with_name(f"daypass.db.{HEAD}.bak")
    assert rows(copy, "SELECT account_id FROM account") == [("123456789012",)]
    assert rows(copy, "SELECT count(*) FROM used_id") == [(1000,)]
    assert stored_revision(copy) == HEAD
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_the_copy_has_what_was_still_in_the_log(filled: Path, later: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("INSERT INTO account VALUES ('210987654321', 1)")
        connection.commit()
        assert filled.with_name("daypass.db-wal").stat().st_size > 0
        migrate(filled, later, "9999")
    assert rows(filled.with_name(f"daypass.db.{HEAD}.bak"), "SELECT count(*) FROM account") == [(2,)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(filled: Path, later: Path) -> None:
    script = later / "versions" / "revision_9999.py"
    script.write_text(NEXT + "    op.execute('SELECT nonsense')\n")
    with pytest.raises(ConfigurationError):
        migrate(filled, later, "9999")
    assert stored_revision(filled) == HEAD
    assert "alias" not in {name for _, name, *_ in rows(filled, "PRAGMA table_info(account)")}
    script.write_text(NEXT)
    migrate(filled, later, "9999")
    assert stored_revision(filled) == "9999", "the copy of the first attempt is not in the way of the second"


async def test_a_file_of_a_newer_version_is_refused(filled: Path, later: Path) -> None:
    migrate(filled, later, "9999")
    with pytest.raises(ConfigurationError, match="newer version") as refused:
        await Store.open(None, filled.parent)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
    assert rows(filled, "SELECT alias FROM account") == [("moved",)]


def overwrite(path: Path, content: bytes, at: int = 0) -> None:
    with path.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def damage_later_pages(path: Path) -> None:
    overwrite(path, b"\xa5" * (path.stat().st_size - 4096), at=4096)


def drop_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE alembic_version")


def empty_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()


def lose_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE change")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: overwrite(path, b"this is a text and no database. " * 10),
        lambda path: overwrite(path, b"\0" * 100),
        damage_later_pages,
        drop_version,
        empty_version,
        lose_a_table,
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["text", "no header", "damaged pages", "foreign", "no revision", "a table lost", "a directory"],
)
async def test_what_is_no_database_of_ours_is_a_configuration_error(
    filled: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(filled)
    with pytest.raises(ConfigurationError) as refused:
        await Store.open(None, filled.parent)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
    assert str(filled) in str(refused.value)


def test_an_empty_file_is_a_new_database(file: Path) -> None:
    file.touch()
    migrate(file)
    assert stored_revision(file) == HEAD


def test_a_database_in_use_is_unavailable(filled: Path, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WRITER_PATIENCE", 0.02)
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError) as refused:
            migrate(filled, later, "9999")
    assert refused.value.reason is Reason.STORE_UNAVAILABLE


def test_processes_that_start_at_once_migrate_once(file: Path) -> None:
    script = "import sys, pathlib; from daypass.store import migrate; migrate(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-W", "error", "-c", script, str(file)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [subprocess.Popen(command, env=env) for _ in range(3)]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    assert rows(file, "SELECT version_num FROM alembic_version") == [(HEAD,)]


FIRST_TABLES = """
INSERT INTO account VALUES ('123456789012', 1);
INSERT INTO role VALUES ('AROA1', '123456789012', '/a/', 'Dev', 'dev', NULL, 3600, '{}', '[["x","AIDA1"]]', 5);
INSERT INTO role VALUES ('AROA2', '123456789012', '/', 'Ops', 'ops', 'd', 7200, '{ }', '[]', 6);
INSERT INTO role_tag VALUES ('AROA1', 1, 'b', '2'), ('AROA1', 0, 'c', 'é"'), ('AROA2', 0, 'a', '');
INSERT INTO role_inline_policy VALUES ('AROA1', 0, 'second', '{"a": 1}'), ('AROA1', 1, 'first', '{}');
INSERT INTO oidc_provider VALUES ('123456789012', 'idp.example', 'https://idp.example', '["app"]', '[]', 7);
INSERT INTO oidc_provider_tag VALUES ('123456789012', 'idp.example', 0, 'k', 'v');
INSERT INTO used_id VALUES ('AROA1');
INSERT INTO change (kind, key) VALUES ('role', 'AROA1');
"""


async def test_tags_and_inline_policies_of_a_file_of_the_first_revision_move_into_their_entities(
    file: Path, tmp_path: Path
) -> None:
    scripts = tmp_path / "first"
    shutil.copytree(
        SCRIPTS,
        scripts,
        ignore=lambda _, names: [
            n for n in names if n == "__pycache__" or (n > "revision_0001.py" and n.startswith("revision_"))
        ],
    )
    migrate(file, scripts, "0001")
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(FIRST_TABLES)
    store = await Store.open(None, file.parent)
    try:
        view = store.view()
        account = "123456789012"
        assert view.roles.with_name(account, "Dev") == Role(
            account,
            "/a/",
            "Dev",
            "AROA1",
            None,
            3600,
            "{}",
            (("x", "AIDA1"),),
            5,
            (("c", 'é"'), ("b", "2")),
            (("second", '{"a": 1}'), ("first", "{}")),
        )
        ops = view.roles.with_name(account, "Ops")
        assert ops is not None
        assert (ops.tags, ops.inline_policies, ops.description) == ((("a", ""),), (), "d")
        provider = OidcProvider(account, "https://idp.example", ("app",), (), (("k", "v"),), 7)
        assert view.oidc_providers.with_name(account, "idp.example") == provider
        assert view.revision == 1
    finally:
        await store.close()
    assert file.with_name("daypass.db.0001.bak").exists()
