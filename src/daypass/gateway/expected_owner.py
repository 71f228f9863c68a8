# SPDX-License-Identifier: Apache-2.0
"""
Whose a bucket is, as the request expects it (S3 User Guide, "Verifying bucket ownership with bucket owner condition").

Decided here and not sent on: the backend knows nothing of our accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from daypass.errors import AccessDeniedError, Reason
from daypass.gateway.decision import Allowed, owner_arn
from daypass.resources import owner_of
from daypass.sigv4 import RawRequest

EXPECTED_OWNER: Final = b"x-amz-expected-bucket-owner"
EXPECTED_SOURCE_OWNER: Final = b"x-amz-source-expected-bucket-owner"
_BOTH: Final = frozenset([EXPECTED_OWNER, EXPECTED_SOURCE_OWNER])


def check_expected_owners(raw: RawRequest, allowed: Allowed) -> None:
    """Raises AccessDeniedError when the bucket, or that of a copy's source, is somebody else's than the request expects."""
    operation, backend = allowed.operation, allowed.backend
    for name, value in _expected(raw, allowed):
        arn = operation.owner_arn
        if name == EXPECTED_SOURCE_OWNER and operation.needed:
            arn = owner_arn(operation.needed[0].resource)  # a copy reads before it writes
        if value != owner_of(arn, backend.account, allowed.view, backend.elsewhere).encode("ascii"):
            raise AccessDeniedError(Reason.NOT_AUTHORIZED, "Access Denied")


def _expected(raw: RawRequest, allowed: Allowed) -> Iterator[tuple[bytes, bytes]]:
    """In the headers, and where a presigned request has it, in the query."""
    for name, value in raw.headers:
        if name in _BOTH:
            yield name, value.strip()
    for name, value in allowed.head.parameters:
        lowered = name.lower()
        if lowered in _BOTH:
            yield lowered, value.strip()
