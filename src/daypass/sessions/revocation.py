# SPDX-License-Identifier: Apache-2.0
"""
Ending sessions before their time: a record that names them, which ``daypass.access.bearer`` holds against each at every use.

    of one access key id, of a user or role, of a provider or one of its subjects, of an account -- revoke --> Revocation

A record ends what was issued at or before an instant, so those who come back get a new session, unless what let them in is
changed first. It is removed when the last session that it names has ended by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from daypass.sealing import ACCEPTED_AFTER_RETIREMENT_SECONDS
from daypass.store import Revocation, RevocationScope, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction

LONGEST_SESSION_SECONDS: Final = ACCEPTED_AFTER_RETIREMENT_SECONDS
"""No session lasts longer: 36 hours, for GetSessionToken and GetFederationToken."""


class Selection(msgspec.Struct, frozen=True):
    """Which sessions: the scope and value of a ``Revocation``, and the account that it is kept under."""

    account: str
    scope: RevocationScope
    value: str

    @property
    def key(self) -> str:
        """``Revocation.key`` of a revocation of these sessions."""
        return f"{self.scope}:{self.value}"


def with_access_key(account: str, access_key_id: str) -> Selection:
    """One session, and those that were made from it by role chaining."""
    return Selection(account, "session", access_key_id)


def of_user(account: str, user_id: str) -> Selection:
    """A user's own, those of federated users that act for it, and the role sessions that it assumed."""
    return Selection(account, "user", user_id)


def of_role(account: str, role_id: str) -> Selection:
    """Every session of a role."""
    return Selection(account, "role", role_id)


def of_provider(account: str, provider_arn: str, subject: str | None = None) -> Selection:
    """Every session that began with a proof of this provider, or of this subject of it."""
    if subject is None:
        return Selection(account, "provider", provider_arn)
    return Selection(account, "subject", f"{provider_arn} {subject}")


def of_account(account: str) -> Selection:
    """Every session of an account: of its roles, users, federated users and root user."""
    return Selection(account, "account", account)


class Ended(msgspec.Struct, frozen=True):
    """What was written, and how many revocations that named nobody any more were removed."""

    revocation: Revocation
    removed: int


async def revoke(store: Store, selection: Selection, *, before: int, now: float) -> Ended:
    """
    End the sessions that were issued at or before the instant ``before``, from the next request on, on every node.

    ``before`` is a whole second: a session of the same second ends too, whichever came first. An earlier revocation of the
    same sessions is extended, never taken back. Raises UnavailableError, and EntityError for an account that is not there.
    """
    wanted = Revocation(
        selection.account, selection.scope, selection.value, before, int(now), before + LONGEST_SESSION_SECONDS
    )
    async with store.transaction() as transaction:
        removed = await _remove_expired(transaction, now)
        known = transaction.view.revocations.with_key(wanted.key)
        if known is not None and known.before >= before:
            return Ended(known, removed)
        await transaction.put(wanted)
        return Ended(wanted, removed)


def expired(view: View, now: float) -> list[Revocation]:
    """The revocations whose sessions have all ended by themselves."""
    return [revocation for revocation in view.revocations.all() if revocation.until <= now]


async def _remove_expired(transaction: Transaction, now: float) -> int:
    gone = expired(transaction.view, now)
    for revocation in gone:
        await transaction.delete(revocation)
    return len(gone)
