# SPDX-License-Identifier: Apache-2.0
"""A service, and a SAML identity provider whose assertions its account takes."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from botocore.credentials import Credentials

from fakes.saml_idp import FakeSamlIdp
from iam.kitchen import document
from iam.people import done
from in_process import ACCOUNT, NOW, Service, service
from sts.asking import given, keys_of, refusal
from sts.holding import role

ASK: Final = "AssumeRoleWithSAML"
URL: Final = "https://daypass.example.org"
AWS: Final = "https://aws.amazon.com/SAML/Attributes/"
PROVIDER_ARN: Final = f"arn:aws:iam::{ACCOUNT}:saml-provider/Office"
Values = Mapping[str, Iterable[str]]


def words(role_arn: str, provider_arn: str = PROVIDER_ARN, **more: str | Iterable[str] | None) -> dict[str, list[str]]:
    """
    The attributes by which somebody gets a role. ``more``: names behind AWS's prefix, ``PrincipalTag__Team`` for one with a
    colon; None leaves one out.
    """
    said = {"Role": f"{role_arn},{provider_arn}", "RoleSessionName": "ann", **more}
    return {
        AWS + name.replace("__", ":"): [values] if isinstance(values, str) else list(values)
        for name, values in said.items()
        if values is not None
    }


@dataclass
class SamlDesk:
    """What tests ask of the two."""

    sts: Service
    idp: FakeSamlIdp
    arn: str = PROVIDER_ARN
    _numbers: Any = field(default_factory=itertools.count)

    def trust(self, *actions: str, condition: dict[str, Any] | None = None, provider: str | None = None) -> str:
        """A trust policy for whoever the provider vouches for."""
        wanted = list(actions) or ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]
        made: dict[str, Any] = {"Effect": "Allow", "Principal": {"Federated": provider or self.arn}, "Action": wanted}
        return document({**made, "Condition": condition} if condition else made)

    async def role(self, *statements: dict[str, Any], trust: str | None = None, **more: Any) -> str:
        """A new role for the provider's people. Its ARN."""
        return await role(self.sts, *statements, trust=trust or self.trust(), **more)

    def assertion(self, attributes: Values | None, idp: FakeSamlIdp | None = None, **said: Any) -> str:
        """A response in base64, of an assertion that no other test has. ``said``: as ``FakeSamlIdp.response`` takes it."""
        speaking = idp or self.idp
        speaking.now = self.sts.clock()
        defaults = {
            "assertion_id": f"_assertion-{next(self._numbers)}-{id(self)}",
            "audience": f"{URL}/saml/metadata",
            "recipient": f"{URL}/saml",
            "destination": f"{URL}/saml",
            "session_until": None,
        }
        raw = speaking.response(attributes=attributes, **{**defaults, **said})
        return base64.b64encode(raw).decode("ascii")

    def wanted(self, role_arn: str, attributes: Values | None = None, **more: Any) -> dict[str, Any]:
        """The parameters of AssumeRoleWithSAML; those that begin with a capital letter are the request's own."""
        own = {name: value for name, value in more.items() if name[0].isupper()}
        said = {name: value for name, value in more.items() if not name[0].isupper()}
        given_words = words(role_arn, self.arn) if attributes is None else attributes
        return {
            "RoleArn": role_arn,
            "PrincipalArn": self.arn,
            "SAMLAssertion": self.assertion(given_words, **said),
        } | own

    async def output(self, role_arn: str, attributes: Values | None = None, **more: Any) -> dict[str, Any]:
        """The answer of a call that succeeds."""
        return await given(self.sts, ASK, None, **self.wanted(role_arn, attributes, **more))

    async def session(self, role_arn: str, attributes: Values | None = None, **more: Any) -> Credentials:
        """Credentials for an assertion."""
        return keys_of(await self.output(role_arn, attributes, **more))

    async def refused(self, role_arn: str, attributes: Values | None = None, **more: Any) -> tuple[Any, str]:
        """The code and the message of a call that fails."""
        return await refusal(self.sts, ASK, None, **self.wanted(role_arn, attributes, **more))


async def register(sts: Service, idp: FakeSamlIdp, name: str, **more: Any) -> str:
    """A SAML provider of an account. Its ARN."""
    made = await done(sts, "CreateSAMLProvider", Name=name, SAMLMetadataDocument=idp.metadata().decode("ascii"), **more)
    return str(made["SAMLProviderArn"])


@asynccontextmanager
async def saml_desk(
    data_dir: Path, configuration: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[SamlDesk]:
    """A service with the provider Office, both in this process. ``configuration``: what the configuration file says."""
    if configuration is not None:
        data_dir.mkdir(exist_ok=True)
        path = data_dir / "daypass.yaml"
        path.write_text(yaml.safe_dump(configuration))
        settings["config"] = path
    async with service(data_dir, public_url=URL, **settings) as running:
        idp = FakeSamlIdp(now=NOW)
        await register(running, idp, "Office")
        yield SamlDesk(running, idp)
