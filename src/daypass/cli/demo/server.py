# SPDX-License-Identifier: Apache-2.0
"""
A throw-away server: ``daypass serve`` as a process of its own, in a directory that goes away with it.

It is the server that everybody runs, with nothing but settings that everybody has.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from daypass.errors import ConfigurationError, Reason

ACCOUNT_ID: Final = "123456789012"
START_SECONDS: Final = 20.0  # until it must be ready; it takes about one
STOP_SECONDS: Final = 12.0  # more than the server gives its last requests; then it is killed
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class ThrowAwayServer:
    """A server that is ready. ``root_credentials`` is a shared-credentials file; ``log`` holds what it says."""

    url: str
    root_credentials: Path
    log: Path
    process: asyncio.subprocess.Process


@asynccontextmanager
async def throw_away_server(
    directory: Path, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[ThrowAwayServer]:
    """A server for the time of the context. Raises ConfigurationError when it does not start."""
    log = directory / "server.log"
    with log.open("wb") as standard_error:
        process = await asyncio.create_subprocess_exec(
            # -P: what is imported does not depend on the directory that the demo is started in.
            *(sys.executable, "-P", "-m", "daypass", "serve", "--json"),
            env=server_environment(environment, directory / "data"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=standard_error,
        )
    try:
        try:
            served = await asyncio.wait_for(_ready(process), START_SECONDS)
        except (TimeoutError, ValueError, KeyError, aiohttp.ClientError):
            raise _did_not_start(log) from None
        yield ThrowAwayServer(served["url"], Path(served["root_credentials"]), log, process)
    finally:
        await _stop(process)


def server_environment(environment: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The environment of the server: the caller's without any of its DAYPASS settings, and the demo's own."""
    kept = {name: value for name, value in environment.items() if not name.startswith("DAYPASS_")}
    return {
        **kept,
        "DAYPASS_LISTEN": "127.0.0.1:0",
        "DAYPASS_TELEMETRY_LISTEN": "127.0.0.1:0",
        "DAYPASS_DATA_DIR": str(data_dir),
        "DAYPASS_ACCOUNT_ID": ACCOUNT_ID,
        "DAYPASS_ALLOW_LOOPBACK_HTTP": "true",
    }


async def _ready(process: asyncio.subprocess.Process) -> dict[str, str]:
    """What the server says it serves, as soon as it does."""
    if process.stdout is None:
        raise ValueError("expected a pipe")
    served: dict[str, str] = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as http:
        while process.returncode is None:
            async with http.get(served["health"]) as answer:
                if answer.status == 200:
                    return served
            await asyncio.sleep(_POLL_SECONDS)
    raise ValueError("it ended")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _did_not_start(log: Path) -> ConfigurationError:
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = said[-1] if said else "it said nothing"
    return ConfigurationError(Reason.CONFIGURATION_INVALID, f"the throw-away server did not start: {last}")
