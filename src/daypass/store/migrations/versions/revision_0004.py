# SPDX-License-Identifier: Apache-2.0
"""SAML providers; and one-time things that were spent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "saml_provider",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("encryption_mode", sa.Text(), nullable=True),
        sa.Column("private_keys", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name="pk_saml_provider"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_saml_provider_account"),
    )
    op.create_table(
        "spent",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_spent"),
    )
    op.create_index("ix_spent_expires_at", "spent", ["expires_at"])
