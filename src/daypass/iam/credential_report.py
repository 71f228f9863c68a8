# SPDX-License-Identifier: Apache-2.0
"""
The credential report (IAM User Guide, "Generate credential reports for your AWS account"): GenerateCredentialReport,
GetCredentialReport.

A CSV of all users, the root user first, and the state of their credentials. It is made within the request that asks for it,
a few rows at a time so that others have their turn, and kept for four hours.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, TypeVar

from daypass.access import Permitted
from daypass.access.second_factor import ROOT_OWNER
from daypass.awsapi.parameters import Parameters
from daypass.clock import iso8601
from daypass.errors import EntityError, Reason
from daypass.iam.account_settings import settings_of
from daypass.iam.limits import REPORT_ROWS_AT_ONCE, REPORT_SECONDS
from daypass.iam.service import Iam
from daypass.iam.usage import newest, uses_of
from daypass.principal import Root
from daypass.store import AccessKey, CredentialReport, PasswordPolicy, SigningCertificate, User, View

Item = TypeVar("Item")

_KEY: Final = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS: Final = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *[f"access_key_1_{name}" for name in _KEY],
    *[f"access_key_2_{name}" for name in _KEY],
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)
_ADDITIONAL: Final = "additional_credentials_info"
"""A column that is there only when somebody has more than two of a kind, as in AWS's reports."""

_DAY: Final = 86_400
_NOT_APPLICABLE: Final = "N/A"
_NO_KEY: Final = ("false", *[_NOT_APPLICABLE] * 4)
_NO_CERTIFICATE: Final = ("false", _NOT_APPLICABLE)


async def generate_credential_report(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """
    Make a report, unless there is one that is less than four hours old.

    The answer to the request that makes one is STARTED, as AWS's is, though the report is there already: COMPLETE comes with
    the next, which is what clients wait for.
    """
    account, now = permitted.caller.principal.account, int(permitted.facts.now)
    view = iam.store.view()
    if _is_good(view.credential_reports.with_key(account), now):
        return {"State": "COMPLETE"}
    content = await _content(view, account, now)
    async with iam.store.transaction() as transaction:
        if not _is_good(transaction.view.credential_reports.with_key(account), now):
            await transaction.put(CredentialReport(account, now, content))
    return {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}


async def get_credential_report(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The report, as it was made."""
    report = iam.store.view().credential_reports.with_key(permitted.caller.principal.account)
    if report is None:
        raise EntityError(Reason.REPORT_NOT_PRESENT, "No credential report exists; generate one first.")
    if not _is_good(report, int(permitted.facts.now)):
        raise EntityError(Reason.REPORT_EXPIRED, "The credential report is older than four hours; generate another.")
    return {
        "Content": report.content.encode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": report.generated_at,
    }


def _is_good(report: CredentialReport | None, now: int) -> bool:
    return report is not None and now - report.generated_at < REPORT_SECONDS


async def _content(view: View, account: str, now: int) -> str:
    """The CSV, its lines ended by LF but for the last, which has no end, as AWS's."""
    policy = settings_of(view, account).password_policy
    rows: list[list[str]] = []
    async for batch in _in_turns(view.users.of(account)):
        rows += [_user_row(view, user, policy, now) for user in batch]
    rows = [_root_row(view, account, now), *sorted(rows, key=_folded_name)]
    columns = (*COLUMNS, _ADDITIONAL) if any(row[-1] for row in rows) else COLUMNS
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    async for lines in _in_turns(rows):
        writer.writerows([line[: len(columns)] for line in lines])
    return text.getvalue().removesuffix("\n")


async def _in_turns(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """The items, a few at a time, between which others have their turn; the view stays as it is."""
    for start in range(0, len(items), REPORT_ROWS_AT_ONCE):
        yield items[start : start + REPORT_ROWS_AT_ONCE]
        await asyncio.sleep(0)


def _folded_name(row: list[str]) -> str:
    return row[0].casefold()


def _root_row(view: View, account: str, now: int) -> list[str]:
    """The root user, who has access keys and no password."""
    known = view.accounts.with_key(account)
    created = 0 if known is None else known.created_at
    keys = view.access_keys.linked(account, ("root", account))
    return [
        "<root_account>",
        Root(account).arn,
        iso8601(created),
        "false",
        _NOT_APPLICABLE,
        _NOT_APPLICABLE,
        "not_supported",
        _yes(bool(view.mfa_devices.linked(account, ("user", ROOT_OWNER)))),
        *_keys(view, keys, now),
        *_certificates(()),
        _additional(keys, ()),
    ]


def _user_row(view: View, user: User, policy: PasswordPolicy | None, now: int) -> list[str]:
    of_user = ("user", user.unique_id)
    keys = view.access_keys.linked(user.account, of_user)
    certificates = view.signing_certificates.linked(user.account, of_user)
    return [
        user.name,
        user.arn,
        iso8601(user.created_at),
        *_password(view, user, policy),
        _yes(bool(view.mfa_devices.linked(user.account, of_user))),
        *_keys(view, keys, now),
        *_certificates(certificates),
        _additional(keys, certificates),
    ]


def _password(view: View, user: User, policy: PasswordPolicy | None) -> Iterable[str]:
    profile = view.login_profiles.with_key(user.unique_id)
    if profile is None:
        return "false", _NOT_APPLICABLE, _NOT_APPLICABLE, _NOT_APPLICABLE
    used = "no_information" if user.password_last_used is None else iso8601(user.password_last_used)
    days = None if policy is None else policy.max_age_days
    due = _NOT_APPLICABLE if days is None else iso8601(profile.changed_at + days * _DAY)
    return "true", used, iso8601(profile.changed_at), due


def _keys(view: View, keys: Sequence[AccessKey], now: int) -> Iterable[str]:
    for place in range(2):
        if place >= len(keys):
            yield from _NO_KEY
            continue
        key = keys[place]
        use = newest(uses_of(view, key.account, key.access_key_id, now))
        yield from (_flag(key.status), iso8601(key.created_at))
        yield from (_NOT_APPLICABLE,) * 3 if use is None else (iso8601(use.used_at), use.region, use.service)


def _certificates(certificates: Sequence[SigningCertificate]) -> Iterable[str]:
    for place in range(2):
        if place < len(certificates):
            yield from (_flag(certificates[place].status), iso8601(certificates[place].uploaded_at))
        else:
            yield from _NO_CERTIFICATE


def _flag(status: str) -> str:
    return _yes(status == "Active")


def _yes(there: bool) -> str:
    return "true" if there else "false"


def _additional(keys: Sequence[AccessKey], certificates: Sequence[SigningCertificate]) -> str:
    """What does not fit into the columns (IAM User Guide: the number, and the action that lists them)."""
    kinds = (
        (len(keys), "access keys", "ListAccessKeys"),
        (len(certificates), "certificates", "ListSigningCertificates"),
    )
    return "; ".join(f"{count - 2} additional {words}, see iam:{action}" for count, words, action in kinds if count > 2)
