# SPDX-License-Identifier: Apache-2.0
"""
Where something is in the organisation: the root, a unit, an account, found by id or by name.

Each lookup raises EntityError when there is no such thing, or more than one by that name.
"""

from __future__ import annotations

from collections.abc import Iterator

from daypass.access.organization import PROVIDED, organization
from daypass.arn import is_account_id
from daypass.errors import EntityError, Reason
from daypass.organizations import limits
from daypass.store import Membership, Organization, OrganizationalUnit, OrganizationPolicy, View

ROOT = "root"
"""What the root may be called, besides its id."""

Parent = Organization | OrganizationalUnit
Target = Organization | OrganizationalUnit | Membership
"""What policies can be attached to. The organisation stands for its root."""


def the_organization(view: View) -> Organization:
    """The organisation. Raises EntityError when there is none."""
    found = organization(view)
    if found is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, "There is no organization.")
    return found


def parent_of(text: str, view: View) -> Parent:
    """The root or the unit of this id or name."""
    found = the_organization(view)
    if text in (ROOT, found.root_id):
        return found
    named = [unit for unit in view.organizational_units.of("") if text in (unit.unique_id, unit.name)]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(unit.unique_id for unit in named))
        raise EntityError(Reason.INVALID_INPUT, f"Several units are named {text!r}: {ids}.")
    message = f"We can't find a root or OU with the ParentId that you specified: {text!r}."
    raise EntityError(Reason.NO_SUCH_ENTITY, message)


def unit_of(text: str, view: View) -> OrganizationalUnit:
    """The unit of this id or name."""
    found = parent_of(text, view)
    if isinstance(found, Organization):
        raise EntityError(Reason.INVALID_INPUT, "Expected an organizational unit, got the root.")
    return found


def account_of(account: str, view: View) -> Membership:
    """The account of this number."""
    if view.accounts.with_key(account) is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"There is no account {account!r}.")
    return view.memberships.with_key(account) or Membership(account, "")


def member_of(account: str, view: View) -> Membership:
    """The account of this number, which is a part of the organisation."""
    the_organization(view)
    found = account_of(account, view)
    if found.parent is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, f"The account {account!r} is not a member of the organization.")
    return found


def target_of(text: str, view: View) -> Target:
    """The root, the unit or the account of this id or name."""
    return member_of(text, view) if is_account_id(text) else parent_of(text, view)


def id_of(target: Target) -> str:
    """The id by which the target is known."""
    if isinstance(target, Organization):
        return target.root_id
    return target.account if isinstance(target, Membership) else target.unique_id


def policies_of(target: Target) -> tuple[str, ...]:
    """The ids of the policies attached to the target."""
    return target.root_policies if isinstance(target, Organization) else target.policies


def targets(view: View) -> Iterator[Target]:
    """Everything that policies can be attached to: the root, units, accounts."""
    yield the_organization(view)
    yield from view.organizational_units.of("")
    yield from (member for member in view.memberships.of("") if member.parent is not None)


def policy_of(text: str, view: View) -> OrganizationPolicy:
    """The policy of this id or name."""
    the_organization(view)
    known = (*PROVIDED.values(), *view.organization_policies.of(""))
    named = [policy for policy in known if text in (policy.unique_id, policy.name)]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(policy.unique_id for policy in named))
        raise EntityError(Reason.INVALID_INPUT, f"Several policies are named {text!r}: {ids}.")
    raise EntityError(Reason.NO_SUCH_ENTITY, f"We can't find a policy with the PolicyId that you specified: {text!r}.")


def line_above(parent: Parent, view: View) -> list[OrganizationalUnit]:
    """The units from this one upwards; none for the root."""
    line: list[OrganizationalUnit] = []
    unit = parent if isinstance(parent, OrganizationalUnit) else None
    while unit is not None and len(line) <= limits.DEPTH:
        line.append(unit)
        unit = view.organizational_units.with_key(unit.parent)
    return line
