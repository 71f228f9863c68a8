# SPDX-License-Identifier: Apache-2.0
"""A lake of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from daypass.store import Store
from resources.lake import Lake, filled


@pytest_asyncio.fixture
async def lake(tmp_path: Path) -> AsyncIterator[Lake]:
    """Two accounts beside the backend's, and a bucket; the store is in ``data`` of the test's directory."""
    store = await Store.open(None, tmp_path / "data")
    try:
        yield await filled(store)
    finally:
        await store.close()
