# SPDX-License-Identifier: Apache-2.0
"""
What a state file can manage: of each aspect, what is there, whether it is as wanted, and how it is written.

Everything is written by the functions that ``daypass resources`` and S3's API write by, with their checks. Another kind of
content is another aspect, a section of the file, and the lines that lead from one to the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import asdict

from daypass.arn import is_account_id
from daypass.errors import DaypassError, EntityError, PolicyError, Reason
from daypass.policy import json_text
from daypass.resources import (
    OWNER,
    POLICY,
    PUBLIC_ACCESS,
    bucket_name,
    check_policy,
    recorded_owner,
    shown_policy,
    write_account_public_access,
    write_bucket_public_access,
    write_owner,
    write_policy,
)
from daypass.statefile.desired import Wanted, WantedPolicy
from daypass.store import PublicAccess, ResourcePolicy, View

if TYPE_CHECKING:
    from daypass.store import Transaction

Json = Any
"""A value as JSON shows it; None where there is nothing."""


class Aspect(Protocol):
    """One aspect. ``stays``: whether what leaves the file stays as it is, and is managed no longer; else it is removed."""

    stays: bool

    def found(self, target: str, view: View) -> Json:
        """What is there."""

    def shown(self, value: Any) -> Json:
        """What is wanted, in the same form."""

    def holds(self, wanted: Wanted, view: View) -> bool:
        """Whether what is there is what is wanted."""

    async def write(self, transaction: Transaction, wanted: Wanted, now: float) -> None:
        """Make it so. Raises DaypassError as the functions of ``daypass.resources`` do."""

    async def leave(self, transaction: Transaction, target: str) -> None:
        """It has left the file."""


class _Owner:
    """Whose a bucket is. Stays: a bucket has an owner, in a file or not."""

    stays = True

    def found(self, target: str, view: View) -> Json:
        return recorded_owner(target, view)

    def shown(self, value: str) -> Json:
        return value

    def holds(self, wanted: Wanted, view: View) -> bool:
        return bool(self.found(wanted.target, view) == wanted.value)

    async def write(self, transaction: Transaction, wanted: Wanted, now: float) -> None:
        await write_owner(transaction, wanted.target, wanted.value, now=now)

    async def leave(self, transaction: Transaction, target: str) -> None:
        """It stays."""


class _PublicAccess:
    """A public access block. Stays: it only ever takes away, and nothing may become public because a line is gone."""

    stays = True

    def found(self, target: str, view: View) -> Json:
        return self.shown(_block(target, view))

    def shown(self, value: PublicAccess | None) -> Json:
        return None if value is None else asdict(value)

    def holds(self, wanted: Wanted, view: View) -> bool:
        return bool(_block(wanted.target, view) == wanted.value)

    async def write(self, transaction: Transaction, wanted: Wanted, now: float) -> None:
        target = wanted.target
        if is_account_id(target):
            await write_account_public_access(transaction, target, wanted.value)
        else:
            owner = _owner(target, None, transaction.view)
            name = bucket_name(target) or ""
            await write_bucket_public_access(transaction, name, wanted.value, owner=owner, now=now)

    async def leave(self, transaction: Transaction, target: str) -> None:
        """It stays."""


class _Policy:
    """The policy of a resource. Removed: what it grants must end when it is no longer in the file."""

    stays = False

    def found(self, target: str, view: View) -> Json:
        known = view.resource_policies.with_key(target)
        return None if known is None else _read(shown_policy(known, view))

    def shown(self, value: WantedPolicy) -> Json:
        return _read(value.document)

    def holds(self, wanted: Wanted, view: View) -> bool:
        """By what the documents say, whatever their form, and by the unique ids of the users and roles in them."""
        known, value = view.resource_policies.with_key(wanted.target), wanted.value
        if known is None or value.owner not in (None, known.account):
            return False
        meant = _canonical(self.shown(value))
        if meant == _canonical(self.found(wanted.target, view)):  # with the names that those in it have now
            return True
        return meant == _canonical(_read(known.document)) and _means_the_same(known, value.document, view)

    async def write(self, transaction: Transaction, wanted: Wanted, now: float) -> None:
        owner = _owner(wanted.target, wanted.value.owner, transaction.view)
        await write_policy(transaction, wanted.target, wanted.value.document, owner=owner, now=now)

    async def leave(self, transaction: Transaction, target: str) -> None:
        known = transaction.view.resource_policies.with_key(target)
        if known is not None:
            await transaction.delete(known)


ASPECTS: Final[Mapping[str, Aspect]] = {OWNER: _Owner(), PUBLIC_ACCESS: _PublicAccess(), POLICY: _Policy()}
"""By name."""


def _block(target: str, view: View) -> PublicAccess | None:
    if is_account_id(target):
        of_account = view.account_public_access.with_key(target)
        return None if of_account is None else of_account.public_access
    bucket = view.buckets.with_key(bucket_name(target) or "")
    return None if bucket is None else bucket.public_access


def _owner(target: str, named: str | None, view: View) -> str:
    """Whose a resource is. Raises EntityError where nobody knows, or the file names another than is recorded."""
    owner = recorded_owner(target, view) or named
    if owner is None:
        raise EntityError(Reason.INVALID_INPUT, "Nobody is recorded as its owner; name the account with owner.")
    if named not in (None, owner):
        message = f"It belongs to {owner}, and its policy with it; take the policy out of the file once."
        raise EntityError(Reason.INVALID_INPUT, message)
    return owner


def _means_the_same(known: ResourcePolicy, document: str, view: View) -> bool:
    """Whether the users and roles in a document that reads like the stored one are those that were stored."""
    try:
        return check_policy(known.arn, document, view).principals == known.principals
    except DaypassError:  # it is refused when it is written
        return False


def _read(document: str) -> Json:
    """What a document says; one that cannot be read, which is refused when it is written, is its text."""
    try:
        return json_text.read(document)
    except PolicyError:
        return document


def _canonical(value: Json) -> str:
    return json.dumps(value, sort_keys=True)
