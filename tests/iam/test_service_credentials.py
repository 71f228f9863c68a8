# SPDX-License-Identifier: Apache-2.0
"""Service-specific credentials of users: passwords and API keys, each shown once."""

from __future__ import annotations

import base64
import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from daypass.credentials import Secret
from daypass.iam.service_credentials import password_label
from daypass.sealing import MasterKey
from iam.kitchen import statement
from iam.people import asked, denial, done, person, refused, user_arn
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
MASTER = MasterKey.generate()
CREATED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
GIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"
DAY = 86_400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data"), master_key=Secret(MASTER)) as running:
        yield running


async def create(iam: Service, user: str, service_name: str = GIT, **more: Any) -> dict[str, Any]:
    made = await done(iam, "CreateServiceSpecificCredential", UserName=user, ServiceName=service_name, **more)
    found: dict[str, Any] = made["ServiceSpecificCredential"]
    return found


async def listed(iam: Service, **parameters: Any) -> list[dict[str, Any]]:
    answer = await done(iam, "ListServiceSpecificCredentials", **parameters)
    found: list[dict[str, Any]] = answer["ServiceSpecificCredentials"]
    return found


def stored_password(iam: Service, credential_id: str) -> str:
    stored = iam.app.store.view().service_credentials.with_key(credential_id)
    assert stored is not None
    return MasterKey.parse(MASTER).unwrap(stored.wrapped_password, password_label(credential_id)).decode()


async def test_a_password_is_shown_when_it_is_made_and_never_again(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    made = await create(iam, "ann")
    credential_id, password = made["ServiceSpecificCredentialId"], made.pop("ServicePassword")
    assert credential_id.startswith("ACCA")
    assert len(base64.b64decode(password)) == 32
    assert made == {
        "UserName": "ann",
        "Status": "Active",
        "ServiceUserName": f"ann-at-{ACCOUNT}",
        "CreateDate": CREATED,
        "ServiceSpecificCredentialId": credential_id,
        "ServiceName": GIT,
    }
    answer = await asked(iam, "ListServiceSpecificCredentials", UserName="ann")
    assert password.encode() not in answer.body
    assert await listed(iam, UserName="ann") == [made]
    assert stored_password(iam, credential_id) == password
    assert password not in repr(iam.app.store.view().service_credentials.with_key(credential_id))


@pytest.mark.parametrize(("name", "prefix"), [(BEDROCK, "ABSK"), ("logs.amazonaws.com", "ACWL")])
async def test_an_api_key_has_an_alias_a_secret_and_maybe_an_end(iam: Service, name: str, prefix: str) -> None:
    user = f"key-{prefix}"
    await done(iam, "CreateUser", UserName=user)
    made = await create(iam, user, name, CredentialAgeDays=30)
    secret = made.pop("ServiceCredentialSecret")
    assert secret.startswith(prefix)
    assert base64.b64decode(secret[4:]).decode().startswith(f"{user}-at-{ACCOUNT}:")
    assert made == {
        "UserName": user,
        "Status": "Active",
        "ServiceCredentialAlias": f"{user}-at-{ACCOUNT}",
        "CreateDate": CREATED,
        "ExpirationDate": CREATED + datetime.timedelta(days=30),
        "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"],
        "ServiceName": name,
    }
    assert "ExpirationDate" not in await create(iam, user, name)


async def test_a_key_is_expired_from_the_second_it_says(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ending")
    await create(iam, "ending", BEDROCK, CredentialAgeDays=1)
    try:
        iam.clock.advance(DAY - 1)
        assert [found["Status"] for found in await listed(iam, UserName="ending")] == ["Active"]
        iam.clock.advance(1)
        assert [found["Status"] for found in await listed(iam, UserName="ending")] == ["Expired"]
    finally:
        iam.clock.instant = NOW


async def test_a_user_has_two_credentials_of_a_service_and_not_three(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="two")
    names = [(await create(iam, "two"))["ServiceUserName"] for _ in range(2)]
    assert names == [f"two-at-{ACCOUNT}", f"two+1-at-{ACCOUNT}"]
    beyond = ("LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")
    parameters = {"UserName": "two", "ServiceName": GIT}
    assert await refused(iam, "CreateServiceSpecificCredential", **parameters) == beyond
    await create(iam, "two", "cassandra.amazonaws.com")


async def test_a_name_at_a_service_is_nobody_elses(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="jane")
    first = await create(iam, "jane")
    await done(iam, "UpdateUser", UserName="jane", NewUserName="mary")
    await done(iam, "CreateUser", UserName="jane")
    second = await create(iam, "jane")
    assert first["ServiceUserName"] == f"jane-at-{ACCOUNT}"
    assert second["ServiceUserName"] == f"jane+1-at-{ACCOUNT}"
    assert [found["UserName"] for found in await listed(iam, UserName="mary")] == ["mary"]


async def test_only_services_that_have_such_credentials_are_taken(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="none")
    unsupported = (
        "NotSupportedService",
        "No such service s3.amazonaws.com is supported for Service Specific Credentials",
    )
    names = {"UserName": "none", "ServiceName": "s3.amazonaws.com"}
    assert await refused(iam, "CreateServiceSpecificCredential", **names) == unsupported
    assert await refused(iam, "ListServiceSpecificCredentials", **names) == unsupported
    aging = {"UserName": "none", "ServiceName": GIT, "CredentialAgeDays": 1}
    assert (await refused(iam, "CreateServiceSpecificCredential", **aging))[0] == "InvalidInput"


async def test_a_reset_makes_another_password_for_the_same_credential(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="reset")
    made = await create(iam, "reset")
    credential_id, old = made["ServiceSpecificCredentialId"], made.pop("ServicePassword")
    named = {"UserName": "reset", "ServiceSpecificCredentialId": credential_id}
    again = (await done(iam, "ResetServiceSpecificCredential", **named))["ServiceSpecificCredential"]
    new = again.pop("ServicePassword")
    assert again == made
    assert new != old
    assert stored_password(iam, credential_id) == new


async def test_a_credential_is_switched_off_and_deleted_by_its_user_only(iam: Service) -> None:
    for name in ("owner", "stranger"):
        await done(iam, "CreateUser", UserName=name)
    credential_id = (await create(iam, "owner"))["ServiceSpecificCredentialId"]
    named = {"UserName": "owner", "ServiceSpecificCredentialId": credential_id}
    await done(iam, "UpdateServiceSpecificCredential", **named, Status="Inactive")
    assert [found["Status"] for found in await listed(iam, UserName="owner")] == ["Inactive"]
    assert (await refused(iam, "UpdateServiceSpecificCredential", **named, Status="Expired"))[0] == "InvalidInput"
    gone = ("NoSuchEntity", f"No such credential {credential_id} exists")
    others = {**named, "UserName": "stranger"}
    assert await refused(iam, "UpdateServiceSpecificCredential", **others, Status="Active") == gone
    assert await refused(iam, "ResetServiceSpecificCredential", **others) == gone
    assert await refused(iam, "DeleteServiceSpecificCredential", **others) == gone
    await done(iam, "DeleteServiceSpecificCredential", **named)
    assert await refused(iam, "DeleteServiceSpecificCredential", **named) == gone


async def test_a_list_is_of_a_user_or_of_all_and_of_a_service_or_all_in_pages(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="lister")
    ids = sorted([(await create(iam, "lister", name))["ServiceSpecificCredentialId"] for name in (GIT, BEDROCK)])
    first = await done(iam, "ListServiceSpecificCredentials", UserName="lister", MaxItems=1)
    rest = await done(iam, "ListServiceSpecificCredentials", UserName="lister", Marker=first["Marker"])
    found = first["ServiceSpecificCredentials"] + rest["ServiceSpecificCredentials"]
    assert [credential["ServiceSpecificCredentialId"] for credential in found] == ids
    assert [one["ServiceName"] for one in await listed(iam, UserName="lister", ServiceName=GIT)] == [GIT]
    everybody = {credential["ServiceSpecificCredentialId"] for credential in await listed(iam, AllUsers=True)}
    assert everybody == {stored.unique_id for stored in iam.app.store.view().service_credentials.of(ACCOUNT)}
    assert {one["ServiceName"] for one in await listed(iam, AllUsers=True, ServiceName=BEDROCK)} == {BEDROCK}
    both = await refused(iam, "ListServiceSpecificCredentials", AllUsers=True, UserName="lister")
    assert both == ("InvalidInput", "UserName cannot be specified together with AllUsers.")


async def test_permission_is_given_on_the_user_and_may_depend_on_the_service_and_the_days(iam: Service) -> None:
    only = {
        **statement("Allow", "iam:*ServiceSpecificCredential*", user_arn("self")),
        "Condition": {
            "StringEqualsIfExists": {"iam:ServiceSpecificCredentialServiceName": BEDROCK},
            "NumericLessThanIfExists": {"iam:ServiceSpecificCredentialAgeDays": "90"},
        },
    }
    key = await person(iam, "self", only)
    names = {"UserName": "self", "ServiceName": BEDROCK}
    made = await done(iam, "CreateServiceSpecificCredential", key, **names, CredentialAgeDays=89)
    too_long = await refused(iam, "CreateServiceSpecificCredential", key, **names, CredentialAgeDays=90)
    assert too_long == ("AccessDenied", denial("self", "CreateServiceSpecificCredential", user_arn("self")))
    other = await refused(iam, "CreateServiceSpecificCredential", key, **{**names, "ServiceName": GIT})
    assert other[0] == "AccessDenied"
    own = {"ServiceSpecificCredentialId": made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]}
    await done(iam, "ResetServiceSpecificCredential", key, **own)
    git = {"ServiceSpecificCredentialId": (await create(iam, "self"))["ServiceSpecificCredentialId"]}
    for operation in ("ResetServiceSpecificCredential", "DeleteServiceSpecificCredential"):
        assert (await refused(iam, operation, key, **git))[0] == "AccessDenied"
    all_users = ("AccessDenied", denial("self", "ListServiceSpecificCredentials", user_arn("*")))
    assert await refused(iam, "ListServiceSpecificCredentials", key, AllUsers=True) == all_users
