# SPDX-License-Identifier: Apache-2.0
"""The ``daypass`` command: finds the command that was asked for, and turns errors into one line and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from daypass import __version__
from daypass.errors import DaypassError

COMMANDS: Final = {
    "serve": ("daypass.cli.serve", "Serve STS and IAM."),
    "explain": ("daypass.cli.explain", "Say whether a request is allowed, and why."),
    "why": ("daypass.cli.why", "Say what became of a request, and why, by what the audit trail has."),
    "demo": (
        "daypass.cli.demo",
        "Show the whole path on a throw-away server: sign in, assume a role, be allowed, be denied.",
    ),
    "lint": ("daypass.cli.lint", "Check IAM policy documents."),
    "audit": ("daypass.cli.audit", "Search, follow and verify the audit trail."),
    "sessions": ("daypass.cli.sessions", "List sessions that were issued, and end them before their time."),
    "keys": ("daypass.cli.keys", "List and rotate the keys that seal sessions."),
    "accounts": ("daypass.cli.accounts", "Make and close accounts; govern them by an organisation."),
    "resources": ("daypass.cli.resources", "Policies, owners and public access of buckets and other resources."),
    "plan": ("daypass.cli.state.plan", "Show what applying a state file would change."),
    "apply": ("daypass.cli.state.apply", "Make everything as a state file wants it."),
    "export": ("daypass.cli.state.export", "Print a state file of what is there."),
}
"""Every command: the module that holds it (as ``app``), and its one line of help."""


class _LazyGroup(TyperGroup):
    """Lists the commands without importing them, and imports the one that is run."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is the base class's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        return _placeholder(cmd_name, COMMANDS[cmd_name][1]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, placeholder, rest = super().resolve_command(ctx, args)  # an unknown name ends here, as a usage error
        if name is None or placeholder is None:
            return name, placeholder, rest
        command = typer.main.get_command(import_module(COMMANDS[name][0]).app)
        command.name = name
        return name, command, rest


def _placeholder(name: str, short_help: str) -> Any:
    """For the list of commands, where the name and the line of help are enough."""
    listed = typer.Typer(add_completion=False)

    @listed.command(name, help=short_help)
    def nothing() -> None:
        """Listed only."""

    return typer.main.get_command(listed)


app = typer.Typer(cls=_LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"daypass {__version__}")
        raise typer.Exit


@app.callback(help="AWS-style sign-in, STS and IAM for everything that is not AWS.")
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command line. An error that is ours is one line on standard error and exit code 1."""
    try:
        app()
    except DaypassError as error:
        sys.stderr.write(f"daypass: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
