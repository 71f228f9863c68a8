# SPDX-License-Identifier: Apache-2.0
"""
``daypass keys issuer list | rotate``: the keys that sign the tokens of GetWebIdentityToken (docs/web-identity-tokens.md).

The rules are ``daypass.issuer.keys``'s. A running server signs and publishes with them from its next request on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from daypass.arn import is_account_id
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns, in_store
from daypass.cli.live_store import store_settings, stored_master_key
from daypass.clock import iso8601, system_clock
from daypass.errors import EntityError, Reason
from daypass.issuer.keys import KEPT_AFTER, is_enabled, is_published, rotate_issuer_keys
from daypass.store import IssuerKey, Store, View

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The keys that sign the tokens of GetWebIdentityToken.",
)


def _number(text: str | None) -> str | None:
    if text is not None and not is_account_id(text):
        raise typer.BadParameter("expected twelve digits.")
    return text


Account = Annotated[
    str | None, typer.Option(callback=_number, help="Twelve digits. [default: every account that has an issuer]")
]


@app.command("list", help="List the keys: whose they are, what each does now, and until when.")
def list_command(
    account: Account = None, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List the keys of all issuers, or of one account's."""

    async def work(store: Store) -> View:
        return store.view()

    view, now = in_store(store_settings(data_dir, database_url), work), system_clock()
    accounts = _with_keys(view) if account is None else [account]
    keys = [key for one in accounts for key in view.issuer_keys.of(one)]
    answer({"keys": [_key(key, now) for key in keys]}, _lines(keys, now), as_json=as_json)


@app.command(
    "rotate",
    help="Make the next keys. They are published now and sign in a day; the ones before are published until the last token"
    " they signed has expired.",
)
def rotate(
    account: Account = None,
    withdraw: Annotated[
        bool,
        typer.Option(
            "--withdraw",
            help="For keys that others may know: new ones sign at once, the old are gone, and so are all tokens of theirs.",
        ),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Rotate the keys of all issuers, or of one account's."""
    settings, now = store_settings(data_dir, database_url), system_clock()

    async def work(store: Store) -> tuple[list[IssuerKey], View]:
        view = store.view()
        master = stored_master_key(settings, view)
        accounts = _to_rotate(view, withdraw=withdraw) if account is None else [account]
        if not accounts:
            raise EntityError(Reason.FEATURE_DISABLED, "No account has enabled outbound web identity federation.")
        made = [
            key
            for one in accounts
            for key in await rotate_issuer_keys(store, master, one, now=int(now), withdraw=withdraw)
        ]
        return made, store.view()

    made, view = in_store(settings, work)
    accounts = _with_keys(view) if account is None else [account]
    keys = [key for one in accounts for key in view.issuer_keys.of(one)]
    value = {"made": [key.unique_id for key in made], "keys": [_key(key, now) for key in keys]}
    nothing = [] if made or withdraw else ["Nothing changed: the next keys are published already."]
    answer(value, [*nothing, *_lines(keys, now)], as_json=as_json)


def _with_keys(view: View) -> list[str]:
    return [one.account_id for one in view.accounts.of("") if len(view.issuer_keys.of(one.account_id))]


def _to_rotate(view: View, *, withdraw: bool) -> list[str]:
    return [account for account in _with_keys(view) if withdraw or is_enabled(view, account)]


def _lines(keys: Sequence[IssuerKey], now: float) -> list[str]:
    return columns([(key.account, key.unique_id, _state(key, now), _in_words(key)) for key in keys])


def _key(key: IssuerKey, now: float) -> dict[str, Any]:
    return {
        "account": key.account,
        "key": key.unique_id,
        "algorithm": key.algorithm,
        "state": _state(key, now),
        "created_at": iso8601(key.created_at),
        "signs_from": iso8601(key.active_from),
        "signs_until": None if key.retire_at is None else iso8601(key.retire_at),
        "published_until": None if key.retire_at is None else iso8601(key.retire_at + KEPT_AFTER),
    }


def _state(key: IssuerKey, now: float) -> str:
    if now < key.active_from:
        return "next"
    if key.retire_at is None or now < key.retire_at:
        return "signing"
    return "published" if is_published(key, now) else "spent"


def _in_words(key: IssuerKey) -> str:
    begins = f"signs from {iso8601(key.active_from)}"
    if key.retire_at is None:
        return f"{begins} on"
    return f"{begins} until {iso8601(key.retire_at)}, published until {iso8601(key.retire_at + KEPT_AFTER)}"
