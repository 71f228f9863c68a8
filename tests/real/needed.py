# SPDX-License-Identifier: Apache-2.0
"""What the tests against real programs need of a machine. What is missing skips a test and says what to install."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

WHOLE_MATRIX = os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1"
"""
Whether every client runs against every backend by every way, as CI does. Otherwise boto3 does, and the others by the gateway
and by nginx, at the backend that verifies. What starts servers again and again does so less often, and the policy engine is
compared with fewer cases.
"""

SIMPLESAMLPHP = Path("/usr/share/simplesamlphp/www")
CHROMIUM = Path("/usr/bin/chromium")


def missing(what: str) -> None:
    """Skip the test that runs. Where everything is required (CI), fail."""
    if os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(what)
    pytest.skip(what)


def program(name: str, package: str = "") -> str:
    """The path of a program; Debian keeps servers where only the administrator's PATH leads."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        how = f": apt-get install --no-install-recommends {package}" if package else ""
        missing(f"{name} is not installed{how}")
    return str(found)


def npm_modules(folder: Path, package: str) -> None:
    """See that the npm modules of a folder are installed."""
    if not (folder / "node_modules" / package).is_dir():
        missing(f"the npm modules are not installed: npm ci --prefix {folder}")


def simplesamlphp() -> Path:
    """The web root of SimpleSAMLphp, as Debian's package installs it."""
    if not SIMPLESAMLPHP.is_dir():
        missing("SimpleSAMLphp is not installed: apt-get install --no-install-recommends simplesamlphp php-cli php-xml")
    return SIMPLESAMLPHP


def chromium() -> Path:
    """The browser of the system; playwright's own is not downloaded."""
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is not here: apt-get install --no-install-recommends chromium")
    return CHROMIUM
