# SPDX-License-Identifier: Apache-2.0
"""
The Action and NotAction elements (IAM JSON policy elements: Action).

``service:Name``; both sides ignore the case of ASCII letters. The service has no wildcards, the name may. No variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daypass.policy.match import Glob, ascii_lower, compile_text


@dataclass(frozen=True, slots=True)
class ActionPattern:
    """One entry. ``service`` is None for the entry ``*``, which is every action."""

    text: str
    service: str | None
    name: Glob

    def matches(self, service: str, name: str) -> bool:
        """Whether the lower-case service and name are meant."""
        return self.service is None or (self.service == service and self.name.matches(name))


@dataclass(frozen=True, slots=True)
class ActionElement:
    """Action, or (``negated``) NotAction."""

    patterns: tuple[ActionPattern, ...]
    negated: bool

    def matches(self, service: str, name: str) -> bool:
        """Whether the element covers the action, given in lower case."""
        for pattern in self.patterns:
            if pattern.matches(service, name):
                return not self.negated
        return self.negated

    def hit(self, service: str, name: str) -> str | None:
        """The first entry that means the action, given in lower case; None when none does."""
        for pattern in self.patterns:
            if pattern.matches(service, name):
                return pattern.text
        return None

    @property
    def services(self) -> frozenset[str] | None:
        """The only services whose actions can be covered; None when it may be any."""
        if self.negated or any(pattern.service is None for pattern in self.patterns):
            return None
        return frozenset(pattern.service for pattern in self.patterns if pattern.service is not None)


def split_action(action: str) -> tuple[str, str]:
    """An action's service and name, in lower case."""
    service, _, name = ascii_lower(action).partition(":")
    return service, name


def compile_actions(texts: Sequence[str], *, negated: bool) -> ActionElement:
    """Compile the entries of Action or NotAction."""
    return ActionElement(tuple(_pattern(text) for text in texts), negated)


def _pattern(text: str) -> ActionPattern:
    if text == "*":
        return ActionPattern(text, None, compile_text("*"))
    service, name = split_action(text)
    return ActionPattern(text, service, compile_text(name))
