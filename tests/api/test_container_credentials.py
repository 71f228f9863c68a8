# SPDX-License-Identifier: Apache-2.0
"""Container credentials: an ID token in a header becomes credentials in JSON, by the rules of AssumeRoleWithWebIdentity."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from doors import Fetched, fetch
from fakes.oidc_provider import NOW, Answer, FakeOidcProvider
from in_process import ACCOUNT, Header, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/container-credentials"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Reader"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[FakeOidcProvider]:
    async with FakeOidcProvider() as running:
        running.add_key("ES256")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, provider: FakeOidcProvider) -> AsyncIterator[Service]:
    """A service with a registered provider and a role that trusts alice of it."""
    async with service(tmp_path_factory.mktemp("data"), allow_loopback_http=True) as started:
        await register(started, provider)
        yield started


async def register(running: Service, provider: FakeOidcProvider) -> None:
    name = provider.issuer.partition("://")[2]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{name}:sub": "alice"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    client = {"ClientIDList.member.1": "client"}
    for action, parameters in [
        ("CreateOpenIDConnectProvider", {"Url": provider.issuer, **client}),
        ("CreateRole", {"RoleName": "Reader", "Path": "/team/", "AssumeRolePolicyDocument": trust}),
    ]:
        answer = await running.call("iam", action, **parameters)
        assert answer.status == 200, answer.message


async def ask(running: Service, authorization: str | None, /, *more: Header, **query: str) -> Fetched:
    proof = () if authorization is None else ((b"authorization", authorization.encode("latin-1")),)
    return await fetch(running, PATH, query=urlencode({"role": "Reader", **query}).encode(), headers=(*proof, *more))


def refusal(found: Fetched) -> tuple[int, str]:
    assert found.json.keys() == {"code", "message"}
    assert found.headers[b"cache-control"] == b"no-store"
    return found.status, found.json["code"]


async def test_the_answer_is_what_sdks_expect_and_its_credentials_are_good(
    running: Service, provider: FakeOidcProvider
) -> None:
    found = await ask(running, provider.token(), session="pod-7")
    assert found.status == 200
    assert found.headers[b"cache-control"] == b"no-store"
    answer = found.json
    assert answer.keys() == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "RoleArn", "AccountId"}
    assert answer["Expiration"] == "2027-01-15T09:00:00Z", "an hour from now"
    assert (answer["RoleArn"], answer["AccountId"]) == (ROLE, ACCOUNT)
    session = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"])
    who = (await running.call("sts", "GetCallerIdentity", session)).text("Arn")
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/pod-7"


async def test_without_a_session_name_there_is_one(running: Service, provider: FakeOidcProvider) -> None:
    answer = (await ask(running, provider.token())).json
    session = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"])
    who = (await running.call("sts", "GetCallerIdentity", session)).text("Arn")
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/container-credentials"


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "Bearer  {} ", " {} "])
async def test_the_token_is_the_header_or_stands_behind_bearer(
    running: Service, provider: FakeOidcProvider, form: str
) -> None:
    assert (await ask(running, form.format(provider.token()))).status == 200


@pytest.mark.parametrize("role", ["Reader", "team/Reader", ROLE])
async def test_a_role_is_asked_for_by_name_or_by_arn(running: Service, provider: FakeOidcProvider, role: str) -> None:
    assert (await ask(running, provider.token(), role=role)).json["RoleArn"] == ROLE


@pytest.mark.parametrize(
    "role",
    ["Absent", f"arn:aws:iam::{ACCOUNT}:role/Reader", f"arn:aws:iam::{ACCOUNT}:role/team/Absent", "other/Reader"],
)
async def test_a_role_that_is_not_there_is_refused_as_one_that_does_not_trust(
    running: Service, provider: FakeOidcProvider, role: str
) -> None:
    absent = await ask(running, provider.token(), role=role)
    mistrusting = await ask(running, provider.token(sub="mallory"))
    assert refusal(absent) == refusal(mistrusting) == (403, "AccessDenied")
    assert absent.json == mistrusting.json


async def test_a_token_for_a_client_that_is_not_registered_is_refused(
    running: Service, provider: FakeOidcProvider
) -> None:
    assert refusal(await ask(running, provider.token(aud="other"))) == (400, "InvalidIdentityToken")


async def test_an_expired_token_is_refused_as_such(running: Service, provider: FakeOidcProvider) -> None:
    assert refusal(await ask(running, provider.token(exp=NOW - 61))) == (400, "ExpiredTokenException")


@pytest.mark.parametrize(
    "text", ["nonsense", "a.b.c", "Basic YTpi", "Bearer ", "AWS4-HMAC-SHA256 Credential=x", "\u00e9" * 9]
)
async def test_what_is_no_token_is_refused(running: Service, text: str) -> None:
    status, code = refusal(await ask(running, text))
    assert (status, code in ("InvalidIdentityToken", "ValidationError")) == (400, True)


async def test_without_a_token_nothing_is_given(running: Service) -> None:
    assert refusal(await ask(running, None)) == (403, "MissingAuthenticationToken")


async def test_two_tokens_are_refused(running: Service, provider: FakeOidcProvider) -> None:
    second = (b"authorization", provider.token().encode())
    assert refusal(await ask(running, provider.token(), second)) == (400, "IncompleteSignature")


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "Authorization",
        "auth_token",
        "access_token",
        "id_token",
        "WebIdentityToken",
        "jwt",
        "X-Amz-Security-Token",
    ],
)
async def test_a_token_in_the_url_is_refused_even_beside_a_good_one(
    running: Service, provider: FakeOidcProvider, name: str
) -> None:
    found = await ask(running, provider.token(), **{name: "x"})
    assert refusal(found) == (400, "ValidationError")
    assert "never sent in a URL" in found.json["message"]


@pytest.mark.parametrize("name", ["session", "role", "other"])
async def test_what_looks_like_a_token_is_refused_whatever_it_is_called(
    running: Service, provider: FakeOidcProvider, name: str
) -> None:
    found = await ask(running, None, **{name: provider.token()})
    assert "never sent in a URL" in found.json["message"]
    assert provider.token().split(".")[1] not in found.body.decode()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"", "ValidationError"),
        (b"role=", "ValidationError"),
        (b"session=x", "ValidationError"),
        (b"role=Reader&session=", "ValidationError"),
        (b"role=Reader&session=a%20b", "ValidationError"),
        (b"role=Reader&session=x", "ValidationError"),
        (b"role=Reader&session=" + b"x" * 65, "ValidationError"),
        (b"role=arn:aws:s3:::bucket-of-somebody", "ValidationError"),
        (b"role=Reader&duration=900", "InvalidQueryParameter"),
        (b"role=Reader&role=Reader", "InvalidParameterCombination"),
        (b"role", "MalformedQueryString"),
        (b"role=%zz", "MalformedQueryString"),
    ],
)
async def test_what_is_not_asked_for_properly_is_refused(
    running: Service, provider: FakeOidcProvider, query: bytes, code: str
) -> None:
    headers = ((b"authorization", provider.token().encode()),)
    found = await fetch(running, PATH, query=query, headers=headers)
    assert refusal(found)[1] == code
    assert 400 <= found.status < 500


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
async def test_it_is_asked_with_get(running: Service, provider: FakeOidcProvider, method: str) -> None:
    headers = ((b"authorization", provider.token().encode()),)
    found = await fetch(running, PATH, method=method, query=b"role=Reader", headers=headers)
    assert refusal(found) == (405, "MethodNotAllowed")
    assert found.headers[b"allow"] == b"GET"


async def test_a_body_is_refused(running: Service, provider: FakeOidcProvider) -> None:
    headers = ((b"authorization", provider.token().encode()),)
    found = await fetch(running, PATH, query=b"role=Reader", headers=headers, body=b"x")
    assert refusal(found) == (400, "MalformedQueryString")


async def test_headers_beyond_the_limit_are_refused_unread(running: Service) -> None:
    found = await ask(running, "x" * 70_000)
    assert (found.status, found.json["code"]) == (413, "RequestEntityTooLarge")
    assert found.headers[b"connection"] == b"close"


async def test_a_provider_that_is_out_of_reach_is_a_503_so_that_the_sdk_tries_again(running: Service) -> None:
    async with FakeOidcProvider(path="/down") as other:
        other.add_key("ES256")
        other.answers["/down/.well-known/openid-configuration"] = Answer(status=500)
        client = {"ClientIDList.member.1": "client"}
        await running.call("iam", "CreateOpenIDConnectProvider", Url=other.issuer, **client)
        assert refusal(await ask(running, other.token())) == (503, "IDPCommunicationError")


async def test_an_error_of_ours_is_a_500_that_says_nothing(
    running: Service, provider: FakeOidcProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("daypass.api.container_credentials.assume_role_with_web_identity", fail)
    found = await ask(running, provider.token())
    assert refusal(found) == (500, "InternalFailure")
    assert "secret detail" not in found.json["message"]


async def test_who_goes_away_is_not_answered(running: Service) -> None:
    sent: list[Any] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "raw_path": PATH.encode(), "query_string": b"role=Reader", "headers": []}
    await running.app.container_door({**scope, "scheme": "http"}, gone, send)
    assert sent == []


async def test_the_log_has_the_reason_and_nothing_of_the_token(
    running: Service, provider: FakeOidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    token: Any = provider.token(sub="mallory")
    found = await ask(running, token)
    printed = capsys.readouterr()
    assert found.headers[b"x-amzn-requestid"].decode() in printed.out + printed.err
    assert token.split(".")[1] not in printed.out + printed.err
