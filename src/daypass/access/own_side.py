# SPDX-License-Identifier: Apache-2.0
"""
The caller's own side of every decision: the policies that bound it whatever it asks for, and the condition keys that it brings
to every request, whenever. Made once for a caller and a view.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

import msgspec

from daypass.access.authenticate import Caller
from daypass.access.context import caller_keys
from daypass.access.organization import organization, resource_control_policies, service_control_policies
from daypass.access.policies import SERVICE_LINKED_PATH, boundary_of, identity_policies, session_policies
from daypass.access.remembered import remembered
from daypass.access.resource import Resource
from daypass.identity import ContextValue
from daypass.policy import Kind, Layers, NamedPolicy, Policy, PolicySet, compile_policy
from daypass.policy.evaluate import Verdict, verdict_of
from daypass.policy.resources import Target
from daypass.principal import AccountPrincipal, RoleSession
from daypass.principal import User as UserPrincipal
from daypass.store import View

OWNER: Final = "permissions of the owner"
"""What decisions and explanations call ``Resource.owner_policy``."""


_TAG: Final = "aws:principaltag/"
_OF_THE_CALLER: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:userid",
        "aws:username",
    }
)
"""
Condition keys whose values are in ``OwnSide.keys`` or nowhere, as those of the caller's tags: neither an operation nor a
resource nor a second factor has one. Others that a caller brings are asked for too seldom to be here.
"""

_MOST_ACTIONS: Final = 256
"""Actions of which a caller's side remembers what its policies ask; services may ask about any."""


class OwnSide:
    """
    ``layers``: all but those of the resource and of its account. ``keys``: by name in lower case; those of a second factor, of
    the request and of the organisation are not among them. ``alone``: no resource that is stored has a policy, and there is no
    organisation, so that nothing else bounds the caller.
    """

    __slots__ = ("_asked", "_by_caller", "_own_account", "alone", "keys", "layers")

    def __init__(
        self, principal: AccountPrincipal, layers: Layers, keys: Mapping[str, ContextValue], *, alone: bool
    ) -> None:
        self.layers = layers
        self.keys = keys
        self.alone = alone
        self._asked: dict[str, bool] = {}
        self._own_account = principal.account if alone and _has_identity_only(principal, layers) else None
        self._by_caller: dict[str, bool] = {}

    def permits(self, action: str, resource: Resource) -> bool:
        """
        Whether the caller may for certain: of what bounds it only its identity policies apply, and those for the action ask for
        nothing but who it is. It is then not found out what else is known of the request. False says nothing.
        """
        return (
            resource.account == self._own_account
            and resource.policy is None
            and resource.owner_policy is None
            and not resource.trust_required
            and self._asks_of_the_caller_only(action)
            and verdict_of(self.layers.identity, action, Target(resource.arn, self.keys)) is Verdict.ALLOW
        )

    def _asks_of_the_caller_only(self, action: str) -> bool:
        """Whether the identity policies for an action do; False where the operation may have a rule of its own (STS)."""
        known = self._by_caller.get(action)
        if known is None:
            identity = self.layers.identity
            known = (
                isinstance(identity, PolicySet)
                and action[:4].lower() != "sts:"
                and all(key in _OF_THE_CALLER or key.startswith(_TAG) for key, _ in identity.shelves(action).keys)
            )
            if len(self._by_caller) >= _MOST_ACTIONS:
                self._by_caller.clear()
            self._by_caller[action] = known
        return known

    def layers_for(self, resource: Resource, view: View) -> Layers:
        """The layers of a decision about a resource: these, and those of the resource and the organisation above it."""
        rcps = None if self.alone else resource_control_policies(resource.account, view)
        if resource.policy is None and rcps is None and not resource.trust_required and resource.owner_policy is None:
            return self.layers  # as for most
        identity = self.layers.identity
        if resource.owner_policy is not None:
            identity = (*identity, NamedPolicy(OWNER, compile_policy(resource.owner_policy, Kind.IDENTITY)))
        return msgspec.structs.replace(
            self.layers,
            identity=identity,
            resource=resource.policy,
            rcps=rcps,
            explicit_trust_required=resource.trust_required,
        )

    def asks_for(self, prefix: str) -> bool:
        """Whether one of the policies asks for a condition key that begins with ``prefix`` (lower case)."""
        asked = self._asked.get(prefix)
        if asked is None:
            asked = self._asked[prefix] = any(mentions(named.policy, prefix) for named in policies_in(self.layers))
        return asked


@remembered
def own_side(caller: Caller, view: View) -> OwnSide:
    """The caller's side of decisions by this view."""
    entity, role = caller.user if caller.user is not None else caller.role, caller.role
    layers = Layers(
        identity=() if entity is None else identity_policies(entity, view),
        boundary=None if entity is None else boundary_of(entity, view),
        session=None if caller.session is None else session_policies(caller.session, view),
        scps=service_control_policies(caller.principal.account, view),
        service_linked_role=role is not None and role.path.startswith(SERVICE_LINKED_PATH),
    )
    keys = caller_keys(caller.principal, caller.session, () if entity is None else entity.tags)
    alone = not view.resource_policies and organization(view) is None
    return OwnSide(caller.principal, layers, {"aws:requestedregion": caller.region, **keys}, alone=alone)


def _has_identity_only(principal: AccountPrincipal, layers: Layers) -> bool:
    """Whether it is a user or a role's session that nothing bounds but its identity policies."""
    return (
        isinstance(principal, (RoleSession, UserPrincipal))
        and layers.boundary is None
        and layers.session is None
        and layers.scps is None
    )


@functools.lru_cache(maxsize=8192)
def mentions(policy: Policy, prefix: str) -> bool:
    """Whether a policy asks for a key that begins with ``prefix`` (lower case), in a condition or as a variable."""
    return any(key.lower().startswith(prefix) for key in policy.context_keys)


def policies_in(layers: Layers) -> list[NamedPolicy]:
    """All policies of the layers."""
    found = [*layers.identity, *(layers.session or ())]
    found += [one for one in (layers.boundary, layers.resource, layers.vpc_endpoint) if one is not None]
    for level in (*(layers.scps or ()), *(layers.rcps or ())):
        found += level.policies
    return found
