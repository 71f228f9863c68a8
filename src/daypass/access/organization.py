# SPDX-License-Identifier: Apache-2.0
"""
The organisation above an account: its service control policies and resource control policies by level, and the keys that
say where an account belongs (AWS Organizations User Guide, "SCP evaluation", "Resource control policies").

    root -- units, from the top -- account: each a level with the policies attached to it, and each must allow

The management account's own principals and resources are not limited by them. Without an organisation nothing applies.
What is gathered for an account is kept with the view (``View.organization_memory``) until the organisation changes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final, cast

from daypass.policy import Kind, Level, NamedPolicy, PolicySet, compile_policy
from daypass.store import Membership, Organization, OrganizationPolicy, View

FULL_ACCESS: Final = "p-FullAWSAccess"
"""The service control policy that allows everything, attached to every part of the organisation when it is made."""

RCP_FULL_ACCESS: Final = "p-RCPFullAWSAccess"
"""The resource control policy that allows everything: attached to every part, for as long as it lives."""

EVERYWHERE: Final = (FULL_ACCESS, RCP_FULL_ACCESS)
"""What is attached to the root, each unit and each account when it is made."""

DEEPEST: Final = 8
"""Levels that are followed upwards. AWS allows five units below the root; a cycle in the data must not hang us."""

PROVIDED: Final = {
    FULL_ACCESS: OrganizationPolicy(
        FULL_ACCESS,
        "SCP",
        "FullAWSAccess",
        "Allows access to every operation",
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        0,
    ),
    RCP_FULL_ACCESS: OrganizationPolicy(
        RCP_FULL_ACCESS,
        "RCP",
        "RCPFullAWSAccess",
        "Allows access to every resource",
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        0,
    ),
}
"""The organisation policies that come with the service, under AWS's names and ids; no table has them."""

_NOTHING: Final = {
    Kind.SCP: '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}',
    Kind.RCP: '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":["s3:*","sts:*","sqs:*",'
    '"kms:*","secretsmanager:*"],"Resource":"*"}}',
}
"""What stands in for a policy or a level that is named and not there: a guard that is gone lets nobody pass."""

_ORGANIZATION: Final = "organization"

Line = list[tuple[str, tuple[str, ...] | None]]
"""Levels, the root first: the id, and the ids of the policies attached there; None for a level that is not there."""


def organization(view: View) -> Organization | None:
    """The organisation, if there is one."""
    memory = view.organization_memory
    try:
        found: Organization | None = memory[_ORGANIZATION]
    except KeyError:
        found = memory[_ORGANIZATION] = next(iter(view.organizations.of("")), None)
    return found


def is_closed(account: str, view: View) -> bool:
    """Whether an account was closed: nobody of it is let in any more."""
    membership = view.memberships.with_key(account)
    return membership is not None and membership.closed_at is not None


def organization_policy(policy_id: str, view: View) -> OrganizationPolicy | None:
    """The policy of an id: one that was written, or one that comes with the service."""
    return PROVIDED.get(policy_id) or view.organization_policies.with_key(policy_id)


def service_control_policies(account: str, view: View) -> tuple[Level, ...] | None:
    """The SCPs that limit the account's principals; None when none can."""
    return _levels(account, view, Kind.SCP)


def resource_control_policies(account: str, view: View) -> tuple[Level, ...] | None:
    """The RCPs that limit access to the account's resources; None when none can."""
    return _levels(account, view, Kind.RCP)


def _levels(account: str, view: View, kind: Kind) -> tuple[Level, ...] | None:
    found = organization(view)
    if found is None or found.management_account == account:
        return None
    memory, key = view.organization_memory, (kind, account)
    known = memory.get(key)
    if known is not None:
        return cast("tuple[Level, ...]", known)
    membership = view.memberships.with_key(account)
    if membership is None or membership.parent is None:
        return None  # not remembered: callers can name any account there is
    levels = tuple([Level(name, _policies(ids, view, kind)) for name, ids in line_of(found, membership, view)])
    memory[key] = levels
    return levels


def line_of(found: Organization, membership: Membership, view: View) -> Line:
    """What stands above an account, the root first and the account last."""
    line: Line = [(membership.account, membership.policies)]
    parent = membership.parent
    for _ in range(DEEPEST):
        unit = None if parent is None else view.organizational_units.with_key(parent)
        if unit is None:
            break
        line.append((unit.unique_id, unit.policies))
        parent = unit.parent
    if parent != found.root_id:
        line.append((parent or "", None))  # it does not lead to the root, and nobody knows what would have stood there
    line.append((found.root_id, found.root_policies))
    return line[::-1]


def _policies(ids: tuple[str, ...] | None, view: View, kind: Kind) -> PolicySet:
    if ids is None:
        return PolicySet((_named("", _NOTHING[kind], kind),))
    return PolicySet(_attached(ids, view, kind))


def _attached(ids: tuple[str, ...], view: View, kind: Kind) -> Iterator[NamedPolicy]:
    for policy_id in ids:
        policy = organization_policy(policy_id, view)
        if policy is None:
            yield _named(policy_id, _NOTHING[kind], kind)
        elif policy.form == kind.name:
            yield _named(policy_id, policy.document, kind)


@functools.lru_cache(maxsize=1024)
def _named(policy_id: str, document: str, kind: Kind) -> NamedPolicy:
    return NamedPolicy(policy_id, compile_policy(document, kind))


def place_in_organization(account: str, view: View) -> tuple[str, str] | None:
    """The organisation's id and the account's path in it (``o-a/r-b/ou-c/``), for a member; None otherwise."""
    found = organization(view)
    if found is None:
        return None
    memory, key = view.organization_memory, (_ORGANIZATION, account)
    known = memory.get(key)
    if known is not None:
        return cast("tuple[str, str]", known)
    membership = view.memberships.with_key(account)
    if membership is None or membership.parent is None:
        return None
    names = [name for name, _ in line_of(found, membership, view)[:-1]]
    place = found.unique_id, "/".join((found.unique_id, *names)) + "/"
    memory[key] = place
    return place


def same_organization(account: str, other: str, view: View) -> bool:
    """Whether two accounts are members of the organisation: denials then name the type of policy across accounts."""
    return place_in_organization(account, view) is not None and place_in_organization(other, view) is not None
