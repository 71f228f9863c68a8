# SPDX-License-Identifier: Apache-2.0
"""
Whose a session is, and whether it has ended before its time.

A session is good for as long as everything it came from is: its role or user, the provider whose proof it was made from, the
access key it was asked for with, the account, and no revocation (DESIGN.md, "Temporary credentials"). All of it is looked up
at every use, in memory, so what ends acts on the next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from daypass.errors import AuthenticationError, Reason
from daypass.principal import AccountPrincipal, FederatedUser, RoleSession, Root
from daypass.principal import User as UserPrincipal
from daypass.sessions import Session
from daypass.store import Role, User, View

UNKNOWN: Final = "The security token included in the request is invalid."
"""What is said of every credential that is not good, whatever the reason (invariant 13)."""


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
    Raises AuthenticationError for a session that has ended before its time:

    1. the access key it was asked for with is not active any more;
    2. the user that began its chain is gone;
    3. its provider is gone, or was registered anew since;
    4. it was revoked, by itself or with others.

    **Its expiry is checked elsewhere** (``sessions.session.check_not_expired``), and its account in ``authenticate``.
    """
    if session.key_id:
        key = view.access_keys.with_key(session.key_id)
        if key is None or key.status != "Active":
            raise ended()
    if session.kind == "role" and session.user_id and view.users.with_key(session.user_id) is None:
        raise ended()
    if session.provider_arn is not None and not _provider_stands(session.provider_arn, session.issued_at, view):
        raise ended()
    if len(view.revocations):
        for key_of in _revocation_keys(session, access_key_id):
            revoked = view.revocations.with_key(key_of)
            if revoked is not None and session.issued_at <= revoked.before:
                raise ended()


def _provider_stands(provider_arn: str, issued_at: int, view: View) -> bool:
    """Whether the provider is registered as it was when the session was made."""
    head, kind, name = provider_arn.partition(":oidc-provider/")
    if not kind:
        return False
    provider = view.oidc_providers.with_name(head.rpartition(":")[2], name)
    return provider is not None and provider.created_at <= issued_at


def _revocation_keys(session: Session, access_key_id: str) -> Iterator[str]:
    """The keys of the revocations that would end the session."""
    account = session.account
    yield f"{account}:account:{account}"
    yield f"{account}:session:{access_key_id}"
    if session.role_id:
        yield f"{account}:role:{session.role_id}"
    if session.user_id:
        yield f"{account}:user:{session.user_id}"
    if session.provider_arn is not None:
        yield f"{account}:provider:{session.provider_arn}"
        if session.subject is not None:
            yield f"{account}:subject:{session.provider_arn} {session.subject}"
