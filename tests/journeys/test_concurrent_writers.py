# SPDX-License-Identifier: Apache-2.0
"""
Many writers at once, in two worker processes, on the same few names: each call is done or refused as if it were alone, and
what they leave holds together. Then the machine stops: everything that was acknowledged is there.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from journeys.roles import ACCOUNT, allow, trusting
from running import CLIENT_CONFIG, Server, get, running_server

CLIENTS = 16
ROUNDS = 20
NAMES = 3
DOCUMENT, TRUST = allow("s3:GetObject"), trusting("https://idp.example.org")
AS_IF_ALONE = {"NoSuchEntity", "EntityAlreadyExists", "DeleteConflict", "LimitExceeded", "ConcurrentModification"}
"""What a call may be refused with because another one came first."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("writers"), workers=2) as server:
        while get(server.health)[0] != 200 or len(server.workers()) != 2:
            time.sleep(0.01)
        yield server
        assert server.alarms() == []


def make_client(server: Server) -> Any:
    """A client with connections of its own."""
    keys = server.root()
    session: Any = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name="us-east-1")
    return session.client("iam", endpoint_url=server.url, config=CLIENT_CONFIG)


def arn(policy: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{policy}"


HUBS, HUB_GROUPS = 2, CLIENTS // 2
"""Users that stay, and the groups that they join and leave: every writer has one user and one group of them to itself, so
that all write the same few records, and it is known what each must say in the end."""


class Writer:
    """
    One client: makes, ties, unties and deletes, all on shared names; makes something of its own now and then; and changes
    its own part of what all share. ``said`` is what it was last told of that part, ``asked`` what it last asked for.
    """

    def __init__(self, iam: Any, number: int) -> None:
        self.iam, self.number, self.chance = iam, number, random.Random(number)
        self.hub = {"UserName": f"hub{number % HUBS}"}
        self.group = {"GroupName": f"hub-group{number // HUBS}"}
        self.said: dict[str, Any] = {"tag": None, "member": False}
        self.asked = dict(self.said)
        self.outcomes: Counter[str] = Counter()
        self.own: list[str] = []
        self.acknowledged = threading.Event()

    def run(self, rounds: int) -> None:
        """Some rounds, or until the server is gone."""
        for count in range(rounds):
            try:
                self.outcomes[self.once(self.chance.choice(self.changes()))] += 1
                self.change_own_part(count)
                if count % 4 == 0:
                    self.make_own(f"own-{self.number}-{len(self.own)}")
            except BotoCoreError:
                return  # whether the last write took place is not known

    def once(self, change: Callable[[], Any]) -> str:
        try:
            change()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "OK"

    def change_own_part(self, count: int) -> None:
        """Another value of its tag, and into the group or out of it."""
        self.asked["tag"] = str(count)
        self.iam.tag_user(**self.hub, Tags=[{"Key": f"writer{self.number}", "Value": str(count)}])
        self.said["tag"] = str(count)
        self.asked["member"] = not self.said["member"]
        change = self.iam.add_user_to_group if self.asked["member"] else self.iam.remove_user_from_group
        change(**self.hub, **self.group)
        self.said["member"] = self.asked["member"]

    def own_part(self) -> dict[str, Any]:
        """What is there of it."""
        tags = {tag["Key"]: tag["Value"] for tag in self.iam.list_user_tags(**self.hub)["Tags"]}
        members = [user["UserName"] for user in self.iam.get_group(**self.group)["Users"]]
        return {"tag": tags.get(f"writer{self.number}"), "member": self.hub["UserName"] in members}

    def make_own(self, name: str) -> None:
        self.iam.create_user(UserName=name)
        self.own.append(name)
        self.acknowledged.set()

    def pick(self, kind: str) -> str:
        """One of the few names of a kind."""
        return f"{kind}{self.chance.randrange(NAMES)}"

    def changes(self) -> list[Callable[[], Any]]:
        """What may be next, on names picked anew."""
        iam, policy = self.iam, self.pick("p")
        user, group, role = {"UserName": self.pick("u")}, {"GroupName": self.pick("g")}, {"RoleName": self.pick("r")}
        attached = {"PolicyArn": arn(policy)}
        ties: list[Callable[[], Any]] = [
            lambda: iam.add_user_to_group(**user, **group),
            lambda: iam.attach_user_policy(**user, **attached),
            lambda: iam.attach_group_policy(**group, **attached),
            lambda: iam.attach_role_policy(**role, **attached),
        ]
        return [
            *ties,
            *ties,
            lambda: iam.create_user(**user),
            lambda: iam.create_user(**user, PermissionsBoundary=arn(policy)),
            lambda: iam.create_group(**group),
            lambda: iam.create_role(**role, AssumeRolePolicyDocument=TRUST),
            lambda: iam.create_policy(PolicyName=policy, PolicyDocument=DOCUMENT),
            lambda: iam.create_policy_version(**attached, PolicyDocument=DOCUMENT, SetAsDefault=True),
            lambda: iam.create_access_key(**user),
            lambda: iam.remove_user_from_group(**user, **group),
            lambda: iam.detach_user_policy(**user, **attached),
            lambda: iam.detach_group_policy(**group, **attached),
            lambda: iam.detach_role_policy(**role, **attached),
            lambda: iam.delete_user_permissions_boundary(**user),
            lambda: iam.delete_access_key(**user, AccessKeyId=first_key(iam, user)),
            lambda: iam.delete_user(**user),
            lambda: iam.delete_group(**group),
            lambda: iam.delete_role(**role),
            lambda: iam.delete_policy(**attached),
            lambda: iam.update_user(**user, NewUserName=self.pick("u")),
            lambda: iam.update_group(**group, NewGroupName=self.pick("g")),
        ]


def make_hubs(iam: Any) -> None:
    for number in range(HUBS):
        iam.create_user(UserName=f"hub{number}")
    for number in range(HUB_GROUPS):
        iam.create_group(GroupName=f"hub-group{number}")


def first_key(iam: Any, user: dict[str, str]) -> str:
    keys = iam.list_access_keys(**user)["AccessKeyMetadata"]
    return str(keys[0]["AccessKeyId"]) if keys else "AKIA2222222222222222"


def write(writers: list[Writer], rounds: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    """All at once."""
    threads = [threading.Thread(target=writer.run, args=(rounds,)) for writer in writers]
    for thread in threads:
        thread.start()
    meanwhile()
    for thread in threads:
        thread.join()


def everything(iam: Any) -> dict[str, list[dict[str, Any]]]:
    """GetAccountAuthorizationDetails, all pages."""
    found: dict[str, list[dict[str, Any]]] = {}
    for page in iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User", "Group", "Role", "LocalManagedPolicy"]
    ):
        for member in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            found.setdefault(member, []).extend(page[member])
    return found


def assert_all_holds_together(iam: Any) -> None:
    """Names and ids are there once; whatever is tied is tied at both ends; counts are what can be counted."""
    account = everything(iam)
    for member, name in (("UserDetailList", "User"), ("GroupDetailList", "Group"), ("RoleDetailList", "Role")):
        for part in ("Name", "Id"):
            values = [entity[f"{name}{part}"].lower() for entity in account[member]]
            assert len(set(values)) == len(values), member
    assert_memberships_agree(iam, account)
    assert_attachments_agree(iam, account)
    summary = iam.get_account_summary()["SummaryMap"]
    counted = {
        "Users": "UserDetailList",
        "Groups": "GroupDetailList",
        "Roles": "RoleDetailList",
        "Policies": "Policies",
    }
    assert {name: summary[name] for name in counted} == {name: len(account[member]) for name, member in counted.items()}


def assert_memberships_agree(iam: Any, account: dict[str, list[dict[str, Any]]]) -> None:
    by_user = {(user["UserName"], group) for user in account["UserDetailList"] for group in user["GroupList"]}
    by_group = {
        (user["UserName"], group["GroupName"])
        for group in account["GroupDetailList"]
        for user in iam.get_group(GroupName=group["GroupName"])["Users"]
    }
    assert by_user == by_group


def assert_attachments_agree(iam: Any, account: dict[str, list[dict[str, Any]]]) -> None:
    policies = {policy["Arn"]: policy for policy in account["Policies"]}
    attached: Counter[str] = Counter()
    bounding: Counter[str] = Counter()
    for member in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
        for entity in account[member]:
            attached.update(policy["PolicyArn"] for policy in entity["AttachedManagedPolicies"])
            if "PermissionsBoundary" in entity:
                bounding[entity["PermissionsBoundary"]["PermissionsBoundaryArn"]] += 1
    assert (attached.keys() | bounding.keys()) - policies.keys() == set()
    for name, policy in policies.items():
        assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (attached[name], bounding[name])
        entities = iam.list_entities_for_policy(PolicyArn=name, PolicyUsageFilter="PermissionsPolicy")
        assert sum(len(entities[list_]) for list_ in ("PolicyUsers", "PolicyGroups", "PolicyRoles")) == attached[name]
        assert 1 <= len(policy["PolicyVersionList"]) <= 5
        assert sum(version["IsDefaultVersion"] for version in policy["PolicyVersionList"]) == 1


def assert_the_database_has_no_orphan(data_dir: Path) -> None:
    """The same where no operation can hide it."""
    with closing(sqlite3.connect(data_dir / "daypass.db")) as database:
        users = dict(database.execute("SELECT unique_id, name FROM iam_user").fetchall())
        groups = dict(database.execute("SELECT unique_id, name FROM iam_group").fetchall())
        policies = {arn(name) for (name,) in database.execute("SELECT name FROM managed_policy")}
        for (joined,) in database.execute("SELECT groups FROM iam_user"):
            assert set(json.loads(joined)) <= groups.keys()
        for table in ("iam_user", "iam_group", "role"):
            for (attached,) in database.execute(f"SELECT attached_policies FROM {table}"):
                ties = json.loads(attached)
                assert set(ties) <= policies
                assert len(set(ties)) == len(ties)
        for (owner,) in database.execute("SELECT user_id FROM access_key WHERE user_id IS NOT NULL"):
            assert owner in users


def test_writers_of_the_same_names_leave_nothing_torn_and_lose_nothing_to_kill_9(pair: Server) -> None:
    writers = [Writer(make_client(pair), number) for number in range(CLIENTS)]
    make_hubs(writers[0].iam)
    write(writers, ROUNDS)
    assert [writer.own_part() for writer in writers] == [writer.said for writer in writers]
    outcomes = sum((writer.outcomes for writer in writers), Counter[str]())
    assert set(outcomes) - AS_IF_ALONE <= {"OK"}
    assert outcomes["OK"] > CLIENTS
    assert {"EntityAlreadyExists", "NoSuchEntity", "DeleteConflict"} <= outcomes.keys()
    assert_all_holds_together(writers[0].iam)
    assert_the_database_has_no_orphan(pair.data_dir)

    def kill_when_busy() -> None:
        for writer in writers:
            writer.acknowledged.clear()
        assert all(writer.acknowledged.wait(timeout=30) for writer in writers)
        pair.kill9()

    write(writers, 100_000, kill_when_busy)
    pair.start()
    iam = make_client(pair)
    there = {user["UserName"] for user in everything(iam)["UserDetailList"]}
    assert {name for writer in writers for name in writer.own} - there == set()
    for writer in writers:
        writer.iam = iam
        for part, value in writer.own_part().items():
            assert value in (writer.said[part], writer.asked[part]), (writer.number, part)
    assert sum((writer.outcomes for writer in writers), Counter[str]()).keys() <= AS_IF_ALONE | {"OK"}
    assert_all_holds_together(iam)
    assert_the_database_has_no_orphan(pair.data_dir)
