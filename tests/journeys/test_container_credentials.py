# SPDX-License-Identifier: Apache-2.0
"""
Containers that are handed a token in a file and a URL: AWS_CONTAINER_CREDENTIALS_FULL_URI. No agent, no configuration of the
SDK; the platform replaces the file, and the SDK comes back before its credentials expire.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import CredentialRetrievalError

from daypass.clock import system_clock
from fakes.oidc_provider import Answer, FakeOidcProvider
from journeys.roles import Issuer, allow, role_arn
from journeys.test_token_file_profile import client_in
from running import Server


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """The file that the platform keeps; and STS and IAM where this server is."""
    path = tmp_path / "token.jwt"
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return path


def container(monkeypatch: pytest.MonkeyPatch, server: Server, query: str) -> boto3.Session:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/container-credentials?{query}")
    return boto3.Session(region_name="us-east-1")


@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
def test_the_sdk_fetches_credentials_by_itself_and_again_before_they_end(
    issuer: Issuer, server: Server, token_file: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    role = issuer.role(allow("iam:ListRoles"))
    token_file.write_text(form.format(issuer.token()), encoding="ascii")
    session = container(monkeypatch, server, f"role={role}&session=pod-7")
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.method == "container-role"
    assert session.client("sts").get_caller_identity()["Arn"].endswith(f":assumed-role/{role}/pod-7")
    assert session.client("iam").list_roles()["Roles"]

    first = credentials.get_frozen_credentials()
    token_file.write_text(form.format(issuer.token()), encoding="ascii")
    assert credentials.get_frozen_credentials() == first, "nothing was near its end yet"
    with client_in(3600 - 60, credentials):
        assert credentials.get_frozen_credentials().access_key != first.access_key


def test_the_command_line_does_so_too(issuer: Issuer, server: Server, tmp_path: Path) -> None:
    role = issuer.role()
    token_file = tmp_path / "token.jwt"
    token_file.write_text(issuer.token(), encoding="ascii")
    identity = server.aws(
        *("sts", "get-caller-identity"),
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token_file),
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{server.url}/container-credentials?role={role_arn(role)}",
    ).answer
    assert identity["Arn"].endswith(f":assumed-role/{role}/container-credentials")


def refused(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the SDK says when it gets none; it asks three times, a second apart, which need not be waited for."""
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    with pytest.raises(CredentialRetrievalError) as caught:
        session.get_credentials()
    return str(caught.value)


def test_a_refusal_reaches_whoever_reads_the_log_of_the_container(
    issuer: Issuer, server: Server, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = issuer.role()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"sub": "mallory"}, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ({"aud": "other"}, "InvalidIdentityToken"),
        ({"exp": int(system_clock()) - 3600}, "ExpiredTokenException"),
    ]
    for claims, words in cases:
        token_file.write_text(issuer.token(**claims), encoding="ascii")
        assert words in refused(container(monkeypatch, server, f"role={role}"), monkeypatch)


def test_an_outage_of_the_provider_is_one_that_passes(
    own_issuer: Issuer, fake: FakeOidcProvider, server: Server, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = own_issuer.role()
    token_file.write_text(own_issuer.token(), encoding="ascii")
    fake.answers["/.well-known/openid-configuration"] = Answer(status=500)
    assert "non 200 response 503" in refused(container(monkeypatch, server, f"role={role}"), monkeypatch)


def test_a_token_in_the_url_is_refused_over_the_wire(server: Server, issuer: Issuer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("GET", f"/container-credentials?role=Any&token={issuer.token()}")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (400, "ValidationError")
    connection.close()
