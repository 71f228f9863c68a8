# SPDX-License-Identifier: Apache-2.0
"""
``daypass why REQUEST-ID``: what became of a request, and for a denial which policies decided and what would have to change.

It tells what the audit trail has: the decision as it was made then, by the policies of then. Exit codes: 0 told, 1 no such
record or failed, 2 wrong usage.
"""

from __future__ import annotations

from typing import Annotated

import typer

from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer
from daypass.cli.audit.selection import Record, Wanted, search
from daypass.cli.explain.recorded import lines_of
from daypass.cli.live_store import check_database, store_settings
from daypass.errors import EntityError, Reason

LAST = "last"
"""Instead of a request id: the newest request that was refused."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    name="why",
    help="Say what became of a request, and why, by what the audit trail has: who asked what, which policies decided, and"
    " what would have to change.",
)
def why_command(
    request_id: Annotated[
        str,
        typer.Argument(metavar="REQUEST-ID", help="As the client was told it; or last, the newest that was refused."),
    ],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell of one request."""
    settings = store_settings(data_dir, database_url)
    wanted = Wanted() if request_id == LAST else Wanted(request_id=request_id)
    found = search(check_database(settings), wanted)
    record: Record | None = next((one for one in found if request_id != LAST or "errorCode" in one), None)
    if record is None:
        asked = "request that was refused" if request_id == LAST else f"request {request_id!r}"
        message = f"the audit trail has no {asked}: records are written two seconds late, and kept for a time"
        raise EntityError(Reason.NO_SUCH_ENTITY, message)
    answer({"record": record}, list(lines_of(record)), as_json=as_json)
