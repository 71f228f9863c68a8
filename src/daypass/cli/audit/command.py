# SPDX-License-Identifier: Apache-2.0
"""``daypass audit search | tail | verify``."""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer
from daypass.cli.audit.selection import Record, Wanted, found_in, instant_option, search
from daypass.cli.explain.text import printable
from daypass.cli.live_store import check_database, store_settings
from daypass.store.audit_trail import newest_first, oldest_first, verify

SHOWN = 100
"""Records that are shown unless asked otherwise."""

SHOWN_BEFORE = 10
"""Records that ``tail`` begins with."""

FOLLOW_SECONDS = 1.0
"""How often ``tail --follow`` looks. The trail itself is two seconds late."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The audit trail: who did what, and what was refused.",
)

Lines = Annotated[bool, typer.Option("--json", help="Print the records, in CloudTrail's shape, one a line.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="At or after: 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="At or before.")]
User = Annotated[
    str | None, typer.Option(help="Of this caller: name, ARN, id, access key id, source identity, or subject.")
]
Role = Annotated[str | None, typer.Option(help="By a session of this role, or for this role: name or ARN.")]
EventName = Annotated[str | None, typer.Option("--event", metavar="NAME", help="As in AssumeRoleWithSAML.")]
ErrorCode = Annotated[str | None, typer.Option("--error", metavar="CODE", help="As in AccessDenied.")]
ReasonName = Annotated[
    str | None, typer.Option("--reason", help="Ours, as in saml-audience-mismatch (docs/errors.md).")
]
RequestId = Annotated[str | None, typer.Option("--request-id", help="The request with this id.")]
Account = Annotated[str | None, typer.Option(help="Of this account: twelve digits.")]


@app.command("search", help="Show records, the newest first.")
def search_command(
    since: Since = None,
    until: Until = None,
    user: User = None,
    role: Role = None,
    event: EventName = None,
    error: ErrorCode = None,
    reason: ReasonName = None,
    request_id: RequestId = None,
    account: Account = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = SHOWN,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Lines = False,
) -> None:
    """Show the records that were asked for."""
    wanted = Wanted(
        instant_option(since, "--since"),
        instant_option(until, "--until"),
        user,
        role,
        event,
        error,
        reason,
        request_id,
        account,
    )
    path = check_database(store_settings(data_dir, database_url))
    for record in islice(search(path, wanted), limit):
        _print(record, as_json=as_json)


@app.command("tail", help="Show the newest records, oldest first; with --follow, go on as more come.")
def tail_command(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Begin with so many.")] = SHOWN_BEFORE,
    user: User = None,
    role: Role = None,
    event: EventName = None,
    error: ErrorCode = None,
    reason: ReasonName = None,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Lines = False,
) -> None:
    """Show the newest records, and those that follow."""
    wanted = Wanted(user=user, role=role, event=event, error=error, reason=reason, account=account)
    path = check_database(store_settings(data_dir, database_url))
    last = _last_number(path)
    for record in reversed(list(islice(search(path, wanted, last), limit))):
        _print(record, as_json=as_json)
    try:
        while follow:
            last = _print_after(path, last, wanted, as_json=as_json)
            time.sleep(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return  # the way to end it


@app.command("verify", help="Check that the chain of the trail holds: nothing in it was changed, removed or put in.")
def verify_command(
    known: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="A digest that was shown before; it must be in the chain still."),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Walk along the chain."""
    checked = verify(check_database(store_settings(data_dir, database_url)), _digest(known))
    value: dict[str, Any] = {
        "intact": checked.broken is None,
        "blocks": checked.blocks,
        "records": checked.records,
        "first": checked.first,
        "last": checked.last,
        "digest": None if checked.digest is None else checked.digest.hex(),
        "broken": checked.broken,
        "why": checked.why,
    }
    lines = ["The trail is empty."]
    if checked.blocks:
        lines = [f"Blocks {checked.first} to {checked.last} hold together: {checked.records} records."]
        lines.append(f"Digest of block {checked.last}: {value['digest']}")
    if checked.broken is not None:
        lines.append(f"Broken at block {checked.broken}: {checked.why}.")
    answer(value, lines, as_json=as_json)
    if checked.broken is not None:
        raise typer.Exit(1)


def _digest(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise typer.BadParameter("expected 64 hexadecimal digits.", param_hint="--known")
    return found


def _last_number(path: Path) -> int:
    newest = next(newest_first(path), None)
    return 0 if newest is None else newest.number


def _print_after(path: Path, last: int, wanted: Wanted, *, as_json: bool) -> int:
    """Print what has come after a block. Returns the number of the last one."""
    for block in oldest_first(path, after=last):
        last = block.number
        for record in found_in(block, wanted, wanted.needles()):
            _print(record, as_json=as_json)
    return last


def _print(record: Record, *, as_json: bool) -> None:
    text = json.dumps(record, separators=(",", ":")) if as_json else printable(summary(record))
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def summary(record: Record) -> str:
    """A record in a line: when, whether, what, by whom, from where, which request."""
    who = record["userIdentity"]
    name = who.get("arn") or who.get("userName") or who["type"]
    data = record.get("additionalEventData", {})
    ended = f"{record['errorCode']} ({data.get('reason', '-')})" if "errorCode" in record else "ok"
    service = record["eventSource"].partition(".")[0]
    words = (record["eventTime"], f"{service}:{record['eventName'] or '-'}", name, record["sourceIPAddress"], ended)
    return "  ".join((*words, record["requestID"])).rstrip()
