# SPDX-License-Identifier: Apache-2.0
"""Inline policies of groups (IAM API): PutGroupPolicy, GetGroupPolicy, ListGroupPolicies, DeleteGroupPolicy."""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import inline_policies
from daypass.iam.groups import existing_group, group_to_change
from daypass.iam.service import Iam
from daypass.policy import Kind, compile_policy


async def put_group_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Add an inline policy, or replace the one of that name."""
    name, document = text(parameters, "PolicyName"), text(parameters, "PolicyDocument")
    compile_policy(document, Kind.IDENTITY)
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.with_policy(group, name, document))
    return {}


async def get_group_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One inline policy, as it was sent."""
    group = existing_group(iam, permitted, parameters)
    return {"GroupName": group.name, **inline_policies.one_policy(group, parameters)}


async def list_group_policies(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The names of a group's inline policies, sorted."""
    return inline_policies.policy_names(existing_group(iam, permitted, parameters), parameters)


async def delete_group_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Remove an inline policy."""
    async with iam.store.transaction() as transaction:
        group = await group_to_change(transaction, permitted, parameters)
        await transaction.put(inline_policies.without_policy(group, text(parameters, "PolicyName")))
    return {}
