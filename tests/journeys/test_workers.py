# SPDX-License-Identifier: Apache-2.0
"""
Two workers: what one has written the other knows, at once, and whoever answers decides alike (``journeys.workers``).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from journeys.background import Background, fake_provider
from journeys.roles import ACCOUNT, CLIENT, Issuer, allow, register, role_arn, trusting, unique
from journeys.wire import Call, get_caller_identity
from journeys.workers import ask, ask_as, only, session, wait_until_ready
from running import Keys, Server, running_server

TRUST = trusting("https://idp.example.org")
ROUNDS = 10


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pair"), workers=2, allow_loopback_http=True) as server:
        wait_until_ready(server)
        yield server
        assert server.alarms() == []


@pytest.fixture(scope="module")
def pair_issuer(loop: Background, pair: Server) -> Iterator[Issuer]:
    with fake_provider(loop) as fake:
        yield register(pair.client("iam", pair.root()), pair.url, fake)


def test_there_are_two_workers(pair: Server) -> None:
    assert len(set(pair.workers())) == 2


def test_what_one_worker_acknowledged_the_other_one_shows(pair: Server) -> None:
    first, second = pair.workers()
    for _ in range(ROUNDS):
        name = unique("role")
        for writer, reader in ((first, second), (second, first)):
            made = ask(pair, writer, "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
            assert made.status == 200
            shown = ask(pair, reader, "GetRole", RoleName=name)
            assert shown.text("RoleId") == made.text("RoleId")
            assert ask(pair, reader, "DeleteRole", RoleName=name).status == 200
            assert ask(pair, writer, "GetRole", RoleName=name).refusal == (404, "NoSuchEntity")


def test_a_permission_that_one_worker_took_away_is_gone_in_the_other(pair: Server, pair_issuer: Issuer) -> None:
    first, second = pair.workers()
    role = pair_issuer.role()
    policy = {"RoleName": role, "PolicyName": "main"}
    keys = session(pair, first, pair_issuer, role)
    for _ in range(ROUNDS):
        assert ask_as(keys, pair, second, "ListRoles").refusal == (403, "AccessDenied")
        assert ask(pair, first, "PutRolePolicy", **policy, PolicyDocument=allow("iam:ListRoles")).status == 200
        assert ask_as(keys, pair, second, "ListRoles").status == 200
        assert ask(pair, first, "DeleteRolePolicy", **policy).status == 200


def test_a_session_of_one_worker_is_a_session_of_the_other_and_ends_in_both(pair: Server, pair_issuer: Issuer) -> None:
    first, second = pair.workers()
    role = pair_issuer.role()
    keys = session(pair, first, pair_issuer, role)
    for worker in (first, second):
        with only(pair, worker):
            answer = get_caller_identity(pair.url).signed(keys).send()
        assert answer.text("Arn") == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    assert ask(pair, second, "DeleteRole", RoleName=role).status == 200
    for worker in (first, second):
        with only(pair, worker):
            assert get_caller_identity(pair.url).signed(keys).send().refusal == (403, "InvalidClientTokenId")


def test_a_provider_that_one_worker_registered_is_trusted_by_the_other(loop: Background, pair: Server) -> None:
    first, second = pair.workers()
    with fake_provider(loop) as fake:
        fake.add_key("ES256")
        issuer = Issuer(fake, pair.url, pair.client("iam", pair.root()))
        role = issuer.role()
        made = {"Url": fake.issuer, "ClientIDList.member.1": CLIENT}
        assert ask(pair, first, "CreateOpenIDConnectProvider", **made).status == 200
        assert session(pair, second, issuer, role).access_key_id.startswith("ASIA")


def test_writers_in_both_workers_lose_nothing(pair: Server) -> None:
    name = unique("role")
    root = pair.root()
    assert ask(pair, pair.workers()[0], "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST).status == 200

    def tag(number: int) -> int:
        tags = {"RoleName": name, "Tags.member.1.Key": f"key-{number}", "Tags.member.1.Value": "x"}
        return Call(pair.url, "iam", "TagRole", tags).signed(root).send().status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(tag, range(50))) == {200}
    iam: Any = pair.client("iam", root)
    assert {t["Key"] for t in iam.list_role_tags(RoleName=name)["Tags"]} == {f"key-{number}" for number in range(50)}


def test_the_command_line_works_with_two_workers(pair: Server, pair_issuer: Issuer, tmp_path: Path) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text(pair_issuer.token(), encoding="ascii")
    role = pair_issuer.role()
    answer = pair.aws(
        *("sts", "assume-role-with-web-identity", "--role-arn", role_arn(role), "--role-session-name", "session"),
        *("--web-identity-token", f"file://{token_file}"),
    ).answer
    keys = Keys.of(answer["Credentials"])
    assert pair.aws("sts", "get-caller-identity", keys=keys).answer["Arn"].endswith(f"{role}/session")


def test_a_worker_that_is_killed_is_replaced_and_nobody_is_refused(pair: Server) -> None:
    victim, survivor = pair.workers()
    os.kill(victim, signal.SIGKILL)
    root = pair.root()
    answers = 0
    while victim in pair.workers() or len(pair.workers()) < 2:
        assert get_caller_identity(pair.url).signed(root).send().status == 200
        answers += 1
    assert survivor in pair.workers()
    wait_until_ready(pair)
    assert answers > 0
