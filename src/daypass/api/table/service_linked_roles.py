# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: service-linked roles."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.access.policies import SERVICE_LINKED_PATH
from daypass.api.resources import Resource
from daypass.api.row import Row
from daypass.api.table.roles import role_alone
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.iam import linked_services, service_linked_roles
from daypass.store import View


def service_linked_role_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The role that CreateServiceLinkedRole would make, with its service. Raises EntityError where it would have no name."""
    account, service = caller.principal.account, text(parameters, "AWSServiceName")
    name = linked_services.role_name(service, optional_text(parameters, "CustomSuffix"))
    keys = {"iam:awsservicename": service}
    return Resource(arn.role_arn(account, f"{SERVICE_LINKED_PATH}{service}/", name), account, keys=keys)


def role_of_task(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The role that a deletion task is about; for a text that is no task's id, no role that could exist."""
    account, task_id = caller.principal.account, text(parameters, "DeletionTaskId")
    role_arn = service_linked_roles.role_arn_of_task(account, task_id)
    return Resource(role_arn or arn.role_arn(account, SERVICE_LINKED_PATH, ""), account)


ROWS: Final = (
    Row("CreateServiceLinkedRole", service_linked_role_to_be, service_linked_roles.create_service_linked_role),
    Row("DeleteServiceLinkedRole", role_alone, service_linked_roles.delete_service_linked_role),
    Row("GetServiceLinkedRoleDeletionStatus", role_of_task, service_linked_roles.get_deletion_status),
)
