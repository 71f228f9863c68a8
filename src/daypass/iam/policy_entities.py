# SPDX-License-Identifier: Apache-2.0
"""Who has a managed policy (IAM API): ListEntitiesForPolicy."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from typing import Final, TypeVar

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_text
from daypass.iam.managed_policies import existing_policy
from daypass.iam.paging import After, page_of_lists
from daypass.iam.service import Iam
from daypass.store import Group, Records, Role, User, View

Entity = User | Group | Role
E = TypeVar("E", User, Group, Role)

_USAGES: Final = {"PermissionsPolicy": ("policy",), "PermissionsBoundary": ("boundary",)}


async def list_entities_for_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The groups, users and roles of the caller's account that a policy is attached to or bounds, page by page.

    ``EntityFilter``: of one kind (nothing is attached to a policy, so there are none of the kinds of policies);
    ``PathPrefix``: of the entities; ``PolicyUsageFilter``: those that use it in that way.
    """
    policy = existing_policy(iam, permitted, parameters)
    lists = _lists(iam.store.view(), permitted.caller.principal.account, policy.arn, parameters)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_lists(lists, parameters, keep=lambda entity: entity.path.startswith(prefix))
    return {
        "PolicyGroups": [{"GroupName": one.name, "GroupId": one.unique_id} for one in chosen if isinstance(one, Group)],
        "PolicyUsers": [{"UserName": one.name, "UserId": one.unique_id} for one in chosen if isinstance(one, User)],
        "PolicyRoles": [{"RoleName": one.name, "RoleId": one.unique_id} for one in chosen if isinstance(one, Role)],
        **more,
    }


def _lists(view: View, account: str, policy_arn: str, parameters: Parameters) -> list[After[Entity]]:
    """The lists to go through: always as many, so that a marker means the same list; empty where not asked for."""
    wanted, usage = optional_text(parameters, "EntityFilter"), optional_text(parameters, "PolicyUsageFilter")
    links = _USAGES.get(usage or "", ("policy", "boundary"))
    every: dict[str, After[Entity]] = {
        "Group": _using(view.groups, account, policy_arn, links),
        "User": _using(view.users, account, policy_arn, links),
        "Role": _using(view.roles, account, policy_arn, links),
    }
    return [after if wanted in (None, kind) else _none for kind, after in every.items()]


def _none(_name: str | None) -> Iterator[Entity]:
    return iter(())


def _using(records: Records[E], account: str, policy_arn: str, links: tuple[str, ...]) -> After[E]:
    """Entities that use a policy in one of these ways, each once, by name."""
    lists = [records.linked(account, (link, policy_arn)) for link in links]

    def after(name: str | None) -> Iterator[E]:
        merged = heapq.merge(*[found.after(name) for found in lists], key=_name)
        return (next(same) for _, same in groupby(merged, key=_name))

    return after


def _name(entity: Entity) -> str:
    return entity.name
