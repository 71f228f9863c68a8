# SPDX-License-Identifier: Apache-2.0
"""
What x-amz-content-sha256 may say of the body: its SHA-256, or one word of a closed set (S3 API, "Authenticating Requests:
Using the Authorization Header").

The words of SigV4A (``STREAMING-AWS4-ECDSA-...``) and of other chunkings are not in the set, so they are refused.
"""

from __future__ import annotations

from typing import Final

UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
"""The word that stands for a body which the signature does not cover (S3 only, and only where it is accepted)."""

STREAMING_UNSIGNED_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
"""Chunks without signatures, then a checksum in a trailer. The AWS SDKs' default for uploads over TLS."""

STREAMING_SIGNED: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
"""Chunks that are signed one by one, each signature over the one before."""

STREAMING_SIGNED_TRAILER: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
"""Chunks that are signed one by one, then a trailer that is signed too."""

SIGNED_CHUNKS: Final = frozenset({STREAMING_SIGNED, STREAMING_SIGNED_TRAILER})
"""The words under which every chunk carries a signature."""

WITH_TRAILER: Final = frozenset({STREAMING_UNSIGNED_TRAILER, STREAMING_SIGNED_TRAILER})
"""The words under which a trailer follows the chunks."""

STREAMING_PAYLOADS: Final = SIGNED_CHUNKS | WITH_TRAILER
"""The words for a body in aws-chunked form, which ``chunks`` decodes."""

S3_PAYLOADS: Final = STREAMING_PAYLOADS | {UNSIGNED_PAYLOAD}
"""Every word that S3 knows and that is read here."""


def is_digest(text: bytes) -> bool:
    """Whether a text has the form of a SHA-256: 64 hexadecimal digits in lower case."""
    return len(text) == 64 and not text.translate(None, b"0123456789abcdef")
