# SPDX-License-Identifier: Apache-2.0
"""The figures of ``bench.decisions``: medians, ratios, goals, as a table or as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from bench.decision_cases import CALLS, MIX, SIZES
from bench.decision_engines import ENGINES

EXPLAINED: Final = "explained"
LISTED: Final = "listed"
LABELS: Final = {EXPLAINED: "daypass, explained", LISTED: "explained, every statement traced"}
HOW_EXPLAINED: Final = {
    EXPLAINED: "the decision with its reasons, as a dict for JSON: cause, every layer with all statements that apply, all "
    "that would have to change, missing context keys, warnings; and traced element by element the statements that decided "
    "and the closest statement of each layer that would have to allow",
    LISTED: "the same, but with every statement of every layer traced, as daypass explain --json prints it; without a goal",
}
"""What is timed in these rows, in words."""
POLICIES: Final = "policies"
COMPILED: Final = "compiled"
POLICY_COUNTS: Final = (10, 1000)

Name = tuple[str, int]
"""What is measured, and its size: an engine or a way to explain by statements, ``policies`` by their number."""
Rates = dict[Name, list[float]]
"""Calls per second, one figure for every round."""

LABEL: Final = 36
"""Characters of the column of names."""
WIDTH: Final = 120
"""Characters of a line of prose."""
WANTED_TO_BEST_PEER: Final = {3: 3.0, 50: 6.0, 1000: 10.0}
EXPLANATION_FACTOR: Final = 15.0
COMPILE_MILLISECONDS: Final = 2.0
POLICIES_FACTOR: Final = 2.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, and how it came out: ``at_least`` or at most ``wanted``."""

    what: str
    measured: float
    wanted: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether it holds; the limit itself does."""
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted


@dataclass(frozen=True, slots=True)
class Report:
    """A run: how it was measured, and every figure of it."""

    rounds: int
    seconds: float
    rates: Rates

    def rate(self, name: Name) -> float:
        """The median, in calls per second."""
        return median(self.rates[name])

    def ratio(self, one: Name, other: Name) -> float:
        """The median of the ratios within each round: neighbours in time, so that noise hits both."""
        return median(a / b for a, b in zip(self.rates[one], self.rates[other], strict=True))

    def best_peer(self, size: int) -> str:
        """The fastest of the other engines."""
        return max((name for name in ENGINES if name != "daypass"), key=lambda name: self.rate((name, size)))

    @property
    def compile_milliseconds(self) -> float:
        """For one document of the largest size."""
        return next(1000 / self.rate(name) for name in self.rates if name[0] == COMPILED)

    def goals(self) -> list[Goal]:
        """All of them, in the order of the table."""
        few, many = POLICY_COUNTS
        return [
            *(self._beside_peers(size) for size in SIZES),
            *(self._explained(size) for size in SIZES),
            Goal("milliseconds to compile a document", self.compile_milliseconds, COMPILE_MILLISECONDS, at_least=False),
            Goal(
                f"{many:,} policies of which {few} apply, times the time of {few}",
                self.ratio((POLICIES, few), (POLICIES, many)),
                POLICIES_FACTOR,
                at_least=False,
            ),
        ]

    def _beside_peers(self, size: int) -> Goal:
        peer = self.best_peer(size)
        ratio = self.ratio(("daypass", size), (peer, size))
        return Goal(f"{size:,} statements, times as fast as {peer}", ratio, WANTED_TO_BEST_PEER[size], at_least=True)

    def _explained(self, size: int) -> Goal:
        ratio = self.ratio(("daypass", size), (EXPLAINED, size))
        return Goal(
            f"{size:,} statements, explanation in times the decision", ratio, EXPLANATION_FACTOR, at_least=False
        )


def as_json(report: Report) -> dict[str, Any]:
    """Everything measured."""
    return {
        "rounds": report.rounds,
        "seconds": report.seconds,
        "calls": CALLS,
        "mix": MIX,
        "how": {name: engine.how for name, engine in ENGINES.items()} | HOW_EXPLAINED,
        "median_per_second": {f"{what} {size}": report.rate((what, size)) for what, size in report.rates},
        "per_second": {f"{what} {size}": rates for (what, size), rates in report.rates.items()},
        "goals": [asdict(goal) | {"met": goal.met} for goal in report.goals()],
    }


def as_table(report: Report) -> str:
    """Engines by number of statements, then the rest, then the goals."""
    lines = [
        f"Policy decisions per second, one thread: medians of {report.rounds} slices of {report.seconds:g} s, in turn.",
        f"{CALLS} different requests in turn, of 12 context keys; all engines gave the same answers to all of them.",
        *textwrap.wrap(f"Statements of the role (a boundary and a session policy are added): {MIX}.", WIDTH),
        *(f"{name}: {engine.how}" for name, engine in ENGINES.items()),
        *(line for name, how in HOW_EXPLAINED.items() for line in textwrap.wrap(f"{LABELS[name]}: {how}", WIDTH)),
        "",
        f"{'':<{LABEL}}" + "".join(f"{f'{size:,} statements':>18}" for size in SIZES),
    ]
    lines += [_row(report, name) for name in (*ENGINES, *HOW_EXPLAINED)]
    few, many = POLICY_COUNTS
    lines += [
        "",
        "policies of one statement each; those that do not apply are of the mix above",
        f"{few} policies, all of which apply: {report.rate((POLICIES, few)):,.0f} decisions per second",
        f"{many:,} policies of which {few} apply: {report.rate((POLICIES, many)):,.0f} decisions per second",
        f"compiling a document of 6,144 characters: {report.compile_milliseconds:.2f} ms",
        "",
    ]
    for goal in report.goals():
        bound = "at least" if goal.at_least else "at most"
        met = "met" if goal.met else "NOT MET"
        lines.append(f"goal: {goal.what}, {bound} {goal.wanted:g}: {goal.measured:.2f}, {met}")
    return "\n".join(lines)


def _row(report: Report, name: str) -> str:
    return f"{LABELS.get(name, name):<{LABEL}}" + "".join(f"{report.rate((name, size)):>18,.0f}" for size in SIZES)
