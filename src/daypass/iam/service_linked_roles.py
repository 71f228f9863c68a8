# SPDX-License-Identifier: Apache-2.0
"""
Service-linked roles (IAM API): CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus.

Such a role trusts its service alone, and only this module makes and deletes one: all other writes but those of tags and
description are refused (``roles.check_modifiable``). No service runs here that could still need one, so a deletion is done
when it is asked for.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Final

from daypass import arn
from daypass.access import Permitted
from daypass.access.policies import SERVICE_LINKED_PATH
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason
from daypass.iam import documents, linked_services
from daypass.iam.limits import ROLES_PER_ACCOUNT
from daypass.iam.roles import (
    DEFAULT_MAX_SESSION_SECONDS,
    no_such_role,
    role_members,
    role_to_change,
)
from daypass.iam.service import Iam
from daypass.iam.usage import forget
from daypass.store import Role, ServiceLinkedRoleDeletion, View

_TASK: Final = re.compile(
    r"task/aws-service-role/(?P<service>[\w+=,.@-]{1,128})/(?P<role>[\w+=,.@-]{1,64})/[0-9a-f-]{36}", re.ASCII
)


async def create_service_linked_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The role of a service, under its own path and name."""
    account, service = permitted.caller.principal.account, text(parameters, "AWSServiceName")
    name = linked_services.role_name(service, optional_text(parameters, "CustomSuffix"))
    role = _new_role(account, service, name, iam.store.view(), int(permitted.facts.now), parameters)
    async with iam.store.transaction() as transaction:
        if transaction.view.roles.like_name(account, name) is not None:
            message = f"Service role name {name} has been taken in this account, please try a different suffix."
            raise EntityError(Reason.INVALID_INPUT, message)
        if len(transaction.view.roles.of(account)) >= ROLES_PER_ACCOUNT:
            raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for RolesPerAccount: {ROLES_PER_ACCOUNT}")
        await transaction.put(role)
    return {"Role": role_members(role, iam.store.view(), with_tags=True)}


def _new_role(account: str, service: str, name: str, view: View, now: int, parameters: Parameters) -> Role:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust_policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    return Role(
        account=account,
        path=f"{SERVICE_LINKED_PATH}{service}/",
        name=name,
        unique_id=new_unique_id("AROA"),
        description=optional_text(parameters, "Description"),
        max_session_duration=DEFAULT_MAX_SESSION_SECONDS,
        trust_policy=trust_policy,
        trust_principals=documents.check_trust_policy(trust_policy, view),
        created_at=now,
    )


async def delete_service_linked_role(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The end of a service-linked role; answers the task to ask about. Roles of other kinds are not found."""
    async with iam.store.transaction() as transaction:
        role = await role_to_change(transaction, permitted, parameters, service_linked=True)
        if not role.path.startswith(SERVICE_LINKED_PATH):
            raise no_such_role(role.name)
        task = ServiceLinkedRoleDeletion(
            account=role.account,
            unique_id=f"task{role.path}{role.name}/{uuid.uuid4()}",
            role_arn=role.arn,
            created_at=int(permitted.facts.now),
        )
        await transaction.delete(role)
        await forget(transaction, role.account, role.unique_id)
        await transaction.put(task)
    return {"DeletionTaskId": task.unique_id}


async def get_deletion_status(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """What became of a deletion: every one that is known succeeded."""
    task_id = text(parameters, "DeletionTaskId")
    if role_arn_of_task(permitted.caller.principal.account, task_id) is None:
        raise EntityError(Reason.INVALID_INPUT, f"The deletion task id {task_id[:200]!r} is not valid.")
    task = iam.store.view().role_deletions.with_key(task_id)
    if task is None or task.role_arn != permitted.resource:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The deletion task with id {task_id} cannot be found.")
    return {"Status": "SUCCEEDED"}


def role_arn_of_task(account: str, task_id: str) -> str | None:
    """The role that a deletion task is about, if the id is one: ``task/aws-service-role/SERVICE/ROLE/UUID``."""
    match = _TASK.fullmatch(task_id)
    return match and arn.role_arn(account, f"{SERVICE_LINKED_PATH}{match['service']}/", match["role"])
