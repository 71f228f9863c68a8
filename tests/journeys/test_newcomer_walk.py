# SPDX-License-Identifier: Apache-2.0
"""
The walk of somebody who is new here and has only the AWS command line: the steps of AWS's own tutorials ("IAM tutorial:
create and attach your first customer managed policy", "Create a role for OpenID Connect federation (AWS CLI)", "Getting
credential reports"), word for word but for the names.

Each run of the command line takes a second of processor time, so they are one test, and few.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.oidc_provider import FakeOidcProvider
from journeys.roles import ACCOUNT, CLIENT, Issuer, allow, deny, document, statement, trusting
from running import Keys, Ran, Server, running_server

DENIED = "An error occurred (AccessDenied) when calling the {} operation: User: {} is not authorized to perform: {}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    """A server of its own: a report is of everybody in the account."""
    with running_server(tmp_path_factory.mktemp("newcomer"), allow_loopback_http=True) as running:
        yield running
        assert running.alarms() == []


class Newcomer:
    """Somebody with a terminal and a folder with a few JSON files."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder, self.keys = server, folder, server.root()

    def file(self, name: str, text: str) -> str:
        """Save a document; how the command line is told to read it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return f"file://{self.folder / name}"

    def run(self, command: str, *arguments: str) -> Ran:
        """``aws iam COMMAND``, or of another service, with more arguments that may have spaces."""
        words = command.split()
        return self.server.aws(*(words if words[0] == "sts" else ["iam", *words]), *arguments, keys=self.keys)

    def aws(self, command: str, *arguments: str) -> Any:
        """The same, which succeeds. Returns what was printed."""
        ran = self.run(command, *arguments)
        assert ran.code == 0, ran.error
        return json.loads(ran.output) if ran.output.strip() else None


@pytest.fixture
def newcomer(server: Server, tmp_path: Path) -> Newcomer:
    return Newcomer(server, tmp_path)


def test_the_tutorials_first_user_works_with_what_a_group_and_a_boundary_leave(newcomer: Newcomer) -> None:
    aws = newcomer.aws
    reading = newcomer.file("reading.json", allow("iam:Get*", "iam:List*"))
    made = aws("create-policy --policy-name reading --policy-document", reading)["Policy"]
    assert (made["Arn"], made["DefaultVersionId"]) == (f"arn:aws:iam::{ACCOUNT}:policy/reading", "v1")

    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    user = aws(f"create-user --user-name Bob --permissions-boundary {boundary} --tags Key=team,Value=red")["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    aws("create-group --group-name Readers")
    aws(f"attach-group-policy --group-name Readers --policy-arn {made['Arn']}")
    aws("add-user-to-group --group-name Readers --user-name Bob")
    inline = newcomer.file("tagging.json", document(statement("Allow", "iam:TagUser", "iam:CreateGroup")))
    aws("put-user-policy --user-name Bob --policy-name tagging --policy-document", inline)
    key = aws("create-access-key --user-name Bob")["AccessKey"]

    simulated = aws(
        f"simulate-principal-policy --policy-source-arn {user['Arn']} --action-names iam:GetUser iam:TagUser s3:PutObject"
    )
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in simulated["EvaluationResults"]}
    assert decisions == {"iam:GetUser": "allowed", "iam:TagUser": "implicitDeny", "s3:PutObject": "implicitDeny"}

    newcomer.keys = Keys(key["AccessKeyId"], key["SecretAccessKey"])
    assert aws("sts get-caller-identity")["Arn"] == user["Arn"]
    assert aws("get-group --group-name Readers")["Users"][0]["UserName"] == "Bob"
    refused = newcomer.run("tag-user --user-name Bob --tags Key=team,Value=blue")
    assert refused.code != 0
    assert DENIED.format("TagUser", user["Arn"], "iam:TagUser") in refused.error
    assert "because no permissions boundary allows the iam:TagUser action" in refused.error

    newcomer.keys = newcomer.server.root()
    assert aws("generate-credential-report")["State"] in ("STARTED", "INPROGRESS", "COMPLETE")
    content = base64.b64decode(aws("get-credential-report")["Content"]).decode()
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(content))}
    assert rows.keys() == {"<root_account>", "Bob"}
    assert rows["Bob"]["access_key_1_active"] == "true"
    assert rows["Bob"]["password_enabled"] == "false"

    job = aws(f"generate-service-last-accessed-details --arn {user['Arn']}")["JobId"]
    accessed = aws(f"get-service-last-accessed-details --job-id {job}")
    assert accessed["JobStatus"] == "COMPLETED"
    assert "iam" in {service["ServiceNamespace"] for service in accessed["ServicesLastAccessed"]}


def test_the_tutorials_role_is_assumed_with_a_token_of_its_provider(newcomer: Newcomer, fake: FakeOidcProvider) -> None:
    aws = newcomer.aws
    fake.add_key("ES256", "key-1")
    arn = aws(f"create-open-id-connect-provider --url {fake.issuer} --client-id-list {CLIENT}")
    assert arn["OpenIDConnectProviderArn"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{fake.issuer.partition('://')[2]}"
    trust = newcomer.file("trust.json", trusting(fake.issuer))
    role = aws("create-role --role-name WebIdentityRole --assume-role-policy-document", trust)["Role"]
    aws("attach-role-policy --role-name WebIdentityRole --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    denying = newcomer.file("denying.json", deny("iam:ListUsers"))
    aws("put-role-policy --role-name WebIdentityRole --policy-name no-users --policy-document", denying)

    token = newcomer.file("token.jwt", Issuer(fake, newcomer.server.url, None).token())
    assumed = aws(
        f"sts assume-role-with-web-identity --role-arn {role['Arn']} --role-session-name first --web-identity-token",
        token,
    )
    newcomer.keys = Keys.of(assumed["Credentials"])
    shown = aws("get-role --role-name WebIdentityRole")["Role"]
    assert shown["AssumeRolePolicyDocument"] == json.loads(trusting(fake.issuer))
    refused = newcomer.run("list-users")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/WebIdentityRole/first"
    assert DENIED.format("ListUsers", session, "iam:ListUsers") in refused.error
    assert "with an explicit deny in an identity-based policy" in refused.error
