# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.decisions``: policy decisions per second on one thread, beside Cedar and Rego on equivalent policies.

    the same answers from all engines, or nothing is timed -- short slices, in turn, round after round -- medians

Exit code 0 whether goals are met or not; 1 when the engines disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle, islice
from typing import Final

from bench.decision_cases import DENSE_MARK, SIZES, Call, Rule, calls_of, case_of, dense_document, iam_document
from bench.decision_engines import ENGINES, Ask, Daypass, request_of
from bench.decision_report import (
    COMPILED,
    EXPLAINED,
    LISTED,
    POLICIES,
    POLICY_COUNTS,
    Name,
    Rates,
    Report,
    as_json,
    as_table,
)
from daypass.policy import Kind, Layers, NamedPolicy, PolicySet, compile_policy, decide

ROUNDS: Final = 15
SLICE_SECONDS: Final = 0.1
ALLOWED_AT_LEAST: Final = 1 / 3
DOCUMENT: Final = 6_144
"""Characters of the largest managed policy (IAM quotas)."""
COMPILE: Final[Name] = (COMPILED, DOCUMENT)
COMPILATIONS: Final = 10
"""Documents compiled in one turn."""


class DisagreementError(Exception):
    """The engines do not give the same answer, or too few of the calls are allowed for the answers to mean much."""


def main(rounds: int = ROUNDS, *, seconds: float = SLICE_SECONDS, show_json: bool = False) -> None:
    """Compare the answers, measure in so many rounds of slices of so many seconds, and print."""
    try:
        contestants = dict(_contestants())
    except DisagreementError as error:
        sys.exit(f"bench: {error}")
    report = Report(rounds, seconds, measure(contestants, rounds, seconds))
    print(json.dumps(as_json(report), indent=2) if show_json else as_table(report))


def _contestants() -> Iterator[tuple[Name, Sequence[Ask]]]:
    """Everything that is measured, by what is done and how large it is."""
    for size in SIZES:
        case = case_of(size)
        calls = calls_of(case)
        asks = {name: engine(case).asks(calls) for name, engine in ENGINES.items()}
        explained = {EXPLAINED: Daypass(case).explanations(calls), LISTED: Daypass(case).listings(calls)}
        agree(calls, asks | explained)
        for name, asked in (asks | explained).items():
            yield (name, size), asked
    for number in POLICY_COUNTS:
        yield (POLICIES, number), among_policies(number)


def agree(calls: Sequence[Call], asks: Mapping[str, Sequence[Ask]]) -> None:
    """Raise DisagreementError unless all engines answer every call alike, and a third of the answers is yes."""
    allowed = 0
    for number, call in enumerate(calls):
        answers = {name: asked[number]() for name, asked in asks.items()}
        if len(set(answers.values())) != 1:
            raise DisagreementError(f"the engines disagree, {answers}, about {call}")
        allowed += any(answers.values())
    if allowed < len(calls) * ALLOWED_AT_LEAST:
        raise DisagreementError(f"only {allowed} of {len(calls)} calls are allowed")


def among_policies(number: int) -> list[Ask]:
    """
    Decisions on a set of so many policies, of which ten apply: they speak of the bucket and the actions that are called.

    A third of the others is about other buckets, the rest about other services. One call in eleven meets no statement.
    """
    applying = [
        Rule(("s3:GetObject", "s3:PutObject"), (f"arn:aws:s3:::shared/area-{place}/*",))
        for place in range(POLICY_COUNTS[0])
    ]
    others = [rule for rule in case_of(number + len(applying)).identity if not rule.denies][: number - len(applying)]
    documents = [iam_document([rule]) for rule in (*others, *applying)]
    layers = Layers(
        identity=PolicySet(
            NamedPolicy(f"policy-{place}", compile_policy(text, Kind.IDENTITY)) for place, text in enumerate(documents)
        )
    )
    return [_deciding(call, layers) for call in _shared_calls()]


def _shared_calls() -> list[Call]:
    calls = calls_of(case_of(SIZES[1]))
    return [
        Call(call.session, "s3:GetObject", f"arn:aws:s3:::shared/area-{place % 11}/{place}", call.context)
        for place, call in enumerate(calls)
    ]


def _deciding(call: Call, layers: Layers) -> Ask:
    request = request_of(call)
    return lambda: decide(request, layers).allowed


def measure(contestants: Mapping[Name, Sequence[Ask]], rounds: int, seconds: float) -> Rates:
    """Calls per second of each contestant in every round. The first pass warms up and is forgotten."""
    rates: Rates = {name: [] for name in (*contestants, COMPILE)}
    turns = {name: cycle(asks) for name, asks in contestants.items()}
    texts = _texts()
    names = list(contestants)
    for number in range(rounds + 1):
        # Each round begins with another contestant, so that none always runs in another's wake.
        start = number % len(names)
        for name in (*names[start:], *names[:start]):
            rate = _slice(turns[name], seconds)
            if number:
                rates[name].append(rate)
        rate = _compilations(texts)
        if number:
            rates[COMPILE].append(rate)
    return rates


def _slice(asks: Iterator[Ask], seconds: float) -> float:
    """Calls per second. The cycle goes on where the slice before left it, so that slow engines meet every call too."""
    clock = time.perf_counter
    done, few = 0, 1
    start = clock()
    while (elapsed := clock() - start) < seconds:
        for ask in islice(asks, few):
            ask()
        done += few
        if elapsed < seconds / 50:
            few *= (
                2  # looking at the clock must not cost a share of the fast ones, nor a late look stretch the slow ones
            )
    return done / elapsed


def _texts() -> Iterator[str]:
    """Documents of the same length and statements, each another text: the same text again would be remembered."""
    head, mark, tail = dense_document(DOCUMENT).partition(DENSE_MARK)
    return (f"{head}{number:0{len(mark)}d}{tail}" for number in count())


def _compilations(texts: Iterator[str]) -> float:
    """Documents compiled per second."""
    chosen = list(islice(texts, COMPILATIONS))
    start = time.perf_counter()
    for text in chosen:
        compile_policy(text, Kind.IDENTITY)
    return COMPILATIONS / (time.perf_counter() - start)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.decisions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each has its turn ({ROUNDS})")
    parser.add_argument("--seconds", type=float, default=SLICE_SECONDS, help=f"how long a turn lasts ({SLICE_SECONDS})")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    main(arguments.rounds, seconds=arguments.seconds, show_json=arguments.json)
