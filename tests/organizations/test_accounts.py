# SPDX-License-Identifier: Apache-2.0
"""Accounts are made with a key of their own, closed and reopened; the first of them governs the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from daypass.credentials import Secret, account_of_access_key_id
from daypass.errors import ConfigurationError, EntityError, Reason
from daypass.organizations import limits
from daypass.organizations.accounts import close_account, create_account, management_account, reopen_account
from daypass.organizations.organization import create_organization
from daypass.sealing import MasterKey
from daypass.store import AccessKey
from in_process import ACCOUNT, NOW, service
from organizations.governed import Governed

LOWEST = "000000000001"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Governed]:
    """A service with one account."""
    master = MasterKey.generate()
    async with service(tmp_path, master_key=Secret(master)) as running:
        yield Governed(running, MasterKey.parse(master))


async def create(one: Governed, name: str = "lab", number: str | None = None, parent: str | None = None) -> str:
    made = await create_account(one.store, one.master, name, keep=one.keep, now=NOW, number=number, parent=parent)
    return made.account


async def test_the_root_key_of_a_new_account_is_good_at_once_and_is_the_accounts(one: Governed) -> None:
    number = await create(one)
    answer = await one.service.call("sts", "GetCallerIdentity", one.roots[number])
    assert answer.text("Arn") == f"arn:aws:iam::{number}:root"
    assert account_of_access_key_id(one.roots[number].access_key) == number


async def test_what_the_accounts_have_they_have_each_for_itself(one: Governed) -> None:
    number = await create(one)
    for key in (one.roots[ACCOUNT], one.roots[number]):
        assert (await one.service.call("iam", "CreateUser", key, UserName="alice")).status == 200
    assert (await one.service.call("iam", "DeleteUser", one.roots[number], UserName="alice")).status == 200
    assert (await one.service.call("iam", "GetUser", one.roots[ACCOUNT], UserName="alice")).status == 200


async def test_a_number_that_is_taken_is_refused_and_no_key_is_written(one: Governed) -> None:
    before = dict(one.roots)
    with pytest.raises(EntityError) as caught:
        await create(one, number=ACCOUNT)
    assert caught.value.reason is Reason.ENTITY_ALREADY_EXISTS
    assert one.roots == before


@pytest.mark.parametrize("number", ["", "1", "0" * 12, "1" * 13, "12345678901x", "١" * 12])
async def test_a_number_that_is_none_is_refused(one: Governed, number: str) -> None:
    with pytest.raises(EntityError) as caught:
        await create(one, number=number)
    assert caught.value.reason is Reason.INVALID_INPUT


@pytest.mark.parametrize("name", ["", " lab", "lab ", "l\nb", "l\x00b", "l\u2028b", "x" * (limits.ACCOUNT_NAME + 1)])
async def test_a_name_that_is_none_is_refused(one: Governed, name: str) -> None:
    with pytest.raises(EntityError) as caught:
        await create(one, name)
    assert caught.value.reason is Reason.INVALID_INPUT


@pytest.mark.parametrize("name", ["x", "Größe 7", "x" * limits.ACCOUNT_NAME])
async def test_a_name_of_any_printable_characters_is_kept(one: Governed, name: str) -> None:
    number = await create(one, name)
    member = one.store.view().memberships.with_key(number)
    assert member is not None
    assert member.name == name


async def test_nothing_is_made_when_the_key_cannot_be_kept(one: Governed) -> None:
    def full_disk(_key: AccessKey, _secret: Secret) -> None:
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, "cannot write")

    before = len(one.store.view().accounts)
    with pytest.raises(ConfigurationError):
        await create_account(one.store, one.master, "lab", keep=full_disk, now=NOW)
    assert len(one.store.view().accounts) == before


async def test_the_secret_is_nowhere_in_the_store(one: Governed, tmp_path: Path) -> None:
    secret = one.roots[await create(one)].secret_key
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("daypass.db*"))
    assert secret.encode() not in stored


async def test_the_first_account_stays_the_management_account_whatever_numbers_and_clocks_say(one: Governed) -> None:
    await create_account(one.store, one.master, "early", keep=one.keep, now=NOW - 1000, number=LOWEST)
    assert management_account(one.store.view()) == ACCOUNT


async def test_the_next_start_is_of_the_first_account_again(tmp_path: Path) -> None:
    master = MasterKey.generate()
    async with service(tmp_path, master_key=Secret(master)) as running:
        made = Governed(running, MasterKey.parse(master))
        await create(made, number=LOWEST)
    async with service(tmp_path, master_key=Secret(master), account_id=None) as running:
        assert running.app.account_id == ACCOUNT
        for number, key in made.roots.items():
            assert (await running.call("sts", "GetCallerIdentity", key)).text("Account") == number


async def test_a_parent_without_an_organisation_is_refused(one: Governed) -> None:
    with pytest.raises(EntityError, match="There is no organization"):
        await create(one, parent="root")


# Closing


async def refused(one: Governed, key: Credentials) -> bool:
    return (await one.service.call("sts", "GetCallerIdentity", key)).code == "InvalidClientTokenId"


async def test_a_closed_account_is_refused_until_it_is_reopened_and_keeps_what_it_has(one: Governed) -> None:
    number = await create(one)
    assert (await one.service.call("iam", "CreateUser", one.roots[number], UserName="alice")).status == 200
    closed = await close_account(one.store, number, now=NOW)
    assert closed.closed_at == int(NOW)
    assert await refused(one, one.roots[number])
    await reopen_account(one.store, number)
    assert (await one.service.call("iam", "GetUser", one.roots[number], UserName="alice")).status == 200


@pytest.mark.parametrize("organized", [True, False])
async def test_the_management_account_cannot_be_closed(one: Governed, organized: bool) -> None:
    if organized:
        await create_organization(one.store, now=NOW)
    with pytest.raises(EntityError) as caught:
        await close_account(one.store, ACCOUNT, now=NOW)
    assert caught.value.reason is Reason.ENTITY_UNMODIFIABLE
    assert not await refused(one, one.roots[ACCOUNT])


async def test_what_is_closed_is_not_closed_again_nor_what_is_open_reopened(one: Governed) -> None:
    number = await create(one)
    with pytest.raises(EntityError) as caught:
        await reopen_account(one.store, number)
    assert caught.value.reason is Reason.INVALID_INPUT
    await close_account(one.store, number, now=NOW)
    with pytest.raises(EntityError) as caught:
        await close_account(one.store, number, now=NOW)
    assert caught.value.reason is Reason.INVALID_INPUT


async def test_an_account_that_is_not_there_can_neither_be_closed_nor_reopened(one: Governed) -> None:
    with pytest.raises(EntityError) as caught:
        await close_account(one.store, LOWEST, now=NOW)
    assert caught.value.reason is Reason.NO_SUCH_ENTITY
    with pytest.raises(EntityError) as caught:
        await reopen_account(one.store, LOWEST)
    assert caught.value.reason is Reason.NO_SUCH_ENTITY
