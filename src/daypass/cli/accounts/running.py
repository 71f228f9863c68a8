# SPDX-License-Identifier: Apache-2.0
"""What the commands of ``daypass accounts`` have in common."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from daypass.arn import is_account_id
from daypass.cli import answers
from daypass.cli.live_store import store_settings
from daypass.policy.limits import MAX_DOCUMENT
from daypass.store import Store

R = TypeVar("R")


def in_store(data_dir: Path | None, database_url: str | None, work: Callable[[Store], Awaitable[R]]) -> R:
    """Do the work with the live store of these options, and answer what it answers."""
    return answers.in_store(store_settings(data_dir, database_url), work)


def account_number(text: str | None) -> str | None:
    """An argument or option that is an account's number, if it was given."""
    if text is not None and not is_account_id(text):
        raise typer.BadParameter("expected twelve digits.")
    return text


Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Twelve digits.", callback=account_number)]


def read_document(file: str, hint: str = "--document") -> str:
    """The text of a file, or of standard input for ``-``. What cannot be read, or is far too long, is wrong usage."""
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_DOCUMENT + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MAX_DOCUMENT + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file!r}: {error.strerror}.", param_hint=hint) from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file!r} is not UTF-8.", param_hint=hint) from None
    return text
