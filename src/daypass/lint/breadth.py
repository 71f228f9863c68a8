# SPDX-License-Identifier: Apache-2.0
"""
Allows that are wider than they look, and statements that say nothing new (IAM User Guide, "Security best practices",
"Apply least-privilege permissions").
"""

from __future__ import annotations

from collections.abc import Sequence

from daypass.lint.findings import quoted
from daypass.lint.located import Span
from daypass.lint.narrowing import is_narrowed
from daypass.lint.stated import Inspection, Stated
from daypass.policy.document import Kind, StatementSource

_GRANTING = (Kind.IDENTITY, Kind.RESOURCE, Kind.TRUST)


def check_breadth(work: Inspection) -> None:
    """Report wildcards that no condition narrows, and the Not-elements that hide how much is meant."""
    for stated in work.statements:
        if stated.allows and work.kind in _GRANTING:
            _check_not_elements(work, stated)
        if stated.allows and work.kind is Kind.IDENTITY and not is_narrowed(stated):
            _check_wildcards(work, stated)
        if not stated.allows and stated.source.not_principal is not None:
            message = "NotPrincipal denies everybody who is not listed, sessions of listed roles among them; write "
            message += 'Principal "*" with a condition such as ArnNotLike on aws:PrincipalArn.'
            work.report("not-principal", stated, stated.node.by_name["NotPrincipal"].name, message)


def _check_not_elements(work: Inspection, stated: Stated) -> None:
    if stated.source.not_action is not None:
        message = "Allow with NotAction grants every action that is not listed, of every service there will ever be."
        work.report("allow-not-action", stated, stated.node.by_name["NotAction"].name, message)
    if stated.source.not_resource is not None:
        message = "Allow with NotResource grants access to every resource that is not listed; list what is meant."
        work.report("allow-not-resource", stated, stated.node.by_name["NotResource"].name, message)


def _check_wildcards(work: Inspection, stated: Stated) -> None:
    if "*" not in (stated.source.resource or ()):
        return
    for entry in stated.actions if stated.source.action is not None else ():
        text = entry.text or ""
        if text == "*":
            message = "Every action on every resource: whoever has this policy is an administrator."
            work.report("allow-everything", stated, entry, message)
        elif text.endswith(":*"):
            message = f"Every action of {quoted(text[:-2])} on every resource; list actions, or name resources."
            work.report("allow-whole-service", stated, entry, message)


def check_redundant(work: Inspection) -> None:
    """Report statements that an earlier one of the same effect, principals and conditions covers already."""
    earlier: dict[object, list[Stated]] = {}
    for stated in work.statements:
        group = earlier.setdefault(_group(stated.source), [])
        for other in group:
            if not work.out.spend(1 + _size(stated) * _size(other) // 100):
                return
            if _covers(other.source, stated.source):
                name = quoted(other.source.sid) if other.source.sid else f"number {other.source.index + 1}"
                message = f"Statement {name} says this already; remove one of the two."
                opening = Span(stated.node.start, stated.node.start + 1)
                work.report("redundant-statement", stated, opening, message)
                break
        group.append(stated)


def _size(stated: Stated) -> int:
    return len(stated.actions) + len(stated.resources)


def _group(source: StatementSource) -> object:
    """What must be equal for one statement to cover another."""
    principals = [
        None if entries is None else tuple(entries.items()) for entries in (source.principal, source.not_principal)
    ]
    negated = (
        source.not_action and frozenset(source.not_action),
        source.not_resource and frozenset(source.not_resource),
    )
    conditions = frozenset((asked.operator.name, asked.key.lower(), asked.values) for asked in source.conditions)
    return source.denies, tuple(principals), negated, conditions


def _covers(wider: StatementSource, source: StatementSource) -> bool:
    actions = _all_covered(
        [text.lower() for text in wider.action or ()], [text.lower() for text in source.action or ()]
    )
    return actions and _all_covered(wider.resource or (), source.resource or ())


def _all_covered(wider: Sequence[str], texts: Sequence[str]) -> bool:
    """
    Whether every pattern is covered by one of the wider ones. Safe, not complete.

    A ``*`` that is the only wildcard of the wider pattern and stands at its end covers every text with that beginning,
    wildcards or not; in an ARN only where it stands behind the fifth colon.
    """
    known = set(wider)
    prefixes = tuple(text[:-1] for text in wider if _is_prefix(text))
    return all(text in known or text.startswith(prefixes) for text in texts)


def _is_prefix(text: str) -> bool:
    if text == "*":
        return True
    plain = text.endswith("*") and "*" not in text[:-1] and "?" not in text and "${" not in text
    return plain and (not text.startswith("arn:") or text.count(":") >= 5)
