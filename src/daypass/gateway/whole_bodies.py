# SPDX-License-Identifier: Apache-2.0
"""
Requests whose signature can be verified only when their body is here: those that do not say its digest.

S3's clients send ``x-amz-content-sha256``; those of other services sign the digest without saying it (IAM User Guide, "Create
a signed AWS API request", step 1). Such a body is read before it is known who sends it, so what all of them together may
take of the memory is bounded.
"""

from __future__ import annotations

import hashlib
from typing import Final

from daypass.errors import Reason, RequestError, UnavailableError
from daypass.gateway.backends import Backend
from daypass.gateway.bodies import ClientBody
from daypass.sigv4 import RawRequest

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one such body: DynamoDB's limit. API Gateway takes 10 MB, SQS 1 MiB."""

MOST_TOGETHER: Final = 256 * 1024 * 1024
"""Of all that are being read in one process. More are asked to come again."""

_DIGEST: Final = b"x-amz-content-sha256"


def says_no_digest(raw: RawRequest, backend: Backend) -> bool:
    """Whether the signature covers a digest of the body that the request does not say."""
    if backend.service == "s3":
        return False
    in_query = (piece.partition(b"=")[0].lower() for piece in raw.query.split(b"&"))
    return _DIGEST not in (name for name, _ in raw.headers) and _DIGEST not in in_query


class WholeBodies:
    """Reads bodies whole, within what all of them may take."""

    def __init__(self) -> None:
        self._taken = 0

    async def read(self, source: ClientBody, length: int | None, backend: Backend) -> tuple[bytes, str]:
        """
        A body and its SHA-256. Raises RequestError for one that is too long or does not say its length, UnavailableError
        where too many are being read.
        """
        most = min(backend.max_body_bytes, MOST_BYTES)
        if length is None:
            raise RequestError(Reason.LENGTH_REQUIRED, "Expected a body of a stated length, got one in chunks.")
        if length > most:
            raise RequestError(Reason.ENTITY_TOO_LARGE, f"The body is longer than {most} bytes.")
        if self._taken + length > MOST_TOGETHER:
            raise UnavailableError(Reason.BACKEND_UNAVAILABLE, "Please reduce your request rate.")
        self._taken += length
        try:
            data = await source.whole(most)
        finally:
            self._taken -= length
        return data, hashlib.sha256(data).hexdigest()
