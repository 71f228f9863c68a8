# SPDX-License-Identifier: Apache-2.0
"""What is printed: numbered steps, each command before its answer; or one JSON document at the end."""

from __future__ import annotations

import enum
import json
import os
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TextIO

from daypass import __version__
from daypass.cli.demo.exchange import shell_line


class Outcome(enum.StrEnum):
    """How a step ended. Being denied is what one of the steps is there for; failed is what none is there for."""

    DONE = "done"
    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """
    A step that has ended: what it was for, the command that was run for it (if one was) and its exit code.

    ``lines`` is the answer in short, without secrets; ``why`` one sentence in plain words, where there is one to say.
    """

    title: str
    command: Sequence[str]
    exit_code: int | None
    outcome: Outcome
    lines: Sequence[str]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class StillServing:
    """What to do while the demo keeps serving: a page to open, and lines to type."""

    page: str
    lines: Sequence[str] = field(default_factory=tuple)


class Report(Protocol):
    """Is told what happens, as it happens."""

    def begin(self, title: str, command: Sequence[str]) -> None:
        """A step begins; ``command`` is empty when it runs none."""

    def end(self, step: Step) -> None:
        """The step that was begun has ended."""

    def finish(self, ok: bool, serving: StillServing | None) -> None:
        """The story is over, as it should be or not; ``serving`` is there when the demo goes on."""


_STYLES: Final = {
    Outcome.DONE: "green",
    Outcome.ALLOWED: "bold green",
    Outcome.DENIED: "bold yellow",
    Outcome.FAILED: "bold red",
}
_MARGIN: Final = " " * 4
_WIDTH: Final = 100


class TextReport:
    """Numbered steps as text; in colour on a terminal, unless NO_COLOR is set (no-color.org)."""

    def __init__(self, out: TextIO) -> None:
        self._write = _coloured(out) if out.isatty() and not os.environ.get("NO_COLOR") else _plain(out)
        self._number = 0
        self._write(
            f"daypass {__version__} demo: a throw-away server and sign-in from a list. Not for production.", "bold"
        )

    def begin(self, title: str, command: Sequence[str]) -> None:
        """Number, title, and the command as one would type it."""
        self._number += 1
        self._write("", "")
        self._write(f"{self._number:>2}  {title}", "bold")
        if command:
            for line in f"$ {shell_line(command)}".splitlines():
                self._write(_MARGIN + line, "cyan")

    def end(self, step: Step) -> None:
        """The answer; what was allowed, denied or went wrong says so."""
        style = "red" if step.outcome is Outcome.FAILED else ""
        for line in step.lines:
            self._paragraph(line, style)
        if step.outcome is not Outcome.DONE:
            self._paragraph(f"{step.outcome}{f': {step.why}' if step.why else ''}", _STYLES[step.outcome])

    def finish(self, ok: bool, serving: StillServing | None) -> None:
        """The verdict, and what can be tried next."""
        self._write("", "")
        if ok:
            self._write("Done: what is permitted was allowed, what is not was denied.", "bold green")
        else:
            self._write("The demo did not end as it should have: see the last step.", "bold red")
        if serving is not None:
            self._write("", "")
            self._write(f"Still serving. Page to open: {serving.page}", "bold")
            self._write("To go on in another terminal, as the session of the role:", "")
            for line in serving.lines:
                self._write(_MARGIN + line, "cyan")
            self._write("Ctrl-C ends it and removes everything.", "")

    def _paragraph(self, text: str, style: str) -> None:
        for line in textwrap.wrap(
            text, _WIDTH, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
        ):
            self._write(_MARGIN + line, style)


class JsonReport:
    """One JSON document, when the story is over."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._steps: list[Step] = []

    def begin(self, title: str, command: Sequence[str]) -> None:
        """Nothing is printed yet."""

    def end(self, step: Step) -> None:
        """Remember the step."""
        self._steps.append(step)

    def finish(self, ok: bool, serving: StillServing | None) -> None:
        """Print the document."""
        document = {
            "ok": ok,
            "steps": [
                {
                    "title": step.title,
                    "command": shlex.join(step.command) or None,
                    "exit_code": step.exit_code,
                    "outcome": step.outcome,
                    "answer": list(step.lines),
                    "why": step.why,
                }
                for step in self._steps
            ],
            "serving": None if serving is None else {"page": serving.page, "next": list(serving.lines)},
        }
        print(json.dumps(document, indent=2), file=self._out, flush=True)


class _Write(Protocol):
    def __call__(self, line: str, style: str) -> None: ...


def _plain(out: TextIO) -> _Write:
    def write(line: str, style: str) -> None:  # noqa: ARG001 - a style is for terminals
        print(line, file=out, flush=True)

    return write


def _coloured(out: TextIO) -> _Write:
    from rich.console import Console  # not needed, and slow to import, when nobody sees its colours
    from rich.text import Text

    console = Console(file=out, highlight=False, soft_wrap=True)

    def write(line: str, style: str) -> None:
        console.print(Text(line, style=style))

    return write
