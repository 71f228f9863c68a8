# SPDX-License-Identifier: Apache-2.0
"""
An explanation as lines of text: layer by layer in the order of evaluation, the deciding row marked, then what is needed.

Every sign (✓ ✕ –) has words beside it, so nothing is lost where it cannot be shown. Text that comes from documents and
options is printed with its control characters escaped: a policy must not be able to write to a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from daypass import principal as who
from daypass.cli.explain.statements import advice, label, plural, statement_lines
from daypass.policy import Explanation, Grant, Layer, Layers, Outcome, Request, denial_message
from daypass.policy.closest import closest, missing_allows, needed
from daypass.policy.evaluate import ALLOW, DENY
from daypass.policy.explain import LayerTrace
from daypass.policy.traces import StatementTrace

TITLES: Final = {
    Layer.OPERATION: "rule of the operation",
    Layer.SCP: "service control policies",
    Layer.RCP: "resource control policies",
    Layer.VPC_ENDPOINT: "VPC endpoint policy",
    Layer.RESOURCE: "resource-based policy",
    Layer.TRUST: "role trust policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
    Layer.IDENTITY: "identity-based policies",
}
HEADLINES: Final = {
    Outcome.ALLOWED: "ALLOWED",
    Outcome.IMPLICIT_DENY: "DENIED (implicit)",
    Outcome.EXPLICIT_DENY: "DENIED (explicit)",
}
_NARROW: Final = 36
"""Characters of the column of titles; it grows with them."""
_ALWAYS_SHOWN: Final = (Layer.SCP, Layer.BOUNDARY, Layer.SESSION, Layer.IDENTITY)
_WARNINGS: Final = {
    "NOTPRINCIPAL_PARTIAL_CHAIN": "A NotPrincipal lists only a part of the caller's chain (account, role, session);"
    " services differ in what they make of that.",
}


def lines(request: Request, layers: Layers, explanation: Explanation) -> Iterator[str]:
    """The explanation, a line at a time, without control characters."""
    for line in _Page(request, layers, explanation).lines():
        yield printable(line)


def printable(text: str) -> str:
    """The text with what is not printable escaped, as in ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


class _Page:
    def __init__(self, request: Request, layers: Layers, explanation: Explanation) -> None:
        self.request = request
        self.layers = layers
        self.explanation = explanation
        self.silent = set(missing_allows(explanation))
        titles = (_title(trace.layer, trace.level) for trace in explanation.layers)
        self.width = max(_NARROW, *map(len, titles)) + 2

    def lines(self) -> Iterator[str]:
        explanation, request = self.explanation, self.request
        on = "" if request.resource == "*" else f" on {request.resource}"
        yield f"{HEADLINES[explanation.decision.outcome]}  {request.action}{on}"
        yield f"  by {_name(request.principal)}"
        if not explanation.decision.allowed:
            yield f"  {denial_message(request, explanation.decision)}"
        yield ""
        for row in self._rows():
            yield from self._row(row) if isinstance(row, LayerTrace) else self._empty_row(row)
        yield from self._after()

    def _rows(self) -> Iterator[LayerTrace | Layer]:
        """What each layer said, in the order of evaluation; the layer itself where it said nothing."""
        said = self.explanation.layers
        if said[0].layer is Layer.OPERATION:
            yield said[0]
            return
        for layer in TITLES:
            found = [trace for trace in said if trace.layer is layer]
            yield from found
            if not found and layer in _ALWAYS_SHOWN:
                yield layer

    def _empty_row(self, layer: Layer) -> Iterator[str]:
        given = {
            Layer.SCP: self.layers.scps,
            Layer.BOUNDARY: self.layers.boundary,
            Layer.SESSION: self.layers.session,
            Layer.IDENTITY: self.layers.identity or None,
        }
        words = "none" if given[layer] is None else "does not apply to this caller"
        yield f"  – {TITLES[layer]:<{self.width}}{words}"

    def _row(self, trace: LayerTrace) -> Iterator[str]:
        title = _title(trace.layer, trace.level)
        mark = "→" if self._decides(trace) else " "
        words = self._words(trace) + (" (this decides)" if mark == "→" else "")
        yield f"{mark} {self._sign(trace)} {title:<{self.width}}{words}"
        yield from self._statements(trace)

    def _statements(self, row: LayerTrace) -> Iterator[str]:
        near = closest(self.explanation, row.layer, row.level) if self._lacks(row) else None
        others = 0
        for trace in self.explanation.statements:
            if (trace.layer, trace.level) != (row.layer, row.level):
                continue
            if trace.action.match or trace == near:
                yield from statement_lines(trace, self.request, is_closest=trace == near)
            else:
                others += 1
        if others:
            yield f"      – {plural(others, 'statement')} about other actions"

    def _lacks(self, row: LayerTrace) -> bool:
        """Whether the request needs this layer to allow, and it does not."""
        return (row.layer, row.level) in self.silent

    def _sign(self, row: LayerTrace) -> str:
        if row.result is DENY or self._lacks(row) or (row.layer is Layer.OPERATION and row.result is not ALLOW):
            return "✕"
        return "✓" if row.result is ALLOW else "–"

    def _words(self, row: LayerTrace) -> str:
        if row.layer is Layer.OPERATION:
            return "allowed whatever policies say" if row.result is ALLOW else "denied whatever policies say"
        if row.result is DENY:
            return f"denied by {_labels(self._traces(row.deny))}"
        if row.result is ALLOW:
            return self._allowing(row)
        if self._lacks(row):
            return "no statement allows it" if self._is_there(row) else _NONE_BUT_NEEDED[row.needs or ""]
        return "no statement allows it, and none needs to" if self._is_there(row) else "none"

    def _allowing(self, row: LayerTrace) -> str:
        if not row.allow:
            return "allowed by RCPFullAWSAccess"
        by = f"allowed by {_labels(self._traces(row.allow))}"
        if row.grant is Grant.DELEGATED and not self._lacks(row):
            return f"{by}, as far as the account's own policies allow"
        return f"{by}, which is not enough" if self._lacks(row) else by

    def _is_there(self, row: LayerTrace) -> bool:
        if row.layer in (Layer.RESOURCE, Layer.TRUST):
            return self.layers.resource is not None
        return row.layer is not Layer.IDENTITY or bool(self.layers.identity)

    def _traces(self, refs: Iterable[str]) -> list[StatementTrace]:
        wanted = set(refs)
        return [trace for trace in self.explanation.statements if trace.ref in wanted and trace.applies]

    def _decides(self, row: LayerTrace) -> bool:
        """The row that the decision names; when allowed, those whose Allow it rests on."""
        cause = self.explanation.decision.cause
        if row.layer is Layer.OPERATION:
            return True
        if cause is not None:
            return row.layer is cause.layer and row.level == cause.level
        if row.layer in (Layer.RESOURCE, Layer.TRUST):
            return row.result is ALLOW and (not self.explanation.same_account or row.grant is not Grant.DELEGATED)
        by_grant = self.explanation.same_account and self.explanation.decision.grant >= Grant.LIMITED
        return row.layer is Layer.IDENTITY and row.result is ALLOW and not by_grant

    def _after(self) -> Iterator[str]:
        explanation = self.explanation
        if explanation.missing_context:
            yield ""
            keys = ", ".join(explanation.missing_context)
            yield f"Context keys that statements ask for and the request does not have: {keys}"
        for warning in explanation.warnings:
            yield ""
            yield _WARNINGS[warning]
        changes = needed(explanation)
        if not explanation.decision.allowed:
            yield ""
            yield "To allow it:"
            yield from (f"  - {change}" for change in explanation.counterfactual if not changes)
            yield from (f"  - {advice(change, TITLES[change.layer], self.request)}" for change in changes)


_NONE_BUT_NEEDED: Final = {
    "": "none",
    "nothing": "none",
    "task": "none",
    "unlimited": "none, and a caller without an account needs one that names it",
    "grant": "none, and a caller of another account needs one that allows it",
    "trust": "none, and it must name the caller or its account",
}


def _title(layer: Layer, level: str | None) -> str:
    return TITLES[layer] if level is None else f"{TITLES[layer]}, {level}"


def _labels(traces: list[StatementTrace]) -> str:
    shown = [label(trace) for trace in traces[:3]]
    more = [f"{len(traces) - 3} more"] if len(traces) > 3 else []
    return ", ".join(shown + more)


def _name(principal: who.Principal) -> str:
    if isinstance(principal, who.Service):
        return principal.name
    if isinstance(principal, who.FederatedCaller):
        return f"whoever {principal.provider} vouches for"
    return "anonymous" if isinstance(principal, who.Anonymous) else principal.arn
