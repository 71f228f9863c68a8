# SPDX-License-Identifier: Apache-2.0
"""
The log: one line an event, on standard error; JSON unless somebody is watching on a terminal.

What may be logged is what the functions here take: reasons, codes, names of operations, request ids. No function takes a
request, a token or a claim.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import structlog

from daypass.clock import iso8601
from daypass.errors import Reason


def configure_log() -> None:
    """Set structlog up for this process."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class RequestLog:
    """What the doors report (``daypass.doorway.reports.DoorLog``). ``on_failure`` is called for every error of ours."""

    def __init__(self, on_failure: Callable[[], None] = lambda: None) -> None:
        self._log = structlog.get_logger("daypass.request")
        self._on_failure = on_failure

    def refused(self, *, request_id: str, operation: str | None, reason: Reason, code: str) -> None:
        """A request that was answered with an error."""
        self._log.info("refused", request_id=request_id, operation=operation, reason=reason.value, code=code)

    def failed(self, *, request_id: str, operation: str | None, error: Exception) -> None:
        """A request that met an error of ours: an alarm. The traceback has code and types; values stay out of it."""
        self._on_failure()
        self._log.error(
            "internal failure",
            request_id=request_id,
            operation=operation,
            error=type(error).__name__,
            where=_where(error),
        )

    def saml_expires(self, *, provider_arn: str, what: str, at: int, over: bool) -> None:
        """The metadata of a SAML provider, or a certificate in it, ends soon, or has ended."""
        event = "saml provider has expired" if over else "saml provider expires soon"
        self._log.warning(event, provider=provider_arn, what=what, at=iso8601(at))

    def saml_weak(self, *, provider_arn: str, algorithm: str, key_bits: int, certificate: str) -> None:
        """A signature was accepted that only the configuration's exception for this provider allows."""
        self._log.warning(
            "weak saml signature accepted",
            provider=provider_arn,
            algorithm=algorithm,
            key_bits=key_bits,
            certificate=certificate,
        )

    def state_applied(self, *, path: str, digest: str, changed: int, unchanged: int) -> None:
        """The state file was applied. ``changed`` and ``unchanged``: of the things that it wants or wanted."""
        self._log.info("state file applied", path=path, digest=digest, changed=changed, unchanged=unchanged)

    def state_refused(self, *, path: str, problem: str) -> None:
        """The state file as it stands was refused, and nothing of it counts: file, line and why, which quotes no policy."""
        self._log.warning("state file refused", path=path, problem=problem)

    def failed_aside(self, what: str, error: Exception) -> None:
        """What goes on beside the requests (notes of last use, the key ring) met an error of ours: an alarm too."""
        self._on_failure()
        self._log.error("internal failure", operation=what, error=type(error).__name__, where=_where(error))


def _where(error: Exception) -> list[str]:
    """The frames of a traceback as file, line and function: never the message, which may quote what was sent."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return frames
