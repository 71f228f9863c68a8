# SPDX-License-Identifier: Apache-2.0
"""``daypass accounts units create | list | delete | move``."""

from __future__ import annotations

from typing import Annotated

import typer

from daypass.cli.accounts import shown
from daypass.cli.accounts.running import in_store
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.clock import system_clock
from daypass.organizations.places import the_organization
from daypass.organizations.units import create_unit, delete_unit, move_unit
from daypass.store import OrganizationalUnit, Store, View

app = typer.Typer(no_args_is_help=True)

Unit = Annotated[str, typer.Argument(metavar="UNIT", help="The unit's id or name.")]


@app.command("list", help="List the units: id, place, and the policies attached to each.")
def list_command(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every unit."""

    async def work(store: Store) -> tuple[list[OrganizationalUnit], View]:
        view = store.view()
        the_organization(view)
        return list(view.organizational_units.of("")), view

    units, view = in_store(data_dir, database_url, work)
    found = sorted([shown.unit(unit, view) for unit in units], key=lambda unit: str(unit["place"]))
    rows = [(unit["id"], unit["place"], ", ".join(shown.policy_names(unit["policies"], view))) for unit in found]
    answer({"units": found}, columns(rows), as_json=as_json)


@app.command("create", help="Make a unit.")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the unit is called.")],
    parent: Annotated[str, typer.Option(help="The unit it is a part of, by id or name, or root.")] = "root",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a unit."""

    async def work(store: Store) -> tuple[OrganizationalUnit, View]:
        return await create_unit(store, name, parent=parent, now=system_clock()), store.view()

    unit, view = in_store(data_dir, database_url, work)
    _tell(unit, view, f"Unit {unit.unique_id} is there.", as_json=as_json)


@app.command("delete", help="Delete a unit that has no accounts and no units in it.")
def delete(unit: Unit, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Delete a unit."""

    async def work(store: Store) -> tuple[OrganizationalUnit, View]:
        before = store.view()
        return await delete_unit(store, unit), before

    found, view = in_store(data_dir, database_url, work)
    _tell(found, view, f"Unit {found.unique_id} is deleted.", as_json=as_json)


@app.command("move", help="Put a unit, with everything in it, into another unit or into the root.")
def move(
    unit: Unit,
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="A unit's id or name, or root.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Move a unit."""

    async def work(store: Store) -> tuple[OrganizationalUnit, View]:
        return await move_unit(store, unit, parent), store.view()

    found, view = in_store(data_dir, database_url, work)
    _tell(found, view, f"Unit {found.unique_id} is {shown.unit(found, view)['place']}.", as_json=as_json)


def _tell(unit: OrganizationalUnit, view: View, line: str, *, as_json: bool) -> None:
    answer({"unit": shown.unit(unit, view)}, [line], as_json=as_json)
