# SPDX-License-Identifier: Apache-2.0
"""The headers that only daypass sets, towards backends and towards clients; a request's own of this kind are left out."""

from __future__ import annotations

from typing import Final

PREFIX: Final = b"x-daypass-"
AFTER_PREFIX: Final = b"x-daypass."
"""What they all begin with; and what they stand before, in the order of bytes (``sigv4.request.AMZ``)."""

REQUEST_ID_HEADER: Final = b"x-daypass-request-id"
"""By which a request is found in the audit trail (``daypass why``), at the backend and in every answer."""

TARGET_HEADER: Final = b"x-daypass-uri"
"""To a proxy: the target to send on instead of the caller's, which has a credential in its query."""
