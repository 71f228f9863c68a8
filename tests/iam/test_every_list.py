# SPDX-License-Identifier: Apache-2.0
"""Paging, for every operation of IAM that pages: everything is seen once, whatever comes and goes meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from iam.cooking import COOKED, prepared
from iam.kitchen import Kitchen, Order, kitchen, model_of, read
from iam.recipe import Pages
from iam.recipes import RECIPES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kitchen]:
    """One service for all: an order's entities have names of their own."""
    async with kitchen(tmp_path_factory.mktemp("data")) as running:
        yield running


PAGED = [name for name in COOKED if (shape := model_of(name).input_shape) is not None and "MaxItems" in shape.members]


async def test_every_operation_that_pages_has_a_list_to_page_through() -> None:
    without = [name for name in PAGED if RECIPES[name].pages is None]
    assert sorted(set(without) - set(ONE_PAGE)) == []


ONE_PAGE = {
    "SimulateCustomPolicy": "tests/iam/test_simulation.py pages through results",
    "SimulatePrincipalPolicy": "tests/iam/test_simulation.py pages through results",
    "GetServiceLastAccessedDetails": "what is listed cannot be made and taken away by IAM",
    "GetServiceLastAccessedDetailsWithEntities": "what is listed cannot be made and taken away by IAM",
    "ListAccountAliases": "an account has one alias",
    "ListDelegationRequests": "a request cannot be taken away",
}


class Walk:
    """One walk through a list, an item a page."""

    def __init__(self, iam: Kitchen, order: Order, name: str, pages: Pages) -> None:
        self.iam, self.order, self.name, self.pages = iam, order, name, pages
        self.marker: str | None = None
        self.seen: list[Any] = []

    async def page(self, **more: Any) -> tuple[list[tuple[str, Any]], bool]:
        """The items of a page, and whether there is another."""
        parameters = {**RECIPES[self.name].parameters, **more}
        answer = read(self.name, await self.iam.ask(self.order, self.name, parameters))
        truncated = answer.get("IsTruncated", answer.get("isTruncated"))
        assert ("Marker" in answer) is truncated
        self.marker = answer.get("Marker")
        return [(member, item) for member in self.pages.lists for item in answer.get(member, [])], truncated

    async def step(self) -> bool:
        """Go on by one page. Returns whether there is another."""
        items, truncated = await self.page(MaxItems=1, **({} if self.marker is None else {"Marker": self.marker}))
        assert len(items) <= 1
        self.seen += items
        assert len(self.seen) < 1000
        return truncated

    async def to_the_end(self) -> list[Any]:
        while await self.step():
            pass
        return self.seen

    async def make(self, number: int) -> None:
        self.order.values["i"] = number
        await self.iam.do(self.order, *self.pages.more)

    async def take_away(self, item: Any) -> None:
        self.order.values["item"] = item
        await self.iam.do(self.order, *self.pages.less)


@pytest.mark.parametrize("name", [name for name in PAGED if RECIPES[name].pages is not None])
async def test_one_item_a_page_walks_through_everything_once_whatever_comes_and_goes(
    iam: Kitchen, name: str, tmp_path: Path
) -> None:
    pages = RECIPES[name].pages
    assert pages is not None
    if pages.alone:
        async with kitchen(tmp_path) as own:
            await walk_through(own, name, pages)
    else:
        await walk_through(iam, name, pages)


async def walk_through(iam: Kitchen, name: str, pages: Pages) -> None:
    order, _ = await prepared(iam, RECIPES[name])
    walk = Walk(iam, order, name, pages)
    others, _ = await walk.page(MaxItems=1000)
    for number in range(1, pages.count + 1):
        await walk.make(number)
    whole, truncated = await walk.page(MaxItems=1000)
    assert not truncated
    assert identities(await Walk(iam, order, name, pages).to_the_end()) == identities(whole)
    assert len(set(identities(whole))) == len(whole) >= pages.count
    ours = [item for item in whole if identity(item) not in identities(others)]
    await walk_while_things_change(Walk(iam, order, name, pages), whole, ours)


async def walk_while_things_change(walk: Walk, whole: list[Any], ours: list[Any]) -> None:
    """What was there all the time is seen once; what is taken away before its page, not at all."""
    more_to_come = await walk.step()
    gone_later = ours[-1] if len(ours) > 2 and ours[-1] not in walk.seen else None
    if whole[0] in ours:
        await walk.take_away(whole[0][1])
        await walk.make(0)
    if gone_later is not None:
        await walk.take_away(gone_later[1])
    seen = identities(await walk.to_the_end() if more_to_come else walk.seen)
    assert len(set(seen)) == len(seen)
    stayed = [item for item in whole if item != gone_later]
    assert [one for one in seen if one in identities(whole)] == identities(stayed)


def identities(items: list[Any]) -> list[str]:
    """What an item is called; what else is said of it may change."""
    return [identity(item) for item in items]


def identity(found: tuple[str, Any]) -> str:
    """The list that an item is in, and what it is called."""
    member, item = found
    if isinstance(item, str):
        return f"{member}: {item}"
    names = [value for key, value in sorted(item.items()) if key.endswith(("Id", "Name", "Key", "Arn", "SerialNumber"))]
    return f"{member}: {json.dumps(names, default=str)}"
