# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.enforcement``: the enforcement door under load, next to servers that check nothing more than they must.

    authorize      nginx's question at /authz/BACKEND  | a bare handler that verifies the one signature
    GET of 1 KB    through the gateway                 | through a bare proxy of aiohttp
    GET of 64 MB   the same
    behind nginx   nginx that asks daypass             | nginx that asks nobody

Interleaved, medians over the rounds; the servers on one core, the load and the files on another. A ratio is one of requests per
second, and one of CPU time per request, which holds on a machine that has other work to do as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.enforcement_servers import LARGE_BYTES, Servers, running_servers
from bench.load import LoadError, Slice, pressed, require_wrk
from bench.report import CORE_SHARE_WANTED, median_of, shown
from bench.targets import TargetError

WARM_UP_SECONDS: Final = 2
LARGE_CONNECTIONS: Final = 4
_LARGE_ANSWER: Final = LARGE_BYTES + 300
"""With its head."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: ``ours`` is to reach ``wanted`` times the requests per second of ``than``."""

    name: str
    ours: str
    than: str
    wanted: float
    large: bool = False
    connections: int = 16


CASES: Final = (
    Case("authorize", "daypass /authz", "bare authorize", 0.45),
    Case("GET of 1 KB", "daypass gateway", "bare proxy", 0.35),
    Case("GET of 64 MB", "daypass gateway", "bare proxy", 0.85, large=True, connections=LARGE_CONNECTIONS),
    Case("behind nginx", "nginx, asking", "nginx", 0.40),
)

Slices = dict[tuple[Case, str], list[Slice]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, and how it came out: ``ratio`` of requests per second, ``cpu_ratio`` of CPU time per request."""

    case: Case
    ratio: float
    cpu_ratio: float

    @property
    def met(self) -> bool:
        """Whether it was reached, in requests per second."""
        return self.ratio >= self.case.wanted


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.enforcement", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (5)")
    parser.add_argument("--seconds", type=int, default=4, help="how long a turn lasts (4)")
    parser.add_argument("--only", action="append", default=[], choices=[case.name for case in CASES], help="repeatable")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    arguments = parser.parse_args()
    cases = [case for case in CASES if not arguments.only or case.name in arguments.only]
    run(cases, arguments.rounds, arguments.seconds, as_text=as_json_text if arguments.json else as_table)


def run(
    cases: Sequence[Case], rounds: int, seconds: int, as_text: Callable[[Slices, str | None], str] | None = None
) -> None:
    """Measure these cases and print them, as a table unless told otherwise."""
    try:
        slices, missing = measured(cases, rounds, seconds)
    except (LoadError, TargetError) as error:
        sys.exit(f"bench: {error}")
    print((as_text or as_table)(slices, missing))


def measured(cases: Sequence[Case], rounds: int, seconds: int) -> tuple[Slices, str | None]:
    """The slices, and why some cases are missing. Raises LoadError and TargetError."""
    require_wrk()
    with (
        tempfile.TemporaryDirectory(prefix="daypass-bench-") as folder,
        running_servers(Path(folder)) as servers,
    ):
        there = [case for case in cases if {case.ours, case.than} <= servers.found.keys()]
        return _run(servers, there, rounds, seconds, Path(folder)), servers.missing


def _run(servers: Servers, cases: Sequence[Case], rounds: int, seconds: int, directory: Path) -> Slices:
    """Both servers of every case in turn, round after round; the first pass warms up and is forgotten."""
    slices: Slices = {(case, name): [] for case in cases for name in (case.than, case.ours)}
    for number in range(rounds + 1):
        for case in cases:
            # Each round begins with the other server, so that none always runs in the other's wake.
            for name in (case.than, case.ours) if number % 2 else (case.ours, case.than):
                found = _slice(servers, case, name, seconds if number else WARM_UP_SECONDS, directory)
                if number:
                    slices[case, name].append(found)
        print(f"bench: {f'round {number} of {rounds}' if number else 'warmed up'}", file=sys.stderr)
    return slices


def _slice(servers: Servers, case: Case, name: str, seconds: int, directory: Path) -> Slice:
    server = servers.found[name]
    try:
        return pressed(
            server.url,
            servers.requests(name, large=case.large),
            server.pids,
            seconds=seconds,
            directory=directory,
            connections=case.connections,
            answer_bytes=_LARGE_ANSWER if case.large else None,
        )
    except LoadError as error:
        raise LoadError(f"{name}, {case.name}: {error}") from None


def goals(slices: Slices) -> list[Goal]:
    """How every case came out: medians of the ratios within each round, neighbours in time, so that noise hits both."""
    found = []
    for case in dict.fromkeys(case for case, _ in slices):
        pairs = list(zip(slices[case, case.ours], slices[case, case.than], strict=True))
        found.append(
            Goal(
                case,
                median(ours.requests_per_second / than.requests_per_second for ours, than in pairs),
                median(than.cpu_per_request / ours.cpu_per_request for ours, than in pairs),
            )
        )
    return found


def as_json_text(slices: Slices, missing: str | None) -> str:
    """Everything, with each slice, as JSON."""
    found: dict[str, object] = {
        "goals": [{**asdict(goal), "met": goal.met} for goal in goals(slices)],
        "slices": [
            {"case": case.name, "server": name, "rounds": [asdict(each) for each in rounds]}
            for (case, name), rounds in slices.items()
        ],
        "missing": missing,
    }
    return json.dumps(found, indent=2)


def as_table(slices: Slices, missing: str | None) -> str:
    """The table, a line for each goal, and a warning when the machine was busy with something else."""
    columns = ("req/s", "MB/s", "p50 ms", "p99 ms", "CPU us", "core")
    lines = [f"{'enforcement':<14}{'server':<17}" + "".join(f"{column:>10}" for column in columns)]
    medians = {key: median_of(rounds) for key, rounds in slices.items()}
    for (case, name), found in medians.items():
        rate = found.requests_per_second
        lines.append(
            f"{case.name:<14}{name:<17}{rate:>10,.{1 if case.large else 0}f}"
            f"{rate * found.bytes_per_answer / 1e6:>10,.1f}"
            f"{found.p50 / 1000:>10.2f}{found.p99 / 1000:>10.2f}{found.cpu_per_request:>10,.1f}{found.core_share:>10.0%}"
        )
    lines.append("")
    for goal in goals(slices):
        lines.append(
            f"goal: {goal.case.name} at least {goal.case.wanted:g} of {goal.case.than}: {shown(goal.ratio)} "
            f"({shown(goal.cpu_ratio)} by CPU time), {'met' if goal.met else 'NOT MET'}"
        )
    if missing is not None:
        lines.append(f"skipped: {', '.join(case.name for case in CASES if (case, case.ours) not in slices)}: {missing}")
    if any(found.core_share < CORE_SHARE_WANTED for found in medians.values()):
        lines.append(
            "warning: other work kept the servers from their core; compare CPU times, or run again when it is quiet"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
