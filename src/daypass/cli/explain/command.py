# SPDX-License-Identifier: Apache-2.0
"""
The options of ``daypass explain``, and its exit codes: 0 allowed, 1 denied, 2 could not be asked.

Everything but a decision is 2, so that a pipeline that expects a denial does not take a misspelt file for one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from daypass.cli.explain.question import Files, Known, Question, QuestionError, ask, read_principal
from daypass.cli.explain.text import lines
from daypass.clock import system_clock
from daypass.errors import DaypassError
from daypass.policy import explain

ALLOWED, DENIED, NOT_ASKED = 0, 1, 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    name="explain",
    help="Say whether a request is allowed, and why: by policies in files, or by those of a live store (--role, or"
    " --data-dir, or no file at all). Exit code 0: allowed, 1: denied, 2: could not be asked.",
)
def explain_command(
    action: Annotated[str, typer.Option(help="service:Name, as in s3:GetObject.")],
    principal: Annotated[
        str | None,
        typer.Option(help="ARN of a user, role, role session, root or identity provider; a service; anonymous."),
    ] = None,
    role: Annotated[str | None, typer.Option(help="A session of this role of the live store.")] = None,
    resource: Annotated[str, typer.Option(help="An ARN, or * for actions without resources.")] = "*",
    resource_account: Annotated[
        str | None, typer.Option(help="Whose it is, where the ARN does not say; else the principal's account.")
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="key=value, repeatable. A list is key=\\[a,b], or the key given twice.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="Identity policy, repeatable.")
    ] = None,
    boundary: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Permissions boundary.")] = None,
    session: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="Session policy, repeatable.")
    ] = None,
    resource_policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The resource's own policy.")
    ] = None,
    scp: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="Service control policy, repeatable: one level each, root first."
        ),
    ] = None,
    rcp: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="Resource control policy, repeatable: one level each, root first."
        ),
    ] = None,
    vpc_endpoint_policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy of the endpoint the request comes through.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Trust policy of the role that is the resource.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The live store, as for serve. Nothing is written.")] = None,
    database_url: Annotated[str | None, typer.Option(help="The live store, as for serve.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Explain one request."""
    files = Files(
        policy or (), boundary, session or (), resource_policy, scp or (), trust, rcp or (), vpc_endpoint_policy
    )
    live = role is not None or data_dir is not None or database_url is not None or not files.given
    try:
        if (principal is None) is (role is None):
            raise QuestionError("expected --principal or --role, and not both")
        if live:
            from daypass.cli.explain import stored  # the store is not needed for files

            who, known = stored.caller_in_store(
                data_dir, database_url, principal, role, action, resource, resource_account
            )
        else:
            who, known = read_principal(principal or ""), Known()
        question = ask(
            principal=who,
            action=action,
            resource=resource,
            resource_account=resource_account,
            context=context or (),
            files=files,
            known=known,
            now=system_clock(),
        )
    except (QuestionError, DaypassError) as error:
        sys.stderr.write(f"Error: {error}\n")
        raise typer.Exit(NOT_ASKED) from None
    raise typer.Exit(answer(question, as_json=as_json))


def answer(question: Question, *, as_json: bool) -> int:
    """Print the explanation. Returns the exit code."""
    explanation = explain(question.request, question.layers)
    if as_json:
        _print(json.dumps(explanation.to_dict(), indent=2))
    else:
        _print("\n".join(lines(question.request, question.layers, explanation)))
    return ALLOWED if explanation.decision.allowed else DENIED


def _print(text: str) -> None:
    """To standard output, whatever its encoding: what it cannot show is a question mark, and there are words beside."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
