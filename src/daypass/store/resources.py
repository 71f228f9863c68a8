# SPDX-License-Identifier: Apache-2.0
"""
What is kept about resources of the services behind us: who owns a bucket, what may never be public, and policies by ARN.
Records like those of ``daypass.store.records``; the resources themselves are kept elsewhere.
"""

from __future__ import annotations

import msgspec

from daypass.store.records import Record


class PublicAccess(msgspec.Struct, frozen=True):
    """The four settings of a public access block (S3 API, PublicAccessBlockConfiguration)."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


class Bucket(Record, frozen=True):
    """
    A bucket, and the account that owns it. Names are one namespace over all accounts and backends, as ARNs of buckets are.

    ``backend``: the name of the configured backend that it was made through; empty where that is not known.
    ``public_access``: its own public access block; None without one.
    """

    kind = "bucket"
    collection = "buckets"
    identity = ("name",)
    named = permanent = False

    name: str
    account: str
    backend: str
    created_at: int
    public_access: PublicAccess | None = None


class AccountPublicAccess(Record, frozen=True):
    """The public access block of an account, for all its buckets."""

    kind = "account_public_access"
    collection = "account_public_access"
    identity = ("account",)
    named = permanent = False

    account: str
    public_access: PublicAccess

    @property
    def sort_name(self) -> str:
        """The account's number."""
        return self.account


class ResourcePolicy(Record, frozen=True):
    """
    The policy of a resource. ``account`` owns the resource; ``document`` is the text as sent.

    ``principals``: the users and roles in it, each as written, with the unique id that it stood for when it was written.
    """

    kind = "resource_policy"
    collection = "resource_policies"
    identity = ("arn",)
    named = permanent = False

    account: str
    arn: str
    document: str
    principals: tuple[tuple[str, str], ...]
    created_at: int
    updated_at: int

    @property
    def sort_name(self) -> str:
        """Its resource."""
        return self.arn
