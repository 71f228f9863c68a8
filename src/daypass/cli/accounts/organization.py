# SPDX-License-Identifier: Apache-2.0
"""``daypass accounts organization create | show``."""

from __future__ import annotations

from typing import Any

import typer

from daypass.cli.accounts import shown
from daypass.cli.accounts.running import in_store
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.clock import system_clock
from daypass.organizations.organization import create_organization
from daypass.organizations.places import the_organization
from daypass.store import Organization, Store, View

app = typer.Typer(no_args_is_help=True)


@app.command("create", help="Make the organisation: every account becomes a member, the first its management account.")
def create(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Make the organisation."""

    async def work(store: Store) -> tuple[Organization, View]:
        return await create_organization(store, now=system_clock()), store.view()

    _tell(*in_store(data_dir, database_url, work), as_json=as_json)


@app.command("show", help="Show the organisation: its id, its root, its management account.")
def show(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show the organisation."""

    async def work(store: Store) -> tuple[Organization, View]:
        return the_organization(store.view()), store.view()

    _tell(*in_store(data_dir, database_url, work), as_json=as_json)


def _tell(found: Organization, view: View, *, as_json: bool) -> None:
    names = shown.policy_names(found.root_policies, view)
    value: dict[str, Any] = {
        "id": found.unique_id,
        "root": found.root_id,
        "management_account": found.management_account,
        "root_policies": names,
    }
    lines = columns(
        [
            ("organization", found.unique_id),
            ("root", found.root_id),
            ("management account", found.management_account),
            ("policies of the root", ", ".join(names)),
        ]
    )
    answer({"organization": value}, lines, as_json=as_json)
