# SPDX-License-Identifier: Apache-2.0
"""
The keys of an account's issuer, from their making to the day when nobody needs them any more.

    created_at        active_from            retire_at                retire_at + KEPT_AFTER
        |--- published ---|------ signs, published ------|------ published ------|   then deleted

A key is published before it signs, for whoever verifies keeps a key set for hours; and after it has signed for the last time,
until the last token has expired. There is one that signs for each algorithm at any instant, and one to come at most.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from daypass.errors import ConfigurationError, EntityError, Reason
from daypass.issuer.signing import ALGORITHMS, Algorithm, new_key
from daypass.sealing import MasterKey
from daypass.store import IssuerKey, Store, View

if TYPE_CHECKING:
    from daypass.store import Transaction

PUBLISHED_BEFORE: Final = 24 * 3600
"""Seconds that a new key is published before it signs. Those who verify keep key sets for a day at most, as we do."""

LONGEST_TOKEN: Final = 3600
"""Seconds (STS API, GetWebIdentityToken: DurationSeconds)."""

KEPT_AFTER: Final = LONGEST_TOKEN + 300
"""Seconds that a key is published after it has signed for the last time: the longest token, and clocks that differ."""


def is_enabled(view: View, account: str) -> bool:
    """Whether outbound web identity federation is enabled in an account."""
    settings = view.account_settings.with_key(account)
    return settings is not None and settings.web_identity_enabled_at is not None


def make_keys(
    master: MasterKey, account: str, algorithms: Iterable[Algorithm] = ALGORITHMS, *, now: int, active_from: int
) -> tuple[IssuerKey, ...]:
    """New keys, wrapped. Takes some tens of milliseconds: not on an event loop."""
    return tuple([_make_key(master, account, algorithm, now, active_from) for algorithm in algorithms])


def _make_key(master: MasterKey, account: str, algorithm: Algorithm, now: int, active_from: int) -> IssuerKey:
    key_id = f"{'RSA' if algorithm == 'RS256' else 'EC384'}_{secrets.token_hex(8)}"
    made = new_key(algorithm, key_id)
    wrapped = master.wrap(made.private, _label(account, key_id))
    return IssuerKey(account, key_id, algorithm, wrapped, made.public_jwk, now, active_from)


def private_key(master: MasterKey, key: IssuerKey) -> bytes:
    """The private key of a record. Raises ConfigurationError when this is not the master key it was wrapped with."""
    return master.unwrap(key.wrapped, _label(key.account, key.unique_id))


def _label(account: str, key_id: str) -> bytes:
    return f"daypass issuer key v1 {account} {key_id}".encode()


def published_keys(view: View, account: str, now: float) -> tuple[IssuerKey, ...]:
    """The keys whose tokens may be verified now, or soon, oldest first. None for an account that has no issuer."""
    return tuple([key for key in view.issuer_keys.of(account) if is_published(key, now)])


def is_published(key: IssuerKey, now: float) -> bool:
    """Whether tokens of this key may still be good."""
    return key.retire_at is None or now < key.retire_at + KEPT_AFTER


def signing_key(view: View, account: str, algorithm: Algorithm, now: float) -> IssuerKey:
    """The key that signs now: of those that may, the newest. Raises ConfigurationError when there is none."""
    signing = [key for key in view.issuer_keys.of(account) if key.algorithm == algorithm and _signs(key, now)]
    if not signing:
        raise ConfigurationError(Reason.ISSUER_KEY_MISSING, f"no key of account {account} signs {algorithm}")
    return max(signing, key=lambda key: key.active_from)


def _signs(key: IssuerKey, now: float) -> bool:
    return key.active_from <= now and (key.retire_at is None or now < key.retire_at)


async def rotate_issuer_keys(
    store: Store, master: MasterKey, account: str, *, now: int, withdraw: bool = False
) -> tuple[IssuerKey, ...]:
    """
    New keys for an account's issuer; the new ones are returned.

    They are published at once and sign from PUBLISHED_BEFORE seconds later, when the old ones stop. An algorithm for which
    such a key waits already gets none. With ``withdraw``, for keys that others may know: the new ones sign at once, the old
    ones are gone, and so are all tokens they signed; where the issuer is disabled, they are just gone.

    Raises EntityError (FEATURE_DISABLED) where there is nothing to rotate.
    """
    before = store.view()
    enabled = is_enabled(before, account)
    if not enabled and not withdraw:
        raise EntityError(Reason.FEATURE_DISABLED, f"Outbound web identity federation is disabled for {account}.")
    due = [name for name in ALGORITHMS if enabled and (withdraw or not _to_come(before, account, name, now))]
    active_from = now if withdraw else now + PUBLISHED_BEFORE
    made = await asyncio.to_thread(make_keys, master, account, due, now=now, active_from=active_from)
    async with store.transaction() as transaction:
        if is_enabled(transaction.view, account) is not enabled:
            raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, "The issuer was changed meanwhile; try again.")
        if not withdraw:
            made = tuple([key for key in made if not _to_come(transaction.view, account, key.algorithm, now)])
        replaced = {key.algorithm for key in made}
        for old in list(transaction.view.issuer_keys.of(account)):
            if withdraw or not is_published(old, now):
                await transaction.delete(old)
            elif old.algorithm in replaced and (old.retire_at is None or old.retire_at > active_from):
                await transaction.put(msgspec.structs.replace(old, retire_at=active_from))
        for key in made:
            await transaction.put(key)
    return made


def _to_come(view: View, account: str, algorithm: str, now: int) -> bool:
    return any(key.algorithm == algorithm and key.active_from > now for key in view.issuer_keys.of(account))


async def take_up(transaction: Transaction, account: str, made: Iterable[IssuerKey], now: int) -> None:
    """
    Keys for an issuer that begins to sign: for each algorithm the key made for it, or the one that signed last, if it is still
    published. Whoever verifies knows that one; and to switch an issuer off and on makes no keys.
    """
    for key in made:
        known = [old for old in published_keys(transaction.view, account, now) if old.algorithm == key.algorithm]
        last = max(known, key=lambda old: old.active_from, default=None)
        await transaction.put(key if last is None else msgspec.structs.replace(last, retire_at=None))


async def retire_all(transaction: Transaction, account: str, now: int) -> None:
    """Nothing is signed any more: keys that have signed stay published for their tokens, others go."""
    for key in list(transaction.view.issuer_keys.of(account)):
        if key.active_from > now or not is_published(key, now):
            await transaction.delete(key)
        elif key.retire_at is None or key.retire_at > now:
            await transaction.put(msgspec.structs.replace(key, retire_at=now))
