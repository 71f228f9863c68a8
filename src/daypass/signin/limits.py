# SPDX-License-Identifier: Apache-2.0
"""What the browser door reads and remembers at most, each with its reason."""

from __future__ import annotations

from typing import Final

REQUEST_SECONDS: Final = 600
"""From our question to the identity provider to its answer: a password, a second factor, and a telephone that rings between."""

CHOICE_SECONDS: Final = 300
"""From the page with the roles to the choice of one. Assertions themselves are good for about as long."""

PENDING: Final = 4
"""Questions that one browser may have open; the oldest is forgotten. All of them stand in one cookie of at most 4,096 bytes."""

RETURN_TO_CHARACTERS: Final = 256
"""Of the place to go to afterwards. ``PENDING`` of them fit into the cookie."""

COOKIE_CHARACTERS: Final = 4096
"""Of one cookie, name and attributes included (RFC 6265, section 6.1)."""

ROLES: Final = 250
"""Roles that are offered. AWS advises against more than 100 in one assertion; our parser takes 500 attribute values."""
