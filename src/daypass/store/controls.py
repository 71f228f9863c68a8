# SPDX-License-Identifier: Apache-2.0
"""
What governs accounts and sessions from above: the organisation and its policies, second factors, ended sessions, and the
keys that sign our own identity tokens. Records like those of ``daypass.store.records``.
"""

from __future__ import annotations

from typing import Literal

from daypass import arn
from daypass.store.records import Link, Record, Tags, _set

RevocationScope = Literal["session", "user", "role", "provider", "subject", "account"]


class Revocation(Record, frozen=True):
    """
    Sessions that were ended before their time: those issued at or before the instant ``before``.

    ``scope`` and ``value``: of one access key id; of the unique id of a user or role; of a provider's ARN; of a subject
    (``PROVIDER_ARN SUBJECT``); of an account. ``until``: from then on there are no such sessions any more.
    """

    kind = "revocation"
    collection = "revocations"
    identity = ("scope", "value")
    named = permanent = False

    account: str
    scope: RevocationScope
    value: str
    before: int
    created_at: int
    until: int

    @property
    def sort_name(self) -> str:
        """Its identity."""
        return self.key


class MfaDevice(Record, frozen=True):
    """
    A virtual MFA device (TOTP, RFC 6238). ``name`` is the last part of its serial number, which is its ARN.

    - ``wrapped_seed``: under the master key. ``user_id``: of its user once enabled; ``root`` for the account's root user.
    - ``enabled_at``: None until it is enabled. ``last_step``: the newest time step that was spent; earlier ones are too.
    - ``failures``: wrong codes in a row, and ``failed_at`` when the last of them was.
    - ``drift``: by how many steps its clock is ahead of ours; below 0, behind.
    """

    kind = "mfa_device"
    collection = "mfa_devices"
    identity = ("account", "name")
    folded = permanent = False
    linking = ("user_id",)
    derived = frozenset({"arn"})
    hidden = frozenset({"wrapped_seed"})

    account: str
    path: str
    name: str
    wrapped_seed: bytes
    created_at: int
    user_id: str | None = None
    enabled_at: int | None = None
    last_step: int = 0
    failures: int = 0
    failed_at: int = 0
    drift: int = 0
    tags: Tags = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:mfa/PATH/NAME``, the serial number."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.mfa_arn(self.account, self.path, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its user, and those that have one: ``("assigned", "")``."""
        return () if self.user_id is None else (("user", self.user_id), ("assigned", ""))


class Organization(Record, frozen=True):
    """The organisation of the accounts of this store; there is one at most. Its id is ``o-...``, its root's ``r-...``."""

    kind = "organization"
    collection = "organizations"
    named = permanent = False

    unique_id: str
    root_id: str
    management_account: str
    created_at: int
    root_policies: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """There is one."""
        return ""

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.unique_id


class OrganizationalUnit(Record, frozen=True):
    """A part of the organisation. ``parent`` is the id of the root or a unit; ``policies`` are ids of organisation policies."""

    kind = "organizational_unit"
    collection = "organizational_units"
    named = False
    linking = ("parent",)

    unique_id: str
    parent: str
    name: str
    created_at: int
    policies: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """They belong to the organisation."""
        return ""

    def links(self) -> tuple[Link, ...]:
        """What it is a part of."""
        return (("parent", self.parent),)


class Membership(Record, frozen=True):
    """
    An account's name and state, and its place in the organisation. ``parent`` is the root's id, a unit's, or None.

    ``closed_at``: from then on its credentials are refused. ``policies``: ids of organisation policies.
    """

    kind = "membership"
    collection = "memberships"
    identity = ("account",)
    named = permanent = False
    linking = ("parent",)

    account: str
    name: str
    parent: str | None = None
    closed_at: int | None = None
    policies: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """They are looked at together."""
        return ""

    @property
    def sort_name(self) -> str:
        """The account's number."""
        return self.account

    def links(self) -> tuple[Link, ...]:
        """What it is a part of."""
        return () if self.parent is None else (("parent", self.parent),)


class OrganizationPolicy(Record, frozen=True):
    """A service control policy (``SCP``) or resource control policy (``RCP``). ``unique_id`` is ``p-...``; text as sent."""

    kind = "organization_policy"
    collection = "organization_policies"
    named = False

    unique_id: str
    form: Literal["SCP", "RCP"]
    name: str
    description: str
    document: str
    created_at: int

    @property
    def owner(self) -> str:
        """They belong to the organisation."""
        return ""


class IssuerKey(Record, frozen=True):
    """
    A key that signs the identity tokens of GetWebIdentityToken. ``unique_id`` is the JWK's kid; ``algorithm`` RS256 or ES384.

    ``public_jwk`` is shown to everybody from ``created_at``; tokens are signed with it from ``active_from`` to ``retire_at``.
    """

    kind = "issuer_key"
    collection = "issuer_keys"
    named = False
    hidden = frozenset({"wrapped"})

    account: str
    unique_id: str
    algorithm: Literal["RS256", "ES384"]
    wrapped: bytes
    public_jwk: str
    created_at: int
    active_from: int
    retire_at: int | None = None

    @property
    def sort_name(self) -> str:
        """Oldest first."""
        return f"{self.created_at:020d}:{self.unique_id}"
