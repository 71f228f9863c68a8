# SPDX-License-Identifier: Apache-2.0
"""The Query protocol at its edges, over raw HTTP: what is no request of it is refused, and with which code."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from journeys.roles import ACCOUNT, Issuer, document, role_arn, statement, trusting, unique
from journeys.wire import FORM, Call, Outgoing, get_caller_identity
from running import Keys, Server


def posted(url: str, body: str | bytes, content_type: str | None = FORM) -> Outgoing:
    data = body.encode() if isinstance(body, str) else body
    return Outgoing(url, "POST", "/", {} if content_type is None else {"Content-Type": content_type}, data)


GOOD = "Action=GetCallerIdentity&Version=2011-06-15"
IAM_GET = urlencode({"Action": "ListRoles", "Version": "2010-05-08"})

REFUSED: dict[str, tuple[tuple[int, str], Callable[[str], Outgoing]]] = {
    "nothing at all": ((400, "MissingAction"), lambda url: posted(url, b"")),
    "no action": ((400, "MissingAction"), lambda url: posted(url, "Version=2011-06-15")),
    "empty action": ((400, "MissingAction"), lambda url: posted(url, "Action=&Version=2011-06-15")),
    "no version": ((400, "InvalidAction"), lambda url: posted(url, "Action=GetCallerIdentity")),
    "unknown action": ((400, "InvalidAction"), lambda url: posted(url, "Action=GetEverything&Version=2011-06-15")),
    "action in lower case": ((400, "InvalidAction"), lambda url: posted(url, GOOD.replace("Get", "get"))),
    "action of another service": (
        (400, "InvalidAction"),
        lambda url: posted(url, GOOD.replace("2011-06-15", "2010-05-08")),
    ),
    "unknown version": ((400, "InvalidAction"), lambda url: posted(url, GOOD.replace("2011", "2012"))),
    "two actions": ((400, "InvalidParameterCombination"), lambda url: posted(url, GOOD + "&Action=AssumeRole")),
    "an action that is to come": (
        (501, "NotImplemented"),
        lambda url: posted(url, "Action=ListOrganizationsFeatures&Version=2010-05-08"),
    ),
    "JSON": (
        (400, "MalformedQueryString"),
        lambda url: posted(url, json.dumps({"Action": "GetCallerIdentity"}), "application/json"),
    ),
    "no content type": ((400, "MalformedQueryString"), lambda url: posted(url, GOOD, None)),
    "multipart": ((400, "MalformedQueryString"), lambda url: posted(url, GOOD, "multipart/form-data")),
    "text that is not UTF-8": ((400, "MalformedQueryString"), lambda url: posted(url, b"Action=%FF%FE")),
    "a broken escape": ((400, "MalformedQueryString"), lambda url: posted(url, "Action=%4")),
    "parameters in the body and the query": (
        (400, "MalformedQueryString"),
        lambda url: replace(posted(url, GOOD), target="/?Action=AssumeRole"),
    ),
    "IAM over GET": ((400, "MalformedQueryString"), lambda url: Outgoing(url, "GET", f"/?{IAM_GET}", {})),
    "PUT": ((400, "MalformedQueryString"), lambda url: replace(posted(url, GOOD), method="PUT")),
    "GET with a body": (
        (400, "MalformedQueryString"),
        lambda url: replace(posted(url, GOOD), method="GET", target=f"/?{GOOD}"),
    ),
    "a body of 2 MB": ((413, "RequestEntityTooLarge"), lambda url: posted(url, "Action=" + "x" * 2_000_000)),
    "two thousand and one parameters": (
        (413, "RequestEntityTooLarge"),
        lambda url: posted(url, "&".join(f"p{number}=1" for number in range(2001))),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_request_is_refused(server: Server, case: str) -> None:
    expected, make = REFUSED[case]
    assert make(server.url).send().refusal == expected


def test_a_parameter_that_the_operation_does_not_have_is_refused(server: Server, root: Keys) -> None:
    call = Call(server.url, "iam", "GetRole", {"RoleName": "nobody", "Rolename": "somebody"})
    assert call.signed(root).send().refusal == (400, "InvalidQueryParameter")


def test_iam_over_get_is_refused_even_when_it_is_signed(server: Server, root: Keys) -> None:
    assert Call(server.url, "iam", "ListRoles").presigned(root).send().refusal == (400, "MalformedQueryString")


def test_a_content_type_may_name_its_character_set(server: Server, root: Keys) -> None:
    call = get_caller_identity(server.url, headers={"Content-Type": f"{FORM}; charset=utf-8"})
    assert call.signed(root).send().text("Account") == ACCOUNT


def test_only_the_root_path_is_the_door(server: Server, root: Keys) -> None:
    good = get_caller_identity(server.url).signed(root)
    for target in ("/sts", "//", "/.", "/%2e", "/index.html"):
        answer = replace(good, target=target).send()
        assert answer.status == 404
        assert ACCOUNT.encode() not in answer.body


def test_every_answer_has_its_number_in_the_body_and_the_header(server: Server, root: Keys) -> None:
    call = get_caller_identity(server.url)
    answers = [call.signed(root).send(), call.unsigned().send()]
    numbers = {answer.text("RequestId") for answer in answers}
    assert numbers == {answer.headers["x-amzn-requestid"] for answer in answers}
    assert len(numbers) == 2


def test_what_a_caller_writes_comes_back_as_text_and_not_as_markup(server: Server, root: Keys) -> None:
    name = unique("role")
    description = "<b>&amp;</b> \"'"
    iam = server.client("iam", root)
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trusting("https://idp.example.org"), Description=description
    )
    assert iam.get_role(RoleName=name)["Role"]["Description"] == description


def head(outgoing: Outgoing, *more: str) -> bytes:
    """The head of a request as bytes, with lines that no client library would write."""
    lines = [f"{outgoing.method} {outgoing.target} HTTP/1.1", f"Host: {outgoing.url.removeprefix('http://')}"]
    lines += [f"{name}: {value}" for name, value in outgoing.headers.items()]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def first_answer(url: str, sent: bytes) -> tuple[int, bytes]:
    """The status of the answer to these bytes, and everything that came until the server closed or fell silent."""
    host, _, port = url.removeprefix("http://").partition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            received += part
    return int(received.split(b" ", 2)[1]), received


def test_a_body_in_chunks_is_refused_for_the_trailers_it_may_have(server: Server, root: Keys) -> None:
    good = get_caller_identity(server.url).signed(root)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (good.body[:7], good.body[7:], b""))
    assert first_answer(server.url, head(good, "Transfer-Encoding: chunked") + chunks)[0] == 411


SMUGGLED: dict[str, tuple[str, ...]] = {
    "a length and chunks": ("Content-Length: 43", "Transfer-Encoding: chunked"),
    "two lengths": ("Content-Length: 43", "Content-Length: 42"),
    "a negative length": ("Content-Length: -1",),
    "an unknown encoding": ("Transfer-Encoding: chunked, identity", "Content-Length: 43"),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_a_body_of_two_lengths_is_refused_and_nothing_after_it_is_read(server: Server, root: Keys, case: str) -> None:
    good = get_caller_identity(server.url).signed(root)
    second = head(good, f"Content-Length: {len(good.body)}") + good.body
    status, received = first_answer(server.url, head(good, *SMUGGLED[case]) + good.body + second)
    assert status == 400
    assert received.count(b"HTTP/1.1 ") == 1
    assert ACCOUNT.encode() not in received


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "Host", "Content-Type"])
def test_a_header_that_counts_may_come_once(server: Server, root: Keys, name: str) -> None:
    good = get_caller_identity(server.url).signed(root)
    value = good.headers.get(name, server.url.removeprefix("http://"))
    lines = (f"{name}: {value}", f"Content-Length: {len(good.body)}", "Connection: close")
    status, received = first_answer(server.url, head(good, *lines) + good.body)
    assert status in (400, 403)
    assert ACCOUNT.encode() not in received


def test_a_request_with_a_hundred_and_one_headers_is_refused(server: Server, root: Keys) -> None:
    good = get_caller_identity(server.url).signed(root)
    many = [f"X-{number}: 1" for number in range(101 - len(good.headers))]
    status, _ = first_answer(server.url, head(good, *many, f"Content-Length: {len(good.body)}") + good.body)
    assert status == 413


def test_a_token_may_come_in_the_query_of_a_get(issuer: Issuer) -> None:
    role = issuer.role()
    given = {"RoleArn": role_arn(role), "RoleSessionName": "session", "WebIdentityToken": issuer.token()}
    form = Call(issuer.url, "sts", "AssumeRoleWithWebIdentity", given).form
    answer = Outgoing(issuer.url, "GET", f"/?{urlencode(form)}", {}).send()
    assert answer.text("SubjectFromWebIdentityToken") == "alice"


def test_who_says_where_they_come_from_is_not_believed(server: Server, issuer: Issuer) -> None:
    inside = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}
    roles = [issuer.role(document(statement("Allow", "iam:ListRoles", Condition=where))) for where in (inside, here)]
    claim = {"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
    calls = [Call(server.url, "iam", "ListRoles", headers=claim).signed(issuer.session(role)) for role in roles]
    assert [call.send().status for call in calls] == [403, 200]
