# SPDX-License-Identifier: Apache-2.0
"""``daypass keys issuer``, beside a server that is running on the same store and follows at its next request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.commands import Ended, daypass
from daypass.clock import system_clock
from daypass.issuer.keys import KEPT_AFTER, PUBLISHED_BEFORE
from doors import fetch
from in_process import ACCOUNT, Service, service

GET = {"Audience.member.1": "app", "SigningAlgorithm": "ES384"}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Service]:
    """A service with an issuer, whose clock stands where the machine's does: the commands have no other."""
    async with service(tmp_path) as found:
        found.clock.instant = system_clock()
        assert (await found.call("iam", "EnableOutboundWebIdentityFederation")).status == 200
        yield found


async def issuer(tmp_path: Path, *arguments: str) -> Ended:
    return await daypass("keys", "issuer", *arguments, data_dir=tmp_path)


async def keys(tmp_path: Path) -> list[dict[str, Any]]:
    return list((await issuer(tmp_path, "list", "--json")).answer["keys"])


async def signed_by(running: Service) -> str:
    """The id of the key that signs now."""
    from daypass import jose

    answer = await running.call("sts", "GetWebIdentityToken", **GET)
    return str(jose.parse(str(answer.text("WebIdentityToken"))).key_id)


async def published(running: Service) -> set[str]:
    found = await fetch(running, f"/oidc/{ACCOUNT}/.well-known/jwks.json")
    return {key["kid"] for key in found.json["keys"]}


async def test_the_list_says_what_each_key_does_and_until_when(running: Service, tmp_path: Path) -> None:
    await issuer(tmp_path, "rotate")
    found = await keys(tmp_path)
    assert sorted((key["algorithm"], key["state"]) for key in found) == [
        ("ES384", "next"), ("ES384", "signing"), ("RS256", "next"), ("RS256", "signing"),
    ]  # fmt: skip
    old = next(key for key in found if key["state"] == "signing")
    new = next(key for key in found if key["state"] == "next")
    assert old["signs_until"] == new["signs_from"]
    assert (new["signs_until"], new["published_until"]) == (None, None)
    lines = (await issuer(tmp_path, "list", "--account", ACCOUNT)).lines
    assert len(lines) == 4
    assert any(line.startswith(f"{ACCOUNT}  {old['key']}") and old["published_until"] in line for line in lines)


async def test_a_rotation_is_published_by_the_running_server_at_once_and_signs_a_day_later(
    running: Service, tmp_path: Path
) -> None:
    before, known = await signed_by(running), await published(running)
    made = (await issuer(tmp_path, "rotate", "--json")).answer["made"]
    assert await published(running) == known | set(made)
    assert await signed_by(running) == before
    running.clock.advance(PUBLISHED_BEFORE + 1)
    assert await signed_by(running) in made
    running.clock.advance(KEPT_AFTER)
    assert await published(running) == set(made)


async def test_a_second_rotation_says_that_nothing_changed(running: Service, tmp_path: Path) -> None:
    await issuer(tmp_path, "rotate")
    ended = await issuer(tmp_path, "rotate")
    assert (ended.code, ended.lines[0]) == (0, "Nothing changed: the next keys are published already.")
    assert len(await published(running)) == 4


async def test_keys_that_are_withdrawn_are_gone_from_the_running_server(running: Service, tmp_path: Path) -> None:
    before = await published(running)
    made = (await issuer(tmp_path, "rotate", "--withdraw", "--account", ACCOUNT, "--json")).answer["made"]
    assert await published(running) == set(made)
    assert not before & set(made)
    running.clock.instant = system_clock() + 1
    assert await signed_by(running) in made


async def test_where_no_account_has_an_issuer_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    async with service(tmp_path):
        ended = await issuer(tmp_path, "rotate")
        assert ended.code == 1
        assert "No account has enabled" in ended.error
        assert (await issuer(tmp_path, "rotate", "--account", ACCOUNT)).code == 1
        assert (await issuer(tmp_path, "list")).lines == []


async def test_a_disabled_issuers_keys_are_listed_while_they_are_published_and_can_be_withdrawn(
    running: Service, tmp_path: Path
) -> None:
    await running.call("iam", "DisableOutboundWebIdentityFederation")
    assert {key["state"] for key in await keys(tmp_path)} == {"published"}
    assert (await issuer(tmp_path, "rotate")).code == 1
    assert (await issuer(tmp_path, "rotate", "--withdraw")).code == 0
    assert await keys(tmp_path) == []
    assert (await fetch(running, f"/oidc/{ACCOUNT}/.well-known/jwks.json")).status == 404


@pytest.mark.parametrize("arguments", [["rotate", "--account", "1"], ["list", "--account", "x"], ["other"]])
async def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert (await issuer(tmp_path, *arguments)).code == 2
