# SPDX-License-Identifier: Apache-2.0
"""What commands on the live store have in common: their options, how one works, and how it answers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from daypass.cli.live_store import live_store
from daypass.server.settings import Settings
from daypass.store import Store

R = TypeVar("R")

DataDir = Annotated[Path | None, typer.Option(help="The store, as for serve.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="The store, as for serve.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def in_store(settings: Settings, work: Callable[[Store], Awaitable[R]]) -> R:
    """Do the work with the live store, and answer what it answers. Errors of ours pass: ``daypass.cli.main`` prints them."""

    async def opened() -> R:
        async with live_store(settings) as store:
            return await work(store)

    return asyncio.run(opened())


def answer(value: dict[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """Print what was done or found: one JSON object, or lines."""
    text = json.dumps(value, indent=2) if as_json else "\n".join(lines)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n" if text else "")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, with every column as wide as its widest."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
