# SPDX-License-Identifier: Apache-2.0
"""Outbound web identity federation: enabled once, disabled once, and what it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.issuer.keys import KEPT_AFTER
from in_process import ACCOUNT, Answer, Service, service

ENABLE = "EnableOutboundWebIdentityFederation"
DISABLE = "DisableOutboundWebIdentityFederation"
INFO = "GetOutboundWebIdentityFederationInfo"
URL = f"https://daypass.example.org/oidc/{ACCOUNT}"


@pytest.fixture
async def iam(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path, public_url="https://daypass.example.org/") as running:
        yield running


async def ask(iam: Service, action: str) -> Answer:
    return await iam.call("iam", action)


def keys(iam: Service) -> list[str]:
    return [key.unique_id for key in iam.app.store.view().issuer_keys.of(ACCOUNT)]


async def test_the_issuer_is_below_the_public_url_and_the_same_whenever_it_is_asked_for(iam: Service) -> None:
    assert (await ask(iam, ENABLE)).text("IssuerIdentifier") == URL
    info = await ask(iam, INFO)
    assert (info.text("IssuerIdentifier"), info.text("JwtVendingEnabled")) == (URL, "true")
    assert (await ask(iam, DISABLE)).status == 200
    assert (await ask(iam, ENABLE)).text("IssuerIdentifier") == URL


async def test_without_a_public_url_the_issuer_is_where_the_service_listens(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        answer = await ask(running, ENABLE)
        assert answer.text("IssuerIdentifier") == f"http://127.0.0.1:8450/oidc/{ACCOUNT}"


async def test_it_is_enabled_once_with_a_key_for_each_algorithm(iam: Service) -> None:
    await ask(iam, ENABLE)
    before = keys(iam)
    assert sorted(key.partition("_")[0] for key in before) == ["EC384", "RSA"]
    again = await ask(iam, ENABLE)
    assert (again.status, again.code) == (409, "FeatureEnabled")
    assert keys(iam) == before


async def test_two_who_enable_it_at_once_make_one_issuer(iam: Service) -> None:
    answers = await asyncio.gather(ask(iam, ENABLE), ask(iam, ENABLE))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert len(keys(iam)) == 2


@pytest.mark.parametrize("action", [DISABLE, INFO])
async def test_what_is_not_enabled_cannot_be_disabled_or_described(iam: Service, action: str) -> None:
    answer = await ask(iam, action)
    assert (answer.status, answer.code) == (404, "FeatureDisabled")
    await ask(iam, ENABLE)
    await ask(iam, DISABLE)
    assert (await ask(iam, action)).code == "FeatureDisabled"


async def test_enabling_again_takes_up_the_same_keys_while_their_tokens_are_out(iam: Service) -> None:
    await ask(iam, ENABLE)
    first = keys(iam)
    for _ in range(3):
        await ask(iam, DISABLE)
        iam.clock.advance(KEPT_AFTER - 1)
        await ask(iam, ENABLE)
        assert keys(iam) == first
    assert all(key.retire_at is None for key in iam.app.store.view().issuer_keys.of(ACCOUNT))


async def test_enabling_again_makes_new_keys_when_the_last_token_has_expired(iam: Service) -> None:
    await ask(iam, ENABLE)
    first = keys(iam)
    await ask(iam, DISABLE)
    iam.clock.advance(KEPT_AFTER)
    await ask(iam, ENABLE)
    assert len(keys(iam)) == 4
    await ask(iam, DISABLE)
    assert len(keys(iam)) == 2, "those that nobody needs any more are taken away"
    assert not set(first) & set(keys(iam))


async def test_other_settings_of_the_account_stay_as_they_are(iam: Service) -> None:
    await iam.call("iam", "CreateAccountAlias", AccountAlias="our-account")
    await ask(iam, ENABLE)
    await iam.call("iam", "SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v2Token")
    assert (await ask(iam, INFO)).status == 200
    await ask(iam, DISABLE)
    assert b"<member>our-account</member>" in (await iam.call("iam", "ListAccountAliases")).body
