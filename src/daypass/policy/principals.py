# SPDX-License-Identifier: Apache-2.0
"""
The Principal and NotPrincipal elements (AWS JSON policy elements: Principal, NotPrincipal).

How a principal is named decides how far the grant reaches: ``Grant``. Users and roles are compared by unique id where the
caller brings the ids that their ARNs resolved to when the document was saved; a namesake made later has another id. No
wildcards but the whole ``*``.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daypass import arn
from daypass import principal as who
from daypass.policy.document import Principals

_USER_OR_ROLE = re.compile(r"arn:[^:]+:iam::[0-9]{12}:(user|role)/(.+)", re.DOTALL)
_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root")
_SESSION = re.compile(r"arn:[^:]+:sts::[0-9]{12}:(assumed-role|federated-user)/.+", re.DOTALL)
_UNIQUE_ID = re.compile(r"(AIDA|AROA)[A-Z0-9]{12,}")

ResolvedIds = Mapping[str, "str | None"]
"""The unique id that each user or role ARN of a document stood for when it was saved; None for nobody."""


class Grant(enum.IntEnum):
    """How far an Allow with a principal reaches; the best one of a policy counts."""

    NONE = 0
    DELEGATED = 1
    """The account is named: its own policies must allow too."""
    LIMITED = 2
    """The role is named: no identity policy is needed, but boundary and session policies must not stand in the way."""
    UNLIMITED = 3
    """The caller itself is named: implicit denies of its account's policies do not matter."""


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """
    Principal, or (``negated``) NotPrincipal, by type of entry.

    - ``everyone``: there is an entry ``*``.
    - ``accounts``: account ids, from bare ids and from ``:root`` ARNs.
    - ``entities``: ARNs of users and roles, which stand for unique ids; ``ids``: unique ids written as such.
    - ``sessions``: ARNs of role sessions and federated users.
    """

    negated: bool
    everyone: bool
    accounts: frozenset[str]
    entities: tuple[str, ...]
    ids: frozenset[str]
    sessions: frozenset[str]
    services: frozenset[str]
    federated: frozenset[str]

    def grant(self, principal: who.Principal, ids: ResolvedIds | None) -> Grant:
        """The best class that an entry gives the principal, whether or not the element is negated."""
        if self.everyone:
            return Grant.UNLIMITED
        return _GRANTS[type(principal)](self, principal, ids)

    def names_all_links(self, principal: who.Principal, ids: ResolvedIds | None) -> bool:
        """Whether every link of the caller's chain is listed: account and user; account, role and session."""
        if self.everyone:
            return True
        if isinstance(principal, who.Root):
            return principal.account in self.accounts
        if isinstance(principal, who.User):
            return principal.account in self.accounts and self._names_user(principal, ids)
        if isinstance(principal, who.RoleSession):
            named = principal.account in self.accounts and principal.arn in self.sessions
            return named and self._names_role(principal, ids)
        if isinstance(principal, who.FederatedUser):
            return principal.account in self.accounts and principal.arn in self.sessions
        return self.grant(principal, ids) is not Grant.NONE

    def _names_user(self, user: who.User, ids: ResolvedIds | None) -> bool:
        if user.unique_id in self.ids:
            return True
        if ids is None:
            return user.arn in self.entities
        return any(ids.get(entity) == user.unique_id for entity in self.entities)

    def _names_role(self, session: who.RoleSession, ids: ResolvedIds | None) -> bool:
        if session.role_id in self.ids:
            return True
        if ids is None:
            return any(_is_role_of(entity, session) for entity in self.entities)
        return any(ids.get(entity) == session.role_id for entity in self.entities)


def _is_role_of(entity: str, session: who.RoleSession) -> bool:
    """Without ids: the same partition and account, and the last segment of the path is the role's name."""
    named = arn.Arn.parse(entity)
    same = named.partition == arn.PARTITION and named.account == session.account
    return same and named.resource.startswith("role/") and named.name == session.role_name


def _account(element: PrincipalElement, account: str) -> Grant:
    return Grant.DELEGATED if account in element.accounts else Grant.NONE


def _root(element: PrincipalElement, principal: who.Root, ids: ResolvedIds | None) -> Grant:  # noqa: ARG001
    return Grant.UNLIMITED if principal.account in element.accounts else Grant.NONE


def _user(element: PrincipalElement, principal: who.User, ids: ResolvedIds | None) -> Grant:
    if (element.entities or element.ids) and element._names_user(principal, ids):
        return Grant.UNLIMITED
    return _account(element, principal.account)


def _role_session(element: PrincipalElement, principal: who.RoleSession, ids: ResolvedIds | None) -> Grant:
    if element.sessions and principal.arn in element.sessions:
        return Grant.UNLIMITED
    if (element.entities or element.ids) and element._names_role(principal, ids):
        return Grant.LIMITED
    return _account(element, principal.account)


def _federated_user(element: PrincipalElement, principal: who.FederatedUser, ids: ResolvedIds | None) -> Grant:
    if principal.arn in element.sessions:
        return Grant.UNLIMITED
    if isinstance(principal.parent, who.User) and element._names_user(principal.parent, ids):
        return Grant.LIMITED
    return _account(element, principal.account)


def _service(element: PrincipalElement, principal: who.Service, ids: ResolvedIds | None) -> Grant:  # noqa: ARG001
    return Grant.UNLIMITED if principal.name in element.services else Grant.NONE


def _federated(element: PrincipalElement, principal: who.FederatedCaller, ids: ResolvedIds | None) -> Grant:  # noqa: ARG001
    return Grant.UNLIMITED if principal.provider in element.federated else Grant.NONE


def _nobody(element: PrincipalElement, principal: who.Anonymous, ids: ResolvedIds | None) -> Grant:  # noqa: ARG001
    return Grant.NONE


_GRANTS: dict[type, Callable[[PrincipalElement, Any, ResolvedIds | None], Grant]] = {
    who.Root: _root,
    who.User: _user,
    who.RoleSession: _role_session,
    who.FederatedUser: _federated_user,
    who.Service: _service,
    who.FederatedCaller: _federated,
    who.Anonymous: _nobody,
}


def compile_principals(entries: Principals, *, negated: bool) -> PrincipalElement:
    """Compile the entries of Principal or NotPrincipal. An entry of no known form names nobody."""
    aws = entries.get("AWS", ())
    roots = (match[1] for text in aws if (match := _ROOT.fullmatch(text)))
    return PrincipalElement(
        negated=negated,
        everyone="*" in entries or "*" in aws,
        accounts=frozenset([text for text in aws if arn.is_account_id(text)]).union(roots),
        entities=tuple(text for text in aws if _USER_OR_ROLE.fullmatch(text)),
        ids=frozenset(text for text in aws if _UNIQUE_ID.fullmatch(text)),
        sessions=frozenset(text for text in aws if _SESSION.fullmatch(text)),
        services=frozenset(entries.get("Service", ())),
        federated=frozenset(entries.get("Federated", ())),
    )


def entity_arns(entries: Principals) -> Iterable[str]:
    """The ARNs of users and roles: what must be resolved to unique ids when a document is saved."""
    return (text for text in entries.get("AWS", ()) if _USER_OR_ROLE.fullmatch(text))


def is_aws_principal(text: str) -> bool:
    """Whether an ``AWS`` entry has a form that can name somebody. Wildcards inside an ARN name nobody."""
    if text == "*" or arn.is_account_id(text) or _UNIQUE_ID.fullmatch(text) or _ROOT.fullmatch(text):
        return True
    named = _USER_OR_ROLE.fullmatch(text) or _SESSION.fullmatch(text)
    return named is not None and "*" not in text and "?" not in text
