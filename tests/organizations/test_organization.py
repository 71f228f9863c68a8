# SPDX-License-Identifier: Apache-2.0
"""The organisation, its units, what moves between them, and what may be attached where."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from daypass.access.organization import EVERYWHERE, FULL_ACCESS, PROVIDED, place_in_organization
from daypass.credentials import Secret
from daypass.errors import EntityError, PolicyError, Reason
from daypass.organizations import limits
from daypass.organizations.accounts import create_account
from daypass.organizations.attachments import attach_policy, detach_policy
from daypass.organizations.organization import create_organization
from daypass.organizations.places import member_of, parent_of, policy_of, the_organization, unit_of
from daypass.organizations.policies import all_policies, attached_to, create_policy, delete_policy, update_policy
from daypass.organizations.units import create_unit, delete_unit, move_account, move_unit
from daypass.policy import Kind, compile_policy
from daypass.policy.limits import POLICIES_PER_LEVEL, RCP, SCP
from daypass.sealing import MasterKey
from daypass.store import OrganizationalUnit, Store
from in_process import ACCOUNT, NOW, service
from organizations.governed import ALLOW_ALL, LAB, OUTSIDE, PROD, Governed, governed, rcp

Form = Literal["SCP", "RCP"]
BY_FORM: dict[Form, str] = {"SCP": ALLOW_ALL, "RCP": rcp("sts:*")}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with governed(tmp_path) as made:
        yield made.store


async def reason_of(refused: Awaitable[Any]) -> Reason:
    with pytest.raises(EntityError) as caught:
        await refused
    return caught.value.reason


# The organisation


async def test_every_account_becomes_a_member_and_the_first_the_management_account(tmp_path: Path) -> None:
    master = MasterKey.generate()
    async with service(tmp_path, master_key=Secret(master)) as running:
        made = Governed(running, MasterKey.parse(master))
        await create_account(made.store, made.master, "lab", keep=made.keep, now=NOW, number=LAB)
        found = await create_organization(made.store, now=NOW)
        assert found.management_account == ACCOUNT
        view = made.store.view()
        members = [member_of(number, view) for number in (ACCOUNT, LAB)]
        assert [member.name for member in members] == ["management", "lab"]
        assert all(member.parent == found.root_id and member.policies == EVERYWHERE for member in members)
        assert found.root_policies == EVERYWHERE
        assert await reason_of(create_organization(made.store, now=NOW)) is Reason.ENTITY_ALREADY_EXISTS


async def test_ids_are_of_the_forms_of_aws(store: Store) -> None:
    found = the_organization(store.view())
    policy = await create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)
    assert re.fullmatch(r"o-[a-z0-9]{10,32}", found.unique_id)
    assert re.fullmatch(r"r-[0-9a-z]{4,32}", found.root_id)
    assert re.fullmatch(rf"ou-{found.root_id[2:]}-[a-z0-9]{{8,32}}", unit_of("Work", store.view()).unique_id)
    assert re.fullmatch(r"p-[0-9a-zA-Z_]{8,128}", policy.unique_id)


async def test_what_is_made_later_has_the_policies_that_everything_has(store: Store) -> None:
    view = store.view()
    assert unit_of("Prod", view).policies == member_of(PROD, view).policies == EVERYWHERE


def test_the_policies_that_come_with_the_service_are_policies_of_their_form() -> None:
    for policy in PROVIDED.values():
        compile_policy(policy.document, Kind[policy.form])


async def test_a_path_names_the_organisation_the_root_and_the_units(store: Store) -> None:
    view = store.view()
    top, work, prod = the_organization(view), unit_of("Work", view), unit_of("Prod", view)
    expected = f"{top.unique_id}/{top.root_id}/{work.unique_id}/{prod.unique_id}/"
    assert place_in_organization(PROD, view) == (top.unique_id, expected)
    assert place_in_organization(LAB, view) == (top.unique_id, f"{top.unique_id}/{top.root_id}/")
    assert place_in_organization(OUTSIDE, view) is None


# Units


async def test_a_unit_is_found_by_its_id_or_its_name_and_the_root_by_both(store: Store) -> None:
    view = store.view()
    work = unit_of("Work", view)
    assert unit_of(work.unique_id, view) == work
    assert parent_of("root", view) == parent_of(the_organization(view).root_id, view) == the_organization(view)


async def test_a_name_that_two_units_have_is_refused_and_their_ids_are_said(store: Store) -> None:
    second = await create_unit(store, "Prod", parent="root", now=NOW)
    with pytest.raises(EntityError, match=second.unique_id):
        unit_of("Prod", store.view())
    assert unit_of(second.unique_id, store.view()) == second


async def test_a_name_is_taken_beside_its_like_only(store: Store) -> None:
    assert await reason_of(create_unit(store, "Work", parent="root", now=NOW)) is Reason.ENTITY_ALREADY_EXISTS
    await create_unit(store, "Work", parent="Work", now=NOW)


@pytest.mark.parametrize("parent", ["nowhere", "ou-none-nowhere0", "", PROD])
async def test_a_parent_that_is_not_there_is_refused(store: Store, parent: str) -> None:
    assert await reason_of(create_unit(store, "x", parent=parent, now=NOW)) is Reason.NO_SUCH_ENTITY
    assert await reason_of(move_account(store, LAB, parent)) is Reason.NO_SUCH_ENTITY


async def line_of_units(store: Store, length: int, parent: str = "root") -> list[OrganizationalUnit]:
    line: list[OrganizationalUnit] = []
    for number in range(length):
        above = line[-1].unique_id if line else parent
        line.append(await create_unit(store, f"u{number}", parent=above, now=NOW))
    return line


async def test_units_are_five_deep_and_not_six(store: Store) -> None:
    line = await line_of_units(store, limits.DEPTH)
    refused = create_unit(store, "x", parent=line[-1].unique_id, now=NOW)
    assert await reason_of(refused) is Reason.LIMIT_EXCEEDED


async def test_a_unit_is_moved_with_all_in_it_where_it_fits(store: Store) -> None:
    line = await line_of_units(store, limits.DEPTH - 1)
    assert await reason_of(move_unit(store, line[0].unique_id, "Prod")) is Reason.LIMIT_EXCEEDED
    await move_unit(store, line[0].unique_id, "Work")
    view = store.view()
    await move_account(store, LAB, line[-1].unique_id)
    place = place_in_organization(LAB, store.view())
    assert place is not None
    ids = [unit_of("Work", view).unique_id, *(unit.unique_id for unit in line)]
    assert place[1].split("/")[2:-1] == ids


async def test_a_unit_is_no_part_of_itself(store: Store) -> None:
    for inner in ("Work", "Prod"):
        assert await reason_of(move_unit(store, "Work", inner)) is Reason.INVALID_INPUT


async def test_what_is_there_already_is_not_moved_there(store: Store) -> None:
    assert await reason_of(move_unit(store, "Prod", "Work")) is Reason.ENTITY_ALREADY_EXISTS
    assert await reason_of(move_account(store, PROD, "Prod")) is Reason.ENTITY_ALREADY_EXISTS


async def test_a_unit_is_not_moved_beside_its_like(store: Store) -> None:
    await create_unit(store, "Prod", parent="root", now=NOW)
    inner = next(unit for unit in store.view().organizational_units.of("") if unit.parent.startswith("ou-"))
    assert await reason_of(move_unit(store, inner.unique_id, "root")) is Reason.ENTITY_ALREADY_EXISTS


async def test_a_unit_is_deleted_when_it_is_empty(store: Store) -> None:
    for unit in ("Work", "Prod"):  # one has a unit in it, the other an account
        assert await reason_of(delete_unit(store, unit)) is Reason.DELETE_CONFLICT
    await move_account(store, PROD, "root")
    await delete_unit(store, "Prod")
    await delete_unit(store, "Work")
    assert len(store.view().organizational_units) == 0


async def test_the_root_is_no_unit(store: Store) -> None:
    assert await reason_of(delete_unit(store, "root")) is Reason.INVALID_INPUT
    assert await reason_of(move_unit(store, "root", "Work")) is Reason.INVALID_INPUT


@pytest.mark.parametrize("account", [OUTSIDE, "210000000009"])
async def test_an_account_that_is_no_member_is_not_moved(store: Store, account: str) -> None:
    assert await reason_of(move_account(store, account, "Work")) is Reason.NO_SUCH_ENTITY


async def test_so_many_units_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNITS", 3)
    await create_unit(store, "third", parent="root", now=NOW)
    assert await reason_of(create_unit(store, "fourth", parent="root", now=NOW)) is Reason.LIMIT_EXCEEDED


# Policies


@pytest.mark.parametrize("form", ["SCP", "RCP"])
async def test_a_document_is_kept_as_it_was_sent(store: Store, form: Form) -> None:
    text = BY_FORM[form] + "\n  "
    made = await create_policy(store, "p", form, text, description="What for", now=NOW)
    assert policy_of("p", store.view()) == policy_of(made.unique_id, store.view()) == made
    assert made.document == text


@pytest.mark.parametrize(("form", "longest"), [("SCP", SCP), ("RCP", RCP)])
async def test_a_document_is_as_long_as_it_may_be_white_space_counted_and_no_longer(
    store: Store, form: Form, longest: int
) -> None:
    fits = BY_FORM[form].ljust(longest)
    made = await create_policy(store, "p", form, fits, now=NOW)
    assert await reason_of(create_policy(store, "q", form, f"{fits} ", now=NOW)) is Reason.LIMIT_EXCEEDED
    assert await reason_of(update_policy(store, made.unique_id, document=f"{fits} ")) is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(("form", "text"), [("SCP", BY_FORM["RCP"]), ("RCP", ALLOW_ALL), ("SCP", "{"), ("RCP", "")])
async def test_a_document_that_is_no_policy_of_its_form_is_refused(store: Store, form: Form, text: str) -> None:
    with pytest.raises(PolicyError):
        await create_policy(store, "p", form, text, now=NOW)
    made = await create_policy(store, "q", form, BY_FORM[form], now=NOW)
    with pytest.raises(PolicyError):
        await update_policy(store, made.unique_id, document=text)
    assert policy_of("q", store.view()) == made


async def test_a_name_is_taken_among_policies_of_its_form(store: Store) -> None:
    first = await create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)
    assert await reason_of(create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)) is Reason.ENTITY_ALREADY_EXISTS
    second = await create_policy(store, "p", "RCP", BY_FORM["RCP"], now=NOW)
    with pytest.raises(EntityError, match="Several policies") as caught:
        policy_of("p", store.view())
    assert first.unique_id in str(caught.value)
    assert policy_of(second.unique_id, store.view()) == second
    full = create_policy(store, "FullAWSAccess", "SCP", ALLOW_ALL, now=NOW)
    assert await reason_of(full) is Reason.ENTITY_ALREADY_EXISTS


async def test_only_what_is_given_is_changed(store: Store) -> None:
    made = await create_policy(store, "p", "SCP", ALLOW_ALL, description="one", now=NOW)
    await update_policy(store, "p", description="two")
    await update_policy(store, "p", name="q")
    assert await update_policy(store, "q", document=f" {ALLOW_ALL}") == replace(
        made, name="q", description="two", document=f" {ALLOW_ALL}"
    )
    await create_policy(store, "other", "SCP", ALLOW_ALL, now=NOW)
    assert await reason_of(update_policy(store, "q", name="other")) is Reason.ENTITY_ALREADY_EXISTS


async def test_names_and_descriptions_have_a_longest(store: Store) -> None:
    longest = {"name": "n" * limits.POLICY_NAME, "description": "d" * limits.POLICY_DESCRIPTION}
    made = await create_policy(store, longest["name"], "SCP", ALLOW_ALL, description=longest["description"], now=NOW)
    for field in longest:
        refused = update_policy(store, made.unique_id, **{field: longest[field] + "x"})
        assert await reason_of(refused) is Reason.INVALID_INPUT


async def test_a_policy_that_is_attached_is_not_deleted(store: Store) -> None:
    made = await create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)
    for target in ("root", "Work", LAB):
        await attach_policy(store, "p", target)
        assert len(attached_to(made, store.view())) == 1
        assert await reason_of(delete_policy(store, "p")) is Reason.DELETE_CONFLICT
        await detach_policy(store, "p", target)
    await delete_policy(store, "p")
    assert made not in all_policies(store.view())
    assert await reason_of(attach_policy(store, made.unique_id, "root")) is Reason.NO_SUCH_ENTITY


@pytest.mark.parametrize("policy", sorted(PROVIDED))
async def test_what_comes_with_the_service_is_neither_changed_nor_deleted(store: Store, policy: str) -> None:
    assert await reason_of(update_policy(store, policy, name="x")) is Reason.ENTITY_UNMODIFIABLE
    assert await reason_of(delete_policy(store, policy)) is Reason.ENTITY_UNMODIFIABLE


async def test_so_many_policies_of_a_form_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POLICIES", 2)
    for form, text in BY_FORM.items():
        await create_policy(store, "p", form, text, now=NOW)
        assert await reason_of(create_policy(store, "q", form, text, now=NOW)) is Reason.LIMIT_EXCEEDED


# Attachments


@pytest.mark.parametrize("form", ["SCP", "RCP"])
@pytest.mark.parametrize("target", ["root", "Work", LAB])
async def test_five_policies_of_a_form_are_attached_to_a_target_and_not_six(
    store: Store, form: Form, target: str
) -> None:
    for number in range(POLICIES_PER_LEVEL):  # FullAWSAccess, or RCPFullAWSAccess, is the first of the five
        await create_policy(store, f"p{number}", form, BY_FORM[form], now=NOW)
        if number < POLICIES_PER_LEVEL - 1:
            await attach_policy(store, f"p{number}", target)
    last = attach_policy(store, f"p{POLICIES_PER_LEVEL - 1}", target)
    assert await reason_of(last) is Reason.LIMIT_EXCEEDED
    other: Form = "RCP" if form == "SCP" else "SCP"
    await create_policy(store, "other", other, BY_FORM[other], now=NOW)
    await attach_policy(store, "other", target)


async def test_a_policy_is_attached_once(store: Store) -> None:
    assert await reason_of(attach_policy(store, "FullAWSAccess", "root")) is Reason.ENTITY_ALREADY_EXISTS


async def test_what_is_not_attached_is_not_detached(store: Store) -> None:
    await create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)
    assert await reason_of(detach_policy(store, "p", "root")) is Reason.NO_SUCH_ENTITY


@pytest.mark.parametrize("target", ["root", "Work", LAB])
async def test_the_last_service_control_policy_stays(store: Store, target: str) -> None:
    assert await reason_of(detach_policy(store, FULL_ACCESS, target)) is Reason.DELETE_CONFLICT
    await create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW)
    await attach_policy(store, "p", target)
    await detach_policy(store, FULL_ACCESS, target)
    assert await reason_of(detach_policy(store, "p", target)) is Reason.DELETE_CONFLICT


async def test_the_resource_control_policy_that_allows_everything_stays(store: Store) -> None:
    await create_policy(store, "p", "RCP", BY_FORM["RCP"], now=NOW)
    await attach_policy(store, "p", "root")
    assert await reason_of(detach_policy(store, "RCPFullAWSAccess", "root")) is Reason.ENTITY_UNMODIFIABLE
    await detach_policy(store, "p", "root")


@pytest.mark.parametrize("target", ["nowhere", OUTSIDE, "210000000009", "p-FullAWSAccess"])
async def test_a_target_that_is_not_there_is_refused(store: Store, target: str) -> None:
    assert await reason_of(attach_policy(store, "FullAWSAccess", target)) is Reason.NO_SUCH_ENTITY


async def test_without_an_organisation_there_is_nothing_to_govern(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        store = running.app.store
        refusals: list[Awaitable[Any]] = [
            create_unit(store, "u", parent="root", now=NOW),
            delete_unit(store, "u"),
            move_account(store, ACCOUNT, "root"),
            create_policy(store, "p", "SCP", ALLOW_ALL, now=NOW),
            attach_policy(store, FULL_ACCESS, "root"),
        ]
        for refused in refusals:
            assert await reason_of(refused) is Reason.NO_SUCH_ENTITY
