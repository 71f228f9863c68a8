# SPDX-License-Identifier: Apache-2.0
"""One slice of load: wrk with sixteen keep-alive connections, and the CPU time that the server spent meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.targets import CLIENT_CORE, Target
from bench.workload import Operation, Workload, write_requests

CONNECTIONS: Final = 16
_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class LoadError(Exception):
    """The load could not be made, or was not answered with 200."""


@dataclass(frozen=True, slots=True)
class Slice:
    """
    What was measured in a few seconds. Latencies and CPU time in microseconds, size in bytes with headers.

    ``core_share`` is the CPU time that the server got per second: a busy server that got much less than one was kept
    waiting by other work on the machine, and its requests per second say little.
    """

    requests_per_second: float
    p50: float
    p99: float
    cpu_per_request: float
    bytes_per_answer: float
    core_share: float


def require_wrk() -> None:
    """Raises LoadError unless wrk is installed."""
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed; the benchmark needs it to make load (Debian: apt-get install wrk).")


def measure(target: Target, operation: Operation, workload: Workload, *, seconds: int, directory: Path) -> Slice:
    """One slice. Raises LoadError when a request was refused or a connection broke."""
    target.reset()
    requests = workload.requests(operation, target.url)
    try:
        return pressed(target.url, requests, (target.pid,), seconds=seconds, directory=directory)
    except LoadError as error:
        raise LoadError(f"{target.name}, {operation}: {error}") from None


def pressed(
    url: str,
    requests: Iterable[bytes],
    pids: Sequence[int],
    *,
    seconds: int,
    directory: Path,
    connections: int = CONNECTIONS,
    answer_bytes: int | None = None,
) -> Slice:
    """
    One slice of raw requests to ``url``, in turn. ``pids``: the processes whose CPU time counts.

    ``answer_bytes``: how long an answer is, where so few fit into a slice that those under way at its end must count too.
    Raises LoadError when a request was refused or a connection broke.
    """
    path = directory / "requests"
    write_requests(path, requests)
    command = [
        *CLIENT_CORE,
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--latency"),
        *("--timeout", "10s", "--script", str(_SCRIPT), f"{url}/", "--", str(path)),
    ]
    before = _cpu_seconds(pids)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = _cpu_seconds(pids) - before
    result = next((line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise LoadError(f"wrk failed: {done.stderr or done.stdout}")
    found = json.loads(result)
    if not found["requests"] or found["refused"] or found["broken"]:
        raise LoadError(
            f"of {found['requests']} requests {found['refused']} were not answered with 200, "
            f"and {found['broken']} connections broke"
        )
    count = found["requests"] if answer_bytes is None else found["bytes"] / answer_bytes
    return Slice(
        requests_per_second=count / found["microseconds"] * 1e6,
        p50=found["p50"],
        p99=found["p99"],
        cpu_per_request=spent / count * 1e6,
        bytes_per_answer=found["bytes"] / count,
        core_share=spent / found["microseconds"] * 1e6,
    )


def _cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of processes with all their threads (proc(5), /proc/pid/stat, fields 14 and 15)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
