# SPDX-License-Identifier: Apache-2.0
"""
Sessions, sealed into session tokens and opened from them (docs/adr/0003-sealed-session-tokens.md).

The token carries everything, so any node opens it without a lookup. The access key id is authenticated with it, and the
secret access key is derived from both: neither half is of use with another's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from daypass.credentials import TEMPORARY_KEY, Secret, TemporaryCredentials, new_access_key_id
from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sealing import MAXIMUM_TOKEN_CHARACTERS, KeyRing, RingKey, Sealed

SESSION_BOX: Final = 1
"""The kind byte of a box that holds a session. Other sealed things (encoded authorization messages) have other bytes."""

SessionKind = Literal["role", "user", "federated", "root"]
"""
Whose the session is: a role's (AssumeRole*); the user's or root's own, with other credentials (GetSessionToken); a federated
user's, acting for the user or root that asked (GetFederationToken); or a root user's with one task (AssumeRoot).
"""

OPENED_REMEMBERED: Final = 4096
"""Tokens whose opened content is kept, per process: about 6 MB. Opening one costs some ten microseconds."""


class Session(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    What a session is, as sealed. Instants are whole seconds since the epoch.

    - ``role_id``: of a role session, else empty. ``session_name``: of a role session or a federated user, else empty.
    - ``policy``, ``policy_arns`` with ``policy_versions``: the session policies, as they were at issue; a version that was
      deleted meanwhile allows nothing.
    - ``tags``: passed or inherited, without those of the role or user. ``chain``: the ARNs of the callers before this
      session, first to last.
    - ``user_id``: the user that is behind a session of the kinds user and federated (empty: root), or that began the chain
      of a role session; when it is deleted, the session ends. ``key_id``: the access key that a user's or federated session
      was asked for with; when it is not active, the session ends.

    Fields are encoded by position: a new one is added at the end, with a default, and none is ever removed.
    """

    account: str
    role_id: str
    session_name: str
    issued_at: int
    expires_at: int
    provider_arn: str | None = None
    subject: str | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    mfa_at: int | None = None
    chain: tuple[str, ...] = ()
    padding: bytes = b""
    kind: SessionKind = "role"
    user_id: str = ""
    key_id: str = ""
    policy_versions: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return "Session(...)"


class OpenedSession(msgspec.Struct, frozen=True):
    """A session whose token was opened, and the secret access key that belongs to it (as bytes, ready for SigV4)."""

    session: Session
    secret: bytes

    def __repr__(self) -> str:
        return "OpenedSession(...)"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Session)


class Sessions:
    """Issues and opens temporary credentials under a ring of sealing keys."""

    def __init__(self, keys: Iterable[RingKey]) -> None:
        self._ring = KeyRing(keys)
        self._opened: dict[tuple[str, str], OpenedSession] = {}

    def issue(self, session: Session, *, now: float, minimum_token_size: int = 0) -> TemporaryCredentials:
        """Make credentials for a session. The token has at least ``minimum_token_size`` characters."""
        access_key_id = new_access_key_id(TEMPORARY_KEY, session.account)
        sealed = self._seal(session, access_key_id, now)
        missing = minimum_token_size - len(sealed.token)
        if missing > 0:
            # Padding grows by a third in base64, and its own length prefix is inside what is counted already or extra.
            padded = msgspec.structs.replace(session, padding=bytes(missing * 3 // 4 + 3))
            sealed = self._seal(padded, access_key_id, now)
        if len(sealed.token) > MAXIMUM_TOKEN_CHARACTERS:
            message = "The session's policy and tags make a session token that is longer than is accepted."
            raise RequestError(Reason.PACKED_POLICY_TOO_LARGE, message)
        return TemporaryCredentials(access_key_id, Secret(sealed.secret), Secret(sealed.token), session.expires_at)

    def _seal(self, session: Session, access_key_id: str, now: float) -> Sealed:
        return self._ring.seal(_encoder.encode(session), kind=SESSION_BOX, label=access_key_id, now=now)

    def open(self, token: str, *, access_key_id: str, now: float) -> OpenedSession:
        """
        The session behind a token. Raises AuthenticationError when the token is not ours, or not this access key's.

        **It does not look at the expiry:** the caller does, once the signature has shown that the secret is known, so
        that whoever merely found a token learns nothing from it.
        """
        known = self._opened.get((token, access_key_id))
        if known is not None:
            return known
        opened = self._ring.open(token, kind=SESSION_BOX, label=access_key_id, now=now)
        try:
            session = _decoder.decode(opened.content)
        except msgspec.MsgspecError:  # sealed by a newer version, whose fields are not known here
            message = "The security token included in the request is invalid."
            raise AuthenticationError(Reason.SEAL_MALFORMED, message) from None
        result = OpenedSession(session, opened.secret.encode("ascii"))
        if len(self._opened) >= OPENED_REMEMBERED:
            self._opened.pop(next(iter(self._opened)))
        self._opened[token, access_key_id] = result
        return result


def check_not_expired(session: Session, now: float) -> None:
    """Raises AuthenticationError from the instant of expiry on (STS: ExpiredToken)."""
    if now >= session.expires_at:
        raise AuthenticationError(Reason.SESSION_EXPIRED, "The security token included in the request is expired")
