# SPDX-License-Identifier: Apache-2.0
"""How long a role session may last (STS API, AssumeRole and AssumeRoleWithWebIdentity: DurationSeconds)."""

from __future__ import annotations

from typing import Final

from daypass.errors import Reason, RequestError

DEFAULT_SECONDS: Final = 3600
SHORTEST_SECONDS: Final = 900
LONGEST_SECONDS: Final = 43_200


def role_session_duration(requested: int | None, role_maximum: int) -> int:
    """
    The seconds that a role session will last: what was asked for, or one hour.

    ``role_maximum`` is the role's MaxSessionDuration (3600 to 43200 seconds). A longer request is refused, not cut:
    AWS refuses it too, and a client that believes in twelve hours must not be surprised after one.
    """
    seconds = DEFAULT_SECONDS if requested is None else requested
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS or seconds > role_maximum:
        raise RequestError(
            Reason.DURATION_EXCEEDS_ROLE,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return seconds
