# SPDX-License-Identifier: Apache-2.0
"""
A decision with its reasons: which layer said what, by which statements, and what would have to change.

    request + layers -- explain --> Explanation -- statements --> every statement, compared element by element

The decision is made as ``decide`` makes it, and what applied is read from the shelves that it uses, so that a reason costs
little more than the decision. The listing of every statement is made when somebody asks for it, from the request and the
documents alone: the two do not know each other, and tests hold them against each other.

INVARIANT: ``explain(...).decision == decide(...)``; the layers block alone leads to the decision again; and the statements
that apply by their traces are those of the layers block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

import msgspec

from daypass.policy.applying import WITH_PRINCIPAL, PlacedStatement, Source, applying, reach, sources_of
from daypass.policy.evaluate import (
    ABSENT,
    ALLOW,
    DENY,
    NONE,
    Findings,
    Verdict,
    conclude,
    decide_by_operation,
    examine,
)
from daypass.policy.policy_set import PolicySet
from daypass.policy.principals import Grant
from daypass.policy.request import Cause, Decision, Layer, Layers, NamedPolicy, Outcome, Request
from daypass.policy.resources import Target
from daypass.policy.shelves import Shelves
from daypass.policy.traces import StatementTrace, has_partial_chain, trace_statement

_WORDS: Final = ("absent", "none", "allow", "deny")
"""Verdicts in small letters, by number."""


class LayerTrace(msgspec.Struct, frozen=True):
    """
    What one layer, or one organisation level, said.

    - ``allowing``, ``denying``: the statements that apply; ``policies``: all that were asked.
    - ``needs`` and ``grant`` are for the resource's policy: what the request needs from it (``unlimited``: a caller without
      account; ``grant``: another account's; ``trust``: explicit trust required; ``nothing``; ``task``: nothing, and no grant
      replaces the task policy of a session of AssumeRoot), and what it got.
    """

    layer: Layer
    level: str | None
    result: Verdict
    policies: tuple[NamedPolicy, ...] = ()
    allowing: tuple[PlacedStatement, ...] = ()
    denying: tuple[PlacedStatement, ...] = ()
    needs: str | None = None
    grant: Grant | None = None

    @property
    def allow(self) -> tuple[str, ...]:
        """The references of the Allow statements that apply."""
        return tuple([placed.ref for placed in self.allowing])

    @property
    def deny(self) -> tuple[str, ...]:
        """The references of the Deny statements that apply."""
        return tuple([placed.ref for placed in self.denying])

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``level``, ``needs`` and ``grant`` only where they mean something."""
        shown: dict[str, Any] = {"layer": self.layer.value, "result": _WORDS[self.result]}
        if self.level is not None:
            shown["level"] = self.level
        if self.needs is not None and self.grant is not None:
            shown |= {"needs": self.needs, "grant": self.grant.name}
        shown["allow"], shown["deny"] = list(self.allow), list(self.deny)
        return shown


class Explanation(msgspec.Struct, frozen=True, dict=True):
    """
    A decision and its reasons.

    - ``request``, ``target``, ``given``: what was asked, the resource of it taken apart, of which policies.
    - ``counterfactual``: what must change for the request to be allowed, all of it; empty when it is allowed.
    - ``layers``: every layer that applies, by level.
    - ``missing_context``: condition keys that matching statements refer to and the request does not have.
    - ``warnings``: NOTPRINCIPAL_PARTIAL_CHAIN.
    """

    request: Request
    target: Target
    given: Layers
    decision: Decision
    same_account: bool
    counterfactual: tuple[str, ...]
    layers: tuple[LayerTrace, ...]
    missing_context: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def statements(self) -> tuple[StatementTrace, ...]:
        """Every statement of every layer that applies, compared; made when first asked for."""
        return self.trace(
            PlacedStatement(row.layer, row.level, named, statement)
            for row in self.layers
            for named in row.policies
            for statement in named.policy.statements
        )

    @property
    def deciding(self) -> tuple[StatementTrace, ...]:
        """The statements that decided, compared: all that deny when one does, all that allow when it is allowed."""
        outcome = self.decision.outcome
        if outcome is Outcome.IMPLICIT_DENY:
            return ()
        allowed = outcome is Outcome.ALLOWED
        return self.trace(placed for row in self.layers for placed in (row.allowing if allowed else row.denying))

    def trace(self, placed: Iterable[PlacedStatement]) -> tuple[StatementTrace, ...]:
        """Compare statements with the request, element by element."""
        return tuple([trace_statement(one, self.request, self.given, self.target) for one in placed])

    def to_dict(self, statements: Iterable[StatementTrace] | None = None) -> dict[str, Any]:
        """As JSON; with every statement, or only with those given (``closest.telling``, say)."""
        shown = self.statements if statements is None else statements
        return {
            "decision": self.decision.outcome.value,
            "cause": _cause_to_dict(self.decision.cause),
            "same_account": self.same_account,
            "grant_class": self.decision.grant.name,
            "counterfactual": list(self.counterfactual),
            "layers": [layer.to_dict() for layer in self.layers],
            "statements": [statement.to_dict() for statement in shown],
            "missing_context": list(self.missing_context),
            "warnings": list(self.warnings),
        }


def _cause_to_dict(cause: Cause | None) -> dict[str, Any] | None:
    if cause is None:
        return None
    kind = "explicit" if cause.explicit else "implicit"
    shown: dict[str, Any] = {"layer": cause.layer.value, "kind": kind, "level": cause.level, "policy": cause.policy}
    return shown | {"sid": cause.sid or None, "statement": cause.statement}


def explain(request: Request, layers: Layers) -> Explanation:
    """Decide, and say why. The decision is that of ``decide``."""
    target = Target(request.resource, request.context.entries)
    by_operation = decide_by_operation(request)
    if by_operation is not None:
        row = LayerTrace(Layer.OPERATION, None, ALLOW if by_operation.allowed else NONE)
        changes = () if by_operation.allowed else ("call as a user or a role session",)
        same_account = Findings(request, layers).same_account
        return Explanation(request, target, layers, by_operation, same_account, changes, (row,))
    found = examine(request, layers, target)
    rows = [_row(source, found, request, layers, target) for source in _asked(found, layers)]
    outcome, layer = conclude(found)
    allowed = outcome is Outcome.ALLOWED
    return Explanation(
        request=request,
        target=target,
        given=layers,
        decision=Decision(outcome, None if allowed else _cause(outcome, layer, rows), found.grant),
        same_account=found.same_account,
        counterfactual=() if allowed else tuple(_counterfactual(found, rows, request, layers)),
        layers=tuple(rows),
        missing_context=_missing_context(rows, request),
        warnings=_warnings(rows, request),
    )


def _asked(found: Findings, layers: Layers) -> Iterator[Source]:
    """The layers that apply, by level; the resource's always, for it is told that there is none."""
    if found.scp is not ABSENT:
        yield from sources_of(layers, Layer.SCP)
    if found.rcp is not ABSENT:
        yield from sources_of(layers, Layer.RCP)
    if found.vpce is not ABSENT:
        yield from sources_of(layers, Layer.VPC_ENDPOINT)
    yield from sources_of(layers, found.resource_layer)
    if found.boundary is not ABSENT:
        yield from sources_of(layers, Layer.BOUNDARY)
    if found.session is not ABSENT:
        yield from sources_of(layers, Layer.SESSION)
    if found.identity is not ABSENT:
        yield from sources_of(layers, Layer.IDENTITY)


def _row(source: Source, found: Findings, request: Request, layers: Layers, target: Target) -> LayerTrace:
    layer = source.layer
    allowing = applying(source, request, layers, target, denies=False)
    denying = applying(source, request, layers, target, denies=True)
    result = DENY if denying else ALLOW if allowing or layer is Layer.RCP else NONE  # by RCPFullAWSAccess
    needs, grant = (_needs(found), found.grant) if layer is found.resource_layer else (None, None)
    return LayerTrace(layer, source.level, result, source.policies, allowing, denying, needs, grant)


def _needs(found: Findings) -> str:
    if not found.has_account:
        return "unlimited"
    if not found.same_account or (found.for_a_task and found.trust_required):
        return "grant"
    if found.for_a_task:
        return "task"
    return "trust" if found.trust_required else "nothing"


def _cause(outcome: Outcome, layer: Layer, rows: list[LayerTrace]) -> Cause:
    """The first statement that denies, or the first level that is silent, of the layer to name."""
    of_layer = [row for row in rows if row.layer is layer]
    if outcome is Outcome.EXPLICIT_DENY:
        return next(placed for row in of_layer for placed in row.denying).denial()
    return Cause(layer, False, next((row.level for row in of_layer if row.result is NONE), None))


def _missing_context(rows: list[LayerTrace], request: Request) -> tuple[str, ...]:
    entries = request.context.entries
    spellings: dict[str, str] = {}
    for row in rows:
        for shelves in _shelves(row.policies, request.action):
            for lower, key in shelves.keys:
                if lower not in entries:
                    spellings.setdefault(lower, key)
    return tuple(spellings.values())


def _shelves(policies: tuple[NamedPolicy, ...], action: str) -> list[Shelves]:
    if isinstance(policies, PolicySet):
        return [policies.shelves(action)]
    return [named.policy.shelves(action) for named in policies]


def _warnings(rows: list[LayerTrace], request: Request) -> tuple[str, ...]:
    partial = any(
        has_partial_chain(element, named, request)
        for row in rows
        if row.layer in WITH_PRINCIPAL
        for named in row.policies
        for element in named.policy.not_principals
    )
    return ("NOTPRINCIPAL_PARTIAL_CHAIN",) if partial else ()


def _counterfactual(found: Findings, rows: list[LayerTrace], request: Request, layers: Layers) -> Iterator[str]:
    """Every deny to remove, every silent guardrail, and what the core policies lack, if they lack anything."""
    for row in rows:
        yield from (f"remove {placed.label}" for placed in row.denying)
    for row in rows:
        if row.layer in (Layer.SCP, Layer.VPC_ENDPOINT) and not row.allowing:
            yield f"allow in {row.layer.value}" + ("" if row.level is None else f":{row.level}")
    grants = [
        reach(placed.statement, placed.named, request, layers)
        for row in rows
        if row.layer is found.resource_layer
        for placed in row.allowing
    ]
    allowed = [row.layer for row in rows if row.allowing]
    for layer in _lacking(found, max(grants, default=Grant.NONE), allowed):
        yield f"allow in {layer.value}"


def _lacking(found: Findings, grant: Grant, allowed: list[Layer]) -> list[Layer]:
    """The layers of the core decision that would have to allow, once nothing denies any more."""
    if not found.has_account:
        return [] if grant is Grant.UNLIMITED else [found.resource_layer]
    hindered = [
        layer
        for layer, verdict in ((Layer.BOUNDARY, found.boundary), (Layer.SESSION, found.session))
        if verdict is not ABSENT and layer not in allowed
    ]
    caller = [Layer.IDENTITY] if found.identity is not ABSENT and Layer.IDENTITY not in allowed else []
    if found.same_account and grant >= Grant.LIMITED:
        return hindered if grant is Grant.LIMITED or found.for_a_task else []
    needs_grant = grant is Grant.NONE and (not found.same_account or found.trust_required)
    return ([found.resource_layer] if needs_grant else []) + caller + hindered
