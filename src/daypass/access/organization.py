# SPDX-License-Identifier: Apache-2.0
"""
The organisation above an account: its service control policies and resource control policies by level, and the keys that
say where an account belongs (AWS Organizations User Guide, "SCP evaluation", "Resource control policies").

    root -- units, from the top -- account: each a level with the policies attached to it, and each must allow

The management account's own principals and resources are not limited by them. Without an organisation nothing applies.
"""

from __future__ import annotations

import functools
from typing import Final

from daypass.policy import Kind, Level, NamedPolicy, compile_policy
from daypass.store import Membership, Organization, View

FULL_ACCESS: Final = "p-FullAWSAccess"
"""The service control policy that allows everything, attached to every part of the organisation when it is made."""

DEEPEST: Final = 8
"""Levels that are followed upwards. AWS allows five units below the root; a cycle in the data must not hang us."""

_DOCUMENTS: Final = {
    FULL_ACCESS: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
}
_NOTHING: Final = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'


def organization(view: View) -> Organization | None:
    """The organisation, if there is one."""
    return next(iter(view.organizations.of("")), None)


def is_closed(account: str, view: View) -> bool:
    """Whether an account was closed: nobody of it is let in any more."""
    membership = view.memberships.with_key(account)
    return membership is not None and membership.closed_at is not None


def _place(account: str, view: View) -> tuple[Organization, Membership] | None:
    """The organisation and the account's membership, where the organisation's policies apply to it."""
    found = organization(view)
    if found is None or found.management_account == account:
        return None
    membership = view.memberships.with_key(account)
    return None if membership is None or membership.parent is None else (found, membership)


def _line(found: Organization, membership: Membership, view: View) -> list[tuple[str, tuple[str, ...]]]:
    """What stands above an account, the root first: (name of the level, policy ids)."""
    line = [(membership.account, membership.policies)]
    parent = membership.parent
    for _ in range(DEEPEST):
        if parent is None or parent == found.root_id:
            break
        unit = view.organizational_units.with_key(parent)
        if unit is None:
            break
        line.append((unit.unique_id, unit.policies))
        parent = unit.parent
    line.append((found.root_id, found.root_policies))
    return line[::-1]


def service_control_policies(account: str, view: View) -> tuple[Level, ...] | None:
    """The SCPs that limit the account's principals; None when none can."""
    return _levels(account, view, Kind.SCP)


def resource_control_policies(account: str, view: View) -> tuple[Level, ...] | None:
    """The RCPs that limit access to the account's resources; None when none can."""
    return _levels(account, view, Kind.RCP)


def _levels(account: str, view: View, kind: Kind) -> tuple[Level, ...] | None:
    place = _place(account, view)
    if place is None:
        return None
    return tuple(Level(name, _policies(ids, view, kind)) for name, ids in _line(*place, view))


def _policies(ids: tuple[str, ...], view: View, kind: Kind) -> tuple[NamedPolicy, ...]:
    found = []
    for policy_id in ids:
        document = _DOCUMENTS.get(policy_id) if kind is Kind.SCP else None
        if document is None and policy_id not in _DOCUMENTS:
            policy = view.organization_policies.with_key(policy_id)
            if policy is None:
                document = (
                    _NOTHING if kind is Kind.SCP else None
                )  # a guard that is gone guards as if it denied everything
            elif policy.form == kind.name:
                document = policy.document
        if document is not None:
            found.append(_named(policy_id, document, kind))
    return tuple(found)


@functools.lru_cache(maxsize=1024)
def _named(policy_id: str, document: str, kind: Kind) -> NamedPolicy:
    return NamedPolicy(policy_id, compile_policy(document, kind))


def place_in_organization(account: str, view: View) -> tuple[str, str] | None:
    """The organisation's id and the account's path in it (``o-a/r-b/ou-c/``), for a member; None otherwise."""
    found = organization(view)
    if found is None:
        return None
    membership = view.memberships.with_key(account)
    if membership is None or membership.parent is None:
        return None
    names = [name for name, _ in _line(found, membership, view)[:-1]]
    return found.unique_id, "/".join((found.unique_id, *names)) + "/"
