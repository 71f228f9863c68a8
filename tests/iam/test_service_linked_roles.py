# SPDX-License-Identifier: Apache-2.0
"""Service-linked roles: their names, that nobody else writes them, and their end."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio

from daypass.errors import EntityError, Reason
from daypass.iam.linked_services import role_name
from iam.kitchen import statement
from iam.people import ALLOW_ALL, denial, done, managed, person, refused
from iam.recipe import TRUST
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
ECS = "ecs.amazonaws.com"
AUTOSCALING = "autoscaling.amazonaws.com"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes roles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def linked_arn(name: str, service_name: str = AUTOSCALING) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service_name}/{name}"


async def linked(iam: Service, suffix: str) -> str:
    """A role of autoscaling; its name."""
    made = await done(iam, "CreateServiceLinkedRole", AWSServiceName=AUTOSCALING, CustomSuffix=suffix)
    return str(made["Role"]["RoleName"])


async def test_a_role_trusts_its_service_alone_and_is_under_its_path(iam: Service) -> None:
    made = (await done(iam, "CreateServiceLinkedRole", AWSServiceName=ECS, Description="For ECS."))["Role"]
    trust = {"Effect": "Allow", "Principal": {"Service": ECS}, "Action": "sts:AssumeRole"}
    assert made.pop("RoleId").startswith("AROA")
    shown = json.loads(unquote(made.pop("AssumeRolePolicyDocument")))
    assert shown == {"Version": "2012-10-17", "Statement": [trust]}
    assert made == {
        "Path": f"/aws-service-role/{ECS}/",
        "RoleName": "AWSServiceRoleForECS",
        "Arn": linked_arn("AWSServiceRoleForECS", ECS),
        "CreateDate": CREATED,
        "Description": "For ECS.",
        "MaxSessionDuration": 3600,
    }
    taken = "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix."
    assert await refused(iam, "CreateServiceLinkedRole", AWSServiceName=ECS) == ("InvalidInput", taken)


@pytest.mark.parametrize(
    ("name", "suffix", "expected"),
    [
        ("elasticloadbalancing.amazonaws.com", None, "AWSServiceRoleForElasticLoadBalancing"),
        ("autoscaling.amazonaws.com", None, "AWSServiceRoleForAutoScaling"),
        ("autoscaling.amazonaws.com", "debug", "AWSServiceRoleForAutoScaling_debug"),
        ("ecs.application-autoscaling.amazonaws.com", None, "AWSServiceRoleForApplicationAutoScaling_ECSService"),
        ("new-thing.amazonaws.com", None, "AWSServiceRoleForNewThing"),
        ("part.new-thing.amazonaws.com", "x", "AWSServiceRoleForNewThing_Part_x"),
        (f"{'x' * 47}.amazonaws.com", None, f"AWSServiceRoleForX{'x' * 46}"),
    ],
)
async def test_a_role_is_called_after_its_service(name: str, suffix: str | None, expected: str) -> None:
    assert role_name(name, suffix) == expected
    assert len(expected) <= 64


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("ecs", None),
        ("amazonaws.com", None),
        (".amazonaws.com", None),
        ("ecs..amazonaws.com", None),
        ("ECS.amazonaws.com", None),
        ("ecs.amazonaws.com.example.org", None),
        ("ecs.amazonaws.com", "debug"),
        (f"{'x' * 48}.amazonaws.com", None),
        ("autoscaling.amazonaws.com", "x" * 37),
    ],
    ids=[
        "no domain",
        "no service",
        "empty",
        "empty label",
        "capitals",
        "another domain",
        "suffix",
        "long",
        "long suffix",
    ],
)
async def test_what_makes_no_name_is_refused(iam: Service, name: str, suffix: str | None) -> None:
    with pytest.raises(EntityError) as caught:
        role_name(name, suffix)
    assert caught.value.reason is Reason.INVALID_INPUT
    more = {} if suffix is None else {"CustomSuffix": suffix}
    assert (await refused(iam, "CreateServiceLinkedRole", AWSServiceName=name, **more))[0] == "InvalidInput"


async def test_nobody_but_the_service_changes_its_role(iam: Service) -> None:
    name, policy = await linked(iam, "kept"), await managed(iam, "reader", statement("Allow", "s3:GetObject"))
    message = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    writes: dict[str, dict[str, Any]] = {
        "UpdateRole": {"MaxSessionDuration": 7200},
        "UpdateAssumeRolePolicy": {"PolicyDocument": TRUST},
        "PutRolePolicy": {"PolicyName": "p", "PolicyDocument": ALLOW_ALL},
        "DeleteRolePolicy": {"PolicyName": "p"},
        "AttachRolePolicy": {"PolicyArn": policy},
        "DetachRolePolicy": {"PolicyArn": policy},
        "PutRolePermissionsBoundary": {"PermissionsBoundary": policy},
        "DeleteRolePermissionsBoundary": {},
        "DeleteRole": {},
    }
    before = iam.app.store.view().roles.with_name(ACCOUNT, name)
    for operation, parameters in writes.items():
        assert await refused(iam, operation, RoleName=name, **parameters) == ("UnmodifiableEntity", message), operation
    assert iam.app.store.view().roles.with_name(ACCOUNT, name) == before


async def test_its_description_and_tags_are_the_accounts(iam: Service) -> None:
    name = await linked(iam, "described")
    await done(iam, "UpdateRole", RoleName=name, Description="one")
    await done(iam, "UpdateRoleDescription", RoleName=name, Description="two")
    await done(iam, "TagRole", RoleName=name, Tags=[{"Key": "team", "Value": "red"}])
    shown = (await done(iam, "GetRole", RoleName=name))["Role"]
    assert (shown["Description"], shown["Tags"]) == ("two", [{"Key": "team", "Value": "red"}])
    await done(iam, "UntagRole", RoleName=name, TagKeys=["team"])


async def test_no_other_role_is_made_under_the_path_of_service_linked_roles(iam: Service) -> None:
    path = f"/aws-service-role/{ECS}/"
    found = await refused(iam, "CreateRole", RoleName="mine", Path=path, AssumeRolePolicyDocument=TRUST)
    assert found == (
        "InvalidInput",
        "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles",
    )


async def test_a_deletion_is_a_task_that_succeeded(iam: Service) -> None:
    name = await linked(iam, "ending")
    task = (await done(iam, "DeleteServiceLinkedRole", RoleName=name))["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/{AUTOSCALING}/{name}/")
    assert await done(iam, "GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task) == {"Status": "SUCCEEDED"}
    gone = ("NoSuchEntity", f"The role with name {name} cannot be found.")
    assert await refused(iam, "DeleteServiceLinkedRole", RoleName=name) == gone
    assert await linked(iam, "ending") == name
    other = task[:-1] + ("0" if task[-1] != "0" else "1")
    status = "GetServiceLinkedRoleDeletionStatus"
    assert (await refused(iam, status, DeletionTaskId=other))[0] == "NoSuchEntity"
    assert (await refused(iam, status, DeletionTaskId=f"{task}/more"))[0] == "InvalidInput"
    assert (await refused(iam, status, DeletionTaskId="task"))[0] == "InvalidInput"


async def test_a_role_of_another_kind_is_not_deleted_as_a_service_linked_one(iam: Service) -> None:
    await done(iam, "CreateRole", RoleName="plain", AssumeRolePolicyDocument=TRUST)
    gone = ("NoSuchEntity", "The role with name plain cannot be found.")
    assert await refused(iam, "DeleteServiceLinkedRole", RoleName="plain") == gone
    await done(iam, "GetRole", RoleName="plain")


async def test_permission_is_given_on_the_role_and_may_depend_on_the_service(iam: Service) -> None:
    condition = {"StringLike": {"iam:AWSServiceName": AUTOSCALING}}
    creating = {**statement("Allow", "iam:CreateServiceLinkedRole"), "Condition": condition}
    name = "AWSServiceRoleForAutoScaling_own"
    ending = statement(
        "Allow", ["iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus"], linked_arn(name)
    )
    key = await person(iam, "maker", creating, ending)
    other = linked_arn("AWSServiceRoleForRDS", "rds.amazonaws.com")
    denied = ("AccessDenied", denial("maker", "CreateServiceLinkedRole", other))
    assert await refused(iam, "CreateServiceLinkedRole", key, AWSServiceName="rds.amazonaws.com") == denied
    await done(iam, "CreateServiceLinkedRole", key, AWSServiceName=AUTOSCALING, CustomSuffix="own")
    task = (await done(iam, "DeleteServiceLinkedRole", key, RoleName=name))["DeletionTaskId"]
    await done(iam, "GetServiceLinkedRoleDeletionStatus", key, DeletionTaskId=task)
    foreign = task.replace(name, "AWSServiceRoleForAutoScaling")
    found = await refused(iam, "GetServiceLinkedRoleDeletionStatus", key, DeletionTaskId=foreign)
    assert found == (
        "AccessDenied",
        denial("maker", "GetServiceLinkedRoleDeletionStatus", linked_arn("AWSServiceRoleForAutoScaling")),
    )
