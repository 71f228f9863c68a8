# SPDX-License-Identifier: Apache-2.0
"""
A denial, written down for whoever may know more than the denied caller (STS API, DecodeAuthorizationMessage).

The document has the members that AWS's has (``allowed``, ``explicitDeny``, ``matchedStatements``, ``failures``, ``context``)
and, under ``explanation``, all that ``daypass explain`` would say: what every layer said, the statements that decided or came
closest, and what would have to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from daypass.identity import ContextValue
from daypass.policy import Layers, Outcome, Request, explain
from daypass.policy.closest import telling
from daypass.principal import AccountPrincipal


def evidence_of(request: Request, layers: Layers) -> dict[str, Any]:
    """The document about a request that is denied."""
    explanation = explain(request, layers)
    statements = telling(explanation)
    denied = explanation.decision.outcome is Outcome.EXPLICIT_DENY
    return {
        "allowed": explanation.decision.allowed,
        "explicitDeny": denied,
        "matchedStatements": {
            "items": [{"statementId": trace.label, "effect": "DENY"} for trace in explanation.deciding]
        },
        "failures": {"items": []},
        "context": {
            "principal": _principal(request),
            "action": request.action,
            "resource": request.resource,
            "conditions": {"items": list(_conditions(request.context.entries))},
        },
        "explanation": explanation.to_dict(statements),
    }


def _principal(request: Request) -> dict[str, str]:
    principal = request.principal
    if not isinstance(principal, AccountPrincipal):
        return {}
    return {"id": principal.user_id, "arn": principal.arn}


def _conditions(entries: Mapping[str, ContextValue]) -> Iterable[dict[str, Any]]:
    for key, value in sorted(entries.items()):
        values = (value,) if isinstance(value, str) else value
        yield {"key": key, "values": {"items": [{"value": one} for one in values]}}
