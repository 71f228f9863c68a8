# SPDX-License-Identifier: Apache-2.0
"""``daypass resources public-access``: the four settings of a public access block."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec.structs import replace

from daypass.arn import is_account_id
from daypass.cli.accounts.running import account_number, in_store
from daypass.cli.answers import AsJson, DatabaseUrl, DataDir, answer, columns
from daypass.cli.resources import shown
from daypass.clock import system_clock
from daypass.errors import EntityError, Reason
from daypass.resources import (
    bucket_name,
    recorded_owner,
    set_account_public_access,
    set_bucket_public_access,
)
from daypass.store import PublicAccess, Store, View

Setting = bool | None


def owner_for(arn: str, given: str | None, view: View) -> str:
    """Who owns a resource: whoever is recorded, or is given. Raises EntityError when that is nobody, or somebody else."""
    recorded = recorded_owner(arn, view)
    if recorded is None and given is None:
        message = f"Nobody is recorded as the owner of {arn!r}; name the account with --account."
        raise EntityError(Reason.INVALID_INPUT, message)
    if recorded is not None and given not in (None, recorded):
        raise EntityError(Reason.INVALID_INPUT, f"{arn!r} belongs to {recorded}; set-owner changes that.")
    return recorded or given or ""


def public_access(
    target: Annotated[str, typer.Argument(metavar="ARN|ACCOUNT", help="A bucket, or an account for all its buckets.")],
    block_public_acls: Annotated[Setting, typer.Option(help="Refuse requests that bring a public ACL.")] = None,
    ignore_public_acls: Annotated[Setting, typer.Option(help="Kept and shown; ACLs never grant anything here.")] = None,
    block_public_policy: Annotated[Setting, typer.Option(help="Refuse bucket policies that are public.")] = None,
    restrict_public_buckets: Annotated[
        Setting, typer.Option(help="From a public policy, other accounts and strangers get nothing.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the block: all four are off.")] = False,
    account: Annotated[
        str | None,
        typer.Option("--account", help="The bucket's owner, where none is recorded.", callback=account_number),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the settings; set those that are given, and leave the others as they are; or remove all."""
    named = {
        "block_public_acls": block_public_acls,
        "ignore_public_acls": ignore_public_acls,
        "block_public_policy": block_public_policy,
        "restrict_public_buckets": restrict_public_buckets,
    }
    given = {name: value for name, value in named.items() if value is not None}
    if remove and given:
        raise typer.BadParameter("expected --remove or settings, and not both.")
    if not is_account_id(target) and bucket_name(target) is None:
        raise typer.BadParameter("expected the ARN of a bucket or twelve digits.", param_hint="ARN|ACCOUNT")

    async def work(store: Store) -> PublicAccess | None:
        if remove:
            await _put(store, target, None, account)
        elif given:
            now = _settings(target, store.view()) or PublicAccess()
            await _put(store, target, replace(now, **given), account)
        return _settings(target, store.view())

    found = shown.settings(in_store(data_dir, database_url, work))
    answer({"target": target, "public_access": found}, _lines(found), as_json=as_json)


def _lines(found: dict[str, bool] | None) -> list[str]:
    if found is None:
        return ["There is no public access block."]
    return columns([(name, "on" if on else "off") for name, on in found.items()])


def _settings(target: str, view: View) -> PublicAccess | None:
    found: Any
    if is_account_id(target):
        found = view.account_public_access.with_key(target)
    else:
        found = view.buckets.with_key(bucket_name(target) or "")
    return None if found is None else found.public_access


async def _put(store: Store, target: str, settings: PublicAccess | None, account: str | None) -> None:
    if is_account_id(target):
        await set_account_public_access(store, target, settings)
        return
    owner = owner_for(target, account, store.view())
    await set_bucket_public_access(store, bucket_name(target) or "", settings, owner=owner, now=system_clock())
