# SPDX-License-Identifier: Apache-2.0
"""
What a decision is about, and what it says: ``Request``, ``Layers``, ``Decision``.

The request is one action on one resource by one principal; a call that touches several resources is several requests, of
which all must be allowed. The layers are the policies that may apply, as the caller gathered them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

import msgspec

from daypass.identity import ContextValue
from daypass.policy.compiled import Policy
from daypass.policy.limits import RCP_SERVICES
from daypass.policy.principals import Grant, ResolvedIds
from daypass.principal import Principal


class Context:
    """
    The condition keys of a request, by lower-case name.

    A string is one value, a tuple is a list: that is a type, not a count. An empty list is the same as no key. Names that
    differ only in case are one key with all their values, which no single-valued condition then accepts.
    """

    __slots__ = ("entries",)

    entries: Final[Mapping[str, ContextValue]]

    def __init__(self, values: Mapping[str, ContextValue] | Iterable[tuple[str, ContextValue]] = ()) -> None:
        found: dict[str, ContextValue] = {}
        for name, value in values.items() if isinstance(values, Mapping) else values:
            key = name.lower()
            if value == ():
                continue
            found[key] = _many(found[key]) + _many(value) if key in found else value
        self.entries = found

    @classmethod
    def prepared(cls, entries: Mapping[str, ContextValue]) -> Context:
        """A context of names that are in lower case already and of lists that are not empty: the caller sees to it."""
        made = cls.__new__(cls)
        made.entries = entries  # type: ignore[misc]  # this is the other constructor
        return made

    def get(self, key: str) -> ContextValue | None:
        """The value of a key, whose case does not matter; None when it is absent."""
        return self.entries.get(key.lower())

    def __repr__(self) -> str:
        return f"Context({', '.join(sorted(self.entries))})"  # values may be claims, which are not printed


def _many(value: ContextValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


EMPTY_CONTEXT: Final = Context()


class Request(msgspec.Struct, frozen=True):
    """
    One action on one resource.

    - ``action``: ``service:Name``, in any case.
    - ``resource``: a concrete ARN, or ``*`` for actions without resources.
    - ``resource_account``: the 12-digit owner of the resource, also where the ARN has no account.
    - ``long_term_credentials``: signed with an access key of a user or root, not with a session's.
    """

    action: str
    resource: str
    resource_account: str
    principal: Principal
    context: Context = EMPTY_CONTEXT
    long_term_credentials: bool = False


class NamedPolicy(msgspec.Struct, frozen=True):
    """
    A policy and the name it has in explanations: ``inline:ReadRaw``, or an ARN.

    ``principal_ids`` says which unique id each of ``policy.principal_arns`` stood for when the document was saved (None, or
    absent from the mapping: nobody). Without a mapping, users are compared by ARN, and roles by account and name.
    """

    name: str
    policy: Policy
    principal_ids: ResolvedIds | None = None


class Level(msgspec.Struct, frozen=True):
    """The organisation policies attached to the root, one unit, or the account."""

    name: str
    policies: tuple[NamedPolicy, ...] = ()


class Layers(msgspec.Struct, frozen=True):
    """
    The policies that may apply to a request. What is absent is None; an empty tuple is a layer that allows nothing.

    - ``identity``: of the user and its groups, or of the role. A ``PolicySet`` is fastest for many policies.
    - ``boundary``: the permissions boundary of the user, or of the session's role.
    - ``session``: the policies passed when the session was issued; None when none were.
    - ``resource``: the resource's own policy; a role's trust policy for the role-assumption actions.
    - ``scps``: by level, root first, when the caller's account is a member of an organisation; None otherwise.
    - ``rcps``: by level, when the resource's account is a member; None otherwise.
    - ``rcp_services``: the services that resource control policies apply to.
    - ``vpc_endpoint``: the policy of the endpoint that the request came through.
    - ``explicit_trust_required``: the resource's policy must name the caller or its account (role trust, KMS keys).
    - ``service_linked_role``: the caller is a session of a service-linked role, which organisation policies leave alone.
    - ``not_principal_all_links``: exempt from a NotPrincipal only callers of whom every link is listed.
    """

    identity: tuple[NamedPolicy, ...] = ()
    boundary: NamedPolicy | None = None
    session: tuple[NamedPolicy, ...] | None = None
    resource: NamedPolicy | None = None
    scps: tuple[Level, ...] | None = None
    rcps: tuple[Level, ...] | None = None
    vpc_endpoint: NamedPolicy | None = None
    explicit_trust_required: bool = False
    service_linked_role: bool = False
    not_principal_all_links: bool = False
    rcp_services: frozenset[str] = RCP_SERVICES


class Layer(enum.Enum):
    """Where a decision came from, by the name used in explanations."""

    OPERATION = "operation"
    """A rule of the operation itself, which no policy changes."""
    SCP = "scp"
    RCP = "rcp"
    VPC_ENDPOINT = "vpce"
    RESOURCE = "resource"
    TRUST = "trust"
    """The resource policy of a role."""
    BOUNDARY = "boundary"
    SESSION = "session"
    IDENTITY = "identity"


class Outcome(enum.Enum):
    """The three decisions, by their names in the IAM API."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


class Cause(msgspec.Struct, frozen=True):
    """
    What denied: the layer, and for an explicit deny the statement.

    ``level`` is the organisation level; ``statement`` counts from 0 in the document, ``sid`` is empty when it has none.
    """

    layer: Layer
    explicit: bool
    level: str | None = None
    policy: str | None = None
    sid: str | None = None
    statement: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """An outcome with its cause (None when allowed) and the class of the resource policy's grant."""

    outcome: Outcome
    cause: Cause | None = None
    grant: Grant = Grant.NONE

    @property
    def allowed(self) -> bool:
        """Whether the request may go ahead."""
        return self.outcome is Outcome.ALLOWED

    def __bool__(self) -> NoReturn:
        raise TypeError("a Decision is not a truth value; ask for .allowed")
