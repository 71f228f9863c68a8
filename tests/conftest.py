# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: how much is generated, what a new database is, the order, and that CI skips nothing."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import databases
import daypass.store.store
from daypass.store.migrate import migrate

settings.register_profile("long", max_examples=20_000, deadline=None)
settings.register_profile("quick", deadline=None)  # this machine may be busy; what takes long is bounded in other ways
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


LONG = frozenset(
    {
        *("test_agreement", "test_audit_trail", "test_closest", "test_concurrent_writers", "test_demo", "test_fuzz"),
        *(
            "test_gateway_endurance",
            "test_kill",
            "test_metrics",
            "test_newcomer_walk",
            "test_saml_sign_in",
            "test_scale",
        ),
        *("test_start_and_memory", "test_state_file", "test_workers"),
    }
)
"""Files that take long with few tests: they come first, so that at the end no process has one left to itself."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Otherwise the order is by chance."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Where everything is installed (CI), a skip is a failure: it would hide what is missing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, where DAYPASS_TEST_REQUIRE_ALL=1 allows no skip: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _new_databases_are_copies() -> Generator[None]:
    """A store that is opened where there is none finds an empty one, as the migrations made it once; they are still asked."""

    def placed(path: Path) -> None:
        databases.place(path)
        migrate(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daypass.store.store, "migrate", placed)
        yield
