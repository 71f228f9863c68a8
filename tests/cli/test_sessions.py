# SPDX-License-Identifier: Apache-2.0
"""``daypass sessions``, beside a server that is running on the same store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from access.sessions_made import ANN, DEV, PROVIDER, by_web_identity, issue, let_in, of_user, populate
from cli.commands import Ended, daypass
from daypass.cli.sessions import command
from daypass.clock import iso8601
from daypass.store import AccessKey, Account, SamlProvider
from in_process import ACCOUNT, Service, service

OTHER = "210987654321"


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service, whose clock is the commands' too."""
    async with service(tmp_path) as found:
        monkeypatch.setattr(command, "system_clock", found.clock)
        yield found


@pytest.fixture
async def key(running: Service) -> AccessKey:
    return await populate(running)


async def sessions(tmp_path: Path, *arguments: str) -> Ended:
    return await daypass("sessions", *arguments, data_dir=tmp_path)


async def listed(tmp_path: Path, *arguments: str) -> list[str]:
    found = (await sessions(tmp_path, "list", *arguments, "--json")).answer["sessions"]
    return [session["access_key_id"] for session in found]


async def test_sessions_are_listed_newest_first_with_what_says_whose_they_are(
    running: Service, key: AccessKey, tmp_path: Path
) -> None:
    made = [issue(running), by_web_identity(running), of_user(running, key)]
    await running.app.issued.flush()
    assert await listed(tmp_path) == [one.access_key_id for one in reversed(made)]
    lines = (await sessions(tmp_path, "list", "--limit", "2")).lines
    begun, ends = iso8601(running.clock()), iso8601(running.clock() + 3600)
    assert lines[1].split() == [
        made[1].access_key_id,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/web",
        begun,
        ends,
        "192.0.2.1",
        "accepted",
    ]
    assert len(lines) == 2


async def test_sessions_are_listed_by_what_would_revoke_them(running: Service, key: AccessKey, tmp_path: Path) -> None:
    alone, proved, own = issue(running), by_web_identity(running), of_user(running, key)
    begun = issue(running, user_id=ANN)
    after = issue(running, origin_provider=PROVIDER, origin_subject="bob")
    await running.app.issued.flush()
    named = {
        ("--role", "Dev"): [after, begun, proved, alone],
        ("--user", "ann"): [begun, own],
        ("--provider", PROVIDER): [after, proved],
        ("--provider", PROVIDER, "--subject", "alice"): [proved],
        ("--account", ACCOUNT): [after, begun, own, proved, alone],
        ("--role", "Dev", "--account", ACCOUNT, "--limit", "2"): [after, begun],
    }
    for arguments, expected in named.items():
        assert await listed(tmp_path, *arguments) == [one.access_key_id for one in expected], arguments


async def test_what_has_expired_is_not_listed(running: Service, key: AccessKey, tmp_path: Path) -> None:
    issue(running, expires_at=int(running.clock()) + 30)
    await running.app.issued.flush()
    running.clock.advance(30)
    assert (await sessions(tmp_path, "list")).output == ""


async def test_a_session_is_shown_with_whether_it_is_let_in_and_why_not(
    running: Service, key: AccessKey, tmp_path: Path
) -> None:
    made = by_web_identity(running, source_identity="alice@example.org")
    await running.app.issued.flush()
    shown = (await sessions(tmp_path, "show", made.access_key_id, "--json")).answer["session"]
    expected = {"role_id": DEV, "provider": PROVIDER, "subject": "alice", "source_identity": "alice@example.org"}
    assert {name: shown[name] for name in expected} == expected
    assert (shown["accepted"], shown["refused_because"]) == (True, None)
    await sessions(tmp_path, "revoke", "--provider", PROVIDER, "--subject", "alice")
    lines = (await sessions(tmp_path, "show", made.access_key_id)).lines
    assert [line.split(maxsplit=1)[1] for line in lines[-2:]] == [
        "no",
        f"because  it was revoked: subject {PROVIDER} alice",
    ]
    assert (await sessions(tmp_path, "list")).lines[0].endswith("refused")


async def test_a_session_that_was_not_noted_cannot_be_shown_but_can_be_revoked(
    running: Service, key: AccessKey, tmp_path: Path
) -> None:
    made = issue(running)
    ended = await sessions(tmp_path, "show", made.access_key_id)
    assert ended.code == 1
    assert "the log has no session" in ended.error
    done = await sessions(tmp_path, "revoke", "--session", made.access_key_id)
    assert done.lines[0].endswith("the log has 0.")
    assert not await let_in(running, made)


@pytest.mark.parametrize(
    ("arguments", "ends"),
    [
        (("--role", "Dev"), {"alone", "proved", "begun"}),
        (("--user", "ann"), {"own", "begun"}),
        (("--provider", PROVIDER), {"proved"}),
        (("--provider", PROVIDER, "--subject", "alice"), {"proved"}),
        (("--provider", PROVIDER, "--subject", "bob"), set()),
        (("--all",), {"alone", "proved", "own", "begun"}),
        (("--all", "--account", ACCOUNT), {"alone", "proved", "own", "begun"}),
    ],
    ids=lambda value: " ".join(sorted(value) if isinstance(value, set) else value),
)
async def test_what_is_revoked_is_refused_by_the_next_request_and_nothing_else_is(
    running: Service, key: AccessKey, tmp_path: Path, arguments: tuple[str, ...], ends: set[str]
) -> None:
    made = {
        "alone": issue(running),
        "proved": by_web_identity(running),
        "own": of_user(running, key),
        "begun": issue(running, user_id=ANN),
    }
    assert [name for name, one in made.items() if not await let_in(running, one)] == []
    [done] = (await sessions(tmp_path, "revoke", *arguments, "--json")).answer["revoked"]
    assert done["sessions_in_the_log"] == len(ends)
    assert {name for name, one in made.items() if not await let_in(running, one)} == ends
    running.clock.advance(1)
    assert await let_in(running, issue(running)), "what is issued afterwards is good"


async def test_sessions_up_to_an_instant_are_revoked_and_later_ones_left(
    running: Service, key: AccessKey, tmp_path: Path
) -> None:
    old = issue(running)
    running.clock.advance(30)
    new = issue(running)
    before = iso8601(running.clock() - 1)
    await sessions(tmp_path, "revoke", "--role", "Dev", "--before", before)
    assert [await let_in(running, one) for one in (old, new)] == [False, True]
    [shown] = (await sessions(tmp_path, "list", "--revocations", "--json")).answer["revocations"]
    assert (shown["scope"], shown["value"], shown["issued_at_or_before"]) == ("role", DEV, before)
    [line] = (await sessions(tmp_path, "list", "--revocations")).lines
    assert line.startswith(f"role  {DEV}  issued until {before}")


async def test_all_sessions_of_every_account_or_of_one(running: Service, key: AccessKey, tmp_path: Path) -> None:
    async with running.app.store.transaction() as transaction:
        await transaction.put(Account(OTHER, 1))
    here, there = issue(running), issue(running, account=OTHER, kind="root", role_id="")
    await sessions(tmp_path, "revoke", "--all", "--account", OTHER)
    assert [await let_in(running, one) for one in (here, there)] == [True, False]
    assert len((await sessions(tmp_path, "revoke", "--all", "--json")).answer["revoked"]) == 2
    assert not await let_in(running, here)
    refused = await sessions(tmp_path, "revoke", "--role", "Dev")
    assert refused.code == 2, "which account?"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--role", "Dev", "--user", "ann"),
        ("--session", "ASIA", "--all"),
        ("--session", "AKIAQNZKJ3EXAMPLE234"),
        ("--session", "nonsense"),
        ("--subject", "alice"),
        ("--provider", "nonsense"),
        ("--role", "Dev", "--subject", "alice"),
        ("--provider", PROVIDER, "--account", ACCOUNT),
        ("--all", "--account", "12"),
        ("--all", "--before", "yesterday"),
        ("--all", "--before", "2026-01-31T12:00:00"),
        ("--all", "--before", "2026-01-31T12:00:00Z"),
        ("--all", "--before", "2027-01-15T08:00:01Z"),
        ("--all", "--before", "2999-01-31T12:00:00Z"),
    ],
    ids=" ".join,
)
async def test_wrong_usage_is_exit_code_2_and_revokes_nothing(
    running: Service, key: AccessKey, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = await sessions(tmp_path, "revoke", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert len(running.app.store.view().revocations) == 0


async def test_sessions_of_a_saml_provider_are_revoked_by_its_arn(
    running: Service, key: AccessKey, tmp_path: Path
) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:saml-provider/Office"
    async with running.app.store.transaction() as transaction:
        await transaction.put(SamlProvider(ACCOUNT, "Office", "U" * 32, "urn:idp", "<xml/>", None, 1))
    made = issue(running, provider_arn=arn, subject="ann"), issue(running, provider_arn=arn, subject="bob")
    assert [await let_in(running, one) for one in made] == [True, True]
    await sessions(tmp_path, "revoke", "--provider", arn, "--subject", "ann")
    assert [await let_in(running, one) for one in made] == [False, True]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--role", "Nobody"),
        ("--role", "dev"),
        ("--user", "nobody"),
        ("--provider", PROVIDER + ".not"),
        ("--all", "--account", OTHER),
    ],
    ids=" ".join,
)
async def test_what_is_not_there_is_refused_and_revokes_nothing(
    running: Service, key: AccessKey, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = await sessions(tmp_path, "revoke", *arguments)
    assert (ended.code, ended.output) == (1, "")
    assert "sessions end with what they came from" in ended.error
    assert len(running.app.store.view().revocations) == 0
