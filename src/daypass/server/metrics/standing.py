# SPDX-License-Identifier: Apache-2.0
"""
What ages and what expires, as the store has it: the sealing key, registered providers, their certificates and metadata; and
whether the state file was refused.

Each worker says it whenever it has changed, as instants; ages are made when they are asked for. What the audit trail counts by
itself is taken over on the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from daypass.clock import Clock
from daypass.doorway.audit_trail import AuditTrail
from daypass.errors import ProofError
from daypass.federation.saml import provider_ends
from daypass.server.metrics.recorder import Recorder
from daypass.store import SamlProvider, View

EVERY: Final = 1.0
"""Seconds between two looks at the store; while it has not changed, a look compares three identities."""

READ_AT_ONCE: Final = 16
"""Documents of SAML metadata that one look reads: each takes a millisecond of the event loop."""


class SamlEnds(msgspec.Struct, frozen=True):
    """When the metadata of a provider ends, and the last of its signing certificates; None where nothing is said."""

    provider: str
    metadata: int | None = None
    certificate: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """
    ``sealing_since``: the instants from which the sealing keys seal. ``oidc``: the ARNs of registered providers.
    ``state_refused``: whether the state file as it stands was refused.
    """

    sealing_since: tuple[int, ...] = ()
    oidc: tuple[str, ...] = ()
    saml: tuple[SamlEnds, ...] = ()
    state_refused: bool = False


class StandingWatch:
    """Looks at the store once in a while, on the event loop, and publishes what it finds. ``failed`` is told of errors."""

    def __init__(
        self,
        view: Callable[[], View],
        recorder: Recorder,
        audit: AuditTrail,
        failed: Callable[[Exception], None],
        every: float = EVERY,
    ) -> None:
        self._view = view
        self._audit = audit
        self._recorder = recorder
        self._failed = failed
        self._every = every
        self._seen: tuple[object, ...] = ()
        self._ends: dict[str, tuple[str, SamlEnds]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self.look()
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Publish what has changed, if anything has."""
        self._recorder.audited(dropped=self._audit.dropped, write_failures=self._audit.write_failures)
        try:
            view = self._view()
            seen = (view.key_ring, view.oidc_providers, view.saml_providers, view.state_files)
            if all(new is old for new, old in zip(seen, self._seen, strict=False)) and self._seen:
                return
            standing, whole = self._standing(view)
            self._recorder.cells.publish(msgspec.json.encode(standing))
            self._seen = seen if whole else ()
        except Exception as error:  # noqa: BLE001 - it is said in the log; requests go on, and so does the watch
            self._failed(error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self.look()

    def _standing(self, view: View) -> tuple[Standing, bool]:
        """What is to be published, and whether that is all: metadata is read a few documents at a time."""
        saml, unread = [], 0
        ends: dict[str, tuple[str, SamlEnds]] = {}
        for provider in view.saml_providers.all():
            known = self._ends.get(provider.arn)
            if known is None or known[0] != provider.metadata:
                if unread >= READ_AT_ONCE:
                    continue
                unread += 1
                known = provider.metadata, _ends_of(provider)
            ends[provider.arn] = known
            saml.append(known[1])
        self._ends = ends
        sealing = tuple(key.active_from for key in view.key_ring)
        oidc = tuple(provider.arn for provider in view.oidc_providers.all())
        refused = any(file.problem is not None for file in view.state_files.all())
        return Standing(sealing, oidc, tuple(saml), refused), unread < READ_AT_ONCE


def _ends_of(provider: SamlProvider) -> SamlEnds:
    try:
        metadata, certificates = provider_ends(provider)
    except ProofError:  # this version does not accept it; who uses it is told
        return SamlEnds(provider.arn)
    return SamlEnds(provider.arn, metadata, max(certificates, default=None))


def sealing_age(standing: Standing, clock: Clock) -> float | None:
    """Seconds since the key seals that seals now; None where there is none."""
    now = clock()
    since = max((instant for instant in standing.sealing_since if instant <= now), default=None)
    return None if since is None else now - since
