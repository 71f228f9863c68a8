# SPDX-License-Identifier: Apache-2.0
"""
Sessions, sealed into session tokens and opened from them (docs/adr/0003-sealed-session-tokens.md).

The token carries everything, so any node opens it without a lookup. The access key id is authenticated with it, and the
secret access key is derived from both: neither half is of use with another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from daypass.credentials import TEMPORARY_KEY, Secret, TemporaryCredentials, new_access_key_id
from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sealing import MAXIMUM_TOKEN_CHARACTERS, KeyRing, RingKey, Sealed
from daypass.sessions.message import open_message, open_trade_in_token, seal_message, seal_trade_in_token

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
    - ``policy``, ``policy_arns`` with ``policy_ids`` and ``policy_versions``: the session policies, as they were at issue; with
      a version that was deleted meanwhile nothing is allowed.
    - ``tags``: passed or inherited, without those of the role or user. ``chain``: the ARNs of the callers before this
      session, first to last.
    - ``user_id``: the user that is behind a session of the kinds user and federated (empty: root), or that began the chain
      of a role session; when it is deleted, the session ends. ``key_id``: the access key that a user's or federated session
      was asked for with, or the first session of its chain; when it is not active, the session ends.
    - ``parents``: the access key ids of the sessions before it in its chain and the unique ids of their roles, and
      ``origin_provider``, ``origin_subject`` the provider and subject of the first of them: whatever ends those ends this one.

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
    parents: tuple[str, ...] = ()
    origin_provider: str | None = None
    origin_subject: str | None = None
    policy_ids: tuple[str, ...] = ()

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
    """
    Issues and opens temporary credentials under a ring of sealing keys: these, or whichever ``keys()`` says are the ring now
    (``daypass.sessions.ring.StoredRing``), the same object for as long as it is the same.
    """

    def __init__(self, keys: Iterable[RingKey] | Callable[[], KeyRing]) -> None:
        self._current = keys if callable(keys) else None
        self._ring = KeyRing(()) if callable(keys) else KeyRing(keys)
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
        return self._ring_now().seal(_encoder.encode(session), kind=SESSION_BOX, label=access_key_id, now=now)

    def open(self, token: str, *, access_key_id: str, now: float) -> OpenedSession:
        """
        The session behind a token. Raises AuthenticationError when the token is not ours, or not this access key's.

        **It does not look at the expiry:** the caller does, once the signature has shown that the secret is known, so
        that whoever merely found a token learns nothing from it.
        """
        ring = self._ring_now()
        known = self._opened.get((token, access_key_id))
        if known is not None:
            return known
        opened = ring.open(token, kind=SESSION_BOX, label=access_key_id, now=now)
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

    def seal_message(self, packed: bytes, *, account: str, now: float) -> str | None:
        """An encoded authorization message, of a packed document, for an account; None when it is too long for one."""
        return seal_message(self._ring_now(), packed, account, now)

    def open_message(self, message: str, *, account: str, now: float) -> str:
        """The document of an encoded authorization message, as JSON text. Raises RequestError."""
        return open_message(self._ring_now(), message, account, now)

    def seal_trade_in_token(self, request_id: str, *, account: str, now: float) -> str:
        """A trade-in token for a delegation request, for the account that asked for it."""
        return seal_trade_in_token(self._ring_now(), request_id, account, now)

    def open_trade_in_token(self, token: str, *, account: str, now: float) -> str:
        """The id of the delegation request that a trade-in token is for. Raises RequestError."""
        return open_trade_in_token(self._ring_now(), token, account, now)

    def _ring_now(self) -> KeyRing:
        """The ring. When it is another than before, nothing counts that was opened: the key of it may have gone."""
        if self._current is not None:
            ring = self._current()
            if ring is not self._ring:
                self._ring = ring
                self._opened.clear()
        return self._ring


def check_not_expired(session: Session, now: float) -> None:
    """Raises AuthenticationError from the instant of expiry on (STS: ExpiredToken)."""
    if now >= session.expires_at:
        raise AuthenticationError(Reason.SESSION_EXPIRED, "The security token included in the request is expired")
