# SPDX-License-Identifier: Apache-2.0
"""
Providers that are away, slow or hostile: what their users hear, and how often we ask.

The service waits five seconds at most for a provider; the tests of waiting run side by side for that reason.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from daypass.clock import system_clock
from fakes.oidc_provider import DISCOVERY, Answer, b64
from journeys.background import Background, fake_provider
from journeys.refusals import refused
from journeys.roles import Issuer, register, role_arn
from journeys.wire import FORM
from running import Server

HOSTILE: dict[str, dict[str, Answer]] = {
    "discovery hangs": {DISCOVERY: Answer(hang=True)},
    "the keys hang": {"/jwks": Answer(hang=True)},
    "discovery drips": {DISCOVERY: Answer(body=b" " * 100_000, drip=True)},
    "discovery is not there": {DISCOVERY: Answer(status=404)},
    "the keys fail": {"/jwks": Answer(status=500)},
    "a redirect": {DISCOVERY: Answer(status=302, headers={"Location": "/elsewhere"})},
    "not JSON": {"/jwks": Answer(body=b"<html>")},
    "not HTTP": {DISCOVERY: Answer(raw=b"220 mail.example.org ESMTP\r\n")},
    "a key set of 5 MB": {"/jwks": Answer(body=b'{"keys": [' + b'{"kty": "EC"},' * 350_000 + b"{}]}")},
    "an endless list of keys": {"/jwks": Answer(body=b'{"keys": [' + b"[" * 200_000)},
    "closed without a word": {DISCOVERY: Answer(raw=b"")},
}


def test_whatever_a_provider_does_its_users_hear_that_it_cannot_be_asked(
    loop: Background, server: Server, iam: Any
) -> None:
    def attempt(case: str) -> tuple[str, tuple[str, int], int]:
        with fake_provider(loop) as fake:
            fake.answers.update(HOSTILE[case])
            issuer = register(iam, server.url, fake)
            heard = refused(issuer.assume, role=issuer.role())
            return case, heard, len(fake.fetches)

    with ThreadPoolExecutor(len(HOSTILE)) as pool:
        outcomes = list(pool.map(attempt, HOSTILE))
    assert {case: heard for case, heard, _ in outcomes} == dict.fromkeys(HOSTILE, ("IDPCommunicationError", 400))
    assert all(1 <= fetches <= 2 for _, _, fetches in outcomes), outcomes


def test_a_provider_that_is_down_is_an_outage_of_that_provider(loop: Background, server: Server, iam: Any) -> None:
    with fake_provider(loop) as fake:
        issuer = register(iam, server.url, fake)
        role = issuer.role()
    assert refused(issuer.assume, role=role) == ("IDPCommunicationError", 400)


def test_keys_that_are_known_are_good_for_the_time_of_an_outage(loop: Background, server: Server, iam: Any) -> None:
    with fake_provider(loop) as fake:
        issuer = register(iam, server.url, fake)
        role = issuer.role()
        assert issuer.assume(role)["Credentials"]
    assert issuer.assume(role)["Credentials"]


def test_while_one_provider_hangs_the_service_answers(own_issuer: Issuer, issuer: Issuer) -> None:
    own_issuer.fake.answers[DISCOVERY] = Answer(hang=True)
    waiting, ready = own_issuer.role(), issuer.role()
    thread = threading.Thread(target=refused, args=(own_issuer.assume,), kwargs={"role": waiting})
    thread.start()
    while not own_issuer.fake.fetches:
        assert thread.is_alive()
    answered = [issuer.assume(ready)["Credentials"] for _ in range(3)]
    assert len(answered) == 3
    assert thread.is_alive(), "the provider that hangs was given up on before the others were answered"
    thread.join()


STORM = 10_000
CONNECTIONS = 4


def test_ten_thousand_unknown_key_ids_cause_two_questions_at_most(own_issuer: Issuer) -> None:
    role = own_issuer.role()
    began = system_clock()

    def burst(number: int) -> set[bytes]:
        bodies = (_forged(own_issuer, role, f"{number}-{index}") for index in range(STORM // CONNECTIONS))
        return _post_all(own_issuer.url, bodies)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        codes = set[bytes]().union(*pool.map(burst, range(CONNECTIONS)))
    assert codes == {b"InvalidIdentityToken"}
    assert own_issuer.assume(role)["Credentials"], "the good key was forgotten"
    assert own_issuer.fake.fetches[:2] == [DISCOVERY, "/jwks"]
    # One more for each thirty seconds that this took, should the machine be as slow as that.
    assert len(own_issuer.fake.fetches) <= 2 + (system_clock() - began) // 30, own_issuer.fake.fetches


def _forged(issuer: Issuer, role: str, key_id: str) -> bytes:
    header = b64(json.dumps({"alg": "ES256", "kid": key_id}).encode())
    now = int(system_clock())
    payload = b64(json.dumps(issuer.fake.claims(iat=now, exp=now + 600)).encode())
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role_arn(role),
        "RoleSessionName": "session",
        "WebIdentityToken": f"{header}.{payload}.{b64(bytes(64))}",
    }
    return urlencode(form).encode()


def _post_all(url: str, bodies: Iterable[bytes]) -> set[bytes]:
    """Post each body over one connection; the error codes that came back."""
    host, _, port = url.removeprefix("http://").partition(":")
    codes: set[bytes] = set()
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile("rb") as answers:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in bodies:
            head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            length = 0
            while (line := answers.readline()) != b"\r\n":
                assert line, "the connection was closed"
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            codes.add(answers.read(length).partition(b"<Code>")[2].partition(b"</Code>")[0])
    return codes
