# SPDX-License-Identifier: Apache-2.0
"""Every record comes back as it was put: from memory, from a transaction, and after a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daypass.store import AccessKey, Account, OidcProvider, Role, SealingKey, Store

ACCOUNT = "123456789012"
OTHER = "210987654321"
OpenStore = Callable[[], Awaitable[Store]]
MakeRole = Callable[..., Role]

ROLE = Role(
    ACCOUNT,
    "/team/a/",
    "Dev",
    "AROA00000000000000001",
    "what it is for",
    7200,
    '{"Version": "2012-10-17"}\n',
    (("arn:aws:iam::123456789012:user/u", "AIDA1"), ("arn:aws:iam::123456789012:role/r", "AROA2")),
    1_700_000_000,
    (("z", "1"), ("a", "")),
    (("second", "{}"), ("first", "{ }")),
)
PROVIDER = OidcProvider(
    ACCOUNT, "https://issuer.example/realms/a", ("sts.amazonaws.com", "b"), ("0" * 40,), (("t", "u"), ("a", "")), 3
)
KEY = AccessKey("AKIA0000000000000001", ACCOUNT, "AIDA1", b"\x00wrapped\xff", "Inactive", 5)
SEALING_KEYS = (SealingKey(b"\x00\x01\x02\xff", b"k1", 1, 2, None), SealingKey(b"\x00\x00\x00\x01", b"k2", 1, 2, 99))


async def everything(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put_role(ROLE)
        await tx.put_oidc_provider(PROVIDER)
        await tx.put_access_key(KEY)
        for key in SEALING_KEYS:
            await tx.put_sealing_key(key)


def check_view(store: Store) -> None:
    view = store.view()
    assert view.account(ACCOUNT) == Account(ACCOUNT, 1_800_000_000)
    assert view.role(ACCOUNT, "Dev") == ROLE
    assert view.role_by_id(ROLE.unique_id) == ROLE
    assert list(view.roles(ACCOUNT)) == [ROLE]
    assert view.oidc_provider(ACCOUNT, "issuer.example/realms/a") == PROVIDER
    assert list(view.oidc_providers(ACCOUNT)) == [PROVIDER]
    assert view.access_key(KEY.access_key_id) == KEY
    assert view.access_keys(ACCOUNT) == (KEY,)
    assert view.sealing_keys() == (SEALING_KEYS[1], SEALING_KEYS[0]), "oldest first, then by id"


async def test_records_are_in_the_view_of_the_process_that_wrote_them(store: Store) -> None:
    await everything(store)
    check_view(store)


async def test_records_are_there_after_a_restart(store: Store, open_store: OpenStore) -> None:
    await everything(store)
    await store.close()
    check_view(await open_store())


async def test_a_transaction_reads_what_it_wrote(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put_role(ROLE)
        await tx.put_oidc_provider(PROVIDER)
        await tx.put_access_key(KEY)
        await tx.put_sealing_key(SEALING_KEYS[0])
        assert await tx.account(ACCOUNT) == Account(ACCOUNT, 1_800_000_000)
        assert await tx.role(ACCOUNT, "Dev") == ROLE
        assert await tx.role_by_id(ROLE.unique_id) == ROLE
        assert await tx.count_roles(ACCOUNT) == 1
        assert await tx.oidc_provider(ACCOUNT, PROVIDER.name) == PROVIDER
        assert await tx.access_key(KEY.access_key_id) == KEY
        assert await tx.access_keys(ACCOUNT) == [KEY]
        assert await tx.sealing_keys() == [SEALING_KEYS[0]]


async def test_what_is_not_there_is_none_in_a_view_and_in_a_transaction(store: Store) -> None:
    view = store.view()
    assert view.account(OTHER) is None
    assert view.role(ACCOUNT, "Dev") is None
    assert view.role_by_id("AROA1") is None
    assert view.oidc_provider(ACCOUNT, "x") is None
    assert view.access_key("AKIA1") is None
    assert (list(view.roles(OTHER)), list(view.oidc_providers(OTHER)), view.sealing_keys()) == ([], [], ())
    async with store.transaction() as tx:
        assert await tx.account(OTHER) is None
        assert await tx.role(ACCOUNT, "Dev") is None
        assert await tx.role_by_id("AROA1") is None
        assert await tx.oidc_provider(ACCOUNT, "x") is None
        assert await tx.access_key("AKIA1") is None
        assert await tx.count_roles(ACCOUNT) == 0


async def test_a_record_put_again_is_replaced_whole(store: Store) -> None:
    await everything(store)
    role = dataclasses.replace(ROLE, path="/", tags=(("a", "2"),), inline_policies=(), trust_principals=())
    provider = dataclasses.replace(PROVIDER, client_ids=("c",), thumbprints=(), tags=(("z", "1"),))
    key = dataclasses.replace(KEY, status="Active")
    ring = dataclasses.replace(SEALING_KEYS[0], retire_at=7)
    account = Account(ACCOUNT, 2)
    async with store.transaction() as tx:
        await tx.put_role(role)
        await tx.put_oidc_provider(provider)
        await tx.put_access_key(key)
        await tx.put_sealing_key(ring)
        await tx.put_account(account)
        assert await tx.role(ACCOUNT, "Dev") == role
    view = store.view()
    assert view.role(ACCOUNT, "Dev") == view.role_by_id(ROLE.unique_id) == role
    assert view.oidc_provider(ACCOUNT, PROVIDER.name) == provider
    assert view.access_key(KEY.access_key_id) == key
    assert view.sealing_keys() == (SEALING_KEYS[1], ring)
    assert view.accounts() == (account,)


async def test_a_role_put_under_another_name_is_found_under_that_alone(store: Store) -> None:
    await everything(store)
    renamed = dataclasses.replace(ROLE, name="Ops")
    async with store.transaction() as tx:
        await tx.put_role(renamed)
    view = store.view()
    assert view.role(ACCOUNT, "Dev") is None
    assert view.role(ACCOUNT, "Ops") == renamed
    assert list(view.roles(ACCOUNT)) == [renamed]


async def test_what_was_deleted_is_gone_from_every_lookup(store: Store, open_store: OpenStore) -> None:
    await everything(store)
    assert len(store.view().roles(ACCOUNT)) == 1, "the sorted list exists before the deletion"
    async with store.transaction() as tx:
        assert await tx.delete_role(ACCOUNT, "Dev")
        assert await tx.delete_oidc_provider(ACCOUNT, PROVIDER.name)
        assert await tx.delete_access_key(KEY.access_key_id)
        assert await tx.delete_sealing_key(SEALING_KEYS[0].key_id)
    for one in (store, await open_store()):
        view = one.view()
        assert view.role(ACCOUNT, "Dev") is None
        assert view.role_by_id(ROLE.unique_id) is None
        assert view.oidc_provider(ACCOUNT, PROVIDER.name) is None
        assert view.access_key(KEY.access_key_id) is None
        assert (list(view.roles(ACCOUNT)), list(view.oidc_providers(ACCOUNT))) == ([], [])
        assert view.sealing_keys() == SEALING_KEYS[1:]


async def test_an_oidc_provider_may_be_made_again_under_the_name_of_a_deleted_one(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put_oidc_provider(PROVIDER)
    async with store.transaction() as tx:
        assert await tx.delete_oidc_provider(ACCOUNT, PROVIDER.name)
        await tx.put_oidc_provider(dataclasses.replace(PROVIDER, tags=()))
    found = store.view().oidc_provider(ACCOUNT, PROVIDER.name)
    assert found is not None
    assert found.tags == ()


def test_names_and_arns_are_iams() -> None:
    assert ROLE.arn == "arn:aws:iam::123456789012:role/team/a/Dev"
    assert PROVIDER.name == "issuer.example/realms/a"
    assert PROVIDER.arn == "arn:aws:iam::123456789012:oidc-provider/issuer.example/realms/a"


def test_wrapped_secrets_do_not_print() -> None:
    assert "wrapped" not in repr(KEY)
    assert "k1" not in repr(SEALING_KEYS[0])


odd_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.sampled_from(
    ["'; DROP TABLE role; --", 'a"b', "%", "_", "a:b", "\x00", "[]", "null", "ß", "İ", "é", "e\u0301", "?", ":name"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(odd_text, min_size=6, max_size=6))
async def test_odd_characters_come_back_as_they_were(texts: list[str], store: Store, make_role: MakeRole) -> None:
    name, value, tag, policy, document, issuer = texts
    role = make_role(
        name,
        description=value,
        tags=((tag, value),),
        inline_policies=((policy, document),),
        trust_principals=((tag, document),),
    )
    provider = OidcProvider(ACCOUNT, f"https://{issuer}", (value,), (document,), ((tag, value),), 1)
    async with store.transaction() as tx:
        await tx.put_role(role)
        await tx.put_oidc_provider(provider)
        assert await tx.role(ACCOUNT, name) == role
        assert await tx.oidc_provider(ACCOUNT, issuer) == provider
    view = store.view()
    assert view.role(ACCOUNT, name) == role
    assert view.oidc_provider(ACCOUNT, issuer) == provider
    async with store.transaction() as tx:
        assert await tx.delete_role(ACCOUNT, name)
        assert await tx.delete_oidc_provider(ACCOUNT, issuer)
    assert store.view().role(ACCOUNT, name) is None
    assert store.view().oidc_provider(ACCOUNT, issuer) is None
