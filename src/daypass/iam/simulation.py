# SPDX-License-Identifier: Apache-2.0
"""
The policy simulator (IAM API): SimulateCustomPolicy, SimulatePrincipalPolicy, GetContextKeysForCustomPolicy,
GetContextKeysForPrincipalPolicy.

    parameters -- read_scenario --> Scenario -- simulate_one, a request at a time --> Simulation --> members

Nothing is decided here: ``daypass.policy`` answers a simulation as it answers a request. Only ContextEntries supply
condition keys, so what a policy asks beyond them is in MissingContextValues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_integer, text
from daypass.iam.arn_templates import EVERYTHING, arn_template
from daypass.iam.exclusions import boundary_excluded, without_excluded
from daypass.iam.limits import PAGE_ITEMS, SIMULATED_CHARACTERS
from daypass.iam.paging import page
from daypass.iam.policy_sources import (
    Stored,
    find_stored,
    labels,
    no_such,
    stored_boundary,
    stored_policies,
)
from daypass.iam.service import Iam
from daypass.iam.simulated_request import (
    Caller,
    Entity,
    Scenario,
    caller_of,
    input_policies,
    read_entity,
    read_scenario,
    refuse,
)
from daypass.policy import Layer, NamedPolicy, Request
from daypass.policy.positions import Position
from daypass.policy.simulate import MatchedStatement, Simulated, Simulation, combine, context_keys, simulate_one
from daypass.store import Group

Labels = Mapping[str, tuple[str, str]]
"""SourcePolicyId and SourcePolicyType of stored policies, by the names that decisions use."""

_PAIR_CHARACTERS: Final = 200
"""What a simulation costs even without policies, in characters of policy."""


async def simulate_custom_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Simulate the policies that are passed. Without a CallerArn, some user of the caller's account calls."""
    del iam  # nothing that is stored takes part
    if "ResourcePolicy" in parameters and "CallerArn" not in parameters:
        refuse("CallerArn is required when a ResourcePolicy is passed.")
    somebody = caller_of(Entity(permitted.caller.principal.account, "user", "/", "simulated"))
    return await _answer(read_scenario(parameters, somebody), parameters, {})


async def simulate_principal_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    Simulate the policies of a user (with those of its groups), a group or a role as they are now, with those that are
    passed. A boundary that is passed takes the place of the attached one.
    """
    source, view = _policy_source(iam, permitted, parameters), iam.store.view()
    policies = without_excluded(stored_policies(source, view), parameters)
    boundary = None if boundary_excluded(parameters) else stored_boundary(source, view)
    attached = tuple(policy.compiled() for policy in policies)
    scenario = read_scenario(parameters, _caller(source), attached, boundary)
    return await _answer(scenario, parameters, labels(policies, boundary))


async def get_context_keys_for_custom_policy(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """The condition keys that the policies refer to."""
    del iam, permitted
    return {"ContextKeyNames": _keys(input_policies(parameters))}


async def get_context_keys_for_principal_policy(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """The condition keys that the identity policies of a user, group or role, and those that are passed, refer to."""
    source = _policy_source(iam, permitted, parameters)
    attached = tuple(policy.compiled() for policy in stored_policies(source, iam.store.view()))
    return {"ContextKeyNames": _keys((*attached, *input_policies(parameters)))}


def _keys(policies: Iterable[NamedPolicy]) -> list[str]:
    return list(context_keys(named.policy for named in policies))


def _policy_source(iam: Iam, permitted: Permitted, parameters: Parameters) -> Stored:
    """The user, group or role that PolicySourceArn names, in the caller's account. Raises EntityError."""
    entity = read_entity(text(parameters, "PolicySourceArn"))
    source = find_stored(iam.store.view(), entity) if entity.account == permitted.caller.principal.account else None
    if source is None:
        raise no_such(entity)
    return source


def _caller(source: Stored) -> Caller:
    """Who calls, if nobody else is said to: the user itself, a session of the role, or somebody of the group."""
    if isinstance(source, Group):
        return caller_of(Entity(source.account, "user", "/", f"group:{source.name}"))  # a name that no policy can have
    kind = type(source).__name__.lower()
    return caller_of(Entity(source.account, kind, source.path, source.name), source.unique_id)


async def _answer(scenario: Scenario, parameters: Parameters, stored: Labels) -> dict[str, object]:
    """One page of results: as many actions as were asked for, or as can be simulated in reasonable time."""
    each = len(scenario.resources) * (scenario.characters + _PAIR_CHARACTERS)
    if each > SIMULATED_CHARACTERS:
        refuse("ResourceArns: too many for policies of this length; simulate fewer at a time.")
    items = min(optional_integer(parameters, "MaxItems") or PAGE_ITEMS, SIMULATED_CHARACTERS // each)
    places = range(len(scenario.actions))
    chosen, more = page(places, {**parameters, "MaxItems": items}, key=lambda place: f"{place:06}")
    results = []
    for action in [scenario.actions[place] for place in chosen]:
        results.append(_result(action, scenario.resources, await _simulate(action, scenario), stored))
    return {"EvaluationResults": results, **more}


async def _simulate(action: str, scenario: Scenario) -> Simulation:
    parts = []
    for resource in scenario.resources:
        owner = scenario.owner_of(resource)
        request = Request(action, resource, owner, scenario.caller, scenario.context)
        parts.append(simulate_one(request, scenario.layers_for(resource)))
        await asyncio.sleep(0)  # others have requests too
    return combine(parts)


def _result(action: str, resources: Sequence[str], simulation: Simulation, stored: Labels) -> dict[str, object]:
    total = simulation.total
    members: dict[str, object] = {
        "EvalActionName": action,
        "EvalResourceName": arn_template(action, resources),
        "EvalDecision": total.outcome.value,
        **_members(total, all(resource == EVERYTHING for resource in resources), stored),
    }
    if total.by_organization is not None:
        members["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": total.by_organization}
    if any(resource != EVERYTHING for resource in resources):
        members["ResourceSpecificResults"] = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": part.outcome.value,
                **_members(part, resource == EVERYTHING, stored),
            }
            for resource, part in zip(resources, simulation.resources, strict=True)
        ]
    return members


def _members(part: Simulated, everything: bool, stored: Labels) -> dict[str, object]:
    """The members that the whole and the single results have in common."""
    members: dict[str, object] = {
        "MatchedStatements": [_statement(matched, stored) for matched in part.matched],
        "MissingContextValues": list(part.missing),
    }
    if part.by_boundary is not None:
        members["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": part.by_boundary}
    if part.details is not None:
        members["EvalDecisionDetails"] = {kind: outcome.value for kind, outcome in part.details.items()}
    elif part.same_account and not part.ended_by_organization and not everything:
        members["EvalDecisionDetails"] = {}
    return members


def _statement(matched: MatchedStatement, stored: Labels) -> dict[str, object]:
    passed = (matched.policy, "resource" if matched.layer is Layer.RESOURCE else "none")
    source_id, source_type = stored.get(matched.policy, passed)
    return {
        "SourcePolicyId": source_id,
        "SourcePolicyType": source_type,
        "StartPosition": _position(matched.span.start),
        "EndPosition": _position(matched.span.end),
    }


def _position(position: Position) -> dict[str, object]:
    return {"Line": position.line, "Column": position.column}
