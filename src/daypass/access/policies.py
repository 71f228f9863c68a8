# SPDX-License-Identifier: Apache-2.0
"""
Which policies bound an identity: its own inline and managed policies, those of its groups, and its boundary (IAM User
Guide, "Policies and permissions in IAM").

Read live from a view, compiled once by content. A managed policy that is named and not there guards as if it denied
everything where it is a boundary, and allows nothing where it is attached: whatever went wrong, nobody gains by it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

from daypass.policy import Kind, NamedPolicy, PolicySet, compile_policy
from daypass.store import Group, ManagedPolicy, Role, User, View

INLINE: Final = "inline:"
"""What the names of inline policies begin with, in decisions and explanations. Managed policies go by their ARN."""

_NOTHING: Final = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'

Texts = tuple[tuple[str, str], ...]
"""(name in explanations, document)."""


def managed_policy(view: View, policy_arn: str) -> ManagedPolicy | None:
    """The managed policy of an ARN: one of an account, or one that comes with the service (account ``aws``)."""
    fields = policy_arn.split(":", 5)
    if len(fields) != 6:
        return None
    found = view.managed_policies.with_name(fields[4], fields[5].rpartition("/")[2])
    return found if found is not None and found.arn == policy_arn else None


def groups_of(user: User, view: View) -> list[Group]:
    """The groups that a user is in, in the order it joined them."""
    found = [view.groups.with_key(group) for group in user.groups]
    return [group for group in found if group is not None]


def policy_texts(entity: Role | User | Group, view: View) -> Texts:
    """The documents attached to one entity: inline ones by ``inline:NAME``, managed ones by ARN."""
    inline = tuple([(INLINE + name, text) for name, text in entity.inline_policies])
    if not entity.attached_policies:
        return inline
    managed = [managed_policy(view, policy_arn) for policy_arn in entity.attached_policies]
    return (*inline, *[(policy.arn, policy.document) for policy in managed if policy is not None])


def identity_policies(entity: Role | User, view: View) -> PolicySet:
    """The policies that say what a user, or the sessions of a role, may do."""
    if isinstance(entity, Role) and not entity.attached_policies:
        return _inline_only(entity.inline_policies)
    texts = policy_texts(entity, view)
    if isinstance(entity, User):
        for group in groups_of(entity, view):
            texts += policy_texts(group, view)
    return _policy_set(texts)


def boundary_of(entity: Role | User, view: View) -> NamedPolicy | None:
    """The permissions boundary of a user or role; None when it has none."""
    if entity.permissions_boundary is None:
        return None
    policy = managed_policy(view, entity.permissions_boundary)
    text = _NOTHING if policy is None else policy.document
    return NamedPolicy(entity.permissions_boundary, compile_policy(text, Kind.BOUNDARY))


@functools.lru_cache(maxsize=4096)
def _inline_only(policies: Texts) -> PolicySet:
    return _policy_set(tuple([(INLINE + name, text) for name, text in policies]))


@functools.lru_cache(maxsize=4096)
def _policy_set(texts: Texts) -> PolicySet:
    """One index over all policies of an identity, kept for as long as nobody changes them."""
    return PolicySet(_named(texts))


def _named(texts: Iterable[tuple[str, str]]) -> Iterable[NamedPolicy]:
    return (NamedPolicy(name, compile_policy(text, Kind.IDENTITY)) for name, text in texts)
