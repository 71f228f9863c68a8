# SPDX-License-Identifier: Apache-2.0
"""
Everything of IAM: users, groups, managed policies, and what belongs to them.

Tags and inline policies move from tables of their own into the row of what they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROLE = (
    "account, path, name, unique_id, description, max_session_duration, trust_policy, trust_principals, created_at,"
    " folded_name"
)
_PROVIDER = "account, url, client_ids, thumbprints, created_at, name"


def upgrade() -> None:
    """Keep the roles and providers there are, and make the tables."""
    roles, providers = _roles(), _providers()
    for table in ("role_tag", "role_inline_policy", "role", "oidc_provider_tag", "oidc_provider"):
        op.drop_table(table)
    _create_roles_and_providers()
    for table, rows in (("role", roles), ("oidc_provider", providers)):
        if rows:
            columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in rows[0]]
            op.bulk_insert(sa.table(table, *columns), rows)
    _create_identities()
    _create_credentials()
    _create_profiles()
    _create_account_records()
    _create_reports()
    _create_delegation_requests()


def _rows(query: str) -> Sequence[sa.Row[Any]]:
    return op.get_bind().execute(sa.text(query)).all()


def _pairs(query: str, owner: int) -> dict[tuple[Any, ...], list[tuple[str, str]]]:
    """Parts by their owner, which is the first columns of the rows; in order."""
    found: dict[tuple[Any, ...], list[tuple[str, str]]] = {}
    for row in _rows(query):
        found.setdefault(tuple(row[:owner]), []).append((row[owner], row[owner + 1]))
    return found


def _text(pairs: list[tuple[str, str]]) -> str:
    return json.dumps(pairs, separators=(",", ":"), ensure_ascii=False)


def _roles() -> list[dict[str, Any]]:
    tags = _pairs("SELECT role_id, key, value FROM role_tag ORDER BY role_id, position", 1)
    policies = _pairs("SELECT role_id, name, document FROM role_inline_policy ORDER BY role_id, position", 1)
    return [
        {
            **row._mapping,
            "tags": _text(tags.get((row.unique_id,), [])),
            "inline_policies": _text(policies.get((row.unique_id,), [])),
            "attached_policies": "[]",
            "permissions_boundary": None,
        }
        for row in _rows(f"SELECT {_ROLE} FROM role")  # noqa: S608 - a constant
    ]


def _providers() -> list[dict[str, Any]]:
    tags = _pairs("SELECT account, provider, key, value FROM oidc_provider_tag ORDER BY account, provider, position", 2)
    return [
        {**row._mapping, "tags": _text(tags.get((row.account, row.name), []))}
        for row in _rows(f"SELECT {_PROVIDER} FROM oidc_provider")  # noqa: S608 - a constant
    ]


def _create_roles_and_providers() -> None:
    """Roles and OIDC providers, whole in a row."""
    op.create_table(
        "role",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("max_session_duration", sa.BigInteger(), nullable=False),
        sa.Column("trust_policy", sa.Text(), nullable=False),
        sa.Column("trust_principals", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("inline_policies", sa.Text(), nullable=False),
        sa.Column("attached_policies", sa.Text(), nullable=False),
        sa.Column("permissions_boundary", sa.Text(), nullable=True),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_role"),
        sa.UniqueConstraint("account", "folded_name", name="uq_role_account_folded_name"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_role_account"),
    )
    op.create_table(
        "oidc_provider",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.Text(), nullable=False),
        sa.Column("thumbprints", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name="pk_oidc_provider"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_oidc_provider_account"),
    )


def _create_identities() -> None:
    """Users, groups and managed policies."""
    op.create_table(
        "iam_user",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("inline_policies", sa.Text(), nullable=False),
        sa.Column("attached_policies", sa.Text(), nullable=False),
        sa.Column("permissions_boundary", sa.Text(), nullable=True),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("password_last_used", sa.BigInteger(), nullable=True),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_iam_user"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_iam_user_account"),
        sa.UniqueConstraint("account", "folded_name", name="uq_iam_user_account_folded_name"),
    )
    op.create_table(
        "iam_group",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("inline_policies", sa.Text(), nullable=False),
        sa.Column("attached_policies", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_iam_group"),
        sa.UniqueConstraint("account", "folded_name", name="uq_iam_group_account_folded_name"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_iam_group_account"),
    )
    op.create_table(
        "managed_policy",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("default_version", sa.BigInteger(), nullable=False),
        sa.Column("next_version", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_managed_policy"),
        sa.UniqueConstraint("account", "folded_name", name="uq_managed_policy_account_folded_name"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_managed_policy_account"),
    )


def _create_credentials() -> None:
    """What users sign in with, besides access keys."""
    op.create_table(
        "login_profile",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("reset_required", sa.Text(), nullable=False),
        sa.Column("former_hashes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_login_profile"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_login_profile_account"),
    )
    op.create_table(
        "ssh_public_key",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_ssh_public_key"),
        sa.CheckConstraint("status IN ('Active', 'Inactive')", name=op.f("ck_ssh_public_key_status")),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_ssh_public_key_account"),
    )
    op.create_table(
        "signing_certificate",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_signing_certificate"),
        sa.CheckConstraint("status IN ('Active', 'Inactive')", name=op.f("ck_signing_certificate_status")),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_signing_certificate_account"),
    )
    op.create_table(
        "service_credential",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("wrapped_password", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("unique_id", name="pk_service_credential"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_service_credential_account"),
        sa.CheckConstraint("status IN ('Active', 'Inactive')", name=op.f("ck_service_credential_status")),
    )


def _create_profiles() -> None:
    """Instance profiles and server certificates."""
    op.create_table(
        "instance_profile",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_instance_profile"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_instance_profile_account"),
        sa.UniqueConstraint("account", "folded_name", name="uq_instance_profile_account_folded_name"),
    )
    op.create_table(
        "server_certificate",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=True),
        sa.Column("wrapped_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_server_certificate"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_server_certificate_account"),
        sa.UniqueConstraint("account", "folded_name", name="uq_server_certificate_account_folded_name"),
    )


def _create_account_records() -> None:
    """What an account has set, asked and been asked."""
    op.create_table(
        "account_settings",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("password_policy", sa.Text(), nullable=False),
        sa.Column("token_version", sa.Text(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_account_settings"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_account_settings_account"),
    )
    op.create_table(
        "role_deletion",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("role_arn", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_role_deletion"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_role_deletion_account"),
    )
    op.create_table(
        "credential_report",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("generated_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_credential_report"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_credential_report_account"),
    )


def _create_reports() -> None:
    """When what was last used, and who asked."""
    op.create_table(
        "access_report",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("entity_arn", sa.Text(), nullable=False),
        sa.Column("granularity", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unique_id", name="pk_access_report"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_access_report_account"),
    )
    op.create_table(
        "last_use",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "service", "action", name="pk_last_use"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_last_use_account"),
    )


def _create_delegation_requests() -> None:
    """Requests for delegated access."""
    op.create_table(
        "delegation_request",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("requestor_account", sa.Text(), nullable=False),
        sa.Column("requestor_id", sa.Text(), nullable=False),
        sa.Column("requestor_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("template_arn", sa.Text(), nullable=True),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("permission_policy", sa.Text(), nullable=True),
        sa.Column("request_message", sa.Text(), nullable=True),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("notification_channel", sa.Text(), nullable=False),
        sa.Column("session_duration", sa.BigInteger(), nullable=False),
        sa.Column("only_send_by_owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("owner_account", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("owner_user_id", sa.Text(), nullable=True),
        sa.Column("approver_id", sa.Text(), nullable=True),
        sa.Column("approver_user_id", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("unique_id", name="pk_delegation_request"),
        sa.ForeignKeyConstraint(["account"], ["account.account_id"], name="fk_delegation_request_account"),
    )
