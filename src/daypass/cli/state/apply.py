# SPDX-License-Identifier: Apache-2.0
"""``daypass apply``: make everything as a state file wants it, or nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, in_store
from daypass.cli.live_store import store_settings
from daypass.cli.state.files import File, state_files
from daypass.cli.state.shown import difference_json, difference_lines
from daypass.clock import system_clock
from daypass.server.settings import Settings
from daypass.statefile import Difference, apply, release
from daypass.store import Store

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(name="apply", help="Make everything as a state file wants it, in one step; daypass plan shows it before.")
def apply_command(
    file: File = None,
    let_go: Annotated[
        bool,
        typer.Option("--release", help="Instead: no file manages anything any more, and everything stays as it is."),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Apply a state file; a running server decides by it from its next request on."""
    settings = store_settings(data_dir, database_url)
    if let_go:
        _release(file, settings, as_json)
        return
    files = state_files(file, settings)
    desired = files.read()

    async def work(store: Store) -> Difference:
        return await apply(store, desired, str(files.path), now=system_clock())

    found = in_store(settings, work)
    lines = [*difference_lines(found), "Applied."]
    answer(difference_json(found, str(files.path), applied=True), lines, as_json=as_json)


def _release(file: Path | None, settings: Settings, as_json: bool) -> None:
    if file is not None:
        raise typer.BadParameter("expected a state file or --release, and not both.", param_hint="FILE")
    released = in_store(settings, release)
    answer({"released": released}, [f"{released} managed by a file until now; none any more."], as_json=as_json)
