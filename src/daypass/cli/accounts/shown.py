# SPDX-License-Identifier: Apache-2.0
"""How accounts, units and policies are shown."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from daypass.access.organization import PROVIDED, organization, organization_policy
from daypass.organizations.accounts import management_account
from daypass.organizations.places import ROOT, Parent, Target, id_of, line_above, policies_of
from daypass.store import Membership, Organization, OrganizationalUnit, OrganizationPolicy, View

NOWHERE = "-"


def account(member: Membership, view: View) -> dict[str, Any]:
    """An account, as JSON shows it."""
    return {
        "number": member.account,
        "name": member.name,
        "state": "open" if member.closed_at is None else "closed",
        "closed_at": _instant(member.closed_at),
        "management": member.account == management_account(view),
        "parent": member.parent,
        "place": place(member, view),
        "policies": list(member.policies),
    }


def place(member: Membership, view: View) -> str | None:
    """The names of the units above an account, from the root; None outside of the organisation."""
    found = organization(view)
    if found is None or member.parent is None:
        return None
    return _path(view.organizational_units.with_key(member.parent) or found, view)


def unit(found: OrganizationalUnit, view: View) -> dict[str, Any]:
    """A unit, as JSON shows it."""
    return {
        "id": found.unique_id,
        "name": found.name,
        "parent": found.parent,
        "place": _path(found, view),
        "policies": list(found.policies),
    }


def policy(found: OrganizationPolicy) -> dict[str, Any]:
    """A policy, as JSON shows it."""
    return {
        "id": found.unique_id,
        "type": found.form,
        "name": found.name,
        "description": found.description,
        "aws_managed": found.unique_id in PROVIDED,
        "document": found.document,
    }


def target(found: Target, view: View) -> dict[str, Any]:
    """The root, a unit or an account with its policies, as JSON shows it."""
    return {"id": id_of(found), "name": target_name(found), "policies": policy_names(policies_of(found), view)}


def target_name(found: Target) -> str:
    """What the root, a unit or an account is called."""
    return ROOT if isinstance(found, Organization) else found.name


def policy_names(ids: Sequence[str], view: View) -> list[str]:
    """What policies are called; by id those that are gone."""
    found = [(one, organization_policy(one, view)) for one in ids]
    return [one if known is None else known.name for one, known in found]


def _path(parent: Parent, view: View) -> str:
    return "/" + "/".join(one.name for one in reversed(line_above(parent, view)))


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
