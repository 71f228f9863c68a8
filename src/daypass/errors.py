# SPDX-License-Identifier: Apache-2.0
"""
The one tree of errors; ``Reason``, the closed list of reasons behind them, is in ``daypass.reasons``.

    DaypassError
    ├── RequestError         the request cannot be read, or asks for what does not exist
    ├── AuthenticationError  who is calling cannot be established
    ├── AccessDeniedError    the caller is known, and may not
    ├── ProofError           a proof of identity (a token, an assertion) does not verify
    ├── ProviderError        an identity provider cannot be asked, or answers nonsense
    ├── PolicyError          a policy document cannot be accepted
    ├── EntityError          an entity is absent, in the way, or too many
    ├── ConfigurationError   the process cannot start or run as configured
    └── UnavailableError     a part of the service is out of reach for now

``str(error)`` is written for the caller: one sentence, no internal names, and never a token, a key or the value of a
claim. ``error.reason`` is written for us: tests assert it, logs record it, vectors expect it, docs/errors.md lists it.
Errors know nothing of AWS's codes; ``daypass.api.wire_errors`` holds that table, and a test proves it total.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from daypass.reasons import Reason as Reason


class DaypassError(Exception):
    """Whatever daypass refuses. ``str(error)`` is for the caller, ``error.reason`` for us."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RequestError(DaypassError):
    """The request cannot be read, or asks for what does not exist."""


class AuthenticationError(DaypassError):
    """Who is calling cannot be established."""


# fmt: off
DeniedBy = Literal[
    "explicit_deny", "operation", "fitness", "scp", "rcp", "vpce", "resource", "trust", "boundary", "session", "identity"
]
# fmt: on
"""What denied: an explicit deny; else the layer that did not allow, by its name in explanations (``operation``: a rule that no
policy changes), or ``fitness``: credentials of this kind cannot do it."""


class AccessDeniedError(DaypassError):
    """
    The caller is known, and may not.

    ``denied_by`` is for metrics and the audit trail, and never for the caller, who may not be meant to know.
    ``evidence`` makes the document of the denial, for whoever may know more than the caller; None where there is none.
    """

    evidence: Callable[[], Mapping[str, Any]] | None = None
    kept: Callable[[], Mapping[str, Any]] | None = None
    """
    Makes the document for the audit trail, where there may be none for the caller: that there is one, or how long making it
    takes, would say that something exists.
    """

    def __init__(self, reason: Reason, message: str, denied_by: DeniedBy | None = None) -> None:
        super().__init__(reason, message)
        self.denied_by: DeniedBy = denied_by or ("trust" if reason is Reason.NOT_TRUSTED else "operation")


class ProofError(DaypassError):
    """A proof of identity (a token, an assertion) does not verify."""


class ProviderError(DaypassError):
    """An identity provider cannot be asked, or answers nonsense."""


class PolicyError(DaypassError):
    """A policy document cannot be accepted."""


class EntityError(DaypassError):
    """An entity is absent, in the way, or too many."""


class ConfigurationError(DaypassError):
    """The process cannot start or run as configured."""


class UnavailableError(DaypassError):
    """A part of the service is out of reach for now; the same request may succeed later."""
