# SPDX-License-Identifier: Apache-2.0
"""AssumeRoleWithSAML: every parameter is enforced. Bad values are in test_bad_values.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from iam.kitchen import document, statement
from iam.people import done
from in_process import ACCOUNT
from sts.asking import given, keys_of, refusal, who
from sts.holding import FULL, LISTS, MAY_LIST, expires_at, lists, new_name, role
from sts.saml_desk import ASK, PROVIDER_ARN, SamlDesk, register, saml_desk, words

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SamlDesk]:
    """One service and one provider for all: every test makes roles of its own."""
    async with saml_desk(tmp_path_factory.mktemp("data")) as running:
        yield running


async def code(desk: SamlDesk, wanted: dict[str, Any]) -> Any:
    return (await refusal(desk.sts, ASK, None, **wanted))[0]


async def test_an_assertion_gives_a_session_of_the_role_that_was_named_and_of_no_other(desk: SamlDesk) -> None:
    role_arn, unnamed = await desk.role(Path="/team/"), await role(desk.sts, trust=desk.trust())
    name = role_arn.rpartition("/")[2]
    others = [role_arn.replace("/team/", "/"), role_arn.replace(name, "Absent"), unnamed]
    pairs = [f"{one},{PROVIDER_ARN}" for one in (role_arn, *others[:2])]
    wanted = desk.wanted(role_arn, words(role_arn, Role=pairs))
    for other in others:
        assert await code(desk, wanted | {"RoleArn": other}) == "AccessDenied"
    output = await given(desk.sts, ASK, None, **wanted)
    assert await who(desk.sts, keys_of(output)) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ann"


async def test_an_assertion_is_verified_by_the_provider_that_was_named_and_no_other(desk: SamlDesk) -> None:
    """Another registration of the same identity provider: the assertion has to name it with the role, too."""
    twin = await register(desk.sts, desk.idp, new_name("Twin"))
    role_arn = await desk.role()
    wanted = desk.wanted(role_arn)
    assert await code(desk, wanted | {"PrincipalArn": twin}) == "AccessDenied"
    absent = wanted | {"PrincipalArn": f"{PROVIDER_ARN}-absent"}
    assert await refusal(desk.sts, ASK, None, **absent) == (
        "InvalidIdentityToken",
        "Specified provider doesn't exist.",
    )
    assert await code(desk, wanted | {"PrincipalArn": PROVIDER_ARN.replace("arn:aws:", "arn:aws-cn:")}) == (
        "InvalidIdentityToken"
    )
    await given(desk.sts, ASK, None, **wanted)


async def test_the_assertion_says_who_it_is_and_how_the_session_is_called(desk: SamlDesk) -> None:
    role_arn = await desk.role(trust=desk.trust(condition={"StringEquals": {"saml:sub": "ann"}}))
    output = await desk.output(role_arn, words(role_arn, RoleSessionName="ann-1"), name_id="ann")
    assert output["AssumedRoleUser"]["Arn"].endswith("/ann-1")
    wanted = desk.wanted(role_arn, name_id="bob")
    assert wanted["SAMLAssertion"]
    assert await code(desk, wanted) == "AccessDenied"


async def test_a_session_policy_limits_a_session_by_assertion(desk: SamlDesk) -> None:
    role_arn = await desk.role(MAY_LIST)
    assert await lists(desk.sts, await desk.session(role_arn)) == set(LISTS)
    policy = document(statement("Allow", ["iam:ListUsers", "iam:CreateUser"]))
    output = await desk.output(role_arn, Policy=policy)
    assert 0 < output["PackedPolicySize"] <= 100
    assert await lists(desk.sts, keys_of(output)) == {"ListUsers"}


async def test_managed_session_policies_limit_a_session_by_assertion(desk: SamlDesk) -> None:
    role_arn = await desk.role(MAY_LIST)
    policy = document(statement("Allow", "iam:ListRoles"))
    made = await done(desk.sts, "CreatePolicy", PolicyName=new_name("Policy"), PolicyDocument=policy)
    listed = [{"arn": made["Policy"]["Arn"]}]
    assert await lists(desk.sts, await desk.session(role_arn, PolicyArns=listed)) == {"ListRoles"}
    assert await lists(desk.sts, await desk.session(role_arn, PolicyArns=listed, Policy=FULL)) == set(LISTS)


async def test_a_session_by_assertion_lasts_as_long_as_was_asked_for_or_an_hour(desk: SamlDesk) -> None:
    role_arn, now = await desk.role(MaxSessionDuration=7200), int(desk.sts.clock())
    assert expires_at(await desk.output(role_arn)) == now + 3600
    for seconds in (900, 7200):
        assert expires_at(await desk.output(role_arn, DurationSeconds=seconds)) == now + seconds
    assert await code(desk, desk.wanted(role_arn, DurationSeconds=7201)) == "ValidationError"


@pytest.mark.parametrize(
    ("duration", "session_until", "asked", "lasts"),
    [
        ("1800", None, None, 1800),
        ("7200", None, None, 3600),
        ("7200", None, 7200, 7200),
        ("900", None, 7200, 900),
        (None, 600, None, 600),
        (None, 600, 7200, 600),
        (None, 1, None, 1),
        ("1800", 1200, 3600, 1200),
        ("1200", 1800, 3600, 1200),
    ],
)
async def test_a_session_does_not_outlive_what_the_assertion_says(
    desk: SamlDesk, duration: str | None, session_until: int | None, asked: int | None, lasts: int
) -> None:
    role_arn = await desk.role(MaxSessionDuration=7200)
    more = {} if asked is None else {"DurationSeconds": asked}
    said = words(role_arn, SessionDuration=duration)
    output = await desk.output(role_arn, said, session_until=session_until, **more)
    assert expires_at(output) == int(desk.sts.clock()) + lasts


async def test_the_token_of_a_session_by_assertion_has_the_size_that_was_asked_for(desk: SamlDesk) -> None:
    output = await desk.output(await desk.role(), MinimumSessionTokenSize=4096)
    assert len(output["Credentials"]["SessionToken"]) == output["SessionTokenSize"] >= 4096
    assert await who(desk.sts, keys_of(output))
