# SPDX-License-Identifier: Apache-2.0
"""What the AWS door reads at most, each with its reason. Everything is bounded before it is parsed (invariant 9)."""

from __future__ import annotations

from typing import Final

BODY_BYTES: Final = 524_288
"""The longest policy (131,072 characters), percent-encoded threefold, fits; and the metadata of any SAML provider, which has 5
to 150 KB. IAM's model allows 10,000,000 characters of it; every process would keep them in memory."""

QUERY_BYTES: Final = 65_536
"""A GET carries one session token and at most a few parameters; httptools refuses longer request lines itself."""

HEADERS: Final = 100
HEADER_BYTES: Final = 65_536
"""As many as nginx and Envoy let through by default, with room for a session token of 16,384 characters."""
