# SPDX-License-Identifier: Apache-2.0
"""
What the service remembers, as values: one frozen class per kind of entity.

A record is whole: a role comes with its tags, its inline policies and the ARNs of what is attached to it, and is written
and read as one. What belongs to an entity and is many (a user's access keys) is a record of its own that names its
owner. Instants are whole seconds since the epoch. Whether a record makes sense (a policy that parses, a name of the
allowed letters) is decided before it gets here; the store checks only what has to hold across records.

Here are accounts, identities, policies and keys; ``daypass.store.belongings`` has what users and accounts own besides.
How a class becomes a table is said by its ``Record`` class variables (``daypass.store.kinds``).
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

import msgspec

from daypass import arn

Status = Literal["Active", "Inactive"]
AccessKeyStatus = Status
Tags = tuple[tuple[str, str], ...]
NamedDocuments = tuple[tuple[str, str], ...]
"""(name, text as sent), in the order they were first put."""
Link = tuple[str, str]
"""What a record refers to: ``("policy", ARN)``, ``("boundary", ARN)``, ``("group", id)``, ``("user", id)``,
``("role", id)``, ``("root", account)``, ``("parent", id)``; ``("assigned", "")`` for MFA devices that have a user."""

R = TypeVar("R", bound="Record")


class Record(msgspec.Struct, frozen=True):
    """
    What every kind has: who owns it, a name to sort by, and how it is kept.

    - ``kind``: the table, and how the change log calls it; ``collection``: the attribute of a ``View``.
    - ``identity``: the fields that never change and say which one it is.
    - ``named``: names are unique in the account (``with_name`` finds them); ``folded``: without regard to case, as IAM's
      are (IAM User Guide, "IAM identifiers").
    - ``permanent``: the identity is never used again, whatever becomes of this record.
    - ``linking``: the fields that ``links`` is made from.
    - ``derived``: fields that are made of others and have no column; ``hidden``: fields that do not print.
    """

    kind: ClassVar[str]
    collection: ClassVar[str]
    identity: ClassVar[tuple[str, ...]] = ("unique_id",)
    named: ClassVar[bool] = True
    folded: ClassVar[bool] = True
    permanent: ClassVar[bool] = True
    linking: ClassVar[tuple[str, ...]] = ()
    derived: ClassVar[frozenset[str]] = frozenset()
    hidden: ClassVar[frozenset[str]] = frozenset()

    @property
    def key(self) -> str:
        """The identity as one string: the change log's name for the record."""
        values = [getattr(self, field) for field in self.identity]
        return ":".join([value.hex() if isinstance(value, bytes) else str(value) for value in values])

    @property
    def owner(self) -> str:
        """The account it belongs to, twelve digits."""
        account: str = getattr(self, "account")  # noqa: B009 - not every class has the field
        return account

    @property
    def sort_name(self) -> str:
        """What lists are sorted by, unique in the account."""
        name: str = getattr(self, "name")  # noqa: B009 - not every class has the field
        return name

    def links(self) -> tuple[Link, ...]:
        """What it refers to, so that it can be found from there (``Records.linked``)."""
        return ()

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.hidden]
        return f"{type(self).__name__}({', '.join(shown)})"


def _set(record: Record, field: str, value: object) -> None:
    msgspec.structs.force_setattr(record, field, value)


class Account(Record, frozen=True):
    """An account. ``account_id`` is twelve digits."""

    kind = "account"
    collection = "accounts"
    identity = ("account_id",)
    named = permanent = False

    account_id: str
    created_at: int

    @property
    def owner(self) -> str:
        """Accounts are sorted among each other."""
        return ""

    @property
    def sort_name(self) -> str:
        """Its number."""
        return self.account_id


class AccessKey(Record, frozen=True):
    """A long-term access key. ``user_id`` is the unique id of its user, or None for the account's root user.

    ``wrapped_secret`` is the secret access key under the master key (``daypass.sealing``); it never stands here in clear.
    """

    kind = "access_key"
    collection = "access_keys"
    identity = ("access_key_id",)
    named = False
    linking = ("user_id",)
    hidden = frozenset({"wrapped_secret"})

    access_key_id: str
    account: str
    user_id: str | None
    wrapped_secret: bytes
    status: AccessKeyStatus
    created_at: int

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.access_key_id

    def links(self) -> tuple[Link, ...]:
        """Its user, or the root user of its account."""
        return (("root", self.account) if self.user_id is None else ("user", self.user_id),)


def _attachments(policies: tuple[str, ...], boundary: str | None) -> tuple[Link, ...]:
    links = tuple([("policy", policy) for policy in policies])
    return links if boundary is None else (*links, ("boundary", boundary))


class Role(Record, frozen=True):
    """An IAM role with everything that belongs to it.

    - ``path`` begins and ends with a slash; ``unique_id`` begins with AROA and is never used again.
    - ``max_session_duration``: seconds.
    - ``trust_policy``: the text as it was sent.
    - ``trust_principals``: for each principal ARN in the trust policy that named something here, that ARN and the unique
      id it stood for when the policy was written.
    - ``tags``: (key, value) in the order they were given; ``inline_policies``: (name, text as sent) likewise.
    - ``attached_policies``: ARNs of managed policies, in the order they were attached; ``permissions_boundary``: of one.
    """

    kind = "role"
    collection = "roles"
    linking = ("attached_policies", "permissions_boundary")
    derived = frozenset({"arn"})

    account: str
    path: str
    name: str
    unique_id: str
    description: str | None
    max_session_duration: int
    trust_policy: str
    trust_principals: tuple[tuple[str, str], ...]
    created_at: int
    tags: Tags = ()
    inline_policies: NamedDocuments = ()
    attached_policies: tuple[str, ...] = ()
    permissions_boundary: str | None = None
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:role/PATH/NAME``; made once, because every decision asks for it."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.role_arn(self.account, self.path, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its managed policies and its boundary."""
        return _attachments(self.attached_policies, self.permissions_boundary)


class User(Record, frozen=True):
    """An IAM user with everything that belongs to it; the fields are those of a role.

    - ``groups``: the unique ids of its groups, in the order it joined them.
    - ``password_last_used``: when it last signed in with its password, or None.
    """

    kind = "iam_user"  # USER is a word of SQL
    collection = "users"
    linking = ("attached_policies", "permissions_boundary", "groups")
    derived = frozenset({"arn"})

    account: str
    path: str
    name: str
    unique_id: str
    created_at: int
    tags: Tags = ()
    inline_policies: NamedDocuments = ()
    attached_policies: tuple[str, ...] = ()
    permissions_boundary: str | None = None
    groups: tuple[str, ...] = ()
    password_last_used: int | None = None
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:user/PATH/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.user_arn(self.account, self.path, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its managed policies, its boundary and its groups."""
        groups = tuple([("group", group) for group in self.groups])
        return _attachments(self.attached_policies, self.permissions_boundary) + groups


class Group(Record, frozen=True):
    """An IAM group; its members name it (``User.groups``)."""

    kind = "iam_group"  # GROUP is a word of SQL
    collection = "groups"
    linking = ("attached_policies",)
    derived = frozenset({"arn"})

    account: str
    path: str
    name: str
    unique_id: str
    created_at: int
    inline_policies: NamedDocuments = ()
    attached_policies: tuple[str, ...] = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:group/PATH/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.group_arn(self.account, self.path, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its managed policies."""
        return _attachments(self.attached_policies, None)


class PolicyVersion(msgspec.Struct, frozen=True):
    """One version of a managed policy: ``number`` 1 is ``v1``; ``document`` is the text as sent."""

    number: int
    document: str
    created_at: int


class ManagedPolicy(Record, frozen=True):
    """A managed policy: of an account, or of the account ``aws``: those come with the service and are in no table.

    - ``versions``: oldest first, one to five; ``default_version`` is the number of the one that counts.
    - ``next_version``: numbers are never used again.
    - ``updated_at``: when the newest version was made.
    """

    kind = "managed_policy"
    collection = "managed_policies"
    derived = frozenset({"arn"})

    account: str
    path: str
    name: str
    unique_id: str
    description: str | None
    created_at: int
    updated_at: int
    default_version: int
    next_version: int
    versions: tuple[PolicyVersion, ...]
    tags: Tags = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:policy/PATH/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.policy_arn(self.account, self.path, self.name))

    def version(self, number: int) -> PolicyVersion | None:
        """The version of that number, or None."""
        return next((version for version in self.versions if version.number == number), None)

    @property
    def document(self) -> str:
        """The text of the default version."""
        return next(version.document for version in self.versions if version.number == self.default_version)


class OidcProvider(Record, frozen=True):
    """An OpenID Connect provider. ``url`` is the issuer as registered, with its scheme."""

    kind = "oidc_provider"
    collection = "oidc_providers"
    identity = ("account", "name")
    folded = permanent = False
    derived = frozenset({"arn"})

    account: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    tags: Tags
    created_at: int
    name: str = ""
    """The URL without its scheme: what the ARN and the condition keys call the provider."""
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH``."""

    def __post_init__(self) -> None:
        _set(self, "name", self.url.partition("://")[2])
        _set(self, "arn", arn.oidc_provider_arn(self.account, self.name))


class SealingKey(Record, frozen=True):
    """A key of the ring that seals session tokens.

    ``key_id`` is four bytes; ``wrapped`` is the key under the master key. New tokens use it from ``active_from`` until
    ``retire_at`` (None: not yet decided); how much longer it opens old ones is for ``daypass.sealing``.
    """

    kind = "sealing_key"
    collection = "sealing_keys"
    identity = ("key_id",)
    named = permanent = False
    hidden = frozenset({"wrapped"})

    key_id: bytes
    wrapped: bytes
    created_at: int
    active_from: int
    retire_at: int | None

    @property
    def owner(self) -> str:
        """There is one ring."""
        return ""

    @property
    def sort_name(self) -> str:
        """Oldest first."""
        return f"{self.created_at:020d}:{self.key_id.hex()}"
