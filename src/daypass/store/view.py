# SPDX-License-Identifier: Apache-2.0
"""
A view: everything the service remembers at one revision, in memory.

Immutable. Whoever has one may keep it over an ``await`` and finds in it what it found before; the next call of
``Store.view`` returns another if anything was written meanwhile. Every lookup is O(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daypass.store.records import AccessKey, Account, OidcProvider, Role, SealingKey
from daypass.store.snapshot import LayeredMap, SortedIndex, SortedRecords


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the entities that changed: the record by its key, or None where it is gone.

    Roles are by unique id, OIDC providers by (account, name).
    """

    accounts: dict[str, Account | None] = field(default_factory=dict)
    access_keys: dict[str, AccessKey | None] = field(default_factory=dict)
    roles: dict[str, Role | None] = field(default_factory=dict)
    oidc_providers: dict[tuple[str, str], OidcProvider | None] = field(default_factory=dict)
    sealing_keys: dict[bytes, SealingKey | None] = field(default_factory=dict)


class View:
    """What the service remembers at ``revision``, the number of the newest change that is in it."""

    __slots__ = (
        "_access_keys",
        "_accounts",
        "_oidc_providers",
        "_providers_by_name",
        "_roles",
        "_roles_by_id",
        "_roles_by_name",
        "_sealing_keys",
        "revision",
    )

    def __init__(self) -> None:
        self.revision = 0
        self._accounts: LayeredMap[str, Account] = LayeredMap()
        self._access_keys: LayeredMap[str, AccessKey] = LayeredMap()
        self._roles: LayeredMap[tuple[str, str], Role] = LayeredMap()
        self._roles_by_id: LayeredMap[str, Role] = LayeredMap()
        self._roles_by_name: SortedIndex[Role] = SortedIndex(self._roles.values)
        self._oidc_providers: LayeredMap[tuple[str, str], OidcProvider] = LayeredMap()
        self._providers_by_name: SortedIndex[OidcProvider] = SortedIndex(self._oidc_providers.values)
        self._sealing_keys: tuple[SealingKey, ...] = ()

    def account(self, account_id: str) -> Account | None:
        """The account with these twelve digits."""
        return self._accounts.get(account_id)

    def accounts(self) -> tuple[Account, ...]:
        """Every account, by its number."""
        return tuple(sorted(self._accounts.values(), key=lambda account: account.account_id))

    def access_key(self, access_key_id: str) -> AccessKey | None:
        """The long-term access key with this id, whatever its status."""
        return self._access_keys.get(access_key_id)

    def access_keys(self, account: str) -> tuple[AccessKey, ...]:
        """Every access key of an account, by its id. Looks at all there are: not for the hot path."""
        found = [key for key in self._access_keys.values() if key.account == account]
        return tuple(sorted(found, key=lambda key: key.access_key_id))

    def role(self, account: str, name: str) -> Role | None:
        """The role with exactly this name."""
        return self._roles.get((account, name))

    def role_by_id(self, unique_id: str) -> Role | None:
        """The role with this unique id (AROA...)."""
        return self._roles_by_id.get(unique_id)

    def roles(self, account: str) -> SortedRecords[Role]:
        """The roles of an account, sorted by name; ``.after(marker)`` pages through them."""
        return self._roles_by_name.of(account)

    def oidc_provider(self, account: str, name: str) -> OidcProvider | None:
        """The OIDC provider of this name: its issuer URL without the scheme."""
        return self._oidc_providers.get((account, name))

    def oidc_providers(self, account: str) -> SortedRecords[OidcProvider]:
        """The OIDC providers of an account, sorted by name."""
        return self._providers_by_name.of(account)

    def sealing_keys(self) -> tuple[SealingKey, ...]:
        """The key ring, oldest first. The same object from view to view for as long as the ring stays the same."""
        return self._sealing_keys

    def changed(self, revision: int, changes: Changes) -> View:
        """The view at a later revision; this one stays as it is."""
        by_name = self._roles_by_key(changes.roles)
        view = View()
        view.revision = revision
        view._accounts = self._accounts.changed(changes.accounts)
        view._access_keys = self._access_keys.changed(changes.access_keys)
        view._roles = self._roles.changed(by_name)
        view._roles_by_id = self._roles_by_id.changed(changes.roles)
        view._roles_by_name = self._roles_by_name.changed(by_name, view._roles.values)
        view._oidc_providers = self._oidc_providers.changed(changes.oidc_providers)
        view._providers_by_name = self._providers_by_name.changed(changes.oidc_providers, view._oidc_providers.values)
        view._sealing_keys = self._changed_ring(changes.sealing_keys)
        return view

    def _changed_ring(self, changes: Mapping[bytes, SealingKey | None]) -> tuple[SealingKey, ...]:
        if not changes:
            return self._sealing_keys
        ring: dict[bytes, SealingKey | None] = {key.key_id: key for key in self._sealing_keys}
        ring.update(changes)
        present = [key for key in ring.values() if key is not None]
        return tuple(sorted(present, key=lambda key: (key.created_at, key.key_id)))

    def _roles_by_key(self, changes: Mapping[str, Role | None]) -> dict[tuple[str, str], Role | None]:
        """Changes of roles by (account, name), from those by unique id.

        Removals go first: a role deleted and another made under its name in one transaction is a removal and an
        addition of the same name.
        """
        by_name: dict[tuple[str, str], Role | None] = {}
        for unique_id in changes:
            before = self._roles_by_id.get(unique_id)
            if before is not None:
                by_name[before.account, before.name] = None
        for role in changes.values():
            if role is not None:
                by_name[role.account, role.name] = role
        return by_name
