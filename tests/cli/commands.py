# SPDX-License-Identifier: Apache-2.0
"""The command line, called in this process: as a thread does, so that a service may run in the test's event loop."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from daypass.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    error: str

    @property
    def answer(self) -> Any:
        """The JSON that it printed."""
        assert self.code == 0, self.error
        return json.loads(self.output)

    @property
    def lines(self) -> list[str]:
        """The lines that it printed."""
        assert self.code == 0, self.error
        return self.output.splitlines()


@contextmanager
def _arguments(*arguments: str) -> Iterator[None]:
    with mock.patch.object(sys, "argv", ["daypass", *arguments]), mock.patch.dict("os.environ", {"COLUMNS": "200"}):
        yield


def _run(arguments: tuple[str, ...]) -> Ended:
    output, error, code = io.StringIO(), io.StringIO(), 0
    with _arguments(*arguments), redirect_stdout(output), redirect_stderr(error):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    return Ended(code, output.getvalue(), error.getvalue())


async def daypass(*arguments: str, data_dir: Path) -> Ended:
    """One command on the store in this directory."""
    return await asyncio.to_thread(_run, (*arguments, "--data-dir", str(data_dir)))
