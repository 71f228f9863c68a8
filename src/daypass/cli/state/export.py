# SPDX-License-Identifier: Apache-2.0
"""``daypass export``: a state file of what is there."""

from __future__ import annotations

import sys
from typing import Any

import typer
import yaml  # type: ignore[import-untyped]

from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, in_store
from daypass.cli.live_store import store_settings
from daypass.statefile import exported
from daypass.statefile.limits import STATE_FILE
from daypass.store import Store

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(name="export", help="Print a state file of what is there; applied as it is, it changes nothing.")
def export_command(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Print everything that a state file can manage, as one."""

    async def work(store: Store) -> dict[str, Any]:
        return exported(store.view())

    found = in_store(store_settings(data_dir, database_url), work)
    # INVARIANT: as ASCII. Then it is the same text in every encoding of the terminal.
    text = yaml.safe_dump(found, sort_keys=False, width=120)
    answer(found, text.splitlines(), as_json=as_json)
    if len(text) > STATE_FILE:
        sys.stderr.write(f"daypass: it is longer than {STATE_FILE} bytes; put policies into files of their own\n")
