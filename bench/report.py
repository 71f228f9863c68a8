# SPDX-License-Identifier: Apache-2.0
"""The figures of a run: medians, ratios, goals, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

from bench.load import Slice
from bench.targets import TargetName
from bench.workload import Operation

GOALS: Final[dict[Operation, dict[TargetName, float]]] = {
    "AssumeRoleWithWebIdentity": {"bare": 0.45, "moto": 20.0},
    "AssumeRole": {"bare": 0.35},
    "GetCallerIdentity": {"bare": 0.50, "moto": 20.0},
}
"""daypass's requests per second are to be at least so many times the other's."""

CORE_SHARE_WANTED: Final = 0.85
"""A server of one thread that got less of its core did not have the machine for itself."""

Slices = dict[tuple[Operation, TargetName], list[Slice]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, and how it came out: ``ratio`` of requests per second, and ``cpu_ratio`` of CPU time per request."""

    operation: Operation
    than: TargetName
    wanted: float
    ratio: float
    cpu_ratio: float
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One operation on one server: medians over the rounds. Ratios are of requests per second, None without the other."""

    operation: Operation
    target: TargetName
    median: Slice
    to_bare: float | None
    to_moto: float | None


def rows(slices: Slices) -> list[Row]:
    """The table's rows, in the order in which they were measured."""
    return [
        Row(
            operation,
            target,
            median_of(measured),
            _ratio(slices, operation, target, "bare"),
            _ratio(slices, operation, target, "moto"),
        )
        for (operation, target), measured in slices.items()
    ]


def goals(slices: Slices) -> list[Goal]:
    """The goals that the run can judge."""
    found = []
    for operation, wanted in GOALS.items():
        for than, least in wanted.items():
            ratio = _ratio(slices, operation, "daypass", than)
            if ratio is not None:
                ours, theirs = median_of(slices[operation, "daypass"]), median_of(slices[operation, than])
                cpu_ratio = theirs.cpu_per_request / ours.cpu_per_request
                found.append(Goal(operation, than, least, ratio, cpu_ratio, ratio >= least))
    return found


def as_json(slices: Slices) -> dict[str, object]:
    """Everything, with each slice."""
    return {
        "rows": [asdict(row) for row in rows(slices)],
        "goals": [asdict(goal) for goal in goals(slices)],
        "slices": [
            {"operation": operation, "target": target, "rounds": [asdict(each) for each in measured]}
            for (operation, target), measured in slices.items()
        ],
    }


def as_table(slices: Slices) -> str:
    """The table, a line for each goal, and a warning when the machine was busy with something else."""
    columns = ("req/s", "p50 ms", "p99 ms", "CPU us", "core", "to bare", "to moto")
    lines = [f"{'operation':<27}{'server':<9}" + "".join(f"{column:>9}" for column in columns)]
    for row in rows(slices):
        found = row.median
        lines.append(
            f"{row.operation:<27}{row.target:<9}{found.requests_per_second:>9,.0f}{found.p50 / 1000:>9.2f}"
            f"{found.p99 / 1000:>9.2f}{found.cpu_per_request:>9.1f}{found.core_share:>9.0%}"
            f"{shown(row.to_bare):>9}{shown(row.to_moto):>9}"
        )
    lines.append("")
    for goal in goals(slices):
        lines.append(
            f"goal: {goal.operation} at least {goal.wanted:g} of {goal.than}: {shown(goal.ratio)} "
            f"({shown(goal.cpu_ratio)} by CPU time), {'met' if goal.met else 'NOT MET'}"
        )
    if any(row.target != "moto" and row.median.core_share < CORE_SHARE_WANTED for row in rows(slices)):
        lines.append(
            "warning: other work kept the servers from their core; compare CPU times, or run again when it is quiet"
        )
    return "\n".join(lines)


def shown(ratio: float | None) -> str:
    """A ratio in a table."""
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def median_of(measured: Sequence[Slice]) -> Slice:
    """Each figure's median."""

    def of(figure: Callable[[Slice], float]) -> float:
        return median(figure(each) for each in measured)

    return Slice(
        requests_per_second=of(lambda each: each.requests_per_second),
        p50=of(lambda each: each.p50),
        p99=of(lambda each: each.p99),
        cpu_per_request=of(lambda each: each.cpu_per_request),
        bytes_per_answer=of(lambda each: each.bytes_per_answer),
        core_share=of(lambda each: each.core_share),
    )


def _ratio(slices: Slices, operation: Operation, target: TargetName, than: TargetName) -> float | None:
    """The median of the ratios within each round: neighbours in time, so that noise hits both."""
    ours, theirs = slices.get((operation, target)), slices.get((operation, than))
    if target == than or not ours or not theirs:
        return None
    pairs = zip(ours, theirs, strict=True)
    return median(one.requests_per_second / other.requests_per_second for one, other in pairs)
