# SPDX-License-Identifier: Apache-2.0
"""What changes while a request waits is what counts: permission and trust are of the moment they are used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from msgspec.structs import replace

from daypass.store import AccessKey, Transaction, User
from fakes.oidc_provider import FakeOidcProvider
from iam.one_time import code_of
from iam.people import done, person
from in_process import ACCOUNT, Service, service
from sts.asking import asked, make_role, trusting

ROLE = "arn:aws:iam::123456789012:role/Web"


def trust(provider: FakeOidcProvider, effect: str = "Allow") -> str:
    name = provider.issuer.partition("://")[2]
    statement = {
        "Effect": effect,
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{name}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture
async def provider() -> AsyncIterator[FakeOidcProvider]:
    async with FakeOidcProvider() as running:
        running.add_key("ES256")
        yield running


@pytest.fixture
async def sts(tmp_path: Path, provider: FakeOidcProvider) -> AsyncIterator[Service]:
    async with service(tmp_path, allow_loopback_http=True) as running:
        client = {"ClientIDList.member.1": "client"}
        assert (await running.call("iam", "CreateOpenIDConnectProvider", Url=provider.issuer, **client)).status == 200
        document = trust(provider)
        assert (
            await running.call("iam", "CreateRole", RoleName="Web", AssumeRolePolicyDocument=document)
        ).status == 200
        yield running


def token(provider: FakeOidcProvider) -> str:
    return provider.token()


async def assume(sts: Service, proof: str) -> str | None:
    answer = await sts.call(
        "sts", "AssumeRoleWithWebIdentity", None, RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=proof
    )
    return answer.code


async def test_a_token_is_exchanged(sts: Service, provider: FakeOidcProvider) -> None:
    assert await assume(sts, token(provider)) is None


async def while_it_waits(sts: Service, provider: FakeOidcProvider, action: str, **parameters: str) -> str | None:
    """Change something while the provider is being asked; what became of the exchange."""
    provider.held.clear()
    waiting = asyncio.create_task(assume(sts, token(provider)))
    await provider.asked_for("/.well-known/openid-configuration")
    assert (await sts.call("iam", action, **parameters)).status == 200
    provider.held.set()
    return await waiting


async def test_trust_that_was_withdrawn_while_the_provider_was_asked_is_no_trust(
    sts: Service, provider: FakeOidcProvider
) -> None:
    denying = trust(provider, "Deny")
    code = await while_it_waits(sts, provider, "UpdateAssumeRolePolicy", RoleName="Web", PolicyDocument=denying)
    assert code == "AccessDenied"


async def test_an_audience_that_was_withdrawn_while_the_provider_was_asked_is_none(
    sts: Service, provider: FakeOidcProvider
) -> None:
    arn = f"arn:aws:iam::123456789012:oidc-provider/{provider.issuer.partition('://')[2]}"
    action = "RemoveClientIDFromOpenIDConnectProvider"
    assert (
        await while_it_waits(sts, provider, action, OpenIDConnectProviderArn=arn, ClientID="client")
        == "InvalidIdentityToken"
    )


Change = Callable[[Transaction, User, AccessKey], Awaitable[object]]


async def _lose_permission(transaction: Transaction, user: User, key: AccessKey) -> None:
    await transaction.put(replace(user, inline_policies=()))


async def _deactivate(transaction: Transaction, user: User, key: AccessKey) -> None:
    await transaction.put(replace(key, status="Inactive"))


async def _delete_user(transaction: Transaction, user: User, key: AccessKey) -> None:
    await transaction.delete(user)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_lose_permission, "AccessDenied"),
        (_deactivate, "InvalidClientTokenId"),
        (_delete_user, "InvalidClientTokenId"),
    ],
)
async def test_who_loses_it_all_while_a_second_factor_is_shown_has_it_no_more(
    sts: Service, change: Change, code: str
) -> None:
    """Showing a code waits for the store; who the caller is, and may, is what it is afterwards."""
    key = await person(sts, "ann", {"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    made = (await done(sts, "CreateVirtualMFADevice", VirtualMFADeviceName="ann"))["VirtualMFADevice"]
    serial, seed, step = made["SerialNumber"], made["Base32StringSeed"], int(sts.clock()) // 30
    codes = {"AuthenticationCode1": code_of(seed, step - 1), "AuthenticationCode2": code_of(seed, step)}
    await done(sts, "EnableMFADevice", UserName="ann", SerialNumber=serial, **codes)
    role_arn = await make_role(sts, "Guarded", trusting(ACCOUNT))
    shown = {"SerialNumber": serial, "TokenCode": code_of(seed, step + 1)}
    wanted = {"RoleArn": role_arn, "RoleSessionName": "test", **shown}
    async with sts.app.store.transaction() as transaction:
        waiting = asyncio.create_task(asked(sts, "AssumeRole", key, **wanted))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        user = transaction.view.users.with_name(ACCOUNT, "ann")
        stored = transaction.view.access_keys.with_key(str(key.access_key))
        assert user is not None
        assert stored is not None
        await change(transaction, user, stored)
    assert (await waiting).code == code


async def test_a_denial_names_a_role_that_is_there_as_one_that_is_not(sts: Service, provider: FakeOidcProvider) -> None:
    document = trust(provider)
    await sts.call("iam", "CreateRole", RoleName="Hidden", Path="/secret/path/", AssumeRolePolicyDocument=document)
    answer = await sts.call(
        "sts", "AssumeRoleWithWebIdentity", None, RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=token(provider)
    )
    session = Credentials(*(str(answer.text(name)) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
    there = await sts.call("iam", "GetRole", session, RoleName="Hidden")
    absent = await sts.call("iam", "GetRole", session, RoleName="Absent")
    assert there.code == absent.code == "AccessDenied"
    assert there.message == absent.message.replace("Absent", "Hidden")
    assert "secret" not in there.message
