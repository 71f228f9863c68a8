# SPDX-License-Identifier: Apache-2.0
"""Buckets and who owns them, public access blocks, and policies of resources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "bucket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("public_access", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_bucket"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_bucket_account"),
    )
    op.create_table(
        "account_public_access",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("public_access", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_account_public_access"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_account_public_access_account"),
    )
    op.create_table(
        "resource_policy",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("principals", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name="pk_resource_policy"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_resource_policy_account"),
    )
