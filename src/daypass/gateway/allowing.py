# SPDX-License-Identifier: Apache-2.0
"""
What a backend is told of whoever asks, in headers that only daypass sets.

Names and ARNs as IAM knows them; never a key's secret, a token or a claim.
"""

from __future__ import annotations

from daypass.gateway.decision import Allowed
from daypass.gateway.names import REQUEST_ID_HEADER


def identity_headers(allowed: Allowed, request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers that say who asks; a header that would be empty is left out."""
    caller = allowed.caller
    session = caller.session
    told = [
        (REQUEST_ID_HEADER, request_id),
        (b"x-daypass-principal", caller.principal.arn),
        (b"x-daypass-account", caller.principal.account),
        (b"x-daypass-access-key-id", caller.access_key_id),
    ]
    if session is not None:
        told.append((b"x-daypass-session-name", session.session_name))
        if session.source_identity is not None:
            told.append((b"x-daypass-source-identity", session.source_identity))
    return [(name, value.encode("ascii", "replace")) for name, value in told if value]
