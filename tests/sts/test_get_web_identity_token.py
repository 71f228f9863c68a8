# SPDX-License-Identifier: Apache-2.0
"""GetWebIdentityToken: who may have a token, what it says, and that it lends nobody anything."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from joserfc import jwt
from joserfc.jwk import KeySet

from daypass.clock import iso8601
from daypass.sessions import Session
from daypass.store import Membership, Organization, OrganizationalUnit
from doors import fetch
from iam.kitchen import statement
from iam.people import done, person, user_arn
from in_process import ACCOUNT, NOW, ROOT, Service, service
from sts.asking import another_account, asked, given, make_role, refusal, session_of, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = "GetWebIdentityToken"
OTHER = "210987654321"
AUDIENCE = "https://api.example.org"
ISSUER = f"https://daypass.example.org/oidc/{ACCOUNT}"
MAY = statement("Allow", ["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"])
TAG = {"Key": "job", "Value": "nightly"}
_numbers = itertools.count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all, with an issuer; every test makes users and roles of its own."""
    async with service(tmp_path_factory.mktemp("data"), public_url="https://daypass.example.org") as running:
        await done(running, "EnableOutboundWebIdentityFederation")
        yield running


def name(prefix: str) -> str:
    return f"{prefix}{next(_numbers)}"


def wanted(**changes: Any) -> dict[str, Any]:
    return {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384", **changes}


async def verified(sts: Service, token: str) -> dict[str, Any]:
    """The claims, by joserfc and the documents that are published."""
    configuration = (await fetch(sts, f"/oidc/{ACCOUNT}/.well-known/openid-configuration")).json
    assert configuration["issuer"] == ISSUER
    path = configuration["jwks_uri"].removeprefix("https://daypass.example.org")
    keys = KeySet.import_key_set((await fetch(sts, path)).json)
    algorithms = configuration["id_token_signing_alg_values_supported"]
    return dict(jwt.decode(token, keys, algorithms=algorithms).claims)


async def claims(sts: Service, credentials: Credentials = ROOT, /, **changes: Any) -> dict[str, Any]:
    """The claims of a token, and below ``ours`` those of the claim that AWS has for its own."""
    found = await verified(sts, (await given(sts, GET, credentials, **wanted(**changes)))["WebIdentityToken"])
    return {**found, "ours": found.pop("https://sts.amazonaws.com/")}


async def role_session(sts: Service, *statements: dict[str, Any], seconds: int = 3600, **more: Any) -> Credentials:
    """Credentials of a new role, ``/team/NAME``, that has a tag."""
    role = name("Role")
    caller = await person(sts, name("caller"), statement("Allow", "sts:*"))
    trust = trusting(f"arn:aws:iam::{ACCOUNT}:root")
    tags = [{"Key": "Team", "Value": "red"}, {"Key": "kept", "Value": "1"}]
    arn = await make_role(sts, role, trust, *(statements or (MAY,)), Path="/team/", Tags=tags)
    return await session_of(sts, caller, arn, DurationSeconds=seconds, **more)


# What it says


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
async def test_a_token_says_who_for_whom_and_until_when(sts: Service, algorithm: str) -> None:
    user = name("alice")
    caller = await person(sts, user, MAY, Path="/team/", Tags=[{"Key": "Team", "Value": "red"}])
    output = await given(sts, GET, caller, **wanted(SigningAlgorithm=algorithm))
    assert output["Expiration"].timestamp() == NOW + 300
    found = await verified(sts, output["WebIdentityToken"])
    assert len(found.pop("jti")) == 36
    arn = user_arn(user, "/team/")
    assert found == {
        "iss": ISSUER,
        "sub": arn,
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 300,
        "https://sts.amazonaws.com/": {
            "aws_account": ACCOUNT,
            "source_region": "us-east-1",
            "principal_id": arn,
            "principal_tags": {"Team": "red"},
        },
    }


async def test_no_two_tokens_have_the_same_id(sts: Service) -> None:
    assert (await claims(sts))["jti"] != (await claims(sts))["jti"]


async def test_several_audiences_are_a_list_and_one_is_a_string(sts: Service) -> None:
    assert (await claims(sts, Audience=["one", "two"]))["aud"] == ["one", "two"]
    assert (await claims(sts, Audience=["one", "one"]))["aud"] == "one"


async def test_a_session_of_a_role_is_named_by_the_role_and_says_when_it_ends(sts: Service) -> None:
    tags = [{"Key": "team", "Value": "blue"}]
    found = await claims(sts, await role_session(sts, SourceIdentity="alice", Tags=tags))
    assert found["sub"].startswith(f"arn:aws:iam::{ACCOUNT}:role/team/Role")
    assert found["ours"] == {
        "aws_account": ACCOUNT,
        "source_region": "us-east-1",
        "principal_id": found["sub"],
        "principal_tags": {"team": "blue", "kept": "1"},
        "original_session_exp": iso8601(NOW + 3600),
        "source_identity": "alice",
    }


async def test_a_session_of_somebody_else_says_whose_word_it_was_made_on(sts: Service) -> None:
    url = f"https://{name('idp')}.example.org"
    provider = (await done(sts, "CreateOpenIDConnectProvider", Url=url, ClientIDList=["app"]))[
        "OpenIDConnectProviderArn"
    ]
    role = name("Role")
    arn = await make_role(sts, role, trusting(f"arn:aws:iam::{ACCOUNT}:root"), MAY)
    role_id = (await done(sts, "GetRole", RoleName=role))["Role"]["RoleId"]
    session = Session(ACCOUNT, role_id, "web", int(NOW), int(NOW) + 900, provider_arn=provider, subject="alice")
    made = sts.app.sessions.issue(session, now=NOW)
    keys = Credentials(made.access_key_id, made.secret_access_key.reveal(), made.session_token.reveal())
    found = await claims(sts, keys)
    assert (found["sub"], found["ours"]["federated_provider"]) == (arn, provider)


async def test_root_has_a_token_too(sts: Service) -> None:
    found = await claims(sts)
    assert found["sub"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert "principal_tags" not in found["ours"]


async def test_tags_of_the_request_are_claims_of_their_own(sts: Service) -> None:
    found = await claims(sts, Tags=[TAG, {"Key": "empty", "Value": ""}])
    assert found["ours"]["request_tags"] == {"job": "nightly", "empty": ""}


async def test_an_account_in_an_organisation_says_where_it_belongs(sts: Service) -> None:
    records = (
        Organization("o-1", "r-1", OTHER, 0),
        OrganizationalUnit("ou-1", "r-1", "unit", 0),
        Membership(ACCOUNT, "member", "ou-1"),
    )
    await another_account(sts, OTHER)
    async with sts.app.store.transaction() as transaction:
        for record in records:
            await transaction.put(record)
    try:
        view = sts.app.store.view()
        assert view.memberships.with_key(ACCOUNT)
        found = await asked(sts, GET, ROOT, **wanted())
        assert found.code == "AccessDenied", "a level without a policy lets nobody pass"
        full = ("p-FullAWSAccess", "p-RCPFullAWSAccess")
        async with sts.app.store.transaction() as transaction:
            await transaction.put(Organization("o-1", "r-1", OTHER, 0, full))
            await transaction.put(OrganizationalUnit("ou-1", "r-1", "unit", 0, full))
            await transaction.put(Membership(ACCOUNT, "member", "ou-1", policies=full))
        ours = (await claims(sts))["ours"]
        assert (ours["org_id"], ours["ou_path"]) == ("o-1", ["o-1/r-1/ou-1/"])
    finally:
        async with sts.app.store.transaction() as transaction:
            for record in records:
                await transaction.delete(record)


# Who may have one


async def test_who_has_no_policy_is_told_the_action(sts: Service) -> None:
    user = name("user")
    code, message = await refusal(sts, GET, await person(sts, user), **wanted())
    assert code == "AccessDenied"
    assert message == (
        f"User: {user_arn(user)} is not authorized to perform: sts:GetWebIdentityToken"
        " because no identity-based policy allows the sts:GetWebIdentityToken action"
    )


async def test_passing_tags_needs_a_permission_of_its_own(sts: Service) -> None:
    only = await person(sts, name("user"), statement("Allow", "sts:GetWebIdentityToken"))
    assert (await claims(sts, only))["aud"] == AUDIENCE
    code, message = await refusal(sts, GET, only, **wanted(Tags=[TAG]))
    assert code == "AccessDenied"
    assert "sts:TagGetWebIdentityToken" in message
    condition = {"StringEquals": {"aws:RequestTag/job": "nightly"}, "ForAllValues:StringEquals": {"aws:TagKeys": "job"}}
    tagging = {**statement("Allow", "sts:TagGetWebIdentityToken"), "Condition": condition}
    narrow = await person(sts, name("user"), statement("Allow", "sts:GetWebIdentityToken"), tagging)
    assert (await asked(sts, GET, narrow, **wanted(Tags=[TAG]))).status == 200
    other = {"Key": "job", "Value": "other"}
    assert (await refusal(sts, GET, narrow, **wanted(Tags=[other])))[0] == "AccessDenied"


CONDITIONS = [
    (
        {"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [AUDIENCE, "two"]}},
        {"Audience": [AUDIENCE, "other"]},
    ),
    ({"ForAnyValue:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE}}, {"Audience": ["other"]}),
    ({"StringEquals": {"sts:SigningAlgorithm": "ES384"}}, {"SigningAlgorithm": "RS256"}),
    ({"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}, {"DurationSeconds": 301}),
    ({"NumericEquals": {"sts:DurationSeconds": "300"}}, {"DurationSeconds": 60}),
    ({"Null": {"aws:TagKeys": "true"}}, {"Tags": [TAG]}),
]


@pytest.mark.parametrize(("condition", "outside"), CONDITIONS, ids=str)
async def test_a_condition_on_the_token_holds_also_for_what_was_not_said(
    sts: Service, condition: dict[str, Any], outside: dict[str, Any]
) -> None:
    may = {**MAY, "Condition": condition}
    caller = await person(sts, name("user"), may)
    assert (await asked(sts, GET, caller, **wanted())).status == 200
    assert (await refusal(sts, GET, caller, **wanted(**outside)))[0] == "AccessDenied"


async def test_a_session_policy_that_is_silent_denies(sts: Service) -> None:
    silent = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    code, message = await refusal(sts, GET, await role_session(sts, Policy=silent), **wanted())
    assert (code, "session policy" in message) == ("AccessDenied", True)


@pytest.mark.parametrize("operation", ["GetSessionToken", "GetFederationToken"])
async def test_credentials_of_get_session_token_and_get_federation_token_have_none(
    sts: Service, operation: str
) -> None:
    caller = await person(sts, name("user"), statement("Allow", "sts:*"))
    federated = {
        "Name": "bob",
        "Policy": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    }
    made = (await given(sts, operation, caller, **(federated if operation == "GetFederationToken" else {})))[
        "Credentials"
    ]
    session = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    code, message = await refusal(sts, GET, session, **wanted())
    assert (code, message) == ("AccessDenied", "Cannot call GetWebIdentityToken with session credentials")


# What is refused


async def test_a_token_may_last_as_long_as_its_session_and_not_a_second_longer(sts: Service) -> None:
    session = await role_session(sts, seconds=900)
    assert (await claims(sts, session, DurationSeconds=900))["exp"] == NOW + 900
    answer = await asked(sts, GET, session, **wanted(DurationSeconds=901))
    assert (answer.status, answer.code) == (403, "SessionDurationEscalationException")


async def test_keys_that_last_may_ask_for_the_hour(sts: Service) -> None:
    assert (await claims(sts, DurationSeconds=3600))["exp"] == NOW + 3600


BAD = [
    {"Audience": []},
    {"Audience": [str(number) for number in range(11)]},
    {"Audience": [""]},
    {"Audience": ["x" * 1001]},
    {"DurationSeconds": 59},
    {"DurationSeconds": 3601},
    {"SigningAlgorithm": "RS384"},
    {"SigningAlgorithm": "rs256"},
    {"SigningAlgorithm": "HS256"},
    {"SigningAlgorithm": "none"},
    {"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]},
    {"Tags": [TAG, {"Key": "Job", "Value": "other"}]},
    {"Tags": [{"Key": "aws:job", "Value": ""}]},
    {"Tags": [{"Key": "<job>", "Value": ""}]},
    {"Tags": [{"Key": "job", "Value": "x" * 257}]},
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:50])
async def test_what_cannot_be_asked_for_is_refused(sts: Service, bad: dict[str, Any]) -> None:
    answer = await asked(sts, GET, ROOT, **wanted(**bad))
    assert (answer.status, answer.code) == (400, "ValidationError")


@pytest.mark.parametrize("missing", ["Audience", "SigningAlgorithm"])
async def test_audience_and_algorithm_are_required(sts: Service, missing: str) -> None:
    parameters = wanted()
    del parameters[missing]
    assert (await refusal(sts, GET, ROOT, **parameters))[0] == "ValidationError"


async def test_tags_that_make_the_token_too_long_are_refused(sts: Service) -> None:
    tags = [{"Key": f"{number:03d}{'k' * 125}", "Value": "v" * 256} for number in range(50)]
    answer = await asked(sts, GET, ROOT, **wanted(Tags=tags))
    assert (answer.status, answer.code) == (400, "JWTPayloadSizeExceededException")
    assert (await asked(sts, GET, ROOT, **wanted(Tags=tags[:30]))).status == 200


async def test_an_account_that_has_not_enabled_it_signs_nothing(sts: Service) -> None:
    third = "333333333333"
    answer = await asked(sts, GET, await another_account(sts, third), **wanted())
    assert (answer.status, answer.code) == (403, "OutboundWebIdentityFederationDisabledException")
    assert (await fetch(sts, f"/oidc/{third}/.well-known/jwks.json")).status == 404


async def test_a_token_is_not_in_the_log(sts: Service, capsys: pytest.CaptureFixture[str]) -> None:
    token = (await given(sts, GET, ROOT, **wanted()))["WebIdentityToken"]
    code, _ = await refusal(sts, "AssumeRoleWithWebIdentity", None, **_as_proof(token))
    printed = capsys.readouterr()
    assert code is not None
    assert token.split(".")[1] not in printed.out + printed.err


# Not for ourselves


def _as_proof(token: str) -> dict[str, str]:
    role = f"arn:aws:iam::{ACCOUNT}:role/Any"
    return {"RoleArn": role, "RoleSessionName": "test", "WebIdentityToken": token}


async def test_the_service_that_issued_a_token_does_not_take_it_for_a_proof(sts: Service) -> None:
    await done(sts, "CreateOpenIDConnectProvider", Url=ISSUER, ClientIDList=[AUDIENCE])
    token = (await given(sts, GET, ROOT, **wanted()))["WebIdentityToken"]
    code, message = await refusal(sts, "AssumeRoleWithWebIdentity", None, **_as_proof(token))
    assert code == "InvalidIdentityToken"
    assert "of the service that issued them" in message
