# SPDX-License-Identifier: Apache-2.0
"""What a stored policy is worth in a decision: across accounts, against its owner, for those who are gone."""

from __future__ import annotations

import pytest

from daypass.errors import AccessDeniedError, Reason
from daypass.principal import Anonymous, FederatedUser, Root, Service
from daypass.resources import resource_of, set_account_public_access, set_owner
from daypass.store import PublicAccess
from resources.lake import ARN, BUCKET, DEFAULT, NOW, OBJECT, OTHER, OWNER, READ, Lake, identity, root, statement

MAY_READ = identity("Allow", READ)
RESTRICTED = PublicAccess(restrict_public_buckets=True)
POLICY_ACTIONS = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]


async def test_without_a_policy_the_owners_users_may_what_their_policies_allow(lake: Lake) -> None:
    assert lake.may(await lake.user(OWNER, "a", MAY_READ))
    assert not lake.may(await lake.user(OWNER, "b"))


async def test_without_a_policy_another_account_may_nothing_whatever_its_own_policies_allow(lake: Lake) -> None:
    for caller in (await lake.user(OTHER, "a", MAY_READ), root(OTHER), root(DEFAULT)):
        assert not lake.may(caller)


async def test_across_accounts_the_policy_and_the_callers_own_must_both_allow(lake: Lake) -> None:
    await lake.policy(statement(principal={"AWS": OTHER}))
    assert lake.may(await lake.user(OTHER, "both", MAY_READ))
    assert not lake.may(await lake.user(OTHER, "bucket-only"))
    assert lake.may(root(OTHER))
    assert not lake.may(root(DEFAULT))


async def test_in_the_owners_account_a_grant_to_the_user_is_enough(lake: Lake) -> None:
    named, other = await lake.user(OWNER, "named"), await lake.user(OWNER, "other")
    await lake.policy(statement(principal={"AWS": named.principal.arn}))
    assert lake.may(named)
    assert not lake.may(other)


@pytest.mark.parametrize("who", ["user", "root", "other"])
async def test_a_deny_binds_everybody_the_owners_root_too(lake: Lake, who: str) -> None:
    user = await lake.user(OWNER, "a", MAY_READ)
    caller = {"user": user, "root": root(OWNER), "other": root(OTHER)}[who]
    await lake.policy(statement(principal={"AWS": [OWNER, OTHER]}))
    assert lake.may(caller)
    await lake.policy(statement(principal={"AWS": [OWNER, OTHER]}), statement("Deny"))
    with pytest.raises(AccessDeniedError) as caught:
        lake.ask(caller)
    assert caught.value.reason is Reason.NOT_AUTHORIZED


@pytest.mark.parametrize("action", POLICY_ACTIONS)
async def test_the_owners_root_can_always_see_and_change_the_policy(lake: Lake, action: str) -> None:
    await lake.policy(statement("Deny", action="s3:*", resource=[ARN, f"{ARN}/*"]))
    assert lake.may(root(OWNER), action, ARN)
    assert lake.may(root(OWNER), action.upper(), ARN)
    assert not lake.may(root(OWNER), "s3:ListBucket", ARN)
    assert not lake.may(await lake.user(OWNER, "a", identity("Allow", "*")), action, ARN)
    assert not lake.may(root(OTHER), action, ARN)


@pytest.mark.parametrize("action", POLICY_ACTIONS)
async def test_the_root_of_another_account_has_no_such_way_in(lake: Lake, action: str) -> None:
    assert not lake.may(root(OTHER), action, ARN)
    assert not lake.may(root(DEFAULT), action, ARN)


async def test_a_user_made_again_under_a_deleted_ones_name_does_not_inherit_its_grant(lake: Lake) -> None:
    first = await lake.user(OTHER, "alice", MAY_READ)
    await lake.policy(statement(principal={"AWS": first.principal.arn}))
    assert lake.may(first)
    await lake.delete(first)
    assert not lake.may(await lake.user(OTHER, "alice", MAY_READ))


async def test_a_restricted_bucket_grants_other_accounts_nothing_while_its_policy_is_public(lake: Lake) -> None:
    reader = await lake.user(OTHER, "reader", MAY_READ)
    by_name = statement(principal={"AWS": OTHER})
    await lake.block(RESTRICTED)
    await lake.policy(by_name)
    assert lake.may(reader), "a policy that is not public stays in effect as written"
    await lake.policy(by_name, statement())
    assert not lake.may(reader), "the public statement makes the whole policy public"
    assert lake.may(await lake.user(OWNER, "own")), "the owner's users keep what it grants"
    await lake.block(None)
    assert lake.may(reader)


async def test_a_restricted_bucket_still_denies_what_its_public_policy_denies(lake: Lake) -> None:
    await lake.block(RESTRICTED)
    await lake.policy(statement(), statement("Deny", action="s3:GetObject", resource=OBJECT))
    assert not lake.may(root(OTHER))
    assert not lake.may(root(OWNER))
    assert lake.may(root(OWNER), arn=f"{ARN}/other")


async def test_an_accounts_block_restricts_all_its_buckets_and_no_other_accounts(lake: Lake) -> None:
    reader = await lake.user(OTHER, "reader", MAY_READ)
    await lake.policy(statement())
    await set_account_public_access(lake.store, OTHER, RESTRICTED)
    assert lake.may(reader)
    await set_account_public_access(lake.store, OWNER, RESTRICTED)
    assert not lake.may(reader)
    await set_account_public_access(lake.store, OWNER, None)
    assert lake.may(reader)


async def test_restriction_leaves_services_alone_and_binds_strangers_and_federated_users(lake: Lake) -> None:
    await lake.policy(statement(), statement(principal={"Service": "cloudtrail.amazonaws.com"}))
    await lake.block(RESTRICTED)
    view = lake.store.view()

    def granting(principal: object) -> int:
        found = resource_of(OBJECT, ARN, DEFAULT, view, principal=principal, action=READ)  # type: ignore[arg-type]
        assert found.policy is not None
        return sum(not one.denies for one in found.policy.policy.statements)

    assert granting(Service("cloudtrail.amazonaws.com")) == 2
    assert granting(FederatedUser(OWNER, "f", Root(OWNER))) == 2
    assert granting(Anonymous()) == 0
    assert granting(FederatedUser(OTHER, "f", Root(OTHER))) == 0


async def test_a_bucket_belongs_to_whom_it_is_recorded_for_and_else_to_the_backends_account(lake: Lake) -> None:
    unknown = "arn:aws:s3:::elsewhere"
    assert lake.may(root(DEFAULT), arn=f"{unknown}/x")
    assert not lake.may(root(OWNER), arn=f"{unknown}/x")
    await set_owner(lake.store, unknown, OWNER, now=NOW)
    assert not lake.may(root(DEFAULT), arn=f"{unknown}/x")
    assert lake.may(root(OWNER), arn=f"{unknown}/x")


async def test_another_owner_takes_the_policy_over(lake: Lake) -> None:
    await lake.policy(statement(principal={"AWS": OWNER}))
    await set_owner(lake.store, ARN, OTHER, now=NOW)
    bucket, policy = lake.store.view().buckets.with_key(BUCKET), lake.store.view().resource_policies.with_key(ARN)
    assert bucket is not None
    assert policy is not None
    assert (bucket.account, policy.account, bucket.backend) == (OTHER, OTHER, "lake")
    assert lake.may(root(OTHER), "s3:DeleteBucketPolicy", ARN)
    assert not lake.may(root(OWNER), "s3:DeleteBucketPolicy", ARN)


async def test_without_an_owner_arn_a_resource_is_the_default_accounts_and_has_no_policy(lake: Lake) -> None:
    found = resource_of("*", "", DEFAULT, lake.store.view(), principal=Root(OWNER), action="s3:ListAllMyBuckets")
    assert (found.account, found.policy) == (DEFAULT, None)


async def test_a_queues_arn_says_whose_it_is_and_its_policy_counts(lake: Lake) -> None:
    queue = f"arn:aws:sqs:us-east-1:{OWNER}:jobs"
    send = statement(principal={"AWS": OTHER}, action="sqs:SendMessage", resource=queue)
    assert lake.may(root(OWNER), "sqs:SendMessage", queue)
    assert not lake.may(root(OTHER), "sqs:SendMessage", queue)
    await lake.policy(send, arn=queue)
    assert lake.may(root(OTHER), "sqs:SendMessage", queue)


async def test_a_key_without_a_policy_that_names_the_caller_or_its_account_is_nobodys_to_use(lake: Lake) -> None:
    key = f"arn:aws:kms:us-east-1:{OWNER}:key/1234"
    assert not lake.may(root(OWNER), "kms:Decrypt", key)
    named = statement(principal={"AWS": OWNER}, action="kms:*", resource="*")
    await lake.policy(named, arn=key)
    assert lake.may(root(OWNER), "kms:Decrypt", key)
