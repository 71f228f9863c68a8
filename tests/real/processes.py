# SPDX-License-Identifier: Apache-2.0
"""
A program of somebody else's for as long as a block lasts: on a free port of loopback, its log kept in a folder.

    with running([binary, "--config", str(file)], folder=tmp_path, name="envoy", ready=("127.0.0.1", port)) as log:
        ...
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from real import needed

START_SECONDS = 30.0
"""How long a program may take to listen: far beyond what each needs, this machine may be busy."""


def free_port() -> int:
    """A port of loopback on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def installed(name: str, package: str) -> str:
    """The path of a program that a wheel brings, beside this interpreter; PATH does not matter."""
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        needed.missing(f"{name} is not installed: pip install {package}")
    return str(found)


@contextmanager
def running(
    command: Sequence[str],
    *,
    folder: Path,
    name: str,
    ready: tuple[str, int],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Path]:
    """
    Start, wait until somebody accepts connections at ``ready``, yield the log's path, and kill with the block.

    Raises AssertionError with the log when the program ends or is silent for ``START_SECONDS``.
    """
    log = folder / f"{name}.log"
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(ready, process, log)
        yield log
    finally:
        _end(process)


def _wait(address: tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = log.read_text(errors="replace")
        assert process.poll() is None, f"{process.args!r} ended: {said}"
        try:
            socket.create_connection(address, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"{process.args!r} does not listen: {said}"
            time.sleep(0.01)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and its workers: it has a process group of its own."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass  # it has ended by itself
    process.wait(timeout=10)
