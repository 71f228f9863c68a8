# SPDX-License-Identifier: Apache-2.0
"""Settings are checked whole: misspelt, contradictory, not yet supported and malformed ones stop the start."""

from __future__ import annotations

import ipaddress
import pickle
from pathlib import Path

import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.server.asgi import Application
from daypass.server.settings import Settings, load_settings, read_secret_file

ENVIRONMENT = {"PATH": "/usr/bin", "DAYPASS_DATA_DIR": "/nowhere"}


@pytest.fixture(autouse=True)
def no_settings_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer has set does not reach these tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAYPASS_{name.upper()}", raising=False)


def refused(flags: dict[str, object] | None = None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(flags or {}, environment or {})
    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    return str(caught.value)


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = load_settings({}, {})
    assert (str(settings.listen), str(settings.telemetry_listen)) == ("127.0.0.1:8450", "127.0.0.1:8459")
    assert (settings.workers, settings.allow_loopback_http) == (1, False)
    assert settings.trusted_proxies == settings.allowed_issuer_networks == ()


def test_the_environment_is_read_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_LISTEN", "0.0.0.0:1")
    monkeypatch.setenv("DAYPASS_WORKERS", "3")
    monkeypatch.setenv("DAYPASS_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    settings = load_settings({"listen": "[::1]:2", "data_dir": None}, {})
    assert (settings.listen.host, settings.listen.port, str(settings.listen)) == ("::1", 2, "[::1]:2")
    assert settings.workers == 3
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("listen", "8450"),
        ("listen", "127.0.0.1:"),
        ("listen", "127.0.0.1:65536"),
        ("listen", "127.0.0.1:x"),
        ("gateway_listen", "9000"),
        ("workers", 0),
        ("account_id", "12"),
        ("public_url", "daypass.example.org"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("allowed_issuer_networks", "everything"),
        ("allow_loopback_http", "perhaps"),
    ],
)
def test_a_malformed_value_is_refused_by_the_settings_name(flag: str, value: object) -> None:
    assert f"DAYPASS_{flag.upper()}" in refused({flag: value})


def test_an_unknown_setting_is_refused() -> None:
    assert "DAYPASS_LISTN" in refused(environment={**ENVIRONMENT, "DAYPASS_LISTN": "x"})


@pytest.mark.parametrize("name", ["DAYPASS_MY_TEST_LISTEN", "DAYPASS_LISTEN_TEST_"])
def test_only_what_begins_like_a_setting_of_the_tests_is_passed_over(name: str) -> None:
    assert name in refused(environment={name: "x"})
    load_settings({}, {"DAYPASS_TEST_REQUIRE_ALL": "1"})


def test_half_a_root_key_is_refused() -> None:
    refused({"root_access_key_id": "AKIAQNZKJ3EXAMPLE234"})


def test_a_secret_comes_from_a_file_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2\n")
    path.chmod(0o600)
    settings = load_settings({}, {"DAYPASS_MASTER_KEY_FILE": str(path)})
    assert settings.master_key is not None
    assert settings.master_key.reveal() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    refused(environment={"DAYPASS_MASTER_KEY": "x", "DAYPASS_MASTER_KEY_FILE": str(tmp_path / "x")})


def credential(tmp_path: Path, mode: int, name: str = "daypass-master-key") -> dict[str, str]:
    """A credential directory as systemd makes it, with one credential; the environment that says where it is."""
    path = tmp_path / "credentials" / name
    path.parent.mkdir()
    path.write_text("hunter2\n")
    path.chmod(mode)
    return {"CREDENTIALS_DIRECTORY": str(path.parent)}


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_a_secret_comes_from_the_credential_directory(tmp_path: Path, mode: int) -> None:
    settings = load_settings({}, credential(tmp_path, mode))
    assert settings.master_key is not None
    assert settings.master_key.reveal() == "hunter2"


def test_the_root_secret_may_be_a_credential_too(tmp_path: Path) -> None:
    environment = credential(tmp_path, 0o400, "daypass-root-secret-access-key")
    settings = load_settings({"root_access_key_id": "AKIAQNZKJ3EXAMPLE234"}, environment)
    assert settings.root_secret_access_key is not None
    assert settings.root_secret_access_key.reveal() == "hunter2"
    assert settings.master_key is None


@pytest.mark.parametrize("mode", [0o444, 0o404, 0o460, 0o450, 0o602])
def test_a_credential_that_others_can_read_or_a_group_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    assert "can be read by others" in refused(environment=credential(tmp_path, mode))


def test_other_credentials_and_an_empty_directory_are_passed_over(tmp_path: Path) -> None:
    assert load_settings({}, credential(tmp_path, 0o400, "master-key")).master_key is None
    assert load_settings({}, {"CREDENTIALS_DIRECTORY": str(tmp_path / "nowhere")}).master_key is None
    assert load_settings({}, {"CREDENTIALS_DIRECTORY": ""}).master_key is None


@pytest.mark.parametrize("variable", ["DAYPASS_MASTER_KEY", "DAYPASS_MASTER_KEY_FILE"])
def test_a_credential_and_a_setting_are_one_too_many(tmp_path: Path, variable: str) -> None:
    message = refused(environment={**credential(tmp_path, 0o400), variable: "x"})
    assert variable in message
    assert "$CREDENTIALS_DIRECTORY/daypass-master-key" in message


def test_a_flag_wins_over_a_credential(tmp_path: Path) -> None:
    settings = load_settings({"master_key": "of the flag"}, credential(tmp_path, 0o400))
    assert settings.master_key is not None
    assert settings.master_key.reveal() == "of the flag"


@pytest.mark.parametrize(("content", "mode"), [(b"x", 0o644), (b"x", 0o660), (b"", 0o600), (b"\xff", 0o600), (None, 0)])
def test_a_secret_file_that_is_open_empty_or_missing_is_refused(
    tmp_path: Path, content: bytes | None, mode: int
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        read_secret_file(path)
    assert caught.value.reason is Reason.CONFIGURATION_INVALID


def test_a_malformed_secret_is_not_quoted() -> None:
    assert "hunter2" not in refused({"root_access_key_id": "hunter2", "workers": "hunter2"})


def test_the_application_reaches_a_worker_process_with_its_settings(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path, "master_key": "hunter2", "listen": "127.0.0.1:1"}, {})
    restored = pickle.loads(pickle.dumps(Application(settings)))
    assert restored._settings.plain() == settings.plain()
