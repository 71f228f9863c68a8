# SPDX-License-Identifier: Apache-2.0
"""
Who is calling: Signature Version 4 over the keys and sessions that are known (IAM User Guide, "Signature Version 4").

The same work is done, and the same words are said, for an access key that does not exist, one that is not active, and a
session token that is not ours; only a caller who knows the secret learns that a session has expired.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence, Set
from typing import Final, NotRequired, TypedDict

import msgspec

from daypass import sigv4
from daypass.access.bearer import bearer_of, ended, refuse_ended
from daypass.access.organization import is_closed
from daypass.access.remembered import remember
from daypass.credentials import LONG_TERM_KEY, TEMPORARY_KEY, access_key_label
from daypass.errors import AuthenticationError, Reason
from daypass.principal import AccountPrincipal, Root
from daypass.principal import User as UserPrincipal
from daypass.sealing import MasterKey
from daypass.sessions import OpenedSession, Session, Sessions
from daypass.sessions.session import check_not_expired
from daypass.sigv4.canonical import Parameter
from daypass.store import AccessKey, Role, User, View

SECRETS_REMEMBERED: Final = 1024
"""Unwrapped long-term secrets kept, per process; unwrapping one costs a few microseconds."""


_Unverified = sigv4.UnverifiedAuthorization | sigv4.UnverifiedString | sigv4.UnverifiedPostForm
"""What names an access key and was signed with it, perhaps."""


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


class AuthenticatedHead(msgspec.Struct, frozen=True):
    """
    A caller whose request verified up to its body, which has not been read. **Whoever has this owes the body** (``body``).
    """

    caller: Caller
    authorization: sigv4.UnverifiedAuthorization
    verified: sigv4.VerifiedSignature
    key: sigv4.SigningKeyProvider

    def body(self) -> sigv4.Body:
        """What reads the body, and refuses it where it is not what was signed. Raises what ``sigv4.open_body`` raises."""
        return sigv4.open_body(self.authorization, self.verified, secret=self.key)

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The query, in the order of the wire."""
        return self.authorization.parameters

    def __repr__(self) -> str:
        return f"AuthenticatedHead({self.caller.principal.arn!r})"


class AuthenticatedForm(msgspec.Struct, frozen=True):
    """
    A caller who signed the policy of an upload by a form, which allows the form's fields. **Whoever has this owes the length of
    the file** (``verified.length_range``).
    """

    caller: Caller
    verified: sigv4.VerifiedPostForm

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The query: a form has none."""
        return ()

    def __repr__(self) -> str:
        return f"AuthenticatedForm({self.caller.principal.arn!r})"


class _Expected(TypedDict):
    """What ``sigv4.verify_signature`` is told besides the secret."""

    payload_hash: str | None
    services: Set[str]
    now: float
    regions: NotRequired[Set[str]]
    path_style: NotRequired[sigv4.PathStyle]
    accepted_payloads: NotRequired[Set[str]]


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
        expected: _Expected = {"payload_hash": payload_hash, "services": frozenset((service,)), "now": now}
        return self._authenticated(request, expected, view).caller

    def authenticate_head(
        self,
        request: sigv4.RawRequest,
        *,
        service: str,
        region: str,
        path_style: sigv4.PathStyle,
        accepted_payloads: Set[str],
        view: View,
        now: float,
        payload_hash: str | None = None,
    ) -> AuthenticatedHead:
        """
        The caller behind a request whose body has not been read yet: the same four steps, for a service behind us, signed for
        its ``region``. What the signature says of the body is taken as said; or compared with ``payload_hash``, the SHA-256 of
        the body, where that is known already. **The caller of this owes the body:** ``AuthenticatedHead.body``, to its end,
        before anything that it asks for is complete.
        """
        expected: _Expected = {
            "payload_hash": payload_hash,
            "services": frozenset((service,)),
            "regions": frozenset((region,)),
            "now": now,
            "path_style": path_style,
            "accepted_payloads": accepted_payloads,
        }
        return self._authenticated(request, expected, view)

    def authenticate_form(
        self, form: sigv4.UnverifiedPostForm, *, bucket: str, service: str, region: str, view: View, now: float
    ) -> AuthenticatedForm:
        """
        The caller who signed the policy of a form that is to put an object into ``bucket``: the same four steps. Raises
        AuthenticationError, after the same work for a key that is not known.

        **The caller of this owes the length of the file, and that no other credential came with the form.**
        """
        key = self._known_key(form, view, now)
        signing_key = self._signing_keys.of(self._nobodys_secret if key is None else self._secret_of(key))
        services, regions = frozenset((service,)), frozenset((region,))
        try:
            verified = sigv4.verify_post_form(
                form, secret=signing_key, bucket=bucket, services=services, regions=regions, now=now
            )
        except AuthenticationError as error:
            if key is None and error.reason is Reason.SIGNATURE_DOES_NOT_MATCH:
                raise ended() from None
            raise
        if key is None:
            raise ended()
        return AuthenticatedForm(_caller(key, form, view, now), verified)

    def authenticate_string(
        self, unverified: sigv4.UnverifiedString, *, service: str, region: str, view: View, now: float
    ) -> Caller:
        """
        The caller who signed a string to sign that somebody else computed from a request. Long-term keys only: the session
        token of temporary ones does not come with it. Raises AuthenticationError, after the same work for an unknown key.

        **That the string is of the request at hand is for whoever computed it**, and what the caller may for ``authorize``.
        """
        key = self._known_key(unverified, view, now)
        signing_key = self._signing_keys.of(self._nobodys_secret if key is None else self._secret_of(key))
        try:
            sigv4.verify_string_to_sign(
                unverified, secret=signing_key, services=frozenset((service,)), regions=frozenset((region,)), now=now
            )
        except AuthenticationError as error:
            if key is None and error.reason is Reason.SIGNATURE_DOES_NOT_MATCH:
                raise ended() from None
            raise
        if key is None:
            raise ended()
        return _caller(key, unverified, view, now)

    def _authenticated(self, request: sigv4.RawRequest, expected: _Expected, view: View) -> AuthenticatedHead:
        now = expected["now"]
        authorization = sigv4.read_authorization(request)
        if authorization is None:
            raise AuthenticationError(Reason.UNSIGNED_REQUEST, "Request is missing Authentication Token")
        key = self._known_key(authorization, view, now)
        signing_key = self._signing_keys.of(self._nobodys_secret if key is None else self._secret_of(key))
        try:
            verified = sigv4.verify_signature(request, authorization, secret=signing_key, **expected)
        except AuthenticationError as error:
            if key is None and error.reason is Reason.SIGNATURE_DOES_NOT_MATCH:
                raise ended() from None
            raise
        if key is None:  # a signature over nobody's secret cannot agree, but nothing may rest on that
            raise ended()
        return AuthenticatedHead(_caller(key, authorization, view, now), authorization, verified, signing_key)

    def _known_key(self, authorization: _Unverified, view: View, now: float) -> AccessKey | OpenedSession | None:
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
        now = _who(key, caller.access_key_id, caller.region, view)
    else:
        now = _who(session, caller.access_key_id, caller.region, view)
    return msgspec.structs.replace(now, mfa_at=caller.mfa_at)


def known_again(access_key_id: str, region: str, session: Session | None, view: View, now: float) -> Caller:
    """
    The caller of a request that verified a while ago, as they stand now. Raises AuthenticationError when they are not good.

    **That it verified is for whoever calls this to know:** from a sealed handle (``gateway.verified_callers``), not a name.
    """
    if session is None:
        key = view.access_keys.with_key(access_key_id)
        if key is None or key.status != "Active":
            raise ended()
        return _who(key, access_key_id, region, view)
    check_not_expired(session, now)
    return _who(session, access_key_id, region, view)


def _caller(
    key: AccessKey | OpenedSession,
    authorization: _Unverified,
    view: View,
    now: float,
) -> Caller:
    access_key_id, region = authorization.access_key_id, authorization.region
    if isinstance(key, AccessKey):
        return _who(key, access_key_id, region, view)
    check_not_expired(key.session, now)
    return _who(key.session, access_key_id, region, view)


def _who(credential: AccessKey | Session, access_key_id: str, region: str, view: View) -> Caller:
    """
    Whose a key or a session is that is good by this view; found out once for each view. Raises AuthenticationError.

    **It looks neither at the expiry** of a session, which no view tells, **nor at the status of a key.**
    """
    name = access_key_id, region
    known: tuple[AccessKey | Session, Caller] | None = view.caller_memory.get(name)
    if known is not None and known[0] is credential:
        return known[1]
    if isinstance(credential, AccessKey):
        caller = _owner(credential, region, view)
    else:
        caller = _holder(credential, access_key_id, region, view)
    if is_closed(caller.principal.account, view):
        raise ended()
    remember(view, name, (credential, caller))
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
