# SPDX-License-Identifier: Apache-2.0
"""AssumeRoleWithWebIdentity: every parameter is enforced. Bad values are in test_bad_values.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from daypass.access.organization import EVERYWHERE
from daypass.organizations.organization import create_organization
from daypass.store import Membership, OrganizationPolicy
from iam.kitchen import document, statement
from iam.people import done
from in_process import ACCOUNT, NOW
from sts.asking import another_account, given, keys_of, refusal, session_of, who
from sts.holding import (
    FULL,
    LISTS,
    MAY_LIST,
    WebDesk,
    expires_at,
    lists,
    new_name,
    principal_tags,
    role,
    session_in,
    web_desk,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASK = "AssumeRoleWithWebIdentity"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WebDesk]:
    """One service and one provider for all: every test makes roles of its own."""
    async with web_desk(tmp_path_factory.mktemp("data")) as running:
        yield running


async def code(desk: WebDesk, wanted: dict[str, Any]) -> Any:
    return (await refusal(desk.sts, ASK, None, **wanted))[0]


async def test_a_proof_gives_a_session_of_the_role_that_was_named_and_of_no_other(desk: WebDesk) -> None:
    role_arn = await desk.role(Path="/team/")
    name = role_arn.rpartition("/")[2]
    assert await who(desk.sts, await desk.session(role_arn)) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/web"
    others = [
        role_arn.replace("/team/", "/"),
        role_arn.replace(name, "Absent"),
        role_arn.replace("arn:aws:", "arn:aws-cn:"),
        await role(desk.sts),
    ]
    assert [await code(desk, desk.wanted(other)) for other in others] == ["AccessDenied"] * 4


async def test_a_role_that_is_not_there_is_nobodys_whatever_the_token_says(desk: WebDesk) -> None:
    """What is asked in its place has conditions, too: that the subject is nobody."""
    absent = f"arn:aws:iam::{ACCOUNT}:role/Absent"
    for subject in ("nobody", "alice", ACCOUNT):
        for tags in ({}, CLAIMS):
            assert await code(desk, desk.wanted(absent, {"sub": subject, **tags})) == "AccessDenied"


async def test_a_provider_vouches_for_roles_of_its_own_account_only(desk: WebDesk) -> None:
    other = "210987654321"
    root = await another_account(desk.sts, other)
    trust = {"Effect": "Allow", "Principal": {"Federated": desk.arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    created = {"RoleName": "Elsewhere", "AssumeRolePolicyDocument": document(trust)}
    answer = await desk.sts.call("iam", "CreateRole", root, **created)
    wanted = desk.wanted(f"arn:aws:iam::{other}:role/Elsewhere")
    assert await code(desk, wanted) == "InvalidIdentityToken", answer.status


async def test_a_session_by_proof_has_the_name_that_was_asked_for_and_conditions_see_it(desk: WebDesk) -> None:
    role_arn = await desk.role(trust=desk.trust(condition={"StringEquals": {"sts:RoleSessionName": "ann"}}))
    output = await given(desk.sts, ASK, None, **desk.wanted(role_arn) | {"RoleSessionName": "ann"})
    assert output["AssumedRoleUser"]["Arn"].endswith("/ann")
    assert await who(desk.sts, keys_of(output)) == output["AssumedRoleUser"]["Arn"]
    assert await code(desk, desk.wanted(role_arn) | {"RoleSessionName": "ben"}) == "AccessDenied"


async def test_a_token_counts_with_its_provider_and_claims_and_not_when_altered(desk: WebDesk) -> None:
    name = desk.provider.issuer.partition("://")[2]
    role_arn = await desk.role(
        trust=desk.trust(condition={"StringEquals": {f"{name}:sub": "alice", f"{name}:aud": "client"}})
    )
    wanted = desk.wanted(role_arn)
    output = await given(desk.sts, ASK, None, **wanted)
    assert (output["SubjectFromWebIdentityToken"], output["Audience"]) == ("alice", "client")
    assert await code(desk, desk.wanted(role_arn, {"sub": "bob"})) == "AccessDenied"
    assert await code(desk, desk.wanted(role_arn, {"aud": "other"})) == "InvalidIdentityToken"
    head, payload, signature = wanted["WebIdentityToken"].split(".")
    swapped = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
    altered = wanted | {"WebIdentityToken": f"{head}.{payload}.{swapped}"}
    assert await code(desk, altered) == "InvalidIdentityToken"
    assert (
        await code(desk, desk.wanted(role_arn, {"exp": int(NOW) - 600, "iat": int(NOW) - 900}))
        == "ExpiredTokenException"
    )


async def test_a_session_policy_limits_a_session_by_proof(desk: WebDesk) -> None:
    role_arn = await desk.role(MAY_LIST)
    assert await lists(desk.sts, await desk.session(role_arn)) == set(LISTS)
    policy = document(statement("Allow", ["iam:ListUsers", "iam:CreateUser"]))
    output = await given(desk.sts, ASK, None, **desk.wanted(role_arn, Policy=policy))
    assert 0 < output["PackedPolicySize"] <= 100
    assert await lists(desk.sts, keys_of(output)) == {"ListUsers"}


async def test_managed_session_policies_limit_a_session_by_proof(desk: WebDesk) -> None:
    role_arn = await desk.role(MAY_LIST)
    made = await done(
        desk.sts,
        "CreatePolicy",
        PolicyName=new_name("Policy"),
        PolicyDocument=document(statement("Allow", "iam:ListRoles")),
    )
    listed = [{"arn": made["Policy"]["Arn"]}]
    assert await lists(desk.sts, await desk.session(role_arn, PolicyArns=listed)) == {"ListRoles"}
    assert await lists(desk.sts, await desk.session(role_arn, PolicyArns=listed, Policy=FULL)) == set(LISTS)


async def test_a_session_by_proof_lasts_as_long_as_was_asked_for_or_an_hour(desk: WebDesk) -> None:
    role_arn, now = await desk.role(MaxSessionDuration=7200), int(desk.sts.clock())
    assert expires_at(await given(desk.sts, ASK, None, **desk.wanted(role_arn))) == now + 3600
    for seconds in (900, 7200):
        output = await given(desk.sts, ASK, None, **desk.wanted(role_arn, DurationSeconds=seconds))
        assert expires_at(output) == now + seconds
    assert await code(desk, desk.wanted(role_arn, DurationSeconds=7201)) == "ValidationError"


async def test_the_token_of_a_session_by_proof_has_the_size_that_was_asked_for(desk: WebDesk) -> None:
    role_arn = await desk.role()
    output = await given(desk.sts, ASK, None, **desk.wanted(role_arn, MinimumSessionTokenSize=4096))
    assert len(output["Credentials"]["SessionToken"]) == output["SessionTokenSize"] >= 4096
    assert await who(desk.sts, keys_of(output))


# What the proof brings along the chain

CLAIMS = {
    "https://aws.amazon.com/tags": {
        "principal_tags": {"Team": ["red"], "Cost": ["7"]},
        "transitive_tag_keys": ["Team"],
    },
    "https://aws.amazon.com/source_identity": "ann",
}


async def test_tags_and_the_source_identity_of_a_proof_go_on_as_those_that_are_passed(desk: WebDesk) -> None:
    first, second = await desk.role(statement("Allow", "sts:*")), await role(desk.sts)
    session = await desk.session(first, CLAIMS)
    assert principal_tags(desk.sts, session) == {"team": "red", "cost": "7"}
    chained = await session_of(desk.sts, session, second)
    assert principal_tags(desk.sts, chained) == {"team": "red"}
    sealed = session_in(desk.sts, chained)
    assert (sealed.source_identity, sealed.provider_arn, sealed.origin_subject) == ("ann", None, "alice")
    wanted = {"RoleArn": second, "RoleSessionName": "test"}
    for more in ({"SourceIdentity": "ben"}, {"Tags": [{"Key": "team", "Value": "blue"}]}):
        assert (await refusal(desk.sts, "AssumeRole", session, **wanted, **more))[0] == "ValidationError"


async def test_a_proof_lends_no_second_chance_to_a_claim_that_is_a_key_of_ours(desk: WebDesk) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    role_arn = await desk.role(trust=desk.trust(condition=condition))
    assert await code(desk, desk.wanted(role_arn, {"aws:PrincipalTag/team": "red"})) == "AccessDenied"
    assert await code(desk, desk.wanted(role_arn, CLAIMS)) == "AccessDenied"


async def test_a_proof_is_asked_about_by_the_organisation_of_the_role(desk: WebDesk) -> None:
    """Resource control policies, and the keys that say where the role's account belongs."""
    name = desk.provider.issuer.partition("://")[2]
    store = desk.sts.app.store
    organization = await create_organization(store, now=NOW)
    management = "999999999999"
    guarded = await desk.role(
        trust=desk.trust(condition={"StringEquals": {"aws:ResourceOrgID": organization.unique_id}})
    )
    plain = await desk.role()
    rcp = document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Resource": "*",
            "Condition": {"StringNotEquals": {f"{name}:sub": "alice"}},
        }
    )
    policy = OrganizationPolicy("p-proof000", "RCP", "proofs", "", rcp, int(NOW))
    before = store.view().memberships.with_key(ACCOUNT)
    assert before is not None
    async with store.transaction() as transaction:
        await transaction.put(policy)
        await transaction.put(replace(organization, management_account=management))
        await transaction.put(Membership(ACCOUNT, "member", organization.root_id, None, (*EVERYWHERE, "p-proof000")))
    try:
        await desk.session(plain)
        await desk.session(guarded)
        assert await code(desk, desk.wanted(plain, {"sub": "bob"})) == "AccessDenied"
    finally:
        async with store.transaction() as transaction:
            await transaction.put(before)
            await transaction.delete(policy)
            await transaction.delete(organization)
            await transaction.delete(before)
    assert await code(desk, desk.wanted(guarded)) == "AccessDenied"
