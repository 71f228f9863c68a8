# SPDX-License-Identifier: Apache-2.0
"""``/verify/...`` in process: what services are told, and every way to be told what one should not be."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from audit.trails import recorded
from daypass.access.authenticate import known_again
from daypass.cli.audit.command import summary
from daypass.credentials import Secret
from daypass.errors import AuthenticationError, Reason
from daypass.gateway.decision import DECISIONS_AT_ONCE
from daypass.gateway.exchange import Exchange
from daypass.gateway.reports import event_of
from daypass.sessions import Session
from daypass.sigv4 import PathStyle, RequestSigner, derive_signing_key, payload_digest
from daypass.sigv4.key import SigningKey
from daypass.store import View
from doors import fetch
from gateway.asking_services import (
    EMPTY,
    LAKE,
    NOTES,
    PLACE,
    Asking,
    asking,
    done,
    policy,
    signed_headers,
    statement,
    user,
)
from in_process import ACCOUNT, ROOT

READ = {"action": "notes:Read", "resource": "arn:aws:notes:::1"}
WRITE = {"action": "notes:Write", "resource": "arn:aws:notes:::1"}


@pytest.fixture
async def asks(tmp_path: Path) -> AsyncIterator[Asking]:
    async with asking(tmp_path) as found:
        yield found


async def verified(asks: Asking, *requests: dict[str, Any], **place: Any) -> list[Any]:
    """What is said of each request."""
    answer = await asks.ask("requests", {**(place or PLACE), "requests": requests})
    assert answer.status == 200, answer.json
    return list(answer.json["results"])


# What is answered


async def test_each_permission_is_decided_with_the_sentence_that_the_caller_is_told(asks: Asking) -> None:
    [result] = await verified(asks, asks.request(permissions=[READ, WRITE]))
    assert [row["allowed"] for row in result["decisions"]] == [True, False]
    assert "is not authorized to perform: notes:Write" in result["decisions"][1]["message"]
    assert result["allowed"] is False


async def test_a_session_is_told_with_what_iam_knows_of_it(asks: Asking) -> None:
    [result] = await verified(asks, asks.request(asks.role, permissions=[READ]))
    identity = result["identity"]
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/morning"
    assert (identity["session_name"], identity["source_identity"]) == ("morning", "ann")
    assert identity["expires_at"] - identity["issued_at"] == 900
    assert result["allowed"] is True


async def test_tags_of_the_session_count_above_those_of_the_role(asks: Asking) -> None:
    await done(
        asks.running.call("iam", "TagUser", UserName="ann", **{"Tags.member.1.Key": "Team", "Tags.member.1.Value": "a"})
    )
    [result] = await verified(asks, asks.request(permissions=[READ]))
    assert result["identity"]["tags"] == {"Team": "a"}


async def test_the_refusal_of_one_request_is_not_that_of_the_batch(asks: Asking) -> None:
    forged = asks.request(permissions=[READ])
    forged["target"] = "/notes/2"
    good = asks.request(permissions=[READ])
    first, second, third = await verified(asks, good, forged, good)
    assert second["error"]["reason"] == "signature-does-not-match"
    assert first["allowed"] is third["allowed"] is True
    assert len({one["request_id"] for one in (first, second, third)}) == 3


async def test_a_backend_says_itself_what_its_requests_need(asks: Asking) -> None:
    may, may_not = await verified(asks, asks.s3_request(), asks.s3_request(target="/bucket"), backend="lake")
    assert (may["operation"], may["allowed"]) == ("GetObject", True)
    assert (may_not["operation"], may_not["allowed"]) == ("ListObjects", False)
    assert may_not["decisions"][0]["action"] == "s3:ListBucket"


async def test_a_bucket_in_the_host_is_the_bucket(asks: Asking) -> None:
    [result] = await verified(asks, asks.s3_request(target="/key", host="bucket.s3.example.org"), backend="lake")
    assert result["decisions"][0]["resource"] == "arn:aws:s3:::bucket/key"


async def test_a_bucket_in_the_host_of_a_backend_that_does_not_look_there_is_refused(asks: Asking) -> None:
    for host, reason in (("pond.example.org", None), ("bucket.pond.example.org", Reason.NO_SUCH_BACKEND)):
        request = asks.s3_request(target="/bucket/key", host=host, region="eu-central-1")
        [result] = await verified(asks, request, backend="pond")
        assert result.get("error", {}).get("reason") == (None if reason is None else reason.value)


@pytest.mark.parametrize(
    "host", ["secret.lake.internal", "s3.example.org.internal", "example.org", "s3.example.org:80", "s3.example.org:x"]
)
async def test_a_host_in_which_somebody_else_might_find_a_bucket_is_refused(asks: Asking, host: str) -> None:
    request = asks.s3_request(target="/bucket/key", host=host)
    [result] = await verified(asks, request, backend="lake")
    if host == "s3.example.org:80":
        assert result["allowed"] is True, "it is the backend's own, whatever its port"
        return
    assert result["error"]["reason"] == Reason.NO_SUCH_BACKEND.value
    named = {**request, "permissions": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key"}]}
    [result] = await verified(asks, named, backend="lake")
    assert result["allowed"] is True, "a service that says itself what is asked has read its host itself"


async def test_no_bucket_is_made_with_a_public_acl(asks: Asking) -> None:
    maker = await user(asks.running, "maker", policy(statement("s3:*")))
    secret = Secret(str(maker.secret_key))
    signer = RequestSigner(str(maker.access_key), secret, region="us-east-1", service="s3", path_style=PathStyle.RAW)
    for acl, reason in ((b"public-read", Reason.PUBLIC_ACCESS_BLOCKED), (b"private", Reason.BACKEND_UNAVAILABLE)):
        fixed = [(b"host", b"s3.example.org"), (b"x-amz-acl", acl)]
        signed = signer.sign("PUT", b"/fresh", b"", fixed, now=asks.running.clock(), payload=EMPTY)
        headers = [(name.decode(), value.decode()) for name, value in (*fixed, *signed)]
        request = {"method": "PUT", "target": "/fresh", "headers": headers, "body": ""}
        [result] = await verified(asks, request, backend="lake")
        assert result["error"]["reason"] == reason.value


async def test_what_depends_on_a_body_is_refused_without_it(asks: Asking) -> None:
    [result] = await verified(asks, asks.s3_request(method="POST", target="/bucket?delete"), backend="lake")
    assert result["error"]["reason"] == "body-needed"


async def test_every_key_of_a_deletion_is_decided(asks: Asking) -> None:
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
    sent = base64.b64encode(body).decode()
    request = asks.s3_request(method="POST", target="/bucket?delete", body=body)
    [result] = await verified(asks, {**request, "body": sent}, backend="lake")
    assert [row["resource"].rpartition("/")[2] for row in result["decisions"]] == ["a", "b"]
    assert result["allowed"] is False


async def test_the_body_that_was_read_is_compared_with_what_was_signed(asks: Asking) -> None:
    digest = asks.request(body=b"x")["headers"]
    right = asks.request(body=b"x", permissions=[READ])
    del digest
    other = "0" * 64
    first, second = await verified(asks, right, {**right, "payload_sha256": other})
    assert first["payload"] != EMPTY
    assert second["error"]["reason"] == "payload-hash-mismatch"


async def test_a_payload_that_was_not_read_is_told_as_promised(asks: Asking) -> None:
    [result] = await verified(asks, asks.request(payload="UNSIGNED-PAYLOAD", permissions=[READ]))
    assert result["payload"] == "UNSIGNED-PAYLOAD"


async def test_where_the_request_came_from_is_where_the_service_says(asks: Asking) -> None:
    document = policy(statement("notes:Read", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    bob = await user(asks.running, "bob", document)
    inside = asks.request(bob, permissions=[READ], source_ip="10.1.2.3")
    outside = asks.request(bob, permissions=[READ], source_ip="192.0.2.1")
    unknown = asks.request(bob, permissions=[READ])
    assert [one["allowed"] for one in await verified(asks, inside, outside, unknown)] == [True, False, False]


async def test_condition_keys_of_the_request_count(asks: Asking) -> None:
    document = policy(statement("notes:Read", Condition={"StringEquals": {"notes:Colour": "red"}}))
    bob = await user(asks.running, "bob", document)
    red = asks.request(bob, permissions=[{**READ, "context": {"notes:Colour": ["red"]}}])
    blue = asks.request(bob, permissions=[{**READ, "context": {"notes:Colour": ["blue"]}}])
    assert [one["allowed"] for one in await verified(asks, red, blue)] == [True, False]


# Who may ask


async def test_nobody_may_ask_unless_a_policy_says_so(asks: Asking) -> None:
    message = {**PLACE, "requests": [asks.request(permissions=[READ])]}
    for stranger in (asks.user, asks.role, asks.other):
        answer = await asks.ask("requests", message, stranger)
        assert (answer.status, answer.json["error"]["reason"]) == (403, "not-authorized")


async def test_to_verify_is_not_to_get_keys_nor_to_decide(asks: Asking) -> None:
    [result] = (await asks.ask("requests", {"backend": "lake", "requests": [asks.s3_request()]}, asks.other)).json[
        "results"
    ]
    assert result["allowed"] is True
    key = await asks.ask("keys", {"backend": "lake", "request": asks.s3_request()}, asks.other)
    question = {
        "backend": "lake",
        "handle": result["handle"],
        "permissions": [{"action": "s3:GetObject", "resource": "*"}],
    }
    decided = await asks.ask("decisions", question, asks.other)
    assert [key.status, decided.status] == [403, 403]
    assert {key.json["error"]["reason"], decided.json["error"]["reason"]} == {"not-authorized"}


async def test_every_question_is_signed_over_its_whole_body(asks: Asking) -> None:
    body = json.dumps({**PLACE, "requests": [asks.request(permissions=[READ])]}).encode()
    headers = asks.signed("requests", body, asks.asker)
    answer = await fetch(asks.running, "/verify/requests", method="POST", headers=headers, body=body + b" ")
    assert (answer.status, answer.json["error"]["reason"]) == (403, "payload-hash-mismatch")


async def attacked(asks: Asking, **change: Any) -> tuple[int, str]:
    """Status and reason of a question that is good but for one thing."""
    body = change.get("body", json.dumps({**PLACE, "requests": [asks.request(permissions=[READ])]}).encode())
    question, credentials = change.get("question", "requests"), change.get("credentials", asks.asker)
    headers = asks.signed(question, body, credentials, change.get("service", "daypass"))
    headers = change.get("headers", lambda found: found)(headers)
    asks.running.clock.advance(change.get("later", 0))
    path, query = f"/verify/{change.get('path', question)}", change.get("query", b"")
    answer = await fetch(
        *(asks.running, path), method=change.get("method", "POST"), query=query, headers=headers, body=body
    )
    return answer.status, str(answer.json["error"]["reason"])


ATTACKS: dict[str, tuple[dict[str, Any], Reason]] = {
    "unsigned": ({"headers": lambda found: found[:1]}, Reason.UNSIGNED_REQUEST),
    "signed for STS": ({"service": "sts"}, Reason.CREDENTIAL_SERVICE_MISMATCH),
    "signed for IAM": ({"service": "iam"}, Reason.CREDENTIAL_SERVICE_MISMATCH),
    "old": ({"later": 901}, Reason.SIGNATURE_EXPIRED),
    "of the future": ({"later": -901}, Reason.SIGNATURE_NOT_YET_CURRENT),
    "two signatures": ({"headers": lambda found: [*found, found[-1]]}, Reason.CREDENTIAL_AMBIGUOUS),
    "an unknown key": (
        {"credentials": Credentials("AKIAQNZKJ3EXAMPLE999", "secret")},
        Reason.UNKNOWN_ACCESS_KEY,
    ),
    "signed for another question": ({"path": "keys"}, Reason.SIGNATURE_DOES_NOT_MATCH),
    "an unknown question": ({"question": "secrets"}, Reason.UNKNOWN_ACTION),
    "a query": ({"query": b"x=1"}, Reason.UNKNOWN_ACTION),
    "GET": ({"method": "GET"}, Reason.MALFORMED_REQUEST),
    "in chunks": ({"headers": lambda found: [*found, (b"transfer-encoding", b"chunked")]}, Reason.LENGTH_REQUIRED),
    "no JSON": ({"body": b"{"}, Reason.JSON_MALFORMED),
    "no object": ({"body": b"[]"}, Reason.JSON_MALFORMED),
    "too deep": ({"body": b'{"requests":' + b"[" * 5000 + b"]" * 5000 + b"}"}, Reason.JSON_MALFORMED),
    "a member twice": ({"body": b'{"backend":"lake","backend":"lake"}'}, Reason.JSON_DUPLICATE_MEMBER),
    "too large": ({"body": b'{"x":"' + b"x" * 600_000 + b'"}'}, Reason.REQUEST_TOO_LARGE),
    "an unknown member": ({"body": b'{"backend":"lake","requests":[],"debug":true}'}, Reason.MALFORMED_REQUEST),
    "another type": ({"body": b'{"backend":1,"requests":[]}'}, Reason.MALFORMED_REQUEST),
    "no request": ({"body": b'{"backend":"lake","requests":[]}'}, Reason.INVALID_PARAMETER),
}


@pytest.mark.parametrize(("change", "reason"), ATTACKS.values(), ids=ATTACKS)
async def test_a_question_that_is_not_in_order_is_refused_whole(
    asks: Asking, change: dict[str, Any], reason: Reason
) -> None:
    status, told = await attacked(asks, **change)
    assert told == reason.value
    assert 400 <= status < 500


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"backend": "sea"}, Reason.NO_SUCH_BACKEND),
        ({}, Reason.INVALID_PARAMETER),
        ({"backend": "lake", "service": "notes"}, Reason.INVALID_PARAMETER),
        ({"service": "notes", "region": "us-east-1"}, Reason.INVALID_PARAMETER),
        ({**PLACE, "account": "1"}, Reason.INVALID_PARAMETER),
        ({**PLACE, "service": "*"}, Reason.INVALID_PARAMETER),
        ({**PLACE, "region": "*"}, Reason.INVALID_PARAMETER),
        ({**PLACE, "service": "sts"}, Reason.VERIFIED_SERVICE_RESERVED),
        ({**PLACE, "service": "iam"}, Reason.VERIFIED_SERVICE_RESERVED),
        ({**PLACE, "service": "daypass"}, Reason.VERIFIED_SERVICE_RESERVED),
        ({**PLACE, "service": "lake"}, Reason.VERIFIED_SERVICE_RESERVED),
    ],
)
async def test_a_service_is_named_in_one_way_and_is_not_daypass(
    asks: Asking, place: dict[str, str], reason: Reason
) -> None:
    root = Credentials(ROOT.access_key, ROOT.secret_key)
    for question, more in (("requests", {"requests": [asks.request()]}), ("keys", {"request": asks.request()})):
        answer = await asks.ask(question, {**place, **more}, root)
        assert answer.json["error"]["reason"] == reason.value


async def test_a_batch_has_a_hundred_requests_and_no_more(asks: Asking) -> None:
    request = asks.request(permissions=[READ])
    assert len(await verified(asks, *[request] * 100)) == 100
    answer = await asks.ask("requests", {**PLACE, "requests": [request] * 101})
    assert answer.json["error"]["reason"] == "invalid-parameter"


async def test_a_call_has_five_hundred_permissions_and_no_more(asks: Asking) -> None:
    [result] = await verified(asks, asks.request(permissions=[READ] * 500))
    assert len(result["decisions"]) == 500
    answer = await asks.ask("requests", {**PLACE, "requests": [asks.request(permissions=[READ] * 501)]})
    assert answer.json["error"]["reason"] == "invalid-parameter"


# The requests that services hand on


def changed(request: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**request, **members}


def header(request: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    headers = [[one, value if one == name else was] for one, was in request["headers"]]
    return {**request, "headers": headers}


REQUESTS: dict[str, tuple[Any, Reason]] = {
    "forged path": (lambda r, a: changed(r, target="/notes/2"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "forged query": (lambda r, a: changed(r, target="/notes/1?all=1"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "forged method": (lambda r, a: changed(r, method="DELETE"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "forged host": (lambda r, a: header(r, "host", "evil.test"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "unsigned": (lambda r, a: changed(r, headers=r["headers"][:1]), Reason.UNSIGNED_REQUEST),
    "no host": (lambda r, a: changed(r, headers=r["headers"][1:]), Reason.INVALID_PARAMETER),
    "two hosts": (lambda r, a: changed(r, headers=[["Host", "x"], *r["headers"]]), Reason.INVALID_PARAMETER),
    "two signatures": (
        lambda r, a: changed(r, headers=[*r["headers"], r["headers"][-1]]),
        Reason.CREDENTIAL_AMBIGUOUS,
    ),
    "two locations": (
        lambda r, a: changed(r, target="/notes/1?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=" + "0" * 64),
        Reason.CREDENTIAL_AMBIGUOUS,
    ),
    "a header that is not signed": (
        lambda r, a: changed(r, headers=[*r["headers"], ["x-amz-meta-role", "admin"]]),
        Reason.HEADER_NOT_SIGNED,
    ),
    "an unknown key": (
        lambda r, a: a.request(Credentials("AKIAQNZKJ3EXAMPLE999", "secret")),
        Reason.UNKNOWN_ACCESS_KEY,
    ),
    "another's secret": (
        lambda r, a: a.request(Credentials(a.user.access_key, a.asker.secret_key)),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "a session without its token": (
        lambda r, a: a.request(Credentials(a.role.access_key, a.role.secret_key)),
        Reason.UNKNOWN_ACCESS_KEY,
    ),
    "a session with half a token": (
        lambda r, a: a.request(Credentials(a.role.access_key, a.role.secret_key, a.role.token[:-8])),
        Reason.UNKNOWN_ACCESS_KEY,
    ),
    "a long-term key with a token": (
        lambda r, a: a.request(Credentials(a.user.access_key, a.user.secret_key, a.role.token)),
        Reason.UNKNOWN_ACCESS_KEY,
    ),
    "for STS": (lambda r, a: a.request(service="sts"), Reason.CREDENTIAL_SERVICE_MISMATCH),
    "for daypass": (lambda r, a: a.request(service="daypass"), Reason.CREDENTIAL_SERVICE_MISMATCH),
    "for another region": (lambda r, a: a.request(region="us-east-2"), Reason.CREDENTIAL_REGION_MISMATCH),
    "a whole URL": (lambda r, a: changed(r, target="http://notes/1"), Reason.INVALID_PARAMETER),
    "a fragment": (lambda r, a: changed(r, target="/notes/1#x"), Reason.INVALID_PARAMETER),
    "a space": (lambda r, a: changed(r, target="/notes/ 1"), Reason.INVALID_PARAMETER),
    "no ASCII": (lambda r, a: changed(r, target="/notes/ü"), Reason.INVALID_PARAMETER),
    "no bytes": (lambda r, a: changed(r, headers=[*r["headers"], ["x", "中"]]), Reason.INVALID_PARAMETER),
    "many headers": (lambda r, a: changed(r, headers=[*r["headers"], *[["x", "1"]] * 100]), Reason.REQUEST_TOO_LARGE),
    "a line break": (
        lambda r, a: changed(r, headers=[*r["headers"], ["x", "1\nx-amz-y: 2"]]),
        Reason.SIGNED_REQUEST_MALFORMED,
    ),
    "no address": (lambda r, a: changed(r, source_ip="here"), Reason.INVALID_PARAMETER),
    "no digest": (lambda r, a: changed(r, payload_sha256="x"), Reason.INVALID_PARAMETER),
    "no base64": (lambda r, a: changed(r, body="*"), Reason.INVALID_PARAMETER),
    "a body that is not the digest's": (
        lambda r, a: changed(r, body="eA==", payload_sha256=EMPTY),
        Reason.PAYLOAD_HASH_MISMATCH,
    ),
    "a body that was not signed": (lambda r, a: changed(r, body="eA=="), Reason.PAYLOAD_HASH_MISMATCH),
    "signed in chunks": (
        lambda r, a: a.request(payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        Reason.PAYLOAD_HASH_UNSUPPORTED,
    ),
}


@pytest.mark.parametrize(("attack", "reason"), REQUESTS.values(), ids=REQUESTS)
async def test_a_request_that_is_not_its_callers_is_refused(asks: Asking, attack: Any, reason: Reason) -> None:
    request = {**attack(asks.request(), asks), "permissions": [READ]}
    [result] = await verified(asks, request)
    assert result["error"]["reason"] == reason.value
    assert set(result) == {"error", "request_id"}
    key = await asks.ask("keys", {**PLACE, "request": {**request, "permissions": None}})
    assert key.json["result"]["error"]["reason"] == reason.value


@pytest.mark.parametrize("seconds", [901, -901])
async def test_a_request_of_another_time_is_refused(asks: Asking, seconds: int) -> None:
    request = asks.request(permissions=[READ])
    asks.running.clock.advance(seconds)
    [result] = await verified(asks, request)
    assert result["error"]["reason"] in ("signature-expired", "signature-not-yet-current")


async def test_a_session_that_has_expired_is_refused_at_that_instant(asks: Asking) -> None:
    asks.running.clock.advance(899)
    [before] = await verified(asks, asks.request(asks.role, permissions=[READ]))
    asks.running.clock.advance(1)
    [after] = await verified(asks, asks.request(asks.role, permissions=[READ]))
    assert before["allowed"] is True
    assert after["error"]["reason"] == "session-expired"


PERMISSIONS: dict[str, dict[str, Any]] = {
    "of another service": {**READ, "action": "iam:CreateUser"},
    "of all": {**READ, "action": "notes:*"},
    "no action": {**READ, "action": "Read"},
    "in capitals": {**READ, "action": "NOTES:Read"},
    "no resource": {**READ, "resource": ""},
    "a resource that is no ARN": {**READ, "resource": "notes/1"},
    "a resource with a line break": {**READ, "resource": "arn:aws:notes:::1\n2"},
    "who asks": {**READ, "context": {"aws:PrincipalArn": ["arn:aws:iam::123456789012:root"]}},
    "where from": {**READ, "context": {"aws:SourceIp": ["10.0.0.1"]}},
    "a second factor": {**READ, "context": {"aws:MultiFactorAuthPresent": ["true"]}},
    "tags of the caller": {**READ, "context": {"aws:PrincipalTag/team": ["a"]}},
    "keys of another service": {**READ, "context": {"s3:prefix": ["a"]}},
    "a key twice": {**READ, "context": {"notes:A": ["1"], "notes:a": ["2"]}},
    "a key without values": {**READ, "context": {"notes:a": []}},
    "too many keys": {**READ, "context": {f"notes:k{number}": ["1"] for number in range(51)}},
    "too many values": {**READ, "context": {"notes:a": ["1"] * 201}},
    "a value too long": {**READ, "context": {"notes:a": ["x" * 2049]}},
}


@pytest.mark.parametrize("permission", PERMISSIONS.values(), ids=PERMISSIONS)
async def test_a_service_asks_about_its_own_actions_and_says_only_what_is_its_own(
    asks: Asking, permission: dict[str, Any]
) -> None:
    [result] = await verified(asks, asks.request(permissions=[permission]))
    assert result["error"]["reason"] == "invalid-parameter"
    handle = (await asks.key()).json["result"]["handle"]
    answer = await asks.ask("decisions", {**PLACE, "handle": handle, "permissions": [permission]})
    assert answer.json["result"]["error"]["reason"] == "invalid-parameter"


async def test_a_request_that_needs_nothing_is_not_allowed(asks: Asking) -> None:
    [result] = await verified(asks, asks.request(permissions=[]))
    assert result["allowed"] is False


# Handles


async def decided(asks: Asking, handle: str, credentials: Credentials | None = None, **place: Any) -> Any:
    message = {**(place or PLACE), "handle": handle, "permissions": [READ]}
    answer = await asks.ask("decisions", message, credentials)
    assert answer.status == 200, answer.json
    return answer.json["result"]


async def test_a_handle_decides_by_what_is_stored_now(asks: Asking) -> None:
    handle = (await asks.key()).json["result"]["handle"]
    assert (await decided(asks, handle))["allowed"] is True
    await done(asks.running.call("iam", "DeleteUserPolicy", UserName="ann", PolicyName="p"))
    assert (await decided(asks, handle))["allowed"] is False


async def test_a_handle_is_of_no_use_to_another_service(asks: Asking) -> None:
    second = await user(asks.running, "svc2", policy(statement("daypass:*", NOTES)))
    handle = (await asks.key()).json["result"]["handle"]
    assert (await decided(asks, handle, second))["error"]["reason"] == "verified-handle-invalid"


async def test_a_handle_is_of_no_use_for_another_resource(asks: Asking) -> None:
    handle = (await asks.key()).json["result"]["handle"]
    permission = {"action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key"}
    answer = await asks.ask("decisions", {"backend": "lake", "handle": handle, "permissions": [permission]})
    assert answer.json["result"]["error"]["reason"] == "verified-handle-invalid"


async def test_what_is_no_handle_is_refused(asks: Asking) -> None:
    handle = (await asks.key()).json["result"]["handle"]
    turned = "B" if handle[40] != "B" else "C"
    for text in ("", "x", handle[:-4], handle[:40] + turned + handle[41:], str(asks.role.token), "A" * 20_000):
        assert (await decided(asks, text))["error"]["reason"] == "verified-handle-invalid"


async def test_a_handle_ends_after_five_minutes(asks: Asking) -> None:
    handle = (await asks.key()).json["result"]["handle"]
    asks.running.clock.advance(299)
    assert (await decided(asks, handle))["allowed"] is True
    asks.running.clock.advance(1)
    assert (await decided(asks, handle))["error"]["reason"] == "verified-handle-invalid"


async def test_a_handle_ends_with_its_session(asks: Asking) -> None:
    asks.running.clock.advance(700)
    result = (await asks.key(asks.role)).json["result"]
    assert result["handle_ends_at"] == result["identity"]["expires_at"] == result["cacheable_until"]
    asks.running.clock.advance(199)
    assert (await decided(asks, result["handle"]))["cacheable_until"] == result["identity"]["expires_at"]
    asks.running.clock.advance(1)
    assert (await decided(asks, result["handle"]))["error"]["reason"] == "verified-handle-invalid"


def test_nobody_is_known_again_by_a_session_that_has_expired() -> None:
    session = Session(ACCOUNT, "AROAEXAMPLE", "morning", 0, 900)
    for now, reason in (
        (899, Reason.UNKNOWN_ACCESS_KEY),
        (900, Reason.SESSION_EXPIRED),
    ):  # there is no such role either
        with pytest.raises(AuthenticationError) as refused:
            known_again("ASIAEXAMPLE", "us-east-1", session, View(), now)
        assert refused.value.reason is reason


async def test_a_handle_is_good_for_nothing_once_its_key_is_not(asks: Asking) -> None:
    handle = (await asks.key()).json["result"]["handle"]
    key = str(asks.user.access_key)
    await done(asks.running.call("iam", "UpdateAccessKey", UserName="ann", AccessKeyId=key, Status="Inactive"))
    assert (await decided(asks, handle))["error"]["reason"] == "unknown-access-key"


async def test_a_handle_is_good_for_nothing_once_its_role_is_gone(asks: Asking) -> None:
    handle = (await asks.key(asks.role)).json["result"]["handle"]
    await done(asks.running.call("iam", "DeleteRolePolicy", RoleName="reader", PolicyName="p"))
    await done(asks.running.call("iam", "DeleteRole", RoleName="reader"))
    assert (await decided(asks, handle))["error"]["reason"] == "unknown-access-key"


async def test_sessions_of_one_role_share_its_handles(asks: Asking) -> None:
    started = await user(asks.running, "starter", policy(statement("sts:AssumeRole")))
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    await done(asks.running.call("iam", "CreateRole", RoleName="svc-role", AssumeRolePolicyDocument=trust))
    document = policy(statement("daypass:*", NOTES))
    await done(asks.running.call("iam", "PutRolePolicy", RoleName="svc-role", PolicyName="p", PolicyDocument=document))
    instances = []
    for name in ("first", "second"):
        arn = f"arn:aws:iam::{ACCOUNT}:role/svc-role"
        made = await done(asks.running.call("sts", "AssumeRole", started, RoleArn=arn, RoleSessionName=name))
        instances.append(Credentials(made.text("AccessKeyId"), made.text("SecretAccessKey"), made.text("SessionToken")))
    answer = await asks.ask("keys", {**PLACE, "request": asks.request()}, instances[0])
    assert (await decided(asks, answer.json["result"]["handle"], instances[1]))["allowed"] is True


# Signing keys


async def test_a_key_is_that_of_its_day_region_and_service(asks: Asking) -> None:
    result = (await asks.key()).json["result"]
    secret = str(asks.user.secret_key).encode()
    wanted = derive_signing_key(secret, result["date"], "us-east-1", "notes")
    assert base64.b64decode(result["signing_key"]) == wanted
    assert (result["region"], result["service"]) == ("us-east-1", "notes")
    assert result["cacheable_until"] - result["now"] == 300


async def test_a_key_ends_with_its_day_and_the_skew(asks: Asking) -> None:
    clock = asks.running.clock
    midnight = (int(clock()) // 86_400 + 1) * 86_400
    clock.advance(midnight + 800 - clock())
    late = signed_headers(asks.user, "GET", "/notes/1", b"", service="notes", now=midnight - 10)
    request = {
        "method": "GET",
        "target": "/notes/1",
        "headers": [[name.decode(), value.decode()] for name, value in late],
    }
    answer = await asks.ask("keys", {**PLACE, "request": request})
    assert answer.json["result"]["cacheable_until"] == midnight + 900


async def test_no_key_is_given_that_another_service_would_take(asks: Asking) -> None:
    root = Credentials(ROOT.access_key, ROOT.secret_key)
    lake = await asks.ask("keys", {"backend": "lake", "request": asks.s3_request()})
    assert lake.status == 200
    shared = await asks.ask("keys", {"backend": "pond", "request": asks.s3_request(region="eu-central-1")}, root)
    by_name = await asks.ask("keys", {**PLACE, "service": "s3", "request": asks.s3_request()}, root)
    keystone = {**PLACE, "service": "s3", "region": "rgw-1"}
    of_keystone = await asks.ask("keys", {**keystone, "request": asks.s3_request(region="rgw-1")}, root)
    for answer in (shared, by_name, of_keystone):
        assert (answer.status, answer.json["error"]["reason"]) == (403, "signing-key-withheld")


async def test_no_key_is_given_for_a_presigned_request(asks: Asking) -> None:
    signer = RequestSigner(
        str(asks.user.access_key),
        Secret(str(asks.user.secret_key)),
        region="us-east-1",
        service="notes",
        path_style=PathStyle.NORMALISED,
    )
    query = signer.presign(
        "GET", b"/notes/1", b"", host=b"notes.test", now=asks.running.clock(), expires=600, payload=EMPTY
    )
    target = "/notes/1?" + query.decode()
    request = {"method": "GET", "target": target, "headers": [["host", "notes.test"]], "payload_sha256": EMPTY}
    [result] = await verified(asks, {**request, "permissions": [READ]})
    assert (result["allowed"], result["presigned"]) == (True, True)
    key = await asks.ask("keys", {**PLACE, "request": request})
    assert key.json["result"]["error"]["reason"] == "signing-key-withheld"
    asks.running.clock.advance(601)
    [late] = await verified(asks, {**request, "permissions": [READ]})
    assert late["error"]["reason"] == "presigned-expired"


@pytest.mark.parametrize("service", ["daypass", "sts", "iam"])
async def test_a_key_for_one_service_signs_nothing_at_our_own_doors(asks: Asking, service: str) -> None:
    result = (await asks.key()).json["result"]
    signer = RequestSigner(
        str(asks.user.access_key),
        Secret("unknown"),
        region="us-east-1",
        service=service,
        path_style=PathStyle.NORMALISED,
    )
    scope = f"{result['date']}/us-east-1/{service}/aws4_request"
    signer._of_day = (result["date"], SigningKey(base64.b64decode(result["signing_key"])), scope)
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    fixed = [(b"host", b"daypass.test"), (b"content-type", b"application/x-www-form-urlencoded")]
    path = b"/verify/requests" if service == "daypass" else b"/"
    headers = fixed + signer.sign("POST", path, b"", fixed, now=asks.running.clock(), payload=payload_digest(body))
    answer = await fetch(asks.running, path.decode(), method="POST", headers=headers, body=body)
    assert answer.status == 403
    told = b"signature-does-not-match" if service == "daypass" else b"SignatureDoesNotMatch"
    assert told in answer.body or b"Credential should be scoped" in answer.body


async def test_no_answer_has_a_secret_or_a_token(asks: Asking) -> None:
    message = {**PLACE, "requests": [asks.request(permissions=[READ]), asks.request(asks.role, permissions=[READ])]}
    answers = [await asks.ask("requests", message), await asks.key(), await asks.key(asks.role)]
    for answer in answers:
        for secret in (asks.user.secret_key, asks.role.secret_key, asks.role.token):
            assert str(secret).encode() not in answer.body
        assert answer.headers[b"cache-control"] == b"no-store"


# Others are served meanwhile


async def turns_during(work: Awaitable[Any]) -> tuple[int, Any]:
    """How often something else had its turn while this was done, and what came of it."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    answer = await work
    task.cancel()
    return turns, answer


async def test_others_are_served_while_many_permissions_are_decided(asks: Asking) -> None:
    request = asks.request(permissions=[READ, WRITE] * 250)
    few, answer = await turns_during(asks.ask("requests", {**PLACE, "requests": [{**request, "permissions": [READ]}]}))
    assert answer.status == 200
    many, answer = await turns_during(asks.ask("requests", {**PLACE, "requests": [request]}))
    assert len(answer.json["results"][0]["decisions"]) == 500
    assert many == few + 500 // DECISIONS_AT_ONCE


async def test_others_are_served_while_a_deletion_of_many_is_decided(asks: Asking) -> None:
    may = policy(statement("s3:DeleteObject", "arn:aws:s3:::bucket/*"))
    deleter = await user(asks.running, "deleter", may)

    async def deleted(count: int) -> int:
        keys = "".join(f"<Object><Key>{number}</Key></Object>" for number in range(count))
        body = f"<Delete>{keys}</Delete>".encode()
        request = asks.s3_request(deleter, method="POST", target="/bucket?delete=", body=body)
        request["body"] = base64.b64encode(body).decode()
        turns, answer = await turns_during(asks.ask("requests", {"backend": "lake", "requests": [request]}))
        assert answer.json["results"][0]["allowed"] is True
        return turns

    # Each is decided by itself, to be told of, and once more as the gateway would.
    assert await deleted(1000) == await deleted(1) + 2 * 1000 // DECISIONS_AT_ONCE


# What is recorded


async def test_the_trail_has_the_question_and_whose_requests_it_was_about(asks: Asking, tmp_path: Path) -> None:
    await verified(asks, asks.request(permissions=[READ]), asks.request(permissions=[WRITE]))
    trail = await recorded(asks.running, tmp_path / "data")
    found = [one for one in trail if one["eventSource"] in ("verify.daypass", "notes.amazonaws.com")]
    question = next(one for one in found if one["eventSource"] == "verify.daypass")
    assert question["userIdentity"]["userName"] == "svc"
    assert question["eventName"] == "VerifyRequest"
    about = {one["eventName"]: one for one in found if one["eventSource"] == "notes.amazonaws.com"}
    assert about["Read"]["userIdentity"]["userName"] == about["Write"]["userIdentity"]["userName"] == "ann"
    assert about["Read"]["additionalEventData"]["askedBy"] == f"arn:aws:iam::{ACCOUNT}:user/svc"
    assert about["Write"]["errorCode"] == "AccessDeniedException"
    assert LAKE not in json.dumps(found)


async def test_a_question_that_meets_an_error_of_ours_has_a_record_with_a_reason(
    asks: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("daypass.gateway.ask.read_message", broken)
    assert (await asks.ask("requests", {**PLACE, "requests": [asks.request(permissions=[READ])]})).status == 500
    record = (await recorded(asks.running, tmp_path / "data"))[-1]
    assert record["errorCode"] == "InternalFailure"
    assert record["additionalEventData"]["reason"] == Reason.INTERNAL_FAILURE.value
    assert "InternalFailure (internal-failure)" in summary(record)


def test_an_error_of_ours_at_the_gateway_has_a_record_with_a_reason() -> None:
    exchange = Exchange("request", 0.0, "GET", 0.0)
    assert event_of(exchange).reason is None, "a backend's own answer is no refusal of ours"
    exchange.code = "InternalError"
    assert event_of(exchange).reason is Reason.INTERNAL_FAILURE
