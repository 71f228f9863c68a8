# SPDX-License-Identifier: Apache-2.0
"""The credential report: its columns and rows, how long it is good, and who is told what."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from daypass.iam import credential_report
from daypass.iam.limits import REPORT_SECONDS
from daypass.store import AccessKey, SigningCertificate
from iam.people import done, person, refused
from in_process import ACCOUNT, NOW, ROOT, Service, service

AT = "2027-01-15T08:00:00Z"
NONE = "N/A"
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
"""The first line of AWS's reports."""


@pytest.fixture
async def iam(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as running:
        yield running


async def report(iam: Service) -> str:
    await done(iam, "GenerateCredentialReport")
    content: bytes = (await done(iam, "GetCredentialReport"))["Content"]
    return content.decode()


async def row(iam: Service, user: str) -> dict[str, str]:
    return next(row for row in csv.DictReader(io.StringIO(await report(iam))) if row["user"] == user)


async def test_the_lines_are_those_of_aws_and_the_root_user_is_first(iam: Service) -> None:
    for name in ("bea", "Ann", "cid,x"):
        await done(iam, "CreateUser", UserName=name)
    lines = (await report(iam)).split("\n")
    assert lines[0] == HEADER
    assert [line.partition(",")[0] for line in lines[1:]] == ["<root_account>", "Ann", "bea", '"cid']
    assert lines[2] == (
        f"Ann,arn:aws:iam::{ACCOUNT}:user/Ann,{AT},false,N/A,N/A,N/A,false,"
        "false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
    )


async def test_the_root_user_has_a_key_and_no_password(iam: Service) -> None:
    await iam.app.usage.flush()
    shown = await row(iam, "<root_account>")
    assert shown["arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert (shown["password_enabled"], shown["password_last_used"]) == ("false", NONE)
    assert (shown["password_last_changed"], shown["password_next_rotation"]) == (NONE, "not_supported")
    assert (shown["access_key_1_active"], shown["access_key_1_last_rotated"]) == ("true", AT)
    assert shown["access_key_2_active"] == "false"


async def test_a_password_is_shown_with_its_dates(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    await done(iam, "CreateLoginProfile", UserName="ann", Password="Correct-horse-1")
    await done(iam, "UpdateAccountPasswordPolicy", MaxPasswordAge=2)
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "ann")
        assert user is not None
        await transaction.put(replace(user, password_last_used=int(NOW) - 86_400))
    shown = await row(iam, "ann")
    assert shown["password_enabled"] == "true"
    assert shown["password_last_used"] == "2027-01-14T08:00:00Z"
    assert shown["password_last_changed"] == AT
    assert shown["password_next_rotation"] == "2027-01-17T08:00:00Z"


async def test_a_password_that_never_was_used_and_never_expires_says_so(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    await done(iam, "CreateLoginProfile", UserName="ann", Password="Correct-horse-1")
    shown = await row(iam, "ann")
    assert (shown["password_last_used"], shown["password_next_rotation"]) == ("no_information", NONE)


async def test_keys_are_shown_with_their_last_use(iam: Service) -> None:
    key = await person(iam, "ann")
    await iam.call("sts", "GetCallerIdentity", key)
    await iam.app.usage.flush()
    shown = await row(iam, "ann")
    found = {name: shown[f"access_key_1_{name}"] for name in credential_report._KEY}
    assert found == {
        "active": "true",
        "last_rotated": AT,
        "last_used_date": AT,
        "last_used_region": "us-east-1",
        "last_used_service": "sts",
    }


async def test_an_inactive_key_keeps_its_date(iam: Service) -> None:
    key = await person(iam, "ann")
    await done(iam, "UpdateAccessKey", UserName="ann", AccessKeyId=key.access_key, Status="Inactive")
    shown = await row(iam, "ann")
    assert (shown["access_key_1_active"], shown["access_key_1_last_rotated"]) == ("false", AT)


async def test_certificates_are_shown_and_more_than_two_are_told_of(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "ann")
        assert user is not None
        for number in range(3):
            certificate = SigningCertificate(
                account=ACCOUNT,
                user_id=user.unique_id,
                unique_id=f"CERT{number}",
                body="x",
                fingerprint=str(number),
                status="Inactive" if number else "Active",
                uploaded_at=int(NOW),
            )
            await transaction.put(certificate)
        for number in range(3):
            await transaction.put(AccessKey(f"AKIA{number}", ACCOUNT, user.unique_id, b"x", "Active", 1))
    shown = await row(iam, "ann")
    assert [shown[f"cert_{place}_active"] for place in (1, 2)] == ["true", "false"]
    assert shown["cert_2_last_rotated"] == AT
    assert shown["additional_credentials_info"] == (
        "1 additional access keys, see iam:ListAccessKeys; 1 additional certificates, see iam:ListSigningCertificates"
    )


async def test_a_report_is_started_and_then_complete(iam: Service) -> None:
    assert await done(iam, "GenerateCredentialReport") == {
        "State": "STARTED",
        "Description": "No report exists. Starting a new report generation task",
    }
    assert await done(iam, "GenerateCredentialReport") == {"State": "COMPLETE"}
    shown = await done(iam, "GetCredentialReport")
    assert shown.pop("Content").decode().startswith(HEADER)
    assert shown == {
        "ReportFormat": "text/csv",
        "GeneratedTime": datetime.datetime.fromtimestamp(NOW, datetime.UTC),
    }


async def test_a_report_is_not_made_again_within_four_hours(iam: Service) -> None:
    before = await report(iam)
    await done(iam, "CreateUser", UserName="ann")
    iam.clock.advance(REPORT_SECONDS - 1)
    assert await report(iam) == before
    iam.clock.advance(1)
    assert (await refused(iam, "GetCredentialReport"))[0] == "ReportExpired"
    assert (await done(iam, "GenerateCredentialReport"))["State"] == "STARTED"
    assert "ann," in await report(iam)


async def test_without_a_report_there_is_none_to_get(iam: Service) -> None:
    answer = await iam.call("iam", "GetCredentialReport", ROOT)
    assert (answer.status, answer.code) == (410, "ReportNotPresent")


async def test_others_have_their_turn_while_a_report_is_made(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_report, "REPORT_ROWS_AT_ONCE", 1)
    for name in ("ann", "bea"):
        await done(iam, "CreateUser", UserName=name)
    assert len((await report(iam)).split("\n")) == 4
