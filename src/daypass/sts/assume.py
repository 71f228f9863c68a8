# SPDX-License-Identifier: Apache-2.0
"""
Whoever a role trusts gets a session of it (STS API: AssumeRole, AssumeRoleWithWebIdentity, AssumeRoleWithSAML).

The steps that no grant may forget live here: the role's longest duration, the session policies' form and size, the tags
and the source identity, and the credentials themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from daypass.access import Trusted
from daypass.credentials import TemporaryCredentials
from daypass.principal import RoleSession
from daypass.sessions import Session, Sessions, packed_policy_size, role_session_duration
from daypass.sts.members import credentials_members
from daypass.sts.session_policies import SessionPolicies


class SessionWishes(msgspec.Struct, frozen=True):
    """What the caller asks of the session, beside the proof. ``duration`` in seconds."""

    session_name: str
    duration: int | None = None
    policies: SessionPolicies = SessionPolicies()
    minimum_token_size: int = 0

    @classmethod
    def of(cls, parameters: Mapping[str, Any], policies: SessionPolicies, session_name: str) -> SessionWishes:
        """The wishes of a request, whose policies were read before."""
        duration, size = parameters.get("DurationSeconds"), parameters.get("MinimumSessionTokenSize", 0)
        return cls(session_name, duration, policies, size)


class Assumed(msgspec.Struct, frozen=True):
    """Credentials for a role session, and who that session is. ``packed_policy_size`` is a percentage."""

    credentials: TemporaryCredentials
    principal: RoleSession
    packed_policy_size: int | None
    session: Session

    def members(self) -> dict[str, object]:
        """The output members that all AssumeRole* operations have."""
        return {
            **credentials_members(self.credentials),
            "AssumedRoleUser": {"AssumedRoleId": self.principal.user_id, "Arn": self.principal.arn},
            "PackedPolicySize": self.packed_policy_size,
            "SourceIdentity": self.session.source_identity,
        }


def assume(trusted: Trusted, wishes: SessionWishes, *, sessions: Sessions, now: float) -> Assumed:
    """
    Make the session. In this order:

    1. the duration: what was asked for, or an hour; never more than the role allows, nor than an hour when a role session
       asks, nor beyond the end of the session that asks;
    2. the session policies, which compiled as such, fit the packed size together with the tags;
    3. the session is sealed, with the tags and source identity that were proved, or passed and permitted.

    Raises RequestError or PolicyError. **Trust was decided before:** a ``Trusted`` is made by ``access.trust`` alone.
    """
    role, policies, before = trusted.role, wishes.policies, trusted.before
    seconds = role_session_duration(wishes.duration, role.max_session_duration, chained=trusted.chained)
    packed = packed_policy_size(policies.inline, policies.arns, dict(trusted.tags))
    issued_at = int(now)
    expires_at = issued_at + seconds
    session = Session(
        account=role.account,
        role_id=role.unique_id,
        session_name=wishes.session_name,
        issued_at=issued_at,
        expires_at=expires_at if trusted.not_after is None else min(expires_at, trusted.not_after),
        provider_arn=trusted.provider_arn,
        subject=trusted.subject,
        policy=policies.inline,
        policy_arns=policies.arns,
        tags=trusted.tags,
        transitive_tag_keys=trusted.transitive_tag_keys,
        source_identity=trusted.source_identity,
        mfa_at=trusted.mfa_at,
        chain=before.chain,
        user_id=before.user_id,
        key_id=before.key_id,
        policy_versions=policies.versions,
        parents=before.parents,
        origin_provider=before.origin_provider,
        origin_subject=before.origin_subject,
        policy_ids=policies.ids,
    )
    credentials = sessions.issue(session, now=now, minimum_token_size=wishes.minimum_token_size)
    principal = RoleSession(role.account, role.path, role.name, role.unique_id, wishes.session_name)
    return Assumed(credentials, principal, packed, session)
