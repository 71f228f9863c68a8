# SPDX-License-Identifier: Apache-2.0
"""``daypass audit`` and ``daypass why``, beside a server that is running on the same store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from cli.commands import Ended, daypass
from daypass.cli.audit import command
from daypass.cli.audit.selection import Wanted
from daypass.cli.explain.recorded import lines_of
from daypass.clock import iso8601
from in_process import ACCOUNT, NOW, ROOT, Answer, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}}
        ],
    }
)
MAY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Own", "Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/bob"},
            {"Sid": "Never", "Effect": "Deny", "Action": "iam:Delete*", "Resource": "*"},
        ],
    }
)


@dataclass
class Story:
    """What happened, in this order; each a second after the one before."""

    place: Path
    made_role: Answer
    assumed: Answer
    used: Answer
    denied: Answer
    denied_outright: Answer
    unsigned: Answer


def request_id(answer: Answer) -> str:
    return answer.headers[b"x-amzn-requestid"].decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    place = tmp_path_factory.mktemp("data")
    async with service(place) as running:
        yield await told(running, place)


async def told(running: Service, place: Path) -> Story:
    async def call(*arguments: Any, **parameters: str) -> Answer:
        running.clock.advance(1)
        return await running.call(*arguments, **parameters)

    await call("iam", "CreateUser", ROOT, UserName="ann")
    await call("iam", "PutUserPolicy", ROOT, UserName="ann", PolicyName="main", PolicyDocument=MAY)
    made = await call("iam", "CreateAccessKey", ROOT, UserName="ann")
    ann = Credentials(str(made.text("AccessKeyId")), str(made.text("SecretAccessKey")))
    made_role = await call("iam", "CreateRole", ROOT, RoleName="Dev", AssumeRolePolicyDocument=TRUST)
    role = f"arn:aws:iam::{ACCOUNT}:role/Dev"
    assumed = await call("sts", "AssumeRole", ann, RoleArn=role, RoleSessionName="web", SourceIdentity="")
    if assumed.status != 200:
        assumed = await call("sts", "AssumeRole", ann, RoleArn=role, RoleSessionName="web")
    session = Credentials(*(str(assumed.text(name)) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
    found = Story(
        place,
        made_role,
        assumed,
        await call("sts", "GetCallerIdentity", session),
        await call("iam", "GetUser", ann, UserName="ann"),
        await call("iam", "DeleteUser", ann, UserName="ann"),
        await call("iam", "ListUsers", None),
    )
    await running.app.audit.flush()
    return found


async def search(story: Story, *arguments: str) -> list[dict[str, Any]]:
    ended = await daypass("audit", "search", "--json", *arguments, data_dir=story.place)
    return [json.loads(line) for line in ended.lines]


async def found(story: Story, *arguments: str) -> list[str]:
    return [record["eventName"] for record in await search(story, *arguments)]


async def test_records_are_shown_newest_first_in_cloudtrails_shape(story: Story) -> None:
    records = await search(story)
    assert [record["eventName"] for record in records][:4] == [
        "ListUsers",
        "DeleteUser",
        "GetUser",
        "GetCallerIdentity",
    ]
    assert records[-1]["eventName"] == "CreateUser"
    assert {record["eventVersion"] for record in records} == {"1.11"}


async def test_a_line_says_when_what_who_from_where_and_how_it_ended(story: Story) -> None:
    [line] = (await daypass("audit", "search", "--event", "GetUser", data_dir=story.place)).lines
    assert line.split()[1:] == [
        "iam:GetUser",
        f"arn:aws:iam::{ACCOUNT}:user/ann",
        "127.0.0.1",
        "AccessDenied",
        "(not-authorized)",
        request_id(story.denied),
    ]


async def test_records_are_found_by_what_they_say(story: Story) -> None:
    ann = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert await found(story, "--user", "ann", "--error", "AccessDenied") == ["DeleteUser", "GetUser"]
    assert await found(story, "--user", ann, "--limit", "1") == ["DeleteUser"]
    assert await found(story, "--user", "an") == []
    for role in ("Dev", f"arn:aws:iam::{ACCOUNT}:role/Dev"):
        names = await found(story, "--role", role)
        assert names[0] == "GetCallerIdentity"
        assert set(names) == {"GetCallerIdentity", "AssumeRole", "CreateRole"}
    assert await found(story, "--event", "AssumeRole", "--user", "ann", "--limit", "1") == ["AssumeRole"]
    assert await found(story, "--reason", "unsigned-request") == ["ListUsers"]
    assert await found(story, "--request-id", request_id(story.made_role)) == ["CreateRole"]
    assert len(await found(story, "--account", ACCOUNT)) == len(await found(story)) - 1
    assert await found(story, "--account", "210987654321") == []


async def test_records_are_found_by_their_time_to_the_second(story: Story) -> None:
    everything = await search(story)
    at = everything[2]["eventTime"]
    assert await found(story, "--since", at) == [record["eventName"] for record in everything[:3]]
    assert await found(story, "--until", at, "--limit", "1") == [everything[2]["eventName"]]
    assert await found(story, "--since", iso8601(NOW + 3600)) == []
    ended = await daypass("audit", "search", "--since", "yesterday", data_dir=story.place)
    assert ended.code == 2


async def test_what_is_not_of_the_time_or_the_name_is_not_meant() -> None:
    record = {
        "eventTime": "2027-01-15T08:00:00Z",
        "eventName": "GetRole",
        "requestID": "r",
        "userIdentity": {"type": "Unknown"},
    }
    assert Wanted(since=NOW, until=NOW, event="GetRole").meant(record)
    assert Wanted(since=NOW + 0.9).meant(record), "a record has whole seconds"
    for other in (Wanted(since=NOW + 1), Wanted(until=NOW - 1), Wanted(event="GetUser"), Wanted(error="AccessDenied")):
        assert not other.meant(record)


async def test_tail_shows_the_newest_records_oldest_first(story: Story) -> None:
    ended = await daypass("audit", "tail", "--limit", "3", data_dir=story.place)
    assert [line.split()[1] for line in ended.lines] == ["iam:GetUser", "iam:DeleteUser", "iam:ListUsers"]


async def test_tail_goes_on_with_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with service(tmp_path) as running:
        looked = []

        def look_again(_seconds: float) -> None:
            looked.append(1)
            if len(looked) == 2:
                raise KeyboardInterrupt

        await running.call("iam", "ListUsers")
        await running.app.audit.flush()
        before = command._print_after

        def with_news(*arguments: Any, **more: Any) -> int:
            if not looked:
                _copy_of_the_last_block(tmp_path / "daypass.db")
            return before(*arguments, **more)

        monkeypatch.setattr("daypass.cli.audit.command.time.sleep", look_again)
        monkeypatch.setattr(command, "_print_after", with_news)
        ended = await daypass("audit", "tail", "--follow", "--limit", "0", data_dir=tmp_path)
        assert [line.split()[1] for line in ended.lines] == ["iam:ListUsers"]


def _copy_of_the_last_block(path: Path) -> None:
    columns = "begun_at, ended_at, records, bytes_before, content, previous, digest"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO audit_block ({columns}) SELECT {columns} FROM audit_block")


async def test_a_chain_that_holds_is_said_to_and_one_that_does_not_fails(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        for _ in range(3):
            await running.call("iam", "ListUsers")
            await running.app.audit.flush()
        intact = (await daypass("audit", "verify", "--json", data_dir=tmp_path)).answer
        assert (intact["intact"], intact["blocks"], intact["records"]) == (True, 3, 3)
        known = await daypass("audit", "verify", "--known", intact["digest"], data_dir=tmp_path)
        assert known.lines[0] == "Blocks 1 to 3 hold together: 3 records."
        assert (await daypass("audit", "verify", "--known", "ab", data_dir=tmp_path)).code == 2
        assert (await daypass("audit", "verify", "--known", "00" * 32, data_dir=tmp_path)).code == 1
        with closing(sqlite3.connect(tmp_path / "daypass.db")) as connection, connection:
            connection.execute("UPDATE audit_block SET content = zeroblob(3) WHERE number = 2")
        broken = await daypass("audit", "verify", data_dir=tmp_path)
        assert broken.code == 1
        assert broken.output.splitlines()[-1] == "Broken at block 2: its content is not what was written."
        assert len((await daypass("audit", "search", data_dir=tmp_path)).lines) == 2, "what can be read is shown"


# Why


async def why(story: Story, asked: str, *arguments: str) -> Ended:
    return await daypass("why", asked, *arguments, data_dir=story.place)


async def lines_about(story: Story, answer: Answer) -> list[str]:
    """What is told of a request; as a terminal that has every sign shows it."""
    shown = await why(story, request_id(answer), "--json")
    lines = list(lines_of(shown.answer["record"]))
    printed = (await why(story, request_id(answer))).lines
    assert printed == [line.encode("ascii", "replace").decode() for line in lines]
    return lines


async def test_a_denial_tells_what_was_asked_what_nearly_applied_and_what_to_change(story: Story) -> None:
    lines = await lines_about(story, story.denied)
    user = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert lines[0] == f"DENIED (implicit)  iam:GetUser on {user}"
    assert lines[1] == f"  by {user}"
    assert f"  {story.denied.message}" in lines
    [decides] = [line for line in lines if line.startswith("→")]
    assert decides == "→ ✕ identity-based policies: no statement allows it (this decides)"
    begun = lines.index("      – closest: Own of inline:main: Allow, does not apply")
    assert lines[begun + 1 : begun + 3] == [
        "          Action ✓ iam:GetUser",
        "          Resource ✕ arn:aws:iam::*:user/bob (the resource part differs)",
    ]
    assert lines[-2:] == [
        "To allow it:",
        f"  - add a statement that allows iam:GetUser on {user} (identity-based policies)",
    ]


async def test_an_explicit_denial_names_the_statement(story: Story) -> None:
    lines = await lines_about(story, story.denied_outright)
    assert lines[0].startswith("DENIED (explicit)  iam:DeleteUser")
    assert "→ ✕ identity-based policies: denied by Never of inline:main (this decides)" in lines
    assert "      ✓ Never of inline:main: Deny, applies" in lines
    assert "  - remove or narrow Never of inline:main, which denies it" in lines


async def test_what_was_done_tells_what_is_known(story: Story) -> None:
    lines = (await why(story, request_id(story.assumed))).lines
    assert lines[0] == "DONE  sts:AssumeRole"
    assert f"  asked: roleArn = arn:aws:iam::{ACCOUNT}:role/Dev" in lines
    assert any(line.startswith("  answered: credentials = ") for line in lines)


async def test_what_was_refused_otherwise_tells_the_reason(story: Story) -> None:
    lines = (await why(story, request_id(story.unsigned))).lines
    assert lines[:2] == ["REFUSED (MissingAuthenticationToken)  iam:ListUsers", "  by nobody that is known"]
    assert "  reason: unsigned-request (docs/errors.md)" in lines


async def test_last_is_the_newest_that_was_refused(story: Story) -> None:
    shown = (await why(story, "last", "--json")).answer["record"]
    assert shown["requestID"] == request_id(story.unsigned)


async def test_a_request_that_the_trail_does_not_have_is_an_error(story: Story) -> None:
    ended = await why(story, "nothing")
    assert ended.code == 1
    assert "the audit trail has no request 'nothing'" in ended.error


async def test_a_record_with_a_code_and_no_reason_is_shown_all_the_same() -> None:
    record = {
        "eventTime": "2027-01-15T08:00:00Z",
        "userIdentity": {"type": "Unknown"},
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "sourceIPAddress": "unknown",
        "errorCode": "InternalError",
        "requestID": "request",
    }
    assert "InternalError (-)" in command.summary(record)
