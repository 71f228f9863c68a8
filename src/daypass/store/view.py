# SPDX-License-Identifier: Apache-2.0
"""
A view: everything the service remembers at one revision, in memory.

Immutable. Whoever has one may keep it over an ``await`` and finds in it what it found before; the next call of
``Store.view`` returns another if anything was written meanwhile. Every lookup is O(1).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from daypass.store.belongings import (
    AccessReport,
    AccountSettings,
    CredentialReport,
    DelegationRequest,
    InstanceProfile,
    LastUse,
    LoginProfile,
    SamlProvider,
    ServerCertificate,
    ServiceLinkedRoleDeletion,
    ServiceSpecificCredential,
    SigningCertificate,
    SshPublicKey,
)
from daypass.store.controls import (
    IssuerKey,
    Membership,
    MfaDevice,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
    Revocation,
)
from daypass.store.declared import Managed, StateFile
from daypass.store.kinds import KINDS, Kind, Row
from daypass.store.records import (
    AccessKey,
    Account,
    Group,
    Link,
    ManagedPolicy,
    OidcProvider,
    Record,
    Role,
    SealingKey,
    User,
)
from daypass.store.resources import AccountPublicAccess, Bucket, ResourcePolicy
from daypass.store.snapshot import LayeredMap, Places, SortedIndex, SortedRecords

R = TypeVar("R", bound=Record)

Changes = dict[str, dict[str, Any]]
"""What became of the entities that changed, by kind and key: the record, or None where it is gone."""


class Records(Generic[R]):
    """
    All records of one kind, at one revision.

    A store may hold 100,000 of them of which a day's requests meet a hundred, so a row stays a row until somebody asks
    for the record.
    """

    __slots__ = ("_by_key", "_index", "_keys_by_name", "_kind")

    def __init__(self, kind: Kind[R], rows: Sequence[Row] = ()) -> None:
        self._kind = kind
        self._by_key: LayeredMap[str, R | Row] = LayeredMap({kind.key(row): row for row in rows})
        self._keys_by_name: LayeredMap[tuple[str, str], str] = LayeredMap(self._names(rows))
        self._index = SortedIndex(self._all_places)

    def with_key(self, key: str) -> R | None:
        """The record with this identity: for most kinds, their unique id (``Record.key``)."""
        found = self._by_key.get(key)
        return self._read(key, found) if type(found) is tuple else found  # type: ignore[return-value]

    def with_name(self, account: str, name: str) -> R | None:
        """The record of an account with exactly this name."""
        found = self.like_name(account, name)
        return found if found is not None and found.sort_name == name else None

    def like_name(self, account: str, name: str) -> R | None:
        """The record whose name stands in the way of this one: IAM's are unique without regard to case."""
        key = self._keys_by_name.get((account, name.casefold() if self._kind.record.folded else name))
        return None if key is None else self.with_key(key)

    def of(self, account: str) -> SortedRecords[R]:
        """The records of an account, sorted by name; ``.after(marker)`` pages through them."""
        return SortedRecords(self._index.of((account, "", "")), self._record)

    def linked(self, account: str, link: Link) -> SortedRecords[R]:
        """The records of an account that refer to something, sorted by name: the roles that a policy is attached to."""
        return SortedRecords(self._index.of((account, *link)), self._record)

    def all(self) -> Iterator[R]:
        """Every record of every account, in no order. Not for the path of a request."""
        return (self._record(key) for key, _ in self._by_key.items())

    def __len__(self) -> int:
        return len(self._by_key)

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def changed(self, changes: Mapping[str, R | None]) -> Records[R]:
        """These records with the changes made, by key (None removes); this object stays as it is."""
        if not changes:
            return self
        before = {key: self.with_key(key) for key in changes}
        following: Records[R] = Records.__new__(Records)
        following._kind = self._kind
        following._by_key = self._by_key.changed(changes)
        following._keys_by_name = self._keys_by_name.changed(self._changed_names(before, changes))
        following._index = self._index.changed(_places_of(before), _places_of(changes), following._all_places)
        return following

    def _record(self, key: str) -> R:
        found = self.with_key(key)
        if found is None:
            raise KeyError(key)  # the index and the map are of one revision
        return found

    def _read(self, key: str, row: Row) -> R:
        record = self._kind.read(row)
        self._by_key.remember(key, record)
        return record

    def _names(self, rows: Sequence[Row]) -> dict[tuple[str, str], str]:
        record, columns = self._kind.record, self._kind.columns
        if not record.named or not rows:
            return {}
        key, account, name = self._kind.key, columns.index("account"), columns.index("name")
        if record.folded:
            return {(row[account], row[name].casefold()): key(row) for row in rows}
        return {(row[account], row[name]): key(row) for row in rows}

    def _changed_names(
        self, before: Mapping[str, R | None], changes: Mapping[str, R | None]
    ) -> dict[tuple[str, str], str | None]:
        """Changes by name. Removals go first: one deleted and another made under its name is both, in that order."""
        names: dict[tuple[str, str], str | None] = {}
        if self._kind.record.named:
            names.update((self._name(gone), None) for gone in before.values() if gone is not None)
            names.update((self._name(record), key) for key, record in changes.items() if record is not None)
        return names

    def _name(self, record: R) -> tuple[str, str]:
        name = record.sort_name
        return record.owner, name.casefold() if record.folded else name

    def _all_places(self) -> Iterator[tuple[str, Places]]:
        kind, record = self._kind, self._kind.record
        account, name = (kind.columns.index("account"), kind.columns.index("name")) if record.named else (0, 0)
        for key, found in self._by_key.items():
            if record.named and type(found) is tuple and not kind.may_link(found):
                yield key, (found[name], ((found[account], "", ""),))
            else:
                yield key, _places(self._record(key))


def _places(record: Record) -> Places:
    owner = record.owner
    return record.sort_name, ((owner, "", ""), *[(owner, *link) for link in record.links()])


def _places_of(records: Mapping[str, R | None]) -> dict[str, Places | None]:
    return {key: None if record is None else _places(record) for key, record in records.items()}


_ORGANIZATION: Final = tuple(
    record.collection for record in (Organization, OrganizationalUnit, Membership, OrganizationPolicy)
)


class View:
    """What the service remembers at ``revision``, the number of the newest change that is in it."""

    __slots__ = (
        *(kind.record.collection for kind in KINDS.values()),
        "caller_memory",
        "key_ring",
        "organization_memory",
        "revision",
    )

    revision: int
    organization_memory: dict[Hashable, Any]
    """What was derived from the organisation, for who derives it (``daypass.access.organization``). The same object from view
    to view for as long as the organisation, its parts and its policies stay the same."""
    caller_memory: dict[Hashable, Any]
    """What was derived for callers, for who derives it (``daypass.access.remembered``). Every view begins with an empty one."""
    key_ring: tuple[SealingKey, ...]
    """The sealing keys, oldest first. The same object from view to view for as long as the ring stays the same."""
    accounts: Records[Account]
    access_keys: Records[AccessKey]
    roles: Records[Role]
    users: Records[User]
    groups: Records[Group]
    managed_policies: Records[ManagedPolicy]
    oidc_providers: Records[OidcProvider]
    sealing_keys: Records[SealingKey]
    login_profiles: Records[LoginProfile]
    ssh_public_keys: Records[SshPublicKey]
    signing_certificates: Records[SigningCertificate]
    service_credentials: Records[ServiceSpecificCredential]
    instance_profiles: Records[InstanceProfile]
    server_certificates: Records[ServerCertificate]
    account_settings: Records[AccountSettings]
    role_deletions: Records[ServiceLinkedRoleDeletion]
    credential_reports: Records[CredentialReport]
    access_reports: Records[AccessReport]
    last_uses: Records[LastUse]
    delegation_requests: Records[DelegationRequest]
    saml_providers: Records[SamlProvider]
    revocations: Records[Revocation]
    mfa_devices: Records[MfaDevice]
    organizations: Records[Organization]
    organizational_units: Records[OrganizationalUnit]
    memberships: Records[Membership]
    organization_policies: Records[OrganizationPolicy]
    issuer_keys: Records[IssuerKey]
    buckets: Records[Bucket]
    account_public_access: Records[AccountPublicAccess]
    resource_policies: Records[ResourcePolicy]
    managed: Records[Managed]
    state_files: Records[StateFile]

    def __init__(self) -> None:
        self.revision = 0
        self.key_ring = ()
        self.organization_memory = {}
        self.caller_memory = {}
        for kind in KINDS.values():
            setattr(self, kind.record.collection, Records(kind))

    @classmethod
    def of_rows(cls, revision: int, rows: Mapping[str, Sequence[Row]], provided: Sequence[ManagedPolicy] = ()) -> View:
        """The view of everything that the tables hold, by kind, and of the managed policies that no table holds."""
        view = cls()
        view.revision = revision
        for name, found in rows.items():
            kind = KINDS[name]
            setattr(view, kind.record.collection, Records(kind, found))
        view.managed_policies = view.managed_policies.changed({policy.key: policy for policy in provided})
        view.key_ring = tuple(view.sealing_keys.of(""))
        return view

    def changed(self, revision: int, changes: Changes) -> View:
        """The view at a later revision; this one stays as it is."""
        view = View.__new__(View)
        view.revision = revision
        for kind in KINDS.values():
            collection = kind.record.collection
            setattr(view, collection, getattr(self, collection).changed(changes.get(kind.name, {})))
        same_ring = view.sealing_keys is self.sealing_keys
        view.key_ring = self.key_ring if same_ring else tuple(view.sealing_keys.of(""))
        same_organization = all(getattr(view, name) is getattr(self, name) for name in _ORGANIZATION)
        view.organization_memory = self.organization_memory if same_organization else {}
        view.caller_memory = {}
        return view

    def record(self, record: Record) -> Any:
        """The record of the same class and identity as the given one, as it is in this view; or None."""
        return getattr(self, record.collection).with_key(record.key)
