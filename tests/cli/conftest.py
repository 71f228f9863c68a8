# SPDX-License-Identifier: Apache-2.0
"""A development identity provider of its own for every test, and a session to ask it with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from cli.demo_browser import EXCHANGE, NOW
from daypass.cli.demo.provider import DevelopmentProvider
from daypass.clock import MovableClock


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
async def provider(clock: MovableClock) -> AsyncIterator[DevelopmentProvider]:
    async with DevelopmentProvider(clock, EXCHANGE) as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session
