# SPDX-License-Identifier: Apache-2.0
"""
Sessions are ended, and keys rotated, by commands beside a server with two workers: both follow at their next request.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from journeys.background import Background, fake_provider
from journeys.roles import Issuer, provider_arn, register
from journeys.wire import get_caller_identity
from journeys.workers import ask, only, session, wait_until_ready
from running import Keys, Server, running_server


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pair"), workers=2, allow_loopback_http=True) as server:
        wait_until_ready(server)
        yield server
        assert server.alarms() == []


@pytest.fixture(scope="module")
def issuer(loop: Background, pair: Server) -> Iterator[Issuer]:
    with fake_provider(loop) as fake:
        yield register(pair.client("iam", pair.root()), pair.url, fake)


def daypass(server: Server, *arguments: str) -> Any:
    """A command on the server's store, in a process of its own; the JSON that it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYPASS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "daypass", *arguments, "--json", "--data-dir", str(server.data_dir)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def who(server: Server, keys: Keys) -> list[tuple[int, str | None]]:
    """What each worker answers to the session, over a connection of its own."""
    answers = []
    for worker in server.workers():
        with only(server, worker):
            answer = get_caller_identity(server.url).signed(keys).send()
        answers.append((answer.status, None if answer.status == 200 else answer.code))
    return answers


GOOD = [(200, None)] * 2
ENDED = [(403, "InvalidClientTokenId")] * 2


def sealed_by(keys: Keys) -> str:
    """The id of the key that sealed a session."""
    return base64.b64decode(str(keys.session_token))[2:6].hex()


def test_a_session_that_is_revoked_is_refused_by_every_worker_at_once(pair: Server, issuer: Issuer) -> None:
    first, second = pair.workers()
    role = issuer.role()
    of_first, of_second = (session(pair, worker, issuer, role) for worker in (first, second))
    assert [who(pair, keys) for keys in (of_first, of_second)] == [GOOD, GOOD]
    daypass(pair, "sessions", "revoke", "--session", of_first.access_key_id)
    assert [who(pair, keys) for keys in (of_first, of_second)] == [ENDED, GOOD]
    daypass(pair, "sessions", "revoke", "--role", role)
    assert who(pair, of_second) == ENDED


def test_the_sessions_of_a_subject_are_revoked_and_a_new_one_is_good(pair: Server, issuer: Issuer) -> None:
    worker = pair.workers()[0]
    role = issuer.role()
    keys = session(pair, worker, issuer, role)
    assert who(pair, keys) == GOOD
    subject = ("--provider", provider_arn(issuer.fake.issuer), "--subject", "alice")
    done = daypass(pair, "sessions", "revoke", *subject)
    assert who(pair, keys) == ENDED
    assert [one["scope"] for one in done["revoked"]] == ["subject"]
    until = int(time.time()) + 1  # a revocation is of whole seconds, and ends what is issued in the same one
    while time.time() < until:
        time.sleep(0.05)
    assert who(pair, session(pair, worker, issuer, role)) == GOOD


def test_a_rotation_is_seen_by_both_workers_and_ends_no_session(pair: Server, issuer: Issuer) -> None:
    first, second = pair.workers()
    role = issuer.role()
    old = session(pair, first, issuer, role)
    assert who(pair, old) == GOOD
    made = daypass(pair, "keys", "rotate", "--after", "0")["seals"]["key"]
    assert sealed_by(old) != made
    for worker in (first, second):
        new = session(pair, worker, issuer, role)
        assert sealed_by(new) == made
        assert who(pair, new) == GOOD
    assert who(pair, old) == GOOD


def test_a_key_that_waits_seals_when_its_time_has_come_in_both_workers(pair: Server, issuer: Issuer) -> None:
    role = issuer.role()
    made = daypass(pair, "keys", "rotate", "--after", "2")["seals"]["key"]
    sealed: list[set[str]] = []
    deadline = time.monotonic() + 30
    while not sealed or sealed[-1] != {made}:
        assert time.monotonic() < deadline
        keys = [session(pair, worker, issuer, role) for worker in pair.workers()]
        assert [who(pair, one) for one in keys] == [GOOD, GOOD], "in every moment of the change"
        sealed.append({sealed_by(one) for one in keys})
        time.sleep(0.1)


def test_an_emergency_ends_every_session_of_the_key_in_both_workers(pair: Server, issuer: Issuer) -> None:
    first, second = pair.workers()
    role = issuer.role()
    daypass(pair, "keys", "rotate", "--after", "0")
    keys = [session(pair, worker, issuer, role) for worker in (first, second)]
    assert [who(pair, one) for one in keys] == [GOOD, GOOD]
    daypass(pair, "keys", "retire", sealed_by(keys[0]), "--emergency")
    assert [who(pair, one) for one in keys] == [ENDED, ENDED]
    for worker in (first, second):
        assert who(pair, session(pair, worker, issuer, role)) == GOOD


def test_a_provider_that_is_registered_anew_lets_no_older_session_back_in(loop: Background, pair: Server) -> None:
    worker = pair.workers()[0]
    iam = pair.client("iam", pair.root())
    with fake_provider(loop) as fake:
        issuer = register(iam, pair.url, fake)
        keys = session(pair, worker, issuer, issuer.role())
        assert who(pair, keys) == GOOD
        arn = provider_arn(fake.issuer)
        assert ask(pair, worker, "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn).status == 200
        assert who(pair, keys) == ENDED
        until = int(time.time()) + 1  # registrations and sessions are dated by the second
        while time.time() < until:
            time.sleep(0.05)
        register(iam, pair.url, fake)
        assert who(pair, keys) == ENDED
