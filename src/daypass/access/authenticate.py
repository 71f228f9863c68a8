# SPDX-License-Identifier: Apache-2.0
"""
Who is calling: Signature Version 4 over the keys and sessions that are known (IAM User Guide, "Signature Version 4").

The same work is done, and the same words are said, for an access key that does not exist, one that is not active, and a
session token that is not ours; only a caller who knows the secret learns that a session has expired.
"""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from daypass import sigv4
from daypass.access.bearer import bearer_of, ended, refuse_ended
from daypass.access.organization import is_closed
from daypass.credentials import LONG_TERM_KEY, TEMPORARY_KEY, access_key_label
from daypass.errors import AuthenticationError, Reason
from daypass.principal import AccountPrincipal, Root
from daypass.principal import User as UserPrincipal
from daypass.sealing import MasterKey
from daypass.sessions import OpenedSession, Session, Sessions
from daypass.sessions.session import check_not_expired
from daypass.store import AccessKey, Role, User, View

SECRETS_REMEMBERED: Final = 1024
"""Unwrapped long-term secrets kept, per process; unwrapping one costs a few microseconds."""


class Caller(msgspec.Struct, frozen=True):
    """
    Whoever signed the request, and what their credentials are.

    ``session`` is there for temporary credentials, and ``role`` for those of a role: the one that lives now, found by its
    unique id. ``user`` is the user as it is now: whose key it is, whose session it is, or who a federated user acts for.
    ``region`` is the one of the credential scope. ``mfa_at`` is the instant at which this very request showed a second
    factor, if it did.
    """

    principal: AccountPrincipal
    access_key_id: str
    region: str
    session: Session | None = None
    role: Role | None = None
    user: User | None = None
    mfa_at: int | None = None


class Authenticator:
    """Finds the secret that a request claims to be signed with, verifies the signature, and says who that is."""

    def __init__(self, master: MasterKey, sessions: Sessions) -> None:
        self._master = master
        self._sessions = sessions
        self._secrets: dict[tuple[str, bytes], bytes] = {}
        self._signing_keys = sigv4.SigningKeyCache()
        self._nobodys_secret = secrets.token_urlsafe(30).encode("ascii")

    def authenticate(
        self, request: sigv4.RawRequest, *, payload_hash: str, service: str, view: View, now: float
    ) -> Caller:
        """
        The caller behind a signed request. In this order:

        1. there is exactly one credential (``sigv4.read_authorization`` refuses two);
        2. its access key is known: a long-term key that is active, or a session token of ours made for this key id;
        3. the signature agrees, in time and scope; for an unknown key the same work is done over nobody's secret;
        4. the session has not expired or ended (``access.bearer``), the key's user still exists, and the account is open.

        ``payload_hash`` is the SHA-256 of the body as received, ``service`` the service whose door this is.
        Raises AuthenticationError. **It does not decide whether the caller may:** that is ``authorize``.
        """
        authorization = sigv4.read_authorization(request)
        if authorization is None:
            raise AuthenticationError(Reason.UNSIGNED_REQUEST, "Request is missing Authentication Token")
        key = self._known_key(authorization, view, now)
        secret = self._nobodys_secret if key is None else self._secret_of(key)
        try:
            sigv4.verify_signature(
                request,
                authorization,
                secret=self._signing_keys.of(secret),
                payload_hash=payload_hash,
                services=frozenset((service,)),
                now=now,
            )
        except AuthenticationError as error:
            if key is None and error.reason is Reason.SIGNATURE_DOES_NOT_MATCH:
                raise ended() from None
            raise
        if key is None:  # a signature over nobody's secret cannot agree, but nothing may rest on that
            raise ended()
        return _caller(key, authorization, view, now)

    def _known_key(
        self, authorization: sigv4.UnverifiedAuthorization, view: View, now: float
    ) -> AccessKey | OpenedSession | None:
        """A session for a temporary key, an active key for a long-term one without a session token; else nothing."""
        access_key_id, token = authorization.access_key_id, authorization.session_token
        if token is not None:
            if not access_key_id.startswith(TEMPORARY_KEY):
                return None
            try:
                return self._sessions.open(token, access_key_id=access_key_id, now=now)
            except AuthenticationError:
                return None
        key = view.access_keys.with_key(access_key_id) if access_key_id.startswith(LONG_TERM_KEY) else None
        return key if key is not None and key.status == "Active" else None

    def _secret_of(self, key: AccessKey | OpenedSession) -> bytes:
        if isinstance(key, OpenedSession):
            return key.secret
        name = (key.access_key_id, key.wrapped_secret)
        secret = self._secrets.get(name)
        if secret is None:
            secret = self._master.unwrap(key.wrapped_secret, access_key_label(key.access_key_id))
            if len(self._secrets) >= SECRETS_REMEMBERED:
                self._secrets.pop(next(iter(self._secrets)))
            self._secrets[name] = secret
        return secret


def as_it_stands(caller: Caller, view: View) -> Caller:
    """
    The same caller by a later view: after a wait, who it is and what it may are what they are then. Raises AuthenticationError
    when it is not good any more.
    """
    session = caller.session
    if session is None:
        key = view.access_keys.with_key(caller.access_key_id)
        if key is None or key.status != "Active":
            raise ended()
        now = _owner(key, caller.region, view)
    else:
        now = _holder(session, caller.access_key_id, caller.region, view)
    return msgspec.structs.replace(_of_open_account(now, view), mfa_at=caller.mfa_at)


def _caller(
    key: AccessKey | OpenedSession, authorization: sigv4.UnverifiedAuthorization, view: View, now: float
) -> Caller:
    access_key_id, region = authorization.access_key_id, authorization.region
    if isinstance(key, AccessKey):
        caller = _owner(key, region, view)
    else:
        session = key.session
        check_not_expired(session, now)
        caller = _holder(session, access_key_id, region, view)
    return _of_open_account(caller, view)


def _of_open_account(caller: Caller, view: View) -> Caller:
    if is_closed(caller.principal.account, view):
        raise ended()
    return caller


def _holder(session: Session, access_key_id: str, region: str, view: View) -> Caller:
    """Who holds a session that has not ended."""
    bearer = bearer_of(session, view)
    refuse_ended(session, access_key_id, view)
    return Caller(bearer.principal, access_key_id, region, session, bearer.role, bearer.user)


def _owner(key: AccessKey, region: str, view: View) -> Caller:
    """The user whose key it is, or the account's root user."""
    if key.user_id is None:
        return Caller(Root(key.account), key.access_key_id, region)
    user = view.users.with_key(key.user_id)
    if user is None:
        raise ended()
    principal = UserPrincipal(user.account, user.path, user.name, user.unique_id)
    return Caller(principal, key.access_key_id, region, user=user)
