# SPDX-License-Identifier: Apache-2.0
"""
The first start, and what every start finds in place: master key, account, root access key, sealing keys.

Nothing has a default value. What is not given is made at random, once, and kept in the data directory in files that only
their owner can read. A store that holds wrapped keys but has lost its master key is not started over: that is an error.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace as struct_replace

from daypass.credentials import LONG_TERM_KEY, Secret, access_key_label, account_of_access_key_id
from daypass.errors import ConfigurationError, EntityError, Reason
from daypass.organizations.accounts import management_account, new_account_number
from daypass.organizations.root_keys import new_root_key, root_key
from daypass.sealing import MasterKey, new_ring_key
from daypass.server.settings import Settings, read_secret_file
from daypass.sessions.ring import ring_keys
from daypass.store import AccessKey, Account, SealingKey, Store

if TYPE_CHECKING:
    from daypass.store import Transaction

MASTER_KEY_FILE: Final = "master-key"
ROOT_CREDENTIALS_FILE: Final = "root-credentials"
OUTBOX: Final = "outbox"
"""The directory of messages to others, in the data directory."""
ROOT_PROFILE: Final = "daypass-root"


def load_master_key(settings: Settings) -> MasterKey:
    """
    The master key: from the settings, else from the data directory; on a first start it is made and written there.

    Raises ConfigurationError when a database is there but its key is not.
    """
    found = find_master_key(settings)
    if found is not None:
        return found
    path = settings.data_dir / MASTER_KEY_FILE
    if any(settings.data_dir.glob("*.db")):
        message = (
            f"{str(settings.data_dir)!r} holds a database but no {MASTER_KEY_FILE}; expected the key it was made with"
        )
        raise ConfigurationError(Reason.MASTER_KEY_INVALID, message)
    write_private_file(path, MasterKey.generate() + "\n", replace=False)
    return MasterKey.parse(read_secret_file(path))  # ours, or that of another start which was a moment faster


def find_master_key(settings: Settings) -> MasterKey | None:
    """The master key that there is, or None. Raises ConfigurationError when it cannot be read or others can read it."""
    if settings.master_key is not None:
        return MasterKey.parse(settings.master_key.reveal())
    path = settings.data_dir / MASTER_KEY_FILE
    return MasterKey.parse(read_secret_file(path)) if path.exists() else None


@contextmanager
def taking_turns(data_dir: Path) -> Iterator[None]:
    """Let one start at a time prepare the database in a directory: two at once would each make an account."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / ".first-start", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"cannot write in {str(data_dir)!r}: {error.strerror}"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_private_file(path: Path, text: str, *, replace: bool = True) -> None:
    """
    Write a file of mode 0600, whole or not at all: it appears under its name only when it is on the disk.

    With ``replace=False`` a file that is there already is left as it is.

    Raises ConfigurationError when it cannot be written there.
    """
    try:
        _write_private_file(path, text, replace)
    except OSError as error:
        message = f"cannot write {str(path)!r}: {error.strerror}"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message) from None


def _write_private_file(path: Path, text: str, replace: bool) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # unlike a rename, this fails where there is one
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    _flush_directory(path.parent)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


LOOKED_AT: Final = frozenset({"account", "access_key", "organization", "sealing_key"})
"""The kinds of records that ``prepare`` looks at: a store that reads no others will do."""


async def prepare(settings: Settings, store: Store, master: MasterKey, *, now: float) -> str:
    """
    Make what a first start makes, in one transaction, and check what a later start brings. Answers the account id: of the
    setting, else of the management account.

    A root access key that is given in the settings replaces the one of the store.
    """
    view = store.view()
    first = management_account(view)
    if first is not None and settings.account_id not in (None, *(known.account_id for known in view.accounts.of(""))):
        message = f"DAYPASS_ACCOUNT_ID is not an account of this store, whose first is {first}"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
    account_id = settings.account_id or first or _new_account_id(settings)
    given = _given_root_key(settings, master, account_id, now)
    if given is None and not any(key.user_id is None for key in view.access_keys.of(account_id)):
        given, secret = new_root_key(master, account_id, now)
        write_root_credentials(settings.data_dir / ROOT_CREDENTIALS_FILE, ROOT_PROFILE, given, secret)
    sealing_keys = ring_keys(master, view)  # a wrong master key stops the start here
    if given is not None and _same_key(master, view.access_keys.with_key(given.access_key_id), given):
        given = None
    if first is None or given is not None or not sealing_keys:
        await _write(store, master, account_id, given, now)
    return account_id


async def _write(store: Store, master: MasterKey, account_id: str, root_key: AccessKey | None, now: float) -> None:
    async with store.transaction() as transaction:
        if transaction.view.accounts.with_key(account_id) is None:
            await transaction.put(Account(account_id, int(now)))
        if root_key is not None:
            for old in transaction.view.access_keys.of(account_id):
                if old.user_id is None and old.access_key_id != root_key.access_key_id:
                    # Inactive, not deleted: ids are never used again, and the operator may want this one back.
                    await transaction.put(struct_replace(old, status="Inactive"))
            await _put_root_key(transaction, root_key)
        if not transaction.view.key_ring:
            key_id, wrapped = new_ring_key(master)
            await transaction.put(SealingKey(key_id, wrapped, int(now), int(now), None))


async def _put_root_key(transaction: Transaction, root_key: AccessKey) -> None:
    """Raises ConfigurationError for a key that was deleted: whoever deleted it meant it, and ids are never used again."""
    try:
        await transaction.put(root_key)
    except EntityError as error:
        message = "DAYPASS_ROOT_ACCESS_KEY_ID: this key was deleted; choose an id that was never used"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message) from error


def _new_account_id(settings: Settings) -> str:
    if settings.root_access_key_id is not None:
        try:
            return account_of_access_key_id(settings.root_access_key_id)
        except ValueError:
            pass  # a key id of the operator's own making carries no account; any free number will do
    return new_account_number()


def _given_root_key(settings: Settings, master: MasterKey, account: str, now: float) -> AccessKey | None:
    if settings.root_access_key_id is None or settings.root_secret_access_key is None:
        return None
    key_id = settings.root_access_key_id
    if (
        not key_id.startswith(LONG_TERM_KEY)
        or not 16 <= len(key_id) <= 128
        or not (key_id.isascii() and key_id.isalnum())
    ):
        message = "DAYPASS_ROOT_ACCESS_KEY_ID: expected 16 to 128 letters and digits that begin with AKIA"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
    if len(settings.root_secret_access_key.reveal()) < 16:
        message = "DAYPASS_ROOT_SECRET_ACCESS_KEY: expected at least 16 characters"
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, message)
    return root_key(master, key_id, account, settings.root_secret_access_key, now)


def _same_key(master: MasterKey, stored: AccessKey | None, given: AccessKey) -> bool:
    if stored is None or stored.status != "Active":
        return False
    label = access_key_label(given.access_key_id)
    return hmac.compare_digest(master.unwrap(stored.wrapped_secret, label), master.unwrap(given.wrapped_secret, label))


def write_root_credentials(path: Path, profile: str, key: AccessKey, secret: Secret) -> None:
    """
    Write an AWS shared-credentials file, so that ``AWS_SHARED_CREDENTIALS_FILE`` can point at it.

    Raises ConfigurationError when it cannot be written.
    """
    lines = (
        f"[{profile}]",
        f"aws_access_key_id = {key.access_key_id}",
        f"aws_secret_access_key = {secret.reveal()}",
    )
    write_private_file(path, "\n".join(lines) + "\n")
