# SPDX-License-Identifier: Apache-2.0
"""
The live store, read for an explanation: users and roles as they are at this moment, beside a server that may be running.

Nothing is written: a database that is not there is not made, and one of another version is not migrated.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

from daypass import arn
from daypass.access.bearer import provider_of_arn
from daypass.access.context import organization_keys
from daypass.access.organization import resource_control_policies, service_control_policies
from daypass.access.policies import SERVICE_LINKED_PATH, boundary_of, identity_policies, managed_policy
from daypass.access.trust import trust_policy_of
from daypass.cli.explain.question import SESSION_NAME, TRUST_ACTIONS, Known, QuestionError, owner_of, read_principal
from daypass.clock import system_clock
from daypass.iam.provided import load_provided
from daypass.principal import AccountPrincipal, Principal, RoleSession
from daypass.principal import User as UserPrincipal
from daypass.resources import policy_arn_of, recorded_owner, resource_of
from daypass.server.settings import load_settings
from daypass.store import Role, User, View, sqlite
from daypass.store.loading import Contents
from daypass.store.migrate import HEAD, stored_revision
from daypass.store.reader import Reader


def read_view(data_dir: Path | None, database_url: str | None) -> View:
    """
    Everything that is stored, in the database that ``daypass serve`` would use with the same settings.

    Raises ConfigurationError, or QuestionError when there is none.
    """
    settings = load_settings({"data_dir": data_dir, "database_url": database_url}, os.environ)
    path = sqlite.locate(settings.database_url, settings.data_dir)
    if not path.exists():
        raise QuestionError(f"--data-dir: there is no database at {str(path)!r}; daypass serve makes one")
    try:
        if stored_revision(path) != HEAD:
            raise QuestionError(f"{str(path)!r} is of another version; daypass serve brings it up to date")
        reader = Reader(path, system_clock, Contents(load_provided(settings.data_dir)))
    except sqlite3.DatabaseError as error:
        raise sqlite.cannot_open(path, str(error)) from error
    view = reader.view()
    reader.close()
    return view


def caller_in_store(
    data_dir: Path | None,
    database_url: str | None,
    principal: str | None,
    role: str | None,
    action: str,
    resource: str,
    resource_account: str | None,
) -> tuple[Principal, Known]:
    """Who asks, and what the store knows of them and of the resource. Raises as the functions below do."""
    view = read_view(data_dir, database_url)
    who, entity = read_caller(view, principal, role)
    known = known_of(view, entity, action, resource)
    policy_arn = policy_arn_of(resource)
    recorded = recorded_owner(policy_arn, view) if policy_arn else None
    owner = owner_of(resource, who, resource_account or recorded)
    own = resource_of(resource, policy_arn, owner, view, principal=who, action=action)
    known = replace(known, owner=recorded, resource=own.policy)
    return who, _governed(known, view, who, owner)


def read_caller(view: View, principal: str | None, role_name: str | None) -> tuple[Principal, Role | User | None]:
    """Who asks, and the user or for sessions the role. Raises QuestionError when no such user or role is stored."""
    if role_name is not None:
        named = [view.roles.with_name(account.account_id, role_name) for account in view.accounts.of("")]
        found = [role for role in named if role is not None]
        if len(found) != 1:
            raise QuestionError(f"--role: expected the name of a role of this store, got {role_name!r}")
        return _session(found[0], SESSION_NAME), found[0]
    who = read_principal(principal or "")
    if isinstance(who, UserPrincipal):
        user = view.users.with_name(who.account, who.name)
        if user is None or user.arn != principal:
            raise QuestionError(f"--principal: no such user in this store: {principal!r}")
        return UserPrincipal(user.account, user.path, user.name, user.unique_id), user
    if not isinstance(who, RoleSession):
        return who, None
    role = view.roles.with_name(who.account, who.role_name)
    by_role_arn = principal != who.arn
    if role is None or (by_role_arn and role.arn != principal):
        raise QuestionError(f"--principal: no such role in this store: {principal!r}")
    return _session(role, who.session_name), role


def _session(role: Role, name: str) -> RoleSession:
    return RoleSession(role.account, role.path, role.name, role.unique_id, name)


def known_of(view: View, entity: Role | User | None, action: str, resource: str) -> Known:
    """
    What the store says of the caller's user or role, and of the resource.

    Raises QuestionError for a role that is to be assumed and is not there.
    """
    target = _role_at(view, resource)
    trusting = action.lower() in TRUST_ACTIONS
    if trusting and target is None:
        raise QuestionError(f"--resource: no such role in this store: {resource!r}")
    return Known(
        identity=() if entity is None else identity_policies(entity, view),
        boundary=None if entity is None else boundary_of(entity, view),
        trust=trust_policy_of(target) if trusting and target is not None else None,
        principal_tags=() if entity is None else entity.tags,
        resource_tags=_tags_of(view, resource) if target is None else target.tags,
    )


def _governed(known: Known, view: View, who: Principal, owner: str) -> Known:
    """The same with what the organisation above the accounts of the caller and of the resource says."""
    account = who.account if isinstance(who, AccountPrincipal) else None
    return replace(
        known,
        scps=None if account is None else service_control_policies(account, view),
        rcps=resource_control_policies(owner, view),
        service_linked_role=isinstance(who, RoleSession) and who.role_path.startswith(SERVICE_LINKED_PATH),
        organization=organization_keys(account, owner, view),
    )


def _role_at(view: View, resource: str) -> Role | None:
    if not resource.startswith("arn:aws:iam::"):
        return None
    parsed = arn.Arn.parse(resource)
    role = view.roles.with_name(parsed.account, parsed.name)
    return role if role is not None and role.arn == resource else None


def _tags_of(view: View, resource: str) -> tuple[tuple[str, str], ...]:
    """The tags of a user, a managed policy or an identity provider."""
    account, name = resource.split(":")[4:5], resource.rpartition("/")[2]
    found = (
        view.users.with_name("".join(account), name),
        managed_policy(view, resource),
        provider_of_arn(resource, view),
    )
    return next((entity.tags for entity in found if entity is not None and entity.arn == resource), ())
