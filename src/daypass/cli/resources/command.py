# SPDX-License-Identifier: Apache-2.0
"""``daypass resources list | show | set-policy | remove-policy | set-owner | public-access``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from daypass.cli.accounts.running import Account, account_number, in_store, read_document
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.cli.resources import public_access, shown
from daypass.clock import system_clock
from daypass.errors import EntityError, Reason
from daypass.resources import check_arn, put_policy, recorded_owner, remove_policy, set_owner
from daypass.store import Store

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Policies, owners and public access of buckets and other resources.",
)
app.command("public-access", help="Show, set or remove what may not be public, of a bucket or an account.")(
    public_access.public_access
)

ResourceArn = Annotated[str, typer.Argument(metavar="ARN", help="arn:aws:s3:::BUCKET, or another resource's.")]
Owner = Annotated[
    str | None,
    typer.Option(
        "--account", help="The owner, where none is recorded and the ARN names none.", callback=account_number
    ),
]


@app.command("list", help="List what is kept: ARN, owner, policy, and the settings of the public access block.")
def list_command(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every resource that has an owner or a policy here."""

    async def work(store: Store) -> list[dict[str, Any]]:
        view = store.view()
        return [shown.resource(arn, view) for arn in shown.every_arn(view)]

    found = in_store(data_dir, database_url, work)
    rows = [
        (
            one["arn"],
            one["owner"] or shown.NONE,
            shown.policy_word(one["policy"]),
            shown.settings_line(one["public_access"]),
        )
        for one in found
    ]
    answer({"resources": found}, columns(rows), as_json=as_json)


@app.command("show", help="Show a resource: its owner, its public access block, and its policy.")
def show(arn: ResourceArn, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show a resource. One of which nothing is kept is refused."""

    async def work(store: Store) -> dict[str, Any]:
        view = store.view()
        if arn not in shown.every_arn(view):
            raise EntityError(Reason.NO_SUCH_ENTITY, f"Nothing is kept about {arn!r}.")
        return shown.resource(arn, view)

    found = in_store(data_dir, database_url, work)
    rows = [
        ("owner", found["owner"] or shown.NONE),
        ("backend", found["backend"] or shown.NONE),
        ("public access block", shown.settings_line(found["public_access"])),
        ("policy", shown.policy_word(found["policy"])),
        ("managed by file", ", ".join(found["managed_by_file"]) or shown.NONE),
    ]
    document = [] if found["policy"] is None else ["", found["policy"]["document"]]
    answer({"resource": found}, [*columns(rows), *document], as_json=as_json)


@app.command("set-policy", help="Set the policy of a resource; it counts from the next request on.")
def set_policy(
    arn: ResourceArn,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The policy's document; - is standard input.")],
    account: Owner = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set a policy."""
    document = read_document(file, "FILE")

    async def work(store: Store) -> dict[str, Any]:
        check_arn(arn)
        owner = public_access.owner_for(arn, account, store.view())
        await put_policy(store, arn, document, owner=owner, now=system_clock())
        return shown.resource(arn, store.view())

    found = in_store(data_dir, database_url, work)
    public = "It is public." if found["policy"]["public"] else "It is not public."
    answer({"resource": found}, [f"{arn} has this policy from now on. {public}"], as_json=as_json)


@app.command("remove-policy", help="Remove the policy of a resource.")
def remove(
    arn: ResourceArn, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Remove a policy. A resource that has none is refused."""

    async def work(store: Store) -> None:
        if not await remove_policy(store, arn):
            raise EntityError(Reason.NO_SUCH_ENTITY, f"There is no policy of {arn!r}.")

    in_store(data_dir, database_url, work)
    answer({"removed": arn}, [f"{arn} has no policy any more."], as_json=as_json)


@app.command("set-owner", help="Record which account owns a bucket; its policy and settings stay.")
def set_owner_command(
    arn: ResourceArn,
    account: Account,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Record whose a bucket is."""

    async def work(store: Store) -> dict[str, Any]:
        before = recorded_owner(arn, store.view())
        await set_owner(store, arn, account, now=system_clock())
        return {"before": before, "resource": shown.resource(arn, store.view())}

    found = in_store(data_dir, database_url, work)
    answer(found, [f"{arn} belongs to {account}."], as_json=as_json)
