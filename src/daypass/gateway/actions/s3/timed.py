# SPDX-License-Identifier: Apache-2.0
"""
The condition keys of S3 that need the time, which an action map does not have: they are added when it is decided.
"""

from __future__ import annotations

import math

from daypass.gateway.asking import Needed
from daypass.identity import ContextValue
from daypass.policy import values

_UNTIL = "s3:object-lock-retain-until-date"
_REMAINING = "s3:object-lock-remaining-retention-days"
_DAY = 86_400
_NANOSECONDS = 1_000_000_000


def keys_at_time(needed: Needed, *, now: float, signed_at: float) -> dict[str, ContextValue]:
    """
    The condition keys of a permission with ``s3:signatureage`` (milliseconds) and, where an object is to be retained,
    ``s3:object-lock-remaining-retention-days`` (days that have begun). ``now``, ``signed_at``: seconds since 1970.
    """
    keys = {**needed.keys, "s3:signatureage": str(max(0, int((now - signed_at) * 1000)))}
    until = keys.get(_UNTIL)
    if isinstance(until, str):
        instant = values.instant(until)
        if instant is not None:
            keys[_REMAINING] = str(max(0, math.ceil((instant / _NANOSECONDS - now) / _DAY)))
    return keys
