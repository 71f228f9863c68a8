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
from collections.abc import Iterable, Sequence

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters, optional_integer, text
from daypass.errors import EntityError, PolicyError, Reason
from daypass.iam.arn_templates import EVERYTHING, arn_template
from daypass.iam.exclusions import InlinePolicies, without_excluded
from daypass.iam.limits import PAGE_ITEMS, SIMULATED_CHARACTERS
from daypass.iam.paging import page
from daypass.iam.roles import no_such_role
from daypass.iam.service import Iam
from daypass.iam.simulated_request import (
    Entity,
    Scenario,
    caller_of,
    input_policies,
    read_entity,
    read_scenario,
    refuse,
)
from daypass.policy import Kind, Layer, NamedPolicy, Request, compile_policy
from daypass.policy.positions import Position
from daypass.policy.simulate import MatchedStatement, Simulated, Simulation, combine, context_keys, simulate_one
from daypass.store import Role

_INLINE = "inline:"
_PAIR_CHARACTERS = 200
"""What a simulation costs even without policies, in characters of policy."""


async def simulate_custom_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Simulate the policies that are passed. Without a CallerArn, some user of the caller's account calls."""
    del iam  # nothing that is stored takes part
    somebody = caller_of(Entity(permitted.caller.principal.account, "user", "/", "simulated"))
    return await _answer(read_scenario(parameters, somebody), parameters)


async def simulate_principal_policy(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Simulate the policies of a role, as they are now, with those that are passed."""
    role = _policy_source(iam, permitted, parameters)
    caller = caller_of(Entity(role.account, "role", role.path, role.name), role.unique_id)
    attached = _attached(without_excluded(role, parameters))
    return await _answer(read_scenario(parameters, caller, attached), parameters)


async def get_context_keys_for_custom_policy(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """The condition keys that the policies refer to."""
    del iam, permitted
    return {"ContextKeyNames": _keys(input_policies(parameters))}


async def get_context_keys_for_principal_policy(
    iam: Iam, permitted: Permitted, parameters: Parameters
) -> dict[str, object]:
    """The condition keys that the policies of a role, and those that are passed, refer to."""
    role = _policy_source(iam, permitted, parameters)
    return {"ContextKeyNames": _keys((*_attached(role.inline_policies), *input_policies(parameters)))}


def _keys(policies: Iterable[NamedPolicy]) -> list[str]:
    return list(context_keys(named.policy for named in policies))


def _policy_source(iam: Iam, permitted: Permitted, parameters: Parameters) -> Role:
    """The role that PolicySourceArn names, in the caller's account. There are no users and groups to find."""
    source = text(parameters, "PolicySourceArn")
    entity = read_entity(source)
    account = permitted.caller.principal.account
    if entity.kind != "role":
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The {entity.kind} with name {entity.name} cannot be found.")
    role = iam.store.view().roles.with_name(account, entity.name)
    if role is None or role.arn != source:
        raise no_such_role(entity.name)
    return role


def _attached(policies: InlinePolicies) -> tuple[NamedPolicy, ...]:
    try:
        return tuple(NamedPolicy(_INLINE + name, compile_policy(text, Kind.IDENTITY)) for name, text in policies)
    except PolicyError as error:
        message = f"A policy of the role could not be evaluated: {error}"
        raise EntityError(Reason.STORED_POLICY_INVALID, message) from error


async def _answer(scenario: Scenario, parameters: Parameters) -> dict[str, object]:
    """One page of results: as many actions as were asked for, or as can be simulated in reasonable time."""
    each = len(scenario.resources) * (scenario.characters + _PAIR_CHARACTERS)
    if each > SIMULATED_CHARACTERS:
        refuse("ResourceArns: too many for policies of this length; simulate fewer at a time.")
    items = min(optional_integer(parameters, "MaxItems") or PAGE_ITEMS, SIMULATED_CHARACTERS // each)
    places = range(len(scenario.actions))
    chosen, more = page(places, {**parameters, "MaxItems": items}, key=lambda place: f"{place:06}")
    results = []
    for action in [scenario.actions[place] for place in chosen]:
        results.append(_result(action, scenario.resources, await _simulate(action, scenario)))
    return {"EvaluationResults": results, **more}


async def _simulate(action: str, scenario: Scenario) -> Simulation:
    parts = []
    for resource in scenario.resources:
        owner = scenario.owner_of(resource)
        request = Request(action, resource, owner, scenario.caller, scenario.context)
        parts.append(simulate_one(request, scenario.layers_for(resource)))
        await asyncio.sleep(0)  # others have requests too
    return combine(parts)


def _result(action: str, resources: Sequence[str], simulation: Simulation) -> dict[str, object]:
    total = simulation.total
    members: dict[str, object] = {
        "EvalActionName": action,
        "EvalResourceName": arn_template(action, resources),
        "EvalDecision": total.outcome.value,
        **_members(total, all(resource == EVERYTHING for resource in resources)),
    }
    if total.by_organization is not None:
        members["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": total.by_organization}
    if any(resource != EVERYTHING for resource in resources):
        members["ResourceSpecificResults"] = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": part.outcome.value,
                **_members(part, resource == EVERYTHING),
            }
            for resource, part in zip(resources, simulation.resources, strict=True)
        ]
    return members


def _members(part: Simulated, everything: bool) -> dict[str, object]:
    """The members that the whole and the single results have in common."""
    members: dict[str, object] = {
        "MatchedStatements": [_statement(matched) for matched in part.matched],
        "MissingContextValues": list(part.missing),
    }
    if part.by_boundary is not None:
        members["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": part.by_boundary}
    if part.details is not None:
        members["EvalDecisionDetails"] = {kind: outcome.value for kind, outcome in part.details.items()}
    elif part.same_account and not part.ended_by_organization and not everything:
        members["EvalDecisionDetails"] = {}
    return members


def _statement(matched: MatchedStatement) -> dict[str, object]:
    attached = matched.policy.startswith(_INLINE)
    kind = "role" if attached else "resource" if matched.layer is Layer.RESOURCE else "none"
    return {
        "SourcePolicyId": matched.policy.removeprefix(_INLINE),
        "SourcePolicyType": kind,
        "StartPosition": _position(matched.span.start),
        "EndPosition": _position(matched.span.end),
    }


def _position(position: Position) -> dict[str, object]:
    return {"Line": position.line, "Column": position.column}
