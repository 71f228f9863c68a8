# SPDX-License-Identifier: Apache-2.0
"""A state file is made so as a whole or not at all, and what is so already is left alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from daypass.errors import ConfigurationError, Reason
from daypass.resources import NOTHING_PUBLIC, is_managed, put_policy, set_account_public_access, set_owner
from daypass.statefile import Desired, apply, exported, note_problem, plan, read_desired
from daypass.store import STATE_FILE, PublicAccess, Store, state_problem
from resources.lake import ARN, DEFAULT, NOW, OTHER, OWNER, Lake, document, identity, root, statement
from statefile.declaring import (
    BLOCK,
    NEW,
    NOBODY,
    QUEUE,
    SHARED,
    THING,
    applied,
    bucket,
    everything,
    policy,
    shown,
    wants,
)


async def test_what_a_file_wants_is_what_counts_from_then_on(lake: Lake) -> None:
    assert not lake.may(root(OTHER))
    changes = await applied(
        lake,
        {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": BLOCK},
        {"arn": NEW, "owner": OTHER, "public_access_block": "all"},
        public_access_blocks={OWNER: "all"},
    )
    assert changes == [
        ("add", "public-access-block", OWNER),
        ("adopt", "owner", ARN),
        ("add", "public-access-block", ARN),
        ("add", "policy", ARN),
        ("add", "owner", NEW),
        ("add", "public-access-block", NEW),
    ]
    assert lake.may(root(OTHER))
    assert bucket(lake).public_access == PublicAccess(block_public_acls=True)
    assert (bucket(lake, "new").account, bucket(lake, "new").public_access) == (OTHER, NOTHING_PUBLIC)
    block = lake.store.view().account_public_access.with_key(OWNER)
    assert block is not None
    assert block.public_access == NOTHING_PUBLIC


async def test_to_apply_it_again_changes_nothing_and_writes_nothing(lake: Lake) -> None:
    resources = {"arn": ARN, "owner": OWNER, "policy": SHARED, "public_access_block": "none"}
    await applied(lake, resources)
    before = lake.store.view()
    found = await apply(lake.store, wants(resources), "/f", now=NOW + 10)
    assert (shown(found), found.unchanged) == ([], 3)
    assert lake.store.view() is before


async def test_another_form_of_a_policy_is_no_change_and_another_meaning_is(lake: Lake) -> None:
    sent = document(statement(principal={"AWS": OTHER}), version="2012-10-17").replace(", ", ",\n")
    await put_policy(lake.store, ARN, sent, owner=OWNER, now=NOW)
    assert await applied(lake, {"arn": ARN, "policy": SHARED}) == [("adopt", "policy", ARN)]
    stored = policy(lake)
    assert stored is not None
    assert stored.document == sent
    tight = json.loads(document(statement(principal={"AWS": OTHER}, Condition={"Bool": {"aws:SecureTransport": True}})))
    loose = json.loads(document(statement(principal={"AWS": OTHER}, Condition={"Bool": {"aws:SecureTransport": 1}})))
    assert await applied(lake, {"arn": ARN, "policy": tight}) == [("change", "policy", ARN)]
    assert shown(await plan(lake.store, wants({"arn": ARN, "policy": loose}), now=NOW)) == [("change", "policy", ARN)]


async def test_a_user_made_anew_under_its_name_is_the_one_that_the_file_means(lake: Lake) -> None:
    reader = await lake.user(OTHER, "reader", identity("Allow", "s3:*"))
    entry = {"arn": ARN, "policy": json.loads(document(statement(principal={"AWS": reader.principal.arn})))}
    await applied(lake, entry)
    assert lake.may(reader)
    await lake.delete(reader)
    anew = await lake.user(OTHER, "reader", identity("Allow", "s3:*"))
    assert not lake.may(anew)
    assert await applied(lake, entry) == [("change", "policy", ARN)]
    assert lake.may(anew)


async def test_a_user_may_stand_in_the_file_by_the_id_and_by_the_name_it_has_now(lake: Lake) -> None:
    reader = await lake.user(OTHER, "reader", identity("Allow", "s3:*"))
    assert reader.user is not None

    def naming(principal: str) -> dict[str, Any]:
        return {"arn": ARN, "policy": json.loads(document(statement(principal={"AWS": principal})))}

    for principal in (reader.user.unique_id, reader.user.arn):
        await applied(lake, naming(principal))
        assert await applied(lake, naming(principal)) == []
    renamed = replace(reader.user, name="writer")
    async with lake.store.transaction() as transaction:
        await transaction.put(renamed)
    assert await applied(lake, naming(renamed.arn)) == []
    with pytest.raises(ConfigurationError, match="Invalid principal"):
        await applied(lake, naming(reader.user.arn))


async def test_a_user_who_is_gone_may_stand_in_the_file_by_the_id_that_is_left(lake: Lake) -> None:
    reader = await lake.user(OTHER, "reader")
    await lake.policy(statement(principal={"AWS": [reader.principal.arn, OTHER]}))
    await lake.delete(reader)
    made = exported(lake.store.view())
    assert await applied(lake, *made["resources"]) == [
        ("adopt", "owner", ARN),
        ("adopt", "public-access-block", ARN),
        ("adopt", "policy", ARN),
    ]


# All or nothing


BAD: list[tuple[dict[str, Any], Reason, str]] = [
    ({"arn": NEW, "owner": "999999999999"}, Reason.NO_SUCH_ENTITY, "There is no account"),
    ({"arn": NEW, "owner": OWNER, "policy": SHARED}, Reason.POLICY_RESOURCE_INVALID, "Policy has invalid resource"),
    ({"arn": QUEUE, "policy": SHARED}, Reason.POLICY_ACTION_INVALID, "Expected actions of sqs"),
    ({"arn": QUEUE, "policy": "no json"}, Reason.POLICY_SYNTAX, QUEUE),
    ({"arn": NEW, "public_access_block": "all"}, Reason.INVALID_INPUT, "name the account with owner"),
    (
        {"arn": NEW, "owner": OWNER, "policy": json.loads(document(statement(resource=NEW, action="s3:ListBucket")))},
        Reason.PUBLIC_ACCESS_BLOCKED,
        "BlockPublicPolicy",
    ),
    (
        {
            "arn": NEW,
            "owner": OWNER,
            "policy": json.loads(document(statement(principal={"AWS": NOBODY}, resource=f"{NEW}/*"))),
        },
        Reason.POLICY_PRINCIPAL_INVALID,
        "Invalid principal",
    ),
]


@pytest.mark.parametrize(("entry", "reason", "says"), BAD, ids=[one[2] for one in BAD])
async def test_one_entry_that_is_refused_leaves_everything_as_it_was(
    lake: Lake, entry: dict[str, Any], reason: Reason, says: str
) -> None:
    await applied(lake, {"arn": ARN, "policy": SHARED})
    before = everything(lake.store.view())
    good = {"arn": ARN, "owner": OTHER, "public_access_block": BLOCK}  # and the policy has left
    for work in (
        apply(lake.store, bad_file(good, entry), "/f", now=NOW),
        plan(lake.store, bad_file(good, entry), now=NOW),
    ):
        with pytest.raises(ConfigurationError, match=says) as caught:
            await work
        assert caught.value.reason is reason
        assert str(caught.value).startswith(f"'f', line 4: {entry['arn']}: ")
        assert everything(lake.store.view()) == before


def bad_file(*resources: dict[str, Any]) -> Desired:
    return wants(*resources, public_access_blocks={OWNER: {"block_public_policy": True}})


async def test_a_plan_is_what_applying_changes_and_changes_nothing(lake: Lake) -> None:
    await applied(lake, {"arn": ARN, "policy": SHARED, "owner": OWNER})
    before = everything(lake.store.view())
    desired = wants({"arn": ARN, "public_access_block": BLOCK}, {"arn": NEW, "owner": OTHER})
    found = await plan(lake.store, desired, now=NOW)
    assert everything(lake.store.view()) == before
    assert found == await apply(lake.store, desired, "/f", now=NOW)
    assert shown(found) == [
        ("add", "public-access-block", ARN),
        ("add", "owner", NEW),
        ("release", "owner", ARN),
        ("remove", "policy", ARN),
    ]
    assert found.changes[0].before is None
    assert found.changes[0].after == {
        "block_public_acls": True,
        "ignore_public_acls": False,
        "block_public_policy": False,
        "restrict_public_buckets": False,
    }
    assert (found.changes[3].before, found.changes[3].after) == (SHARED, None)


async def test_settings_of_a_file_count_for_its_own_policies(lake: Lake) -> None:
    public = json.loads(document(statement()))
    await lake.block(NOTHING_PUBLIC)
    assert await applied(lake, {"arn": ARN, "policy": public, "public_access_block": "none"})
    assert lake.may(root(OTHER))
    with pytest.raises(ConfigurationError) as caught:
        await applied(
            lake, {"arn": ARN, "policy": json.loads(document(statement(Sid="new"))), "public_access_block": "all"}
        )
    assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED


async def test_two_who_apply_at_once_take_turns(lake: Lake, tmp_path: Path) -> None:
    other = await Store.open(None, tmp_path / "data")
    files = [
        wants(
            *({"arn": f"{NEW}-{letter}{number}", "owner": account} for number in range(10)),
            {"arn": ARN, "owner": account},
        )
        for letter, account in (("a", OWNER), ("b", OTHER))
    ]
    try:
        for _ in range(3):
            await asyncio.gather(apply(lake.store, files[0], "/a", now=NOW), apply(other, files[1], "/b", now=NOW))
            view = lake.store.view()
            record = view.state_files.with_key(STATE_FILE)
            assert record is not None
            winner = files[0] if record.path == "/a" else files[1]
            assert {(mark.aspect, mark.target) for mark in view.managed.all()} == {one.key for one in winner.wanted}
            assert shown(await plan(other, winner, now=NOW)) == []
    finally:
        await other.close()


# Resources that are no buckets


async def test_a_resource_without_an_account_in_its_arn_belongs_to_whom_the_file_names(lake: Lake) -> None:
    def entry(owner: str | None) -> dict[str, Any]:
        made = json.loads(document(statement(action="things:Get", resource=THING)))
        return {"arn": THING, "policy": made, **({} if owner is None else {"owner": owner})}

    with pytest.raises(ConfigurationError, match="Nobody is recorded as its owner"):
        await applied(lake, entry(None))
    await applied(lake, entry(OTHER))
    stored = policy(lake, THING)
    assert stored is not None
    assert stored.account == OTHER
    assert await applied(lake, entry(None)) == []
    with pytest.raises(ConfigurationError, match=f"It belongs to {OTHER}"):
        await applied(lake, entry(OWNER))


# What became of the file


async def test_the_store_says_what_was_applied_and_what_was_refused(lake: Lake, tmp_path: Path) -> None:
    assert state_problem(None, tmp_path / "data") is None
    await note_problem(lake.store, "/f", "it is wrong")
    record = lake.store.view().state_files.with_key(STATE_FILE)
    assert record is not None
    assert (record.digest, record.applied_at, record.problem) == ("", None, "it is wrong")
    assert state_problem(None, tmp_path / "data") == "it is wrong"
    desired = wants({"arn": ARN, "owner": OWNER})
    await apply(lake.store, desired, "/f", now=NOW)
    record = lake.store.view().state_files.with_key(STATE_FILE)
    assert record is not None
    assert (record.digest, record.applied_at, record.problem) == (desired.digest(), NOW, None)
    await note_problem(lake.store, "/f", "wrong again")
    known = lake.store.view()
    await note_problem(lake.store, "/f", "wrong again")
    assert lake.store.view() is known, "it is written once"
    assert state_problem(None, tmp_path / "absent") is None


# To begin with


async def test_what_is_exported_changes_nothing_when_it_is_applied(lake: Lake) -> None:
    await lake.policy(statement(), statement("Deny", action="s3:PutObject"))
    await put_policy(
        lake.store,
        QUEUE,
        document(statement(action="sqs:*", resource=QUEUE, principal={"AWS": OTHER})),
        owner=OWNER,
        now=1,
    )
    await put_policy(lake.store, THING, document(statement(action="things:Get", resource=THING)), owner=OTHER, now=1)
    await set_owner(lake.store, NEW, DEFAULT, now=1)
    await lake.block(PublicAccess(ignore_public_acls=True))
    for account, block in ((OWNER, NOTHING_PUBLIC), (OTHER, PublicAccess())):
        await set_account_public_access(lake.store, account, block)
    made = exported(lake.store.view())
    assert [one["arn"] for one in made["resources"]] == [ARN, NEW, QUEUE, THING]
    assert [one.get("owner") for one in made["resources"]] == [OWNER, DEFAULT, None, OTHER]
    assert [one.get("public_access_block") for one in made["resources"]] == [
        {"ignore_public_acls": True},
        "none",
        None,
        None,
    ]
    kept = everything(lake.store.view())
    found = await apply(lake.store, read_desired(json.dumps(made), "'f'", str), "/f", now=NOW)
    assert {change.action for change in found.changes} == {"adopt"}
    assert {key: one for key, one in everything(lake.store.view()).items() if key in kept} == kept
    assert is_managed("policy", THING, lake.store.view())
