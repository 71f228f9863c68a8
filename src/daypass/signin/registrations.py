# SPDX-License-Identifier: Apache-2.0
"""The registrations of one identity provider, in all accounts: an answer to the consumer does not say whose it is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from daypass.errors import ProofError, Reason
from daypass.store import SamlProvider, View

REGISTRATIONS: Final = 100
"""Registrations that an assertion is tried with, at 0.5 ms each. To crowd others out it takes as many accounts."""


class Registrations:
    """Finds them in the view of the moment. The index is made again when a provider was written: seldom."""

    def __init__(self, current_view: Callable[[], View]) -> None:
        self._current_view = current_view
        self._of: object = None
        self._by_issuer: dict[str, list[SamlProvider]] = {}

    def of(self, issuer: str, asked: tuple[str, str] | None) -> list[SamlProvider]:
        """
        The registrations of an issuer: the one that was ``asked`` (account, name) first, then the oldest of each account, then
        the second oldest of each, and so on: an account may have a hundred, and name any issuer in them later.

        Raises ProofError when there is none, or the one that was asked is of another issuer.
        """
        found = self._index().get(issuer, [])
        if asked is not None:
            first = [provider for provider in found if (provider.account, provider.name) == asked]
            if not first:
                message = "The response comes from another identity provider than the one that was asked."
                raise ProofError(Reason.SAML_RESPONSE_UNSOLICITED, message)
            found = first + [provider for provider in found if provider is not first[0]]
        if not found:
            message = "No SAML provider is registered for the issuer of this response."
            raise ProofError(Reason.PROVIDER_UNKNOWN, message)
        return found[:REGISTRATIONS]

    def _index(self) -> dict[str, list[SamlProvider]]:
        records = self._current_view().saml_providers
        if records is not self._of:  # views share what did not change between them
            by_issuer: dict[str, list[SamlProvider]] = {}
            for provider in sorted(records.all(), key=lambda provider: (provider.created_at, provider.arn)):
                by_issuer.setdefault(provider.entity_id, []).append(provider)
            self._by_issuer = {issuer: _in_turn(providers) for issuer, providers in by_issuer.items()}
            self._of = records
        return self._by_issuer


def _in_turn(providers: list[SamlProvider]) -> list[SamlProvider]:
    """One of each account, then another of each, and so on; within that, in the order in which they are."""
    seen: Counter[str] = Counter()
    turns = []
    for provider in providers:
        turns.append((seen[provider.account], provider))
        seen[provider.account] += 1
    return [provider for _, provider in sorted(turns, key=lambda turn: turn[0])]
