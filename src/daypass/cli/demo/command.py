# SPDX-License-Identifier: Apache-2.0
"""``daypass demo``: tells the story on a throw-away server, and keeps serving until it is stopped."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from daypass.cli.demo.aws import Aws, find_aws
from daypass.cli.demo.exchange import REGION, Exchange
from daypass.cli.demo.provider import DevelopmentProvider
from daypass.cli.demo.report import JsonReport, Outcome, Report, Step, StillServing, TextReport
from daypass.cli.demo.server import ThrowAwayServer, throw_away_server
from daypass.cli.demo.story import ROLE_ARN, SESSION, SESSION_CREDENTIALS, Story
from daypass.clock import system_clock
from daypass.errors import DaypassError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WOULD_WIN: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that the aws command prefers to a profile."""

_LOG_LINES: Final = 10
_START: Final = "Start a throw-away server and a development identity provider"


@app.command(
    help="Start a throw-away server and a development identity provider, sign in, assume a role with the real aws"
    " command, do what it may and what it may not. Exit code 0 only if the one was allowed and the other denied."
)
def demo(
    exit_after: Annotated[bool, typer.Option("--exit", help="End after the steps instead of serving on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document of the steps.")] = False,
) -> None:
    """Run the demo."""
    aws = find_aws()
    report = JsonReport(sys.stdout) if as_json else TextReport(sys.stdout)
    raise typer.Exit(asyncio.run(_run(aws, report, keep_serving=not exit_after)))


async def _run(aws: str, report: Report, *, keep_serving: bool) -> int:
    """The exit code. The first signal to stop cancels the demo, which takes everything down in order; more are ignored."""
    demonstration = asyncio.create_task(demonstrate(aws, report, keep_serving=keep_serving))
    stopping: list[bool] = []

    def stop() -> None:
        if not stopping:
            stopping.append(demonstration.cancel())

    for signal_number in _STOPPING:
        if signal.getsignal(signal_number) is not signal.SIG_IGN:  # what nohup ignores stays ignored
            asyncio.get_running_loop().add_signal_handler(signal_number, stop)
    try:
        return await demonstration
    except asyncio.CancelledError:
        typer.echo("daypass: stopped before the end of the demo", err=True)
        return 1


async def demonstrate(executable: str, report: Report, *, keep_serving: bool) -> int:
    """
    Start everything, tell the story to the report, and take everything down. ``executable`` is the aws command.

    Returns the exit code; with ``keep_serving`` and a story that ended well, when it is cancelled.
    """
    with tempfile.TemporaryDirectory(prefix="daypass-demo-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        report.begin(_START, ())
        async with AsyncExitStack() as stack:
            try:
                server, provider = await _start(executable, directory, stack)
            except DaypassError as error:
                report.end(Step(_START, (), None, Outcome.FAILED, (), str(error)))
                report.finish(False, None)
                return 1
            lines = (f"STS and IAM        {server.url}", f"identity provider  {provider.issuer}")
            report.end(Step(_START, (), None, Outcome.DONE, lines))
            ok = await Story(server, provider, Aws(executable, directory), directory, report).tell()
            serving = StillServing(provider.url, next_lines(server.url, directory, os.environ))
            report.finish(ok, serving if ok and keep_serving else None)
            if ok and keep_serving:
                ok = await _serve_on(server)
            elif not ok:
                _show_log(server.log)
        return 0 if ok else 1


async def _start(
    executable: str, directory: Path, stack: AsyncExitStack
) -> tuple[ThrowAwayServer, DevelopmentProvider]:
    """Both servers, running until the stack is closed. Raises ConfigurationError."""
    usable = asyncio.create_task(Aws(executable, directory).require_usable())  # while the server starts
    try:
        server = await stack.enter_async_context(throw_away_server(directory))
        await usable
    finally:
        usable.cancel()
        await asyncio.gather(usable, return_exceptions=True)
    exchange = Exchange(server.url, ROLE_ARN, SESSION)
    return server, await stack.enter_async_context(DevelopmentProvider(system_clock, exchange))


async def _serve_on(server: ThrowAwayServer) -> bool:
    """Until told to stop, which is how this should end: True. False when the server ended by itself."""
    try:
        await server.process.wait()
    except asyncio.CancelledError:
        return True
    typer.echo("daypass: the throw-away server ended", err=True)
    return False


def next_lines(endpoint_url: str, directory: Path, environment: Mapping[str, str]) -> list[str]:
    """Lines for another shell, with which its ``aws`` command is the session of the role."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / SESSION_CREDENTIALS),
        "AWS_PROFILE": SESSION,
        "AWS_DEFAULT_REGION": REGION,
    }
    in_the_way = [name for name in _WOULD_WIN if name in environment]
    if any(name.lower() in ("http_proxy", "all_proxy") for name in environment):
        settings["NO_PROXY"] = "127.0.0.1"
    return [
        *([f"unset {' '.join(in_the_way)}"] if in_the_way else []),
        *(f"export {name}={shlex.quote(value)}" for name, value in settings.items()),
        "aws sts get-caller-identity",
    ]


def _show_log(log: Path) -> None:
    """The end of what the server said, which goes away with the directory."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]:
        typer.echo(f"server: {line}", err=True)
