# SPDX-License-Identifier: Apache-2.0
"""The command line: exit codes, what goes where, what is imported when; and the settings that ``serve`` refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from daypass import __version__
from daypass.cli.main import COMMANDS
from daypass.server.settings import Settings

SECRET = "not-to-be-printed-0123456789"
SECONDS = 60.0


def daypass(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A run that is expected to end by itself."""
    return _run("-m", "daypass", *arguments, env=env)


def _run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYPASS_")}
    environment = {**kept, "COLUMNS": "200", "NO_COLOR": "1", **(env or {})}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def test_version_is_data_and_exit_code_0() -> None:
    ended = daypass("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"daypass {__version__}\n", "")


def test_help_lists_every_command() -> None:
    ended = daypass("--help")
    assert ended.returncode == 0
    for name, (_, line) in COMMANDS.items():
        assert name in ended.stdout
        assert line in " ".join(ended.stdout.split())


def test_no_command_is_a_usage_error_that_shows_the_help() -> None:
    ended = daypass()
    assert ended.returncode == 2
    assert "serve" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("--nope",),
        ("serve", "--nope"),
        ("serve", "--workers", "many"),
        ("serve", "extra"),
        ("demo", "--nope"),
        ("demo", "extra"),
        ("SERVE",),
    ],
)
def test_wrong_usage_is_exit_code_2_and_said_on_standard_error(arguments: tuple[str, ...]) -> None:
    ended = daypass(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Error" in ended.stderr


@pytest.mark.parametrize(("arguments", "imported"), [(["--help"], ""), (["serve", "--help"], "daypass.cli.serve")])
def test_only_the_command_that_is_run_is_imported(arguments: list[str], imported: str) -> None:
    ended = _run(
        "-c",
        "import sys\nfrom daypass.cli.main import main\n"
        f"sys.argv = ['daypass', *{arguments!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('\\n'.join(['MODULES', *sys.modules]))",
    )
    modules = ended.stdout.partition("MODULES\n")[2].splitlines()
    assert "daypass.cli.main" in modules
    heavy = {name for name in modules if name.startswith(("daypass.server", "daypass.store", "aiohttp", "uvicorn"))}
    commands = {name for name in modules if name in {module for module, _ in COMMANDS.values()}}
    assert commands == ({imported} if imported else set())
    if not imported:
        assert heavy == set()
    assert not any(name.startswith("daypass.cli.demo") for name in modules)


def test_the_list_of_commands_does_not_depend_on_the_arguments_of_the_process() -> None:
    """Called as a function, with other arguments than the process has, it still runs the command."""
    ended = _run("-c", "from daypass.cli.main import app; app(['serve', '--listen', 'nonsense'])")
    assert "DAYPASS_LISTEN" in ended.stderr


# What serve refuses, before anything listens


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DAYPASS_LISTEN", "8450"),
        ("DAYPASS_LISTEN", "127.0.0.1:65536"),
        ("DAYPASS_LISTEN", "127.0.0.1:-1"),
        ("DAYPASS_TELEMETRY_LISTEN", "127.0.0.1:"),
        ("DAYPASS_PUBLIC_URL", "sts.example.org"),
        ("DAYPASS_ACCOUNT_ID", "12345678901"),
        ("DAYPASS_WORKERS", "0"),
        ("DAYPASS_WORKERS", "many"),
        ("DAYPASS_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("DAYPASS_ALLOWED_ISSUER_NETWORKS", "anywhere"),
        ("DAYPASS_ALLOW_LOOPBACK_HTTP", "perhaps"),
        ("DAYPASS_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("DAYPASS_ROOT_SECRET_ACCESS_KEY", SECRET),
    ],
)
def test_a_setting_that_cannot_be_is_exit_code_1_and_one_line_that_names_it(
    tmp_path: Path, setting: str, value: str
) -> None:
    ended = daypass("serve", env={**elsewhere(tmp_path), setting: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("daypass: ")
    assert setting in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DAYPASS_MASTER_KEY", SECRET, "expected a master key of 32 bytes"),
        ("DAYPASS_DATABASE_URL", f"mysql://user:{SECRET}@host/db", "expected sqlite:///PATH"),
    ],
)
def test_a_master_key_or_database_that_cannot_be_used_is_exit_code_1_and_one_line(
    tmp_path: Path, setting: str, value: str, said: str
) -> None:
    ended = daypass("serve", env={**elsewhere(tmp_path), setting: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert said in line
    assert SECRET not in line


@pytest.mark.parametrize(
    "name", ["DAYPASS_LISTENN", "DAYPASS_DEMO", "DAYPASS_DEVELOPMENT_PROVIDER", "DAYPASS_LISTEN_FILE", "DAYPASS_"]
)
def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path, name: str) -> None:
    ended = daypass("serve", env={**elsewhere(tmp_path), name: "1"})
    assert ended.returncode == 1
    assert f"unknown setting {name};" in ended.stderr


@pytest.mark.parametrize("flag", ["--demo", "--dev", "--development", "--provider", "--idp", "--development-provider"])
def test_no_flag_of_serve_starts_the_development_provider(flag: str) -> None:
    ended = daypass("serve", flag)
    assert ended.returncode == 2
    assert f"No such option: {flag}" in ended.stderr


def test_no_setting_speaks_of_the_development_provider() -> None:
    words = {word for name in Settings.model_fields for word in name.split("_")}
    assert words.isdisjoint({"demo", "dev", "development", "provider", "idp", "login", "signin", "people"})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
@pytest.mark.parametrize("by", ["environment", "flag"])
def test_a_secret_file_that_others_can_open_is_refused(tmp_path: Path, mode: int, by: str) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    path.chmod(mode)
    flags = ("--master-key-file", str(path)) if by == "flag" else ()
    env = {} if by == "flag" else {"DAYPASS_MASTER_KEY_FILE": str(path)}
    ended = daypass("serve", *flags, env={**elsewhere(tmp_path), **env})
    assert ended.returncode == 1
    assert "expected mode 0600" in ended.stderr
    assert SECRET not in ended.stderr


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff\xfe"])
def test_a_secret_file_that_is_absent_empty_or_not_text_is_refused(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
    ended = daypass("serve", env={**elsewhere(tmp_path), "DAYPASS_MASTER_KEY_FILE": str(path)})
    assert ended.returncode == 1
    assert str(path) in ended.stderr


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    path.chmod(0o600)
    env = {"DAYPASS_MASTER_KEY_FILE": str(path), "DAYPASS_MASTER_KEY": SECRET}
    ended = daypass("serve", env={**elsewhere(tmp_path), **env})
    assert ended.returncode == 1
    assert "both set" in ended.stderr


def elsewhere(tmp_path: Path) -> dict[str, str]:
    """Settings with which nothing is written outside of the test, and no fixed port is taken."""
    return {
        "DAYPASS_DATA_DIR": str(tmp_path / "data"),
        "DAYPASS_LISTEN": "127.0.0.1:0",
        "DAYPASS_TELEMETRY_LISTEN": "127.0.0.1:0",
    }
