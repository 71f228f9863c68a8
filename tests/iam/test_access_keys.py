# SPDX-License-Identifier: Apache-2.0
"""Access keys: made, listed, switched off and on, deleted; and that a key that does not count stops at once."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.credentials import account_of_access_key_id
from daypass.errors import ConfigurationError
from daypass.store import LastUse
from iam.kitchen import statement
from iam.people import asked, denial, done, key_of, person, refused, user_arn
from in_process import ACCOUNT, NOW, ROOT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
UNKNOWN = ("InvalidClientTokenId", "The security token included in the request is invalid.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def identity(iam: Service, key: Credentials) -> str | None:
    """Whom a key stands for; None when it is refused."""
    return (await iam.call("sts", "GetCallerIdentity", key)).text("Arn")


async def test_a_key_signs_for_its_user_and_its_secret_is_shown_once(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    made = (await done(iam, "CreateAccessKey", UserName="ann"))["AccessKey"]
    key = Credentials(made["AccessKeyId"], made.pop("SecretAccessKey"))
    assert await identity(iam, key) == user_arn("ann")
    assert account_of_access_key_id(made["AccessKeyId"]) == ACCOUNT
    assert len(str(key.secret_key)) == 40
    assert made == {"UserName": "ann", "AccessKeyId": key.access_key, "Status": "Active", "CreateDate": CREATED}
    assert await done(iam, "ListAccessKeys", UserName="ann") == {"AccessKeyMetadata": [made], "IsTruncated": False}
    stored = iam.app.store.view().access_keys.with_key(key.access_key)
    assert stored is not None
    assert str(key.secret_key).encode() not in stored.wrapped_secret
    assert str(key.secret_key) not in repr(stored)


async def test_a_user_has_two_keys_and_not_three(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="two")
    keys = sorted([(await key_of(iam, "two")).access_key for _ in range(2)])
    found = await refused(iam, "CreateAccessKey", UserName="two")
    assert found == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    await done(iam, "UpdateAccessKey", UserName="two", AccessKeyId=keys[0], Status="Inactive")
    assert (await refused(iam, "CreateAccessKey", UserName="two"))[0] == "LimitExceeded"  # it is still a key
    first = await done(iam, "ListAccessKeys", UserName="two", MaxItems=1)
    assert (first["AccessKeyMetadata"][0]["AccessKeyId"], first["IsTruncated"]) == (keys[0], True)
    rest = await done(iam, "ListAccessKeys", UserName="two", Marker=first["Marker"])
    assert [key["AccessKeyId"] for key in rest["AccessKeyMetadata"]] == keys[1:]
    await done(iam, "DeleteAccessKey", UserName="two", AccessKeyId=keys[0])
    await key_of(iam, "two")


async def test_a_key_that_is_switched_off_stops_at_once_and_works_again_when_it_is_on(iam: Service) -> None:
    key = await person(iam, "switched")
    change = {"UserName": "switched", "AccessKeyId": key.access_key}
    assert await identity(iam, key) == user_arn("switched")
    await done(iam, "UpdateAccessKey", **change, Status="Inactive")
    answer = await iam.call("sts", "GetCallerIdentity", key)
    assert (answer.code, answer.message) == UNKNOWN
    await done(iam, "UpdateAccessKey", **change, Status="Active")
    assert await identity(iam, key) == user_arn("switched")
    await done(iam, "DeleteAccessKey", **change)
    answer = await iam.call("sts", "GetCallerIdentity", key)
    assert (answer.code, answer.message) == UNKNOWN


async def test_a_key_does_not_expire(iam: Service) -> None:
    key = await person(iam, "expiring")
    found = await refused(iam, "UpdateAccessKey", UserName="expiring", AccessKeyId=key.access_key, Status="Expired")
    assert found[0] == "InvalidInput"
    assert await identity(iam, key) == user_arn("expiring")


async def test_without_a_name_the_keys_are_the_callers_own(iam: Service) -> None:
    own = statement("Allow", "iam:*AccessKey*", user_arn("${aws:username}"))
    key = await person(iam, "rotating", own)
    made = (await done(iam, "CreateAccessKey", key))["AccessKey"]
    assert made["UserName"] == "rotating"
    second = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    listed = (await done(iam, "ListAccessKeys", second))["AccessKeyMetadata"]
    assert {found["AccessKeyId"] for found in listed} == {key.access_key, second.access_key}
    await done(iam, "UpdateAccessKey", second, AccessKeyId=key.access_key, Status="Inactive")
    await done(iam, "DeleteAccessKey", second, AccessKeyId=key.access_key)
    assert await identity(iam, key) is None


async def test_without_a_name_and_as_root_the_keys_are_roots(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with service(tmp_path_factory.mktemp("root")) as running:
        made = (await done(running, "CreateAccessKey"))["AccessKey"]
        assert "UserName" not in made
        second = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
        assert await identity(running, second) == f"arn:aws:iam::{ACCOUNT}:root"
        listed = (await done(running, "ListAccessKeys"))["AccessKeyMetadata"]
        assert {found["AccessKeyId"] for found in listed} == {ROOT.access_key, second.access_key}
        assert all("UserName" not in found for found in listed)
        assert (await refused(running, "CreateAccessKey"))[0] == "LimitExceeded"
        assert (await done(running, "GetAccessKeyLastUsed", AccessKeyId=ROOT.access_key)).keys() == {
            "AccessKeyLastUsed"
        }
        await done(running, "DeleteAccessKey", second, AccessKeyId=ROOT.access_key)
        assert await identity(running, ROOT) is None


async def test_a_key_of_somebody_else_is_not_there(iam: Service) -> None:
    anns, bobs = await person(iam, "key-ann"), await person(iam, "key-bob", statement("Allow", "iam:*"))
    words = f"The Access Key with id {anns.access_key} cannot be found."
    named = {"UserName": "key-bob", "AccessKeyId": anns.access_key}
    assert await refused(iam, "DeleteAccessKey", **named) == ("NoSuchEntity", words)
    assert await refused(iam, "UpdateAccessKey", **named, Status="Inactive") == ("NoSuchEntity", words)
    assert await refused(iam, "DeleteAccessKey", bobs, AccessKeyId=anns.access_key) == ("NoSuchEntity", words)
    assert await refused(iam, "DeleteAccessKey", AccessKeyId=anns.access_key) == ("NoSuchEntity", words)  # not root's
    roots = {"UserName": "key-bob", "AccessKeyId": ROOT.access_key}
    assert (await refused(iam, "DeleteAccessKey", bobs, **roots))[0] == "NoSuchEntity"
    assert await identity(iam, anns) == user_arn("key-ann")


async def test_a_key_that_was_never_used_says_so(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="unused")
    key = await key_of(iam, "unused")
    assert await done(iam, "GetAccessKeyLastUsed", AccessKeyId=key.access_key) == {
        "UserName": "unused",
        "AccessKeyLastUsed": {"Region": "N/A", "ServiceName": "N/A"},
    }


async def test_a_key_was_last_used_when_its_newest_use_was(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="used")
    key = await key_of(iam, "used")
    uses = [("s3", "GetObject", 5, "eu-west-1"), ("iam", "GetUser", 9, "us-east-1"), ("sts", "AssumeRole", 7, "x")]
    async with iam.app.store.transaction() as transaction:
        for named, action, at, region in uses:
            await transaction.put(
                LastUse(ACCOUNT, key.access_key, named, action, int(NOW) + at, region, user_arn("used"))
            )
    found = (await done(iam, "GetAccessKeyLastUsed", AccessKeyId=key.access_key))["AccessKeyLastUsed"]
    assert found == {
        "LastUsedDate": CREATED + datetime.timedelta(seconds=9),
        "ServiceName": "iam",
        "Region": "us-east-1",
    }


async def test_who_may_see_the_last_use_of_a_key_is_who_may_of_its_user(iam: Service) -> None:
    anns = await person(iam, "seen")
    key = await person(iam, "seer", statement("Allow", "iam:GetAccessKeyLastUsed", user_arn("seen")))
    await done(iam, "GetAccessKeyLastUsed", key, AccessKeyId=anns.access_key)
    for key_id in (key.access_key, ROOT.access_key, "AKIA" + "A" * 16):
        found = await refused(iam, "GetAccessKeyLastUsed", key, AccessKeyId=key_id)
        assert found == ("AccessDenied", denial("seer", "GetAccessKeyLastUsed", f"access key {key_id}"))
    found = await refused(iam, "GetAccessKeyLastUsed", AccessKeyId="AKIA" + "A" * 16)
    assert found == ("NoSuchEntity", f"The Access Key with id AKIA{'A' * 16} cannot be found.")


async def test_a_key_is_made_only_by_who_may(iam: Service) -> None:
    key = await person(iam, "maker", statement("Allow", "iam:CreateAccessKey", user_arn("maker")))
    await done(iam, "CreateUser", UserName="victim")
    found = await refused(iam, "CreateAccessKey", key, UserName="victim")
    assert found == ("AccessDenied", denial("maker", "CreateAccessKey", user_arn("victim")))
    assert (await asked(iam, "CreateAccessKey", key)).status == 200


async def test_a_root_key_that_was_deleted_is_not_brought_back_by_the_settings(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("deleted")
    async with service(directory) as running:
        await done(running, "CreateAccessKey")
        await done(running, "DeleteAccessKey", AccessKeyId=ROOT.access_key)
    with pytest.raises(ConfigurationError, match="this key was deleted"):
        async with service(directory):
            pass
