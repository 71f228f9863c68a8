# SPDX-License-Identifier: Apache-2.0
"""
What the doors count and time (docs/metrics.md): which operation, with which code, in how many seconds; never who, never what.

INVARIANT: every label is of a bounded set: operations of our tables, codes of ours, names in the configuration. Nothing that a
caller can make up may become one. Who writes it down, and how, is the server's.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

from daypass.errors import DeniedBy

SUCCESS: Final = "Success"
"""The code of a request that was answered without an error."""

UpstreamFailure = Literal["unreachable", "timeout", "certificate", "broken", "malformed"]
"""Why a service behind us could not be used: no connection, no answer in time, not its certificate, an answer that ended
early, an answer that is no HTTP."""


class DecisionMetrics(Protocol):
    """Counts decisions."""

    def time(self) -> float:
        """A monotonic instant in seconds, for ``began``."""

    def decided(self, denied_by: DeniedBy | None, began: float | None = None) -> None:
        """One decision: allowed when ``denied_by`` is None. It began at an instant of ``time``; None where it was not timed."""


class DoorMetrics(DecisionMetrics, Protocol):
    """What the doors of this service report."""

    def answered(self, service: str, action: str, code: str, began: float | None) -> None:
        """A request for an operation of the table was answered; ``code`` is SUCCESS or an error's. ``began`` as above."""

    def unread(self, code: str) -> None:
        """A request was refused before it was known what it asks for."""


class GatewayMetrics(DecisionMetrics, Protocol):
    """What the gateway reports. ``backend`` is the name that the configuration gives it."""

    def gateway_answered(self, *, backend: str, operation: str | None, code: str, began: float) -> None:
        """
        A request was answered. ``operation``: of the table of actions, None where it has none. ``code``: SUCCESS, an error code
        of ours, or the status that the service behind us answered, as text.
        """

    def gateway_bytes(self, *, backend: str, received: int, sent: int) -> None:
        """Bytes of bodies that were received from clients for a backend, and sent to them from it."""

    def gateway_upstream_failed(self, *, backend: str, reason: UpstreamFailure) -> None:
        """The service behind us could not be used for a request."""


class NoMetrics:
    """Counts nothing."""

    def time(self) -> float:
        """No instant."""
        return 0.0

    def decided(self, denied_by: DeniedBy | None, began: float | None = None) -> None:
        """Nothing."""

    def answered(self, service: str, action: str, code: str, began: float | None) -> None:
        """Nothing."""

    def unread(self, code: str) -> None:
        """Nothing."""

    def gateway_answered(self, *, backend: str, operation: str | None, code: str, began: float) -> None:
        """Nothing."""

    def gateway_bytes(self, *, backend: str, received: int, sent: int) -> None:
        """Nothing."""

    def gateway_upstream_failed(self, *, backend: str, reason: UpstreamFailure) -> None:
        """Nothing."""


NO_METRICS: Final = NoMetrics()
"""For whoever wants none, as most tests do."""
