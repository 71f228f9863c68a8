# SPDX-License-Identifier: Apache-2.0
"""
The tables, for SQLite and PostgreSQL alike, and what has to hold across records.

- A table per kind of record and a column per field (``daypass.store.kinds``); what is neither text, number nor bytes is
  JSON in a text column.
- IAM names are unique without regard to case (IAM User Guide, "IAM identifiers"): ``folded_name`` is the name
  case-folded, and unique in its account.
- ``used_id`` holds every unique id and access key id that was ever given out. Rows are never removed from it, so an id
  is never used again, whatever became of its first owner.
- ``change`` names what changed, in order: a transaction that writes an entity adds a row, and readers fetch what is
  newer than they have seen (``daypass.store.loading``). Old rows are trimmed.

The migrations build these tables; a test holds the two together. SQLAlchemy is slow to import and only writing needs
it, so this module is imported when the first transaction begins, not at start.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from daypass.store.issued import IssuedSession
from daypass.store.kinds import KINDS, Kind
from daypass.store.records import Account

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_TYPES: Final[dict[type | None, type[sa.types.TypeEngine[Any]]]] = {
    str: sa.Text,
    int: sa.BigInteger,
    bytes: sa.LargeBinary,
    None: sa.Text,
}
_WITH_STATUS: Final = ("access_key", "ssh_public_key", "signing_certificate", "service_credential")


def _table(kind: Kind[Any]) -> sa.Table:
    record = kind.record
    columns = [
        sa.Column(name, _TYPES[kind.plain[name]], primary_key=name in record.identity, nullable=kind.optional[name])
        for name in kind.columns
    ]
    constraints: list[sa.Constraint] = [
        sa.PrimaryKeyConstraint(*record.identity),
    ]
    if record.named and record.folded:
        columns.append(sa.Column("folded_name", sa.Text, nullable=False))
        constraints.append(sa.UniqueConstraint("account", "folded_name"))
    if "account" in kind.columns and record is not Account:
        constraints.append(sa.ForeignKeyConstraint(["account"], ["account.account_id"]))
    if kind.name in _WITH_STATUS:
        constraints.append(sa.CheckConstraint("status IN ('Active', 'Inactive')", name="status"))
    return sa.Table(kind.name, metadata, *columns, *constraints)


tables: Final = {kind.name: _table(kind) for kind in KINDS.values()}
"""By kind."""

used_id = sa.Table(
    "used_id",
    metadata,
    sa.Column("unique_id", sa.Text, primary_key=True),
)

change = sa.Table(
    "change",
    metadata,
    sa.Column("revision", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

_MAY_BE_NULL: Final = ("provider_arn", "subject", "origin_provider", "origin_subject", "source_identity", "source_ip")

issued_session = sa.Table(
    "issued_session",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    *(
        sa.Column(
            name,
            sa.BigInteger if name in ("issued_at", "expires_at") else sa.Text,
            nullable=name in _MAY_BE_NULL,
        )
        for name in IssuedSession.__struct_fields__
    ),
    sa.UniqueConstraint("access_key_id"),
    sa.Index("ix_issued_session_expires_at", "expires_at"),
    sqlite_autoincrement=True,
)
"""The log of issued sessions (``daypass.store.issued``). ``number`` counts them, and is never used again."""

audit_block = sa.Table(
    "audit_block",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("begun_at", "ended_at", "records", "bytes_before")),
    *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("content", "previous", "digest")),
    sa.Index("ix_audit_block_ended_at", "ended_at"),
    sqlite_autoincrement=True,
)
"""The audit trail (``daypass.store.audit_trail``): blocks of records in a chain. In no view."""

spent = sa.Table(
    "spent",
    metadata,
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("kind", "key"),
    sa.Index("ix_spent_expires_at", "expires_at"),
)
"""One-time things that were used (``Transaction.spend``), until nobody would take them any more. In no view."""
