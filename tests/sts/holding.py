# SPDX-License-Identifier: Apache-2.0
"""What whoever holds temporary credentials has: the session that is sealed in them, its tags, what it may do."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials

from daypass.access.context import session_keys
from daypass.sessions import Session
from fakes.oidc_provider import FakeOidcProvider
from iam.kitchen import document, statement
from iam.people import asked as asked_iam
from iam.people import done, person
from in_process import ACCOUNT, Service, service
from sts.asking import given, keys_of, make_role

LISTS = ("ListUsers", "ListRoles", "ListGroups")
"""Operations that need nothing but permission, to see what a session may do."""

MAY_LIST = statement("Allow", [f"iam:{name}" for name in LISTS])
ROOT_PRINCIPAL = {"AWS": ACCOUNT}
FULL = document(statement("Allow", "*"))
_numbers = itertools.count()


def new_name(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}{next(_numbers)}"


def session_in(sts: Service, credentials: Credentials) -> Session:
    """What is sealed in the session token."""
    token, key_id = str(credentials.token), str(credentials.access_key)
    return sts.app.sessions.open(token, access_key_id=key_id, now=sts.clock()).session


def principal_tags(sts: Service, credentials: Credentials) -> dict[str, str]:
    """The tags that policies see as the caller's: keys in lower case, as conditions compare them."""
    session, view = session_in(sts, credentials), sts.app.store.view()
    role, user = view.roles.with_key(session.role_id), view.users.with_key(session.user_id)
    entity = role if session.kind == "role" else user
    keys = session_keys(session, () if entity is None else entity.tags)
    return {name.partition("/")[2]: str(value) for name, value in keys.items() if name.startswith("aws:principaltag/")}


async def lists(sts: Service, credentials: Credentials) -> set[str]:
    """Which of LISTS the credentials may do. Fails when one is refused for anything but permission."""
    answers = {name: await asked_iam(sts, name, credentials) for name in LISTS}
    assert {answer.code for answer in answers.values()} <= {None, "AccessDenied"}
    return {name for name, answer in answers.items() if answer.status == 200}


def expires_at(output: dict[str, Any]) -> int:
    """The instant at which credentials expire."""
    return int(output["Credentials"]["Expiration"].timestamp())


async def caller(sts: Service, *statements: dict[str, Any], **more: Any) -> Credentials:
    """A new user who may assume any role that trusts the account, and what else is said."""
    return await person(sts, new_name("caller"), statement("Allow", "sts:*"), *statements, **more)


async def role(sts: Service, *statements: dict[str, Any], trust: str | None = None, **more: Any) -> str:
    """A new role that trusts its account. Its ARN."""
    return await make_role(sts, new_name("Role"), trust or trusting_account(), *statements, **more)


def trusting_account(*conditions: dict[str, Any], actions: Any = None, **more: Any) -> str:
    """A trust policy for everybody of the account who may."""
    wanted = actions or ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    made = {"Effect": "Allow", "Principal": ROOT_PRINCIPAL, "Action": wanted, **more}
    if conditions:
        made["Condition"] = conditions[0]
    return document(made)


@dataclass
class WebDesk:
    """A service, and a provider whose tokens its account takes."""

    sts: Service
    provider: FakeOidcProvider
    arn: str

    def trust(self, *actions: str, condition: dict[str, Any] | None = None) -> str:
        """A trust policy for whoever the provider vouches for."""
        wanted = list(actions) or ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
        made: dict[str, Any] = {"Effect": "Allow", "Principal": {"Federated": self.arn}, "Action": wanted}
        return document({**made, "Condition": condition} if condition else made)

    async def role(self, *statements: dict[str, Any], trust: str | None = None, **more: Any) -> str:
        """A new role for the provider's people. Its ARN."""
        return await role(self.sts, *statements, trust=trust or self.trust(), **more)

    def wanted(self, role_arn: str, claims: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The parameters of AssumeRoleWithWebIdentity."""
        token = self.provider.token(**(claims or {}))
        return {"RoleArn": role_arn, "RoleSessionName": "web", "WebIdentityToken": token, **more}

    async def session(self, role_arn: str, claims: dict[str, Any] | None = None, **more: Any) -> Credentials:
        """Credentials for a proof."""
        return keys_of(
            await given(self.sts, "AssumeRoleWithWebIdentity", None, **self.wanted(role_arn, claims, **more))
        )


@asynccontextmanager
async def web_desk(data_dir: Path, **settings: Any) -> AsyncIterator[WebDesk]:
    """A service and a registered provider, both in this process."""
    async with FakeOidcProvider() as provider, service(data_dir, allow_loopback_http=True, **settings) as running:
        provider.add_key("ES256")
        made = await done(running, "CreateOpenIDConnectProvider", Url=provider.issuer, ClientIDList=["client"])
        yield WebDesk(running, provider, made["OpenIDConnectProviderArn"])
