# SPDX-License-Identifier: Apache-2.0
"""Credentials in the forms in which people take them: read by what will read them."""

from __future__ import annotations

import configparser
import re
import subprocess

import pytest
from botocore.session import Session

from daypass.signin.handover import Handover

CREDENTIALS = {
    "AccessKeyId": "ASIAQNZKJ3EXAMPLE234",
    "SecretAccessKey": "a/b+c" * 8,
    "SessionToken": "AQ+/" * 90 + "AQ==",
}
URL = "https://daypass.example.org"


def text(name: str, url: str = URL) -> str:
    blocks = Handover(CREDENTIALS, "123456789012", "Analyst", url).blocks()
    return next(block.text for block in blocks if block.name == name)


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:8450", "https://x.example/$(touch oops)`'\"", "https://x.example/a b"]
)
def test_a_shell_reads_exactly_the_values(url: str) -> None:
    script = (
        text("sh", url)
        + '\nprintf \'%s|\' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_ENDPOINT_URL_STS"'
    )
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={})
    assert said.stdout == "|".join((*CREDENTIALS.values(), url, ""))


def test_power_shell_text_is_verbatim() -> None:
    lines = text("powershell", "https://x.example/it's$a").splitlines()
    read = dict(re.findall(r"^\$Env:(\w+) = '(.*)'$", "\n".join(lines), re.MULTILINE))
    assert len(read) == len(lines)
    assert read["AWS_SESSION_TOKEN"] == CREDENTIALS["SessionToken"]
    assert read["AWS_ENDPOINT_URL_IAM"] == "https://x.example/it''s$a"


def test_the_credentials_file_has_a_profile_with_the_three_values() -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(text("credentials-file"))
    assert parser.sections() == ["123456789012_Analyst"]
    assert parser["123456789012_Analyst"]["aws_session_token"] == CREDENTIALS["SessionToken"]


def test_botocore_reads_both_files_and_asks_us(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    for name in ("credentials", "config"):
        (tmp_path / name).write_text(text(f"{name}-file"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    session = Session(profile="123456789012_Analyst")
    client = session.create_client("sts", region_name="us-east-1")
    assert client.meta.endpoint_url == URL
    found = session.get_credentials()
    assert found is not None
    assert (found.access_key, found.secret_key, found.token) == tuple(CREDENTIALS.values())


def test_credentials_do_not_print() -> None:
    handover = Handover(CREDENTIALS, "123456789012", "Analyst", URL)
    shown = repr(handover) + repr(handover.blocks())
    assert not [value for value in CREDENTIALS.values() if value in shown]
