# SPDX-License-Identifier: Apache-2.0
"""
The limits of signature verification: what is refused for its size or its age before anything is computed.

Every input is bounded before it is parsed (DESIGN.md, invariant 9). The server in front has limits of its own; these hold
even where it has none.
"""

from __future__ import annotations

from typing import Final

MAX_HEADERS: Final = 100
"""Header lines of a request. Apache httpd's LimitRequestFields is 100 as well."""

MAX_HEADER_BYTES: Final = 65_536
"""All names and values of the headers together. h11 and uvicorn draw the line at 64 KiB too."""

MAX_SIGNED_HEADERS: Final = 100
"""Names in SignedHeaders; a request cannot have more headers than that."""

MAX_AUTHORIZATION_BYTES: Final = 8_192
"""The Authorization header. A hundred signed names of ordinary length fit."""

MAX_PATH_BYTES: Final = 8_192
"""The raw path. S3's longest key (1024 bytes) with every byte escaped takes 3 KiB."""

MAX_QUERY_BYTES: Final = 65_536
"""The raw query. AssumeRoleWithWebIdentity by GET carries a token of up to 20 000 characters, escaped."""

MAX_QUERY_PARAMETERS: Final = 1_000
"""Parameters in the query."""

MAX_SESSION_TOKEN_BYTES: Final = 16_384
"""The session token. AWS announces no maximum; its clients are told to expect at least 4096."""

MAX_CLOCK_SKEW: Final = 900
"""Seconds by which the signer's clock may be wrong, either way. STS's own refusals say "15 min."."""

MAX_PRESIGNED_LIFETIME: Final = 604_800
"""Seconds a presigned request may stay good: seven days (S3 API, X-Amz-Expires)."""

MAX_CACHED_SIGNING_KEYS: Final = 8_192
"""Derived keys kept in memory, a few hundred bytes each."""

MAX_CHUNK_LINE_BYTES: Final = 256
"""A line of an aws-chunked body: the head of a chunk (at most 99 bytes) or a trailer (a SHA-512 takes 117)."""

MIN_CHUNK_BYTES: Final = 8_192
"""The data of every chunk but the last. S3 refuses less as InvalidChunkSizeError; it bounds the work per byte received.

There is no maximum but the length of the body, because no chunk is kept: AWS's SDK for Go sends an upload as one chunk.
"""

MAX_TRAILERS: Final = 4
"""Trailers of one upload. S3 takes one checksum; each costs a hash over the body."""

MAX_POST_FIELDS: Final = 100
"""Fields of an upload form before the file."""

MAX_POST_FORM_BYTES: Final = 20_480
"""All names and values of an upload form before the file (S3 API, POST Object: 20 KB)."""

MAX_POST_CONDITIONS: Final = 200
"""Conditions of a POST policy: two for each field."""
