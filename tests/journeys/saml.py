# SPDX-License-Identifier: Apache-2.0
"""
A real SAML identity provider that is registered with a server, and people who sign in there.

Both sides learn of each other as administrators do it: our metadata goes to the provider, its metadata into
CreateSAMLProvider, and the roles of a person are an attribute of that person at the provider.
"""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from journeys.roles import ACCOUNT, document, role_arn, unique
from real.node_idp import node_idp
from real.person import Form, Person
from real.saml_provider import Attributes, SamlProvider
from real.service_provider import PaperServiceProvider
from real.simplesamlphp import simplesamlphp
from running import Keys, Server

RUNNING = {"simplesamlphp": simplesamlphp, "samlp": node_idp}
"""How each of the providers is started."""

AWS_NAMES = "https://aws.amazon.com/SAML/Attributes"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass
class Federation:
    """See the module. ``name`` is the provider's in IAM."""

    provider: SamlProvider
    server: Server
    iam: Any
    name: str
    _people: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The provider's ARN."""
        return f"arn:aws:iam::{ACCOUNT}:saml-provider/{self.name}"

    @property
    def entity_id(self) -> str:
        """Who we are to the provider."""
        return f"{self.server.url}/saml/metadata"

    @property
    def consumer(self) -> str:
        """Where its responses go."""
        return f"{self.server.url}/saml"

    @property
    def start(self) -> str:
        """Where a sign-in begins on our side."""
        return f"{self.server.url}/portal/saml/{ACCOUNT}/{self.name}/start"

    def our_metadata(self) -> str:
        """What we publish for this provider."""
        with urllib.request.urlopen(f"{self.entity_id}/{ACCOUNT}/{self.name}", timeout=10) as answer:
            return str(answer.read().decode())

    def introduce(self) -> None:
        """Give the provider what we publish now."""
        self.provider.trust(self.our_metadata())

    def introduce_without_wishes(self) -> None:
        """Give the provider metadata that does not say what we want signed: providers heed that."""
        self.provider.trust(PaperServiceProvider(self.entity_id, self.consumer).metadata())

    def role(
        self, policy: str | None = None, *, tags: bool = False, conditions: Mapping[str, Any] | None = None
    ) -> str:
        """The name of a new role that trusts this provider under these conditions, with one inline policy or none."""
        name = unique("role")
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": self.arn},
            "Action": ["sts:AssumeRoleWithSAML", *(["sts:TagSession"] if tags else [])],
            "Condition": conditions or {"StringEquals": {"SAML:aud": self.consumer}},
        }
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        if policy is not None:
            self.iam.put_role_policy(RoleName=name, PolicyName="main", PolicyDocument=policy)
        return name

    def person(self, *roles: str, said: Attributes = MappingProxyType({})) -> str:
        """The login of a new person at the provider, who has these roles, and of whom this is ``said`` besides."""
        login = unique("alice")
        attributes: dict[str, list[str]] = {
            f"{AWS_NAMES}/Role": [f"{role_arn(role)},{self.arn}" for role in roles],
            f"{AWS_NAMES}/RoleSessionName": [f"{login}@example.org"],
            **{name: list(values) for name, values in said.items()},
        }
        self._people[login] = {name: values for name, values in attributes.items() if values}
        self.provider.people(self._people)
        return login

    def response(self, login: str) -> Form:
        """The response that a person gets by signing in at the provider, without a request of ours; it is not sent."""
        form = Person().sign_in(self.provider.start_url(self.entity_id), login)
        assert form.action == self.consumer
        return form

    def assume(self, role: str, form: Form, **parameters: Any) -> Any:
        """AssumeRoleWithSAML by boto3."""
        return self.server.client("sts").assume_role_with_saml(
            RoleArn=role_arn(role), PrincipalArn=self.arn, SAMLAssertion=form.fields["SAMLResponse"], **parameters
        )

    def refused(self, role: str, form: Form) -> tuple[str, str]:
        """The code that AssumeRoleWithSAML is refused with, and the reason that the log has for it."""
        with pytest.raises(ClientError) as caught:
            self.assume(role, form)
        answer = caught.value.response
        request_id = answer["ResponseMetadata"]["RequestId"]
        lines = [json.loads(line) for line in self.server.log().splitlines() if request_id in line]
        (reason,) = {line["reason"] for line in lines}
        return answer["Error"]["Code"], reason

    def session(self, role: str, login: str) -> Keys:
        """Keys of a new session."""
        return Keys.of(self.assume(role, self.response(login))["Credentials"])

    def name_qualifier(self) -> str:
        """What AWS says that NameQualifier is (STS API, AssumeRoleWithSAML, Response Elements)."""
        text = f"{self.provider.entity_id}{ACCOUNT}/{self.name}"
        return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def register(provider: SamlProvider, name: str, server: Server) -> Federation:
    """Register a running provider, and introduce us."""
    iam = server.client("iam", server.root())
    iam.create_saml_provider(Name=name, SAMLMetadataDocument=provider.metadata())
    made = Federation(provider, server, iam, name)
    made.introduce()
    return made


@contextmanager
def federation(kind: str, folder: Path, server: Server) -> Iterator[Federation]:
    """A provider of this kind, started, registered and introduced, until the block ends."""
    with RUNNING[kind](folder) as provider:
        yield register(provider, unique(kind), server)
