# SPDX-License-Identifier: Apache-2.0
"""
The table of what is counted: names, labels, and how many series there may be of each.

Names follow Prometheus's conventions (https://prometheus.io/docs/practices/naming/). ``limit`` is a backstop: labels come from
closed sets, so a family that reaches it is a defect, and what is beyond it is counted in OVERFLOW.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

REQUEST_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""Seconds. A signature is verified and answered in less than a millisecond; a token whose keys must be fetched takes a tenth to
five seconds (``federation.fetch.DEFAULT_TIMEOUT``)."""

DECISION_BOUNDS: Final = (0.00005, 0.0001, 0.00025, 0.001, 0.005, 0.025)
"""Seconds. A decision takes tens of microseconds; the first by a policy compiles it, in milliseconds."""

GATEWAY_BOUNDS: Final = (0.005, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0)
"""Seconds, the body included: objects may be large."""


class Family(msgspec.Struct, frozen=True):
    """
    A family of series.

    - ``kind``: ``counter``; ``histogram`` with ``bounds``; ``instant``, a gauge whose cell holds when something last happened.
    - ``width``: numbers that a series has: one, or of a histogram the sum and a count for each bucket.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["counter", "histogram", "instant"] = "counter"
    limit: int = 1
    bounds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Numbers of one series."""
        return 2 + len(self.bounds) if self.kind == "histogram" else 1


OVERFLOW: Final = Family("daypass_metrics_overflow_total", "What was not counted, for there were too many series.")
STS_REQUESTS: Final = Family(
    "daypass_sts_requests_total",
    "Requests to STS that were answered, by operation and error code; container credentials among them.",
    ("action", "code"),
    limit=1_000,
)
IAM_REQUESTS: Final = Family(
    "daypass_iam_requests_total",
    "Requests to IAM that were answered, by operation and error code.",
    ("action", "code"),
    limit=6_000,
)
SIGNIN_REQUESTS: Final = Family(
    "daypass_signin_requests_total",
    "Requests to the pages of the browser door that were answered, by page and error code.",
    ("action", "code"),
    limit=500,
)
UNREAD_REQUESTS: Final = Family(
    "daypass_unread_requests_total",
    "Requests to STS and IAM that were refused before it was known what they ask for.",
    ("code",),
    limit=100,
)
REQUEST_SECONDS: Final = Family(
    "daypass_request_duration_seconds",
    "Seconds from the last byte of a request to its answer.",
    ("service", "action"),
    "histogram",
    400,
    REQUEST_BOUNDS,
)
DECISIONS: Final = Family(
    "daypass_authz_decisions_total",
    "Decisions; of a denial, what denied: explicit_deny, or the layer that did not allow.",
    ("decision", "layer"),
    limit=20,
)
DECISION_SECONDS: Final = Family(
    "daypass_authz_duration_seconds", "Seconds that decisions take.", (), "histogram", 1, DECISION_BOUNDS
)
FETCH_FAILURES: Final = Family(
    "daypass_idp_fetch_failures_total",
    "Questions to an OpenID Connect provider that failed.",
    ("provider",),
    limit=2_000,
)
KEYS_FETCHED: Final = Family(
    "daypass_idp_jwks_age_seconds",
    "Seconds since a provider's keys were fetched; by the worker that has the newest.",
    ("provider",),
    "instant",
    2_000,
)
INTERNAL_FAILURES: Final = Family("daypass_internal_failures_total", "Errors of ours, each with an alarm in the log.")
AUDIT_FAILURES: Final = Family("daypass_audit_write_failures_total", "Attempts to write the audit trail that failed.")
AUDIT_DROPPED: Final = Family(
    "daypass_audit_dropped_total", "Audit records that were given up: they are not in the trail."
)
GATEWAY_REQUESTS: Final = Family(
    "daypass_gateway_requests_total",
    "Requests to a backend that were answered, by operation and by error code of ours or status of the backend.",
    ("backend", "operation", "code"),
    limit=8_000,
)
GATEWAY_SECONDS: Final = Family(
    "daypass_gateway_request_duration_seconds",
    "Seconds from a request to the end of its answer.",
    ("backend",),
    "histogram",
    256,
    GATEWAY_BOUNDS,
)
GATEWAY_BYTES: Final = Family(
    "daypass_gateway_bytes_total",
    "Bytes of bodies: in from clients, out to them.",
    ("backend", "direction"),
    limit=512,
)
UPSTREAM_FAILURES: Final = Family(
    "daypass_gateway_upstream_failures_total",
    "Requests for which a backend could not be used.",
    ("backend", "reason"),
    limit=1_280,
)

FAMILIES: Final = (
    OVERFLOW,
    STS_REQUESTS,
    IAM_REQUESTS,
    SIGNIN_REQUESTS,
    UNREAD_REQUESTS,
    REQUEST_SECONDS,
    DECISIONS,
    DECISION_SECONDS,
    FETCH_FAILURES,
    KEYS_FETCHED,
    INTERNAL_FAILURES,
    AUDIT_FAILURES,
    AUDIT_DROPPED,
    GATEWAY_REQUESTS,
    GATEWAY_SECONDS,
    GATEWAY_BYTES,
    UPSTREAM_FAILURES,
)

BY_NAME: Final = {family.name: family for family in FAMILIES}

WIDEST: Final = max(family.width for family in FAMILIES)

NUMBERS: Final = 32_768
"""Numbers of one worker: 256 KB, which hold every family at its limit (a test sums them up)."""
