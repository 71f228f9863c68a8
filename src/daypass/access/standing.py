# SPDX-License-Identifier: Apache-2.0
"""
Whether a session that was noted when it was issued would still be let in, and why not: for the administrator only.

The questions are those of ``authenticate``, in its order; tests hold the two together. Nothing is decided by the answer.
"""

from __future__ import annotations

from daypass.access.bearer import bearer_of, revocation_keys, why_ended
from daypass.access.organization import is_closed
from daypass.clock import iso8601
from daypass.errors import AuthenticationError
from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS
from daypass.sessions.log import session_of
from daypass.store import IssuedSession, View


def why_refused(issued: IssuedSession, view: View, now: float) -> str | None:
    """
    Why a request with these credentials would be refused now, None when it would not. In this order:

    1. the key that sealed it opens no more;
    2. it has expired;
    3. its role or user is gone;
    4. it has ended before its time (``bearer.why_ended``);
    5. its account is closed.
    """
    session = session_of(issued)
    key = view.sealing_keys.with_key(issued.sealed_by)
    if key is None or (key.retire_at is not None and now >= key.retire_at + ACCEPTED_AFTER_RETIREMENT_SECONDS):
        return f"the key that sealed it, {issued.sealed_by}, is not in the ring any more"
    if now >= session.expires_at:
        return f"it expired at {iso8601(session.expires_at)}"
    try:
        bearer = bearer_of(session, view)
    except AuthenticationError:
        return "its role was deleted" if session.kind == "role" else "its user was deleted"
    why = why_ended(session, issued.access_key_id, view)
    if why is None and is_closed(bearer.principal.account, view):
        return f"the account {bearer.principal.account} is closed"
    return why


def is_named(issued: IssuedSession, revocation_key: str) -> bool:
    """Whether a revocation with this key (``Revocation.key``) names the session; whether it is old enough is another matter."""
    return revocation_key in revocation_keys(session_of(issued), issued.access_key_id)
