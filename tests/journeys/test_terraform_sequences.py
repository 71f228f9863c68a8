# SPDX-License-Identifier: Apache-2.0
"""
Terraform's calls, replayed: apply, refresh, update and destroy of every IAM resource that its AWS provider has, alone and
all together, in the orders that it may choose. The sequences are in docs/terraform-sequences.toml.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import boto3
import pytest

from daypass.api.table import IAM_ROWS
from journeys.refusals import refused
from journeys.terraform import SEQUENCES, Resource, build, orders, raw_documents
from running import CLIENT_CONFIG, Server, running_server

OFFERED = [kind for kind, sequence in SEQUENCES.items() if sequence.get("offered", True)]
ORDERS = [pytest.param(order, id=" ".join(order)) for kind in OFFERED for order in orders(kind)]
PARALLELISM = 10
"""As many as Terraform works on at once unless told otherwise."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Server]:
    """A server of its own: some resources are there once in an account."""
    with running_server(tmp_path_factory.mktemp("terraform")) as running:
        yield running
        assert running.alarms() == []


@pytest.fixture(scope="module")
def clients(server: Server) -> Mapping[str, Any]:
    """IAM and STS as root; of a session of their own, for they read documents differently."""
    keys = server.root()
    session: Any = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name="us-east-1")
    made = {name: session.client(name, endpoint_url=server.url, config=CLIENT_CONFIG) for name in ("iam", "sts")}
    return {**made, "iam": raw_documents(made["iam"])}


def steps(kind: str) -> list[str]:
    return [call["call"] for step in ("create", "read", "update", "delete") for call in SEQUENCES[kind].get(step, ())]


def test_what_is_not_offered_yet_is_just_that() -> None:
    rows = {row.name for row in IAM_ROWS}
    calls = {kind: {call for call in steps(kind) if ":" not in call} for kind in SEQUENCES}
    assert [kind for kind in OFFERED if not calls[kind] <= rows] == []
    assert [kind for kind in SEQUENCES if kind not in OFFERED and calls[kind] <= rows] == [], (
        "say offered in the data file"
    )


@pytest.mark.parametrize("order", ORDERS)
def test_a_resource_is_made_read_changed_and_deleted(clients: Mapping[str, Any], order: list[str]) -> None:
    built = build(clients, order)
    *needed, resource = built.values()
    for other in needed:
        other.apply()
    resource.apply()
    if resource.sequence["again"] != "another":
        assert resource.made_again() == resource.sequence["again"]
    for each in (*built.values(), *reversed(built.values())):
        each.refresh()
    resource.look_up()
    resource.update()
    for blocked in resource.sequence.get("blocks", ()):
        assert_in_use(built[blocked])
    resource.destroy()
    resource.assert_gone()
    for other in reversed(needed):
        other.destroy()
        other.assert_gone()


def assert_in_use(resource: Resource) -> None:
    """The last call of its deletion is refused, as long as something else needs it."""
    assert resource.refusal(resource.sequence["delete"][-1]) == "DeleteConflict"
    resource.refresh()


@pytest.mark.parametrize(
    ("kind", "others"),
    [
        ("aws_iam_role", ["aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment"]),
        ("aws_iam_role", ["aws_iam_instance_profile"]),
        (
            "aws_iam_user",
            [
                "aws_iam_group",
                "aws_iam_group_membership",
                "aws_iam_access_key",
                "aws_iam_user_ssh_key",
                "aws_iam_user_login_profile",
                "aws_iam_signing_certificate",
                "aws_iam_service_specific_credential",
            ],
        ),
    ],
)
def test_a_deletion_with_force_takes_everything_along(clients: Mapping[str, Any], kind: str, others: list[str]) -> None:
    built = build(clients, [kind, *others])
    for resource in built.values():
        resource.apply()
    built[kind].destroy("force")
    built[kind].assert_gone()
    for left in ("aws_iam_group", "aws_iam_policy", "aws_iam_instance_profile"):
        if left in built:
            built[left].destroy()
            built[left].assert_gone()


def sorted_by_need(kinds: list[str], seed: int) -> list[str]:
    """An order that Terraform may choose: anything whose needs are there may be next."""
    left, found, chance = set(kinds), [], random.Random(seed)
    while left:
        ready = sorted(kind for kind in left if not left & set(SEQUENCES[kind].get("needs", ())))
        found.append(chance.choice(ready))
        left.remove(found[-1])
    return found


EVERYTHING = [kind for kind in OFFERED if kind not in ("aws_iam_policy_attachment", "aws_iam_user_group_membership")]
"""In one configuration; the other two claim for themselves what these share."""


@pytest.mark.parametrize("seed", range(2))
def test_a_whole_configuration_comes_and_goes_in_any_order(clients: Mapping[str, Any], seed: int) -> None:
    built = build(clients, sorted_by_need(EVERYTHING, seed))
    for resource in built.values():
        resource.apply()
    for resource in built.values():
        resource.refresh()
    for kind in reversed(sorted_by_need(EVERYTHING, seed + 100)):
        built[kind].destroy()
    for resource in built.values():
        if not resource.needs:
            resource.assert_gone()


def test_a_whole_configuration_comes_and_goes_ten_at_a_time(clients: Mapping[str, Any]) -> None:
    built = build(clients, sorted_by_need(EVERYTHING, 0))
    needs = {kind: set(SEQUENCES[kind].get("needs", ())) for kind in EVERYTHING}
    at_once({kind: resource.apply for kind, resource in built.items()}, needs)
    at_once({kind: resource.refresh for kind, resource in built.items()}, {kind: set() for kind in EVERYTHING})
    dependants = {kind: {other for other in EVERYTHING if kind in needs[other]} for kind in EVERYTHING}
    at_once({kind: resource.destroy for kind, resource in built.items()}, dependants)
    for resource in built.values():
        if not resource.needs:
            resource.assert_gone()


def at_once(work: Mapping[str, Any], after: Mapping[str, set[str]]) -> None:
    """Do everything, ten at a time, each when what it comes after is done."""
    waiting, done = dict(work), set[str]()
    running: dict[Future[Any], str] = {}
    with ThreadPoolExecutor(PARALLELISM) as pool:
        while waiting or running:
            for kind in [kind for kind in waiting if after[kind] <= done]:
                running[pool.submit(waiting.pop(kind))] = kind
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                done.add(running.pop(future))


def test_a_policy_changes_more_often_than_there_are_versions(clients: Mapping[str, Any]) -> None:
    """Before a sixth version the provider deletes the oldest one that is not the default."""
    policy = build(clients, ["aws_iam_policy"])["aws_iam_policy"]
    policy.apply()
    arn = {"PolicyArn": policy.look("CreatePolicy.Policy.Arn")}
    iam = clients["iam"]
    for _ in range(7):
        versions = iam.list_policy_versions(**arn)["Versions"]
        if len(versions) == 5:
            document = {"PolicyDocument": policy.look("document"), "SetAsDefault": False}
            assert refused(iam.create_policy_version, **arn, **document) == ("LimitExceeded", 409)
            others = [version for version in versions if not version["IsDefaultVersion"]]
            oldest = min(others, key=lambda version: (version["CreateDate"], int(version["VersionId"][1:])))
            iam.delete_policy_version(**arn, VersionId=oldest["VersionId"])
        policy.update()
    assert policy.look("GetPolicy.Policy.DefaultVersionId") == "v8"
    policy.destroy()
    policy.assert_gone()


def test_a_trust_policy_for_nobody_is_refused_in_the_words_that_are_waited_out(clients: Mapping[str, Any]) -> None:
    role = build(clients, ["aws_iam_role"])["aws_iam_role"]
    nobody = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"<a>"},"Action":"sts:AssumeRole"}}'
    )
    role.values["trust"] = nobody.replace("<a>", "arn:aws:iam::123456789012:user/nobody")
    with pytest.raises(clients["iam"].exceptions.MalformedPolicyDocumentException, match="Invalid principal in policy"):
        role.make(role.sequence["create"][0])
