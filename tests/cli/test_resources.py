# SPDX-License-Identifier: Apache-2.0
"""``daypass resources``: what it prints, its exit codes; that a running server knows at once, and ``daypass explain`` too."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.commands import Ended, daypass
from daypass.store import PublicAccess, Store
from resources.lake import ARN, BUCKET, OBJECT, OTHER, OWNER, Lake, document, filled, identity, root, statement

NEW = "arn:aws:s3:::new"
PUBLIC = document(statement())
NAMED = document(statement(principal={"AWS": OTHER}))


@pytest_asyncio.fixture
async def lake(tmp_path: Path) -> AsyncIterator[Lake]:
    """The store of a running server, in the directory that the commands are given."""
    store = await Store.open(None, tmp_path)
    try:
        yield await filled(store)
    finally:
        await store.close()


async def run(tmp_path: Path, *arguments: str) -> Ended:
    return await daypass("resources", *arguments, data_dir=tmp_path)


async def done(tmp_path: Path, *arguments: str) -> Any:
    ended = await run(tmp_path, *arguments, "--json")
    assert (ended.code, ended.error) == (0, "")
    return ended.answer


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.json"
    path.write_text(text)
    return str(path)


async def test_a_policy_that_is_set_counts_at_a_running_servers_next_request(lake: Lake, tmp_path: Path) -> None:
    reader = root(OTHER)
    assert not lake.may(reader)
    found = await done(tmp_path, "set-policy", ARN, file(tmp_path, NAMED))
    assert found["resource"]["policy"]["document"] == NAMED
    assert found["resource"]["policy"]["public"] is False
    assert lake.may(reader)
    assert await done(tmp_path, "remove-policy", ARN) == {"removed": ARN}
    assert not lake.may(reader)


async def test_a_policy_is_read_from_standard_input(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PUBLIC.encode())))
    assert (await done(tmp_path, "set-policy", ARN, "-"))["resource"]["policy"]["public"] is True


async def test_what_is_kept_is_listed_and_shown(lake: Lake, tmp_path: Path) -> None:
    await lake.policy(statement())
    await lake.block(PublicAccess(True, False, False, True))
    found = (await done(tmp_path, "list"))["resources"]
    assert found == [(await done(tmp_path, "show", ARN))["resource"]]
    assert (found[0]["arn"], found[0]["owner"], found[0]["backend"]) == (ARN, OWNER, "lake")
    assert found[0]["public_access"] == {
        "block_public_acls": True,
        "ignore_public_acls": False,
        "block_public_policy": False,
        "restrict_public_buckets": True,
    }
    listed = (await run(tmp_path, "list")).lines
    assert listed == [f"{ARN}  {OWNER}  public policy  block_public_acls, restrict_public_buckets"]
    shown = (await run(tmp_path, "show", ARN)).lines
    assert shown[-1] == PUBLIC
    assert f"owner                {OWNER}" in shown


async def test_a_resource_of_which_nothing_is_kept_is_refused(lake: Lake, tmp_path: Path) -> None:
    for arguments in (("show", NEW), ("remove-policy", NEW), ("remove-policy", ARN)):
        ended = await run(tmp_path, *arguments)
        assert (ended.code, ended.output) == (1, "")
        assert ended.error.startswith("daypass: ")
        assert ended.error.count("\n") == 1


async def test_a_policy_that_is_wrong_is_refused_and_nothing_changes(lake: Lake, tmp_path: Path) -> None:
    ended = await run(tmp_path, "set-policy", ARN, file(tmp_path, document(statement(resource="*"))))
    assert (ended.code, ended.error) == (1, "daypass: Policy has invalid resource\n")
    assert not lake.store.view().resource_policies


async def test_the_owner_of_a_bucket_that_nobody_recorded_must_be_named(lake: Lake, tmp_path: Path) -> None:
    policy = file(tmp_path, document(statement(resource=f"{NEW}/*")))
    assert (await run(tmp_path, "set-policy", NEW, policy)).code == 1
    assert (await run(tmp_path, "public-access", NEW, "--block-public-acls")).code == 1
    assert (await run(tmp_path, "set-policy", NEW, policy, "--account", "1")).code == 2
    assert (await done(tmp_path, "set-policy", NEW, policy, "--account", OTHER))["resource"]["owner"] == OTHER
    assert (await run(tmp_path, "set-policy", NEW, policy, "--account", OWNER)).code == 1, "it is another's"


async def test_the_owner_of_a_queue_is_the_account_in_its_arn(lake: Lake, tmp_path: Path) -> None:
    queue = f"arn:aws:sqs:us-east-1:{OWNER}:jobs"
    policy = file(tmp_path, document(statement(action="sqs:*", resource=queue)))
    assert (await done(tmp_path, "set-policy", queue, policy))["resource"]["owner"] == OWNER


async def test_an_owner_is_set_and_must_be_an_account_of_this_store(lake: Lake, tmp_path: Path) -> None:
    found = await done(tmp_path, "set-owner", ARN, OTHER)
    assert (found["before"], found["resource"]["owner"]) == (OWNER, OTHER)
    bucket = lake.store.view().buckets.with_key(BUCKET)
    assert bucket is not None
    assert bucket.account == OTHER
    assert (await run(tmp_path, "set-owner", ARN, "999999999999")).code == 1
    assert (await run(tmp_path, "set-owner", ARN, "owner")).code == 2
    assert (await run(tmp_path, "set-owner", OBJECT, OWNER)).code == 1


@pytest.mark.parametrize("target", [ARN, OWNER])
async def test_settings_that_are_not_named_stay_as_they_are(lake: Lake, tmp_path: Path, target: str) -> None:
    assert (await done(tmp_path, "public-access", target))["public_access"] is None
    await done(tmp_path, "public-access", target, "--block-public-policy", "--restrict-public-buckets")
    found = await done(tmp_path, "public-access", target, "--no-block-public-policy", "--ignore-public-acls")
    assert found["public_access"] == {
        "block_public_acls": False,
        "ignore_public_acls": True,
        "block_public_policy": False,
        "restrict_public_buckets": True,
    }
    assert await done(tmp_path, "public-access", target) == found
    assert (await run(tmp_path, "public-access", target)).lines[1] == "ignore_public_acls       on"
    assert (await done(tmp_path, "public-access", target, "--remove"))["public_access"] is None


@pytest.mark.parametrize(
    "arguments", [(OBJECT,), ("data",), (f"arn:aws:sqs:us-east-1:{OWNER}:q",), (ARN, "--remove", "--block-public-acls")]
)
async def test_wrong_usage_is_told_apart(lake: Lake, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await run(tmp_path, "public-access", *arguments)
    assert (ended.code, ended.output) == (2, "")


async def test_an_account_that_is_not_there_gets_no_settings(lake: Lake, tmp_path: Path) -> None:
    assert (await run(tmp_path, "public-access", "999999999999", "--block-public-acls")).code == 1


async def test_a_file_that_cannot_be_read_is_wrong_usage(lake: Lake, tmp_path: Path) -> None:
    ended = await run(tmp_path, "set-policy", ARN, str(tmp_path / "absent.json"))
    assert ended.code == 2
    assert "FILE" in ended.error


async def explained(tmp_path: Path, principal: str, resource: str = OBJECT, action: str = "s3:GetObject") -> Ended:
    arguments = ("explain", "--principal", principal, "--action", action, "--resource", resource)
    return await daypass(*arguments, data_dir=tmp_path)


async def test_explain_knows_the_policy_and_the_owner_of_the_resource(lake: Lake, tmp_path: Path) -> None:
    user = await lake.user(OTHER, "reader", identity("Allow", "s3:*"))
    arn = user.principal.arn
    assert (await explained(tmp_path, arn)).code == 1, "the bucket is another account's"
    await lake.policy(statement(principal={"AWS": OTHER}))
    assert (await explained(tmp_path, arn)).code == 0
    await lake.policy(statement(principal={"AWS": OTHER}), statement("Deny", Sid="Closed"))
    ended = await explained(tmp_path, arn)
    assert ended.code == 1
    assert "Closed" in ended.output
    assert (await explained(tmp_path, f"arn:aws:iam::{OWNER}:root")).code == 1
    assert (await explained(tmp_path, f"arn:aws:iam::{OWNER}:root", ARN, "s3:DeleteBucketPolicy")).code == 0


async def test_explain_says_what_a_restricted_bucket_does(lake: Lake, tmp_path: Path) -> None:
    await lake.policy(statement())
    stranger = f"arn:aws:iam::{OTHER}:root"
    assert (await explained(tmp_path, stranger)).code == 0
    assert (await explained(tmp_path, "anonymous")).code == 0
    await lake.block(PublicAccess(restrict_public_buckets=True))
    assert (await explained(tmp_path, stranger)).code == 1
    assert (await explained(tmp_path, "anonymous")).code == 1
