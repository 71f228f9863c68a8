# SPDX-License-Identifier: Apache-2.0
"""Whose a bucket is: who may take a name, who is shown it, and what is left when it is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from daypass.errors import EntityError, Reason
from daypass.principal import Root
from daypass.resources import (
    check_creation,
    owned,
    owner_of,
    policy_arn_of,
    public_access_of,
    put_policy,
    record_creation,
    record_deletion,
    resource_of,
    set_account_public_access,
    set_bucket_public_access,
    set_owner,
)
from daypass.resources.ownership import NOTHING_PUBLIC
from daypass.store import Account, Bucket, PublicAccess, ResourcePolicy, Store
from resources.lake import ARN, BUCKET, DEFAULT, NOW, OBJECT, OTHER, OWNER, READ, Lake, document, statement


@pytest.mark.parametrize(
    ("bucket", "account", "exists", "reason"),
    [
        (BUCKET, OWNER, True, Reason.BUCKET_ALREADY_OWNED_BY_YOU),
        (BUCKET, OTHER, True, Reason.BUCKET_ALREADY_EXISTS),
        (BUCKET, OTHER, False, Reason.BUCKET_ALREADY_EXISTS),
        (BUCKET, DEFAULT, True, Reason.BUCKET_ALREADY_EXISTS),
        ("unrecorded", DEFAULT, True, Reason.BUCKET_ALREADY_OWNED_BY_YOU),
        ("unrecorded", OTHER, True, Reason.BUCKET_ALREADY_EXISTS),
    ],
)
async def test_a_bucket_that_is_there_cannot_be_made_again(
    lake: Lake, bucket: str, account: str, exists: bool, reason: Reason
) -> None:
    with pytest.raises(EntityError) as caught:
        check_creation(bucket, account, lake.store.view(), exists=exists, default_account=DEFAULT)
    assert caught.value.reason is reason


@pytest.mark.parametrize("account", [OWNER, OTHER, DEFAULT])
async def test_a_name_that_nobody_has_is_anybodys(lake: Lake, account: str) -> None:
    check_creation("new", account, lake.store.view(), exists=False, default_account=DEFAULT)


async def test_its_owner_may_make_a_bucket_again_that_is_gone_at_the_backend(lake: Lake) -> None:
    check_creation(BUCKET, OWNER, lake.store.view(), exists=False, default_account=DEFAULT)


async def test_of_two_who_make_a_bucket_at_once_the_first_has_it(lake: Lake) -> None:
    makings = [record_creation(lake.store, "new", account, "lake", NOW) for account in (OWNER, OTHER)]
    results = await asyncio.gather(*makings, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), EntityError]
    assert isinstance(results[1], EntityError)
    assert results[1].reason is Reason.BUCKET_ALREADY_EXISTS
    assert owner_of("arn:aws:s3:::new", DEFAULT, lake.store.view()) == OWNER


async def test_a_new_bucket_is_not_public_and_has_nothing_of_an_earlier_one(lake: Lake) -> None:
    await lake.policy(statement())
    await record_creation(lake.store, BUCKET, OWNER, "lake", NOW + 1)
    view = lake.store.view()
    assert view.resource_policies.with_key(ARN) is None
    assert view.buckets.with_key(BUCKET) == Bucket(BUCKET, OWNER, "lake", NOW + 1, NOTHING_PUBLIC)


async def test_a_deleted_bucket_leaves_no_policy_and_its_name_to_anybody(lake: Lake) -> None:
    await lake.policy(statement())
    await record_deletion(lake.store, BUCKET)
    view = lake.store.view()
    assert view.resource_policies.with_key(ARN) is None
    assert view.buckets.with_key(BUCKET) is None
    check_creation(BUCKET, OTHER, view, exists=False, default_account=DEFAULT)
    await record_deletion(lake.store, BUCKET)


async def test_what_is_recorded_since_a_deletion_was_permitted_is_of_another_bucket(lake: Lake) -> None:
    before = lake.store.view()
    await record_deletion(lake.store, BUCKET)
    await record_creation(lake.store, BUCKET, OTHER, "lake", NOW + 1)
    revision = lake.store.view().revision
    await record_deletion(lake.store, BUCKET, before=before)
    assert lake.store.view().revision == revision


async def test_a_deleted_bucket_is_forgotten_though_its_settings_have_changed_meanwhile(lake: Lake) -> None:
    before = lake.store.view()
    await lake.block(NOTHING_PUBLIC)
    await record_deletion(lake.store, BUCKET, before=before)
    assert lake.store.view().buckets.with_key(BUCKET) is None


async def test_an_account_is_shown_its_own_buckets_only(lake: Lake) -> None:
    names = [BUCKET, "unrecorded"]
    shown = {
        account: list(filter(owned(lake.store.view(), account, DEFAULT), names)) for account in (OWNER, OTHER, DEFAULT)
    }
    assert shown == {OWNER: [BUCKET], OTHER: [], DEFAULT: ["unrecorded"]}


@pytest.mark.parametrize(
    "arn", ["arn:aws:s3:::data/x", "arn:aws:s3:::", f"arn:aws:sqs:us-east-1:{OWNER}:q", "arn:aws:s3:::a*"]
)
async def test_only_a_bucket_is_given_an_owner(lake: Lake, arn: str) -> None:
    with pytest.raises(EntityError) as caught:
        await set_owner(lake.store, arn, OTHER, now=NOW)
    assert caught.value.reason is Reason.INVALID_INPUT


async def test_an_owner_is_an_account_that_is_there(lake: Lake) -> None:
    for number in ("999999999999", ""):
        with pytest.raises(EntityError) as caught:
            await set_owner(lake.store, ARN, number, now=NOW)
        assert caught.value.reason is Reason.NO_SUCH_ENTITY


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::data", "arn:aws:s3:::data"),
        ("arn:aws:s3:::data/a/b", "arn:aws:s3:::data"),
        (f"arn:aws:sqs:us-east-1:{OWNER}:q", f"arn:aws:sqs:us-east-1:{OWNER}:q"),
        ("*", ""),
        ("arn:aws:s3", ""),
    ],
)
def test_an_object_has_its_buckets_policy_and_every_other_resource_its_own(arn: str, expected: str) -> None:
    assert policy_arn_of(arn) == expected


@pytest.mark.parametrize("field", PublicAccess.__struct_fields__)
async def test_of_the_buckets_and_the_accounts_settings_the_stricter_counts(lake: Lake, field: str) -> None:
    on = PublicAccess(**{field: True})
    assert public_access_of(BUCKET, DEFAULT, lake.store.view()) == PublicAccess()
    await lake.block(on)
    assert public_access_of(BUCKET, DEFAULT, lake.store.view()) == on
    await lake.block(PublicAccess())
    await set_account_public_access(lake.store, OWNER, on)
    assert public_access_of(BUCKET, DEFAULT, lake.store.view()) == on
    assert public_access_of("unrecorded", DEFAULT, lake.store.view()) == PublicAccess()
    assert public_access_of("unrecorded", OWNER, lake.store.view()) == on


async def test_records_come_back_as_they_were_put_after_a_restart(tmp_path: Path) -> None:
    records = (
        Bucket("a", OWNER, "", 1),
        Bucket("b", OWNER, "lake", 2, PublicAccess(True, False, True, False)),
        ResourcePolicy(OWNER, "arn:aws:s3:::b", '{"Version": "2012-10-17"}\n', (("arn:x", "AIDA1"),), 3, 4),
    )
    store = await Store.open(None, tmp_path)
    async with store.transaction() as transaction:
        await transaction.put(Account(OWNER, 1))
        for record in records:
            await transaction.put(record)
    await set_account_public_access(store, OWNER, PublicAccess(False, True, False, True))
    await store.close()
    store = await Store.open(None, tmp_path)
    view = store.view()
    assert (*view.buckets.of(OWNER), *view.resource_policies.of(OWNER)) == records
    found = view.account_public_access.with_key(OWNER)
    assert found is not None
    assert found.public_access == PublicAccess(False, True, False, True)
    await store.close()


ATTIC = frozenset({"lake"})
"""What the backend ``attic`` is told: the bucket of the lake is not the one it has."""


async def test_a_bucket_of_the_same_name_at_another_backend_is_another_bucket(lake: Lake) -> None:
    await lake.policy(statement())
    view = lake.store.view()
    for caller, account in ((Root(OWNER), DEFAULT), (Root(DEFAULT), DEFAULT)):
        found = resource_of(OBJECT, ARN, DEFAULT, view, principal=caller, action=READ, elsewhere=ATTIC)
        assert (found.account, found.policy) == (account, None)
    here = resource_of(OBJECT, ARN, DEFAULT, view, principal=Root(OTHER), action=READ, elsewhere=frozenset({"attic"}))
    assert here.account == OWNER
    assert here.policy is not None
    assert owner_of(ARN, DEFAULT, view, ATTIC) == DEFAULT
    assert list(filter(owned(view, OWNER, DEFAULT, ATTIC), [BUCKET])) == []
    assert list(filter(owned(view, DEFAULT, DEFAULT, ATTIC), [BUCKET])) == [BUCKET]


async def test_settings_of_a_bucket_of_the_same_name_do_not_count(lake: Lake) -> None:
    await lake.block(PublicAccess(restrict_public_buckets=True))
    assert public_access_of(BUCKET, DEFAULT, lake.store.view(), ATTIC) == PublicAccess()


@pytest.mark.parametrize("account", [OWNER, DEFAULT, OTHER])
@pytest.mark.parametrize("exists", [True, False])
async def test_a_name_that_is_recorded_elsewhere_is_taken_for_everybody(lake: Lake, account: str, exists: bool) -> None:
    with pytest.raises(EntityError) as caught:
        check_creation(BUCKET, account, lake.store.view(), exists=exists, default_account=DEFAULT, elsewhere=ATTIC)
    assert caught.value.reason is Reason.BUCKET_ALREADY_EXISTS
    with pytest.raises(EntityError) as caught:
        await record_creation(lake.store, BUCKET, account, "attic", NOW, ATTIC)
    assert caught.value.reason is Reason.BUCKET_ALREADY_EXISTS


async def test_a_bucket_that_is_deleted_elsewhere_leaves_its_namesakes_record_alone(lake: Lake) -> None:
    await lake.policy(statement())
    before = lake.store.view().revision
    await record_deletion(lake.store, BUCKET, ATTIC)
    assert lake.store.view().revision == before


async def test_nothing_is_kept_about_two_buckets_of_one_name(lake: Lake) -> None:
    attempts: list[Any] = [
        put_policy(lake.store, ARN, document(statement()), owner=DEFAULT, now=NOW, backend="attic", elsewhere=ATTIC),
        set_bucket_public_access(
            lake.store, BUCKET, PublicAccess(), owner=DEFAULT, now=NOW, backend="attic", elsewhere=ATTIC
        ),
    ]
    for attempt in attempts:
        with pytest.raises(EntityError) as caught:
            await attempt
        assert caught.value.reason is Reason.BUCKET_ALREADY_EXISTS
    assert not lake.store.view().resource_policies


async def test_an_owner_that_an_operator_set_counts_at_every_backend(lake: Lake) -> None:
    await set_owner(lake.store, "arn:aws:s3:::old", OTHER, now=NOW)
    assert owner_of("arn:aws:s3:::old", DEFAULT, lake.store.view(), ATTIC) == OTHER
