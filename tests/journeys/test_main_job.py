# SPDX-License-Identifier: Apache-2.0
"""The main job, with nothing but real parts: a certified provider, the AWS command line, boto3, a server process."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from daypass.clock import system_clock
from journeys.real_provider import RealProvider
from journeys.roles import ACCOUNT, allow, role_arn, trusting, unique
from running import Keys, Server

SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/WebIdentityRole/WebSession"


@pytest.fixture(scope="module")
def role_id(iam: Any, provider: RealProvider) -> str:
    """The unique id of the role of the documentation, which may list roles and nothing else."""
    role = iam.create_role(
        RoleName="WebIdentityRole",
        AssumeRolePolicyDocument=trusting(provider.issuer, audience="web-app", subject="alice"),
    )
    iam.put_role_policy(RoleName="WebIdentityRole", PolicyName="reader", PolicyDocument=allow("iam:ListRoles"))
    return str(role["Role"]["RoleId"])


def assume(server: Server, token_file: Path, *more: str) -> Any:
    """The command of the documentation, word for word."""
    return server.aws(
        *("sts", "assume-role-with-web-identity", "--role-arn", "arn:aws:iam::123456789012:role/WebIdentityRole"),
        *("--role-session-name", "WebSession", "--web-identity-token", f"file://{token_file}", *more),
    )


def test_the_command_line_signs_in_is_allowed_and_is_denied(
    server: Server, provider: RealProvider, role_id: str, tmp_path: Path
) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text(provider.sign_in("alice"), encoding="ascii")
    keys = Keys.of(assume(server, token_file).answer["Credentials"])

    identity = server.aws("sts", "get-caller-identity", keys=keys).answer
    assert identity == {"UserId": f"{role_id}:WebSession", "Account": ACCOUNT, "Arn": SESSION_ARN}

    listed = server.aws("iam", "list-roles", "--query", "Roles[].RoleName", keys=keys).answer
    assert "WebIdentityRole" in listed

    denied = server.aws("iam", "get-role", "--role-name", "WebIdentityRole", keys=keys)
    assert denied.code != 0
    assert (
        "An error occurred (AccessDenied) when calling the GetRole operation: "
        f"User: {SESSION_ARN} is not authorized to perform: iam:GetRole on resource: {role_arn('WebIdentityRole')} "
        "because no identity-based policy allows the iam:GetRole action"
    ) in denied.error


def test_every_member_of_the_answer_says_what_it_should(server: Server, provider: RealProvider, role_id: str) -> None:
    before = int(system_clock())
    answer = server.client("sts").assume_role_with_web_identity(
        RoleArn=role_arn("WebIdentityRole"), RoleSessionName="WebSession", WebIdentityToken=provider.sign_in("alice")
    )
    after = int(system_clock())
    credentials = answer["Credentials"]
    assert answer["SubjectFromWebIdentityToken"] == "alice"
    assert answer["Audience"] == "web-app"
    assert answer["Provider"] == provider.issuer  # the token's "iss" (STS API)
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role_id}:WebSession", "Arn": SESSION_ARN}
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert len(credentials["AccessKeyId"]) == 20
    assert len(credentials["SecretAccessKey"]) == 40
    assert answer["SessionTokenSize"] == len(credentials["SessionToken"])
    assert before + 3600 <= credentials["Expiration"].timestamp() <= after + 3600
    assert credentials["Expiration"].tzinfo is not None
    assert "PackedPolicySize" not in answer
    assert "SourceIdentity" not in answer


def test_a_token_signed_with_an_elliptic_curve_is_as_good(server: Server, provider: RealProvider, iam: Any) -> None:
    name = unique("ec")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(provider.issuer, audience="ec-app", subject="bob"))
    token = provider.sign_in("bob", client_id="ec-app")
    assert header(token)["alg"] == "ES256"
    answer = server.client("sts").assume_role_with_web_identity(
        RoleArn=role_arn(name), RoleSessionName="bob", WebIdentityToken=token
    )
    assert answer["Audience"] == "ec-app"


def test_tags_in_the_token_are_tags_of_the_session(server: Server, provider: RealProvider, iam: Any) -> None:
    name = unique("tagged")
    trust = trusting(provider.issuer, audience="web-app", subject="tagged-alice", tags=True)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    policy = json.loads(allow("iam:ListRoles"))
    policy["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalTag/Team": "platform"}}
    iam.put_role_policy(RoleName=name, PolicyName="by-tag", PolicyDocument=json.dumps(policy))
    answer = server.client("sts").assume_role_with_web_identity(
        RoleArn=role_arn(name), RoleSessionName="tagged", WebIdentityToken=provider.sign_in("tagged-alice")
    )
    assert answer["PackedPolicySize"] > 0
    assert server.client("iam", Keys.of(answer["Credentials"])).list_roles()["Roles"]


def test_tags_in_the_token_are_refused_by_a_role_that_does_not_allow_tagging(
    server: Server, provider: RealProvider, iam: Any
) -> None:
    name = unique("untagged")
    trust = trusting(provider.issuer, audience="web-app", subject="tagged-alice")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    with pytest.raises(ClientError) as refused:
        server.client("sts").assume_role_with_web_identity(
            RoleArn=role_arn(name), RoleSessionName="tagged", WebIdentityToken=provider.sign_in("tagged-alice")
        )
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_the_duration_that_is_asked_for_is_the_one_that_is_given(
    server: Server, provider: RealProvider, role_id: str, tmp_path: Path
) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text(provider.sign_in("alice"), encoding="ascii")
    before = system_clock()
    expiration = assume(server, token_file, "--duration-seconds", "900").answer["Credentials"]["Expiration"]
    lasts = datetime.datetime.fromisoformat(expiration).timestamp() - before
    assert 899 < lasts < 930


def header(token: str) -> Any:
    """The header of a token."""
    part = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
