# SPDX-License-Identifier: Apache-2.0
"""Which state file is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daypass.server.settings import Settings
from daypass.statefile import StateFiles

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The state file. [default: DAYPASS_STATE]")]


def state_files(file: Path | None, settings: Settings) -> StateFiles:
    """The file that is named, or else that of the settings. No file at all is wrong usage."""
    path = file or settings.state
    if path is None:
        raise typer.BadParameter("expected a state file here, or in DAYPASS_STATE.", param_hint="FILE")
    return StateFiles(path.absolute())
