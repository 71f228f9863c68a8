# SPDX-License-Identifier: Apache-2.0
"""AssumeRole: who may have whose role, in one account and across two; and what the session then is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from iam.kitchen import statement
from iam.people import person, user_arn
from in_process import ACCOUNT, ROOT, Service, service
from sts.asking import another_account, given, keys_of, make_role, refusal, session_of, trusting, who

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "210987654321"
MAY_ASSUME = statement("Allow", "sts:*")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users and roles of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


def wanted(role_arn: str) -> dict[str, str]:
    return {"RoleArn": role_arn, "RoleSessionName": "test"}


async def test_a_user_whom_the_role_names_needs_no_policy_of_its_own(sts: Service) -> None:
    key = await person(sts, "named")
    role_arn = await make_role(sts, "Named", trusting(user_arn("named")))
    output = await given(sts, "AssumeRole", key, **wanted(role_arn))
    assert output["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Named/test"
    assert await who(sts, keys_of(output)) == output["AssumedRoleUser"]["Arn"]
    assert set(output) == {"Credentials", "AssumedRoleUser", "SessionTokenSize", "SessionTokenUtilization"}


async def test_a_role_that_names_the_account_needs_a_policy_of_the_user_too(sts: Service) -> None:
    without, with_policy = await person(sts, "without"), await person(sts, "with", MAY_ASSUME)
    role_arn = await make_role(sts, "OfAccount", trusting(ACCOUNT))
    code, message = await refusal(sts, "AssumeRole", without, **wanted(role_arn))
    assert code == "AccessDenied"
    assert (
        message == f"User: {user_arn('without')} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    )
    await given(sts, "AssumeRole", with_policy, **wanted(role_arn))


async def test_a_role_that_is_not_there_is_refused_in_the_words_of_one_that_does_not_trust(sts: Service) -> None:
    key = await person(sts, "asker", MAY_ASSUME)
    there = await make_role(sts, "There", trusting(user_arn("asker"), actions=["sts:TagSession"]))
    absent = there.replace("There", "Where")
    refusals = [await refusal(sts, "AssumeRole", key, **wanted(role_arn)) for role_arn in (there, absent)]
    assert refusals[0] == (refusals[1][0], refusals[1][1].replace("Where", "There"))


async def test_root_may_not_assume_a_role(sts: Service) -> None:
    role_arn = await make_role(sts, "ForRoot", trusting(ACCOUNT))
    assert await refusal(sts, "AssumeRole", ROOT, **wanted(role_arn)) == (
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    )


async def test_across_accounts_both_sides_must_allow(sts: Service) -> None:
    other_root = await another_account(sts, OTHER)
    trusted = await make_role(sts, "Shared", trusting(ACCOUNT), caller=other_root)
    silent = await make_role(sts, "Closed", trusting(OTHER), caller=other_root)
    without, with_policy = await person(sts, "far-without"), await person(sts, "far-with", MAY_ASSUME)
    assert (await refusal(sts, "AssumeRole", without, **wanted(trusted)))[0] == "AccessDenied"
    assert (await refusal(sts, "AssumeRole", with_policy, **wanted(silent)))[0] == "AccessDenied"
    session = await session_of(sts, with_policy, trusted)
    assert await who(sts, session) == f"arn:aws:sts::{OTHER}:assumed-role/Shared/test"


async def test_an_external_id_is_asked_for(sts: Service) -> None:
    key = await person(sts, "partner")
    condition = {"StringEquals": {"sts:ExternalId": "e-1"}}
    role_arn = await make_role(sts, "Partner", trusting(user_arn("partner"), Condition=condition))
    assert (await refusal(sts, "AssumeRole", key, **wanted(role_arn)))[0] == "AccessDenied"
    assert (await refusal(sts, "AssumeRole", key, ExternalId="e-2", **wanted(role_arn)))[0] == "AccessDenied"
    await given(sts, "AssumeRole", key, ExternalId="e-1", **wanted(role_arn))


async def test_a_role_may_assume_itself_only_if_its_trust_policy_says_so(sts: Service) -> None:
    key = await person(sts, "mirror")
    role_arn = await make_role(sts, "Mirror", trusting(user_arn("mirror")), MAY_ASSUME)
    session = await session_of(sts, key, role_arn)
    assert (await refusal(sts, "AssumeRole", session, **wanted(role_arn)))[0] == "AccessDenied"
