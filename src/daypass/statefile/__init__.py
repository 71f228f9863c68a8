# SPDX-License-Identifier: Apache-2.0
"""
The state file: what shall be, written in a file, and made so (docs/state-file.md).

    text -- read_desired --> Desired + View -- difference --> Difference -- apply, in one transaction --> what is kept

Reading and comparing are pure. Everything is written by the functions by which other doors write, so it passes the same
checks; and what the file manages is marked in the store, where those doors look (``daypass.resources.managed``).
"""

from daypass.statefile.applying import apply, note_problem, plan, release
from daypass.statefile.desired import Desired, Wanted
from daypass.statefile.difference import Change, Difference, difference
from daypass.statefile.exporting import exported
from daypass.statefile.files import StateFiles
from daypass.statefile.reading import read_desired
from daypass.statefile.schema import json_schema

__all__ = [
    "Change",
    "Desired",
    "Difference",
    "StateFiles",
    "Wanted",
    "apply",
    "difference",
    "exported",
    "json_schema",
    "note_problem",
    "plan",
    "read_desired",
    "release",
]
