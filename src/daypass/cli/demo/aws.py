# SPDX-License-Identifier: Apache-2.0
"""
The real ``aws`` command, run away from the configuration, credentials and proxies of whoever started the demo.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daypass.cli.demo.exchange import REGION
from daypass.errors import ConfigurationError, Reason

CALL_SECONDS: Final = 60.0  # for one command; it takes about one
OLDEST: Final[Mapping[int, tuple[int, int]]] = {1: (29, 0), 2: (13, 0)}
"""The first versions that read AWS_ENDPOINT_URL, by major version. An older one would ask AWS itself."""

_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
_VERSION: Final = re.compile(r"aws-cli/(\d+)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit code."""

    exit_code: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """What it said on standard error, as one line."""
        return " ".join(self.errors.split())


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whose credentials a command uses: a profile of a shared-credentials file; by default nobody's."""

    profile: str | None = None
    file: Path = Path(os.devnull)


def find_aws() -> str:
    """The ``aws`` command: beside this Python, else on the PATH. Raises ConfigurationError when there is none."""
    beside = Path(sys.executable).with_name("aws")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("aws")
    if found is None:
        raise _unusable("the demo runs the real aws command, and there is none here")
    return found


class Aws:
    """Runs ``aws`` in a directory, against an endpoint."""

    def __init__(self, executable: str, directory: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._executable = executable
        self._directory = directory
        self._environment = scrubbed(environment)

    async def require_usable(self) -> None:
        """Raises ConfigurationError when this version would not use the endpoint that it is told."""
        answer = await self._run(("--version",), {})
        version = _VERSION.search(answer.output + answer.errors)
        if version is None or (int(version[1]) in OLDEST and OLDEST[int(version[1])] > (int(version[2]), 0)):
            raise _unusable(f"expected aws 1.29 or 2.13 or later at {self._executable}")

    async def run(self, arguments: Sequence[str], credentials: Credentials, endpoint_url: str) -> Answer:
        """The answer of one command. Raises ConfigurationError when it takes longer than CALL_SECONDS."""
        profile = {} if credentials.profile is None else {"AWS_PROFILE": credentials.profile}
        own = {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": str(credentials.file),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_DEFAULT_OUTPUT": "json",
            "AWS_PAGER": "",
        }
        return await self._run(arguments, {**own, **profile})

    async def _run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Answer:
        process = await asyncio.create_subprocess_exec(
            self._executable,
            *arguments,
            cwd=self._directory,
            env={**self._environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
        except TimeoutError:
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, "the aws command did not come back") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Answer(process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without anything that the aws command would take for its configuration, and without proxies."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(("AWS_", "BOTO_")) and name.lower() not in _PROXIES
    }


def _unusable(problem: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"{problem}: pip install 'daypass[demo]'")
