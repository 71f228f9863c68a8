# SPDX-License-Identifier: Apache-2.0
"""GetSessionToken and GetFederationToken: every parameter is enforced, and what their sessions may and may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.access import RequestFacts, Resource, authorize
from daypass.access.authenticate import Caller
from daypass.access.bearer import bearer_of
from daypass.errors import AccessDeniedError
from iam.kitchen import document, statement
from iam.one_time import code_of
from iam.people import asked as asked_iam
from iam.people import done, person, refused
from in_process import ACCOUNT, ROOT, Service, service
from sts.asking import asked, given, keys_of, make_role, refusal, session_of, trusting, who
from sts.holding import (
    FULL,
    LISTS,
    MAY_LIST,
    expires_at,
    lists,
    new_name,
    principal_tags,
    role,
    session_in,
    trusting_account,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
UNFIT = "Cannot call {} with session credentials"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users and roles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def user(sts: Service, *statements: dict[str, Any], **more: Any) -> tuple[str, Credentials]:
    """A new user: its name and a key."""
    name = new_name("user")
    return name, await person(sts, name, *statements, **more)


async def shown_now(sts: Service, name: str) -> dict[str, str]:
    """A device for a user, and what it shows: SerialNumber and TokenCode."""
    made = (await done(sts, "CreateVirtualMFADevice", VirtualMFADeviceName=name))["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    step = int(sts.clock()) // 30
    codes = {"AuthenticationCode1": code_of(seed, step - 1), "AuthenticationCode2": code_of(seed, step)}
    await done(sts, "EnableMFADevice", UserName=name, SerialNumber=serial, **codes)
    return {"SerialNumber": serial, "TokenCode": code_of(seed, step + 1)}


# GetSessionToken


async def test_a_users_session_is_the_user_with_its_permissions_as_they_are_at_use(sts: Service) -> None:
    name, key = await user(sts, Tags=[{"Key": "team", "Value": "red"}])
    shown = await shown_now(sts, name)
    output = await given(sts, "GetSessionToken", key, **shown)
    assert set(output) == {"Credentials", "SessionTokenSize", "SessionTokenUtilization"}
    session = keys_of(output)
    assert await given(sts, "GetCallerIdentity", session) == await given(sts, "GetCallerIdentity", key)
    assert await lists(sts, session) == set()
    conditions = {
        "StringEquals": {"aws:PrincipalTag/team": "red", "aws:username": name},
        "Null": {"aws:TokenIssueTime": "false"},
    }
    policy = document({**MAY_LIST, "Condition": conditions})
    await done(sts, "PutUserPolicy", UserName=name, PolicyName="main", PolicyDocument=policy)
    assert await lists(sts, session) == set(LISTS)
    assert await lists(sts, key) == set(), "a long-term key has no time of issue"


async def test_a_users_session_lasts_as_long_as_was_asked_for_or_twelve_hours(sts: Service) -> None:
    _, key = await user(sts)
    now = int(sts.clock())
    assert expires_at(await given(sts, "GetSessionToken", key)) == now + 43_200
    for seconds in (900, 129_600):
        assert expires_at(await given(sts, "GetSessionToken", key, DurationSeconds=seconds)) == now + seconds


@pytest.mark.parametrize(("operation", "more"), [("GetSessionToken", {}), ("GetFederationToken", {"Name": "bob"})])
async def test_roots_sessions_last_an_hour_at_most(sts: Service, operation: str, more: dict[str, Any]) -> None:
    now = int(sts.clock())
    for asked_for, lasts in ((None, 3600), (900, 900), (3600, 3600), (129_600, 3600)):
        wanted = more if asked_for is None else {**more, "DurationSeconds": asked_for}
        assert expires_at(await given(sts, operation, ROOT, **wanted)) == now + lasts


@pytest.mark.parametrize(("operation", "more"), [("GetSessionToken", {}), ("GetFederationToken", {"Name": "bob"})])
async def test_the_tokens_of_own_sessions_have_the_size_that_was_asked_for(
    sts: Service, operation: str, more: dict[str, Any]
) -> None:
    _, key = await user(sts, statement("Allow", "sts:*"))
    output = await given(sts, operation, key, MinimumSessionTokenSize=4096, **more)
    assert len(output["Credentials"]["SessionToken"]) == output["SessionTokenSize"] >= 4096
    assert await who(sts, keys_of(output))


async def test_no_policy_forbids_get_session_token(sts: Service) -> None:
    _, key = await user(sts, statement("Deny", "*"))
    await given(sts, "GetSessionToken", key)


async def test_a_users_session_without_a_second_factor_is_unknown_to_iam(sts: Service) -> None:
    name, key = await user(sts, MAY_LIST)
    session = keys_of(await given(sts, "GetSessionToken", key))
    assert await refused(sts, "ListUsers", session) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
    assert (await asked(sts, "GetCallerIdentity", session)).status == 200
    shown = await shown_now(sts, name)
    assert (await asked_iam(sts, "ListUsers", keys_of(await given(sts, "GetSessionToken", key, **shown)))).status == 200


NOT_FOR_OWN_SESSIONS: dict[str, dict[str, Any]] = {
    "GetSessionToken": {},
    "GetFederationToken": {"Name": "bob"},
    "AssumeRoot": {
        "TargetPrincipal": "210987654321",
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
    },
    "GetAccessKeyInfo": {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"},
    "DecodeAuthorizationMessage": {"EncodedMessage": "x"},
    "GetWebIdentityToken": {"Audience": ["api"], "SigningAlgorithm": "ES384"},
}


@pytest.mark.parametrize("operation", NOT_FOR_OWN_SESSIONS)
@pytest.mark.parametrize("whose", ["a user's", "root's", "a federated user's", "a federated user's, of root"])
async def test_own_sessions_call_nothing_of_sts_but_assume_role_and_who_they_are(
    sts: Service, operation: str, whose: str
) -> None:
    key = ROOT if "root" in whose else (await user(sts, statement("Allow", "*")))[1]
    making: dict[str, Any] = {"Name": "bob", "Policy": FULL} if "federated" in whose else {}
    session = keys_of(await given(sts, "GetFederationToken" if making else "GetSessionToken", key, **making))
    assert await refusal(sts, operation, session, **NOT_FOR_OWN_SESSIONS[operation]) == (
        "AccessDenied",
        UNFIT.format(operation),
    )
    assert (await asked(sts, "GetCallerIdentity", session)).status == 200


@pytest.mark.parametrize("operation", ["GetSessionToken", "GetFederationToken"])
async def test_a_role_session_makes_no_session_of_a_user(sts: Service, operation: str) -> None:
    _, key = await user(sts, statement("Allow", "sts:*"))
    session = await session_of(sts, key, await role(sts, statement("Allow", "*")))
    assert await refusal(sts, operation, session, **NOT_FOR_OWN_SESSIONS[operation]) == (
        "AccessDenied",
        UNFIT.format(operation),
    )


async def test_a_role_that_a_users_session_assumes_ends_with_it_and_with_its_key(sts: Service) -> None:
    name, key = await user(sts, statement("Allow", "sts:*"))
    role_arn = await role(sts, MaxSessionDuration=43_200)
    first = keys_of(await given(sts, "GetSessionToken", key, DurationSeconds=1200))
    output = await given(sts, "AssumeRole", first, RoleArn=role_arn, RoleSessionName="test", DurationSeconds=43_200)
    assert expires_at(output) == session_in(sts, first).expires_at
    change = {"UserName": name, "AccessKeyId": str(key.access_key)}
    await done(sts, "UpdateAccessKey", Status="Inactive", **change)
    for session in (first, keys_of(output)):
        assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"
    await done(sts, "UpdateAccessKey", Status="Active", **change)
    assert await who(sts, keys_of(output))


async def test_a_second_factor_of_a_users_session_is_not_one_of_the_roles_that_it_assumes(sts: Service) -> None:
    name, key = await user(sts, statement("Allow", "sts:*"))
    with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    guarded = await role(sts, {**MAY_LIST, "Condition": with_mfa}, trust=trusting_account(with_mfa))
    shown = await shown_now(sts, name)
    first = keys_of(await given(sts, "GetSessionToken", key, **shown))
    second = await session_of(sts, first, guarded)
    assert await lists(sts, second) == set(), "the role's session was made without a code"
    assert (await refusal(sts, "AssumeRole", key, RoleArn=guarded, RoleSessionName="test"))[0] == "AccessDenied"


async def test_roots_session_is_root_and_assumes_no_role(sts: Service) -> None:
    session = keys_of(await given(sts, "GetSessionToken", ROOT))
    assert await who(sts, session) == f"arn:aws:iam::{ACCOUNT}:root"
    assert await refusal(sts, "AssumeRole", session, RoleArn=await role(sts), RoleSessionName="test") == (
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    )


# GetFederationToken

MAY_FEDERATE = statement("Allow", ["sts:GetFederationToken", "sts:TagSession"])


async def federated(sts: Service, key: Credentials, **more: Any) -> Credentials:
    return keys_of(await given(sts, "GetFederationToken", key, **{"Name": "bob", **more}))


async def test_a_federated_user_has_the_name_that_was_asked_for_and_policies_see_it(sts: Service) -> None:
    resource = f"arn:aws:sts::{ACCOUNT}:federated-user/b*"
    name, key = await user(sts, statement("Allow", "sts:GetFederationToken", resource))
    output = await given(sts, "GetFederationToken", key, Name="bob@x")
    arn, user_id = f"arn:aws:sts::{ACCOUNT}:federated-user/bob@x", f"{ACCOUNT}:bob@x"
    assert output["FederatedUser"] == {"FederatedUserId": user_id, "Arn": arn}
    identity = await given(sts, "GetCallerIdentity", keys_of(output))
    assert identity == {"UserId": user_id, "Account": ACCOUNT, "Arn": arn}
    code, message = await refusal(sts, "GetFederationToken", key, Name="ann")
    assert code == "AccessDenied"
    assert f"sts:GetFederationToken on resource: {resource[:-2]}ann" in message
    assert name in message


async def test_a_federated_user_may_what_its_policy_and_its_users_allow(sts: Service) -> None:
    """IAM is closed to federated users, so it is asked of the layers that every door uses."""
    name, key = await user(sts, MAY_FEDERATE, statement("Allow", "s3:Get*"), statement("Deny", "s3:GetSecret"))
    policy = document(statement("Allow", ["s3:GetObject", "s3:PutObject", "s3:GetSecret"]))
    session = await federated(sts, key, Policy=policy)
    assert decides(sts, session, "s3:GetObject", "s3:PutObject", "s3:GetSecret", "s3:GetAcl") == {"s3:GetObject"}
    await done(
        sts, "PutUserPolicy", UserName=name, PolicyName="main", PolicyDocument=document(statement("Allow", "s3:Put*"))
    )
    assert decides(sts, session, "s3:GetObject", "s3:PutObject") == {"s3:PutObject"}
    none = await federated(sts, await _again(sts, name))
    assert decides(sts, none, "s3:GetObject", "s3:PutObject") == set()


async def _again(sts: Service, name: str) -> Credentials:
    policy = document(MAY_FEDERATE, statement("Allow", "s3:*"))
    await done(sts, "PutUserPolicy", UserName=name, PolicyName="main", PolicyDocument=policy)
    made = (await done(sts, "CreateAccessKey", UserName=name))["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def decides(sts: Service, credentials: Credentials, *actions: str) -> set[str]:
    """The actions that whoever holds the credentials may do on a bucket of its account."""
    session, view = session_in(sts, credentials), sts.app.store.view()
    bearer = bearer_of(session, view)
    caller = Caller(bearer.principal, str(credentials.access_key), "us-east-1", session, bearer.role, bearer.user)
    facts = RequestFacts(sts.clock(), None, secure=True)
    allowed = set()
    for action in actions:
        try:
            authorize(
                caller, action, Resource("arn:aws:s3:::b/k", ACCOUNT), facts=facts, view=view, keys=lambda tags: {}
            )
        except AccessDeniedError:
            continue
        allowed.add(action)
    return allowed


async def test_a_boundary_of_the_user_bounds_its_federated_users(sts: Service) -> None:
    name, key = await user(sts, statement("Allow", "*"))
    session = await federated(sts, key, Policy=FULL)
    assert decides(sts, session, "s3:GetObject", "s3:PutObject") == {"s3:GetObject", "s3:PutObject"}
    made = await done(
        sts,
        "CreatePolicy",
        PolicyName=new_name("Bound"),
        PolicyDocument=document(statement("Allow", "s3:GetObject")),
    )
    await done(sts, "PutUserPermissionsBoundary", UserName=name, PermissionsBoundary=made["Policy"]["Arn"])
    assert decides(sts, session, "s3:GetObject", "s3:PutObject") == {"s3:GetObject"}


async def test_managed_policies_of_a_federated_user_count_like_the_inline_one(sts: Service) -> None:
    _, key = await user(sts, statement("Allow", "*"))
    arns = [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]
    session = await federated(sts, key, PolicyArns=arns)
    assert decides(sts, session, "s3:GetObject", "s3:PutObject", "sqs:SendMessage") == {"s3:GetObject"}
    both = await federated(sts, key, PolicyArns=arns, Policy=document(statement("Allow", "s3:PutObject")))
    assert decides(sts, both, "s3:GetObject", "s3:PutObject", "sqs:SendMessage") == {"s3:GetObject", "s3:PutObject"}
    nothing = await federated(sts, key, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AWSDenyAll"}], Policy=FULL)
    assert decides(sts, nothing, "s3:GetObject") == set()


async def test_a_federated_user_of_root_may_what_its_policy_allows(sts: Service) -> None:
    policy = document(statement("Allow", "s3:GetObject"))
    assert decides(sts, await federated(sts, ROOT, Policy=policy), "s3:GetObject", "s3:PutObject") == {"s3:GetObject"}
    assert decides(sts, await federated(sts, ROOT), "s3:GetObject") == set()


async def test_a_federated_users_session_lasts_as_long_as_was_asked_for_or_twelve_hours(sts: Service) -> None:
    _, key = await user(sts, MAY_FEDERATE)
    now = int(sts.clock())
    assert expires_at(await given(sts, "GetFederationToken", key, Name="bob")) == now + 43_200
    for seconds in (900, 129_600):
        output = await given(sts, "GetFederationToken", key, Name="bob", DurationSeconds=seconds)
        assert expires_at(output) == now + seconds


async def test_tags_of_a_federated_user_are_over_its_users_and_need_a_permission(sts: Service) -> None:
    own = [{"Key": "Team", "Value": "blue"}, {"Key": "kept", "Value": "1"}]
    condition = {"StringEquals": {"aws:RequestTag/team": "red"}}
    tagging = {**statement("Allow", "sts:TagSession"), "Condition": condition}
    _, key = await user(sts, statement("Allow", "sts:GetFederationToken"), tagging, Tags=own)
    red, green = [{"Key": "team", "Value": "red"}], [{"Key": "team", "Value": "green"}]
    assert principal_tags(sts, await federated(sts, key, Tags=red)) == {"team": "red", "kept": "1"}
    assert principal_tags(sts, await federated(sts, key)) == {"team": "blue", "kept": "1"}
    code, message = await refusal(sts, "GetFederationToken", key, Name="bob", Tags=green)
    assert (code, "sts:TagSession" in message) == ("AccessDenied", True)


async def test_a_federated_user_is_unknown_to_iam_and_assumes_no_role(sts: Service) -> None:
    _, key = await user(sts, statement("Allow", "*"))
    session = await federated(sts, key, Policy=FULL)
    assert (await refused(sts, "ListUsers", session))[0] == "InvalidClientTokenId"
    trust = trusting(f"arn:aws:sts::{ACCOUNT}:federated-user/bob")
    role_arn = await make_role(sts, new_name("Role"), trust)
    assert await refusal(sts, "AssumeRole", session, RoleArn=role_arn, RoleSessionName="test") == (
        "AccessDenied",
        UNFIT.format("AssumeRole"),
    )


@pytest.mark.parametrize("making", ["GetSessionToken", "GetFederationToken"])
async def test_own_sessions_end_with_the_user_whose_they_are(sts: Service, making: str) -> None:
    name, key = await user(sts, MAY_FEDERATE)
    session = keys_of(await given(sts, making, key, **({"Name": "bob"} if making == "GetFederationToken" else {})))
    assert await who(sts, session)
    await done(sts, "DeleteAccessKey", UserName=name, AccessKeyId=str(key.access_key))
    assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"
    await done(sts, "DeleteUserPolicy", UserName=name, PolicyName="main")
    await done(sts, "DeleteUser", UserName=name)
    await done(sts, "CreateUser", UserName=name)
    assert (await refusal(sts, "GetCallerIdentity", session))[0] == "InvalidClientTokenId"
