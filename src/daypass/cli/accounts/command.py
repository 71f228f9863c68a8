# SPDX-License-Identifier: Apache-2.0
"""``daypass accounts list | create | close | reopen | move``, and where the commands below it hang."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daypass.cli.accounts import organization, policies, shown, units
from daypass.cli.accounts.running import Account, account_number, in_store
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.cli.live_store import store_settings, stored_master_key
from daypass.clock import system_clock
from daypass.credentials import Secret
from daypass.organizations.accounts import close_account, create_account, reopen_account
from daypass.organizations.places import account_of
from daypass.organizations.units import move_account
from daypass.server.bootstrap import ROOT_CREDENTIALS_FILE, ROOT_PROFILE, write_root_credentials
from daypass.store import AccessKey, Membership, Store, View

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="Accounts and their organisation."
)
app.add_typer(organization.app, name="organization", help="The organisation above the accounts.")
app.add_typer(units.app, name="units", help="Organisational units.")
app.add_typer(policies.app, name="policies", help="Service control policies and resource control policies.")


@app.command("list", help="List the accounts: number, state, name, and place in the organisation.")
def list_command(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every account."""

    async def work(store: Store) -> tuple[list[Membership], View]:
        view = store.view()
        return [account_of(account.account_id, view) for account in view.accounts.of("")], view

    members, view = in_store(data_dir, database_url, work)
    found = [shown.account(member, view) for member in members]
    rows = [
        (
            one["number"],
            one["state"],
            one["name"] or shown.NOWHERE,
            one["place"] or shown.NOWHERE,
            _note(one["management"]),
        )
        for one in found
    ]
    answer({"accounts": found}, columns(rows), as_json=as_json)


def _note(management: bool) -> str:
    return "management account" if management else ""


@app.command("create", help="Make an account with a root access key, which is written to a file in the data directory.")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the account is called.")],
    account_id: Annotated[
        str | None, typer.Option(help="Twelve digits; made up if absent.", callback=account_number)
    ] = None,
    parent: Annotated[
        str | None, typer.Option(help="The unit it belongs to, by id or name. [default: the root]")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an account."""
    settings = store_settings(data_dir, database_url)
    files: list[tuple[Path, str]] = []

    def keep(key: AccessKey, secret: Secret) -> None:
        path = settings.data_dir / f"{ROOT_CREDENTIALS_FILE}-{key.account}"
        profile = f"{ROOT_PROFILE}-{key.account}"
        write_root_credentials(path, profile, key, secret)
        files.append((path, profile))

    async def work(store: Store) -> tuple[Membership, View]:
        master = stored_master_key(settings, store.view())
        made = await create_account(
            store, master, name, keep=keep, now=system_clock(), number=account_id, parent=parent
        )
        return made, store.view()

    member, view = in_store(data_dir, database_url, work)
    path, profile = files[-1]
    value = {"account": shown.account(member, view), "root_credentials": str(path), "profile": profile}
    lines = [f"Account {member.account} {member.name!r} is there.", f"Root credentials: {path} (profile {profile})"]
    answer(value, lines, as_json=as_json)


@app.command("close", help="Close an account: its credentials are refused from the next request on. What it has stays.")
def close(
    account: Account, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Close an account."""

    async def work(store: Store) -> tuple[Membership, View]:
        return await close_account(store, account, now=system_clock()), store.view()

    _tell(*in_store(data_dir, database_url, work), f"Account {account} is closed.", as_json=as_json)


@app.command("reopen", help="Open a closed account again.")
def reopen(
    account: Account, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Reopen an account."""

    async def work(store: Store) -> tuple[Membership, View]:
        return await reopen_account(store, account), store.view()

    _tell(*in_store(data_dir, database_url, work), f"Account {account} is open.", as_json=as_json)


@app.command("move", help="Put an account into a unit, or into the root.")
def move(
    account: Account,
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="A unit's id or name, or root.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Move an account."""

    async def work(store: Store) -> tuple[Membership, View]:
        return await move_account(store, account, parent), store.view()

    member, view = in_store(data_dir, database_url, work)
    _tell(member, view, f"Account {account} is in {shown.place(member, view)}.", as_json=as_json)


def _tell(member: Membership, view: View, line: str, *, as_json: bool) -> None:
    answer({"account": shown.account(member, view)}, [line], as_json=as_json)
