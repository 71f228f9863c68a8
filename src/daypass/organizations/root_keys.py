# SPDX-License-Identifier: Apache-2.0
"""Root access keys: how an account begins (IAM User Guide, "AWS account root user")."""

from __future__ import annotations

from daypass.credentials import (
    LONG_TERM_KEY,
    Secret,
    access_key_label,
    new_access_key_id,
    new_secret_access_key,
)
from daypass.sealing import MasterKey
from daypass.store import AccessKey


def new_root_key(master: MasterKey, account: str, now: float) -> tuple[AccessKey, Secret]:
    """A fresh access key for the root user of an account, and its secret, which is shown once and stored wrapped."""
    secret = new_secret_access_key()
    return root_key(master, new_access_key_id(LONG_TERM_KEY, account), account, secret, now), secret


def root_key(master: MasterKey, access_key_id: str, account: str, secret: Secret, now: float) -> AccessKey:
    """An access key for the root user of an account, of this id and secret."""
    wrapped = master.wrap(secret.reveal().encode(), access_key_label(access_key_id))
    return AccessKey(access_key_id, account, None, wrapped, "Active", int(now))
