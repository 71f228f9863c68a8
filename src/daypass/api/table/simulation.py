# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: the policy simulator."""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import simulation
from daypass.store import View


def policy_source(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The entity that ``PolicySourceArn`` names, which is looked for in the caller's account only."""
    account, source = caller.principal.account, text(parameters, "PolicySourceArn")
    name = source.rpartition("/")[2]
    found = [records.with_name(account, name) for records in (view.users, view.roles)]  # groups have no tags
    tags = [entity.tags for entity in found if entity is not None and entity.arn == source]
    return Resource(source, account, tags[0] if tags else ())


ROWS: Final = (
    Row("SimulateCustomPolicy", everything, simulation.simulate_custom_policy),
    Row("SimulatePrincipalPolicy", policy_source, simulation.simulate_principal_policy),
    Row("GetContextKeysForCustomPolicy", everything, simulation.get_context_keys_for_custom_policy),
    Row("GetContextKeysForPrincipalPolicy", policy_source, simulation.get_context_keys_for_principal_policy),
)
