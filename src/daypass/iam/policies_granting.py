# SPDX-License-Identifier: Apache-2.0
"""Which policies let a user, group or role use a service (IAM API): ListPoliciesGrantingServiceAccess."""

from __future__ import annotations

from collections.abc import Iterator

from daypass.access import Permitted
from daypass.access.policies import groups_of, managed_policy
from daypass.awsapi.parameters import Parameters, text, texts
from daypass.iam.granted_services import Services, granted_services
from daypass.iam.last_accessed import check_namespaces
from daypass.iam.named_entities import Identity, identity_of
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.store import Group, Role, User, View

Granting = tuple[dict[str, object], Services]
"""A policy in the output's form, and what it grants."""


async def list_policies_granting_service_access(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """For each service in the order asked, the policies of the entity and, for a user, of its groups that grant it."""
    view, account = iam.store.view(), permitted.caller.principal.account
    entity = identity_of(view, account, text(parameters, "Arn"))
    namespaces = texts(parameters, "ServiceNamespaces")
    check_namespaces(namespaces)
    policies = list(_of_all(entity, view))
    entries = [(f"{place:04d}", namespace) for place, namespace in enumerate(namespaces)]
    chosen, more = page(entries, parameters, key=lambda entry: entry[0])
    return {
        "PoliciesGrantingServiceAccess": [
            {
                "ServiceNamespace": namespace,
                "Policies": [members for members, services in policies if namespace in services],
            }
            for _, namespace in chosen
        ],
        **more,
    }


def _of_all(entity: Identity, view: View) -> Iterator[Granting]:
    yield from _of(entity, view)
    if isinstance(entity, User):
        for group in groups_of(entity, view):
            yield from _of(group, view)


def _of(entity: Identity, view: View) -> Iterator[Granting]:
    kind = "GROUP" if isinstance(entity, Group) else "ROLE" if isinstance(entity, Role) else "USER"
    for name, document in entity.inline_policies:
        members: dict[str, object] = {
            "PolicyName": name,
            "PolicyType": "INLINE",
            "EntityType": kind,
            "EntityName": entity.name,
        }
        yield members, granted_services((document,))
    for policy_arn in entity.attached_policies:
        policy = managed_policy(view, policy_arn)
        if policy is not None:
            managed: dict[str, object] = {
                "PolicyName": policy.name,
                "PolicyType": "MANAGED",
                "PolicyArn": policy_arn,
            }
            yield managed, granted_services((policy.document,))
