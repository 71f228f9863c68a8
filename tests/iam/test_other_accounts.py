# SPDX-License-Identifier: Apache-2.0
"""
Accounts do not meet in IAM: for every operation, what one account has is neither found, nor shown, nor changed by callers of
another, whether by name or by ARN.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.organizations.accounts import create_account
from daypass.store.kinds import KINDS
from iam.cooking import ALLOW_ALL, COOKED, prepared
from iam.kitchen import Kitchen, kitchen
from iam.recipe import UNKNOWN
from iam.recipes import RECIPES
from in_process import ACCOUNT, NOW
from organizations.governed import LAB, Governed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Neighbours:
    """A kitchen for ``ACCOUNT``, and two callers of LAB who may do everything there: its root user, and a user."""

    iam: Kitchen
    strangers: tuple[Credentials, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbours(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    async with kitchen(tmp_path_factory.mktemp("data")) as iam:
        made = Governed(iam.service, iam.master)
        await create_account(made.store, made.master, "lab", keep=made.keep, now=NOW, number=LAB)
        yield Neighbours(iam, (made.roots[LAB], await made.user(LAB, "stranger")))


def belongings(iam: Kitchen) -> list[list[object]]:
    """Everything that ACCOUNT has, but for its last uses."""
    view = iam.service.app.store.view()
    kinds = [kind for name, kind in KINDS.items() if name not in ("last_use", "account")]
    return [list(getattr(view, kind.record.collection).of(ACCOUNT)) for kind in kinds]


REFERRING = {
    name
    for name in COOKED
    for parameter in RECIPES[name].parameters
    if parameter in UNKNOWN and parameter not in RECIPES[name].new
}


@pytest.mark.parametrize("name", COOKED)
async def test_another_account_is_as_if_it_were_not_there(neighbours: Neighbours, name: str) -> None:
    iam, made = neighbours.iam, RECIPES[name]
    order, _ = await prepared(iam, made, ALLOW_ALL)
    before = belongings(iam)
    for stranger in neighbours.strangers:
        answer = await iam.ask(order, name, made.parameters, stranger)
        assert belongings(iam) == before
        if name in REFERRING:
            assert (answer.status, answer.code) in NOT_FOUND or made.by_caller, answer.body
        else:
            assert answer.status < 500, answer.body
        if answer.status == 200:
            assert f"::{ACCOUNT}:".encode() not in answer.body


NOT_FOUND = {(404, "NoSuchEntity"), (403, "AccessDenied")}
ARNS = [
    pytest.param(name, parameter, id=f"{name}-{parameter}")
    for name in COOKED
    for parameter, value in RECIPES[name].parameters.items()
    if UNKNOWN.get(parameter, "").startswith("arn:aws:iam::1")
    and not RECIPES[name].by_caller
    and parameter != "EntityArn"  # delegation requests are known by their ids, which the test above has
]


@pytest.mark.parametrize(("name", "parameter"), ARNS)
async def test_the_arn_of_another_account_is_that_of_nothing(neighbours: Neighbours, name: str, parameter: str) -> None:
    """The call is a good one of LAB, but for one ARN: a policy of another account is not attached, say."""
    iam, made = neighbours.iam, RECIPES[name]
    theirs, _ = await prepared(iam, made, ALLOW_ALL)
    ours = iam.order()
    await iam.do(ours, *made.before, credentials=neighbours.strangers[0])
    foreign = {**ours.fill(dict(made.parameters)), parameter: theirs.fill(made.parameters[parameter])}
    before = iam.contents()
    for stranger in neighbours.strangers:
        answer = await iam.ask(ours, name, foreign, stranger)
        assert (answer.status, answer.code) in NOT_FOUND, answer.body
    assert iam.contents() == before
