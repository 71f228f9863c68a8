# SPDX-License-Identifier: Apache-2.0
"""
Temporary credentials: how they are made, what is sealed inside, and how they are opened again.

    Session (what was granted, until when) -- seal --> access key id, secret access key, session token
    access key id, session token -- open --> Session, secret access key

Whether anybody may have a session is decided above (``daypass.access``, ``daypass.sts``); how a box is sealed, below
(``daypass.sealing``). Permissions are not in here: they are read from the role at every use. Session policies are, frozen.
"""

from daypass.sessions.duration import own_session_duration, role_session_duration
from daypass.sessions.packed import packed_policy_size
from daypass.sessions.session import OpenedSession, Session, Sessions

__all__ = [
    "OpenedSession",
    "Session",
    "Sessions",
    "own_session_duration",
    "packed_policy_size",
    "role_session_duration",
]
