# SPDX-License-Identifier: Apache-2.0
"""``daypass accounts policies create | list | show | update | delete | attach | detach``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from daypass.cli.accounts import shown
from daypass.cli.accounts.running import in_store, read_document
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.clock import system_clock
from daypass.organizations import policies
from daypass.organizations.attachments import attach_policy, detach_policy
from daypass.organizations.places import Target, id_of, policy_of
from daypass.store import OrganizationPolicy, Store, View

app = typer.Typer(no_args_is_help=True)


class FormName(StrEnum):
    """The types of organisation policies as the command line names them."""

    SCP = "scp"
    RCP = "rcp"


_FORMS: dict[FormName, policies.Form] = {FormName.SCP: "SCP", FormName.RCP: "RCP"}

Policy = Annotated[str, typer.Argument(metavar="POLICY", help="The policy's id or name.")]
TargetText = Annotated[str, typer.Argument(metavar="TARGET", help="An account's number, a unit's id or name, or root.")]


@app.command("list", help="List the policies: id, type, name, and how many parts each is attached to.")
def list_command(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every policy."""

    async def work(store: Store) -> list[tuple[OrganizationPolicy, int]]:
        view = store.view()
        return [(policy, len(policies.attached_to(policy, view))) for policy in policies.all_policies(view)]

    found = in_store(data_dir, database_url, work)
    rows = [(policy.unique_id, policy.form, policy.name, f"attached to {count}") for policy, count in found]
    value = [{**shown.policy(policy), "attached_to": count} for policy, count in found]
    answer({"policies": value}, columns(rows), as_json=as_json)


@app.command("show", help="Show a policy: what it is attached to, and its document.")
def show(policy: Policy, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show a policy."""

    async def work(store: Store) -> tuple[OrganizationPolicy, list[Target]]:
        view = store.view()
        found = policy_of(policy, view)
        return found, policies.attached_to(found, view)

    found, targets = in_store(data_dir, database_url, work)
    attached = [{"id": id_of(target), "name": shown.target_name(target)} for target in targets]
    rows = [("id", found.unique_id), ("type", found.form), ("name", found.name), ("description", found.description)]
    rows.extend(("attached to", f"{target['id']} {target['name']}") for target in attached)
    value = {"policy": shown.policy(found), "attached_to": attached}
    answer(value, [*columns(rows), "", found.document], as_json=as_json)


@app.command("create", help="Make a policy. It limits nobody until it is attached.")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the policy is called.")],
    form: Annotated[FormName, typer.Option("--type", help="A service control policy or a resource control policy.")],
    document: Annotated[str, typer.Option(metavar="FILE", help="The policy's document; - is standard input.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a policy."""
    text = read_document(document)

    async def work(store: Store) -> OrganizationPolicy:
        return await policies.create_policy(
            store, name, _FORMS[form], text, description=description, now=system_clock()
        )

    found = in_store(data_dir, database_url, work)
    _tell(found, f"Policy {found.unique_id} is there.", as_json=as_json)


@app.command("update", help="Change a policy's document, name or description.")
def update(
    policy: Policy,
    document: Annotated[str | None, typer.Option(metavar="FILE", help="- is standard input.")] = None,
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Change a policy."""
    if document is None and name is None and description is None:
        raise typer.BadParameter("expected --document, --name or --description.")
    text = None if document is None else read_document(document)

    async def work(store: Store) -> OrganizationPolicy:
        return await policies.update_policy(store, policy, document=text, name=name, description=description)

    found = in_store(data_dir, database_url, work)
    _tell(found, f"Policy {found.unique_id} is changed.", as_json=as_json)


@app.command("delete", help="Delete a policy that is attached to nothing.")
def delete(policy: Policy, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Delete a policy."""

    async def work(store: Store) -> OrganizationPolicy:
        return await policies.delete_policy(store, policy)

    found = in_store(data_dir, database_url, work)
    _tell(found, f"Policy {found.unique_id} is deleted.", as_json=as_json)


@app.command("attach", help="Attach a policy to the root, a unit or an account; it counts from the next request on.")
def attach(
    policy: Policy,
    target: TargetText,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Attach a policy."""

    async def work(store: Store) -> tuple[OrganizationPolicy, Target, View]:
        return *await attach_policy(store, policy, target), store.view()

    _tell_target(*in_store(data_dir, database_url, work), "attached to", as_json=as_json)


@app.command("detach", help="Detach a policy; each part keeps one service control policy at least.")
def detach(
    policy: Policy,
    target: TargetText,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Detach a policy."""

    async def work(store: Store) -> tuple[OrganizationPolicy, Target, View]:
        return *await detach_policy(store, policy, target), store.view()

    _tell_target(*in_store(data_dir, database_url, work), "detached from", as_json=as_json)


def _tell(found: OrganizationPolicy, line: str, *, as_json: bool) -> None:
    answer({"policy": shown.policy(found)}, [line], as_json=as_json)


def _tell_target(found: OrganizationPolicy, target: Target, view: View, done: str, *, as_json: bool) -> None:
    line = f"Policy {found.unique_id} {found.name!r} is {done} {id_of(target)} {shown.target_name(target)!r}."
    answer({"policy": found.unique_id, "target": shown.target(target, view)}, [line], as_json=as_json)
