# SPDX-License-Identifier: Apache-2.0
"""A service at which an identity provider is registered, with roles that trust it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.saml_idp import FakeSamlIdp
from in_process import ACCOUNT, Service, service
from signin.browser import ORIGIN, Browser, Page

AWS = "https://aws.amazon.com/SAML/Attributes/"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/corporate"
START = f"/portal/saml/{ACCOUNT}/corporate/start"
CREDENTIALS = "/portal/saml/credentials"


def role_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def trusting(provider_arn: str, **condition: Any) -> str:
    """A trust policy for a SAML provider."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithSAML",
    }
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@dataclass
class Corporate:
    """The service, and the identity provider ``corporate`` of its account."""

    service: Service
    idp: FakeSamlIdp = field(default_factory=FakeSamlIdp)

    def browser(self) -> Browser:
        return Browser(self.service)

    async def iam(self, action: str, **parameters: str) -> None:
        answer = await self.service.call("iam", action, **parameters)
        assert answer.status == 200, answer.body

    async def register(self, name: str, metadata: bytes, **more: str) -> None:
        padded = metadata.decode() + "\n" * max(0, 1000 - len(metadata))
        await self.iam("CreateSAMLProvider", Name=name, SAMLMetadataDocument=padded, **more)

    def response(
        self,
        *roles: str,
        provider: str = PROVIDER,
        idp: FakeSamlIdp | None = None,
        attributes: Mapping[str, Sequence[str]] | None = None,
        duration: str | None = None,
        subject: str = "alice",
        issuer: str | None = None,
        **changes: Any,
    ) -> str:
        """A response in base64, made now, that names roles of the account (Analyst when none is said)."""
        made = idp or self.idp
        made.now = self.service.clock()
        said: dict[str, Sequence[str]] = {
            AWS + "Role": [f"{role_arn(name)},{provider}" for name in roles or ("Analyst",)],
            AWS + "RoleSessionName": ["alice"],
        }
        if duration is not None:
            said[AWS + "SessionDuration"] = [duration]
        words: dict[str, Any] = {
            "audience": f"{ORIGIN}/saml/metadata",
            "recipient": f"{ORIGIN}/saml",
            "destination": f"{ORIGIN}/saml",
            "assertion_id": "_" + secrets.token_hex(20),
            "session_until": None,
            "response_issuer": issuer,
            **changes,
        }
        raw = made.response(name_id=subject, attributes=attributes or said, issuer=issuer, **words)
        return base64.b64encode(raw).decode("ascii")

    async def tile(self, browser: Browser, response: str, **more: str) -> Page:
        """The identity provider's page posts a response that nobody asked for."""
        return await browser.post("/saml", {"SAMLResponse": response, **more})

    async def choose(self, browser: Browser, page: Page, role: str = "Analyst", *, site: str = "same-origin") -> Page:
        """The form with the roles, sent with a role chosen."""
        assert page.status == 200, page.text
        ((form, _),) = page.read.all("form", id="saml_form")
        fields = {**page.read.hidden, "roleIndex": role if ":" in role else role_arn(role)}
        return await browser.post(form["action"], fields, site=site)


@asynccontextmanager
async def corporate(data_dir: Path, **settings: Any) -> AsyncIterator[Corporate]:
    """With the roles Analyst and Deployer, which trust the provider, and Stranger, which does not."""
    async with service(data_dir, **settings) as running:
        made = Corporate(running)
        await made.register("corporate", made.idp.metadata())
        for name in ("Analyst", "Deployer"):
            await made.iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=trusting(PROVIDER))
        await made.iam(
            "CreateRole",
            RoleName="Stranger",
            AssumeRolePolicyDocument=trusting(PROVIDER, StringEquals={"SAML:sub": "somebody else"}),
        )
        yield made
