# SPDX-License-Identifier: Apache-2.0
"""``daypass plan``: what applying a state file would change."""

from __future__ import annotations

from typing import Annotated

import typer

from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, in_store
from daypass.cli.live_store import store_settings
from daypass.cli.state.files import File, state_files
from daypass.cli.state.shown import difference_json, difference_lines
from daypass.clock import system_clock
from daypass.statefile import Difference, plan
from daypass.store import Store

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    name="plan", help="Show what applying a state file would change; every check is made, and nothing changes."
)
def plan_command(
    file: File = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit code 2 where something would change.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the difference between a state file and the store."""
    settings = store_settings(data_dir, database_url)
    files = state_files(file, settings)
    desired = files.read()

    async def work(store: Store) -> Difference:
        return await plan(store, desired, now=system_clock())

    found = in_store(settings, work)
    answer(difference_json(found, str(files.path), applied=False), difference_lines(found), as_json=as_json)
    if detailed_exitcode and found.changes:
        raise typer.Exit(2)
