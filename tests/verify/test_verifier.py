# SPDX-License-Identifier: Apache-2.0
"""The library for services: what it knows, for how long, and that what it does not know is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials as Pair

from daypass.credentials import Secret
from daypass.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigurationError,
    DaypassError,
    Reason,
    RequestError,
    UnavailableError,
)
from daypass.sigv4 import PathStyle, RawRequest, RequestSigner
from daypass.verify import BlockingVerifier, Credentials, Permission, Sender, VerifiedCaller, Verifier
from daypass.verify.known import Remembered
from gateway.asking_services import EMPTY, done, original, policy, statement, user
from in_process import ACCOUNT
from verify.bridge import Bridge, bridge, of_pair

READ = Permission("notes:Read", "arn:aws:notes:::1")
WRITE = Permission("notes:Write", "arn:aws:notes:::1")


@pytest.fixture
async def to(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with bridge(tmp_path) as made:
        yield made


@pytest.fixture
async def verifier(to: Bridge) -> AsyncIterator[Verifier]:
    async with Verifier(to.url, to.credentials, **to.settings) as made:
        yield made


async def reason_of(awaitable: Any) -> Reason:
    with pytest.raises(DaypassError) as refused:
        await awaitable
    return refused.value.reason


async def test_a_request_is_its_callers(to: Bridge, verifier: Verifier) -> None:
    caller = await verifier.identify(to.request(to.asks.role))
    assert caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/morning"
    assert (caller.kind, caller.session_name, caller.source_identity) == ("AssumedRole", "morning", "ann")
    assert caller.payload == EMPTY


async def test_further_requests_of_a_caller_are_verified_here(to: Bridge, verifier: Verifier) -> None:
    first = await verifier.identify(to.request())
    for number in range(20):
        caller = await verifier.identify(to.request(target=f"/notes/{number}", body=b"x" * number))
        assert (caller.arn, caller.payload) == (first.arn, hashlib.sha256(b"x" * number).hexdigest())
    assert to.asked == {"keys": 1}


async def test_a_request_that_is_verified_here_is_verified_as_strictly(to: Bridge, verifier: Verifier) -> None:
    good = to.request()
    await verifier.identify(good)
    other = Pair(to.asks.user.access_key, to.asks.asker.secret_key)
    headers = list(good.headers)
    attacks = {
        RawRequest("GET", b"/notes/2", b"", good.headers): Reason.SIGNATURE_DOES_NOT_MATCH,
        RawRequest("DELETE", good.path, b"", good.headers): Reason.SIGNATURE_DOES_NOT_MATCH,
        RawRequest("GET", good.path, b"all=1", good.headers): Reason.SIGNATURE_DOES_NOT_MATCH,
        to.request(other): Reason.SIGNATURE_DOES_NOT_MATCH,
        RawRequest("GET", good.path, b"", (*headers, headers[-1])): Reason.CREDENTIAL_AMBIGUOUS,
        RawRequest("GET", good.path, b"", (*headers, (b"x-amz-meta-a", b"1"))): Reason.HEADER_NOT_SIGNED,
        RawRequest("GET", good.path, b"", tuple(headers[:1])): Reason.UNSIGNED_REQUEST,
    }
    for attack, reason in attacks.items():
        assert await reason_of(verifier.identify(attack)) is reason
    assert to.asked == {"keys": 1}


@pytest.mark.parametrize(
    ("seconds", "reason"), [(901, Reason.SIGNATURE_EXPIRED), (-901, Reason.SIGNATURE_NOT_YET_CURRENT)]
)
async def test_a_request_of_another_time_is_refused_here_too(
    to: Bridge, verifier: Verifier, seconds: int, reason: Reason
) -> None:
    await verifier.identify(to.request())
    for near in (-900, 900):
        assert (await verifier.identify(to.request(after=near))).arn
    assert await reason_of(verifier.identify(to.request(after=-seconds))) is reason
    assert to.asked == {"keys": 1}


async def test_a_key_is_not_anothers(to: Bridge, verifier: Verifier) -> None:
    bob = await user(to.asks.running, "bob")
    await verifier.identify(to.request())
    assert (await verifier.identify(to.request(bob))).arn.endswith("user/bob")
    stranger = Pair("AKIAQNZKJ3EXAMPLE999", str(to.asks.user.secret_key))
    assert await reason_of(verifier.identify(to.request(stranger))) is Reason.UNKNOWN_ACCESS_KEY


async def test_a_session_is_known_by_its_token_and_not_by_its_key_id(to: Bridge, verifier: Verifier) -> None:
    role = to.asks.role
    await verifier.identify(to.request(role))
    for token in (None, str(role.token)[:-8], str(to.asks.role.token).swapcase()):
        pair = Pair(role.access_key, role.secret_key, token)
        assert await reason_of(verifier.identify(to.request(pair))) is Reason.UNKNOWN_ACCESS_KEY


async def test_a_refused_request_leaves_nothing_behind(to: Bridge, verifier: Verifier) -> None:
    good = to.request()
    forged = RawRequest("GET", b"/notes/2", b"", good.headers)
    assert await reason_of(verifier.identify(forged)) is Reason.SIGNATURE_DOES_NOT_MATCH
    assert (await verifier.identify(good)).arn.endswith("user/ann")
    assert to.asked == {"keys": 2}


async def test_the_body_is_compared_with_what_was_signed(to: Bridge, verifier: Verifier) -> None:
    right, wrong = hashlib.sha256(b"x").hexdigest(), hashlib.sha256(b"y").hexdigest()
    for _ in range(2):  # asked there, and then verified here
        request = to.request(body=b"x")
        assert (await verifier.identify(request, payload_sha256=right)).payload == right
        assert await reason_of(verifier.identify(request, payload_sha256=wrong)) is Reason.PAYLOAD_HASH_MISMATCH


async def test_a_key_is_asked_for_again_before_its_five_minutes_are_over(to: Bridge, verifier: Verifier) -> None:
    await verifier.identify(to.request())
    to.asks.running.clock.advance(289)
    await verifier.identify(to.request())
    assert to.asked == {"keys": 1}
    to.asks.running.clock.advance(1)
    await verifier.identify(to.request())
    assert to.asked == {"keys": 2}


async def test_a_clock_that_is_wrong_does_not_make_keys_last(to: Bridge) -> None:
    clock = to.asks.running.clock

    def late() -> float:
        return clock() - 600

    async with Verifier(to.url, to.credentials, **{**to.settings, "clock": late}) as verifier:
        await verifier.identify(to.request())
        clock.advance(290)
        await verifier.identify(to.request())
    assert to.asked == {"keys": 2}


async def test_a_session_is_not_known_for_longer_than_it_lasts(to: Bridge, verifier: Verifier) -> None:
    to.asks.running.clock.advance(880)
    await verifier.identify(to.request(to.asks.role))
    to.asks.running.clock.advance(20)
    assert await reason_of(verifier.identify(to.request(to.asks.role))) is Reason.SESSION_EXPIRED


async def test_a_presigned_request_is_asked_about_each_time(to: Bridge, verifier: Verifier) -> None:
    pair = to.asks.user
    signer = RequestSigner(
        str(pair.access_key),
        Secret(str(pair.secret_key)),
        region="us-east-1",
        service="notes",
        path_style=PathStyle.NORMALISED,
    )
    query = signer.presign("GET", b"/notes/1", b"", host=b"h", now=to.asks.running.clock(), expires=60, payload=EMPTY)
    request = RawRequest("GET", b"/notes/1", query, ((b"host", b"h"),))
    assert (await verifier.identify(request, payload_sha256=EMPTY)).presigned
    assert (await verifier.identify(request, payload_sha256=EMPTY)).presigned
    assert to.asked == {"requests": 2}


# Decisions


async def test_decisions_are_asked_once_and_kept_for_five_seconds(to: Bridge, verifier: Verifier) -> None:
    caller = await verifier.identify(to.request())
    for _ in range(3):
        assert [one.allowed for one in await verifier.allowed(caller, [READ, WRITE])] == [True, False]
    assert to.asked["decisions"] == 1
    await done(to.asks.running.call("iam", "DeleteUserPolicy", UserName="ann", PolicyName="p"))
    to.asks.running.clock.advance(4)
    assert [one.allowed for one in await verifier.allowed(caller, [READ])] == [True]
    to.asks.running.clock.advance(1)
    assert [one.allowed for one in await verifier.allowed(caller, [READ])] == [False]


async def test_what_is_known_already_is_not_asked_again(to: Bridge, verifier: Verifier) -> None:
    caller = await verifier.identify(to.request())
    await verifier.allowed(caller, [READ])
    decisions = await verifier.allowed(caller, [WRITE, READ, WRITE])
    assert [one.allowed for one in decisions] == [False, True, False]
    assert [one.action for one in decisions] == ["notes:Write", "notes:Read", "notes:Write"]
    assert to.asked["decisions"] == 2


async def test_a_decision_is_of_its_caller_sender_and_context_only(to: Bridge, verifier: Verifier) -> None:
    colour = statement("notes:Read", Condition={"StringEquals": {"notes:Colour": "red"}})
    place = statement("notes:Write", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    bob = await user(to.asks.running, "bob", policy(colour, place))
    inside = await verifier.identify(to.request(bob), sender=Sender("10.0.0.1"))
    outside = await verifier.identify(to.request(bob), sender=Sender("192.0.2.1"))
    ann = await verifier.identify(to.request(), sender=Sender("10.0.0.1"))
    red = Permission("notes:Read", "*", {"notes:Colour": ["red"]})
    blue = Permission("notes:Read", "*", {"notes:colour": ["blue"]})

    async def one(caller: VerifiedCaller, permission: Permission) -> bool:
        [decision] = await verifier.allowed(caller, [permission])
        return decision.allowed

    assert [await one(inside, red), await one(inside, blue)] == [True, False]
    assert [await one(inside, WRITE), await one(outside, WRITE), await one(ann, WRITE)] == [True, False, False]


async def test_a_decision_must_be_looked_at(to: Bridge, verifier: Verifier) -> None:
    [decision] = await verifier.allowed(await verifier.identify(to.request()), [READ])
    with pytest.raises(TypeError):
        bool(decision)


async def test_authorize_returns_the_caller_or_says_what_aws_would(to: Bridge, verifier: Verifier) -> None:
    assert (await verifier.authorize(to.request(), [READ])).arn.endswith("user/ann")
    with pytest.raises(AccessDeniedError, match="is not authorized to perform: notes:Write") as denied:
        await verifier.authorize(to.request(), [READ, WRITE])
    assert denied.value.reason is Reason.NOT_AUTHORIZED


async def test_nothing_is_authorized_without_a_permission(to: Bridge, verifier: Verifier) -> None:
    with pytest.raises(RequestError):
        await verifier.authorize(to.request(), [])


async def test_a_revoked_caller_is_refused_when_the_decision_is_five_seconds_old(
    to: Bridge, verifier: Verifier
) -> None:
    await verifier.authorize(to.request(), [READ])
    key = str(to.asks.user.access_key)
    await done(to.asks.running.call("iam", "UpdateAccessKey", UserName="ann", AccessKeyId=key, Status="Inactive"))
    to.asks.running.clock.advance(5)
    assert await reason_of(verifier.authorize(to.request(), [READ])) is Reason.UNKNOWN_ACCESS_KEY


async def test_a_backend_says_itself_what_a_request_needs(to: Bridge) -> None:
    settings = {"service": "s3", "region": "us-east-1", "backend": "lake", "clock": to.asks.running.clock}
    async with Verifier(to.url, to.credentials, **settings) as verifier:
        asked = original(
            to.asks.user, now=to.asks.running.clock(), target="/bucket/key", service="s3", host="s3.example.org"
        )
        headers = tuple((name.encode(), value.encode()) for name, value in asked["headers"])
        assert (await verifier.authorize(RawRequest("GET", b"/bucket/key", b"", headers))).arn.endswith("ann")
        with pytest.raises(AuthenticationError):
            await verifier.authorize(RawRequest("GET", b"/bucket/other", b"", headers))


async def test_without_keys_every_request_is_asked_about(to: Bridge) -> None:
    async with Verifier(to.url, to.credentials, **to.settings, local_keys=False) as verifier:
        for _ in range(2):
            await verifier.authorize(to.request(), [READ])
        with pytest.raises(AccessDeniedError):
            await verifier.authorize(to.request(), [WRITE])
    assert to.asked == {"requests": 3}


# Away, broken, crowded


async def test_what_is_known_is_good_while_daypass_is_away_and_nothing_else(to: Bridge, verifier: Verifier) -> None:
    caller = await verifier.authorize(to.request(), [READ])
    to.away = True
    assert (await verifier.authorize(to.request(target="/notes/2"), [READ])).arn
    assert await reason_of(verifier.allowed(caller, [WRITE])) is Reason.DAYPASS_UNREACHABLE
    assert await reason_of(verifier.identify(to.request(to.asks.role))) is Reason.DAYPASS_UNREACHABLE
    to.asks.running.clock.advance(5)
    assert await reason_of(verifier.authorize(to.request(), [READ])) is Reason.DAYPASS_UNREACHABLE
    to.asks.running.clock.advance(285)
    assert await reason_of(verifier.identify(to.request())) is Reason.DAYPASS_UNREACHABLE
    to.away = False
    assert (await verifier.authorize(to.request(), [READ])).arn


ANSWERS = {
    "nothing": (200, b""),
    "no JSON": (200, b"<html>"),
    "another shape": (200, b"[]"),
    "no result": (200, b"{}"),
    "null": (200, b'{"result":null}'),
    "a result without an identity": (200, b'{"result":{"signing_key":"AA=="}}'),
    "an identity of another shape": (200, b'{"result":{"identity":"root"}}'),
    "allowed without decisions": (200, b'{"result":{"allowed":true,"cacheable_until":9999999999,"now":1}}'),
    "too few decisions": (200, b'{"result":{"decisions":[],"cacheable_until":9999999999,"now":1}}'),
    "another's decision": (
        200,
        b'{"result":{"decisions":[{"action":"notes:Write","resource":"*","allowed":true}],'
        b'"cacheable_until":9999999999,"now":1}}',
    ),
    "a decision that is a word": (
        200,
        b'{"result":{"decisions":[{"action":"notes:Write","resource":"arn:aws:notes:::1","allowed":"yes"}],'
        b'"cacheable_until":9999999999,"now":1}}',
    ),
    "a redirect": (302, b'{"result":{}}'),
    "a refusal of the service": (403, b'{"error":{"status":403,"code":"AccessDenied","reason":"not-authorized"}}'),
    "a failure": (500, b'{"error":{"status":500,"code":"InternalFailure","reason":"internal-failure"}}'),
    "a failure inside": (200, b'{"result":{"error":{"status":500,"reason":"internal-failure","message":""}}}'),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_not_as_expected_is_none(
    to: Bridge, verifier: Verifier, answer: tuple[int, bytes]
) -> None:
    caller = await verifier.identify(to.request())
    to.answer = answer
    with pytest.raises(UnavailableError):
        await verifier.allowed(caller, [WRITE])
    with pytest.raises(UnavailableError):
        await verifier.identify(to.request(to.asks.role))
    to.answer = None
    assert [one.allowed for one in await verifier.allowed(caller, [WRITE])] == [False]


@pytest.mark.parametrize(
    ("place", "member", "value"),
    [
        ("result", "region", "us-east-2"),
        ("result", "service", "s3"),
        ("result", "date", "20270114"),
        ("identity", "access_key_id", "AKIAQNZKJ3EXAMPLE999"),
    ],
)
async def test_a_key_for_another_caller_or_scope_is_not_taken(
    to: Bridge, verifier: Verifier, place: str, member: str, value: str
) -> None:
    answer = (await to.asks.key()).json
    (answer["result"] if place == "result" else answer["result"]["identity"])[member] = value
    to.answer = (200, json.dumps(answer).encode())
    with pytest.raises(UnavailableError):
        await verifier.identify(to.request())


async def test_a_service_that_may_not_ask_is_not_taken_for_its_caller(to: Bridge) -> None:
    async with Verifier(to.url, of_pair(to.asks.user), **to.settings) as verifier:
        with pytest.raises(UnavailableError, match="403"):
            await verifier.identify(to.request())


async def test_many_requests_of_one_caller_ask_once(to: Bridge, verifier: Verifier) -> None:
    to.free.clear()
    waiting = [asyncio.create_task(verifier.authorize(to.request(target=f"/notes/{n}"), [READ])) for n in range(30)]
    await to.came.wait()
    to.free.set()
    callers = await asyncio.gather(*waiting)
    assert {caller.arn for caller in callers} == {f"arn:aws:iam::{ACCOUNT}:user/ann"}
    assert to.asked == {"keys": 1, "decisions": 1}


async def test_forged_requests_do_not_keep_a_caller_waiting_or_let_anybody_in(to: Bridge, verifier: Verifier) -> None:
    good = to.request()
    to.free.clear()
    forged = [RawRequest("GET", b"/x%d" % n, b"", good.headers) for n in range(5)]
    tasks = [asyncio.create_task(verifier.identify(one)) for one in (*forged, good)]
    await to.came.wait()
    to.free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, AuthenticationError) for one in results[:-1])
    assert isinstance(results[-1], VerifiedCaller)
    assert to.asked["keys"] <= len(tasks)


async def test_threads_have_a_verifier_of_their_own(to: Bridge) -> None:
    with BlockingVerifier(to.url, to.credentials, **to.settings) as verifier:

        def work(number: int) -> str:
            request = to.request(target=f"/notes/{number}")
            caller = verifier.authorize(request, [READ])
            assert [one.allowed for one in verifier.allowed(caller, [READ, WRITE])] == [True, False]
            with pytest.raises(AccessDeniedError):
                verifier.authorize(request, [WRITE])
            with pytest.raises(AuthenticationError):
                verifier.identify(RawRequest("PUT", request.path, b"", request.headers))
            return caller.arn

        arns = await asyncio.gather(*[asyncio.to_thread(work, number) for number in range(20)])
        assert set(arns) == {f"arn:aws:iam::{ACCOUNT}:user/ann"}
        assert to.asked["keys"] == 1
        to.away = True
        to.asks.running.clock.advance(300)
        with pytest.raises(UnavailableError):
            await asyncio.to_thread(verifier.identify, to.request())


# How it is made


async def test_credentials_may_change_between_questions(to: Bridge) -> None:
    current = [of_pair(to.asks.user)]
    async with Verifier(to.url, lambda: current[0], **to.settings) as verifier:
        with pytest.raises(UnavailableError):
            await verifier.identify(to.request())
        current[0] = to.credentials
        assert (await verifier.identify(to.request())).arn


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://daypass.example.org", {}),
        ("ftp://127.0.0.1", {}),
        ("127.0.0.1:8450", {}),
        ("https://", {}),
        ("https://user:secret@daypass.example.org", {}),
        ("https://daypass.example.org/path", {}),
        ("https://daypass.example.org:0", {}),
        ("https://daypass.example.org:99999", {}),
        ("https://daypass.example.org", {"backend": "lake"}),
        ("https://daypass.example.org", {"account": None}),
    ],
)
def test_a_verifier_is_made_for_one_service_and_a_safe_address(url: str, more: dict[str, Any]) -> None:
    settings = {"service": "notes", "region": "us-east-1", "account": ACCOUNT, **more}
    for kind in (Verifier, BlockingVerifier):
        with pytest.raises(ConfigurationError):
            kind(url, Credentials("A", Secret("s")), **settings)


def test_plain_http_to_another_machine_must_be_asked_for() -> None:
    settings = {"service": "notes", "region": "us-east-1", "account": ACCOUNT}
    Verifier("http://10.0.0.1", Credentials("A", Secret("s")), **settings, unsafe_plain_http=True)


def test_nothing_secret_is_printed() -> None:
    assert "hush" not in repr(Credentials("A", Secret("hush"), Secret("hush")))


def test_what_is_remembered_is_bounded_and_ends_at_its_instant() -> None:
    kept: Remembered[int] = Remembered(2)
    kept.put("a", 1, 10.0)
    kept.put("b", 2, 10.0)
    assert kept.get("a", 9.9) == 1
    kept.put("c", 3, 10.0)
    assert (kept.get("b", 0.0), kept.get("a", 0.0), len(kept)) == (None, 1, 2)
    assert kept.get("a", 10.0) is None
    kept.put("n", 4, float("nan"))
    assert kept.get("n", 0.0) is None


def test_the_library_brings_nothing_of_the_server_with_it() -> None:
    program = (
        "import sys, daypass.verify; print([name for name in sys.modules if name.split('.')[0] in %r or name in %r])"
    )
    heavy = {"sqlalchemy", "pydantic", "lxml", "cryptography", "starlette", "botocore", "uvicorn"}
    rooms = {f"daypass.{room}" for room in ("server", "store", "policy", "access", "gateway", "iam", "sessions")}
    ran = subprocess.run([sys.executable, "-c", program % (heavy, rooms)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
