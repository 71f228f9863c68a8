# SPDX-License-Identifier: Apache-2.0
"""
The real provider changes its keys while we serve. Our clock is the test's here: the waits are minutes, and nobody waits.

A provider that behaves publishes a new key beside the old one, signs with the new, and withdraws the old one later.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from daypass.clock import MovableClock, system_clock
from daypass.federation.oidc import RETRY_AFTER, TTL
from journeys.background import Background, ServerWithClock, server_with_clock
from journeys.real_provider import RealProvider, ec_key, real_provider, rsa_key
from journeys.refusals import refused
from journeys.roles import role_arn, trusting

OLD, NEW, OTHER = rsa_key("old"), rsa_key("new"), ec_key("ec")


@pytest.fixture
def rotating(tmp_path: Path) -> Iterator[RealProvider]:
    with real_provider(tmp_path, OLD, OTHER) as running:
        yield running


@pytest.fixture
def service(loop: Background, tmp_path: Path, rotating: RealProvider) -> Iterator[ServerWithClock]:
    with server_with_clock(loop, tmp_path, MovableClock(system_clock())) as running:
        iam = running.client("iam", running.root)
        iam.create_open_id_connect_provider(Url=rotating.issuer, ClientIDList=["web-app"])
        trust = trusting(rotating.issuer, audience="web-app", subject="alice")
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)
        yield running


def assume(service: ServerWithClock, token: str) -> Any:
    parameters = {"RoleArn": role_arn("app"), "RoleSessionName": "session", "WebIdentityToken": token}
    return service.client("sts").assume_role_with_web_identity(**parameters)


@contextmanager
def always_possible(service: ServerWithClock, token: str) -> Iterator[None]:
    """While the block runs, the token is used again and again; every use must succeed."""
    done, used, failures = threading.Event(), 0, list[Exception]()

    def use() -> None:
        nonlocal used
        while not done.is_set():
            try:
                assume(service, token)
                used += 1
            except (ClientError, BotoCoreError) as error:
                failures.append(error)
                return

    user = threading.Thread(target=use)
    user.start()
    try:
        yield
    finally:
        done.set()
        user.join()
    assert failures == []
    assert used > 0


def test_a_new_key_works_at_once_and_the_old_one_until_it_is_withdrawn(
    service: ServerWithClock, rotating: RealProvider
) -> None:
    by_old = rotating.sign_in("alice")
    assert assume(service, by_old)["Credentials"]

    service.clock.advance(RETRY_AFTER)
    with always_possible(service, by_old):
        rotating.rotate(NEW, OLD, OTHER)
        by_new = rotating.sign_in("alice")
        assert assume(service, by_new)["Credentials"]

    rotating.rotate(NEW, OTHER)
    with always_possible(service, by_new):
        service.clock.advance(TTL)
        assert refused(lambda: assume(service, by_old)) == ("InvalidIdentityToken", 400)


def test_a_new_key_waits_for_half_a_minute_since_the_last_question(
    service: ServerWithClock, rotating: RealProvider
) -> None:
    assert assume(service, rotating.sign_in("alice"))["Credentials"]
    rotating.rotate(NEW, OTHER)
    by_new = rotating.sign_in("alice")
    service.clock.advance(RETRY_AFTER - 1)
    assert refused(lambda: assume(service, by_new)) == ("InvalidIdentityToken", 400)
    service.clock.advance(1)
    assert assume(service, by_new)["Credentials"]
