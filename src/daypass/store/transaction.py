# SPDX-License-Identifier: Apache-2.0
"""
The writing side: what one transaction may read and write.

Records are written whole, in one call each. Reads within a transaction see what it has written, and nothing can change
between a read and a write: there is one writer at a time. Errors of the database come out as EntityError (something in
the way, something missing) or UnavailableError (out of reach for now).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from daypass.errors import EntityError, Reason, UnavailableError
from daypass.store import loading, schema
from daypass.store.records import AccessKey, Account, OidcProvider, Role, SealingKey

CHANGES_KEPT: Final = 4096
"""Length of the change log. A reader further behind reads everything, which then costs no more than catching up."""
TRIM_EVERY: Final = 256
"""The log is trimmed when a transaction crosses a multiple of this, so that most pay nothing for it."""

_ROLE_COLUMNS = tuple(
    schema.role.c[name]
    for name in (
        "account",
        "path",
        "name",
        "unique_id",
        "description",
        "max_session_duration",
        "trust_policy",
        "trust_principals",
        "created_at",
    )
)
_PROVIDER_COLUMNS = tuple(
    schema.oidc_provider.c[name] for name in ("account", "url", "client_ids", "thumbprints", "created_at")
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the database's errors into ours. Anything that is neither a conflict nor an outage passes: it is a fault."""
    try:
        yield
    except IntegrityError as error:
        raise _conflict(error) from error
    except OperationalError as error:
        raise unavailable() from error
    except DBAPIError as error:
        # sqlite3 raises the family's own root for a file that is damaged or no database; its branches are faults.
        if type(error) is not sa.exc.DatabaseError:
            raise
        raise unavailable() from error


def unavailable() -> UnavailableError:
    """The error for a database that cannot be written now."""
    return UnavailableError(Reason.STORE_UNAVAILABLE, "The service cannot write at the moment; try again later.")


class Transaction:
    """An open transaction; made by ``Store.transaction`` only.

    After any call has raised, the transaction can only be rolled back: leaving the block normally is then an error.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._changed: dict[tuple[str, str], None] = {}
        self._broken = False

    # Accounts

    async def account(self, account_id: str) -> Account | None:
        """The account with these twelve digits."""
        row = await self._one(sa.select(schema.account).where(schema.account.c.account_id == account_id))
        return None if row is None else Account(*row)

    async def put_account(self, account: Account) -> None:
        """Insert an account, or replace it."""
        values = {"account_id": account.account_id, "created_at": account.created_at}
        await self._put(schema.account, values)
        self._changed[loading.ACCOUNT, account.account_id] = None

    # Access keys

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        """The access key with this id."""
        table = schema.access_key
        row = await self._one(sa.select(table).where(table.c.access_key_id == access_key_id))
        return None if row is None else AccessKey(*row)

    async def access_keys(self, account: str) -> list[AccessKey]:
        """The access keys of an account, by id."""
        table = schema.access_key
        query = sa.select(table).where(table.c.account == account).order_by(table.c.access_key_id)
        return [AccessKey(*row) for row in await self._all(query)]

    async def put_access_key(self, key: AccessKey) -> None:
        """Insert an access key, or replace it. Raises EntityError for the id of one that was deleted."""
        values = {
            "access_key_id": key.access_key_id,
            "account": key.account,
            "user_id": key.user_id,
            "wrapped_secret": key.wrapped_secret,
            "status": key.status,
            "created_at": key.created_at,
        }
        if await self._put(schema.access_key, values):
            await self._use_id(key.access_key_id)
        self._changed[loading.ACCESS_KEY, key.access_key_id] = None

    async def delete_access_key(self, access_key_id: str) -> bool:
        """Delete an access key; its id is never used again. Returns whether there was one."""
        table = schema.access_key
        return await self._delete(
            sa.delete(table).where(table.c.access_key_id == access_key_id), loading.ACCESS_KEY, access_key_id
        )

    # Roles

    async def role(self, account: str, name: str) -> Role | None:
        """The role with exactly this name."""
        role = await self.role_by_casefolded_name(account, name)
        return role if role is not None and role.name == name else None

    async def role_by_casefolded_name(self, account: str, name: str) -> Role | None:
        """The role whose name is this one but for case: what stands in the way of a new role of that name."""
        table = schema.role
        return await self._role_where(table.c.account == account, table.c.folded_name == name.casefold())

    async def role_by_id(self, unique_id: str) -> Role | None:
        """The role with this unique id."""
        return await self._role_where(schema.role.c.unique_id == unique_id)

    async def count_roles(self, account: str) -> int:
        """How many roles the account has."""
        query = sa.select(sa.func.count()).select_from(schema.role).where(schema.role.c.account == account)
        row = await self._one(query)
        return 0 if row is None else int(row[0])

    async def put_role(self, role: Role) -> None:
        """Insert a role, or replace the one with its unique id, tags and inline policies included.

        Raises EntityError when another role of the account has the name (without regard to case), when the unique id
        is that of a role that was deleted, or when a tag key or a policy name comes twice.
        """
        values = {
            "unique_id": role.unique_id,
            "account": role.account,
            "path": role.path,
            "name": role.name,
            "folded_name": role.name.casefold(),
            "description": role.description,
            "max_session_duration": role.max_session_duration,
            "trust_policy": role.trust_policy,
            "trust_principals": loading.encode_list(role.trust_principals),
            "created_at": role.created_at,
        }
        new = await self._put(schema.role, values)
        if new:
            await self._use_id(role.unique_id)
        owner = {"role_id": role.unique_id}
        await self._put_parts(schema.role_tag, owner, ("key", "value"), role.tags, new)
        await self._put_parts(schema.role_inline_policy, owner, ("name", "document"), role.inline_policies, new)
        self._changed[loading.ROLE, role.unique_id] = None

    async def delete_role(self, account: str, name: str) -> bool:
        """Delete the role with exactly this name, with all its parts. Returns whether there was one."""
        role = await self.role(account, name)
        if role is None:
            return False
        query = sa.delete(schema.role).where(schema.role.c.unique_id == role.unique_id)
        return await self._delete(query, loading.ROLE, role.unique_id)

    # OIDC providers

    async def oidc_provider(self, account: str, name: str) -> OidcProvider | None:
        """The OIDC provider of this name: its issuer URL without the scheme."""
        table, tags = schema.oidc_provider, schema.oidc_provider_tag
        row = await self._one(sa.select(*_PROVIDER_COLUMNS).where(table.c.account == account, table.c.name == name))
        if row is None:
            return None
        owned = sa.select(tags.c.key, tags.c.value).where(tags.c.account == account, tags.c.provider == name)
        return loading.oidc_provider_of(row, await self._pairs(owned.order_by(tags.c.position)))

    async def put_oidc_provider(self, provider: OidcProvider) -> None:
        """Insert an OIDC provider, or replace the one of its name. Raises EntityError when a tag key comes twice."""
        values = {
            "account": provider.account,
            "name": provider.name,
            "url": provider.url,
            "client_ids": loading.encode_list(provider.client_ids),
            "thumbprints": loading.encode_list(provider.thumbprints),
            "created_at": provider.created_at,
        }
        new = await self._put(schema.oidc_provider, values)
        owner = {"account": provider.account, "provider": provider.name}
        await self._put_parts(schema.oidc_provider_tag, owner, ("key", "value"), provider.tags, new)
        self._changed[loading.OIDC_PROVIDER, loading.provider_key(provider.account, provider.name)] = None

    async def delete_oidc_provider(self, account: str, name: str) -> bool:
        """Delete an OIDC provider. Returns whether there was one."""
        table = schema.oidc_provider
        query = sa.delete(table).where(table.c.account == account, table.c.name == name)
        return await self._delete(query, loading.OIDC_PROVIDER, loading.provider_key(account, name))

    # The key ring

    async def sealing_keys(self) -> list[SealingKey]:
        """The key ring, oldest first."""
        table = schema.sealing_key
        rows = await self._all(sa.select(table).order_by(table.c.created_at, table.c.key_id))
        return [SealingKey(*row) for row in rows]

    async def put_sealing_key(self, key: SealingKey) -> None:
        """Insert a sealing key, or replace it."""
        values = {
            "key_id": key.key_id,
            "wrapped": key.wrapped,
            "created_at": key.created_at,
            "active_from": key.active_from,
            "retire_at": key.retire_at,
        }
        await self._put(schema.sealing_key, values)
        self._changed[loading.SEALING_KEY, key.key_id.hex()] = None

    async def delete_sealing_key(self, key_id: bytes) -> bool:
        """Delete a sealing key. Returns whether there was one."""
        query = sa.delete(schema.sealing_key).where(schema.sealing_key.c.key_id == key_id)
        return await self._delete(query, loading.SEALING_KEY, key_id.hex())

    # What every one of them does

    async def record_changes(self) -> None:
        """Write the change log; the last thing before the commit. For ``Store.transaction``."""
        if self._broken:
            raise RuntimeError("a transaction in which a call has failed cannot be committed")
        if not self._changed:
            return
        await self._execute(sa.insert(schema.change), [{"kind": kind, "key": key} for kind, key in self._changed])
        row = await self._one(sa.select(sa.func.max(schema.change.c.revision)))
        newest = 0 if row is None else int(row[0])
        if newest // TRIM_EVERY != (newest - len(self._changed)) // TRIM_EVERY:
            await self._execute(sa.delete(schema.change).where(schema.change.c.revision <= newest - CHANGES_KEPT))

    async def _role_where(self, *conditions: sa.ColumnElement[bool]) -> Role | None:
        row = await self._one(sa.select(*_ROLE_COLUMNS).where(*conditions))
        if row is None:
            return None
        tags, policies = schema.role_tag, schema.role_inline_policy
        labels = sa.select(tags.c.key, tags.c.value).where(tags.c.role_id == row[3]).order_by(tags.c.position)
        texts = sa.select(policies.c.name, policies.c.document).where(policies.c.role_id == row[3])
        return loading.role_of(row, await self._pairs(labels), await self._pairs(texts.order_by(policies.c.position)))

    async def _put(self, table: sa.Table, values: Mapping[str, object]) -> bool:
        """Update the row with this primary key, or insert it. Returns whether it is new."""
        same = [column == values[column.name] for column in table.primary_key]
        result = await self._execute(sa.update(table).where(*same).values(values))
        if result.rowcount:
            return False
        await self._execute(sa.insert(table), values)
        return True

    async def _put_parts(
        self,
        table: sa.Table,
        owner: Mapping[str, str],
        columns: tuple[str, str],
        parts: Sequence[tuple[str, str]],
        new: bool,
    ) -> None:
        """Write the named parts of an entity in place of those it had."""
        if not new:
            await self._execute(sa.delete(table).where(*(table.c[column] == value for column, value in owner.items())))
        if parts:
            first, second = columns
            rows = [
                {**owner, "position": position, first: one, second: other}
                for position, (one, other) in enumerate(parts)
            ]
            await self._execute(sa.insert(table), rows)

    async def _use_id(self, unique_id: str) -> None:
        """Note that an id was given out. Raises EntityError when it was before."""
        await self._execute(sa.insert(schema.used_id), {"unique_id": unique_id})

    async def _delete(self, query: sa.Delete, kind: str, key: str) -> bool:
        result = await self._execute(query)
        if not result.rowcount:
            return False
        self._changed[kind, key] = None
        return True

    async def _one(self, query: sa.Select[Any]) -> Sequence[Any] | None:
        result = await self._execute(query)
        row: Sequence[Any] | None = result.first()
        return row

    async def _all(self, query: sa.Select[Any]) -> Iterable[Sequence[Any]]:
        rows: Sequence[Sequence[Any]] = (await self._execute(query)).all()
        return rows

    async def _pairs(self, query: sa.Select[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(first, second) for first, second in await self._all(query)]

    async def _execute(self, query: sa.Executable, values: Any = None) -> Any:
        """Run a statement; its cursor result."""
        try:
            with translated_errors():
                return await self._connection.execute(query, values)
        except BaseException:
            self._broken = True
            raise


def _conflict(error: IntegrityError) -> EntityError:
    """Which constraint it was. SQLite names the kind (https://www.sqlite.org/rescode.html#extrc)."""
    name = getattr(error.orig, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return EntityError(Reason.NO_SUCH_ENTITY, "What this belongs to does not exist.")
    if name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
        return EntityError(Reason.ENTITY_ALREADY_EXISTS, "The name or id is taken.")
    raise error
