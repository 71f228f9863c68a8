# SPDX-License-Identifier: Apache-2.0
"""
Which statements of a layer apply: all of them, where the decision itself stops at the first.

    layer -- sources_of --> its policies, by level -- applying --> the statements on their shelves that apply
"""

from __future__ import annotations

from typing import Final

import msgspec

from daypass import principal as who
from daypass.policy.policy_set import Owned, PolicySet
from daypass.policy.principals import Grant
from daypass.policy.request import Cause, Layer, Layers, NamedPolicy, Request
from daypass.policy.resources import Target
from daypass.policy.statement import Statement

WITH_PRINCIPAL: Final = (Layer.VPC_ENDPOINT, Layer.RESOURCE, Layer.TRUST)
"""Layers whose statements say to whom they speak."""


class Source(msgspec.Struct, frozen=True):
    """The policies that are asked together: a layer, or one level of an organisation's, by its name."""

    layer: Layer
    level: str | None
    policies: tuple[NamedPolicy, ...]


class PlacedStatement(msgspec.Struct, frozen=True):
    """A statement, and where it stands: the layer, the organisation level, the policy."""

    layer: Layer
    level: str | None
    named: NamedPolicy
    statement: Statement

    @property
    def ref(self) -> str:
        """``identity:inline:p1#0``: layer, policy, place of the statement."""
        return f"{self.layer.value}:{self.named.name}#{self.statement.index}"

    @property
    def label(self) -> str:
        """``scp:p-123#DenyEast``: like ``ref``, by Sid where there is one."""
        return f"{self.layer.value}:{self.named.name}#{self.statement.label}"

    def denial(self) -> Cause:
        """The statement as the cause of an explicit deny."""
        return Cause(self.layer, True, self.level, self.named.name, self.statement.source.sid, self.statement.index)


def sources_of(layers: Layers, layer: Layer) -> list[Source]:
    """The policies of one layer: a list of levels for the organisation's, else one entry, of nothing when there are none."""
    if layer is Layer.IDENTITY:
        return [Source(layer, None, layers.identity)]
    if layer is Layer.SESSION:
        return [Source(layer, None, layers.session or ())]
    if layer is Layer.SCP or layer is Layer.RCP:
        levels = layers.scps if layer is Layer.SCP else layers.rcps
        return [Source(layer, level.name, level.policies) for level in levels or ()]
    if layer is Layer.BOUNDARY:
        named = layers.boundary
    else:
        named = layers.vpc_endpoint if layer is Layer.VPC_ENDPOINT else layers.resource
    return [Source(layer, None, () if named is None else (named,))]


def applying(
    source: Source, request: Request, layers: Layers, target: Target, *, denies: bool
) -> tuple[PlacedStatement, ...]:
    """The statements of one effect that apply to the request, in the order in which they stand."""
    found = _covering(source.policies, request.action, target, denies)
    if not found:
        return ()
    layer, level = source.layer, source.level
    if layer in WITH_PRINCIPAL:
        found = [(named, one) for named, one in found if reach(one, named, request, layers)]
    return tuple([PlacedStatement(layer, level, named, one) for named, one in found])


def _covering(policies: tuple[NamedPolicy, ...], action: str, target: Target, denies: bool) -> list[Owned]:
    if isinstance(policies, PolicySet):
        covering = (policies.shelves(action).deny if denies else policies.shelves(action).allow).covering(target)
        return policies.owned(covering) if covering else []
    found: list[Owned] = []
    for named in policies:
        shelves = named.policy.shelves(action)
        covering = (shelves.deny if denies else shelves.allow).covering(target)
        if len(covering) > 1:
            covering.sort(key=_place)
        for one in covering:
            found.append((named, one))
    return found


def _place(statement: Statement) -> int:
    return statement.index


def reach(statement: Statement, named: NamedPolicy, request: Request, layers: Layers) -> Grant:
    """How far the statement's principal element reaches to the caller; NONE when it does not speak of it."""
    element = statement.principal
    if element is None:
        return Grant.NONE if statement.unreachable else Grant.UNLIMITED
    if not element.negated:
        return element.grant(request.principal, named.principal_ids)
    if statement.denies and layers.boundary is not None and isinstance(request.principal, who.User | who.RoleSession):
        return Grant.UNLIMITED  # with a boundary attached, a NotPrincipal denies whomever it lists
    if layers.not_principal_all_links:
        exempt = element.names_all_links(request.principal, named.principal_ids)
    else:
        exempt = element.grant(request.principal, named.principal_ids) is not Grant.NONE
    return Grant.NONE if exempt else Grant.UNLIMITED
