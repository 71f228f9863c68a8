# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4 over the wire: what gets in, and the code with which everything else does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from daypass.clock import system_clock
from daypass.credentials import new_access_key_id
from journeys.roles import ACCOUNT, Issuer
from journeys.wire import Call, Outgoing, client_clock, get_caller_identity, other_signature
from running import Keys, Server

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture(scope="module")
def session(issuer: Issuer) -> Keys:
    return issuer.session(issuer.role())


@pytest.fixture(scope="module")
def other_session(issuer: Issuer) -> Keys:
    return issuer.session(issuer.role())


def with_header(outgoing: Outgoing, name: str, value: str) -> Outgoing:
    return replace(outgoing, headers={**outgoing.headers, name: value})


def without_header(outgoing: Outgoing, name: str) -> Outgoing:
    return replace(outgoing, headers={key: value for key, value in outgoing.headers.items() if key != name})


def test_any_region_will_do(server: Server, root: Keys) -> None:
    for region in ("us-east-1", "eu-central-1", "aws-global", "mars-north-1"):
        assert get_caller_identity(server.url, region=region).signed(root).send().text("Arn") == ROOT_ARN


def test_a_header_that_the_client_adds_is_signed_with_the_rest(server: Server, root: Keys) -> None:
    call = get_caller_identity(server.url, headers={"X-Vault-AWS-IAM-Server-ID": "vault.example.org"})
    outgoing = call.signed(root)
    assert outgoing.send().text("Arn") == ROOT_ARN
    altered = with_header(outgoing, "X-Vault-AWS-IAM-Server-ID", "other.example.org")
    assert altered.send().refusal == (403, "SignatureDoesNotMatch")


def test_a_presigned_url_says_who_made_it_to_whoever_has_it(server: Server, root: Keys, session: Keys) -> None:
    for keys in (root, session):
        answer = get_caller_identity(server.url).presigned(keys).send()
        assert answer.status == 200
        assert answer.text("Account") == ACCOUNT


def test_a_presigned_url_that_names_an_audience_is_good_with_that_header_only(server: Server, root: Keys) -> None:
    outgoing = get_caller_identity(server.url, headers={"X-K8s-Aws-Id": "cluster"}).presigned(root)
    assert outgoing.send().text("Arn") == ROOT_ARN
    assert with_header(outgoing, "X-K8s-Aws-Id", "other").send().refusal == (403, "SignatureDoesNotMatch")
    assert without_header(outgoing, "X-K8s-Aws-Id").send().status == 403


def test_a_presigned_url_is_good_for_as_long_as_it_says(server: Server, root: Keys) -> None:
    now = system_clock()
    with client_clock(now - 50):
        assert get_caller_identity(server.url).presigned(root, expires=60).send().status == 200
    with client_clock(now - 62):
        assert get_caller_identity(server.url).presigned(root, expires=60).send().refusal == (400, "RequestExpired")


@pytest.mark.parametrize(("seconds", "accepted"), [(-880, True), (-920, False), (880, True), (920, False)])
def test_a_clock_may_be_wrong_by_a_quarter_of_an_hour(server: Server, root: Keys, seconds: int, accepted: bool) -> None:
    with client_clock(system_clock() + seconds):
        answer = get_caller_identity(server.url).signed(root).send()
    assert answer.refusal == ((200, None) if accepted else (403, "SignatureDoesNotMatch"))


Alter = Callable[[Call, Keys], Outgoing]


def _changed(change: Callable[[Outgoing], Outgoing]) -> Alter:
    return lambda call, keys: change(call.signed(keys))


def _another_second(timestamp: str) -> str:
    return f"{timestamp[:-3]}{'01' if timestamp.endswith('00Z') else '00'}Z"


ALTERED: dict[str, tuple[tuple[int, str], Alter]] = {
    "no signature": ((403, "MissingAuthenticationToken"), lambda call, _: call.unsigned()),
    "wrong secret": (
        (403, "SignatureDoesNotMatch"),
        lambda call, keys: call.signed(replace(keys, secret_access_key="0" * 40)),
    ),
    "unknown access key": (
        (403, "InvalidClientTokenId"),
        lambda call, keys: call.signed(replace(keys, access_key_id=new_access_key_id("AKIA", ACCOUNT))),
    ),
    "access key of another kind": (
        (403, "InvalidClientTokenId"),
        lambda call, keys: call.signed(replace(keys, access_key_id="AIDA" + keys.access_key_id[4:])),
    ),
    "empty Authorization": (
        (400, "IncompleteSignature"),
        _changed(lambda outgoing: with_header(outgoing, "Authorization", "")),
    ),
    "another scheme": (
        (400, "IncompleteSignature"),
        _changed(lambda outgoing: with_header(outgoing, "Authorization", "Bearer abc")),
    ),
    "another signature": (
        (403, "SignatureDoesNotMatch"),
        _changed(
            lambda outgoing: with_header(outgoing, "Authorization", other_signature(outgoing.headers["Authorization"]))
        ),
    ),
    "another body": (
        (403, "SignatureDoesNotMatch"),
        _changed(lambda outgoing: replace(outgoing, body=outgoing.body + b"&Extra=1")),
    ),
    "another date": (
        (403, "SignatureDoesNotMatch"),
        _changed(lambda outgoing: with_header(outgoing, "X-Amz-Date", _another_second(outgoing.headers["X-Amz-Date"]))),
    ),
    "another host": (
        (403, "SignatureDoesNotMatch"),
        _changed(lambda outgoing: with_header(outgoing, "Host", "sts.example.org")),
    ),
    "another service in the scope": (
        (403, "SignatureDoesNotMatch"),
        lambda call, keys: call.signed(keys, service="s3"),
    ),
    "an x-amz header that is not signed": (
        (403, "SignatureDoesNotMatch"),
        _changed(lambda outgoing: with_header(outgoing, "X-Amz-Extra", "1")),
    ),
    "a session token that is not ours, added": (
        (403, "InvalidClientTokenId"),
        lambda call, keys: call.signed(replace(keys, session_token="AAAA")),
    ),
}


@pytest.mark.parametrize("case", ALTERED)
def test_a_request_that_is_not_as_it_was_signed_is_refused(server: Server, root: Keys, case: str) -> None:
    expected, alter = ALTERED[case]
    assert alter(get_caller_identity(server.url), root).send().refusal == expected


def test_two_credentials_are_refused_even_when_both_are_good(server: Server, root: Keys) -> None:
    call = get_caller_identity(server.url)
    both = replace(call.presigned(root), headers={**call.signed(root).headers})
    assert both.send().refusal == (400, "IncompleteSignature")


def test_a_presigned_url_is_refused_when_its_query_was_altered(server: Server, root: Keys) -> None:
    good = get_caller_identity(server.url).presigned(root)
    for altered in (
        other_signature(good.target),
        good.target.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        good.target + "&Extra=1",
    ):
        assert replace(good, target=altered).send().refusal == (403, "SignatureDoesNotMatch")


SESSIONS: dict[str, tuple[tuple[int, str], Callable[[Keys, Keys], Keys]]] = {
    "without its token": ((403, "InvalidClientTokenId"), lambda mine, _: replace(mine, session_token=None)),
    "with another session's token": (
        (403, "InvalidClientTokenId"),
        lambda mine, other: replace(mine, session_token=other.session_token),
    ),
    "with another session's access key": (
        (403, "InvalidClientTokenId"),
        lambda mine, other: replace(mine, access_key_id=other.access_key_id),
    ),
    "with another session's secret": (
        (403, "SignatureDoesNotMatch"),
        lambda mine, other: replace(mine, secret_access_key=other.secret_access_key),
    ),
    "with its token cut short": (
        (403, "InvalidClientTokenId"),
        lambda mine, _: replace(mine, session_token=(mine.session_token or "")[:-1]),
    ),
    "with a token of nonsense": ((403, "InvalidClientTokenId"), lambda mine, _: replace(mine, session_token="x" * 400)),
}


@pytest.mark.parametrize("case", SESSIONS)
def test_the_three_parts_of_temporary_credentials_work_together_or_not_at_all(
    server: Server, session: Keys, other_session: Keys, case: str
) -> None:
    expected, mix = SESSIONS[case]
    call = get_caller_identity(server.url)
    assert call.signed(session).send().status == 200
    assert call.signed(mix(session, other_session)).send().refusal == expected


def test_a_session_token_that_was_not_signed_is_refused(server: Server, session: Keys) -> None:
    bare = get_caller_identity(server.url).signed(replace(session, session_token=None))
    added = with_header(bare, "X-Amz-Security-Token", session.session_token or "")
    assert added.send().refusal == (403, "SignatureDoesNotMatch")
    presigned = get_caller_identity(server.url).presigned(replace(session, session_token=None))
    token = quote(session.session_token or "", safe="")
    added = replace(presigned, target=f"{presigned.target}&X-Amz-Security-Token={token}")
    assert added.send().refusal == (403, "SignatureDoesNotMatch")


def test_an_unknown_key_and_a_token_that_is_not_ours_are_refused_in_the_same_words(
    server: Server, root: Keys, session: Keys
) -> None:
    call = get_caller_identity(server.url)
    unknown = call.signed(replace(root, access_key_id=new_access_key_id("AKIA", ACCOUNT))).send()
    not_ours = call.signed(replace(session, session_token="x" * 400)).send()
    said = {(answer.status, answer.code, answer.text("Message")) for answer in (unknown, not_ours)}
    assert said == {(403, "InvalidClientTokenId", "The security token included in the request is invalid.")}
