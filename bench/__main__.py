# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench``: the three servers under load, interleaved, in one table, policy decisions against other engines,
SAML responses against another library, and the enforcement door against bare servers.

Exit code 0 whether goals are met or not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import decisions, enforcement, saml
from bench.load import LoadError, measure, require_wrk
from bench.report import Slices, as_json, as_table
from bench.targets import TARGETS, Target, TargetError, running_targets
from bench.workload import OPERATIONS, Operation, Workload

WARM_UP_SECONDS = 2


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    operations = tuple(name for name in OPERATIONS if not _named(arguments.only, OPERATIONS) or name in arguments.only)
    names = tuple(name for name in TARGETS if not _named(arguments.only, TARGETS) or name in arguments.only)
    try:
        require_wrk()
        with (
            tempfile.TemporaryDirectory(prefix="daypass-bench-") as directory,
            running_targets(Path(directory), names) as (targets, workload),
        ):
            slices = _run(targets, operations, workload, arguments.rounds, arguments.seconds, Path(directory))
    except (LoadError, TargetError) as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(as_json(slices), indent=2) if arguments.json else as_table(slices))
    if not arguments.only and not arguments.json:
        print()
        decisions.main(max(7, arguments.rounds))
        print()
        saml.main(arguments.rounds, 0.5)
        print()
        enforcement.run(enforcement.CASES, arguments.rounds, arguments.seconds)


def _run(
    targets: Sequence[Target],
    operations: Sequence[Operation],
    workload: Workload,
    rounds: int,
    seconds: int,
    directory: Path,
) -> Slices:
    """Every server in turn, round after round; the first pass warms up and is forgotten."""
    slices: Slices = {(operation, target.name): [] for operation in operations for target in targets}
    for number in range(rounds + 1):
        for operation in operations:
            # Each round begins with another server, so that none always runs in another's wake.
            start = number % len(targets)
            for target in (*targets[start:], *targets[:start]):
                length = seconds if number else WARM_UP_SECONDS
                measured = measure(target, operation, workload, seconds=length, directory=directory)
                if number:
                    slices[operation, target.name].append(measured)
        print(f"bench: {f'round {number} of {rounds}' if number else 'warmed up'}", file=sys.stderr)
    return slices


def _named(only: Sequence[str], names: Sequence[str]) -> bool:
    return any(name in only for name in names)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (5)")
    parser.add_argument("--seconds", type=int, default=4, help="how long a turn lasts (4)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[*OPERATIONS, *TARGETS],
        help="an operation or a server; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
