# SPDX-License-Identifier: Apache-2.0
"""Roles for journeys: policy documents in the fewest words, and what it takes to have a session of a role."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daypass.clock import system_clock
from fakes.oidc_provider import FakeOidcProvider, SigningKey
from running import Keys, make_client

ACCOUNT = "123456789012"
CLIENT = "client"
"""The audience that fake providers are registered with."""


def unique(prefix: str) -> str:
    """A name that no other test uses: tests share a server, in any order."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def statement(effect: str, *actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """One statement of an identity or session policy."""
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*") -> str:
    """A policy that allows these actions."""
    return document(statement("Allow", *actions, resource=resource))


def deny(*actions: str, resource: str | list[str] = "*") -> str:
    """A policy that denies these actions."""
    return document(statement("Deny", *actions, resource=resource))


def provider_arn(issuer: str) -> str:
    """The ARN of a registered provider."""
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.partition('://')[2]}"


def role_arn(name: str) -> str:
    """The ARN of a role at the root path."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def trusting(issuer: str, *, audience: str = CLIENT, subject: str = "alice", tags: bool = False) -> str:
    """A trust policy for one subject of one provider. ``tags``: whether the token may bring session tags."""
    name = issuer.partition("://")[2]
    actions = ["sts:AssumeRoleWithWebIdentity", *(["sts:TagSession"] if tags else [])]
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(issuer)},
            "Action": actions,
            "Condition": {"StringEquals": {f"{name}:aud": audience, f"{name}:sub": subject}},
        }
    )


@dataclass(frozen=True)
class Issuer:
    """A fake provider that is registered with a server, and what it takes to use it there."""

    fake: FakeOidcProvider
    url: str
    iam: Any

    def token(
        self, *, signed_by: SigningKey | None = None, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token of now, for an hour; every claim may be changed."""
        now = int(system_clock())
        return self.fake.token(signed_by, header, **{"iat": now, "exp": now + 3600, **claims})

    def role(self, policy: str | None = None, **changes: Any) -> str:
        """The name of a new role that trusts alice of this provider, with one inline policy or none."""
        name = unique("role")
        settings = {"AssumeRolePolicyDocument": trusting(self.fake.issuer), **changes}
        self.iam.create_role(RoleName=name, **settings)
        if policy is not None:
            self.iam.put_role_policy(RoleName=name, PolicyName="main", PolicyDocument=policy)
        return name

    def assume(self, role: str, token: str | None = None, session: str = "session", **parameters: Any) -> Any:
        """AssumeRoleWithWebIdentity by boto3."""
        return make_client(self.url, "sts").assume_role_with_web_identity(
            RoleArn=role_arn(role), RoleSessionName=session, WebIdentityToken=token or self.token(), **parameters
        )

    def session(self, role: str, **parameters: Any) -> Keys:
        """Keys of a new session of a role."""
        return Keys.of(self.assume(role, **parameters)["Credentials"])


def register(iam: Any, url: str, fake: FakeOidcProvider) -> Issuer:
    """Register a fake provider, with a key if it has none."""
    if not fake.keys:
        fake.add_key("ES256", "key-1")
    iam.create_open_id_connect_provider(Url=fake.issuer, ClientIDList=[CLIENT])
    return Issuer(fake, url, iam)
