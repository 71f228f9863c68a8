# SPDX-License-Identifier: Apache-2.0
"""Revocations: what is written, that it only ever grows, and when it is removed. What they end is tests/access'."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.errors import EntityError
from daypass.sessions import revocation
from daypass.sessions.revocation import LONGEST_SESSION_SECONDS, Selection, revoke
from daypass.store import Account, Revocation, Store

ACCOUNT = "123456789012"
NOW = 1_800_000_000
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"
ROLE = revocation.of_role(ACCOUNT, "AROADEV")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(None, tmp_path)
    async with store.transaction() as transaction:
        await transaction.put(Account(ACCOUNT, 1))
    yield store
    await store.close()


@pytest.mark.parametrize(
    ("selection", "key"),
    [
        (revocation.with_access_key(ACCOUNT, "ASIA1"), "session:ASIA1"),
        (revocation.of_user(ACCOUNT, "AIDA1"), "user:AIDA1"),
        (ROLE, "role:AROADEV"),
        (revocation.of_provider(ACCOUNT, PROVIDER), f"provider:{PROVIDER}"),
        (revocation.of_provider(ACCOUNT, PROVIDER, "repo:a/b:ref c"), f"subject:{PROVIDER} repo:a/b:ref c"),
        (revocation.of_account(ACCOUNT), f"account:{ACCOUNT}"),
    ],
)
async def test_a_revocation_is_found_under_the_key_of_its_selection(
    store: Store, selection: Selection, key: str
) -> None:
    ended = await revoke(store, selection, before=NOW, now=NOW + 0.5)
    assert selection.key == key
    assert store.view().revocations.with_key(key) == ended.revocation
    assert (ended.revocation.before, ended.revocation.created_at) == (NOW, NOW)


async def test_a_revocation_is_kept_until_the_last_session_it_names_has_expired(store: Store) -> None:
    ended = await revoke(store, ROLE, before=NOW - 10, now=NOW)
    assert ended.revocation.until == NOW - 10 + LONGEST_SESSION_SECONDS
    assert revocation.expired(store.view(), ended.revocation.until - 1) == []
    assert revocation.expired(store.view(), ended.revocation.until) == [ended.revocation]


async def test_a_revocation_is_extended_and_never_taken_back(store: Store) -> None:
    await revoke(store, ROLE, before=NOW, now=NOW)
    earlier = await revoke(store, ROLE, before=NOW - 100, now=NOW + 1)
    assert earlier.revocation.before == NOW
    later = await revoke(store, ROLE, before=NOW + 2, now=NOW + 2)
    found = store.view().revocations.with_key(ROLE.key)
    assert found == later.revocation
    assert found is not None
    assert found.before == NOW + 2


async def test_expired_revocations_are_removed_by_the_next_one(store: Store) -> None:
    first = await revoke(store, ROLE, before=NOW, now=NOW)
    other = revocation.of_user(ACCOUNT, "AIDA1")
    before = await revoke(store, other, before=NOW + 1, now=first.revocation.until - 1)
    assert before.removed == 0
    after = await revoke(store, revocation.of_account(ACCOUNT), before=NOW + 2, now=first.revocation.until)
    assert after.removed == 1
    assert {found.key for found in store.view().revocations.all()} == {other.key, f"account:{ACCOUNT}"}


async def test_the_same_sessions_may_be_revoked_again_after_their_revocation_expired(store: Store) -> None:
    first = await revoke(store, ROLE, before=NOW, now=NOW)
    later = first.revocation.until
    again = await revoke(store, ROLE, before=later, now=later)
    assert (again.removed, again.revocation.before) == (1, later)
    assert list(store.view().revocations.all()) == [again.revocation]


async def test_an_account_that_is_not_there_has_no_revocations(store: Store) -> None:
    with pytest.raises(EntityError):
        await revoke(store, revocation.of_account("210987654321"), before=NOW, now=NOW)
    assert not isinstance(store.view().revocations.with_key("account:210987654321"), Revocation)
