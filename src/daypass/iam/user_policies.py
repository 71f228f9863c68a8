# SPDX-License-Identifier: Apache-2.0
"""Inline policies of users (IAM API): PutUserPolicy, GetUserPolicy, ListUserPolicies, DeleteUserPolicy."""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import inline_policies
from daypass.iam.service import Iam
from daypass.iam.users import existing_user, user_to_change
from daypass.policy import Kind, compile_policy


async def put_user_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Add an inline policy, or replace the one of that name."""
    name, document = text(parameters, "PolicyName"), text(parameters, "PolicyDocument")
    compile_policy(document, Kind.IDENTITY)
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.with_policy(user, name, document))
    return {}


async def get_user_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One inline policy, as it was sent."""
    user = existing_user(iam, permitted, parameters)
    return {"UserName": user.name, **inline_policies.one_policy(user, parameters)}


async def list_user_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The names of a user's inline policies, sorted."""
    return inline_policies.policy_names(existing_user(iam, permitted, parameters), parameters)


async def delete_user_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Remove an inline policy."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.without_policy(user, text(parameters, "PolicyName")))
    return {}
