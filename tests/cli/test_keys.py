# SPDX-License-Identifier: Apache-2.0
"""``daypass keys``, beside a server that is running on the same store and follows at its next request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from access.sessions_made import issue, let_in, populate
from cli.commands import Ended, daypass
from daypass.cli import keys as command
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS, MasterKey
from daypass.server.bootstrap import MASTER_KEY_FILE, write_private_file
from daypass.sessions.ring import ACTIVATION_SECONDS
from in_process import Service, service


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service, whose clock is the commands' too."""
    async with service(tmp_path) as found:
        monkeypatch.setattr(command, "system_clock", found.clock)
        await populate(found)
        yield found


async def keys(tmp_path: Path, *arguments: str) -> Ended:
    return await daypass("keys", *arguments, data_dir=tmp_path)


async def states(tmp_path: Path) -> list[str]:
    return [key["state"] for key in (await keys(tmp_path, "list", "--json")).answer["keys"]]


async def only_key(tmp_path: Path) -> str:
    [key] = (await keys(tmp_path, "list", "--json")).answer["keys"]
    return str(key["key"])


async def test_the_list_says_what_each_key_does_and_until_when(running: Service, tmp_path: Path) -> None:
    first = await only_key(tmp_path)
    await keys(tmp_path, "rotate")
    [old, new] = (await keys(tmp_path, "list", "--json")).answer["keys"]
    assert [old["key"], old["state"], new["state"]] == [first, "sealing", "next"]
    assert new["seals_from"] == old["seals_until"]
    assert new["opens_until"] is None
    lines = (await keys(tmp_path, "list")).lines
    assert lines[0].startswith(f"{first}  sealing  seals since ")
    assert f"until {old['seals_until']}; opens until {old['opens_until']}" in lines[0]
    assert f"seals from {new['seals_from']} on" in lines[1]


async def test_a_rotation_is_followed_by_the_running_server_and_ends_no_session(
    running: Service, tmp_path: Path
) -> None:
    before = issue(running)
    answer = (await keys(tmp_path, "rotate", "--json")).answer
    assert [key["state"] for key in answer["retired"]] == ["sealing"]
    assert answer["seals"]["state"] == "next"
    running.clock.advance(ACTIVATION_SECONDS)
    after = issue(running)
    assert [await let_in(running, made) for made in (before, after)] == [True, True]
    sealed = {made.credentials.token[3:8] for made in (before, after) if made.credentials.token}
    assert len(sealed) == 2, "by two keys"


async def test_a_rotation_may_be_told_when_the_new_key_seals(running: Service, tmp_path: Path) -> None:
    await keys(tmp_path, "rotate", "--after", "0")
    assert await states(tmp_path) == ["retired", "sealing"]
    await keys(tmp_path, "rotate", "--after", "3600")
    assert await states(tmp_path) == ["retired", "sealing", "next"]
    refused = await keys(tmp_path, "rotate")
    assert (refused.code, refused.output) == (1, "")
    assert "is already made" in refused.error


async def test_retiring_a_key_lets_the_next_one_seal(running: Service, tmp_path: Path) -> None:
    first = await only_key(tmp_path)
    assert (await keys(tmp_path, "retire", first, "--json")).answer["seals"]["state"] == "next"
    answer = (await keys(tmp_path, "retire", first, "--now", "--json")).answer
    assert answer["seals"]["state"] == "sealing"
    assert await states(tmp_path) == ["retired", "sealing"]
    assert (await keys(tmp_path, "retire", first)).lines == ["Nothing changed: the key seals nothing already."]


async def test_an_emergency_ends_what_a_key_sealed_with_the_next_request(running: Service, tmp_path: Path) -> None:
    first = await only_key(tmp_path)
    made = [issue(running) for _ in range(3)]
    assert [await let_in(running, one) for one in made] == [True] * 3
    ended = await keys(tmp_path, "retire", first, "--emergency")
    assert f"Key {first} is removed; the sessions it sealed have ended (3 in the log)." in ended.lines
    assert [await let_in(running, one) for one in made] == [False] * 3
    assert await states(tmp_path) == ["sealing"]
    assert await let_in(running, issue(running))


@pytest.mark.parametrize("by", ["list", "rotate"])
async def test_keys_that_open_no_more_are_removed(running: Service, tmp_path: Path, by: str) -> None:
    first = await only_key(tmp_path)
    await keys(tmp_path, "rotate", "--after", "0")
    running.clock.advance(ACCEPTED_AFTER_RETIREMENT_SECONDS)
    assert await states(tmp_path) == ["spent", "sealing"]
    ended = await keys(tmp_path, *(("list", "--prune") if by == "list" else ("rotate",)))
    assert ended.lines[-1] == f"Key {first} is removed: it opened nothing any more."
    assert first not in str((await keys(tmp_path, "list", "--json")).answer)
    assert (await keys(tmp_path, "list", "--prune", "--json")).answer["pruned"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("retire",),
        ("retire", "nonsense"),
        ("retire", "00ff"),
        ("rotate", "--after", "-1"),
        ("rotate", "--after", "soon"),
        ("nope",),
    ],
)
async def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await keys(tmp_path, *arguments)
    assert (ended.code, ended.output) == (2, "")


async def test_a_key_that_is_not_there_is_refused(running: Service, tmp_path: Path) -> None:
    ended = await keys(tmp_path, "retire", "00000000", "--emergency")
    assert ended.code == 1
    assert "there is no key '00000000'" in ended.error
    assert await states(tmp_path) == ["sealing"]


@pytest.mark.parametrize("master", [None, "another"])
@pytest.mark.parametrize("arguments", [("rotate",), ("retire", "{}"), ("retire", "{}", "--emergency")])
async def test_without_the_stores_master_key_nothing_is_changed_and_none_is_made(
    running: Service, tmp_path: Path, master: str | None, arguments: tuple[str, ...]
) -> None:
    first = await only_key(tmp_path)
    path = tmp_path / MASTER_KEY_FILE
    path.unlink()
    if master is not None:
        write_private_file(path, MasterKey.generate())
    ended = await keys(tmp_path, *(argument.format(first) for argument in arguments))
    assert ended.code == 1
    assert "master key" in ended.error
    assert await only_key(tmp_path) == first
    assert path.exists() is (master is not None)


async def test_where_there_is_no_store_none_is_made(tmp_path: Path) -> None:
    ended = await keys(tmp_path / "nowhere", "rotate")
    assert ended.code == 1
    assert "there is no database" in ended.error
    assert not (tmp_path / "nowhere").exists()
