# SPDX-License-Identifier: Apache-2.0
"""
Workloads that are handed a token in a file: AWS_WEB_IDENTITY_TOKEN_FILE, or a profile that says the same.

Kubernetes and CI write the file and replace it; the SDK exchanges it, uses the credentials, and comes back before they
expire. The SDK's clock is moved here, not ours.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError

from daypass.clock import system_clock
from journeys.roles import Issuer, document, role_arn, statement, trusting
from running import Server


@pytest.fixture(scope="module")
def role(issuer: Issuer) -> str:
    """May list roles in its second generation only: the generation is a tag in the token."""
    second = {"StringEquals": {"aws:PrincipalTag/Generation": "2"}}
    policy = document(statement("Allow", "iam:ListRoles", Condition=second))
    return issuer.role(policy, AssumeRolePolicyDocument=trusting(issuer.fake.issuer, tags=True))


def token(issuer: Issuer, generation: str) -> str:
    claims: dict[str, Any] = {"https://aws.amazon.com/tags": {"principal_tags": {"Generation": [generation]}}}
    return issuer.token(**claims)


def by_environment(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server, role: str) -> boto3.Session:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token.jwt"))
    monkeypatch.setenv("AWS_ROLE_ARN", role_arn(role))
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "workload")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return boto3.Session(region_name="us-east-1")


def by_profile(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server, role: str) -> boto3.Session:
    lines = (
        "[profile workload]",
        f"web_identity_token_file = {folder / 'token.jwt'}",
        f"role_arn = {role_arn(role)}",
        "role_session_name = workload",
        f"endpoint_url = {server.url}",
        "region = us-east-1",
    )
    (folder / "config").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    return boto3.Session(profile_name="workload")


@contextmanager
def client_in(seconds: float, credentials: Any) -> Iterator[None]:
    """It is so many seconds later for the SDK: for its credentials, and for the cache of what it was given for them."""

    def now() -> datetime.datetime:
        return datetime.datetime.fromtimestamp(system_clock() + seconds, datetime.UTC)

    with patch("botocore.credentials._local_now", now), patch.object(credentials, "_time_fetcher", now):
        yield


@pytest.mark.parametrize("configured", [by_environment, by_profile])
def test_the_sdk_exchanges_the_token_and_exchanges_the_next_one_before_the_first_session_ends(
    issuer: Issuer, server: Server, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: Any
) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text(token(issuer, "1"), encoding="ascii")
    session = configured(monkeypatch, tmp_path, server, role)
    credentials: Any = session.get_credentials()
    iam, sts = session.client("iam"), session.client("sts")

    assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/{role}/workload")
    first = credentials.get_frozen_credentials()
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.list_roles()

    token_file.write_text(token(issuer, "2"), encoding="ascii")
    assert credentials.get_frozen_credentials() == first, "nothing was near its end yet"
    with client_in(3600 - 60, credentials):
        second = credentials.get_frozen_credentials()
    assert second.access_key != first.access_key
    assert iam.list_roles()["Roles"]


def test_the_command_line_exchanges_the_token_by_itself(
    issuer: Issuer, server: Server, role: str, tmp_path: Path
) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text(token(issuer, "2"), encoding="ascii")
    identity = server.aws(
        *("sts", "get-caller-identity"),
        AWS_WEB_IDENTITY_TOKEN_FILE=str(token_file),
        AWS_ROLE_ARN=role_arn(role),
        AWS_ROLE_SESSION_NAME="workload",
        AWS_ENDPOINT_URL_STS=server.url,
    ).answer
    assert identity["Arn"].endswith(f":assumed-role/{role}/workload")
