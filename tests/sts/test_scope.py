# SPDX-License-Identifier: Apache-2.0
"""
A session policy never adds an allowed action, whatever it and the role's own policies say: asked of STS and of IAM, through
the door. The same for boundaries and the organisation is in tests/access/test_guards.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.kitchen import document, statement
from iam.people import asked as asked_iam
from iam.people import done
from in_process import Service, service
from sts.asking import make_role, session_of
from sts.holding import caller, lists, trusting_account

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACTIONS = ("iam:ListUsers", "iam:ListRoles", "iam:ListGroups", "iam:List*", "iam:*", "*", "s3:*", "iam:?istUsers")
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "red"}},
    {"Null": {"aws:TokenIssueTime": "true"}},
    {"StringLike": {"aws:userid": "*:test"}},
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3))
    element = draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))
    made = statement(draw(st.sampled_from(("Allow", "Allow", "Deny"))), "*")
    del made["Action"]
    condition = draw(st.sampled_from(CONDITIONS))
    return {**made, element: actions, **({"Condition": condition} if condition else {})}


documents = st.lists(statements(), min_size=1, max_size=3).map(lambda found: document(*found))


@dataclass
class Start:
    """A service, a user who may assume the role, and three managed policies."""

    sts: Service
    key: Credentials
    role: str
    managed: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    async with service(tmp_path_factory.mktemp("data")) as running:
        role = await make_role(running, "Role", trusting_account())
        managed = []
        for number, actions in enumerate(("iam:ListUsers", ["iam:List*", "sts:*"])):
            for effect in ("Allow", "Deny"):
                made = await done(
                    running,
                    "CreatePolicy",
                    PolicyName=f"{effect}{number}",
                    PolicyDocument=document(statement(effect, actions)),
                )
                managed.append(made["Policy"]["Arn"])
        yield Start(running, await caller(running), role, managed)


@settings(deadline=None, database=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data(), own=documents, inline=st.none() | documents, tagged=st.booleans())
async def test_a_session_policy_never_adds_an_allowed_action(
    start: Start, data: st.DataObject, own: str, inline: str | None, tagged: bool
) -> None:
    arns = data.draw(st.lists(st.sampled_from(start.managed), unique=True, max_size=3))
    await done(start.sts, "PutRolePolicy", RoleName="Role", PolicyName="main", PolicyDocument=own)
    more: dict[str, Any] = {"Tags": [{"Key": "Team", "Value": "red"}]} if tagged else {}
    free = await lists(start.sts, await session_of(start.sts, start.key, start.role, **more))
    if inline is not None:
        more["Policy"] = inline
    if arns:
        more["PolicyArns"] = [{"arn": policy_arn} for policy_arn in arns]
    bound = await lists(start.sts, await session_of(start.sts, start.key, start.role, **more))
    assert bound <= free, (json.loads(own), inline, arns)
    if inline is None and not arns:
        assert bound == free


async def test_what_is_generated_allows_something_and_denies_something(start: Start) -> None:
    """Else the property would hold for nothing."""
    await done(
        start.sts, "PutRolePolicy", RoleName="Role", PolicyName="main", PolicyDocument=document(statement("Allow", "*"))
    )
    session = await session_of(start.sts, start.key, start.role, Policy=document(statement("Allow", "iam:ListUsers")))
    assert await lists(start.sts, session) == {"ListUsers"}
    assert (await asked_iam(start.sts, "ListRoles", session)).code == "AccessDenied"
