# SPDX-License-Identifier: Apache-2.0
"""
Whose a session is, and whether it has ended before its time.

A session is good for as long as everything it came from is: its role or user, the provider whose proof it was made from, the
access key it was asked for with, the account, and no revocation (DESIGN.md, "Temporary credentials"); and so for every session
before it in its chain. All of it is looked up again, in memory, after anything was written, so what ends acts on the
next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from daypass.access.organization import is_closed
from daypass.credentials import account_of_access_key_id
from daypass.errors import AuthenticationError, Reason
from daypass.principal import AccountPrincipal, FederatedUser, RoleSession, Root
from daypass.principal import User as UserPrincipal
from daypass.sessions import Session
from daypass.store import OidcProvider, Role, SamlProvider, User, View

UNKNOWN: Final = "The security token included in the request is invalid."
"""What is said of every credential that is not good, whatever the reason (invariant 13)."""

_ROLE_ID: Final = "AROA"


class Bearer(msgspec.Struct, frozen=True):
    """Who holds a session, and the role or the user as it is now: of a federated user, the user it acts for."""

    principal: AccountPrincipal
    role: Role | None = None
    user: User | None = None


def ended() -> AuthenticationError:
    """The refusal of a session that has ended, and of whatever never was one."""
    return AuthenticationError(Reason.UNKNOWN_ACCESS_KEY, UNKNOWN)


def bearer_of(session: Session, view: View) -> Bearer:
    """Whose a session is. Raises AuthenticationError when its role or user is gone."""
    if session.kind == "role":
        role = view.roles.with_key(session.role_id)
        if role is None:
            raise ended()
        principal = RoleSession(role.account, role.path, role.name, role.unique_id, session.session_name)
        return Bearer(principal, role=role)
    if session.kind == "root":
        return Bearer(Root(session.account, for_a_task=True))
    user, owner = _user_behind(session, view)
    if session.kind == "user":
        return Bearer(owner, user=user)
    return Bearer(FederatedUser(session.account, session.session_name, owner), user=user)


def _user_behind(session: Session, view: View) -> tuple[User | None, UserPrincipal | Root]:
    if not session.user_id:
        return None, Root(session.account)
    user = view.users.with_key(session.user_id)
    if user is None:
        raise ended()
    return user, UserPrincipal(user.account, user.path, user.name, user.unique_id)


def refuse_ended(session: Session, access_key_id: str, view: View) -> None:
    """
    Raises AuthenticationError for a session that has ended before its time (``why_ended``).

    **Its expiry is checked elsewhere** (``sessions.session.check_not_expired``), and its account in ``authenticate``.
    """
    if why_ended(session, access_key_id, view) is not None:
        raise ended()


def why_ended(session: Session, access_key_id: str, view: View) -> str | None:
    """
    Why a session has ended before its time, in words for the administrator; None when it has not. In this order:

    1. the access key it was asked for with is not active any more;
    2. the user that began its chain, or a role in it, is gone, or the account of one of them is closed;
    3. its provider is gone, or was registered anew since;
    4. it was revoked, by itself or with others.
    """
    if session.key_id:
        key = view.access_keys.with_key(session.key_id)
        if key is None or key.status != "Active":
            return f"the access key {session.key_id}, which it was asked for with, is not active"
    broken = _why_broken(session, view)
    if broken is not None:
        return broken
    for provider_arn, _ in _proofs(session):
        if not _provider_stands(provider_arn, session.issued_at, view):
            return f"its provider was removed, or registered anew since: {provider_arn}"
    if view.revocations:
        for key_of in revocation_keys(session, access_key_id):
            revoked = view.revocations.with_key(key_of)
            if revoked is not None and session.issued_at <= revoked.before:
                return f"it was revoked: {revoked.scope} {revoked.value}"
    return None


def _why_broken(session: Session, view: View) -> str | None:
    """What of the chain before a session is not there any more; None when all of it stands."""
    if session.user_id and session.kind in ("role", "root"):  # of the other kinds the user is the bearer
        user = view.users.with_key(session.user_id)
        if user is None:
            return "the user that began its chain was deleted"
        if is_closed(user.account, view):
            return f"the account of the user that began its chain is closed: {user.account}"
    for role_id in session.parents:
        if role_id.startswith(_ROLE_ID):
            role = view.roles.with_key(role_id)
            if role is None:
                return "a role in its chain was deleted"
            if is_closed(role.account, view):
                return f"the account of a role in its chain is closed: {role.account}"
    return None


def _provider_stands(provider_arn: str, issued_at: int, view: View) -> bool:
    """Whether the provider is registered as it was when the session was made."""
    provider = provider_of_arn(provider_arn, view)
    return provider is not None and provider.created_at <= issued_at


def provider_of_arn(provider_arn: str, view: View) -> OidcProvider | SamlProvider | None:
    """The identity provider with exactly this ARN, of whatever account and kind; None where there is none."""
    fields = provider_arn.split(":", 5)
    if len(fields) < 6:
        return None
    account, (kind, _, name) = fields[4], fields[5].partition("/")
    provider: OidcProvider | SamlProvider | None = None
    if kind == "oidc-provider":
        provider = view.oidc_providers.with_name(account, name)
    elif kind == "saml-provider":
        provider = view.saml_providers.with_name(account, name)
    return provider if provider is not None and provider.arn == provider_arn else None


def revocation_keys(session: Session, access_key_id: str) -> Iterator[str]:
    """The keys of the revocations that would end the session."""
    yield f"account:{session.account}"
    yield f"session:{access_key_id}"
    for parent in session.parents:
        if parent.startswith(_ROLE_ID):
            yield f"role:{parent}"
        else:
            yield f"session:{parent}"
            yield f"account:{account_of_access_key_id(parent)}"
    if session.role_id:
        yield f"role:{session.role_id}"
    if session.user_id:
        yield f"user:{session.user_id}"
    for provider_arn, subject in _proofs(session):
        yield f"provider:{provider_arn}"
        yield f"subject:{provider_arn} {subject}"


def _proofs(session: Session) -> Iterator[tuple[str, str | None]]:
    """The provider and subject of the session's proof, and of that which began its chain."""
    if session.provider_arn is not None:
        yield session.provider_arn, session.subject
    if session.origin_provider is not None:
        yield session.origin_provider, session.origin_subject
