# SPDX-License-Identifier: Apache-2.0
"""
The tables, for SQLite and PostgreSQL alike, and what has to hold across records.

- An entity is a row; a named part of it (a tag, an inline policy) is a row that goes with it; a plain list is a JSON
  array in a column. ``position`` keeps the order in which parts were given.
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

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("access_key_id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
    sa.Column("user_id", sa.Text),
    sa.Column("wrapped_secret", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.CheckConstraint("status IN ('Active', 'Inactive')", name="status"),
)

role = sa.Table(
    "role",
    metadata,
    sa.Column("unique_id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("account.account_id"), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("folded_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("max_session_duration", sa.BigInteger, nullable=False),
    sa.Column("trust_policy", sa.Text, nullable=False),
    sa.Column("trust_principals", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("account", "folded_name"),
)

role_tag = sa.Table(
    "role_tag",
    metadata,
    sa.Column("role_id", sa.Text, sa.ForeignKey("role.unique_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.UniqueConstraint("role_id", "key"),
    sqlite_with_rowid=False,
)

role_inline_policy = sa.Table(
    "role_inline_policy",
    metadata,
    sa.Column("role_id", sa.Text, sa.ForeignKey("role.unique_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.UniqueConstraint("role_id", "name"),
    sqlite_with_rowid=False,
)

oidc_provider = sa.Table(
    "oidc_provider",
    metadata,
    sa.Column("account", sa.Text, sa.ForeignKey("account.account_id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("client_ids", sa.Text, nullable=False),
    sa.Column("thumbprints", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

oidc_provider_tag = sa.Table(
    "oidc_provider_tag",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["account", "provider"], ["oidc_provider.account", "oidc_provider.name"], ondelete="CASCADE"
    ),
    sa.UniqueConstraint("account", "provider", "key"),
    sqlite_with_rowid=False,
)

sealing_key = sa.Table(
    "sealing_key",
    metadata,
    sa.Column("key_id", sa.LargeBinary, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("active_from", sa.BigInteger, nullable=False),
    sa.Column("retire_at", sa.BigInteger),
)

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
