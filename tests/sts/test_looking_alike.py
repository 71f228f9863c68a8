# SPDX-License-Identifier: Apache-2.0
"""
Unknown and wrong look alike (invariant 13): the same words, after the same work.

A role that is not there and one that forbids are one answer. An unknown key and a wrong secret are two, as in AWS, and whatever
is wrong with a key or a token is the first of them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.credentials import new_access_key_id
from iam.kitchen import statement
from iam.people import done, person
from in_process import ACCOUNT, Service
from sts.alike import Kind, compared, kind, mann_whitney, sent
from sts.asking import another_account, make_role, session_of, trusting
from sts.holding import WebDesk, trusting_account, web_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAMPLES = int(os.environ.get("DAYPASS_TIMING_SAMPLES", "5000"))
ATTEMPTS = 3
"""A difference that is there is seen each time; what a busy machine makes up is not."""

OTHER = "210987654321"


@dataclass
class Desk:
    """A service with a user, roles that forbid, and a provider."""

    web: WebDesk
    user: Credentials

    @property
    def sts(self) -> Service:
        """The service."""
        return self.web.sts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with web_desk(tmp_path_factory.mktemp("data")) as web:
        yield Desk(web, await person(web.sts, "asker", statement("Allow", "sts:AssumeRole")))


@pytest.fixture(autouse=True)
def _quiet(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand lines of log are of no use, and take longer than what is measured."""
    monkeypatch.setattr(desk.sts.app.door._log, "refused", lambda **said: None)


async def check_alike(sts: Service, first: Kind, second: Kind) -> None:
    """The same answer to every one of them, and no time to tell them apart by."""
    tries = []
    for _ in range(ATTEMPTS):
        found = await compared(sts, first, second, SAMPLES)
        assert found.answers[0] == found.answers[1]
        assert len(found.answers[0]) == 1
        if not found.apart:
            return
        tries.append((found.rank, found.medians))
    pytest.fail(f"told apart; by how many standard deviations, and the medians in ns: {tries}")


FORBIDDING = {
    "trusts somebody else": lambda: trusting(OTHER),
    "trusts the account, for another action": lambda: trusting_account(actions=["sts:TagSession"]),
    "trusts the user, with an external id": lambda: trusting(
        f"arn:aws:iam::{ACCOUNT}:user/asker", Condition={"StringEquals": {"sts:ExternalId": "secret"}}
    ),
}


@pytest.mark.parametrize("why", FORBIDDING)
async def test_a_role_that_is_not_there_and_one_that_forbids_take_as_long_and_say_the_same(
    desk: Desk, why: str
) -> None:
    name = f"There{sorted(FORBIDDING).index(why)}"
    there = await make_role(desk.sts, name, FORBIDDING[why]())
    absent = there.replace("There", "Where")
    kinds = [
        kind(desk.sts, "AssumeRole", desk.user, role_arn, RoleArn=role_arn, RoleSessionName="test")
        for role_arn in (there, absent)
    ]
    await check_alike(desk.sts, *kinds)


async def test_a_proof_is_told_as_little_and_takes_as_long(desk: Desk) -> None:
    name = desk.web.provider.issuer.partition("://")[2]
    condition = {"StringEquals": {f"{name}:aud": "client", f"{name}:sub": "somebody"}}
    there = await desk.web.role(trust=desk.web.trust(condition=condition))
    absent = there.replace("role/Role", "role/Elor")
    kinds = [
        kind(desk.sts, "AssumeRoleWithWebIdentity", None, role_arn, **desk.web.wanted(role_arn))
        for role_arn in (there, absent)
    ]
    await check_alike(desk.sts, *kinds)


async def test_an_unknown_key_and_a_wrong_secret_take_as_long(desk: Desk) -> None:
    wrong = Credentials(str(desk.user.access_key), "x" * 40)
    unknown = Credentials(new_access_key_id("AKIA", ACCOUNT), "x" * 40)
    first, second = [kind(desk.sts, "GetCallerIdentity", keys) for keys in (wrong, unknown)]
    tries = []
    for _ in range(ATTEMPTS):
        found = await compared(desk.sts, first, second, SAMPLES)
        assert [len(answers) for answers in found.answers] == [1, 1]
        assert "SignatureDoesNotMatch" in found.answers[0].pop()
        assert "InvalidClientTokenId" in found.answers[1].pop()
        if not found.apart:
            return
        tries.append((found.rank, found.medians))
    pytest.fail(f"told apart; by how many standard deviations, and the medians in ns: {tries}")


async def test_whatever_is_wrong_with_a_key_or_a_token_is_one_answer(desk: Desk) -> None:
    sts, secret = desk.sts, str(desk.user.secret_key)
    await done(sts, "CreateUser", UserName="idle")
    made = (await done(sts, "CreateAccessKey", UserName="idle"))["AccessKey"]
    await done(sts, "UpdateAccessKey", UserName="idle", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    there = await make_role(sts, "Open", trusting_account())
    session = await session_of(sts, desk.user, there)
    await done(sts, "DeleteRole", RoleName="Open")
    await another_account(sts, OTHER)
    bad = [
        Credentials(new_access_key_id("AKIA", ACCOUNT), secret),
        Credentials(new_access_key_id("AKIA", OTHER), secret),
        Credentials("AKIA", secret),
        Credentials("x", secret),
        Credentials(made["AccessKeyId"], made["SecretAccessKey"]),
        Credentials(made["AccessKeyId"], "x" * 40),
        Credentials(str(desk.user.access_key), secret, str(session.token)),
        Credentials(new_access_key_id("ASIA", ACCOUNT), secret),
        Credentials(new_access_key_id("ASIA", ACCOUNT), secret, "token"),
        session,
    ]
    answers = {(await sent(sts, kind(sts, "GetCallerIdentity", keys)))[1] for keys in bad}
    assert len(answers) == 1
    assert "InvalidClientTokenId" in answers.pop()


# The measure itself


async def test_the_measure_tells_apart_what_differs(desk: Desk) -> None:
    """Two kinds of request of which one has to be verified and one has not."""
    unsigned = kind(desk.sts, "GetCallerIdentity", None)
    wrong = kind(desk.sts, "GetCallerIdentity", Credentials(str(desk.user.access_key), "x" * 40))
    assert (await compared(desk.sts, unsigned, wrong, 1000)).apart


async def test_the_rank_test_agrees_with_what_is_known_of_it() -> None:
    assert mann_whitney([1, 2, 3], [1, 2, 3]) == 0
    assert mann_whitney([5, 5], [5, 5]) == 0
    # Of ten and ten without ties, all of one below all of the other: U = 0, z = -50 / sqrt(175)
    assert mann_whitney(range(10), range(10, 20)) == pytest.approx(-50 / 175**0.5)
    assert mann_whitney(range(10, 20), range(10)) == pytest.approx(50 / 175**0.5)
