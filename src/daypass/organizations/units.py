# SPDX-License-Identifier: Apache-2.0
"""
Organisational units, and what moves between them (AWS Organizations API, CreateOrganizationalUnit,
DeleteOrganizationalUnit, MoveAccount). That a unit can be moved is ours: AWS has one made anew.
"""

from __future__ import annotations

from msgspec.structs import replace

from daypass.access.organization import EVERYWHERE
from daypass.errors import EntityError, Reason
from daypass.organizations import limits
from daypass.organizations.names import check_name, new_unit_id
from daypass.organizations.places import Parent, id_of, line_above, member_of, parent_of, the_organization, unit_of
from daypass.store import Membership, OrganizationalUnit, Store, View


async def create_unit(store: Store, name: str, *, parent: str, now: float) -> OrganizationalUnit:
    """Make a unit in the root or another unit. Raises EntityError."""
    check_name(name, limits.UNIT_NAME, "unit")
    async with store.transaction() as transaction:
        view = transaction.view
        above = parent_of(parent, view)
        if len(view.organizational_units) >= limits.UNITS:
            message = f"Cannot exceed the {limits.UNITS} organizational units of an organization."
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        _check_fits(above, name, 1, view)
        unit_id = new_unit_id(the_organization(view).root_id)
        unit = OrganizationalUnit(unit_id, id_of(above), name, int(now), EVERYWHERE)
        await transaction.put(unit)
    return unit


async def delete_unit(store: Store, unit: str) -> OrganizationalUnit:
    """Delete a unit without parts. Raises EntityError."""
    async with store.transaction() as transaction:
        view = transaction.view
        found = unit_of(unit, view)
        if _units_in(found.unique_id, view) or view.memberships.linked("", ("parent", found.unique_id)):
            message = (
                "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, "
                "and try the operation again."
            )
            raise EntityError(Reason.DELETE_CONFLICT, message)
        await transaction.delete(found)
    return found


async def move_unit(store: Store, unit: str, parent: str) -> OrganizationalUnit:
    """Put a unit, with everything in it, into another unit or the root. Raises EntityError."""
    async with store.transaction() as transaction:
        view = transaction.view
        found, above = unit_of(unit, view), parent_of(parent, view)
        if any(one.unique_id == found.unique_id for one in line_above(above, view)):
            raise EntityError(Reason.INVALID_INPUT, "A unit cannot be a part of itself.")
        if found.parent == id_of(above):
            raise EntityError(
                Reason.ENTITY_ALREADY_EXISTS, "That unit is already present in the specified destination."
            )
        _check_fits(above, found.name, _height(found, view), view)
        moved = replace(found, parent=id_of(above))
        await transaction.put(moved)
    return moved


async def move_account(store: Store, account: str, parent: str) -> Membership:
    """Put an account into a unit or the root; from the next request on it is under the policies there. Raises EntityError."""
    async with store.transaction() as transaction:
        member, above = member_of(account, transaction.view), parent_of(parent, transaction.view)
        if member.parent == id_of(above):
            message = "That account is already present in the specified destination."
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, message)
        moved = replace(member, parent=id_of(above))
        await transaction.put(moved)
    return moved


def _units_in(parent: str, view: View) -> list[OrganizationalUnit]:
    return list(view.organizational_units.linked("", ("parent", parent)))


def _height(unit: OrganizationalUnit, view: View) -> int:
    """The levels of units that go with this one, itself counted."""
    return 1 + max((_height(child, view) for child in _units_in(unit.unique_id, view)), default=0)


def _check_fits(above: Parent, name: str, height: int, view: View) -> None:
    """Whether units of this name and height may be made or moved there."""
    if any(unit.name == name for unit in _units_in(id_of(above), view)):
        raise EntityError(Reason.ENTITY_ALREADY_EXISTS, "An OU with the same name already exists.")
    if len(line_above(above, view)) + height > limits.DEPTH:
        message = f"You attempted to create an OU tree that is too many levels deep; expected at most {limits.DEPTH}."
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
