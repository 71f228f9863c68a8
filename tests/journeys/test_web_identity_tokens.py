# SPDX-License-Identifier: Apache-2.0
"""
One daypass signs in at another: GetWebIdentityToken here, AssumeRoleWithWebIdentity there, which knows this one only by the
documents that it publishes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from journeys.roles import ACCOUNT, allow, role_arn, trusting, unique
from running import Keys, Server, get, running_server

AUDIENCE = "https://other.example.org"


@dataclass(frozen=True)
class Signer:
    """The server whose issuer signs, with an account that has enabled it."""

    server: Server
    issuer: str

    @property
    def iam(self) -> Any:
        return self.server.client("iam", self.server.root())

    def user(self) -> tuple[str, Keys]:
        """The ARN and the keys of a new user that may have tokens."""
        name = unique("user")
        arn = str(self.iam.create_user(UserName=name)["User"]["Arn"])
        policy = allow("sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken")
        self.iam.put_user_policy(UserName=name, PolicyName="main", PolicyDocument=policy)
        made = self.iam.create_access_key(UserName=name)["AccessKey"]
        return arn, Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def token(self, keys: Keys, **changes: Any) -> str:
        """A token for the other server."""
        wanted = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384", **changes}
        return str(self.server.client("sts", keys).get_web_identity_token(**wanted)["WebIdentityToken"])


@pytest.fixture(scope="module")
def signer(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    with running_server(tmp_path_factory.mktemp("signer"), account_id="210987654321") as running:
        issuer = running.client("iam", running.root()).enable_outbound_web_identity_federation()["IssuerIdentifier"]
        yield Signer(running, issuer)
        assert running.alarms() == []


@pytest.fixture(scope="module")
def registered(signer: Signer, server: Server, iam: Any) -> None:
    """The other server knows the issuer, for its own audience."""
    iam.create_open_id_connect_provider(Url=signer.issuer, ClientIDList=[AUDIENCE])


def role_for(signer: Signer, iam: Any, subject: str) -> str:
    """A role of the other server that trusts one principal of the first."""
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(signer.issuer, audience=AUDIENCE, subject=subject))
    return name


def exchange(server: Server, role: str, token: str) -> Any:
    return server.client("sts").assume_role_with_web_identity(
        RoleArn=role_arn(role), RoleSessionName="other", WebIdentityToken=token
    )


def test_the_issuer_is_where_the_server_listens(signer: Signer) -> None:
    assert signer.issuer == f"{signer.server.url}/oidc/210987654321"
    status, body = get(f"{signer.issuer}/.well-known/openid-configuration")
    assert (status, json.loads(body)["issuer"]) == (200, signer.issuer)
    info = signer.iam.get_outbound_web_identity_federation_info()
    assert (info["IssuerIdentifier"], info["JwtVendingEnabled"]) == (signer.issuer, True)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
@pytest.mark.usefixtures("registered")
def test_the_token_of_a_user_is_credentials_at_another_service(
    signer: Signer, server: Server, iam: Any, algorithm: str
) -> None:
    arn, keys = signer.user()
    role = role_for(signer, iam, arn)
    made = exchange(server, role, signer.token(keys, SigningAlgorithm=algorithm))
    assert (made["Provider"], made["Audience"], made["SubjectFromWebIdentityToken"]) == (signer.issuer, AUDIENCE, arn)
    who = server.client("sts", Keys.of(made["Credentials"])).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/other"


@pytest.mark.usefixtures("registered")
def test_what_the_other_service_does_not_trust_it_refuses(signer: Signer, server: Server, iam: Any) -> None:
    arn, keys = signer.user()
    role = role_for(signer, iam, arn)
    _, stranger = signer.user()
    for token, code in [
        (signer.token(stranger), "AccessDenied"),
        (signer.token(keys, Audience=["somebody-else"]), "InvalidIdentityToken"),
    ]:
        with pytest.raises(ClientError) as caught:
            exchange(server, role, token)
        assert caught.value.response["Error"]["Code"] == code


@pytest.mark.usefixtures("registered")
def test_tokens_that_are_out_stay_good_when_the_issuer_is_disabled_and_none_are_signed(
    signer: Signer, server: Server, iam: Any
) -> None:
    arn, keys = signer.user()
    role, token = role_for(signer, iam, arn), signer.token(keys)
    signer.iam.disable_outbound_web_identity_federation()
    try:
        with pytest.raises(ClientError, match="OutboundWebIdentityFederationDisabled"):
            signer.token(keys)
        assert exchange(server, role, token)["Credentials"]
        assert get(f"{signer.issuer}/.well-known/jwks.json")[0] == 200
    finally:
        assert signer.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == signer.issuer


def test_the_command_line_has_a_token(signer: Signer) -> None:
    _, keys = signer.user()
    command = ("sts", "get-web-identity-token", "--audience", "my-app", "--signing-algorithm", "RS256")
    answer = signer.server.aws(*command, keys=keys).answer
    assert answer["WebIdentityToken"].count(".") == 2
