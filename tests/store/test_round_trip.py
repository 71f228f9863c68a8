# SPDX-License-Identifier: Apache-2.0
"""Every record comes back as it was put: from memory, from a transaction, and after a restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

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
        await tx.put(ROLE)
        await tx.put(PROVIDER)
        await tx.put(KEY)
        for key in SEALING_KEYS:
            await tx.put(key)


def check_view(store: Store) -> None:
    view = store.view()
    assert view.accounts.with_key(ACCOUNT) == Account(ACCOUNT, 1_800_000_000)
    assert view.roles.with_name(ACCOUNT, "Dev") == ROLE
    assert view.roles.with_key(ROLE.unique_id) == ROLE
    assert list(view.roles.of(ACCOUNT)) == [ROLE]
    assert view.oidc_providers.with_name(ACCOUNT, "issuer.example/realms/a") == PROVIDER
    assert list(view.oidc_providers.of(ACCOUNT)) == [PROVIDER]
    assert view.access_keys.with_key(KEY.access_key_id) == KEY
    assert list(view.access_keys.of(ACCOUNT)) == [KEY]
    assert view.key_ring == (SEALING_KEYS[1], SEALING_KEYS[0]), "oldest first, then by id"


async def test_records_are_in_the_view_of_the_process_that_wrote_them(store: Store) -> None:
    await everything(store)
    check_view(store)


async def test_records_are_there_after_a_restart(store: Store, open_store: OpenStore) -> None:
    await everything(store)
    await store.close()
    check_view(await open_store())


async def test_a_transaction_reads_what_it_wrote(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put(ROLE)
        await tx.put(PROVIDER)
        await tx.put(KEY)
        await tx.put(SEALING_KEYS[0])
        assert tx.view.accounts.with_key(ACCOUNT) == Account(ACCOUNT, 1_800_000_000)
        assert tx.view.roles.with_name(ACCOUNT, "Dev") == ROLE
        assert tx.view.roles.with_key(ROLE.unique_id) == ROLE
        assert len(tx.view.roles.of(ACCOUNT)) == 1
        assert tx.view.oidc_providers.with_name(ACCOUNT, PROVIDER.name) == PROVIDER
        assert tx.view.access_keys.with_key(KEY.access_key_id) == KEY
        assert list(tx.view.access_keys.of(ACCOUNT)) == [KEY]
        assert tx.view.key_ring == (SEALING_KEYS[0],)


async def test_what_is_not_there_is_none_in_a_view_and_in_a_transaction(store: Store) -> None:
    view = store.view()
    assert view.accounts.with_key(OTHER) is None
    assert view.roles.with_name(ACCOUNT, "Dev") is None
    assert view.roles.with_key("AROA1") is None
    assert view.oidc_providers.with_name(ACCOUNT, "x") is None
    assert view.access_keys.with_key("AKIA1") is None
    assert (list(view.roles.of(OTHER)), list(view.oidc_providers.of(OTHER)), view.key_ring) == ([], [], ())
    async with store.transaction() as tx:
        assert tx.view.accounts.with_key(OTHER) is None
        assert tx.view.roles.with_name(ACCOUNT, "Dev") is None
        assert tx.view.roles.with_key("AROA1") is None
        assert tx.view.oidc_providers.with_name(ACCOUNT, "x") is None
        assert tx.view.access_keys.with_key("AKIA1") is None
        assert len(tx.view.roles.of(ACCOUNT)) == 0


async def test_a_record_put_again_is_replaced_whole(store: Store) -> None:
    await everything(store)
    role = replace(ROLE, path="/", tags=(("a", "2"),), inline_policies=(), trust_principals=())
    provider = replace(PROVIDER, client_ids=("c",), thumbprints=(), tags=(("z", "1"),))
    key = replace(KEY, status="Active")
    ring = replace(SEALING_KEYS[0], retire_at=7)
    account = Account(ACCOUNT, 2)
    async with store.transaction() as tx:
        await tx.put(role)
        await tx.put(provider)
        await tx.put(key)
        await tx.put(ring)
        await tx.put(account)
        assert tx.view.roles.with_name(ACCOUNT, "Dev") == role
    view = store.view()
    assert view.roles.with_name(ACCOUNT, "Dev") == view.roles.with_key(ROLE.unique_id) == role
    assert view.oidc_providers.with_name(ACCOUNT, PROVIDER.name) == provider
    assert view.access_keys.with_key(KEY.access_key_id) == key
    assert view.key_ring == (SEALING_KEYS[1], ring)
    assert list(view.accounts.of("")) == [account]


async def test_a_role_put_under_another_name_is_found_under_that_alone(store: Store) -> None:
    await everything(store)
    renamed = replace(ROLE, name="Ops")
    async with store.transaction() as tx:
        await tx.put(renamed)
    view = store.view()
    assert view.roles.with_name(ACCOUNT, "Dev") is None
    assert view.roles.with_name(ACCOUNT, "Ops") == renamed
    assert list(view.roles.of(ACCOUNT)) == [renamed]


async def test_what_was_deleted_is_gone_from_every_lookup(store: Store, open_store: OpenStore) -> None:
    await everything(store)
    assert len(store.view().roles.of(ACCOUNT)) == 1, "the sorted list exists before the deletion"
    async with store.transaction() as tx:
        assert await tx.delete(ROLE)
        assert await tx.delete(PROVIDER)
        assert await tx.delete(KEY)
        assert await tx.delete(SEALING_KEYS[0])
    for one in (store, await open_store()):
        view = one.view()
        assert view.roles.with_name(ACCOUNT, "Dev") is None
        assert view.roles.with_key(ROLE.unique_id) is None
        assert view.oidc_providers.with_name(ACCOUNT, PROVIDER.name) is None
        assert view.access_keys.with_key(KEY.access_key_id) is None
        assert (list(view.roles.of(ACCOUNT)), list(view.oidc_providers.of(ACCOUNT))) == ([], [])
        assert view.key_ring == SEALING_KEYS[1:]


async def test_an_oidc_provider_may_be_made_again_under_the_name_of_a_deleted_one(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.put(PROVIDER)
    async with store.transaction() as tx:
        assert await tx.delete(PROVIDER)
        await tx.put(replace(PROVIDER, tags=()))
    found = store.view().oidc_providers.with_name(ACCOUNT, PROVIDER.name)
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
        await tx.put(role)
        await tx.put(provider)
        assert tx.view.roles.with_name(ACCOUNT, name) == role
        assert tx.view.oidc_providers.with_name(ACCOUNT, issuer) == provider
    view = store.view()
    assert view.roles.with_name(ACCOUNT, name) == role
    assert view.oidc_providers.with_name(ACCOUNT, issuer) == provider
    async with store.transaction() as tx:
        assert await tx.delete(role)
        assert await tx.delete(provider)
    assert store.view().roles.with_name(ACCOUNT, name) is None
    assert store.view().oidc_providers.with_name(ACCOUNT, issuer) is None
