# SPDX-License-Identifier: Apache-2.0
"""What a state file manages is its own; what leaves it ends or stays, as is said; and buckets may come and go."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from daypass.errors import AccessDeniedError, Reason
from daypass.resources import (
    NOTHING_PUBLIC,
    managed_aspects,
    put_policy,
    record_creation,
    record_deletion,
    remove_policy,
    set_account_public_access,
    set_bucket_public_access,
    set_owner,
)
from daypass.statefile import release
from daypass.store import PublicAccess
from resources.lake import ARN, BUCKET, NOW, OTHER, OWNER, Lake, document, root, statement
from statefile.declaring import BLOCK, SHARED, applied, bucket, everything, policy


def changes_of_others(lake: Lake) -> dict[str, list[Awaitable[Any]]]:
    """How others write each aspect."""
    store = lake.store
    return {
        "policy": [
            put_policy(store, ARN, document(statement(principal={"AWS": OTHER})), owner=OWNER, now=NOW),
            remove_policy(store, ARN),
        ],
        "owner": [set_owner(store, ARN, OTHER, now=NOW)],
        "public-access-block": [
            set_bucket_public_access(store, BUCKET, None, owner=OWNER, now=NOW),
            set_account_public_access(store, OWNER, None),
        ],
    }


async def test_what_the_file_manages_is_changed_by_nobody_else_until_it_leaves(lake: Lake) -> None:
    whole = {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": BLOCK}
    await applied(lake, whole, public_access_blocks={OWNER: "all"})
    assert managed_aspects(ARN, lake.store.view()) == ("owner", "policy", "public-access-block")
    before = everything(lake.store.view())
    for aspect, works in changes_of_others(lake).items():
        for work in works:
            with pytest.raises(AccessDeniedError, match="is managed by the state file") as caught:
                await work
            assert caught.value.reason is Reason.MANAGED_BY_FILE, aspect
    assert everything(lake.store.view()) == before
    await applied(lake)
    for works in changes_of_others(lake).values():
        for work in works:
            await work


@pytest.mark.parametrize("managed", ["policy", "owner", "public_access_block"])
async def test_what_the_file_does_not_name_is_left_to_others(lake: Lake, managed: str) -> None:
    whole = {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": BLOCK}
    await applied(lake, {"arn": ARN, managed: whole[managed]}, public_access_blocks={OTHER: "all"})
    for aspect, works in changes_of_others(lake).items():
        for work in works:
            if aspect == managed.replace("_", "-") and "account" not in getattr(work, "__name__", ""):
                with pytest.raises(AccessDeniedError):
                    await work
            else:
                await work


async def test_a_policy_that_leaves_is_removed_and_what_else_leaves_stays(lake: Lake) -> None:
    whole = {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": BLOCK}
    await applied(lake, whole, public_access_blocks={OWNER: "all"})
    block = lake.store.view().account_public_access.with_key(OWNER)
    kept = bucket(lake)
    assert sorted(await applied(lake)) == [
        ("release", "owner", ARN),
        ("release", "public-access-block", OWNER),
        ("release", "public-access-block", ARN),
        ("remove", "policy", ARN),
    ]
    assert policy(lake) is None
    assert not lake.may(root(OTHER))
    assert bucket(lake) == kept
    assert lake.store.view().account_public_access.with_key(OWNER) == block
    assert not lake.store.view().managed


async def test_released_everything_stays_and_nothing_is_managed(lake: Lake) -> None:
    await applied(lake, {"arn": ARN, "policy": SHARED, "owner": OWNER})
    before = policy(lake), bucket(lake)
    assert await release(lake.store) == 2
    assert (policy(lake), bucket(lake)) == before
    assert not lake.store.view().managed
    assert not lake.store.view().state_files
    assert await release(lake.store) == 0


# Buckets that come and go


async def test_a_bucket_of_the_file_that_is_deleted_and_made_again_is_as_the_file_says(lake: Lake) -> None:
    await applied(lake, {"arn": ARN, "policy": SHARED, "public_access_block": BLOCK})
    await record_deletion(lake.store, BUCKET)
    assert (bucket(lake).account, policy(lake) is not None) == (OWNER, True)
    await record_creation(lake.store, BUCKET, OWNER, "other", NOW + 5)
    assert bucket(lake).public_access == PublicAccess(block_public_acls=True)
    assert policy(lake) is not None
    assert (bucket(lake).backend, bucket(lake).created_at) == ("other", NOW + 5)


async def test_of_a_bucket_only_what_the_file_manages_outlives_it(lake: Lake) -> None:
    await lake.policy(statement(principal={"AWS": OTHER}))
    await applied(lake, {"arn": ARN, "owner": OWNER})
    await record_deletion(lake.store, BUCKET)
    assert (bucket(lake).account, policy(lake)) == (OWNER, None)
    await record_creation(lake.store, BUCKET, OWNER, "lake", NOW)
    assert bucket(lake).public_access == NOTHING_PUBLIC
