# SPDX-License-Identifier: Apache-2.0
"""Values of SAML (Core 1.3): instants and lines of text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from daypass.errors import ProofError, Reason

_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z\Z", re.ASCII)
_TO_SECONDS: Final = len("2026-01-31T12:00:00")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # UTC, as everything that is compared with it
# One line of characters that XML 1.0 can carry and a person can see: it stands in answers and in the audit trail.
_UNPRINTABLE: Final = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def instant(text: str) -> int:
    """
    Seconds since 1970 of an xs:dateTime in UTC (SAML Core 1.3.3); fractions are dropped, as they may be. Raises ProofError.

    An offset or none at all is refused: Core requires UTC, and readers have differed about the rest.
    """
    try:
        if _INSTANT.match(text) is None:
            raise ValueError
        since = datetime.fromisoformat(text[:_TO_SECONDS]) - _EPOCH
        return since.days * 86_400 + since.seconds
    except ValueError:
        raise ProofError(Reason.SAML_VALUE_MALFORMED, "Expected an instant as 2026-01-31T12:00:00Z.") from None


def is_line(value: str | None, longest: int) -> bool:
    """Whether this is one line of visible text of 1 to so many characters, with no space at either end."""
    if value is None or not 0 < len(value) <= longest or value != value.strip():
        return False
    return (value.isascii() and value.isprintable()) or _UNPRINTABLE.search(value) is None
