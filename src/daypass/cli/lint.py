# SPDX-License-Identifier: Apache-2.0
"""
``daypass lint``: checks IAM policy documents. Findings go to standard output, the count to standard error.

Exit codes: 0 when nothing of error level is found (with ``--strict``: of warning level neither), 1 when something is, 2 when
the command is used wrongly or a file cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from daypass import arn
from daypass.lint import Linted, Severity, guess_kind, json_report, lint_document, sarif_report, text_report
from daypass.lint.limits import MAX_FILE
from daypass.lint.report import count
from daypass.policy import Kind

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class KindName(StrEnum):
    """The kinds of documents as the command line names them."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"
    TRUST = "trust"
    SCP = "scp"
    RCP = "rcp"
    VPC_ENDPOINT = "vpc-endpoint"


@app.command(help="Check IAM policy documents: grammar, unknown names, public or too wide access.")
def lint(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Documents; - is standard input.")],
    kind: Annotated[
        KindName | None, typer.Option(help="What the documents are used as. [default: guessed from each]")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="The account they belong to: principals of others are reported.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings, too, are exit code 1.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="SARIF 2.1.0, for code hosts and editors.")] = False,
) -> None:
    """Lint every file, print, and end with the exit code."""
    if as_json and as_sarif:
        raise typer.BadParameter("--json and --sarif exclude each other.")
    if account is not None and not arn.is_account_id(account):
        raise typer.BadParameter("expected twelve digits.", param_hint="--account")
    if files.count("-") > 1:
        raise typer.BadParameter("standard input can be read once.", param_hint="FILE")
    wanted = None if kind is None else Kind[kind.name]
    linted = [_lint(file, wanted, account) for file in files]
    if as_json or as_sarif:
        typer.echo(json.dumps(sarif_report(linted) if as_sarif else json_report(linted), indent=2))
    else:
        _print(linted)
    found = count(linted)
    if found[Severity.ERROR] or (strict and found[Severity.WARNING]):
        raise typer.Exit(1)


def _lint(file: str, kind: Kind | None, account: str | None) -> Linted:
    # Bytes that are not UTF-8 become lone surrogates (PEP 383), which the linter reports at their place.
    text = _read(file).decode("utf-8", "surrogateescape")
    used = kind or guess_kind(text)
    return Linted(file, text, used, lint_document(text, kind=used, account=account))


def _read(file: str) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    if file == "-":
        return sys.stdin.buffer.read(MAX_FILE + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_FILE + 1)
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file!r}: {error.strerror}.", param_hint="FILE") from None


def _print(files: Sequence[Linted]) -> None:
    for line in text_report(files, caret=sys.stdout.isatty()):
        typer.echo(line)
    found = count(files)
    counts = ", ".join(_plural(found[severity], severity.value) for severity in Severity)
    typer.echo(f"{counts} in {_plural(len(files), 'file')}", err=True)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
