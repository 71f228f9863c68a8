# SPDX-License-Identifier: Apache-2.0
"""``POST /v3/s3tokens`` in process, asked as RGW and Swift ask it."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from audit.trails import recorded
from daypass.errors import ConfigurationError, Reason
from daypass.server.configuration import read_configuration
from daypass.sigv4 import derive_signing_key
from doors import Fetched, fetch
from gateway.asking_services import (
    KEYSTONE_TOKEN,
    Asking,
    asking,
    base64_of,
    done,
    policy,
    statement,
    string_to_sign,
    user,
)
from in_process import ACCOUNT, service

SERVICE = f"arn:aws:daypass:rgw-1:{ACCOUNT}:service/s3tokens"
SHOWN = [(b"x-auth-token", KEYSTONE_TOKEN.encode()), (b"content-type", b"application/json")]


@pytest.fixture
async def asks(tmp_path: Path) -> AsyncIterator[Asking]:
    async with asking(tmp_path) as found:
        yield found


@pytest.fixture
async def cephie(asks: Asking) -> Credentials:
    """A user who may sign in at RGW."""
    return await user(asks.running, "cephie", policy(statement("daypass:UseS3Tokens", SERVICE)))


def question(credentials: Credentials, text: bytes, region: str = "rgw-1", **change: Any) -> dict[str, Any]:
    """What RGW sends of a request with this string to sign."""
    date = text.split(b"\n")[2][:8].decode() if text.count(b"\n") == 3 else "20270115"
    key = derive_signing_key(str(credentials.secret_key).encode(), date, region, "s3")
    signature = hmac.digest(key, text, "sha256").hex()
    return {
        "credentials": {
            "access": credentials.access_key,
            "token": base64_of(text),
            "signature": signature,
            **change,
        }
    }


async def post(asks: Asking, body: Any, headers: Any = SHOWN, **more: Any) -> Fetched:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await fetch(asks.running, "/v3/s3tokens", **{"method": "POST", "headers": headers, "body": data, **more})


async def ask(asks: Asking, credentials: Credentials, **change: Any) -> Fetched:
    return await post(asks, question(credentials, string_to_sign(asks.running.clock()), **change))


def refusal(answer: Fetched, code: int, title: str) -> str:
    """The message of an error in Keystone's form."""
    error = answer.json["error"]
    assert (answer.status, error["code"], error["title"]) == (code, code, title)
    assert set(error) == {"code", "message", "title"}
    return str(error["message"])


async def test_rgw_and_swift_find_what_they_read(asks: Asking, cephie: Credentials) -> None:
    answer = await ask(asks, cephie)
    assert answer.status == 200
    token = answer.json["token"]
    assert token["user"]["name"] == "cephie"
    assert token["user"]["id"].startswith("AIDA")
    assert token["user"]["domain"] == token["project"]["domain"] == {"id": "default", "name": "Default"}
    assert token["project"]["id"] == token["project"]["name"] == ACCOUNT
    assert [role["name"] for role in token["roles"]] == ["member"]
    assert (token["issued_at"], token["expires_at"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-15T08:15:00.000000Z")
    assert token["is_domain"] is False
    assert token["methods"]


async def test_the_answer_is_no_token(asks: Asking, cephie: Credentials) -> None:
    answer = await ask(asks, cephie)
    assert b"x-subject-token" not in answer.headers
    assert "id" not in answer.json["token"]
    assert str(cephie.secret_key).encode() not in answer.body


async def test_the_secret_that_rgw_asks_for_next_is_nowhere(asks: Asking, cephie: Credentials) -> None:
    found = (await ask(asks, cephie)).json["token"]["user"]["id"]
    path = f"/v3/users/{found}/credentials/OS-EC2/{cephie.access_key}"
    for method in ("GET", "POST"):
        assert (await fetch(asks.running, path, method=method, headers=SHOWN)).status == 404


async def test_swift_sends_the_same_in_base64url(asks: Asking, cephie: Credentials) -> None:
    text = string_to_sign(asks.running.clock())
    assert base64.urlsafe_b64encode(text) == base64.b64encode(text)
    assert (await post(asks, question(cephie, text))).status == 200


async def test_nobody_signs_in_whom_no_policy_lets(asks: Asking) -> None:
    refusal(await ask(asks, asks.user), 403, "Forbidden")
    elsewhere = policy(statement("daypass:UseS3Tokens", SERVICE.replace("s3tokens", "other")))
    refusal(await ask(asks, await user(asks.running, "bob", elsewhere)), 403, "Forbidden")


async def test_nothing_is_known_of_where_a_caller_comes_from(asks: Asking) -> None:
    document = policy(statement("daypass:UseS3Tokens", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}))
    refusal(await ask(asks, await user(asks.running, "bob", document)), 403, "Forbidden")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-auth-token", b"")],
        [(b"x-auth-token", b"wrong")],
        [(b"x-auth-token", KEYSTONE_TOKEN.encode() + b" ")],
        [(b"x-auth-token", KEYSTONE_TOKEN.encode()), (b"x-auth-token", b"wrong")],
        [(b"x-auth-token", KEYSTONE_TOKEN.encode())] * 2,
        [(b"authorization", b"Bearer " + KEYSTONE_TOKEN.encode())],
        [(b"x-subject-token", KEYSTONE_TOKEN.encode())],
    ],
)
async def test_whoever_does_not_show_the_token_once_learns_nothing(
    asks: Asking, cephie: Credentials, headers: Any
) -> None:
    good = question(cephie, string_to_sign(asks.running.clock()))
    told = {refusal(await post(asks, body, headers), 401, "Unauthorized") for body in (good, b"{", b"")}
    assert told == {"The request you have made requires authentication."}


async def test_it_is_off_unless_it_is_configured(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        for headers in ([], SHOWN, [(b"x-auth-token", b"")]):
            answer = await fetch(running, "/v3/s3tokens", method="POST", headers=headers, body=b"{}")
            assert answer.status == 404


@pytest.mark.parametrize(
    "section",
    [
        "{}",
        "{token: secret}",
        "{token: {file: a, env: b}}",
        "{token: {env: RGW}, account: '1'}",
        "{token: {env: RGW}, region: '*'}",
        "{token: {env: RGW}, name: '*'}",
        "{token: {env: RGW}, roles: []}",
        "{token: {env: RGW}, roles: ['*']}",
        "{token: {env: RGW}, anonymous: true}",
    ],
)
def test_a_section_that_is_not_in_order_stops_the_start(tmp_path: Path, section: str) -> None:
    file = tmp_path / "daypass.yaml"
    file.write_text(f"gateway: {{keystone: {section}}}")
    with pytest.raises(ConfigurationError):
        read_configuration(file)


def test_a_token_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "daypass.yaml"
    file.write_text("gateway: {keystone: {token: {env: A_VARIABLE_THAT_IS_NOT_SET}}}")
    section = read_configuration(file).gateway.keystone
    assert section is not None
    with pytest.raises(ConfigurationError):
        section.clients()


async def test_an_unknown_key_and_a_wrong_secret_are_told_alike(asks: Asking, cephie: Credentials) -> None:
    unknown = await ask(asks, Credentials("AKIAQNZKJ3EXAMPLE999", str(cephie.secret_key)))
    wrong = await ask(asks, Credentials(cephie.access_key, "wrong"))
    assert refusal(unknown, 401, "Unauthorized") == refusal(wrong, 401, "Unauthorized")


@pytest.mark.parametrize("text", ["old", "of another region", "for STS", "of another day"])
async def test_what_needs_no_secret_is_told_of_an_unknown_key_as_of_a_known_one(
    asks: Asking, cephie: Credentials, text: str
) -> None:
    stranger = Credentials("AKIAQNZKJ3EXAMPLE999", str(cephie.secret_key))
    string = STRINGS[text](asks.running.clock())
    answers = [await post(asks, question(one, string)) for one in (cephie, stranger)]
    assert len({refusal(answer, 401, "Unauthorized") for answer in answers}) == 1


async def test_a_key_that_is_not_active_is_refused(asks: Asking, cephie: Credentials) -> None:
    key = str(cephie.access_key)
    await done(asks.running.call("iam", "UpdateAccessKey", UserName="cephie", AccessKeyId=key, Status="Inactive"))
    refusal(await ask(asks, cephie), 401, "Unauthorized")


async def test_a_key_that_cannot_be_ours_is_left_to_others(asks: Asking) -> None:
    refusal(
        await ask(
            asks, Credentials("0555b35654ad1656d804", "h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==")
        ),
        404,
        "Not Found",
    )


async def test_temporary_credentials_are_refused_in_clear_words(asks: Asking) -> None:
    assert "session token" in refusal(await ask(asks, asks.role), 401, "Unauthorized")


@pytest.mark.parametrize("seconds", [-900, 900])
async def test_a_string_may_be_a_quarter_of_an_hour_old(asks: Asking, cephie: Credentials, seconds: int) -> None:
    text = string_to_sign(asks.running.clock() + seconds)
    assert (await post(asks, question(cephie, text))).status == 200


STRINGS: Mapping[str, Any] = {
    "old": lambda now: string_to_sign(now - 901),
    "of the future": lambda now: string_to_sign(now + 901),
    "of another region": lambda now: string_to_sign(now, region="us-east-1"),
    "for STS": lambda now: string_to_sign(now, service="sts"),
    "of version 2": lambda now: b"GET\n\n\nThu, 17 Nov 2005 18:49:58 GMT\n/bucket/key",
    "empty": lambda now: b"",
    "SigV4A": lambda now: string_to_sign(now).replace(b"AWS4-HMAC", b"AWS4-ECDSA-P256"),
    "without a digest": lambda now: string_to_sign(now, digest="UNSIGNED-PAYLOAD"),
    "of another day": lambda now: string_to_sign(now).replace(b"\n20270115/", b"\n20270114/"),
}


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
async def test_a_string_that_is_not_for_here_and_now_is_refused_though_signed(
    asks: Asking, cephie: Credentials, text: Any
) -> None:
    refusal(await post(asks, question(cephie, text(asks.running.clock()))), 401, "Unauthorized")


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "A" * 64},
        {"token": "*"},
        {"token": ""},
        {"token": base64_of(string_to_sign(1_800_000_000.0)) + "\n"},
        {"token": base64_of(string_to_sign(1_800_000_001.0))},
    ],
)
async def test_a_forged_signature_or_string_is_refused(
    asks: Asking, cephie: Credentials, change: Mapping[str, str]
) -> None:
    refusal(await ask(asks, cephie, **change), 401, "Unauthorized")


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "null": b"null",
    "no credentials": b"{}",
    "another form": b'{"auth":{"s3tokens":{}}}',
    "two": b'{"credentials":{},"credentials":{}}',
    "a key twice": b'{"credentials":{"access":"a","access":"b","token":"","signature":""}}',
    "a member more": b'{"credentials":{"access":"a","token":"","signature":"","secret":""}}',
    "a list": b'{"credentials":[{"access":"a","token":"","signature":""}]}',
    "a number": b'{"credentials":{"access":1,"token":"","signature":""}}',
    "too deep": b'{"credentials":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "not UTF-8": b'{"credentials":"\xff"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_question_that_cannot_be_read_in_one_way_is_refused(asks: Asking, body: bytes) -> None:
    refusal(await post(asks, body), 400, "Bad Request")


async def test_a_question_of_more_than_16_kib_is_refused(asks: Asking) -> None:
    refusal(await post(asks, b'{"credentials":"' + b"x" * 16_384 + b'"}'), 413, "Request Entity Too Large")


@pytest.mark.parametrize("more", [{"method": "GET"}, {"method": "PUT"}, {"query": b"nocatalog"}])
async def test_it_is_asked_in_one_way(asks: Asking, cephie: Credentials, more: Any) -> None:
    good = question(cephie, string_to_sign(asks.running.clock()))
    refusal(await post(asks, good, **more), 400, "Bad Request")


async def test_the_trail_says_who_signed_in_and_who_did_not(asks: Asking, cephie: Credentials, tmp_path: Path) -> None:
    await ask(asks, cephie)
    await ask(asks, asks.user)
    trail = [one for one in await recorded(asks.running, tmp_path / "data") if one["eventSource"] == "s3tokens.daypass"]
    told = [(one["userIdentity"]["userName"], one.get("errorCode")) for one in trail]
    assert told == [("cephie", None), ("ann", "Forbidden")]
    assert KEYSTONE_TOKEN not in json.dumps(trail)


async def test_an_error_of_ours_has_a_record_with_a_reason(
    asks: Asking, cephie: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("daypass.gateway.s3tokens._token", broken)
    assert (await ask(asks, cephie)).status == 500
    record = (await recorded(asks.running, tmp_path / "data"))[-1]
    assert record["additionalEventData"]["reason"] == Reason.INTERNAL_FAILURE.value
