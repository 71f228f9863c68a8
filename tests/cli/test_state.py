# SPDX-License-Identifier: Apache-2.0
"""``daypass plan``, ``apply`` and ``export``: what they print, their exit codes, and that a running server knows at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.commands import Ended, daypass
from daypass.resources import is_managed
from daypass.store import STATE_FILE, PublicAccess, Store
from resources.lake import ARN, OTHER, OWNER, Lake, document, filled, root, statement

SHARED = json.loads(document(statement(principal={"AWS": OTHER})))


@pytest_asyncio.fixture
async def lake(tmp_path: Path) -> AsyncIterator[Lake]:
    """The store of a running server, in the directory that the commands are given."""
    store = await Store.open(None, tmp_path)
    try:
        yield await filled(store)
    finally:
        await store.close()


def state(tmp_path: Path, *resources: dict[str, Any], **more: Any) -> str:
    path = tmp_path / "state.yaml"
    entries = "".join(f"\n- {json.dumps(one)}" for one in resources)
    rest = "".join(f"\n{name}: {json.dumps(value)}" for name, value in more.items())
    path.write_text(f"version: 1\nresources:{entries or ' []'}{rest}")
    return str(path)


async def run(tmp_path: Path, *arguments: str) -> Ended:
    return await daypass(*arguments, data_dir=tmp_path)


async def test_a_plan_shows_what_applying_does_and_a_running_server_knows_it_at_once(
    lake: Lake, tmp_path: Path
) -> None:
    file = state(tmp_path, {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": "all"})
    lines = (await run(tmp_path, "plan", file)).lines
    assert lines[0] == f"= owner of {ARN} (line 3): as wanted already; managed by the file from now on"
    assert lines[1] == f"+ public access block of {ARN} (line 3): none -> all"
    assert lines[2] == f"+ policy of {ARN} (line 3): new"
    assert lines[3] == "    +{"
    assert '    +          "Action": "s3:GetObject",' not in lines
    assert '    +      "Action": "s3:GetObject",' in lines
    assert lines[-1] == "2 to add, 1 to take over; 0 as wanted."
    assert not lake.may(root(OTHER))
    assert (await run(tmp_path, "apply", file)).lines == [*lines, "Applied."]
    assert lake.may(root(OTHER))
    assert (await run(tmp_path, "plan", file)).lines == ["Nothing to change; 3 as wanted."]


async def test_of_a_policy_that_changes_the_lines_that_differ_are_shown(lake: Lake, tmp_path: Path) -> None:
    await run(tmp_path, "apply", state(tmp_path, {"arn": ARN, "policy": SHARED}))
    changed = {**SHARED, "Statement": [{**SHARED["Statement"][0], "Action": "s3:PutObject"}]}
    lines = (await run(tmp_path, "plan", state(tmp_path, {"arn": ARN, "policy": changed}))).lines
    assert lines[0] == f"~ policy of {ARN} (line 3): changed"
    assert [line.strip() for line in lines if line.startswith(("    +", "    -"))] == [
        '-      "Action": "s3:GetObject",',
        '+      "Action": "s3:PutObject",',
    ]


async def test_what_leaves_the_file_is_shown(lake: Lake, tmp_path: Path) -> None:
    whole = {"arn": ARN, "owner": OWNER, "policy": SHARED}
    await run(tmp_path, "apply", state(tmp_path, whole, public_access_blocks={OWNER: {"block_public_acls": True}}))
    lines = (await run(tmp_path, "plan", state(tmp_path, public_access_blocks={OWNER: "none"}))).lines
    assert lines[0] == f"~ public access block of {OWNER} (line 3): block_public_acls -> none"
    assert f". owner of {ARN}: left the file; stays as it is, managed no longer" in lines
    assert f"- policy of {ARN}: left the file; removed" in lines
    assert lines[-1] == "1 to change, 1 to remove, 1 to let go; 0 as wanted."


async def test_as_json_everything_is_one_object(lake: Lake, tmp_path: Path) -> None:
    file = state(tmp_path, {"arn": ARN, "public_access_block": {"block_public_acls": True}})
    found = (await run(tmp_path, "plan", file, "--json")).answer
    off = dict.fromkeys(("ignore_public_acls", "block_public_policy", "restrict_public_buckets"), False)
    assert found == {
        "file": file,
        "applied": False,
        "changes": [
            {
                "action": "add",
                "aspect": "public-access-block",
                "target": ARN,
                "line": 3,
                "before": None,
                "after": {"block_public_acls": True, **off},
            }
        ],
        "counts": {"add": 1, "change": 0, "adopt": 0, "remove": 0, "release": 0},
        "unchanged": 0,
    }
    applied = (await run(tmp_path, "apply", file, "--json")).answer
    assert applied == {**found, "applied": True}


async def test_exit_codes_tell_changes_refusals_and_wrong_usage_apart(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = state(tmp_path, {"arn": ARN, "owner": OWNER})
    assert (await run(tmp_path, "plan", file)).code == 0
    assert (await run(tmp_path, "plan", file, "--detailed-exitcode")).code == 2
    assert (await run(tmp_path, "apply", file)).code == 0
    assert (await run(tmp_path, "plan", file, "--detailed-exitcode")).code == 0
    for command in ("plan", "apply"):
        assert (await run(tmp_path, command)).code == 2, "no file at all"
    monkeypatch.setenv("DAYPASS_STATE", file)
    for command in ("plan", "apply"):
        assert (await run(tmp_path, command)).code == 0, "the file of the settings"


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"arn": ARN, "polcy": "x"}, "line 3: resources[0].polcy: unknown key; did you mean policy?"),
        ({"arn": ARN, "policy": "absent.json"}, "line 3: 'absent.json' cannot be read: FileNotFoundError"),
        ({"arn": ARN, "owner": "999999999999"}, f"line 3: {ARN}: There is no account 999999999999."),
    ],
)
async def test_a_file_that_is_wrong_is_refused_in_one_line_and_changes_nothing(
    lake: Lake, tmp_path: Path, command: str, entry: dict[str, Any], says: str
) -> None:
    before = lake.store.view().revision
    ended = await run(tmp_path, command, state(tmp_path, entry))
    assert (ended.code, ended.output) == (1, "")
    assert ended.error.startswith("daypass: ")
    assert ended.error.count("\n") == 1
    assert says in ended.error
    assert lake.store.view().revision == before


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for command in (("plan", state(tmp_path)), ("apply", state(tmp_path)), ("export",)):
        assert (await run(tmp_path, *command)).code == 1
    assert not (tmp_path / "daypass.db").exists()


async def test_what_is_released_stays_and_is_managed_no_longer(lake: Lake, tmp_path: Path) -> None:
    file = state(tmp_path, {"arn": ARN, "owner": OWNER, "policy": SHARED})
    await run(tmp_path, "apply", file)
    assert (await run(tmp_path, "apply", file, "--release")).code == 2
    assert (await run(tmp_path, "apply", "--release", "--json")).answer == {"released": 2}
    assert lake.may(root(OTHER))
    assert (await run(tmp_path, "resources", "remove-policy", ARN)).code == 0


async def test_what_the_file_manages_is_shown_and_not_changed_by_other_commands(lake: Lake, tmp_path: Path) -> None:
    await run(tmp_path, "apply", state(tmp_path, {"arn": ARN, "owner": OWNER, "policy": SHARED}))
    shown = (await run(tmp_path, "resources", "show", ARN, "--json")).answer["resource"]
    assert shown["managed_by_file"] == ["owner", "policy"]
    assert "managed by file      owner, policy" in (await run(tmp_path, "resources", "show", ARN)).lines
    for arguments in (("remove-policy", ARN), ("set-owner", ARN, OTHER)):
        ended = await run(tmp_path, "resources", *arguments)
        assert ended.code == 1
        assert "is managed by the state file of this service; change it there." in ended.error
    assert (await run(tmp_path, "resources", "public-access", ARN, "--block-public-acls")).code == 0


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_an_export_is_a_state_file_of_what_is_there(lake: Lake, tmp_path: Path, form: tuple[str, ...]) -> None:
    await lake.policy(
        statement(principal={"AWS": OTHER}, Sid="no", Condition={"StringEquals": {"s3:x/é": ["1", "on"]}})
    )
    await lake.block(PublicAccess(restrict_public_buckets=True))
    ended = await run(tmp_path, "export", *form)
    assert ended.output.isascii()
    (tmp_path / "exported.yaml").write_text(ended.output)
    found = (await run(tmp_path, "apply", str(tmp_path / "exported.yaml"), "--json")).answer
    assert found["counts"] == {"add": 0, "change": 0, "adopt": 3, "remove": 0, "release": 0}
    view = lake.store.view()
    assert is_managed("policy", ARN, view)
    record = view.state_files.with_key(STATE_FILE)
    assert record is not None
    assert record.path == str(tmp_path / "exported.yaml")
