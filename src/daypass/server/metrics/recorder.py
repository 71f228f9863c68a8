# SPDX-License-Identifier: Apache-2.0
"""
What the rooms call to count and time (``daypass.doorway.metrics``, ``daypass.federation.oidc.ProviderReports``).

A call looks up where its series is, and adds; 0.2 to 0.5 microseconds. What is not known yet gets a place, once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final, get_args

from daypass.doorway.metrics import UpstreamFailure
from daypass.errors import DeniedBy
from daypass.server.metrics import families
from daypass.server.metrics.cells import Cells
from daypass.server.metrics.families import Family

UNKNOWN: Final = "unknown"
"""The label of what has no name in our tables."""

_REQUESTS: Final = {"sts": families.STS_REQUESTS, "iam": families.IAM_REQUESTS, "signin": families.SIGNIN_REQUESTS}
_DENIALS: Final[tuple[DeniedBy, ...]] = get_args(DeniedBy)


class Recorder:
    """Counts for one process, on its event loop. ``timer`` is a monotonic clock."""

    def __init__(self, cells: Cells | None = None, timer: Callable[[], float] = perf_counter) -> None:
        self.cells = cells or Cells.in_memory()
        self.time = timer
        self._numbers = self.cells.numbers
        self._requests: dict[tuple[str, str, str], int] = {}
        self._seconds: dict[tuple[str, str], int] = {}
        self._gateway_requests: dict[tuple[str, str | None, str], int] = {}
        self._places: dict[tuple[str, ...], int] = {}
        # What can be named beforehand is there from the start: the rate of a series that appears with a 1 is 0.
        self._decisions: dict[DeniedBy | None, int] = {
            denied_by: self._place(families.DECISIONS, _decision(denied_by)) for denied_by in (None, *_DENIALS)
        }
        self._decision_seconds = self._place(families.DECISION_SECONDS, ())
        self._failures = self._place(families.INTERNAL_FAILURES, ())
        self._audit_dropped = self._place(families.AUDIT_DROPPED, ())
        self._audit_failures = self._place(families.AUDIT_FAILURES, ())

    @classmethod
    def in_directory(cls, directory: Path) -> Recorder:
        """For one of several workers, which the started process reads. Raises OSError."""
        return cls(Cells.in_directory(directory))

    def answered(self, service: str, action: str, code: str, began: float | None) -> None:
        """See ``DoorMetrics``."""
        numbers = self._numbers
        place = self._requests.get((service, action, code))
        if place is None:
            place = self._place(_REQUESTS[service], (action, code))
            if place > families.WIDEST:
                self._requests[service, action, code] = place
        numbers[place] += 1.0
        if began is None:
            return
        seconds = self.time() - began
        place = self._seconds.get((service, action))
        if place is None:
            place = self._place(families.REQUEST_SECONDS, (service, action))
            if place > families.WIDEST:
                self._seconds[service, action] = place
        numbers[place] += seconds
        numbers[place + 1 + bisect_left(families.REQUEST_BOUNDS, seconds)] += 1.0

    def unread(self, code: str) -> None:
        """See ``DoorMetrics``."""
        self._add(families.UNREAD_REQUESTS, (code,))

    def decided(self, denied_by: DeniedBy | None, began: float | None = None) -> None:
        """See ``DecisionMetrics``."""
        numbers = self._numbers
        numbers[self._decisions[denied_by]] += 1.0
        if began is not None:
            seconds = self.time() - began
            place = self._decision_seconds
            numbers[place] += seconds
            numbers[place + 1 + bisect_left(families.DECISION_BOUNDS, seconds)] += 1.0

    def gateway_answered(self, *, backend: str, operation: str | None, code: str, began: float) -> None:
        """See ``GatewayMetrics``."""
        numbers = self._numbers
        place = self._gateway_requests.get((backend, operation, code))
        if place is None:
            place = self._place(families.GATEWAY_REQUESTS, (backend, operation or UNKNOWN, _bounded(code)))
            if place > families.WIDEST:
                self._gateway_requests[backend, operation, code] = place
        numbers[place] += 1.0
        seconds = self.time() - began
        place = self._found(families.GATEWAY_SECONDS, (backend,))
        numbers[place] += seconds
        numbers[place + 1 + bisect_left(families.GATEWAY_BOUNDS, seconds)] += 1.0

    def gateway_bytes(self, *, backend: str, received: int, sent: int) -> None:
        """See ``GatewayMetrics``."""
        if received:
            self._add(families.GATEWAY_BYTES, (backend, "in"), received)
        if sent:
            self._add(families.GATEWAY_BYTES, (backend, "out"), sent)

    def gateway_upstream_failed(self, *, backend: str, reason: UpstreamFailure) -> None:
        """See ``GatewayMetrics``."""
        self._add(families.UPSTREAM_FAILURES, (backend, reason))

    def fetched(self, provider_arn: str, at: float) -> None:
        """See ``ProviderReports``."""
        self._numbers[self._found(families.KEYS_FETCHED, (provider_arn,))] = at

    def fetch_failed(self, provider_arn: str) -> None:
        """See ``ProviderReports``."""
        self._add(families.FETCH_FAILURES, (provider_arn,))

    def internal_failure(self) -> None:
        """An error of ours, whose alarm is in the log."""
        self._numbers[self._failures] += 1.0

    def audited(self, *, dropped: int, write_failures: int) -> None:
        """What the audit trail of this process has counted since it started."""
        self._numbers[self._audit_dropped] = float(dropped)
        self._numbers[self._audit_failures] = float(write_failures)

    def _add(self, family: Family, labels: tuple[str, ...], amount: float = 1.0) -> None:
        self._numbers[self._found(family, labels)] += amount

    def _found(self, family: Family, labels: tuple[str, ...]) -> int:
        key = (family.name, *labels)
        place = self._places.get(key)
        if place is None:
            place = self._place(family, labels)
            if place > families.WIDEST:
                self._places[key] = place
        return place

    def _place(self, family: Family, labels: tuple[str, ...]) -> int:
        place = self.cells.place(family, labels)
        return self.cells.overflow() if place is None else place


def _decision(denied_by: DeniedBy | None) -> tuple[str, str]:
    return ("allow", "") if denied_by is None else ("deny", denied_by)


def _bounded(code: str) -> str:
    """The code as a label: a status that is none (RFC 9110 section 15) has no place of its own."""
    if code.isdigit() and not (len(code) == 3 and code[0] in "12345"):
        return UNKNOWN
    return code
