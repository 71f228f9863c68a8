# SPDX-License-Identifier: Apache-2.0
"""
100,000 roles and 100,000 users: finding one takes as long as among a hundred, a page takes as long as of a thousand wherever
it is, and the server is there soon after its start.

Times are medians of calls that alternate between the stores, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
import pytest_asyncio

from iam.recipe import ALLOW, TRUST
from in_process import ACCOUNT, Service, service
from running import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW, SOME, MANY = 100, 1_000, 100_000
TWICE = 2.0
CALLS = 60
PATHS = ("/", "/team/")


def fill(path: Path, count: int) -> None:
    """So many roles and as many users, with a tag and an inline policy each; every second one at the path /team/."""
    policies = json.dumps([["p", ALLOW]])
    rows = [
        (ACCOUNT, PATHS[n % 2], f"Name{n:06d}", f"name{n:06d}", f"AROA{n:017d}", f'[["team","{n}"]]', policies)
        for n in range(count)
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO role (account, path, name, folded_name, unique_id, max_session_duration, trust_policy,"
            " trust_principals, created_at, tags, inline_policies, attached_policies)"
            " VALUES (?, ?, ?, ?, ?, 3600, ?, '[]', 1, ?, ?, '[]')",
            ((*row[:5], TRUST, *row[5:]) for row in rows),
        )
        connection.executemany(
            "INSERT INTO iam_user (account, path, name, folded_name, unique_id, created_at, tags, inline_policies,"
            " attached_policies, groups) VALUES (?, ?, ?, ?, ?, 1, ?, ?, '[]', '[]')",
            ((*row[:4], row[4].replace("AROA", "AIDA"), *row[5:]) for row in rows),
        )
        connection.commit()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[int, Service]]:
    """A service with a hundred of each, one with a thousand, and one with a hundred thousand."""
    async with AsyncExitStack() as stack:
        running = {}
        for count in (FEW, SOME, MANY):
            folder = tmp_path_factory.mktemp(f"store{count}")
            async with service(folder):
                pass  # the database, the account and its root key are made
            fill(folder / "daypass.db", count)
            running[count] = await stack.enter_async_context(service(folder))
        yield running


async def seconds(call: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await call()
    return time.perf_counter() - start


async def medians(
    stores: dict[int, Service], counts: tuple[int, int], call: Callable[[Service, int, int], Awaitable[object]]
) -> dict[int, float]:
    """How long a call takes in each of two stores; ``call`` gets the store, its size and the number of the try."""
    taken: dict[int, list[float]] = {count: [] for count in counts}
    for number in range(CALLS):
        for count in counts:
            taken[count].append(await seconds(lambda: call(stores[count], count, number)))  # noqa: B023 - called at once
    return {count: statistics.median(found) for count, found in taken.items()}


@pytest.mark.parametrize(("operation", "parameter"), [("GetRole", "RoleName"), ("GetUser", "UserName")])
async def test_finding_one_of_100_000_takes_less_than_twice_as_long_as_of_100(
    stores: dict[int, Service], operation: str, parameter: str
) -> None:
    async def get(running: Service, count: int, number: int) -> None:
        name = f"Name{(number * 7919) % count:06d}"
        answer = await running.call("iam", operation, **{parameter: name})
        assert answer.text(parameter) == name

    found = await medians(stores, (FEW, MANY), get)
    assert found[MANY] < TWICE * found[FEW]


@pytest.mark.parametrize("operation", ["ListRoles", "ListUsers"])
@pytest.mark.parametrize("prefix", ["/", "/team/"])
async def test_a_page_takes_as_long_in_100_000_as_in_1_000_wherever_it_is(
    stores: dict[int, Service], operation: str, prefix: str
) -> None:
    markers = {count: await marker_behind(stores[count], operation, prefix, count // 4) for count in (SOME, MANY)}

    async def first(running: Service, _count: int, _number: int) -> None:
        assert (await running.call("iam", operation, PathPrefix=prefix, MaxItems="100")).text("Marker") is not None

    async def middle(running: Service, count: int, _number: int) -> None:
        page = await running.call("iam", operation, PathPrefix=prefix, MaxItems="100", Marker=markers[count])
        assert page.text("IsTruncated") == "true"

    for page in (first, middle):
        found = await medians(stores, (SOME, MANY), page)
        assert found[MANY] < TWICE * found[SOME], page.__name__


async def marker_behind(running: Service, operation: str, prefix: str, items: int) -> str:
    """The marker behind so many items, by walking there."""
    marker: dict[str, str] = {}
    for seen in range(0, items, 1000):
        count = str(min(1000, items - seen))
        answer = await running.call("iam", operation, PathPrefix=prefix, MaxItems=count, **marker)
        marker = {"Marker": str(answer.text("Marker"))}
    return marker["Marker"]


async def test_a_path_that_nobody_has_is_looked_for_in_bounded_time(stores: dict[int, Service]) -> None:
    """A page may be empty and say that there is more (IAM API, ListRoles: IsTruncated)."""
    marker: dict[str, str] = {}
    for pages in range(1, 2 * MANY):
        answer = await stores[MANY].call("iam", "ListRoles", PathPrefix="/nobody/", **marker)
        assert answer.text("member") is None
        if answer.text("IsTruncated") == "false":
            assert pages < 100
            return
        marker = {"Marker": str(answer.text("Marker"))}
    raise AssertionError("the list does not end")


async def test_a_server_with_100_000_of_each_is_there_soon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path)
    try:
        server.start()
        server.stop()
        fill(server.data_dir / "daypass.db", MANY)
        wall = server.start()
        spent = cpu_seconds(server.pid)
        assert server.client("iam", server.root()).get_role(RoleName="Name099999")["Role"]["RoleName"] == "Name099999"
    finally:
        if server.running:
            server.kill9()
    with capsys.disabled():
        print(f"\n{MANY:,} roles and users: ready after {wall:.2f} s, {spent:.2f} s of processor time")
    assert spent < 8  # seconds; the bound is there to catch what grows faster than the store
    assert server.alarms() == []


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has taken, itself and the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
