# SPDX-License-Identifier: Apache-2.0
"""The pipeline of the AWS door: what is refused, by which stage, and that nothing gets past one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daypass.access import Permitted
from daypass.api import AwsDoor
from daypass.api.operations import Operation, ProofOperation, SignedOperation
from daypass.api.resources import everything
from daypass.doorway import limits
from daypass.errors import Reason
from in_process import NOW, ROOT, Answer, Service, service, sign

FORM = (b"content-type", b"application/x-www-form-urlencoded")
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as running:
        yield running


async def test_the_root_key_says_who_it_is(door: Service) -> None:
    answer = await door.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.text("Arn")) == (200, "arn:aws:iam::123456789012:root")
    assert answer.headers[b"content-type"] == b"text/xml"
    assert answer.headers[b"x-amzn-requestid"].decode() == answer.text("RequestId")


@pytest.mark.parametrize(
    ("why", "method", "query", "headers", "body", "status", "code"),
    [
        ("no parameters", "POST", b"", [FORM], b"", 400, "MissingAction"),
        ("no action", "POST", b"", [FORM], b"Version=2011-06-15", 400, "MissingAction"),
        ("an empty action", "POST", b"", [FORM], b"Action=&Version=2011-06-15", 400, "MissingAction"),
        ("no version", "POST", b"", [FORM], b"Action=GetCallerIdentity", 400, "InvalidAction"),
        ("an unknown version", "POST", b"", [FORM], b"Action=GetCallerIdentity&Version=1", 400, "InvalidAction"),
        ("an unknown action", "POST", b"", [FORM], b"Action=Nope&Version=2011-06-15", 400, "InvalidAction"),
        (
            "an action of the other service",
            "POST",
            b"",
            [FORM],
            b"Action=GetRole&Version=2011-06-15",
            400,
            "InvalidAction",
        ),
        ("two actions", "POST", b"", [FORM], WHO + b"&Action=GetRole", 400, "InvalidParameterCombination"),
        (
            "not offered",
            "POST",
            b"",
            [FORM],
            b"Action=ListOrganizationsFeatures&Version=2010-05-08",
            501,
            "NotImplemented",
        ),
        ("no content type", "POST", b"", [], WHO, 400, "MalformedQueryString"),
        ("two content types", "POST", b"", [FORM, FORM], WHO, 400, "MalformedQueryString"),
        ("JSON", "POST", b"", [(b"content-type", b"application/json")], b"{}", 400, "MalformedQueryString"),
        ("parameters in two places", "POST", b"Action=GetRole", [FORM], WHO, 400, "MalformedQueryString"),
        ("a GET with a body", "GET", WHO, [], b"x", 400, "MalformedQueryString"),
        ("IAM by GET", "GET", b"Action=ListRoles&Version=2010-05-08", [], b"", 400, "MalformedQueryString"),
        ("another method", "PUT", WHO, [FORM], b"", 400, "MalformedQueryString"),
        ("unsigned, by POST", "POST", b"", [FORM], WHO, 403, "MissingAuthenticationToken"),
        ("unsigned, by GET", "GET", WHO, [], b"", 403, "MissingAuthenticationToken"),
        ("a header too many", "POST", b"", [FORM, *[(b"x", b"y")] * limits.HEADERS], WHO, 413, "RequestEntityTooLarge"),
        ("a header too long", "POST", b"", [(b"x", b"y" * limits.HEADER_BYTES)], WHO, 413, "RequestEntityTooLarge"),
        ("a query too long", "GET", b"x" * (limits.QUERY_BYTES + 1), [], b"", 413, "RequestEntityTooLarge"),
    ],
)
async def test_what_cannot_be_read_or_is_not_signed_is_refused(
    door: Service, why: str, method: str, query: bytes, headers: Any, body: bytes, status: int, code: str
) -> None:
    answer = await door.send(method, query, headers, body)
    assert (answer.status, answer.code) == (status, code), why


@pytest.mark.parametrize("chunk", [1 << 30, 65_536])
async def test_a_body_is_read_up_to_the_limit_and_no_further(door: Service, chunk: int) -> None:
    door.chunk = chunk
    too_long = await door.send(headers=[FORM], body=b"x" * (limits.BODY_BYTES + 1))
    assert (too_long.status, too_long.code) == (413, "RequestEntityTooLarge")
    assert too_long.headers[b"connection"] == b"close"


async def test_a_body_in_chunks_is_refused_for_the_trailers_it_may_have(door: Service) -> None:
    answer = await door.send(headers=[FORM, (b"transfer-encoding", b"chunked")], body=WHO)
    assert (answer.status, answer.code) == (411, "MissingContentLength")


async def test_a_body_that_is_held_back_holds_no_instant_back(door: Service) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "daypass.test"}
    request = AWSRequest(method="POST", url="http://daypass.test/", data=WHO, headers=headers)
    sign(request, ROOT, "sts", NOW)
    raw = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    assert (await door.send(headers=raw, body=WHO)).status == 200
    door.before_body = lambda: door.clock.advance(901)
    assert (await door.send(headers=raw, body=WHO)).code == "SignatureDoesNotMatch"


async def test_a_request_that_ends_early_is_not_answered(door: Service) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"method": "POST", "raw_path": b"/", "query_string": b"", "headers": [FORM], "scheme": "http"}
    await door.app.door(scope, receive, send)
    assert sent == []


class Log:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def refused(self, *, request_id: str, operation: str | None, reason: Reason, code: str) -> None:
        self.lines.append((reason.value, code))

    def failed(self, *, request_id: str, operation: str | None, error: Exception) -> None:
        self.lines.append(("failed", type(error).__name__))


async def ask(running: Service, operation: Operation, body: bytes) -> tuple[Answer, Log]:
    """One unsigned request to a door with one operation."""
    log = Log()
    door = AwsDoor(
        {(operation.service, operation.name): operation},
        authenticator=running.app.door._authenticator,
        factors=running.app.door._factors,
        sessions=running.app.door._sessions,
        store=running.app.store,
        clock=running.clock,
        log=log,
        usage=running.app.usage,
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"method": "POST", "raw_path": b"/", "query_string": b"", "headers": [FORM], "scheme": "http"}
    await door(scope, receive, send)
    return Answer(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]), log


async def test_an_error_of_ours_is_a_500_an_alarm_and_says_nothing(door: Service) -> None:
    async def broken(*_: object) -> Mapping[str, object]:
        raise ValueError("hunter2")

    operation = ProofOperation("sts", "AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", broken)
    body = (
        b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=web&WebIdentityToken=abcd"
        b"&RoleArn=arn:aws:iam::123456789012:role/x"
    )
    answer, log = await ask(door, operation, body)
    assert (answer.status, answer.code) == (500, "InternalFailure")
    assert b"hunter2" not in answer.body
    assert log.lines == [("failed", "ValueError")]


async def test_a_result_that_is_not_the_models_is_a_500_not_an_answer(door: Service) -> None:
    async def made_up(*_: object) -> Mapping[str, object]:
        return {"Nope": "1"}

    operation = ProofOperation("sts", "GetCallerIdentity", "sts:GetCallerIdentity", made_up)
    answer, log = await ask(door, operation, WHO)
    assert answer.status == 500
    assert log.lines == [("failed", "TypeError")]


async def test_a_signed_operation_does_not_reach_its_handler_unsigned(door: Service) -> None:
    reached: list[object] = []

    async def handler(permitted: Permitted, parameters: Mapping[str, object]) -> Mapping[str, object]:
        reached.append(permitted)
        return {}

    operation = SignedOperation("sts", "GetCallerIdentity", "sts:GetCallerIdentity", everything, handler, lambda _: {})
    answer, _ = await ask(door, operation, WHO)
    assert (answer.status, reached) == (403, [])


def test_no_operation_is_in_the_table_twice() -> None:
    from daypass.api.table import IAM_ROWS

    assert len({row.name for row in IAM_ROWS}) == len(IAM_ROWS)


async def test_every_signed_operation_is_refused_unsigned(door: Service) -> None:
    signed = [row for row in door.app.door._operations.values() if isinstance(row, SignedOperation)]
    assert len(signed) >= 25
    for row in signed:
        assert row.action == f"{row.service}:{row.name}"
        answer = await door.call(row.service, row.name, None)
        assert answer.code == "MissingAuthenticationToken", row.name


async def test_a_key_that_is_not_known_and_a_wrong_secret_are_refused_as_aws_does(door: Service) -> None:
    wrong = await door.call("sts", "GetCallerIdentity", Credentials(ROOT.access_key, "wrong"))
    unknown = await door.call("sts", "GetCallerIdentity", Credentials("AKIAQNZKJ3EXAMPLE235", "wrong"))
    without_token = await door.call("sts", "GetCallerIdentity", Credentials("ASIAQNZKJ3EXAMPLE235", "wrong"))
    with_token = await door.call(
        "sts", "GetCallerIdentity", Credentials(ROOT.access_key, str(ROOT.secret_key), "token")
    )
    codes = [answer.code for answer in (wrong, unknown, without_token, with_token)]
    assert codes == ["SignatureDoesNotMatch", *["InvalidClientTokenId"] * 3]


async def test_the_signature_is_good_for_fifteen_minutes_to_the_second(door: Service) -> None:
    for skew, status in ((0, 200), (900, 200), (901, 403), (-900, 200), (-901, 403)):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "daypass.test"}
        request = AWSRequest(method="POST", url="http://daypass.test/", data=WHO, headers=headers)
        sign(request, ROOT, "sts", NOW + skew)
        raw = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        assert (await door.send(headers=raw, body=WHO)).status == status, skew


async def test_signing_for_one_service_does_not_open_the_other(door: Service) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "daypass.test"}
    request = AWSRequest(method="POST", url="http://daypass.test/", data=WHO, headers=headers)
    sign(request, ROOT, "iam", NOW)
    raw = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    assert (await door.send(headers=raw, body=WHO)).code == "SignatureDoesNotMatch"
