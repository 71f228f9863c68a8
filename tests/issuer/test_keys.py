# SPDX-License-Identifier: Apache-2.0
"""The keys of an issuer: published before they sign and after, one that signs at any instant, gone when nobody needs them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from daypass import jose
from daypass.clock import MovableClock
from daypass.errors import ConfigurationError, DaypassError, Reason, RequestError
from daypass.issuer import TokenIssuer
from daypass.issuer.documents import key_set
from daypass.issuer.keys import (
    KEPT_AFTER,
    PUBLISHED_BEFORE,
    is_enabled,
    make_keys,
    private_key,
    published_keys,
    retire_all,
    rotate_issuer_keys,
    signing_key,
)
from daypass.issuer.signing import ALGORITHMS
from daypass.issuer.tokens import MAX_CLAIMS
from daypass.sealing import MasterKey
from daypass.store import Account, AccountSettings, Store

ACCOUNT = "123456789012"
OTHER = "210987654321"
NOW = 1_800_000_000
MASTER = MasterKey.parse(MasterKey.generate())
URL = "https://daypass.example.org"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with two accounts, of which the first has an issuer since NOW."""
    opened = await Store.open(None, tmp_path, MovableClock(NOW))
    async with opened.transaction() as transaction:
        for account in (ACCOUNT, OTHER):
            await transaction.put(Account(account, NOW))
        await transaction.put(AccountSettings(ACCOUNT, web_identity_enabled_at=NOW))
        for key in make_keys(MASTER, ACCOUNT, now=NOW, active_from=NOW):
            await transaction.put(key)
    yield opened
    await opened.close()


def published(store: Store, now: float) -> set[str]:
    return {key.unique_id for key in published_keys(store.view(), ACCOUNT, now)}


def signing(store: Store, now: float) -> set[str]:
    return {signing_key(store.view(), ACCOUNT, algorithm, now).unique_id for algorithm in ALGORITHMS}


async def rotated(store: Store, now: int, *, withdraw: bool = False) -> set[str]:
    return {key.unique_id for key in await rotate_issuer_keys(store, MASTER, ACCOUNT, now=now, withdraw=withdraw)}


async def refusal(store: Store, account: str = ACCOUNT, *, now: int = NOW, withdraw: bool = False) -> Reason:
    with pytest.raises(DaypassError) as caught:
        await rotate_issuer_keys(store, MASTER, account, now=now, withdraw=withdraw)
    return caught.value.reason


async def test_a_new_key_is_published_for_a_day_before_it_signs(store: Store) -> None:
    old = published(store, NOW)
    new = await rotated(store, NOW + 10)
    assert len(new) == 2
    assert published(store, NOW + 10) == old | new
    turn = NOW + 10 + PUBLISHED_BEFORE
    assert signing(store, turn - 1) == old
    assert signing(store, turn) == new


async def test_an_old_key_is_published_until_its_last_token_has_expired(store: Store) -> None:
    old = published(store, NOW)
    new = await rotated(store, NOW)
    end = NOW + PUBLISHED_BEFORE + KEPT_AFTER
    assert published(store, end - 1) == old | new
    assert published(store, end) == new


async def test_while_a_new_key_waits_another_rotation_does_nothing(store: Store) -> None:
    new = await rotated(store, NOW)
    assert await rotated(store, NOW + 60) == set()
    assert len(published(store, NOW + 60)) == 4
    assert signing(store, NOW + PUBLISHED_BEFORE) == new


async def test_keys_that_nobody_needs_any_more_are_deleted_by_the_next_rotation(store: Store) -> None:
    first = published(store, NOW)
    await rotated(store, NOW)
    later = NOW + PUBLISHED_BEFORE + KEPT_AFTER
    await rotated(store, later)
    assert not {key.unique_id for key in store.view().issuer_keys.of(ACCOUNT)} & first


async def test_keys_that_are_withdrawn_are_gone_and_new_ones_sign_at_once(store: Store) -> None:
    old = published(store, NOW) | await rotated(store, NOW)
    new = await rotated(store, NOW + 60, withdraw=True)
    assert published(store, NOW + 60) == signing(store, NOW + 60) == new
    assert not new & old


async def test_an_account_without_an_issuer_has_nothing_to_rotate(store: Store) -> None:
    assert await refusal(store, OTHER) is Reason.FEATURE_DISABLED
    assert published_keys(store.view(), OTHER, NOW) == ()
    assert not is_enabled(store.view(), OTHER)


async def disable(store: Store, now: int) -> None:
    async with store.transaction() as transaction:
        await retire_all(transaction, ACCOUNT, now)
        await transaction.put(AccountSettings(ACCOUNT))


async def test_a_disabled_issuer_is_published_for_its_last_tokens_and_can_still_be_withdrawn(store: Store) -> None:
    old = published(store, NOW)
    await rotated(store, NOW)
    await disable(store, NOW + 60)
    assert published(store, NOW + 60 + KEPT_AFTER - 1) == old, "those that never signed are gone"
    assert published(store, NOW + 60 + KEPT_AFTER) == set()
    assert await refusal(store, now=NOW + 60) is Reason.FEATURE_DISABLED
    assert await rotated(store, NOW + 61, withdraw=True) == set()
    assert list(store.view().issuer_keys.of(ACCOUNT)) == []


async def test_an_issuer_that_is_disabled_while_keys_are_made_gets_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.view
    enabled = real()
    await disable(store, NOW + 1)
    monkeypatch.setattr(store, "view", lambda: enabled)
    assert await refusal(store, now=NOW + 2) is Reason.ENTITY_MODIFIED_MEANWHILE
    monkeypatch.setattr(store, "view", real)
    assert all(key.retire_at == NOW + 1 for key in store.view().issuer_keys.of(ACCOUNT))


async def test_a_private_key_opens_for_its_own_record_and_master_key_only(store: Store) -> None:
    first, second = store.view().issuer_keys.of(ACCOUNT)
    assert private_key(MASTER, first)
    for master, record in [
        (MasterKey.parse(MasterKey.generate()), first),
        (MASTER, replace(first, wrapped=second.wrapped)),
        (MASTER, replace(first, account=OTHER)),
    ]:
        with pytest.raises(ConfigurationError):
            private_key(master, record)


async def test_the_stored_and_the_printed_form_of_a_key_do_not_show_it(store: Store) -> None:
    for key in store.view().issuer_keys.of(ACCOUNT):
        assert private_key(MASTER, key) not in key.wrapped
        assert "wrapped" not in repr(key)


async def test_a_published_key_set_has_public_keys_and_nothing_else(store: Store) -> None:
    await rotated(store, NOW)
    document = key_set(published_keys(store.view(), ACCOUNT, NOW))
    keys = json.loads(document)["keys"]
    members = {"RSA": {"kty", "n", "e", "use", "alg", "kid"}, "EC": {"kty", "crv", "x", "y", "use", "alg", "kid"}}
    assert [set(key) for key in keys] == [members[key["kty"]] for key in keys]
    assert len(jose.KeySet.parse(document)) == 4


def issuer(store: Store) -> TokenIssuer:
    return TokenIssuer(URL, MASTER, store.view)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
async def test_a_token_is_verified_by_the_documents_of_its_issuer(store: Store, algorithm: str) -> None:
    signer = issuer(store)
    token = jose.parse(signer.sign(ACCOUNT, algorithm, {"sub": "x"}, now=NOW))  # type: ignore[arg-type]
    documents = signer.documents(ACCOUNT, NOW)
    assert documents is not None
    verified = jose.verify(token, jose.KeySet.parse(documents.key_set), {algorithm})
    assert verified.claims == {"iss": f"{URL}/oidc/{ACCOUNT}", "sub": "x"}
    configuration = json.loads(documents.configuration)
    assert configuration["issuer"] == signer.url(ACCOUNT) == verified.claims["iss"]
    assert configuration["jwks_uri"] == f"{URL}/oidc/{ACCOUNT}/.well-known/jwks.json"
    assert configuration["id_token_signing_alg_values_supported"] == ["RS256", "ES384"]


async def test_an_account_without_an_issuer_signs_and_publishes_nothing(store: Store) -> None:
    with pytest.raises(RequestError) as caught:
        issuer(store).sign(OTHER, "RS256", {}, now=NOW)
    assert caught.value.reason is Reason.ISSUER_DISABLED
    assert issuer(store).documents(OTHER, NOW) is None


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
async def test_the_longest_token_is_one_that_can_be_verified_here_and_one_octet_more_is_refused(
    store: Store, algorithm: str
) -> None:
    signer = issuer(store)
    empty = len(json.dumps({"iss": signer.url(ACCOUNT), "sub": ""}, separators=(",", ":")))
    longest = "é" * ((MAX_CLAIMS - empty) // 2) + "x" * ((MAX_CLAIMS - empty) % 2)
    jose.parse(signer.sign(ACCOUNT, algorithm, {"sub": longest}, now=NOW))  # type: ignore[arg-type]
    with pytest.raises(RequestError) as caught:
        signer.sign(ACCOUNT, algorithm, {"sub": longest + "x"}, now=NOW)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.ISSUED_TOKEN_TOO_LARGE


async def test_where_no_key_signs_nothing_is_signed(store: Store) -> None:
    async with store.transaction() as transaction:
        await retire_all(transaction, ACCOUNT, NOW)
    with pytest.raises(ConfigurationError) as caught:
        issuer(store).sign(ACCOUNT, "RS256", {}, now=NOW)
    assert caught.value.reason is Reason.ISSUER_KEY_MISSING


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (f"{URL}/oidc/{ACCOUNT}", True),
        (f"{URL}/oidc/{OTHER}", True),
        (f"{URL}/oidc", False),
        (f"{URL}.evil.example/oidc/{ACCOUNT}", False),
        ("https://idp.example.org", False),
    ],
)
async def test_which_issuers_are_ours(store: Store, url: str, ours: bool) -> None:
    assert issuer(store).is_ours(url) is ours
