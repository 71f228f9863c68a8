# SPDX-License-Identifier: Apache-2.0
"""
A store with two accounts, buckets of both, and users who ask for what is in them: decided as at every door, in this process.

``OWNER`` owns the bucket ``data``; what nobody is recorded for belongs to ``DEFAULT``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from daypass.access import Permitted, authorize
from daypass.access.authenticate import Caller
from daypass.access.context import RequestFacts, resource_keys
from daypass.credentials import new_unique_id
from daypass.errors import AccessDeniedError
from daypass.principal import Root
from daypass.principal import User as UserPrincipal
from daypass.resources import policy_arn_of, put_policy, record_creation, resource_of, set_bucket_public_access
from daypass.store import Account, PublicAccess, Store, User

OWNER, OTHER, DEFAULT = "210000000001", "210000000002", "123456789012"
NOW = 1_800_000_000
BUCKET = "data"
ARN = f"arn:aws:s3:::{BUCKET}"
OBJECT = f"{ARN}/folder/report.csv"
READ = "s3:GetObject"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    """A policy document."""
    return json.dumps({"Version": version, "Statement": list(statements)})


def statement(
    effect: str = "Allow",
    principal: Any = "*",
    action: Any = READ,
    resource: Any = f"{ARN}/*",
    **more: Any,
) -> dict[str, Any]:
    """A statement of a bucket policy."""
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}


def identity(effect: str, action: Any, resource: Any = "*") -> str:
    """A policy of a user."""
    return document({"Effect": effect, "Action": action, "Resource": resource})


@dataclass
class Lake:
    """The store, and what is asked of it."""

    store: Store

    async def user(self, account: str, name: str, policy: str | None = None) -> Caller:
        """A new user with one inline policy or none, as a caller."""
        policies = () if policy is None else (("main", policy),)
        user = User(account, "/", name, new_unique_id("AIDA"), 1, (), policies)
        async with self.store.transaction() as transaction:
            await transaction.put(user)
        return Caller(UserPrincipal(account, "/", name, user.unique_id), "AKIA", "us-east-1", user=user)

    async def delete(self, caller: Caller) -> None:
        """Delete a caller's user."""
        assert caller.user is not None
        async with self.store.transaction() as transaction:
            await transaction.delete(caller.user)

    async def policy(self, *statements: dict[str, Any], arn: str = ARN) -> None:
        """Set the policy of the bucket."""
        await put_policy(self.store, arn, document(*statements), owner=DEFAULT, now=NOW)

    async def block(self, settings: PublicAccess | None) -> None:
        """Set the public access block of the bucket."""
        await set_bucket_public_access(self.store, BUCKET, settings, owner=DEFAULT, now=NOW)

    def ask(self, caller: Caller, action: str = READ, arn: str = OBJECT) -> Permitted:
        """Decide. Raises AccessDeniedError."""
        view = self.store.view()
        user = None if caller.user is None else view.users.with_key(caller.user.unique_id)
        caller = replace(caller, user=user)
        resource = resource_of(arn, policy_arn_of(arn), DEFAULT, view, principal=caller.principal, action=action)
        keys = resource_keys(resource.account, (), iam=False)
        facts = RequestFacts(NOW, "203.0.113.7", True)
        return authorize(caller, action, resource, facts=facts, view=view, keys=lambda _: keys)

    def may(self, caller: Caller, action: str = READ, arn: str = OBJECT) -> bool:
        """Whether the caller may."""
        try:
            self.ask(caller, action, arn)
        except AccessDeniedError:
            return False
        return True


def root(account: str) -> Caller:
    """The root user of an account, with its access key."""
    return Caller(Root(account), "AKIA", "us-east-1")


async def filled(store: Store) -> Lake:
    """Accounts and the bucket; it was made through us, and nothing keeps it from becoming public."""
    async with store.transaction() as transaction:
        for account in (DEFAULT, OWNER, OTHER):
            await transaction.put(Account(account, NOW))
    await record_creation(store, BUCKET, OWNER, "lake", NOW)
    lake = Lake(store)
    await lake.block(None)
    return lake
