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
from daypass.sessions import Session
from daypass.store import Group, ManagedPolicy, Role, User, View

SERVICE_LINKED_PATH: Final = "/aws-service-role/"
"""Where service-linked roles are, and no others: what makes a role one of them. Organisation policies leave them alone."""

INLINE: Final = "inline:"
"""What the names of inline policies begin with, in decisions and explanations. Managed policies go by their ARN."""

ACCOUNT_WIDE: Final = "account password policy: AllowUsersToChangePassword"
"""What decisions and explanations call the permissions that an account gives all its users to change their passwords."""

_FOR_ALL_USERS: Final = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow",'
    '"Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}'
)
"""IAM API, PasswordPolicy: AllowUsersToChangePassword. ChangePassword acts on the caller's own user and on no other."""

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
    """
    The documents attached to one entity: inline ones by ``inline:NAME``, those of a group by ``inline:GROUP/NAME`` (no name
    has a slash, so no two policies of a user are called the same), managed ones by ARN.
    """
    before = f"{INLINE}{entity.name}/" if isinstance(entity, Group) else INLINE
    inline = tuple([(before + name, text) for name, text in entity.inline_policies])
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
        texts += _account_texts(entity, view)
        texts = tuple(dict.fromkeys(texts))  # a managed policy of the user and of its groups is one
    return _policy_set(texts)


def _account_texts(user: User, view: View) -> Texts:
    """What an account permits all its users, which like any other policy a deny or a boundary takes away."""
    settings = view.account_settings.with_key(user.account)
    policy = None if settings is None else settings.password_policy
    return ((ACCOUNT_WIDE, _FOR_ALL_USERS),) if policy is not None and policy.allow_users_to_change else ()


def boundary_of(entity: Role | User, view: View) -> NamedPolicy | None:
    """The permissions boundary of a user or role; None when it has none."""
    if entity.permissions_boundary is None:
        return None
    policy = managed_policy(view, entity.permissions_boundary)
    text = _NOTHING if policy is None else policy.document
    return NamedPolicy(entity.permissions_boundary, compile_policy(text, Kind.BOUNDARY))


def session_policies(session: Session, view: View) -> tuple[NamedPolicy, ...] | None:
    """
    The policies that were passed when the session was made, as they were then; None when none were.

    A federated user that was given none has no permissions. A managed policy whose version is gone denies everything: nobody
    knows what it denied. One of the same name that was made since is another.
    """
    if session.policy is None and not session.policy_arns:
        return () if session.kind in ("federated", "root") else None
    found = [] if session.policy is None else [_session_policy("session policy", session.policy)]
    for policy_arn, unique_id, number in zip(
        session.policy_arns, session.policy_ids, session.policy_versions, strict=True
    ):
        policy = managed_policy(view, policy_arn)
        version = policy.version(number) if policy is not None and policy.unique_id == unique_id else None
        found.append(_session_policy(policy_arn, _NOTHING if version is None else version.document))
    return tuple(found)


def _session_policy(name: str, text: str) -> NamedPolicy:
    return NamedPolicy(name, compile_policy(text, Kind.SESSION))


@functools.lru_cache(maxsize=4096)
def _inline_only(policies: Texts) -> PolicySet:
    return _policy_set(tuple([(INLINE + name, text) for name, text in policies]))


@functools.lru_cache(maxsize=4096)
def _policy_set(texts: Texts) -> PolicySet:
    """One index over all policies of an identity, kept for as long as nobody changes them."""
    return PolicySet(_named(texts))


def _named(texts: Iterable[tuple[str, str]]) -> Iterable[NamedPolicy]:
    return (NamedPolicy(name, compile_policy(text, Kind.IDENTITY)) for name, text in texts)
