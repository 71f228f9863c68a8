# SPDX-License-Identifier: Apache-2.0
"""How long a role session may last (STS API, AssumeRole and AssumeRoleWithWebIdentity: DurationSeconds)."""

from __future__ import annotations

from typing import Final

from daypass.errors import Reason, RequestError

DEFAULT_SECONDS: Final = 3600
SHORTEST_SECONDS: Final = 900
LONGEST_SECONDS: Final = 43_200


CHAINED_SECONDS: Final = 3600
"""The longest session of a role that is assumed by a role session (IAM User Guide, "Role chaining")."""

OWN_DEFAULT_SECONDS: Final = 43_200
OWN_LONGEST_SECONDS: Final = 129_600
ROOT_LONGEST_SECONDS: Final = 3600
"""GetSessionToken and GetFederationToken: twelve hours unless asked otherwise, at most 36; for root at most one."""

TASK_SECONDS: Final = 900
"""AssumeRoot: 15 minutes, or less."""


def own_session_duration(requested: int | None, *, root: bool) -> int:
    """The seconds that a session of GetSessionToken or GetFederationToken lasts. Root's are cut to an hour, as AWS does."""
    seconds = OWN_DEFAULT_SECONDS if requested is None else requested
    return min(seconds, ROOT_LONGEST_SECONDS if root else OWN_LONGEST_SECONDS)


def role_session_duration(requested: int | None, role_maximum: int, *, chained: bool = False) -> int:
    """
    The seconds that a role session will last: what was asked for, or one hour.

    ``role_maximum`` is the role's MaxSessionDuration (3600 to 43200 seconds). A longer request is refused, not cut:
    AWS refuses it too, and a client that believes in twelve hours must not be surprised after one.
    ``chained``: a role session asks.
    """
    seconds = DEFAULT_SECONDS if requested is None else requested
    if chained and seconds > CHAINED_SECONDS:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        raise RequestError(Reason.DURATION_EXCEEDS_ROLE, message)
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS or seconds > role_maximum:
        raise RequestError(
            Reason.DURATION_EXCEEDS_ROLE,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return seconds
