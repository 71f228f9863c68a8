# SPDX-License-Identifier: Apache-2.0
"""
Where the stored policies of a simulation come from (IAM API, SimulatePrincipalPolicy: PolicySourceArn; Statement:
SourcePolicyId, SourcePolicyType).

The policies are those that bind in a real request: ``daypass.access.policies`` says which; here each gets the name and the
type that the simulator calls it by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from daypass.access.policies import INLINE, boundary_of, groups_of, policy_texts
from daypass.arn import Arn
from daypass.errors import EntityError, PolicyError, Reason
from daypass.iam.groups import no_such_group
from daypass.iam.provided import PROVIDER
from daypass.iam.roles import no_such_role
from daypass.iam.simulated_request import Entity
from daypass.iam.users import no_such_user
from daypass.policy import Kind, NamedPolicy, compile_policy
from daypass.store import Group, Role, User, View

Stored = User | Group | Role

_NO_SUCH = {"user": no_such_user, "group": no_such_group, "role": no_such_role}


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """
    A policy that is attached to something.

    - ``name``: what decisions call it; no two policies of one simulation have the same.
    - ``source_id``, ``source_type``: what the simulator calls it: the policy's own name, and ``user``, ``group`` or
      ``role`` for inline policies, ``user-managed`` or ``aws-managed`` for managed ones.
    - ``holder``: the name of the user, group or role it is attached to; ``arn``: of a managed policy, else None.
    """

    name: str
    source_id: str
    source_type: str
    holder: str
    arn: str | None
    document: str

    def compiled(self) -> NamedPolicy:
        """The policy, ready to decide. Raises EntityError for one that cannot be read any more."""
        try:
            return NamedPolicy(self.name, compile_policy(self.document, Kind.IDENTITY))
        except PolicyError as error:
            raise cannot_evaluate(error) from error


def cannot_evaluate(error: PolicyError) -> EntityError:
    """The answer for a policy that was stored and cannot be read."""
    return EntityError(Reason.STORED_POLICY_INVALID, f"A stored policy could not be evaluated: {error}")


def find_stored(view: View, entity: Entity) -> Stored | None:
    """The user, group or role of this account, path and name; or None."""
    find: dict[str, Callable[[str, str], Stored | None]] = {
        "user": view.users.with_name,
        "group": view.groups.with_name,
        "role": view.roles.with_name,
    }
    found = find[entity.kind](entity.account, entity.name)
    return found if found is not None and found.path == entity.path else None


def no_such(entity: Entity) -> EntityError:
    """The answer for an entity that is not there."""
    return _NO_SUCH[entity.kind](entity.name)


def stored_policies(source: Stored, view: View) -> tuple[StoredPolicy, ...]:
    """The policies of a user with those of its groups, of a group, or of a role; each once, whoever has it."""
    holders: list[Stored] = [source]
    if isinstance(source, User):
        holders += groups_of(source, view)
    found: dict[str, StoredPolicy] = {}
    for holder in holders:
        for name, document in policy_texts(holder, view):
            found.setdefault(name, _stored(holder, name, document))
    return tuple(found.values())


def _stored(holder: Stored, name: str, document: str) -> StoredPolicy:
    if name.startswith(INLINE):
        source_id = name.removeprefix(INLINE).rpartition("/")[2]
        return StoredPolicy(name, source_id, type(holder).__name__.lower(), holder.name, None, document)
    parsed = Arn.parse(name)
    return StoredPolicy(name, parsed.name, _managed_type(parsed), holder.name, name, document)


def stored_boundary(source: Stored, view: View) -> NamedPolicy | None:
    """The permissions boundary that is attached; groups have none. Raises EntityError for one that cannot be read."""
    if isinstance(source, Group):
        return None
    try:
        return boundary_of(source, view)
    except PolicyError as error:
        raise cannot_evaluate(error) from error


def labels(policies: Iterable[StoredPolicy], boundary: NamedPolicy | None) -> dict[str, tuple[str, str]]:
    """SourcePolicyId and SourcePolicyType by the names that decisions use."""
    found = {policy.name: (policy.source_id, policy.source_type) for policy in policies}
    if boundary is not None:
        parsed = Arn.parse(boundary.name)
        found[boundary.name] = (parsed.name, _managed_type(parsed))
    return found


def _managed_type(policy: Arn) -> str:
    return "aws-managed" if policy.account == PROVIDER else "user-managed"
