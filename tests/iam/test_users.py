# SPDX-License-Identifier: Apache-2.0
"""Users and their inline policies: what comes back, what is refused, and who may."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from msgspec.structs import replace

from daypass.access import RequestFacts
from daypass.access.authenticate import Caller
from daypass.access.authorize import Permitted
from daypass.errors import EntityError, Reason
from daypass.iam import users
from daypass.iam.service import Iam
from daypass.policy.limits import policy_size
from daypass.principal import Root
from daypass.sealing import MasterKey
from daypass.store import (
    AccountSettings,
    LoginProfile,
    Record,
    ServiceSpecificCredential,
    SigningCertificate,
    SshPublicKey,
)
from iam.kitchen import document, statement
from iam.people import ALLOW_ALL, asked, denial, done, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
TAGS = [{"Key": "team", "Value": "platform"}, {"Key": "Stage", "Value": ""}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def test_a_user_comes_back_as_it_was_made(iam: Service) -> None:
    made = (await done(iam, "CreateUser", UserName="ann", Path="/team/", Tags=TAGS))["User"]
    assert (await done(iam, "GetUser", UserName="ann"))["User"] == made
    assert made.pop("UserId").startswith("AIDA")
    assert made == {
        "Path": "/team/",
        "UserName": "ann",
        "Arn": user_arn("ann", "/team/"),
        "CreateDate": CREATED,
        "Tags": TAGS,
    }


async def test_the_name_of_a_user_is_taken_whatever_its_case_and_path(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="Taken")
    for name in ("Taken", "tAKEN"):
        found = await refused(iam, "CreateUser", UserName=name, Path="/elsewhere/")
        assert found == ("EntityAlreadyExists", f"User with name {name} already exists.")
    assert (await refused(iam, "GetUser", UserName="taken"))[0] == "NoSuchEntity"


async def test_a_user_is_shown_when_it_last_used_its_password(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="signed-in", Path="/signed/")
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "signed-in")
        assert user is not None
        await transaction.put(replace(user, password_last_used=int(NOW)))
    assert (await done(iam, "GetUser", UserName="signed-in"))["User"]["PasswordLastUsed"] == CREATED
    [listed] = (await done(iam, "ListUsers", PathPrefix="/signed/"))["Users"]
    assert listed["PasswordLastUsed"] == CREATED


@pytest.mark.parametrize(
    "settings",
    [
        {"UserName": "a/b"},
        {"UserName": "u" * 65},
        {"UserName": ""},
        {"Path": "/team"},
        {"Path": "/" + "p" * 511 + "/"},
        {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
    ],
    ids=["a slash", "65 characters", "empty", "no slash at the end", "path of 513", "51 tags"],
)
async def test_a_user_that_is_out_of_bounds_is_refused(iam: Service, settings: dict[str, Any]) -> None:
    code, _ = await refused(iam, "CreateUser", **{"UserName": "fine", **settings})
    assert code in ("ValidationError", "LimitExceeded")
    assert iam.app.store.view().users.with_name(ACCOUNT, "fine") is None


async def test_names_of_64_and_paths_of_512_characters_are_accepted(iam: Service) -> None:
    made = await done(iam, "CreateUser", UserName="u" * 64, Path="/" + "p" * 510 + "/")
    assert made["User"]["UserName"] == "u" * 64


async def test_a_user_without_a_name_is_the_caller(iam: Service) -> None:
    key = await person(iam, "self", statement("Allow", "iam:GetUser", user_arn("${aws:username}")))
    assert (await done(iam, "GetUser", key))["User"]["Arn"] == user_arn("self")
    assert (await refused(iam, "GetUser", key, UserName="ann"))[0] == "AccessDenied"


async def test_the_root_user_is_the_account(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with service(tmp_path_factory.mktemp("root")) as running:
        root = {"UserId": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "CreateDate": CREATED}
        assert await done(running, "GetUser") == {"User": root}
        async with running.app.store.transaction() as transaction:
            await transaction.put(AccountSettings(ACCOUNT, alias="acme"))
        assert await done(running, "GetUser") == {"User": {**root, "UserName": "acme"}}


async def test_users_are_listed_page_by_page_without_tags(iam: Service) -> None:
    for number in range(5):
        await done(iam, "CreateUser", UserName=f"page-{number}", Path="/pages/", Tags=TAGS)
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = await done(iam, "ListUsers", PathPrefix="/pages/", MaxItems=2, **marker)
        assert all("Tags" not in user for user in page["Users"])
        found += [user["UserName"] for user in page["Users"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert found == [f"page-{number}" for number in range(5)]


async def test_a_renamed_user_stays_who_it_was(iam: Service) -> None:
    key = await person(iam, "before", statement("Allow", "iam:GetUser"))
    await done(iam, "CreateGroup", GroupName="staying")
    await done(iam, "AddUserToGroup", GroupName="staying", UserName="before")
    old = (await done(iam, "GetUser", UserName="before"))["User"]
    await done(iam, "UpdateUser", UserName="before", NewUserName="after", NewPath="/new/")
    assert (await refused(iam, "GetUser", UserName="before"))[0] == "NoSuchEntity"
    now = (await done(iam, "GetUser", key))["User"]
    assert now == {**old, "UserName": "after", "Path": "/new/", "Arn": user_arn("after", "/new/")}
    groups = (await done(iam, "ListGroupsForUser", UserName="after"))["Groups"]
    assert [group["GroupName"] for group in groups] == ["staying"]
    await done(iam, "CreateUser", UserName="before")  # the name is free


async def test_a_user_is_renamed_in_what_was_sent_and_in_nothing_else(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="mover", Path="/a/")
    await done(iam, "UpdateUser", UserName="mover", NewUserName="Mover")  # its own name is not in its way
    await done(iam, "UpdateUser", UserName="Mover")
    assert (await done(iam, "GetUser", UserName="Mover"))["User"]["Path"] == "/a/"
    await done(iam, "UpdateUser", UserName="Mover", NewPath="/b/")
    assert (await done(iam, "GetUser", UserName="Mover"))["User"]["Arn"] == user_arn("Mover", "/b/")
    await done(iam, "CreateUser", UserName="in-the-way")
    found = await refused(iam, "UpdateUser", UserName="Mover", NewUserName="In-The-Way")
    assert found == ("EntityAlreadyExists", "User with name In-The-Way already exists.")


async def test_whoever_renames_a_user_needs_permission_for_both_names(iam: Service) -> None:
    old, new = user_arn("bob", "/old/"), user_arn("robert", "/new/")
    change = {"UserName": "bob", "NewUserName": "robert", "NewPath": "/new/"}
    await done(iam, "CreateUser", UserName="bob", Path="/old/")
    for number, (allowed, shown) in enumerate([([old], new), ([new], user_arn("bob"))]):
        key = await person(iam, f"renamer-{number}", statement("Allow", "iam:UpdateUser", allowed))
        found = await refused(iam, "UpdateUser", key, **change)
        assert found == ("AccessDenied", denial(f"renamer-{number}", "UpdateUser", shown))
    key = await person(iam, "renamer", statement("Allow", "iam:UpdateUser", [old, new]))
    await done(iam, "UpdateUser", key, **change)


async def test_a_rename_permitted_by_tags_that_changed_meanwhile_is_refused(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="retagged")
    caller, facts = Caller(Root(ACCOUNT), "AKIAQNZKJ3EXAMPLE234", "us-east-1"), RequestFacts(NOW, None, secure=False)
    permitted = Permitted(caller, "iam:UpdateUser", user_arn("retagged"), facts, (("a", "b"),), lambda _tags: None)
    with pytest.raises(EntityError) as caught:
        await users.update_user(
            Iam(iam.app.store, MasterKey.parse(MasterKey.generate())),
            permitted,
            {"UserName": "retagged", "NewUserName": "other"},
        )
    assert caught.value.reason is Reason.ENTITY_MODIFIED_MEANWHILE


async def test_tags_are_added_replaced_and_taken_away(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="tagged", Tags=TAGS)
    await done(iam, "TagUser", UserName="tagged", Tags=[{"Key": "TEAM", "Value": "storage"}])
    assert (await done(iam, "ListUserTags", UserName="tagged", MaxItems=1)) == {
        "Tags": [{"Key": "Stage", "Value": ""}],
        "IsTruncated": True,
        "Marker": (await done(iam, "ListUserTags", UserName="tagged", MaxItems=1))["Marker"],
    }
    await done(iam, "UntagUser", UserName="tagged", TagKeys=["stage", "not there"])
    assert (await done(iam, "ListUserTags", UserName="tagged"))["Tags"] == [{"Key": "TEAM", "Value": "storage"}]


@pytest.mark.parametrize(
    "operation",
    [
        "GetUser",
        "UpdateUser",
        "DeleteUser",
        "ListUserTags",
        "ListUserPolicies",
        "ListGroupsForUser",
        "ListAccessKeys",
        "CreateAccessKey",
    ],
)
async def test_a_user_that_is_not_there_is_no_such_entity(iam: Service, operation: str) -> None:
    found = await refused(iam, operation, UserName="nobody")
    assert found == ("NoSuchEntity", "The user with name nobody cannot be found.")


async def test_a_denial_says_the_same_of_a_user_that_is_there_and_one_that_is_not(iam: Service) -> None:
    key = await person(iam, "curious")
    await done(iam, "CreateUser", UserName="hidden", Path="/secret/")
    for name in ("hidden", "not-there"):
        found = await refused(iam, "GetUser", key, UserName=name)
        assert found == ("AccessDenied", denial("curious", "GetUser", user_arn(name)))


BELONGINGS: dict[str, Any] = {
    "delete certificates": lambda user: SigningCertificate(ACCOUNT, user, "C" * 24, "", "", "Active", 1),
    "delete login profile": lambda user: LoginProfile(ACCOUNT, user, "hash", 1, 1, reset_required=False),
    "remove referenced objects": lambda user: SshPublicKey(ACCOUNT, user, "APKA" + "S" * 17, "", "", "Active", 1),
    "remove referenced objects ": lambda user: ServiceSpecificCredential(
        ACCOUNT, user, "ACCA" + "S" * 17, "codecommit.amazonaws.com", "x", b"", "Active", 1
    ),
}


@pytest.mark.parametrize("words", BELONGINGS)
async def test_a_user_that_still_has_something_is_not_deleted(iam: Service, words: str) -> None:
    name = f"owner-{list(BELONGINGS).index(words)}"
    unique_id = (await done(iam, "CreateUser", UserName=name))["User"]["UserId"]
    record: Record = BELONGINGS[words](unique_id)
    async with iam.app.store.transaction() as transaction:
        await transaction.put(record)
    expected = ("DeleteConflict", f"Cannot delete entity, must {words.strip()} first.")
    assert await refused(iam, "DeleteUser", UserName=name) == expected
    async with iam.app.store.transaction() as transaction:
        await transaction.delete(record)
    assert (await asked(iam, "DeleteUser", UserName=name)).status == 200


async def test_what_stands_in_the_way_of_a_deletion_is_told_in_order(iam: Service) -> None:
    key = await person(iam, "leaver", statement("Allow", "*"))
    await done(iam, "CreateGroup", GroupName="leavers")
    await done(iam, "AddUserToGroup", GroupName="leavers", UserName="leaver")
    async with iam.app.store.transaction() as transaction:
        user = transaction.view.users.with_name(ACCOUNT, "leaver")
        assert user is not None
        await transaction.put(replace(user, attached_policies=("arn:aws:iam::aws:policy/ReadOnlyAccess",)))

    async def detach() -> None:
        async with iam.app.store.transaction() as transaction:
            user = transaction.view.users.with_name(ACCOUNT, "leaver")
            assert user is not None
            await transaction.put(replace(user, attached_policies=()))

    order = [
        ("delete policies", done(iam, "DeleteUserPolicy", UserName="leaver", PolicyName="main")),
        ("detach all policies", detach()),
        ("remove users from group", done(iam, "RemoveUserFromGroup", GroupName="leavers", UserName="leaver")),
        ("delete access keys", done(iam, "DeleteAccessKey", UserName="leaver", AccessKeyId=key.access_key)),
    ]
    for words, remedy in order:
        expected = ("DeleteConflict", f"Cannot delete entity, must {words} first.")
        assert await refused(iam, "DeleteUser", UserName="leaver") == expected
        await remedy
    await done(iam, "DeleteUser", UserName="leaver")
    assert (await refused(iam, "DeleteUser", UserName="leaver"))[0] == "NoSuchEntity"


async def test_inline_policies_come_back_as_they_were_put(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="inline")
    spaced = document(statement("Allow", "s3:GetObject")).replace(",", ",\n  ")
    for name, text in (("b", ALLOW_ALL), ("a", ALLOW_ALL), ("b", spaced)):
        await done(iam, "PutUserPolicy", UserName="inline", PolicyName=name, PolicyDocument=text)
    assert (await done(iam, "ListUserPolicies", UserName="inline"))["PolicyNames"] == ["a", "b"]
    first = await done(iam, "ListUserPolicies", UserName="inline", MaxItems=1)
    assert (first["PolicyNames"], first["IsTruncated"]) == (["a"], True)
    found = await done(iam, "GetUserPolicy", UserName="inline", PolicyName="b")
    assert (found["UserName"], found["PolicyName"]) == ("inline", "b")
    raw = await asked(iam, "GetUserPolicy", UserName="inline", PolicyName="b")
    assert unquote(raw.text("PolicyDocument") or "") == spaced
    await done(iam, "DeleteUserPolicy", UserName="inline", PolicyName="b")
    for operation in ("GetUserPolicy", "DeleteUserPolicy"):
        missing = await refused(iam, operation, UserName="inline", PolicyName="b")
        assert missing == ("NoSuchEntity", "The user policy with name b cannot be found.")


async def test_inline_policies_of_a_user_have_2048_characters_between_them(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="wordy")
    rest = 2048 - policy_size(document(statement("Allow", "s3:x")))
    fits, exceeds = (document(statement("Allow", "s3:x" + "x" * more)) for more in (rest, rest + 1))
    await done(iam, "PutUserPolicy", UserName="wordy", PolicyName="one", PolicyDocument=fits)
    found = await refused(iam, "PutUserPolicy", UserName="wordy", PolicyName="one", PolicyDocument=exceeds)
    assert found == ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user wordy")
    assert (await refused(iam, "PutUserPolicy", UserName="wordy", PolicyName="two", PolicyDocument=ALLOW_ALL))[0] == (
        "LimitExceeded"
    )


async def test_a_policy_that_is_none_is_refused(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="careless")
    for text in ("{", document({**statement("Allow", "*"), "Principal": "*"})):
        found = await refused(iam, "PutUserPolicy", UserName="careless", PolicyName="x", PolicyDocument=text)
        assert found[0] == "MalformedPolicyDocument"


async def test_tags_of_the_request_and_of_the_user_decide(iam: Service) -> None:
    own = {"StringEquals": {"aws:RequestTag/team": "a"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    key: Credentials = await person(
        iam,
        "tagger",
        {**statement("Allow", "iam:CreateUser"), "Condition": own},
        {**statement("Allow", "iam:DeleteUser"), "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}},
    )
    team = [{"Key": "team", "Value": "a"}]
    assert (await refused(iam, "CreateUser", key, UserName="made"))[0] == "AccessDenied"
    both = [*team, {"Key": "other", "Value": ""}]
    assert (await refused(iam, "CreateUser", key, UserName="made", Tags=both))[0] == "AccessDenied"
    await done(iam, "CreateUser", key, UserName="made", Tags=team)
    await done(iam, "CreateUser", UserName="untagged")
    assert (await refused(iam, "DeleteUser", key, UserName="untagged"))[0] == "AccessDenied"
    await done(iam, "DeleteUser", key, UserName="made")
