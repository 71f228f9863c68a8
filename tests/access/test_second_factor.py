# SPDX-License-Identifier: Apache-2.0
"""Codes that count once: whose device, which steps, how many wrong ones, and what two requests at once can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from daypass.access import Caller
from daypass.access.limits import FIRST_LOCK_SECONDS, LONGEST_LOCK_SECONDS, WRONG_CODES
from daypass.access.second_factor import (
    ROOT_OWNER,
    SecondFactors,
    brought_into_step,
    device_with_serial,
    locked_until,
    opened_seed,
    wrapped_seed,
)
from daypass.access.totp import new_seed
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.credentials import Secret
from daypass.errors import AuthenticationError, ConfigurationError, Reason, UnavailableError
from daypass.principal import Root
from daypass.principal import User as UserPrincipal
from daypass.sealing import MasterKey
from daypass.sessions import Session
from daypass.store import Account, MfaDevice, Store, User
from iam.one_time import code_of

ACCOUNT, OTHER = "123456789012", "210987654321"
NOW = 1_800_000_000.0
STEP = int(NOW) // 30
ANN = User(ACCOUNT, "/", "ann", "AIDA00000000000000ANN", 1)
BEN = User(ACCOUNT, "/", "ben", "AIDA00000000000000BEN", 1)
WRONG = "MultiFactorAuthentication failed with invalid MFA one time pass code."
UNKNOWN = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
    " associated with this user."
)


def caller(user: User | None, account: str = ACCOUNT) -> Caller:
    """A caller with long-term credentials; the root user without a user."""
    if user is None:
        return Caller(Root(account), "AKIA", "us-east-1")
    return Caller(UserPrincipal(account, user.path, user.name, user.unique_id), "AKIA", "us-east-1", user=user)


@dataclass
class Desk:
    """A store with Ann's device, and what verifies its codes."""

    store: Store
    master: MasterKey
    factors: SecondFactors
    seed: Secret
    serial: str

    async def show(self, code: str, now: float = NOW, user: User | None = ANN) -> int:
        return await self.factors.show(caller(user), self.serial, code, now)

    async def refused(self, code: str, now: float = NOW, user: User | None = ANN) -> Reason:
        with pytest.raises(AuthenticationError) as error:
            await self.show(code, now, user)
        return error.value.reason

    def code(self, step: int = STEP) -> str:
        return code_of(self.seed.reveal(), step)

    def wrong(self, around: int = STEP) -> str:
        """A code of none of the steps about."""
        right = {self.code(step) for step in range(around - 5, around + 6)}
        return next(text for text in map("{:06}".format, range(100)) if text not in right)

    def device(self) -> MfaDevice:
        found = device_with_serial(self.store.view(), ACCOUNT, self.serial)
        assert found is not None
        return found

    async def change(self, **fields: object) -> None:
        async with self.store.transaction() as tx:
            await tx.put(replace(self.device(), **fields))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await Store.open(None, tmp_path)
    master, seed = MasterKey.parse(MasterKey.generate()), new_seed()
    device = MfaDevice(ACCOUNT, "/team/", "phone", b"", 1, ANN.unique_id, 1)
    device = replace(device, wrapped_seed=wrapped_seed(master, device.arn, seed))
    async with store.transaction() as tx:
        await tx.put(Account(ACCOUNT, 1))
        await tx.put(Account(OTHER, 1))
        await tx.put(device)
    yield Desk(store, master, SecondFactors(store, master), seed, device.arn)
    await store.close()


async def test_a_right_code_is_a_proof_of_this_instant(desk: Desk) -> None:
    assert await desk.show(desk.code(), NOW + 0.9) == int(NOW)
    assert desk.device().last_step == STEP


@pytest.mark.parametrize(
    ("earlier", "good"),
    [
        (-60.001, False),
        (-60, False),
        (-59.999, False),
        (-30.001, False),
        (-30, True),
        (0, True),
        (59.999, True),
        (60, False),
    ],
)
async def test_the_window_is_one_step_either_way_to_the_instant(desk: Desk, earlier: float, good: bool) -> None:
    """``earlier``: seconds since the first instant of the code's own step."""
    if good:
        assert await desk.show(desk.code(), NOW + earlier) == int(NOW + earlier)
    else:
        assert await desk.refused(desk.code(), NOW + earlier) is Reason.SECOND_FACTOR_WRONG


# Once


async def test_a_code_counts_once(desk: Desk) -> None:
    await desk.show(desk.code())
    assert await desk.refused(desk.code()) is Reason.SECOND_FACTOR_SPENT
    assert await desk.refused(desk.code(), NOW + 30) is Reason.SECOND_FACTOR_SPENT


async def test_a_code_older_than_one_that_was_spent_does_not_count(desk: Desk) -> None:
    await desk.show(desk.code(STEP + 1))
    assert await desk.refused(desk.code(STEP)) is Reason.SECOND_FACTOR_SPENT
    assert await desk.refused(desk.code(STEP - 1)) is Reason.SECOND_FACTOR_SPENT
    await desk.show(desk.code(STEP + 2), NOW + 30)


async def test_of_many_uses_at_once_one_wins(desk: Desk) -> None:
    answers = await asyncio.gather(*[desk.show(desk.code()) for _ in range(10)], return_exceptions=True)
    assert [answer for answer in answers if answer == int(NOW)] == [int(NOW)]
    assert sum(isinstance(answer, AuthenticationError) for answer in answers) == 9


async def test_of_two_workers_one_wins(desk: Desk, tmp_path: Path) -> None:
    other = await Store.open(None, tmp_path)
    try:
        theirs = SecondFactors(other, desk.master)
        for step in range(STEP, STEP + 5):
            shown = [
                factors.show(caller(ANN), desk.serial, desk.code(step), step * 30.0)
                for factors in (desk.factors, theirs)
            ]
            answers = await asyncio.gather(*shown, return_exceptions=True)
            assert sorted(isinstance(answer, AuthenticationError) for answer in answers) == [False, True]
    finally:
        await other.close()


async def test_a_code_is_spent_for_good_when_the_process_ends(desk: Desk, tmp_path: Path) -> None:
    await desk.show(desk.code())
    again = await Store.open(None, tmp_path)
    with pytest.raises(AuthenticationError) as error:
        await SecondFactors(again, desk.master).show(caller(ANN), desk.serial, desk.code(), NOW)
    await again.close()
    assert error.value.reason is Reason.SECOND_FACTOR_SPENT


async def test_a_code_that_cannot_be_spent_does_not_count(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "daypass.db").rename(tmp_path / "away.db")
    with pytest.raises(UnavailableError):
        await desk.show(desk.code())
    (tmp_path / "away.db").rename(tmp_path / "daypass.db")


# Whose


async def test_another_users_device_and_one_that_is_not_there_answer_alike(desk: Desk) -> None:
    absent = desk.serial.replace("phone", "absent")
    elsewhere = desk.serial.replace("/team/", "/")
    for user, serial in (
        (BEN, desk.serial),
        (None, desk.serial),
        (ANN, absent),
        (ANN, elsewhere),
        (ANN, "GAHT12345678"),
    ):
        with pytest.raises(AuthenticationError) as error:
            await desk.factors.show(caller(user), serial, desk.code(), NOW)
        assert (error.value.reason, str(error.value)) == (Reason.SECOND_FACTOR_UNKNOWN, UNKNOWN)
    assert desk.device().last_step == 0
    assert desk.device().failures == 0


async def test_a_device_of_another_account_is_nobodys_here(desk: Desk) -> None:
    with pytest.raises(AuthenticationError) as error:
        await desk.factors.show(caller(ANN, OTHER), desk.serial, desk.code(), NOW)
    assert error.value.reason is Reason.SECOND_FACTOR_UNKNOWN


async def test_a_deactivated_device_proves_nothing(desk: Desk) -> None:
    await desk.change(user_id=None, enabled_at=None)
    assert await desk.refused(desk.code()) is Reason.SECOND_FACTOR_UNKNOWN


async def test_the_root_user_has_devices_of_its_own(desk: Desk) -> None:
    await desk.change(user_id=ROOT_OWNER)
    assert await desk.refused(desk.code()) is Reason.SECOND_FACTOR_UNKNOWN
    assert await desk.show(desk.code(), user=None) == int(NOW)


async def test_the_root_user_of_another_account_has_not(desk: Desk) -> None:
    await desk.change(user_id=ROOT_OWNER)
    with pytest.raises(AuthenticationError) as error:
        await desk.factors.show(caller(None, OTHER), desk.serial, desk.code(), NOW)
    assert error.value.reason is Reason.SECOND_FACTOR_UNKNOWN


async def test_a_session_cannot_show_a_second_factor(desk: Desk) -> None:
    session = Session(ACCOUNT, "", "", int(NOW), int(NOW) + 900, kind="user", user_id=ANN.unique_id)
    with pytest.raises(AuthenticationError) as error:
        await desk.factors.show(replace(caller(ANN), session=session), desk.serial, desk.code(), NOW)
    assert (error.value.reason, str(error.value)) == (Reason.CREDENTIALS_UNFIT, UNKNOWN)
    assert desk.device().last_step == 0


async def test_a_seed_of_another_device_does_not_open(desk: Desk) -> None:
    other = replace(desk.device(), name="other")
    with pytest.raises(ConfigurationError):
        opened_seed(desk.master, other)
    assert opened_seed(desk.master, desk.device()).reveal() == desk.seed.reveal()
    assert desk.seed.reveal() not in repr(desk.device())


# Wrong codes


async def test_every_refusal_of_a_code_has_the_same_words_and_awss_code(desk: Desk) -> None:
    await desk.show(desk.code())
    messages = set()
    for code in (desk.wrong(), desk.code(), "", "abcdef", "\u0661" * 6):
        with pytest.raises(AuthenticationError) as error:
            await desk.show(code)
        messages.add(str(error.value))
    await desk.change(failures=WRONG_CODES, failed_at=int(NOW))
    with pytest.raises(AuthenticationError) as error:
        await desk.show(desk.code(STEP + 1))
    assert error.value.reason is Reason.SECOND_FACTOR_LOCKED
    assert messages | {str(error.value)} == {WRONG}
    for reason in (
        Reason.SECOND_FACTOR_WRONG,
        Reason.SECOND_FACTOR_SPENT,
        Reason.SECOND_FACTOR_LOCKED,
        Reason.SECOND_FACTOR_UNKNOWN,
    ):
        assert (WIRE_ERRORS[reason].code, WIRE_ERRORS[reason].status) == ("AccessDenied", 403)


async def test_ten_wrong_codes_in_a_row_lock_the_device_for_thirty_seconds(desk: Desk) -> None:
    for _ in range(WRONG_CODES):
        assert await desk.refused(desk.wrong()) is Reason.SECOND_FACTOR_WRONG
    assert await desk.refused(desk.code()) is Reason.SECOND_FACTOR_LOCKED
    end = NOW + FIRST_LOCK_SECONDS
    assert await desk.refused(desk.code(), end - 0.001) is Reason.SECOND_FACTOR_LOCKED
    assert await desk.show(desk.code(STEP + 1), end) == int(end)
    assert (desk.device().failures, desk.device().failed_at) == (0, 0)


async def test_nine_wrong_codes_do_not_lock_and_a_right_one_ends_the_row(desk: Desk) -> None:
    for _ in range(WRONG_CODES - 1):
        await desk.refused(desk.wrong())
    await desk.show(desk.code())
    for _ in range(WRONG_CODES - 1):
        await desk.refused(desk.wrong())
    await desk.show(desk.code(STEP + 1))


async def test_each_wrong_code_after_a_lock_doubles_the_next_up_to_a_day(desk: Desk) -> None:
    for _ in range(WRONG_CODES):
        await desk.refused(desk.wrong())
    now, locks = NOW, []
    for _ in range(15):
        until = locked_until(desk.device())
        locks.append(until - int(now))
        now = float(until)
        assert await desk.refused(desk.wrong(int(now) // 30), now) is Reason.SECOND_FACTOR_WRONG
    assert locks[:5] == [30, 60, 120, 240, 480]
    assert locks[-1] == LONGEST_LOCK_SECONDS == max(locks)


async def test_what_is_tried_while_it_is_locked_does_not_lock_it_for_longer_and_writes_nothing(desk: Desk) -> None:
    await desk.change(failures=WRONG_CODES, failed_at=int(NOW))
    revision = desk.store.view().revision
    for _ in range(5):
        assert await desk.refused(desk.wrong(), NOW + 20) is Reason.SECOND_FACTOR_LOCKED
    assert desk.store.view().revision == revision
    assert locked_until(desk.device()) == int(NOW) + FIRST_LOCK_SECONDS


async def test_a_spent_code_is_not_counted_as_wrong(desk: Desk) -> None:
    await desk.show(desk.code())
    for _ in range(WRONG_CODES + 1):
        assert await desk.refused(desk.code()) is Reason.SECOND_FACTOR_SPENT
    await desk.show(desk.code(STEP + 1))


async def test_wrong_codes_at_once_are_all_counted_and_no_more_are_tried_than_allowed(desk: Desk) -> None:
    answers = await asyncio.gather(*[desk.show(desk.wrong()) for _ in range(30)], return_exceptions=True)
    reasons = [answer.reason for answer in answers if isinstance(answer, AuthenticationError)]
    assert reasons.count(Reason.SECOND_FACTOR_WRONG) == WRONG_CODES
    assert reasons.count(Reason.SECOND_FACTOR_LOCKED) == 20


# A clock that is off


async def test_two_codes_in_a_row_say_how_far_a_clock_is_off_and_are_spent(desk: Desk) -> None:
    late = STEP - 7
    device = brought_into_step(desk.device(), desk.seed, desk.code(late - 1), desk.code(late), NOW)
    assert (device.drift, device.last_step) == (-7, late)
    await desk.change(drift=device.drift, last_step=device.last_step)
    assert await desk.refused(desk.code(late)) is Reason.SECOND_FACTOR_SPENT
    assert await desk.refused(desk.code(late - 1)) is Reason.SECOND_FACTOR_SPENT
    assert await desk.refused(desk.code(STEP)) is Reason.SECOND_FACTOR_WRONG
    await desk.show(desk.code(late + 1))
    assert await desk.refused(desk.code(late + 3), NOW + 30) is Reason.SECOND_FACTOR_WRONG
    await desk.show(desk.code(late + 2), NOW + 30)


@pytest.mark.parametrize(("offset", "drift"), [(-2, -2), (-1, 0), (0, 0), (1, 0), (2, 2)])
async def test_a_difference_within_the_window_is_no_drift(desk: Desk, offset: int, drift: int) -> None:
    step = STEP + offset
    assert brought_into_step(desk.device(), desk.seed, desk.code(step - 1), desk.code(step), NOW).drift == drift


async def test_two_codes_in_a_row_open_a_locked_device(desk: Desk) -> None:
    await desk.change(failures=WRONG_CODES + 9, failed_at=int(NOW))
    device = brought_into_step(desk.device(), desk.seed, desk.code(STEP - 1), desk.code(STEP), NOW)
    assert locked_until(device) == 0


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, -1), (-2, 0), (-22, -21), (21, 22)])
async def test_two_codes_that_are_none_in_a_row_about_now_are_refused(desk: Desk, first: int, second: int) -> None:
    with pytest.raises(AuthenticationError) as error:
        brought_into_step(desk.device(), desk.seed, desk.code(STEP + first), desk.code(STEP + second), NOW)
    assert error.value.reason is Reason.AUTHENTICATION_CODES_INVALID


@pytest.mark.parametrize("spent", [STEP - 1, STEP, STEP + 1])
async def test_two_codes_of_which_one_was_spent_are_refused(desk: Desk, spent: int) -> None:
    with pytest.raises(AuthenticationError) as error:
        brought_into_step(replace(desk.device(), last_step=spent), desk.seed, desk.code(STEP - 1), desk.code(STEP), NOW)
    assert error.value.reason is Reason.AUTHENTICATION_CODES_INVALID
