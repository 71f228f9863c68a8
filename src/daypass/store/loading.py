# SPDX-License-Identifier: Apache-2.0
"""
From rows to records, and from the change log to the next view.

Plain SQL over an open cursor: this is what runs at start and after every change, and SQLAlchemy's import alone would
take longer than reading a small store. The statements are constants; keys are only ever bound. The caller holds a read
transaction, so that the log and the rows belong together. How a list is written in a column is here too
(``encode_list``), for ``daypass.store.transaction`` to write what this module reads.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from daypass.store.records import AccessKey, Account, OidcProvider, Role, SealingKey
from daypass.store.view import Changes, View

Row = Sequence[Any]

ACCOUNT: Final = "account"
ACCESS_KEY: Final = "access_key"
ROLE: Final = "role"
OIDC_PROVIDER: Final = "oidc_provider"
SEALING_KEY: Final = "sealing_key"

_ACCOUNTS = "SELECT account_id, created_at FROM account"
_ACCESS_KEYS = "SELECT access_key_id, account, user_id, wrapped_secret, status, created_at FROM access_key"
_ROLES = (
    "SELECT account, path, name, unique_id, description, max_session_duration, trust_policy, trust_principals,"
    " created_at FROM role"
)
_ROLE_TAGS = "SELECT role_id, key, value FROM role_tag"
_ROLE_POLICIES = "SELECT role_id, name, document FROM role_inline_policy"
_PROVIDERS = "SELECT account, url, client_ids, thumbprints, created_at, name FROM oidc_provider"
_PROVIDER_TAGS = "SELECT account, provider, key, value FROM oidc_provider_tag"
_SEALING_KEYS = "SELECT key_id, wrapped, created_at, active_from, retire_at FROM sealing_key"

_LOG_BOUNDS = "SELECT (SELECT min(revision) FROM change), (SELECT max(revision) FROM change)"
_LOG_AFTER = "SELECT DISTINCT kind, key FROM change WHERE revision > ?"

Pairs = tuple[tuple[str, str], ...]


def encode_list(items: Iterable[object]) -> str:
    """A list of strings, or of pairs of strings, as it stands in a column."""
    return json.dumps(list(items), separators=(",", ":"))


def strings(text: str) -> tuple[str, ...]:
    """A list of strings from its column."""
    return () if text == "[]" else tuple(json.loads(text))


def pairs(text: str) -> Pairs:
    """A list of pairs of strings from its column."""
    return () if text == "[]" else tuple((first, second) for first, second in json.loads(text))


def role_of(row: Row, tags: Iterable[tuple[str, str]], policies: Iterable[tuple[str, str]]) -> Role:
    """A role from its row (the columns in the order of the record) and its parts, in order."""
    account, path, name, unique_id, description, duration, trust_policy, principals, created_at = row
    trusted = pairs(principals)
    start = account, path, name, unique_id, description, duration, trust_policy, trusted, created_at
    return Role(*start, tuple(tags), tuple(policies))


def oidc_provider_of(row: Row, tags: Iterable[tuple[str, str]]) -> OidcProvider:
    """An OIDC provider from its row (account, url, client ids, thumbprints, created at) and its tags, in order."""
    account, url, client_ids, thumbprints, created_at = row
    return OidcProvider(account, url, strings(client_ids), strings(thumbprints), tuple(tags), created_at)


def load(cursor: sqlite3.Cursor) -> View:
    """Everything, from nothing.

    The garbage collector rests meanwhile: all of this stays, and looking through it again and again as it grows would
    take as long as reading it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(cursor)
    finally:
        if collecting:
            gc.enable()


def _load(cursor: sqlite3.Cursor) -> View:
    _, newest = cursor.execute(_LOG_BOUNDS).fetchone()
    changes = Changes()
    changes.accounts.update((row[0], Account(*row)) for row in cursor.execute(_ACCOUNTS))
    changes.access_keys.update((row[0], AccessKey(*row)) for row in cursor.execute(_ACCESS_KEYS))
    changes.sealing_keys.update((row[0], SealingKey(*row)) for row in cursor.execute(_SEALING_KEYS))
    _load_roles(cursor, changes.roles)
    _load_oidc_providers(cursor, changes.oidc_providers)
    return View().changed(newest or 0, changes)


def catch_up(cursor: sqlite3.Cursor, view: View) -> View:
    """The view after what the change log has beyond it; the same object when there is nothing.

    Everything is read again when the log cannot tell: it was trimmed past this view, or ends before it (another file
    was put in the place of this one).
    """
    oldest, newest = cursor.execute(_LOG_BOUNDS).fetchone()
    if (newest or 0) == view.revision:
        return view
    if newest is None or newest < view.revision or oldest > view.revision + 1:
        return load(cursor)
    changes = Changes()
    for kind, key in cursor.execute(_LOG_AFTER, (view.revision,)).fetchall():
        _read_entity(cursor, kind, key, changes)
    return view.changed(newest, changes)


def provider_key(account: str, name: str) -> str:
    """How the change log names an OIDC provider. An account id is twelve digits, so the first colon divides them."""
    return f"{account}:{name}"


def _load_roles(cursor: sqlite3.Cursor, roles: dict[str, Role | None]) -> None:
    tags = _parts_by_role(cursor, f"{_ROLE_TAGS} ORDER BY role_id, position")
    policies = _parts_by_role(cursor, f"{_ROLE_POLICIES} ORDER BY role_id, position")
    for row in cursor.execute(_ROLES):
        role_id = row[3]
        roles[role_id] = role_of(row, tags.get(role_id, ()), policies.get(role_id, ()))


def _parts_by_role(cursor: sqlite3.Cursor, query: str) -> dict[str, list[tuple[str, str]]]:
    parts: dict[str, list[tuple[str, str]]] = {}
    owner: str | None = None
    found: list[tuple[str, str]] = []
    for role_id, name, value in cursor.execute(query):
        if role_id != owner:  # they come in order, so a role is looked up once
            owner = role_id
            found = parts[role_id] = []
        found.append((name, value))
    return parts


def _load_oidc_providers(cursor: sqlite3.Cursor, providers: dict[tuple[str, str], OidcProvider | None]) -> None:
    tags: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for account, provider, key, value in cursor.execute(f"{_PROVIDER_TAGS} ORDER BY account, provider, position"):
        tags.setdefault((account, provider), []).append((key, value))
    for row in cursor.execute(_PROVIDERS):
        key = (row[0], row[5])
        providers[key] = oidc_provider_of(row[:5], tags.get(key, ()))


def _read_entity(cursor: sqlite3.Cursor, kind: str, key: str, changes: Changes) -> None:
    """One changed entity as it is now. A kind unknown here belongs to a newer daypass at work on the same file."""
    if kind == ACCOUNT:
        row = cursor.execute(f"{_ACCOUNTS} WHERE account_id = ?", (key,)).fetchone()
        changes.accounts[key] = None if row is None else Account(*row)
    elif kind == ACCESS_KEY:
        row = cursor.execute(f"{_ACCESS_KEYS} WHERE access_key_id = ?", (key,)).fetchone()
        changes.access_keys[key] = None if row is None else AccessKey(*row)
    elif kind == ROLE:
        changes.roles[key] = _read_role(cursor, key)
    elif kind == OIDC_PROVIDER:
        account, _, name = key.partition(":")
        changes.oidc_providers[account, name] = _read_oidc_provider(cursor, account, name)
    elif kind == SEALING_KEY:
        key_id = bytes.fromhex(key)
        row = cursor.execute(f"{_SEALING_KEYS} WHERE key_id = ?", (key_id,)).fetchone()
        changes.sealing_keys[key_id] = None if row is None else SealingKey(*row)


def _read_role(cursor: sqlite3.Cursor, unique_id: str) -> Role | None:
    row = cursor.execute(f"{_ROLES} WHERE unique_id = ?", (unique_id,)).fetchone()
    if row is None:
        return None
    tags = cursor.execute(f"{_ROLE_TAGS} WHERE role_id = ? ORDER BY position", (unique_id,)).fetchall()
    policies = cursor.execute(f"{_ROLE_POLICIES} WHERE role_id = ? ORDER BY position", (unique_id,)).fetchall()
    return role_of(row, (tag[1:] for tag in tags), (policy[1:] for policy in policies))


def _read_oidc_provider(cursor: sqlite3.Cursor, account: str, name: str) -> OidcProvider | None:
    row = cursor.execute(f"{_PROVIDERS} WHERE account = ? AND name = ?", (account, name)).fetchone()
    if row is None:
        return None
    where = "WHERE account = ? AND provider = ? ORDER BY position"
    tags = cursor.execute(f"{_PROVIDER_TAGS} {where}", (account, name)).fetchall()
    return oidc_provider_of(row[:5], (tag[2:] for tag in tags))
