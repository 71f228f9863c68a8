# SPDX-License-Identifier: Apache-2.0
"""
What governs accounts and sessions: revocations, MFA devices, the organisation and its policies, issuer keys; and the log
of issued sessions.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    _create_control_of_sessions()
    _create_organization()
    _create_issuer_keys()
    _create_issued_sessions()


def _create_control_of_sessions() -> None:
    """Ended sessions and second factors."""
    op.create_table(
        "revocation",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "value", name="pk_revocation"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_revocation_account"),
    )
    op.create_table(
        "mfa_device",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wrapped_seed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("enabled_at", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.Column("drift", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name="pk_mfa_device"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_mfa_device_account"),
    )


def _create_organization() -> None:
    """The organisation, its parts and its policies."""
    op.create_table(
        "organization",
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("management_account", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("root_policies", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_organization"),
    )
    op.create_table(
        "organizational_unit",
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_organizational_unit"),
    )
    op.create_table(
        "membership",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_membership"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_membership_account"),
    )
    op.create_table(
        "organization_policy",
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_organization_policy"),
    )


def _create_issuer_keys() -> None:
    """Keys that sign identity tokens of ours, and since when an account has them signed."""
    op.create_table(
        "issuer_key",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("public_jwk", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("active_from", sa.BigInteger(), nullable=False),
        sa.Column("retire_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("unique_id", name="pk_issuer_key"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_issuer_key_account"),
    )
    with op.batch_alter_table(
        "account_settings", recreate="always"
    ) as settings:  # so that its statement is the schema's
        settings.add_column(sa.Column("web_identity_enabled_at", sa.BigInteger(), nullable=True))


def _create_issued_sessions() -> None:
    """The log of issued sessions."""
    texts = ("access_key_id", "account", "kind", "principal_arn", "role_id", "user_id", "key_id", "session_name")
    proofs = ("provider_arn", "subject", "origin_provider", "origin_subject", "source_identity")
    op.create_table(
        "issued_session",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Text(), nullable=True) for name in proofs),
        sa.Column("parents", sa.Text(), nullable=False),
        sa.Column("sealed_by", sa.Text(), nullable=False),
        sa.Column("source_ip", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_issued_session"),
        sa.UniqueConstraint("access_key_id", name="uq_issued_session_access_key_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_issued_session_expires_at", "issued_session", ["expires_at"])
