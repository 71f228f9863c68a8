# SPDX-License-Identifier: Apache-2.0
"""
A trusted identity becomes a role session (STS API: AssumeRoleWithWebIdentity, AssumeRoleWithSAML).

The steps that no grant may forget live here: the role's longest duration, the session policies' form and size, the tags
and the source identity of the proof, and the credentials themselves.
"""

from __future__ import annotations

import msgspec

from daypass.access import Trusted
from daypass.credentials import TemporaryCredentials
from daypass.policy import Kind, compile_policy
from daypass.principal import RoleSession
from daypass.sessions import Session, Sessions, packed_policy_size, role_session_duration

SESSION_TOKEN_CHARACTERS = 4096
"""The space that SessionTokenUtilization is a percentage of (STS API: the largest MinimumSessionTokenSize)."""


class SessionWishes(msgspec.Struct, frozen=True):
    """What the caller asks of the session, beside the proof. ``duration`` in seconds, ``policy`` a JSON text."""

    session_name: str
    duration: int | None = None
    policy: str | None = None
    minimum_token_size: int = 0


class Assumed(msgspec.Struct, frozen=True):
    """Credentials for a role session, and who that session is. ``packed_policy_size`` is a percentage."""

    credentials: TemporaryCredentials
    principal: RoleSession
    packed_policy_size: int | None

    def members(self) -> dict[str, object]:
        """The output members that all AssumeRole* operations have."""
        token = self.credentials.session_token.reveal()
        return {
            "Credentials": {
                "AccessKeyId": self.credentials.access_key_id,
                "SecretAccessKey": self.credentials.secret_access_key.reveal(),
                "SessionToken": token,
                "Expiration": self.credentials.expiration,
            },
            "AssumedRoleUser": {"AssumedRoleId": self.principal.user_id, "Arn": self.principal.arn},
            "PackedPolicySize": self.packed_policy_size,
            "SessionTokenSize": len(token),
        }


def assume(trusted: Trusted, wishes: SessionWishes, *, sessions: Sessions, now: float) -> Assumed:
    """
    Make the session. In this order:

    1. the duration: what was asked for, or an hour; never more than the role allows;
    2. a session policy compiles as one, and with the tags it fits the packed size;
    3. the session is sealed, with the tags and source identity that the proof (and only the proof) brought.

    Raises RequestError or PolicyError. **Trust was decided before:** a ``Trusted`` is made by ``access.trust`` alone.
    """
    identity, role = trusted.identity, trusted.role
    seconds = role_session_duration(wishes.duration, role.max_session_duration)
    if wishes.policy is not None:
        compile_policy(wishes.policy, Kind.SESSION)
    packed = packed_policy_size(wishes.policy, (), identity.session_tags)
    issued_at = int(now)
    session = Session(
        account=role.account,
        role_id=role.unique_id,
        session_name=wishes.session_name,
        issued_at=issued_at,
        expires_at=issued_at + seconds,
        provider_arn=identity.provider_arn,
        subject=identity.subject,
        policy=wishes.policy,
        tags=tuple(identity.session_tags.items()),
        transitive_tag_keys=identity.transitive_tag_keys,
        source_identity=identity.source_identity,
    )
    credentials = sessions.issue(session, now=now, minimum_token_size=wishes.minimum_token_size)
    principal = RoleSession(role.account, role.path, role.name, role.unique_id, wishes.session_name)
    return Assumed(credentials, principal, packed)
