# SPDX-License-Identifier: Apache-2.0
"""
What a simulation is asked: the parameters of SimulateCustomPolicy and SimulatePrincipalPolicy, turned into policies that
apply, a caller, resources and condition keys (IAM API). Every parameter is enforced or refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn

from daypass import arn
from daypass.awsapi.parameters import Parameters, optional_text, text, texts
from daypass.errors import EntityError, PolicyError, Reason
from daypass.identity import ContextValue
from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, compile_policy
from daypass.policy.values import address, binary, boolean, instant, number
from daypass.principal import RoleSession, User

SESSION_NAME: Final = "simulation"
"""The session in which a simulated role calls; no policy that can be simulated names it."""

_ENTITY: Final = re.compile(r"arn:aws:iam::([0-9]{12}):(user|group|role)(/(?:[^/:]+/)*)([\w+=,.@-]+)", re.ASCII)
_ACCOUNT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?", re.ASCII)
_ACTION: Final = re.compile(r"[A-Za-z0-9.-]+:[^:*?\s]+")
_TYPES: Final[Mapping[str, Callable[[str], object | None]]] = {
    "string": str,
    "numeric": number,
    "boolean": boolean,
    "ip": address,
    "binary": binary,
    "date": instant,
}
_SCENARIO: Final = ("instance", "image", "security-group", "network-interface")
_SCENARIOS: Final = {
    "EC2-VPC-InstanceStore": _SCENARIO,
    "EC2-VPC-InstanceStore-Subnet": (*_SCENARIO, "subnet"),
    "EC2-VPC-EBS": (*_SCENARIO, "volume"),
    "EC2-VPC-EBS-Subnet": (*_SCENARIO, "subnet", "volume"),
}
"""Resource types that each value of ResourceHandlingOption requires (IAM API, SimulateCustomPolicy)."""

Caller = User | RoleSession


@dataclass(frozen=True, slots=True)
class Entity:
    """What an ARN of IAM names: ``kind`` is user, group or role; ``path`` begins and ends with a slash."""

    account: str
    kind: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    A simulation that can be run: every action on every resource, by one caller under the same policies.

    ``owner`` is the account of resources whose ARN does not say; ``characters``, the length of all documents together;
    ``key_layers``, the layers where the resource is a KMS key.
    """

    caller: Caller
    layers: Layers
    key_layers: Layers
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    owner: str
    context: Context
    characters: int

    def owner_of(self, resource: str) -> str:
        """The account that a resource belongs to."""
        account = resource.split(":", 5)[4] if resource.startswith("arn:") else ""
        return account if arn.is_account_id(account) else self.owner

    def layers_for(self, resource: str) -> Layers:
        """The policies that apply. The policy of a KMS key must name the caller or its account (KMS, Key policies)."""
        is_key = resource.startswith("arn:aws:kms:") and ":key/" in resource
        return self.key_layers if is_key else self.layers


def refuse(message: str) -> NoReturn:
    """The refusal of a parameter that cannot be simulated."""
    raise EntityError(Reason.INVALID_INPUT, message)


def read_scenario(
    parameters: Parameters,
    caller: Caller,
    attached: tuple[NamedPolicy, ...] = (),
    boundary: NamedPolicy | None = None,
) -> Scenario:
    """
    The simulation that the parameters ask for. ``caller`` is who calls unless CallerArn says otherwise; ``attached`` are
    the policies that apply besides those passed; ``boundary``, the one that applies unless another is passed.

    Raises EntityError with INVALID_INPUT.
    """
    if "CallerArn" in parameters:
        caller = _caller(text(parameters, "CallerArn"))
    boundaries = _policies(parameters, "PermissionsBoundaryPolicyInputList", Kind.BOUNDARY)
    if len(boundaries) > 1:
        refuse("PermissionsBoundaryPolicyInputList: expected at most one policy.")
    resources = _resources(parameters)
    policies = partial(
        Layers,
        identity=(*attached, *_policies(parameters, "PolicyInputList", Kind.IDENTITY)),
        boundary=boundaries[0] if boundaries else boundary,
        resource=_resource_policy(parameters, caller),
        scps=_levels(parameters),
    )
    layers = policies()
    return Scenario(
        caller=caller,
        layers=layers,
        key_layers=policies(explicit_trust_required=layers.resource is not None),
        actions=_actions(parameters),
        resources=resources,
        owner=_owner(parameters) or caller.account,
        context=_context(parameters),
        characters=sum(len(policy.policy.text) for policy in every_policy(layers)),
    )


def every_policy(layers: Layers) -> tuple[NamedPolicy, ...]:
    """All the policies of a simulation."""
    levels = tuple(policy for level in layers.scps or () for policy in level.policies)
    single = tuple(policy for policy in (layers.boundary, layers.resource) if policy is not None)
    return (*layers.identity, *single, *levels)


def read_entity(entity_arn: str) -> Entity:
    """The user, group or role that an ARN names. Raises EntityError with INVALID_INPUT."""
    match = _ENTITY.fullmatch(entity_arn)
    if match is None:
        refuse(f"Invalid Entity Arn: {entity_arn} does not clearly define entity type and name.")
    return Entity(match[1], match[2], match[3], match[4])


def input_policies(parameters: Parameters) -> tuple[NamedPolicy, ...]:
    """The policies of PolicyInputList, named as the simulator names them. Raises EntityError with INVALID_INPUT."""
    return _policies(parameters, "PolicyInputList", Kind.IDENTITY)


def _policies(parameters: Parameters, name: str, kind: Kind, prefix: str = "") -> tuple[NamedPolicy, ...]:
    return tuple(
        _compiled(f"{prefix}{name}.{number}", document, kind)
        for number, document in enumerate(texts(parameters, name), 1)
    )


def _compiled(name: str, document: str, kind: Kind) -> NamedPolicy:
    try:
        return NamedPolicy(name, compile_policy(document, kind))
    except PolicyError as error:
        refuse(f"{name}: {error}")


def _levels(parameters: Parameters) -> tuple[Level, ...] | None:
    """The organisation levels that are passed, root first; None when none are."""
    name = "OrderedOrganizationPolicyInputList"
    if name not in parameters:
        return None
    return tuple(
        Level(f"{name}.{number}", _policies(level, "ServiceControlPolicyInputList", Kind.SCP, f"{name}.{number}."))
        for number, level in enumerate(structures(parameters, name), 1)
    )


def structures(parameters: Parameters, name: str) -> tuple[Parameters, ...]:
    """A list of structures, or a structure as a list of one; empty when absent."""
    value = parameters.get(name, ())
    if isinstance(value, Mapping):
        return (value,)
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is not a list")
    return tuple(value)


def _resource_policy(parameters: Parameters, caller: Caller) -> NamedPolicy | None:
    document = optional_text(parameters, "ResourcePolicy")
    if document is None:
        return None
    if not isinstance(caller, User):
        refuse("ResourcePolicy: simulation of resource-based policies is not supported for roles.")
    return _compiled("ResourcePolicy", document, Kind.RESOURCE)


def _caller(caller_arn: str) -> Caller:
    entity = read_entity(caller_arn)
    if entity.kind == "group":
        refuse("CallerArn: expected the ARN of a user or a role.")
    return caller_of(entity)


def caller_of(entity: Entity, unique_id: str = "") -> Caller:
    """A user, or a session of a role, that need not exist."""
    if entity.kind == "user":
        return User(entity.account, entity.path, entity.name, unique_id)
    return RoleSession(entity.account, entity.path, entity.name, unique_id, SESSION_NAME)


def _owner(parameters: Parameters) -> str | None:
    owner = optional_text(parameters, "ResourceOwner")
    if owner is None:
        return None
    match = _ACCOUNT.fullmatch(owner)
    if match is None or owner.startswith("arn:") is not owner.endswith(":root"):
        refuse("ResourceOwner: expected an account, as in arn:aws:iam::123456789012:root.")
    return match[1]


def _actions(parameters: Parameters) -> tuple[str, ...]:
    actions = texts(parameters, "ActionNames")
    for action in actions:
        if _ACTION.fullmatch(action) is None:
            refuse(f"ActionNames: expected service:Name without wildcards, got {action!r}.")
    return actions


def _resources(parameters: Parameters) -> tuple[str, ...]:
    resources = texts(parameters, "ResourceArns") or ("*",)
    for resource in resources:
        if resource != "*" and not _is_arn(resource):
            refuse(f"ResourceArns: expected an ARN or *, got {resource!r}.")
    option = optional_text(parameters, "ResourceHandlingOption")
    if option is not None:
        _check_scenario(option, resources)
    return resources


def _is_arn(resource: str) -> bool:
    try:
        arn.Arn.parse(resource)
    except ValueError:
        return False
    return True


def _check_scenario(option: str, resources: tuple[str, ...]) -> None:
    if option not in _SCENARIOS:
        refuse(f"ResourceHandlingOption: expected one of {', '.join(_SCENARIOS)}.")
    parsed = [arn.Arn.parse(resource) for resource in resources if resource != "*"]
    there = {resource.resource.partition("/")[0] for resource in parsed if resource.service == "ec2"}
    lacking = [kind for kind in _SCENARIOS[option] if kind not in there]
    if lacking:
        refuse(f"ResourceHandlingOption {option} requires these resources in ResourceArns: {', '.join(lacking)}.")


def _context(parameters: Parameters) -> Context:
    entries: dict[str, ContextValue] = {}
    for entry in structures(parameters, "ContextEntries"):
        if "ContextKeyName" not in entry or "ContextKeyType" not in entry:
            refuse("ContextEntries: expected a ContextKeyName and a ContextKeyType in every entry.")
        name = text(entry, "ContextKeyName")
        if name.lower() in entries:
            refuse(f"ContextEntries: {name!r} is there twice; names ignore case.")
        entries[name.lower()] = _value(name, text(entry, "ContextKeyType"), texts(entry, "ContextKeyValues"))
    return Context(entries)


def _value(name: str, kind: str, values: tuple[str, ...]) -> ContextValue:
    """A list for the list types, else the one value. An empty list is the same as no key."""
    base = kind.removesuffix("List")
    if any(_TYPES[base](value) is None for value in values):
        refuse(f"ContextEntries: expected values of type {base} for {name!r}.")
    if kind != base:
        return values
    if len(values) != 1:
        refuse(f"ContextEntries: expected one value of type {kind} for {name!r}, got {len(values)}.")
    return values[0]
