# SPDX-License-Identifier: Apache-2.0
"""
What a backend is told of whoever asks, in headers that only daypass sets.

Names and ARNs as IAM knows them; never a key's secret, a token or a claim.
"""

from __future__ import annotations

from daypass.access import Caller
from daypass.access.remembered import remembered
from daypass.gateway.decision import Allowed
from daypass.gateway.names import REQUEST_ID_HEADER
from daypass.store import View

Headers = list[tuple[bytes, bytes]]


def identity_headers(allowed: Allowed, request_id: str) -> Headers:
    """The headers that say who asks; a header that would be empty is left out."""
    return [(REQUEST_ID_HEADER, request_id.encode()), *_told_of(allowed.caller, allowed.view)]


@remembered
def _told_of(caller: Caller, _view: View) -> Headers:
    session = caller.session
    told = [
        (b"x-daypass-principal", caller.principal.arn),
        (b"x-daypass-account", caller.principal.account),
        (b"x-daypass-access-key-id", caller.access_key_id),
    ]
    if session is not None:
        told.append((b"x-daypass-session-name", session.session_name))
        if session.source_identity is not None:
            told.append((b"x-daypass-source-identity", session.source_identity))
    return [(name, value.encode("ascii", "replace")) for name, value in told if value]
