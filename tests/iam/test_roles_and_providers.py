# SPDX-License-Identifier: Apache-2.0
"""What IAM refuses about roles and providers, and that a refusal changes nothing. Journeys cover what it accepts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daypass.access import RequestFacts
from daypass.access.authenticate import Caller
from daypass.access.authorize import Permitted
from daypass.errors import AccessDeniedError, EntityError, Reason
from daypass.iam import role_policies, roles
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.sealing import MasterKey
from in_process import Service, service

MASTER = MasterKey.parse(MasterKey.generate())
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/idp.example.org"


def trust(**statement: object) -> str:
    whole = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        **statement,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


@pytest.fixture
async def iam(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as running:
        created = await running.call(
            "iam", "CreateRole", RoleName="Dev", Path="/team/", AssumeRolePolicyDocument=trust()
        )
        assert created.status == 200
        yield running


async def test_a_role_name_is_taken_whatever_its_case(iam: Service) -> None:
    answer = await iam.call("iam", "CreateRole", RoleName="DEV", AssumeRolePolicyDocument=trust())
    assert (answer.code, answer.message) == ("EntityAlreadyExists", "Role with name DEV already exists.")


async def test_a_boundary_that_is_not_there_is_refused(iam: Service) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    answer = await iam.call(
        "iam", "CreateRole", RoleName="Two", AssumeRolePolicyDocument=trust(), PermissionsBoundary=boundary
    )
    assert answer.code == "NoSuchEntity"
    assert answer.message == f"Scope ARN: {boundary} does not exist or is not attachable."
    assert iam.app.store.view().roles.with_name("123456789012", "Two") is None


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ("{", "MalformedPolicyDocument", "invalid Json"),
        (
            trust(Principal={"AWS": "arn:aws:iam::123456789012:role/Nobody"}),
            "MalformedPolicyDocument",
            "Invalid principal in policy",
        ),
        (
            trust(Principal={"AWS": "arn:aws:iam::123456789012:user/nobody"}),
            "MalformedPolicyDocument",
            "Invalid principal in policy",
        ),
        (trust(Resource="*"), "MalformedPolicyDocument", "prohibited field Resource"),
        (trust(Action="s3:GetObject"), "MalformedPolicyDocument", "STS AssumeRole actions"),
        (trust(Condition={"StringIs": {"a": "b"}}), "MalformedPolicyDocument", ""),
        (
            trust(
                Principal={"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
            ),
            "MalformedPolicyDocument",
            "shared",
        ),
        (
            trust(Condition={"StringEquals": {"idp.example.org:sub": ["x" * 2000]}}),
            "LimitExceeded",
            "ACLSizePerRole: 2048",
        ),
    ],
)
async def test_a_trust_policy_that_cannot_stand_is_refused_when_written(
    iam: Service, document: str, code: str, words: str
) -> None:
    before = iam.app.store.view().roles.with_name("123456789012", "Dev")
    created = await iam.call("iam", "CreateRole", RoleName="Two", AssumeRolePolicyDocument=document)
    updated = await iam.call("iam", "UpdateAssumeRolePolicy", RoleName="Dev", PolicyDocument=document)
    assert created.code == updated.code == code
    assert words in created.message
    assert iam.app.store.view().roles.with_name("123456789012", "Two") is None
    assert iam.app.store.view().roles.with_name("123456789012", "Dev") == before


async def test_a_role_in_a_trust_policy_is_kept_by_its_unique_id(iam: Service) -> None:
    document = trust(Principal={"AWS": "arn:aws:iam::123456789012:role/team/Dev"}, Action="sts:AssumeRole")
    await iam.call("iam", "CreateRole", RoleName="Two", AssumeRolePolicyDocument=document)
    view = iam.app.store.view()
    two, dev = view.roles.with_name("123456789012", "Two"), view.roles.with_name("123456789012", "Dev")
    assert two is not None
    assert dev is not None
    assert two.trust_principals == (("arn:aws:iam::123456789012:role/team/Dev", dev.unique_id),)


async def test_inline_policies_fit_together_or_are_refused(iam: Service) -> None:
    big = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::" + "x" * 6000},
        }
    )
    assert (await iam.call("iam", "PutRolePolicy", RoleName="Dev", PolicyName="One", PolicyDocument=big)).status == 200
    second = await iam.call("iam", "PutRolePolicy", RoleName="Dev", PolicyName="Two", PolicyDocument=big)
    assert (second.code, second.message) == (
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role Dev",
    )
    assert (await iam.call("iam", "PutRolePolicy", RoleName="Dev", PolicyName="One", PolicyDocument=big)).status == 200


async def test_a_role_with_policies_is_not_deleted(iam: Service) -> None:
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    await iam.call("iam", "PutRolePolicy", RoleName="Dev", PolicyName="One", PolicyDocument=policy)
    answer = await iam.call("iam", "DeleteRole", RoleName="Dev")
    assert (answer.code, answer.message) == ("DeleteConflict", "Cannot delete entity, must delete policies first.")
    assert (await iam.call("iam", "DeleteRolePolicy", RoleName="Dev", PolicyName="One")).status == 200
    assert (await iam.call("iam", "DeleteRolePolicy", RoleName="Dev", PolicyName="One")).code == "NoSuchEntity"
    assert (await iam.call("iam", "DeleteRole", RoleName="Dev")).status == 200
    assert (await iam.call("iam", "DeleteRole", RoleName="Dev")).code == "NoSuchEntity"


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.org",
        "http://127.0.0.1:8080",
        "https://idp.example.org?x=1",
        "https://idp.example.org#x",
        "https://user@idp.example.org",
        "https://",
        "idp.example.org",
        "ftp://idp.example.org",
        "https://aws",
        "https://STS",
        "https://saml",
    ],
)
async def test_a_provider_url_that_cannot_be_an_issuer_is_refused(iam: Service, url: str) -> None:
    answer = await iam.call("iam", "CreateOpenIDConnectProvider", Url=url)
    assert answer.code == "ValidationError", url
    assert list(iam.app.store.view().oidc_providers.of("123456789012")) == []


async def test_a_provider_exists_once(iam: Service) -> None:
    assert (await iam.call("iam", "CreateOpenIDConnectProvider", Url="https://idp.example.org")).status == 200
    answer = await iam.call("iam", "CreateOpenIDConnectProvider", Url="https://idp.example.org")
    assert (answer.code, answer.message) == (
        "EntityAlreadyExists",
        "Provider with url https://idp.example.org already exists.",
    )


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (PROVIDER + "/other", "NoSuchEntity"),
        (PROVIDER.replace("arn:aws:", "arn:aws-cn:"), "NoSuchEntity"),
        (PROVIDER.replace("iam::", "iam:us-east-1:"), "NoSuchEntity"),
        (PROVIDER.replace("123456789012", "210987654321"), "NoSuchEntity"),
        ("arn:aws:iam::123456789012:saml-provider/x", "InvalidInput"),
        ("arn:aws:iam::123456789012:oidc-provider/", "InvalidInput"),
        ("not an arn but long enough", "InvalidInput"),
    ],
)
async def test_a_provider_that_is_not_here_is_not_found(iam: Service, arn: str, code: str) -> None:
    await iam.call("iam", "CreateOpenIDConnectProvider", Url="https://idp.example.org")
    assert (await iam.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)).code == code
    assert (
        await iam.call("iam", "AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="x")
    ).code == code


async def test_client_ids_and_thumbprints_are_bounded_and_checked(iam: Service) -> None:
    many = {f"ClientIDList.member.{n}": f"app-{n}" for n in range(1, 102)}
    create = "CreateOpenIDConnectProvider"
    assert (await iam.call("iam", create, Url="https://idp.example.org", **many)).code == "LimitExceeded"
    prints = {f"ThumbprintList.member.{n}": "a" * 40 for n in range(1, 7)}
    assert (await iam.call("iam", create, Url="https://idp.example.org", **prints)).code == "InvalidInput"
    wrong = {"ThumbprintList.member.1": "g" * 40}
    assert (await iam.call("iam", create, Url="https://idp.example.org", **wrong)).code == "InvalidInput"


async def test_a_role_that_is_another_by_the_time_it_is_written_is_left_alone(iam: Service) -> None:
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'

    def denies(_tags: object) -> None:
        raise AccessDeniedError(Reason.NOT_AUTHORIZED, "no")

    caller = Caller(Root("123456789012"), "AKIAQNZKJ3EXAMPLE234", "us-east-1")
    facts = RequestFacts(0.0, None, secure=False)
    elsewhere = "arn:aws:iam::123456789012:role/Dev"  # it is /team/Dev now
    permitted = Permitted(caller, "iam:PutRolePolicy", elsewhere, facts, (), denies)
    parameters = {"RoleName": "Dev", "PolicyName": "One", "PolicyDocument": policy}
    with pytest.raises(EntityError) as caught:
        await role_policies.put_role_policy(Iam(iam.app.store, MASTER), permitted, parameters)
    assert caught.value.reason is Reason.NO_SUCH_ENTITY
    team = "arn:aws:iam::123456789012:role/team/Dev"
    retagged = Permitted(caller, "iam:PutRolePolicy", team, facts, (("Team", "red"),), denies)
    with pytest.raises(AccessDeniedError) as refused:
        await role_policies.put_role_policy(Iam(iam.app.store, MASTER), retagged, parameters)
    assert refused.value.reason is Reason.NOT_AUTHORIZED
    dev = iam.app.store.view().roles.with_name("123456789012", "Dev")
    assert dev is not None
    assert dev.inline_policies == ()


async def test_tags_that_changed_meanwhile_are_decided_by_again(iam: Service) -> None:
    facts = RequestFacts(0.0, None, secure=False)
    caller = Caller(Root("123456789012"), "AKIAQNZKJ3EXAMPLE234", "us-east-1")
    asked: list[object] = []
    team = "arn:aws:iam::123456789012:role/team/Dev"
    permitted = Permitted(caller, "iam:UpdateRole", team, facts, (("Team", "red"),), asked.append)
    await roles.update_role(Iam(iam.app.store, MASTER), permitted, {"RoleName": "Dev", "Description": "x"})
    assert asked == [()]  # the tags that the role has now
