# SPDX-License-Identifier: Apache-2.0
"""Virtual MFA devices: made, given to users and taken away, brought back into step, listed, counted."""

from __future__ import annotations

import asyncio
import base64
import datetime
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import segno
from botocore.credentials import Credentials
from msgspec.structs import replace

from daypass.credentials import Secret
from daypass.iam import mfa_devices
from daypass.iam.limits import MFA_DEVICES_PER_USER
from daypass.sealing import MasterKey
from daypass.store import MfaDevice
from iam.kitchen import document, statement
from iam.one_time import code_of
from iam.people import asked, denial, done, person, refused, user_arn
from in_process import ACCOUNT, ROOT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
MASTER = MasterKey.generate()
TAGS = [{"Key": "team", "Value": "red"}]
BAD_CODES = ("InvalidAuthenticationCode", "Authentication code for device is not valid.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: names differ from test to test."""
    async with service(tmp_path_factory.mktemp("data"), master_key=Secret(MASTER)) as running:
        yield running


def serial_of(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:mfa{path}{name}"


async def make(iam: Service, name: str, credentials: Credentials = ROOT, **more: Any) -> bytes:
    """A new device; its seed."""
    made = await done(iam, "CreateVirtualMFADevice", credentials, VirtualMFADeviceName=name, **more)
    seed: bytes = made["VirtualMFADevice"]["Base32StringSeed"]
    return seed


def step(iam: Service) -> int:
    return int(iam.clock()) // 30


def codes(iam: Service, seed: bytes, offset: int = 0) -> dict[str, str]:
    """Two codes in a row, of which the second is shown so many steps from now."""
    present = step(iam) + offset
    return {"AuthenticationCode1": code_of(seed, present - 1), "AuthenticationCode2": code_of(seed, present)}


async def enable(iam: Service, user: str, name: str, seed: bytes, credentials: Credentials = ROOT) -> None:
    given = {"UserName": user, "SerialNumber": serial_of(name), **codes(iam, seed)}
    await done(iam, "EnableMFADevice", credentials, **given)


async def own(iam: Service, user: str) -> bytes:
    """A user with a device of the same name; its seed."""
    await done(iam, "CreateUser", UserName=user)
    seed = await make(iam, user)
    await enable(iam, user, user, seed)
    return seed


def kept(iam: Service, name: str) -> MfaDevice:
    device = iam.app.store.view().mfa_devices.with_name(ACCOUNT, name)
    assert device is not None
    return device


# Making


async def test_a_new_device_shows_its_seed_once_as_text_and_as_a_picture(iam: Service) -> None:
    made = await done(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="new", Path="/team/", Tags=TAGS)
    device = made["VirtualMFADevice"]
    assert device.keys() == {"SerialNumber", "Base32StringSeed", "QRCodePNG", "Tags"}
    assert (device["SerialNumber"], device["Tags"]) == (serial_of("new", "/team/"), TAGS)
    seed = device["Base32StringSeed"]
    assert (len(seed), len(base64.b32decode(seed))) == (64, 40)
    uri = f"otpauth://totp/daypass:new%40{ACCOUNT}?secret={seed.decode()}&issuer=daypass"
    picture = io.BytesIO()
    segno.make_qr(uri, error="m").save(picture, kind="png", scale=5)
    assert device["QRCodePNG"] == picture.getvalue()
    assert device["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")
    record = kept(iam, "new")
    assert (record.user_id, record.enabled_at, record.created_at) == (None, None, int(iam.clock()))
    assert seed not in record.wrapped_seed
    assert base64.b32decode(seed) not in record.wrapped_seed


async def test_no_two_devices_have_the_same_seed(iam: Service) -> None:
    assert await make(iam, "one") != await make(iam, "two")


async def test_a_name_that_is_taken_is_refused_whatever_the_path(iam: Service) -> None:
    await make(iam, "taken")
    told = ("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.")
    assert await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="taken") == told
    assert await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="taken", Path="/other/") == told


@pytest.mark.parametrize("path", ["/with!mark/", "/a*/", "/$x/", "/%2f/"])
async def test_a_path_that_a_serial_number_cannot_have_is_refused(iam: Service, path: str) -> None:
    assert (await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="odd", Path=path))[0] == "InvalidInput"


async def test_a_serial_number_has_256_characters_at_most(iam: Service) -> None:
    room = 256 - len(serial_of(""))
    assert (await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="x" * (room + 1)))[0] == "InvalidInput"
    await make(iam, "x" * room)
    await done(iam, "DeleteVirtualMFADevice", SerialNumber=serial_of("x" * room))


async def test_an_account_has_so_many_devices_and_no_more(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(iam.app.store.view().mfa_devices.of(ACCOUNT))
    monkeypatch.setattr(mfa_devices, "MFA_DEVICES_PER_ACCOUNT", count + 1)
    await make(iam, "last-one")
    assert (await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="beyond"))[0] == "LimitExceeded"


async def test_tags_are_checked_when_it_is_made(iam: Service) -> None:
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert (await refused(iam, "CreateVirtualMFADevice", VirtualMFADeviceName="t", Tags=twice))[0] == "InvalidInput"


# Giving it to a user


async def test_two_codes_in_a_row_give_a_device_to_a_user(iam: Service) -> None:
    await own(iam, "ann")
    enabled = datetime.datetime.fromtimestamp(iam.clock(), datetime.UTC)
    expected = {"UserName": "ann", "SerialNumber": serial_of("ann"), "EnableDate": enabled}
    assert (await done(iam, "ListMFADevices", UserName="ann"))["MFADevices"] == [expected]
    assert await done(iam, "GetMFADevice", UserName="ann", SerialNumber=serial_of("ann")) == expected
    assert kept(iam, "ann").last_step == step(iam), "both codes are spent"


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, -1), (-2, 0), (-40, -39), (40, 41)])
async def test_codes_that_are_none_in_a_row_about_now_are_refused(iam: Service, first: int, second: int) -> None:
    name = f"codes{first}{second}"
    await done(iam, "CreateUser", UserName=name)
    seed, now = await make(iam, name), step(iam)
    shown = {"AuthenticationCode1": code_of(seed, now + first), "AuthenticationCode2": code_of(seed, now + second)}
    answer = await asked(iam, "EnableMFADevice", UserName=name, SerialNumber=serial_of(name), **shown)
    assert (answer.status, answer.code, answer.message) == (403, *BAD_CODES)
    assert kept(iam, name).user_id is None
    assert (await done(iam, "ListMFADevices", UserName=name))["MFADevices"] == []


async def test_codes_of_another_device_are_refused(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="mixed")
    seed = await make(iam, "mixed-1")
    await make(iam, "mixed-2")
    given = {"UserName": "mixed", "SerialNumber": serial_of("mixed-2"), **codes(iam, seed)}
    assert await refused(iam, "EnableMFADevice", **given) == BAD_CODES


async def test_a_device_that_has_a_user_is_not_given_to_another(iam: Service) -> None:
    seed = await own(iam, "first")
    await done(iam, "CreateUser", UserName="second")
    for user in ("second", "first"):
        given = {"UserName": user, "SerialNumber": serial_of("first"), **codes(iam, seed, 2)}
        assert await refused(iam, "EnableMFADevice", **given) == (
            "EntityAlreadyExists",
            "MFA Device is already in use.",
        )


async def test_of_two_users_who_claim_a_device_at_once_one_gets_it(iam: Service) -> None:
    seed = await make(iam, "claimed")
    for user in ("claimant-1", "claimant-2"):
        await done(iam, "CreateUser", UserName=user)
    given = {"SerialNumber": serial_of("claimed"), **codes(iam, seed)}
    answers = await asyncio.gather(
        *[asked(iam, "EnableMFADevice", UserName=user, **given) for user in ("claimant-1", "claimant-2")]
    )
    assert sorted(answer.code or "" for answer in answers) == ["", "EntityAlreadyExists"]


async def test_a_user_has_eight_devices_and_no_more(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="many")
    seeds = [await make(iam, f"many-{number}") for number in range(MFA_DEVICES_PER_USER + 1)]
    for number in range(8):
        await enable(iam, "many", f"many-{number}", seeds[number])
    given = {"UserName": "many", "SerialNumber": serial_of("many-8"), **codes(iam, seeds[8])}
    assert await refused(iam, "EnableMFADevice", **given) == (
        "LimitExceeded",
        "Cannot exceed quota for MFADevicesPerUser: 8",
    )
    await done(iam, "DeactivateMFADevice", UserName="many", SerialNumber=serial_of("many-0"))
    await done(iam, "EnableMFADevice", **given)


async def test_a_device_that_is_not_there_cannot_be_given(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="hopeful")
    for serial in (serial_of("absent"), "GAHT12345678", f"arn:aws:iam::210987654321:mfa/{'hopeful'}"):
        given = {"UserName": "hopeful", "SerialNumber": serial, **codes(iam, b"A" * 64)}
        told = ("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.")
        assert await refused(iam, "EnableMFADevice", **given) == told


# Taking it away


async def test_a_device_is_deleted_only_when_it_is_nobodys(iam: Service) -> None:
    await own(iam, "leaver")
    serial = serial_of("leaver")
    conflict = ("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
    assert await refused(iam, "DeleteVirtualMFADevice", SerialNumber=serial) == conflict
    told = ("DeleteConflict", "Cannot delete entity, must delete MFA device first.")
    assert await refused(iam, "DeleteUser", UserName="leaver") == told
    assert await done(iam, "DeactivateMFADevice", UserName="leaver", SerialNumber=serial) == {}
    await done(iam, "DeleteUser", UserName="leaver")
    assert await done(iam, "DeleteVirtualMFADevice", SerialNumber=serial) == {}
    gone = ("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.")
    assert await refused(iam, "DeleteVirtualMFADevice", SerialNumber=serial) == gone


async def test_codes_that_were_spent_stay_spent_when_a_device_is_given_again(iam: Service) -> None:
    seed = await own(iam, "returner")
    await done(iam, "DeactivateMFADevice", UserName="returner", SerialNumber=serial_of("returner"))
    again = {"UserName": "returner", "SerialNumber": serial_of("returner")}
    assert await refused(iam, "EnableMFADevice", **again, **codes(iam, seed)) == BAD_CODES
    assert await refused(iam, "EnableMFADevice", **again, **codes(iam, seed, 1)) == BAD_CODES
    await done(iam, "EnableMFADevice", **again, **codes(iam, seed, 2))


@pytest.mark.parametrize("operation", ["DeactivateMFADevice", "ResyncMFADevice", "GetMFADevice"])
async def test_another_users_device_nobodys_and_one_that_is_not_there_answer_alike(
    iam: Service, operation: str
) -> None:
    mine, theirs, nobodys = (f"{name}-{operation}" for name in ("mine", "theirs", "nobodys"))
    await own(iam, mine)
    seed = await own(iam, theirs)
    await make(iam, nobodys)
    more = codes(iam, seed, 2) if operation == "ResyncMFADevice" else {}
    for name in (theirs, nobodys, "absent"):
        found = await refused(iam, operation, UserName=mine, SerialNumber=serial_of(name), **more)
        assert found == ("NoSuchEntity", "MFA Device invalid for user.")
    assert kept(iam, theirs).user_id is not None


# Back into step


async def test_a_device_whose_clock_is_off_is_brought_into_step_by_codes_that_are_spent(iam: Service) -> None:
    seed = await own(iam, "late")
    given = {"UserName": "late", "SerialNumber": serial_of("late")}
    assert await refused(iam, "ResyncMFADevice", **given, **codes(iam, seed)) == BAD_CODES
    assert await done(iam, "ResyncMFADevice", **given, **codes(iam, seed, 9)) == {}
    assert (kept(iam, "late").drift, kept(iam, "late").last_step) == (9, step(iam) + 9)
    assert await refused(iam, "ResyncMFADevice", **given, **codes(iam, seed, 9)) == BAD_CODES
    assert await refused(iam, "ResyncMFADevice", **given, **codes(iam, seed, 7)) == BAD_CODES


async def test_a_locked_device_is_opened_by_two_codes_in_a_row(iam: Service) -> None:
    seed = await own(iam, "locked")
    async with iam.app.store.transaction() as transaction:
        await transaction.put(replace(kept(iam, "locked"), failures=20, failed_at=int(iam.clock())))
    await done(iam, "ResyncMFADevice", UserName="locked", SerialNumber=serial_of("locked"), **codes(iam, seed, 2))
    assert kept(iam, "locked").failures == 0


# Lists


async def test_the_devices_of_the_account_are_listed_by_whether_they_have_a_user(iam: Service) -> None:
    await own(iam, "listed")
    await make(iam, "unlisted", Tags=TAGS)
    lists = {
        status: {
            device["SerialNumber"]: device
            for device in (await done(iam, "ListVirtualMFADevices", AssignmentStatus=status, MaxItems=1000))[
                "VirtualMFADevices"
            ]
        }
        for status in ("Any", "Assigned", "Unassigned")
    }
    assert lists["Any"] == lists["Assigned"] | lists["Unassigned"]
    assert lists["Assigned"].keys().isdisjoint(lists["Unassigned"])
    assert lists["Unassigned"][serial_of("unlisted")] == {"SerialNumber": serial_of("unlisted")}
    found = lists["Assigned"][serial_of("listed")]
    assert (found["User"]["UserName"], found["User"]["Arn"]) == ("listed", user_arn("listed"))
    assert found["EnableDate"] == datetime.datetime.fromtimestamp(kept(iam, "listed").enabled_at or 0, datetime.UTC)
    every = (await done(iam, "ListVirtualMFADevices", MaxItems=1000))["VirtualMFADevices"]
    assert [device["SerialNumber"] for device in every] == list(lists["Any"])
    assert (await refused(iam, "ListVirtualMFADevices", AssignmentStatus="Some"))[0] == "ValidationError"


async def test_a_users_devices_are_listed_by_name_a_page_at_a_time(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="pager")
    for name in ("pager-b", "pager-a", "pager-c"):
        await enable(iam, "pager", name, await make(iam, name))
    first = await done(iam, "ListMFADevices", UserName="pager", MaxItems=2)
    rest = await done(iam, "ListMFADevices", UserName="pager", Marker=first["Marker"])
    shown = [device["SerialNumber"] for device in [*first["MFADevices"], *rest["MFADevices"]]]
    assert shown == [serial_of(f"pager-{letter}") for letter in "abc"]
    assert (first["IsTruncated"], rest["IsTruncated"]) == (True, False)
    assert (await refused(iam, "ListMFADevices", UserName="nobody"))[0] == "NoSuchEntity"


async def test_tags_are_added_taken_away_and_listed_by_key(iam: Service) -> None:
    await make(iam, "tagged", Tags=TAGS)
    serial = {"SerialNumber": serial_of("tagged")}
    await done(iam, "TagMFADevice", **serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "Team", "Value": "blue"}])
    listed = (await done(iam, "ListMFADeviceTags", **serial))["Tags"]
    assert listed == [{"Key": "Team", "Value": "blue"}, {"Key": "a", "Value": "1"}]
    await done(iam, "UntagMFADevice", **serial, TagKeys=["TEAM", "none"])
    assert (await done(iam, "ListMFADeviceTags", **serial))["Tags"] == [{"Key": "a", "Value": "1"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert (await refused(iam, "TagMFADevice", **serial, Tags=many))[0] == "LimitExceeded"


# Counted


async def test_reports_and_the_summary_say_who_has_a_device(iam: Service) -> None:
    before = (await done(iam, "GetAccountSummary"))["SummaryMap"]
    await own(iam, "counted")
    await make(iam, "spare")
    summary = (await done(iam, "GetAccountSummary"))["SummaryMap"]
    assert summary["MFADevices"] == before["MFADevices"] + 2
    assert summary["MFADevicesInUse"] == before["MFADevicesInUse"] + 1


async def test_the_credential_report_says_whose_second_factor_is_active(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="without")
    await own(iam, "with")
    iam.clock.advance(5 * 3600)
    await done(iam, "GenerateCredentialReport")
    lines = (await done(iam, "GetCredentialReport"))["Content"].decode().split("\n")
    active = {line.split(",")[0]: line.split(",")[7] for line in lines}
    assert active["user"] == "mfa_active"
    assert (active["with"], active["without"], active["<root_account>"]) == ("true", "false", "false")


# The root user


async def test_the_root_user_has_devices_of_its_own_and_only_it_can_mean_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with service(tmp_path_factory.mktemp("root")) as iam:
        seed = await make(iam, "roots")
        serial = {"SerialNumber": serial_of("roots")}
        key = await person(iam, "admin", statement("Allow", "*"))
        given = {"UserName": "root", **serial, **codes(iam, seed)}
        assert (await refused(iam, "EnableMFADevice", key, **given))[0] == "NoSuchEntity"
        await done(iam, "EnableMFADevice", **given)
        for parameters in ({}, {"UserName": "root"}):
            [device] = (await done(iam, "ListMFADevices", **parameters))["MFADevices"]
            assert device["SerialNumber"] == serial_of("roots")
            assert "UserName" not in device
        [shown] = (await done(iam, "ListVirtualMFADevices", AssignmentStatus="Assigned"))["VirtualMFADevices"]
        assert (shown["User"]["Arn"], shown["User"]["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
        assert (await done(iam, "GetAccountSummary"))["SummaryMap"]["AccountMFAEnabled"] == 1
        await done(iam, "GenerateCredentialReport")
        report = (await done(iam, "GetCredentialReport"))["Content"].decode().split("\n")
        assert report[1].split(",")[7] == "true"
        assert (await refused(iam, "DeactivateMFADevice", key, **serial))[0] == "NoSuchEntity"
        await done(iam, "ResyncMFADevice", UserName="root", **serial, **codes(iam, seed, 2))
        await done(iam, "DeactivateMFADevice", **serial)
        assert (await done(iam, "GetAccountSummary"))["SummaryMap"]["AccountMFAEnabled"] == 0


async def test_a_user_named_root_is_a_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with service(tmp_path_factory.mktemp("named")) as iam:
        await own(iam, "root")
        [device] = (await done(iam, "ListMFADevices", UserName="root"))["MFADevices"]
        assert device["UserName"] == "root"
        assert (await done(iam, "ListMFADevices"))["MFADevices"] == []


# Who may


async def test_a_user_manages_its_own_devices_by_awss_policy_for_that(iam: Service) -> None:
    """IAM User Guide, "AWS: Allows MFA-authenticated IAM users to manage their own MFA device", without its conditions."""
    mine = "arn:aws:iam::*:user/${aws:username}"
    key = await person(
        iam,
        "self",
        statement("Allow", "iam:CreateVirtualMFADevice", "arn:aws:iam::*:mfa/*"),
        statement(
            "Allow",
            [f"iam:{name}MFADevice" for name in ("Enable", "Resync", "Deactivate", "Get")] + ["iam:ListMFADevices"],
            mine,
        ),
    )
    seed = await make(iam, "self", key)
    await enable(iam, "self", "self", seed, key)
    assert len((await done(iam, "ListMFADevices", key))["MFADevices"]) == 1
    serial = {"SerialNumber": serial_of("self")}
    assert (await done(iam, "GetMFADevice", key, **serial))["UserName"] == "self"
    await done(iam, "ResyncMFADevice", key, UserName="self", **serial, **codes(iam, seed, 2))
    await own(iam, "other")
    theirs = {"UserName": "other", "SerialNumber": serial_of("other")}
    for operation in ("DeactivateMFADevice", "GetMFADevice"):
        denied = ("AccessDenied", denial("self", operation, user_arn("other")))
        assert await refused(iam, operation, key, **theirs) == denied
    await done(iam, "DeactivateMFADevice", key, **serial)
    denied = ("AccessDenied", denial("self", "DeleteVirtualMFADevice", serial_of("self")))
    assert await refused(iam, "DeleteVirtualMFADevice", key, **serial) == denied


async def test_permission_for_one_device_is_none_for_another_by_whatever_serial_number(iam: Service) -> None:
    key = await person(iam, "narrow", statement("Allow", "iam:*", serial_of("narrow-own")))
    await make(iam, "narrow-own", key)
    await make(iam, "narrow-other", Path="/x/")
    for serial in (serial_of("narrow-other", "/x/"), serial_of("narrow-other"), "narrow-other"):
        found = await refused(iam, "DeleteVirtualMFADevice", key, SerialNumber=serial)
        resource = serial if serial.startswith("arn:") else serial_of(serial)
        assert found == ("AccessDenied", denial("narrow", "DeleteVirtualMFADevice", resource))
    await done(iam, "DeleteVirtualMFADevice", key, SerialNumber=serial_of("narrow-own"))


async def test_a_device_tagged_otherwise_meanwhile_is_decided_on_again(iam: Service) -> None:
    red = {**statement("Allow", "iam:*"), "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}
    key = await person(iam, "reds", red)
    await make(iam, "reds", Tags=TAGS)
    serial = {"SerialNumber": serial_of("reds")}
    assert (await asked(iam, "ListMFADeviceTags", key, **serial)).status == 200
    blue, gone = await asyncio.gather(
        asked(iam, "TagMFADevice", **serial, Tags=[{"Key": "team", "Value": "blue"}]),
        asked(iam, "DeleteVirtualMFADevice", key, **serial),
    )
    assert (blue.status, gone.code) == (200, "AccessDenied")


async def test_nothing_that_is_kept_or_answered_later_has_the_seed(iam: Service) -> None:
    seed = await own(iam, "quiet")
    for operation, parameters in (
        ("ListVirtualMFADevices", {"MaxItems": 1000}),
        ("ListMFADevices", {"UserName": "quiet"}),
        ("GetMFADevice", {"UserName": "quiet", "SerialNumber": serial_of("quiet")}),
        ("GetAccountAuthorizationDetails", {}),
    ):
        answer = await asked(iam, operation, **parameters)
        assert seed not in answer.body
        assert base64.b64encode(seed) not in answer.body
    assert seed.decode() not in repr(kept(iam, "quiet"))


async def test_a_policy_may_ask_for_a_device_by_its_tags_when_it_is_made(iam: Service) -> None:
    red = {
        **statement("Allow", "iam:CreateVirtualMFADevice"),
        "Condition": {"StringEquals": {"aws:RequestTag/team": "red"}},
    }
    key = await person(iam, "maker")
    await done(iam, "PutUserPolicy", UserName="maker", PolicyName="main", PolicyDocument=document(red))
    assert (await refused(iam, "CreateVirtualMFADevice", key, VirtualMFADeviceName="made"))[0] == "AccessDenied"
    await make(iam, "made", key, Tags=TAGS)
