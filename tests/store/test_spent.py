# SPDX-License-Identifier: Apache-2.0
"""One-time things: used once, by whichever process, and forgotten when nobody would take them any more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from daypass.errors import EntityError, Reason
from daypass.store import SamlPrivateKey, SamlProvider, Store

NOW = 1_800_000_000
OpenStore = Callable[[], Awaitable[Store]]
PROVIDER = SamlProvider(
    "123456789012",
    "Office",
    "U" * 32,
    "https://idp.example.org",
    "<xml é/>\r\n",
    NOW + 5,
    NOW,
    "Allowed",
    (SamlPrivateKey("K" * 32, b"\x00wrapped\xff", NOW), SamlPrivateKey("L" * 32, b"", NOW + 1)),
    (("team", "red"),),
)


async def spend(store: Store, key: str = "one", kind: str = "assertion", until: int = NOW + 60, now: int = NOW) -> None:
    async with store.transaction() as transaction:
        await transaction.spend(kind, key, until=until, now=now)


async def spent_before(store: Store, **more: object) -> bool:
    try:
        await spend(store, **more)  # type: ignore[arg-type]
    except EntityError as error:
        return error.reason is Reason.ENTITY_ALREADY_EXISTS
    return False


def rows(data_dir: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data_dir / "daypass.db")) as connection:
        return connection.execute("SELECT kind, key, expires_at FROM spent ORDER BY key").fetchall()


async def test_a_one_time_thing_is_used_once(store: Store) -> None:
    assert [await spent_before(store), await spent_before(store)] == [False, True]
    assert [await spent_before(store, key="two"), await spent_before(store, kind="code")] == [False, False]


async def test_a_one_time_thing_is_used_once_by_all_processes_and_after_a_restart(
    store: Store, open_store: OpenStore
) -> None:
    await spend(store)
    assert await spent_before(await open_store())
    await store.close()
    assert await spent_before(await open_store())


async def test_of_many_at_the_same_moment_one_uses_it(store: Store, open_store: OpenStore) -> None:
    stores = [store, await open_store(), await open_store()]
    found = await asyncio.gather(*(spent_before(stores[number % 3]) for number in range(30)))
    assert found.count(False) == 1


async def test_what_a_transaction_used_is_not_used_when_it_fails(store: Store) -> None:
    async def spend_and_fail() -> None:
        async with store.transaction() as transaction:
            await transaction.spend("assertion", "one", until=NOW + 60, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await spend_and_fail()
    assert not await spent_before(store)


async def test_what_was_used_is_remembered_to_its_last_second_and_then_forgotten(store: Store, data_dir: Path) -> None:
    await spend(store, "one", until=NOW + 60)
    assert await spent_before(store, key="one", now=NOW + 60)
    await spend(store, "two", until=NOW + 120, now=NOW + 61)
    assert rows(data_dir) == [("assertion", "two", NOW + 120)]


async def test_what_was_used_is_in_no_change_log(store: Store) -> None:
    before = store.view().revision
    await spend(store)
    assert store.view().revision == before


async def test_a_saml_provider_comes_back_as_it_was_put(store: Store, open_store: OpenStore) -> None:
    async with store.transaction() as transaction:
        await transaction.put(PROVIDER)
    assert store.view().saml_providers.with_name("123456789012", "Office") == PROVIDER
    await store.close()
    found = (await open_store()).view().saml_providers.with_name("123456789012", "Office")
    assert found is not None
    assert found == PROVIDER
    assert found.arn == "arn:aws:iam::123456789012:saml-provider/Office"
    assert "xml" not in repr(found)
    assert "wrapped" not in repr(found)
    providers = (await open_store()).view().saml_providers
    assert providers.with_name("123456789012", "office") is None
    assert list(providers.linked("123456789012", ("issuer", "https://idp.example.org"))) == [PROVIDER]
