# SPDX-License-Identifier: Apache-2.0
"""Bounds on proving a second factor. A guess at a code of six digits hits one of the window's three in 333,333 times."""

from __future__ import annotations

from typing import Final

CODE_WINDOW_STEPS: Final = 1
"""Time steps of 30 seconds by which a code may be older or newer than the present one: for typing, travelling and clocks that
differ a little. RFC 6238 section 5.2 recommends one for the delay; Keycloak's default is one both ways too."""

RESYNC_STEPS: Final = 20
"""Time steps, either way, through which two codes in a row are looked for: a device whose clock is ten minutes wrong is still
found (RFC 6238 section 6). One pair of guesses in 24 thousand million hits, and proves nothing that could be used."""

WRONG_CODES: Final = 10
"""Wrong codes in a row until a device is locked. NIST SP 800-63B section 5.2.2 allows up to 100 in all."""

FIRST_LOCK_SECONDS: Final = 30
"""The first lock; each wrong code after it doubles the next. A code's own lifetime: who mistyped waits for a new one anyway."""

LONGEST_LOCK_SECONDS: Final = 86_400
"""A guess a day, when somebody never stops: one chance in nine hundred in a year. At an hour it would be one in 38. Whoever has
the device does not wait: two codes in a row (ResyncMFADevice) open it."""
