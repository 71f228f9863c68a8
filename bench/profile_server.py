# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.profile_server``: where daypass's time goes under load, by py-spy (which needs to be root, or the parent).

Prints, for each operation, the functions by their share of samples: on top of the stack (self), and anywhere on it
(total). ``--keep DIRECTORY`` keeps the raw stacks, for flame graphs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.load import LoadError, measure, require_wrk
from bench.targets import CLIENT_CORE, Target, TargetError, running_targets
from bench.workload import OPERATIONS, Operation, Workload

SECONDS = 12
RATE = 250
SHOWN = 40


def main() -> None:
    """Record and print."""
    parser = argparse.ArgumentParser(prog="bench.profile_server", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a directory for the raw stacks")
    keep = parser.parse_args().keep
    try:
        require_wrk()
        if shutil.which("py-spy") is None:
            raise LoadError("py-spy is not installed; the profile is taken with it (pip install py-spy).")
        with (
            tempfile.TemporaryDirectory(prefix="daypass-bench-") as directory,
            running_targets(Path(directory), ("daypass",)) as (targets, workload),
        ):
            for operation in OPERATIONS:
                stacks = _record(targets[0], operation, workload, keep or Path(directory), Path(directory))
                print(f"{operation}\n{shares(stacks)}\n")
    except (LoadError, TargetError) as error:
        sys.exit(f"bench: {error}")


def shares(stacks: str) -> str:
    """A table from py-spy's raw form: frames joined by semicolons, a space, the number of samples."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, samples = line.rpartition(" ")
        names = [frame.partition(":")[0] for frame in frames.split(";")]
        own[names[-1]] += int(samples)
        for name in set(names):
            total[name] += int(samples)
    everything = own.total()
    lines = [f"{'self':>7}{'total':>7}  function ({everything} samples)"]
    for name, samples_on_top in own.most_common(SHOWN):
        lines.append(f"{samples_on_top / everything:>7.1%}{total[name] / everything:>7.1%}  {name}")
    return "\n".join(lines)


def _record(target: Target, operation: Operation, workload: Workload, keep: Path, directory: Path) -> str:
    measure(target, operation, workload, seconds=2, directory=directory)
    path = keep / f"{operation}.txt"
    spy = subprocess.Popen(
        [
            *CLIENT_CORE,
            *("py-spy", "record", "--pid", str(target.pid), "--format", "raw", "--output", str(path)),
            *("--rate", str(RATE), "--duration", str(SECONDS - 2), "--nonblocking"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    measure(target, operation, workload, seconds=SECONDS, directory=directory)
    if spy.wait(timeout=30):
        raise LoadError("py-spy failed; it has to be run as root, or where ptrace is allowed")
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
