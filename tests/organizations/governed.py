# SPDX-License-Identifier: Apache-2.0
"""
A service with several accounts in an organisation, and callers of each.

    root -- lab (LAB)
         -- Work -- Prod -- prod (PROD)

``ACCOUNT`` is the management account. ``OUTSIDE`` is an account that is no member.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botocore.credentials import Credentials

from daypass.credentials import LONG_TERM_KEY, Secret, access_key_label, new_access_key_id, new_unique_id
from daypass.organizations.accounts import create_account
from daypass.organizations.attachments import attach_policy, detach_policy
from daypass.organizations.organization import create_organization
from daypass.organizations.policies import create_policy, delete_policy
from daypass.organizations.units import create_unit
from daypass.sealing import MasterKey
from daypass.store import AccessKey, Account, Store, User
from iam.kitchen import document, statement
from in_process import ACCOUNT, NOW, ROOT, Service, service

LAB, PROD, OUTSIDE = "210000000001", "210000000002", "210000000003"
ALLOW_ALL = document(statement("Allow", "*"))


@dataclass
class Governed:
    """A service, and what is needed to make callers of its accounts."""

    service: Service
    master: MasterKey
    roots: dict[str, Credentials] = field(default_factory=lambda: {ACCOUNT: ROOT})

    @property
    def store(self) -> Store:
        return self.service.app.store

    def keep(self, key: AccessKey, secret: Secret) -> None:
        """What ``create_account`` does with the root key of a new account."""
        self.roots[key.account] = Credentials(key.access_key_id, secret.reveal())

    async def user(self, account: str, name: str, policy: str | None = ALLOW_ALL) -> Credentials:
        """A key of a new user of an account, who has one inline policy or none."""
        user = User(account, "/", name, new_unique_id("AIDA"), 1, (), () if policy is None else (("main", policy),))
        key = Credentials(new_access_key_id(LONG_TERM_KEY, account), "secret-of-a-user-secret-of-a-user-secret")
        wrapped = self.master.wrap(key.secret_key.encode(), access_key_label(key.access_key))
        async with self.store.transaction() as transaction:
            await transaction.put(user)
            await transaction.put(AccessKey(key.access_key, account, user.unique_id, wrapped, "Active", 1))
        return key

    @asynccontextmanager
    async def attached(
        self, text: str, *targets: str, form: Literal["SCP", "RCP"] = "SCP", alone: bool = False
    ) -> AsyncIterator[str]:
        """A policy that is attached to the targets for as long as the block lasts; its id. ``alone``: no FullAWSAccess."""
        policy = (await create_policy(self.store, f"made-{new_unique_id('ANPA')}", form, text, now=NOW)).unique_id
        for target in targets:
            await attach_policy(self.store, policy, target)
            if alone:
                await detach_policy(self.store, "FullAWSAccess", target)
        try:
            yield policy
        finally:
            for target in targets:
                if alone:
                    await attach_policy(self.store, "FullAWSAccess", target)
                await detach_policy(self.store, policy, target)
            await delete_policy(self.store, policy)


@asynccontextmanager
async def governed(data_dir: Path) -> AsyncIterator[Governed]:
    """The accounts above, in their places."""
    master = MasterKey.generate()
    async with service(data_dir, master_key=Secret(master)) as running:
        made = Governed(running, MasterKey.parse(master))
        store = made.store
        await create_organization(store, now=NOW)
        await create_unit(store, "Work", parent="root", now=NOW)
        await create_unit(store, "Prod", parent="Work", now=NOW)
        for name, number, parent in (("lab", LAB, None), ("prod", PROD, "Prod")):
            await create_account(store, made.master, name, keep=made.keep, now=NOW, number=number, parent=parent)
        async with store.transaction() as transaction:
            await transaction.put(Account(OUTSIDE, int(NOW) + 9))
        yield made


def rcp(*actions: str, **condition: Any) -> str:
    """A resource control policy that denies the actions to everybody, under a condition."""
    made = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*"}
    return document({**made, "Condition": condition} if condition else made)
