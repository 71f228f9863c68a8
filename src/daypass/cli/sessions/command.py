# SPDX-License-Identifier: Apache-2.0
"""``daypass sessions list | show | revoke``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any

import typer

from daypass.access.standing import is_named, why_refused
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns, in_store
from daypass.cli.live_store import check_database, store_settings
from daypass.cli.sessions.selection import Options, selections
from daypass.clock import iso8601, system_clock
from daypass.errors import EntityError, Reason
from daypass.server.settings import Settings
from daypass.sessions import revocation
from daypass.sessions.revocation import LONGEST_SESSION_SECONDS, Ended, Selection
from daypass.store import IssuedSession, Revocation, Store, View, issued_sessions

SHOWN = 100
"""Sessions that are listed unless asked otherwise."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Sessions that were issued; ending them before their time.",
)

User = Annotated[str | None, typer.Option(metavar="NAME", help="Of this user, and those it began.")]
Role = Annotated[str | None, typer.Option(metavar="NAME", help="Of this role.")]
Provider = Annotated[str | None, typer.Option(metavar="ARN", help="Of this identity provider.")]
Subject = Annotated[str | None, typer.Option(help="Of this subject of the provider.")]
Account = Annotated[str | None, typer.Option(help="Twelve digits; needed where there are several.")]


@app.command(
    "list", help="List the sessions that have not expired, the newest first, and whether each is still let in."
)
def list_command(
    user: User = None,
    role: Role = None,
    provider: Provider = None,
    subject: Subject = None,
    account: Account = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = SHOWN,
    revocations: Annotated[
        bool, typer.Option("--revocations", help="List what was revoked instead: which sessions, and until when.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List sessions, or revocations."""
    options = Options(user=user, role=role, provider=provider, subject=subject, account=account)
    options.check(one=False)
    if account is not None and user is None and role is None and provider is None:
        options = Options(everything=True, account=account)
    settings, now = store_settings(data_dir, database_url), system_clock()

    async def work(store: Store) -> tuple[View, list[Selection]]:
        view = store.view()
        named = any(option is not None for option in (user, role, provider, account))
        return view, selections(options, view) if named else []

    view, wanted = in_store(settings, work)
    if revocations:
        _tell_revocations(view, as_json=as_json)
        return
    found = _in_log(settings, now, wanted, limit)
    rows = [
        (
            session.access_key_id,
            session.principal_arn,
            iso8601(session.issued_at),
            iso8601(session.expires_at),
            session.source_ip or "-",
            "accepted" if why_refused(session, view, now) is None else "refused",
        )
        for session in found
    ]
    answer({"sessions": [_session(session, view, now) for session in found]}, columns(rows), as_json=as_json)


@app.command("show", help="Show a session: whose it is, where it came from, whether it is still let in, and why not.")
def show(
    access_key_id: Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID", help="ASIA...")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show one session."""
    settings, now = store_settings(data_dir, database_url), system_clock()

    async def work(store: Store) -> View:
        return store.view()

    view = in_store(settings, work)
    found = issued_sessions(check_database(settings), access_key_id=access_key_id)
    if not found:
        message = f"the log has no session {access_key_id!r}: it has the newest ones that have not expired"
        raise EntityError(Reason.NO_SUCH_ENTITY, message)
    value = _session(found[0], view, now)
    rows = [(name.replace("_", " "), _text(shown)) for name, shown in value.items() if shown not in (None, "", [])]
    answer({"session": value}, columns(rows), as_json=as_json)


@app.command("revoke", help="End sessions that were issued up to now, or up to --before: the next request is refused.")
def revoke(
    session: Annotated[
        str | None, typer.Option(metavar="ACCESS_KEY_ID", help="This session, and those that were made from it.")
    ] = None,
    user: User = None,
    role: Role = None,
    provider: Provider = None,
    subject: Subject = None,
    everything: Annotated[bool, typer.Option("--all", help="Every session, of --account or of every account.")] = False,
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Issued at or before: 2026-01-31T12:00:00Z. [default: now]")
    ] = None,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Revoke sessions."""
    options = Options(session, user, role, provider, subject, everything, account)
    options.check(one=True)
    settings, now = store_settings(data_dir, database_url), system_clock()
    until = int(now) if before is None else _instant(before, now)

    async def work(store: Store) -> list[tuple[Selection, Ended]]:
        chosen = selections(options, store.view())
        return [(one, await revocation.revoke(store, one, before=until, now=now)) for one in chosen]

    done = in_store(settings, work)
    value, lines = [], []
    for one, ended in done:
        last = ended.revocation.before
        known = sum(session.issued_at <= last for session in _in_log(settings, now, [one]))
        value.append({**_revocation(ended.revocation), "sessions_in_the_log": known})
        lines.append(
            f"Ended: sessions of {one.scope} {one.value} that were issued at or before {iso8601(last)}; the log has {known}."
        )
    removed = sum(ended.removed for _, ended in done)
    lines.extend([f"Removed {removed} revocations whose sessions have all expired."] if removed else [])
    answer({"revoked": value, "removed": removed}, lines, as_json=as_json)


def _in_log(
    settings: Settings, now: float, wanted: Sequence[Selection], limit: int | None = None
) -> list[IssuedSession]:
    """The sessions of the log that have not expired, of every selection that is wanted, the newest first."""
    found = issued_sessions(check_database(settings), live_at=int(now), limit=None if wanted else limit)
    keys = [selection.key for selection in wanted]
    return list(islice((one for one in found if all(is_named(one, key) for key in keys)), limit))


def _instant(text: str, now: float) -> int:
    """The second of an ISO 8601 time with its zone, not in the future and not too old to matter."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter("expected a time with its zone, as in 2026-01-31T12:00:00Z.", param_hint="--before")
    second = int(found.timestamp())
    if second > now:
        raise typer.BadParameter("expected a time that has come.", param_hint="--before")
    if second + LONGEST_SESSION_SECONDS <= now:
        message = "sessions of then have all expired: none lasts longer than 36 hours."
        raise typer.BadParameter(message, param_hint="--before")
    return second


def _tell_revocations(view: View, *, as_json: bool) -> None:
    found = sorted(view.revocations.all(), key=lambda one: (one.created_at, one.key))
    rows = [
        (one.scope, one.value, f"issued until {iso8601(one.before)}", f"kept until {iso8601(one.until)}")
        for one in found
    ]
    answer({"revocations": [_revocation(one) for one in found]}, columns(rows), as_json=as_json)


def _revocation(found: Revocation) -> dict[str, Any]:
    return {
        "scope": found.scope,
        "value": found.value,
        "account": found.account,
        "issued_at_or_before": iso8601(found.before),
        "kept_until": iso8601(found.until),
    }


def _session(found: IssuedSession, view: View, now: float) -> dict[str, Any]:
    why = why_refused(found, view, now)
    return {
        "access_key_id": found.access_key_id,
        "account": found.account,
        "kind": found.kind,
        "principal": found.principal_arn,
        "role_id": found.role_id,
        "user_id": found.user_id,
        "asked_with": found.key_id,
        "session_name": found.session_name,
        "provider": found.provider_arn,
        "subject": found.subject,
        "first_provider": found.origin_provider,
        "first_subject": found.origin_subject,
        "source_identity": found.source_identity,
        "made_from": found.parents.split(),
        "sealed_by": found.sealed_by,
        "source_ip": found.source_ip,
        "issued_at": iso8601(found.issued_at),
        "expires_at": iso8601(found.expires_at),
        "accepted": why is None,
        "refused_because": why,
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
