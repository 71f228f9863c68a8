# SPDX-License-Identifier: Apache-2.0
"""SerialNumber and TokenCode, from the device that IAM made to the policies that ask for a second factor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from iam.kitchen import statement
from iam.one_time import code_of
from iam.people import asked as asked_iam
from iam.people import done, person
from in_process import ACCOUNT, Service, service
from sts.asking import asked, given, keys_of, make_role, refusal, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
FRESH = {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}
WRONG = ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
UNKNOWN = (
    "AccessDenied",
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
    " associated with this user.",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: names differ from test to test."""
    async with service(tmp_path_factory.mktemp("data")) as wired:
        yield wired


@dataclass
class Phone:
    """A user's keys and device."""

    running: Service
    keys: Credentials
    serial: str
    seed: bytes

    def code(self, offset: int = 0) -> str:
        return code_of(self.seed, int(self.running.clock()) // 30 + offset)

    def shown(self, offset: int = 0) -> dict[str, str]:
        return {"SerialNumber": self.serial, "TokenCode": self.code(offset)}


async def phone(running: Service, user: str, *statements: dict[str, object]) -> Phone:
    """A new user with these permissions and a device, whose codes are good from the next step on."""
    keys = await person(running, user, *statements)
    made = (await done(running, "CreateVirtualMFADevice", VirtualMFADeviceName=user))["VirtualMFADevice"]
    held = Phone(running, keys, made["SerialNumber"], made["Base32StringSeed"])
    codes = {"AuthenticationCode1": held.code(-1), "AuthenticationCode2": held.code()}
    await done(running, "EnableMFADevice", UserName=user, SerialNumber=held.serial, **codes)
    running.clock.advance(30)
    return held


async def test_what_needs_a_second_factor_is_allowed_in_a_session_that_was_made_with_one(running: Service) -> None:
    held = await phone(running, "ann", {**statement("Allow", "iam:ListUsers"), "Condition": WITH_MFA | FRESH})
    assert (await asked_iam(running, "ListUsers", held.keys)).code == "AccessDenied"
    session = keys_of(await given(running, "GetSessionToken", held.keys, **held.shown()))
    assert (await asked_iam(running, "ListUsers", session)).status == 200
    running.clock.advance(301)
    assert (await asked_iam(running, "ListUsers", session)).code == "AccessDenied"


async def test_a_role_that_asks_for_a_second_factor_is_assumed_with_one_only(running: Service) -> None:
    held = await phone(running, "ben", statement("Allow", "sts:AssumeRole"))
    trust = trusting(f"arn:aws:iam::{ACCOUNT}:user/ben", actions=["sts:AssumeRole"], Condition=WITH_MFA)
    role = {"RoleArn": await make_role(running, "guarded", trust), "RoleSessionName": "test"}
    assert (await asked(running, "AssumeRole", held.keys, **role)).code == "AccessDenied"
    assert (await asked(running, "AssumeRole", held.keys, **role, **held.shown())).status == 200


async def test_a_code_is_good_for_one_request_of_any_kind(running: Service) -> None:
    held = await phone(running, "cleo")
    answers = await asyncio.gather(*[asked(running, "GetSessionToken", held.keys, **held.shown()) for _ in range(5)])
    assert sorted(answer.status for answer in answers) == [200, 403, 403, 403, 403]
    assert await refusal(running, "GetSessionToken", held.keys, **held.shown()) == WRONG
    assert (await asked(running, "GetSessionToken", held.keys, **held.shown(1))).status == 200


async def test_the_codes_that_enabled_a_device_are_spent(running: Service) -> None:
    held = await phone(running, "dora")
    assert await refusal(running, "GetSessionToken", held.keys, **held.shown(-1)) == WRONG


async def test_another_users_device_and_a_device_taken_away_prove_nothing(running: Service) -> None:
    held, other = await phone(running, "emil"), await phone(running, "fay")
    assert await refusal(running, "GetSessionToken", held.keys, **other.shown()) == UNKNOWN
    await done(running, "DeactivateMFADevice", UserName="fay", SerialNumber=other.serial)
    assert await refusal(running, "GetSessionToken", other.keys, **other.shown()) == UNKNOWN


async def test_half_a_second_factor_is_refused(running: Service) -> None:
    held = await phone(running, "gus")
    for name, value in held.shown().items():
        assert (await refusal(running, "GetSessionToken", held.keys, **{name: value}))[0] == "ValidationError"
    assert (await asked(running, "GetSessionToken", held.keys, **held.shown())).status == 200


async def test_a_session_shows_no_second_factor_and_spends_no_code(running: Service) -> None:
    held = await phone(running, "hal", statement("Allow", "sts:AssumeRole"))
    trust = trusting(f"arn:aws:iam::{ACCOUNT}:user/hal", actions=["sts:AssumeRole"])
    role = {"RoleArn": await make_role(running, "plain", trust), "RoleSessionName": "test"}
    session = keys_of(await given(running, "GetSessionToken", held.keys))
    assert await refusal(running, "AssumeRole", session, **role, **held.shown()) == UNKNOWN
    assert (await asked(running, "AssumeRole", held.keys, **role, **held.shown())).status == 200
