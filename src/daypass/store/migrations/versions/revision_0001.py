# SPDX-License-Identifier: Apache-2.0
"""
The first tables.

There is no way back from a revision: the copy that was put aside before it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _create_accounts_and_keys()
    _create_roles()
    _create_oidc_providers()
    _create_change_log()


def _create_accounts_and_keys() -> None:
    """Accounts, their access keys, the ring of sealing keys, and the ids ever used."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_account"),
    )
    op.create_table(
        "access_key",
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("wrapped_secret", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('Active', 'Inactive')", name=op.f("ck_access_key_status")),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_access_key_account"),
        sa.PrimaryKeyConstraint("access_key_id", name="pk_access_key"),
    )
    op.create_table(
        "sealing_key",
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("active_from", sa.BigInteger(), nullable=False),
        sa.Column("retire_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name="pk_sealing_key"),
    )
    op.create_table(
        "used_id",
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_used_id"),
    )


def _create_roles() -> None:
    """Roles with their parts."""
    op.create_table(
        "role",
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("max_session_duration", sa.BigInteger(), nullable=False),
        sa.Column("trust_policy", sa.Text(), nullable=False),
        sa.Column("trust_principals", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_role_account"),
        sa.PrimaryKeyConstraint("unique_id", name="pk_role"),
        sa.UniqueConstraint("account", "folded_name", name="uq_role_account_folded_name"),
    )
    op.create_table(
        "role_tag",
        sa.Column("role_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.unique_id"], name="fk_role_tag_role", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "position", name="pk_role_tag"),
        sa.UniqueConstraint("role_id", "key", name="uq_role_tag_role_id_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "role_inline_policy",
        sa.Column("role_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.unique_id"], name="fk_role_inline_policy_role", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "position", name="pk_role_inline_policy"),
        sa.UniqueConstraint("role_id", "name", name="uq_role_inline_policy_role_id_name"),
        sqlite_with_rowid=False,
    )


def _create_oidc_providers() -> None:
    """OIDC providers with their tags."""
    op.create_table(
        "oidc_provider",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.Text(), nullable=False),
        sa.Column("thumbprints", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_oidc_provider_account"),
        sa.PrimaryKeyConstraint("account", "name", name="pk_oidc_provider"),
    )
    op.create_table(
        "oidc_provider_tag",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "provider"],
            ["oidc_provider.account", "oidc_provider.name"],
            name="fk_oidc_provider_tag_oidc_provider",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account", "provider", "position", name="pk_oidc_provider_tag"),
        sa.UniqueConstraint("account", "provider", "key", name="uq_oidc_provider_tag_account_provider_key"),
        sqlite_with_rowid=False,
    )


def _create_change_log() -> None:
    """The change log."""
    op.create_table(
        "change",
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_change"),
        sqlite_autoincrement=True,
    )
