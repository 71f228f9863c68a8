# SPDX-License-Identifier: Apache-2.0
"""
``daypass keys list | rotate | retire``: the ring of keys that seal sessions (docs/sessions.md).

The rules are ``daypass.sessions.ring``'s. A running server follows from its next request on. Exit codes: 0 done, 1 refused,
2 wrong usage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from daypass.cli import issuer_keys
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns, in_store
from daypass.cli.live_store import check_database, store_settings, stored_master_key
from daypass.clock import iso8601, system_clock
from daypass.sealing import KEY_ID_BYTES
from daypass.server.settings import Settings
from daypass.sessions import ring
from daypass.sessions.ring import ACTIVATION_SECONDS, RingChange
from daypass.store import SealingKey, Store, count_issued

LONGEST_DELAY_SECONDS = 30 * 86_400
"""A rotation that far ahead is a mistake in the unit."""

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="The keys that seal sessions."
)
app.add_typer(issuer_keys.app, name="issuer", help="The keys that sign the tokens of GetWebIdentityToken.")

After = Annotated[
    int,
    typer.Option(
        min=0, max=LONGEST_DELAY_SECONDS, help="Seconds until the new key seals: time to be known everywhere."
    ),
]


@app.command("list", help="List the keys: what each does now, from when, and until when.")
def list_command(
    prune: Annotated[bool, typer.Option("--prune", help="Remove the keys that open nothing any more.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List every key of the ring."""
    now = system_clock()

    async def work(store: Store) -> tuple[RingChange, tuple[SealingKey, ...]]:
        spent = any(ring.opens_no_more(key, now) for key in store.view().key_ring)
        change = await ring.prune(store, now=now) if prune and spent else RingChange()
        return change, tuple(sorted(store.view().key_ring, key=_begins_and_ends))

    change, keys = in_store(store_settings(data_dir, database_url), work)
    value = {"keys": [_key(key, now) for key in keys], "pruned": _ids(change.pruned)}
    lines = columns([(key.key_id.hex(), ring.state(key, now), _in_words(key, now)) for key in keys])
    answer(value, [*lines, *_pruned(change)], as_json=as_json)


@app.command("rotate", help="Make the next key. It seals after a few seconds; the one before opens for 36 hours more.")
def rotate(
    after: After = ACTIVATION_SECONDS,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Rotate the ring."""
    settings, now = store_settings(data_dir, database_url), system_clock()

    async def work(store: Store) -> RingChange:
        return await ring.rotate(store, stored_master_key(settings, store.view()), now=now, after=after)

    _tell(in_store(settings, work), now, [], as_json=as_json)


@app.command(
    "retire", help="Let a key seal no more. It opens what it sealed for 36 hours more, unless it is an emergency."
)
def retire(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Eight hexadecimal digits, as in daypass keys list.")],
    now_at_once: Annotated[bool, typer.Option("--now", help="At once, instead of after --after seconds.")] = False,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Remove it: every session that it sealed ends. A new key seals at once.")
    ] = False,
    after: After = ACTIVATION_SECONDS,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Retire one key."""
    key_id = _key_id(key)
    settings, now = store_settings(data_dir, database_url), system_clock()

    async def work(store: Store) -> RingChange:
        master = stored_master_key(settings, store.view())
        if emergency:
            return await ring.drop(store, master, key_id, now=now)
        return await ring.retire(store, master, key_id, now=now, after=0 if now_at_once else after)

    change = in_store(settings, work)
    _tell(change, now, _dropped(change, settings, now), as_json=as_json)


def _begins_and_ends(key: SealingKey) -> tuple[int, float]:
    """Keys are listed in the order in which they seal."""
    return key.active_from, float("inf") if key.retire_at is None else key.retire_at


def _key_id(text: str) -> bytes:
    try:
        key_id = bytes.fromhex(text)
    except ValueError:
        key_id = b""
    if len(key_id) != KEY_ID_BYTES:
        raise typer.BadParameter("expected eight hexadecimal digits.", param_hint="KEY")
    return key_id


def _tell(change: RingChange, now: float, dropped: Sequence[str], *, as_json: bool) -> None:
    value = {
        "seals": None if change.seals is None else _key(change.seals, now),
        "retired": [_key(key, now) for key in change.retired],
        "dropped": _ids(change.dropped),
        "pruned": _ids(change.pruned),
    }
    lines = [] if change.seals is not None else ["Nothing changed: the key seals nothing already."]
    if change.seals is not None:
        lines.append(f"Key {change.seals.key_id.hex()} seals from {iso8601(change.seals.active_from)} on.")
    lines.extend(f"Key {key.key_id.hex()} {_in_words(key, now)}." for key in change.retired)
    answer(value, [*lines, *dropped, *_pruned(change)], as_json=as_json)


def _dropped(change: RingChange, settings: Settings, now: float) -> list[str]:
    """What has ended with the keys that were removed, as far as it was noted."""
    lines = []
    for key in change.dropped:
        sealed = count_issued(check_database(settings), live_at=int(now), sealed_by=key.key_id.hex())
        lines.append(f"Key {key.key_id.hex()} is removed; the sessions it sealed have ended ({sealed} in the log).")
    return lines


def _pruned(change: RingChange) -> list[str]:
    return [f"Key {key.key_id.hex()} is removed: it opened nothing any more." for key in change.pruned]


def _key(key: SealingKey, now: float) -> dict[str, Any]:
    end = ring.opens_until(key)
    return {
        "key": key.key_id.hex(),
        "state": ring.state(key, now),
        "created_at": iso8601(key.created_at),
        "seals_from": iso8601(key.active_from),
        "seals_until": None if key.retire_at is None else iso8601(key.retire_at),
        "opens_until": None if end is None else iso8601(end),
    }


def _in_words(key: SealingKey, now: float) -> str:
    begins = iso8601(key.active_from)
    seals = f"seals from {begins} on" if key.active_from > now else f"seals since {begins}"
    end = ring.opens_until(key)
    if key.retire_at is None or end is None:
        return seals
    if now < key.retire_at:
        return f"{seals}, until {iso8601(key.retire_at)}; opens until {iso8601(end)}"
    return f"seals no more since {iso8601(key.retire_at)}; {'opens' if now < end else 'opened'} until {iso8601(end)}"


def _ids(keys: Sequence[SealingKey]) -> list[str]:
    return [key.key_id.hex() for key in keys]
