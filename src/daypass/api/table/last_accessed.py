# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: what was last accessed, and which policies allow it."""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, text
from daypass.errors import EntityError
from daypass.iam import last_accessed, policies_granting
from daypass.iam.named_entities import entity_of
from daypass.store import Group, View


def entity(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The entity that ``Arn`` names, which is looked for in the caller's account only."""
    account, entity_arn = caller.principal.account, text(parameters, "Arn")
    try:
        found = entity_of(view, account, entity_arn)
    except EntityError:
        return Resource(entity_arn, account)  # said by the operation, to whom is permitted
    return Resource(found.arn, account, () if isinstance(found, Group) else found.tags)


ROWS: Final = (
    Row("GenerateServiceLastAccessedDetails", entity, last_accessed.generate_details),
    Row("GetServiceLastAccessedDetails", everything, last_accessed.get_details),
    Row("GetServiceLastAccessedDetailsWithEntities", everything, last_accessed.get_details_with_entities),
    Row("ListPoliciesGrantingServiceAccess", entity, policies_granting.list_policies_granting_service_access),
)
