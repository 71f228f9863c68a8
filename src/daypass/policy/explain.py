# SPDX-License-Identifier: Apache-2.0
"""
A decision with all of its reasons: which layer said what, how every statement compared, and what would have to change.

The verdicts are gathered from the traces of the statements, not from the decision's own path, and concluded by the same
truth table. INVARIANT: ``explain(...).decision == decide(...)``, and the layers block alone leads to the decision again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
    policies_of,
)
from daypass.policy.principals import Grant
from daypass.policy.request import Cause, Decision, Layer, Layers, NamedPolicy, Outcome, Request
from daypass.policy.resources import Target
from daypass.policy.traces import StatementTrace, has_partial_chain, trace_statement


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """
    What one layer, or one organisation level, said.

    ``needs`` and ``grant`` are for the resource's policy: what the request needs from it (``unlimited``: a caller without
    account; ``grant``: another account's; ``trust``: explicit trust required; ``nothing``), and what it got.
    """

    layer: Layer
    level: str | None
    result: Verdict
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    needs: str | None = None
    grant: Grant | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``level``, ``needs`` and ``grant`` only where they mean something."""
        shown: dict[str, Any] = {"layer": self.layer.value, "result": self.result.name.lower()}
        if self.level is not None:
            shown["level"] = self.level
        if self.needs is not None and self.grant is not None:
            shown |= {"needs": self.needs, "grant": self.grant.name}
        return shown | {"allow": list(self.allow), "deny": list(self.deny)}


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    A decision and its reasons.

    - ``counterfactual``: what must change for the request to be allowed, all of it; empty when it is allowed.
    - ``layers``: every layer that applies, by level; ``statements``: every statement of theirs.
    - ``missing_context``: condition keys that matching statements refer to and the request does not have.
    - ``warnings``: NOTPRINCIPAL_PARTIAL_CHAIN.
    """

    decision: Decision
    same_account: bool
    counterfactual: tuple[str, ...]
    layers: tuple[LayerTrace, ...]
    statements: tuple[StatementTrace, ...]
    missing_context: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "decision": self.decision.outcome.value,
            "cause": _cause_to_dict(self.decision.cause),
            "same_account": self.same_account,
            "grant_class": self.decision.grant.name,
            "counterfactual": list(self.counterfactual),
            "layers": [layer.to_dict() for layer in self.layers],
            "statements": [statement.to_dict() for statement in self.statements],
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
    applying = examine(request, layers, Target(request.resource, request.context.entries))
    by_operation = decide_by_operation(request)
    if by_operation is not None:
        verdict = ALLOW if by_operation.allowed else NONE
        trace = LayerTrace(Layer.OPERATION, None, verdict)
        change = () if by_operation.allowed else ("call as a user or a role session",)
        return Explanation(by_operation, applying.same_account, change, (trace,), (), (), ())
    return _Explainer(request, layers, applying).explanation()


class _Explainer:
    """Traces every statement of the layers that apply, and concludes from the traces."""

    def __init__(self, request: Request, layers: Layers, applying: Findings) -> None:
        self.request = request
        self.layers = layers
        self.target = Target(request.resource, request.context.entries)
        self.found = Findings(request, layers)
        self.statements: list[StatementTrace] = []
        self.traces: list[LayerTrace] = []
        self._gather(applying)

    def _gather(self, applying: Findings) -> None:
        found = self.found
        if applying.scp is not ABSENT:
            found.scp = self._levels(Layer.SCP)
        if applying.rcp is not ABSENT:
            found.rcp = self._levels(Layer.RCP)
        if applying.vpce is not ABSENT:
            found.vpce = self._layer(Layer.VPC_ENDPOINT)
        self._resource()
        if applying.boundary is not ABSENT:
            found.boundary = self._layer(Layer.BOUNDARY)
        if applying.session is not ABSENT:
            found.session = self._layer(Layer.SESSION)
        if applying.identity is not ABSENT:
            found.identity = self._layer(Layer.IDENTITY)

    def _trace(self, layer: Layer, level: str | None, policies: Iterable[NamedPolicy]) -> list[StatementTrace]:
        traces = [
            trace_statement((layer, level, named), statement, self.request, self.layers, self.target)
            for named in policies
            for statement in named.policy.statements
        ]
        self.statements.extend(traces)
        return traces

    def _layer(self, layer: Layer) -> Verdict:
        return self._part(layer, None, self._policies(layer))

    def _policies(self, layer: Layer) -> list[NamedPolicy]:
        return [named for _, named in policies_of(self.layers, layer)]

    def _part(self, layer: Layer, level: str | None, policies: Iterable[NamedPolicy]) -> Verdict:
        """One layer without levels, or one level; two levels are two, whatever they are called."""
        result, allow, deny = _verdict(self._trace(layer, level, policies))
        if layer is Layer.RCP and result is NONE:
            result = ALLOW  # by RCPFullAWSAccess
        self.traces.append(LayerTrace(layer, level, result, allow, deny))
        return result

    def _levels(self, layer: Layer) -> Verdict:
        levels = self.layers.scps if layer is Layer.SCP else self.layers.rcps
        results = [self._part(layer, level.name, level.policies) for level in levels or ()]
        return DENY if DENY in results else NONE if NONE in results else ALLOW

    def _resource(self) -> None:
        found = self.found
        traces = self._trace(found.resource_layer, None, self._policies(found.resource_layer))
        result, allow, deny = _verdict(traces)
        if self.layers.resource is not None:
            found.resource = result
            if result is ALLOW:
                found.grant = max(_grant(trace) for trace in traces if trace.applies)
        self.traces.append(LayerTrace(found.resource_layer, None, result, allow, deny, _needs(found), found.grant))

    def explanation(self) -> Explanation:
        outcome, layer = conclude(self.found)
        cause = None
        if outcome is Outcome.EXPLICIT_DENY:
            first = next(trace for trace in self.statements if trace.layer is layer and _denies(trace))
            sid, index = first.statement.source.sid, first.statement.index
            cause = Cause(layer, True, first.level, first.named.name, sid, index)
        elif outcome is Outcome.IMPLICIT_DENY:
            levels = [trace.level for trace in self.traces if trace.layer is layer and trace.result is NONE]
            cause = Cause(layer, False, levels[0] if levels else None)
        return Explanation(
            decision=Decision(outcome, cause, self.found.grant),
            same_account=self.found.same_account,
            counterfactual=tuple(self._counterfactual()) if outcome is not Outcome.ALLOWED else (),
            layers=tuple(self.traces),
            statements=tuple(self.statements),
            missing_context=self._missing(),
            warnings=self._warnings(),
        )

    def _missing(self) -> tuple[str, ...]:
        spellings: dict[str, str] = {}
        for trace in self.statements:
            if trace.action.match:
                for key in trace.missing_keys(self.target):
                    spellings.setdefault(key.lower(), key)
        return tuple(spellings.values())

    def _warnings(self) -> tuple[str, ...]:
        partial = any(has_partial_chain(trace, self.request) for trace in self.statements)
        return ("NOTPRINCIPAL_PARTIAL_CHAIN",) if partial else ()

    def _counterfactual(self) -> list[str]:
        """Every deny to remove, every silent guardrail, and what the core policies lack, if they lack anything."""
        changes = [f"remove {trace.label}" for trace in self.statements if _denies(trace)]
        changes += [
            f"allow in {trace.layer.value}:{trace.level}"
            if trace.level is not None
            else f"allow in {trace.layer.value}"
            for trace in self.traces
            if trace.layer in (Layer.SCP, Layer.VPC_ENDPOINT) and not trace.allow
        ]
        return changes + [f"allow in {layer.value}" for layer in self._lacking()]

    def _lacking(self) -> list[Layer]:
        """The layers of the core decision that would have to allow, once nothing denies any more."""
        found = self.found
        allowed = {trace.layer for trace in self.traces if trace.allow}
        grant = max((_grant(trace) for trace in self.statements if _allows_by_resource(trace)), default=Grant.NONE)
        if not found.has_account:
            return [] if grant is Grant.UNLIMITED else [found.resource_layer]
        hindered = [
            layer
            for layer, verdict in ((Layer.BOUNDARY, found.boundary), (Layer.SESSION, found.session))
            if verdict is not ABSENT and layer not in allowed
        ]
        caller = [Layer.IDENTITY] if found.identity is not ABSENT and Layer.IDENTITY not in allowed else []
        if found.same_account and grant >= Grant.LIMITED:
            return hindered if grant is Grant.LIMITED else []
        needs_grant = grant is Grant.NONE and (not found.same_account or found.trust_required)
        return ([found.resource_layer] if needs_grant else []) + caller + hindered


def _needs(found: Findings) -> str:
    if not found.has_account:
        return "unlimited"
    if not found.same_account:
        return "grant"
    return "trust" if found.trust_required else "nothing"


def _denies(trace: StatementTrace) -> bool:
    return trace.applies and trace.statement.denies


def _grant(trace: StatementTrace) -> Grant:
    return Grant.NONE if trace.principal is None else trace.principal.grant


def _allows_by_resource(trace: StatementTrace) -> bool:
    return trace.applies and not trace.statement.denies and trace.layer in (Layer.RESOURCE, Layer.TRUST)


def _verdict(traces: list[StatementTrace]) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    """Deny if any statement denies, else allow if any allows; with the statements that apply."""
    allow = tuple([trace.ref for trace in traces if trace.applies and not trace.statement.denies])
    deny = tuple([trace.ref for trace in traces if trace.applies and trace.statement.denies])
    return (DENY if deny else ALLOW if allow else NONE), allow, deny
