# SPDX-License-Identifier: Apache-2.0
"""
May the caller: the policies that apply are gathered here, and ``daypass.policy`` decides.

One function for every door. Permissions are read live from the role; session policies are as they were at issue.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from daypass.access.authenticate import Caller
from daypass.access.context import (
    RequestFacts,
    mfa_keys,
    organization_keys,
    request_keys,
)
from daypass.access.evidence import evidence_of
from daypass.access.fitness import refuse_unfit
from daypass.access.own_side import OwnSide, own_side
from daypass.access.resource import Resource, Tags
from daypass.errors import AccessDeniedError, DeniedBy, Reason
from daypass.identity import ContextValue
from daypass.policy import (
    Context,
    Decision,
    Layer,
    Layers,
    Request,
    denial_message,
)
from daypass.policy.evaluate import decide_by_operation, decide_by_policies
from daypass.store import View


class Permitted(msgspec.Struct, frozen=True):
    """
    A caller who may do this to that: the one thing an operation that needs permission can be called with.

    ``actions`` are all that were permitted on this resource in this request, ``action`` among them.
    ``view`` is what is stored, as it was decided by: who acts by that, acts on what was decided.
    ``resource_tags`` are the tags it was decided by. A write that finds others asks again, with ``decide_again``, which
    raises AccessDeniedError: what was permitted a moment ago may not be now.
    """

    caller: Caller
    action: str
    resource: str
    facts: RequestFacts
    resource_tags: Tags
    decide_again: Callable[[Tags], None]
    actions: frozenset[str] = frozenset()
    view: View = View()

    def with_tags(self, now: Tags) -> None:
        """See to it that the permission holds for the tags that the resource has now. Raises AccessDeniedError."""
        if now != self.resource_tags:
            self.decide_again(now)

    def together_with(self, others: Iterable[Permitted]) -> Permitted:
        """This permission, and those for the same resource among the others."""
        more = {other.action for other in others if other.resource == self.resource}
        return msgspec.structs.replace(self, actions=self.actions | more) if more else self

    def __repr__(self) -> str:
        return f"Permitted({self.caller.principal.arn!r}, {self.action!r}, {self.resource!r})"


def authorize(
    caller: Caller,
    action: str,
    resource: Resource,
    *,
    facts: RequestFacts,
    view: View,
    keys: Callable[[Tags], Mapping[str, ContextValue]],
) -> Permitted:
    """
    Decide one action on one resource, by the policies of ``view``. ``keys`` makes the condition keys that this operation
    adds, from the resource's tags.

    Raises AccessDeniedError with AWS's sentence; or, for credentials that cannot do this at all, what ``fitness`` raises.
    Default deny: no policy, no permission.
    """
    refuse_unfit(caller, action)

    def decide_for(tags: Tags) -> None:
        long_term = caller.session is None
        asked = Request(action, resource.arn, resource.account, caller.principal, long_term_credentials=long_term)
        decision = decide_by_operation(asked)  # where no policy is asked, no context is made
        if decision is not None:
            if not decision.allowed:
                raise _denied(asked, decision, resource, Layers())
            return
        own = own_side(caller, view)
        context = _context(caller, own, facts, view, resource.account, keys(tags))
        request = Request(action, resource.arn, resource.account, caller.principal, context, long_term)
        layers = own.layers_for(resource, view)
        decision = decide_by_policies(request, layers)
        if not decision.allowed:
            raise _denied(request, decision, resource, layers)

    if not own_side(caller, view).permits(action, resource):
        decide_for(resource.tags)
    return Permitted(caller, action, resource.arn, facts, resource.tags, decide_for, frozenset((action,)), view)


def _denied(request: Request, decision: Decision, resource: Resource, layers: Layers) -> AccessDeniedError:
    """The denial with its evidence; where the reason is not told, there is none: its length would tell."""
    named = request if resource.shown is None else msgspec.structs.replace(request, resource=resource.shown)
    message = denial_message(named, decision, reasonless=resource.reasonless)
    error = AccessDeniedError(Reason.NOT_AUTHORIZED, message, denied_by(decision))
    error.kept = functools.partial(evidence_of, request, layers)
    if not resource.reasonless:
        error.evidence = error.kept
    return error


def denied_by(decision: Decision) -> DeniedBy:
    """What a denial is put down to, in metrics and in the audit trail."""
    cause = decision.cause
    if cause is None:
        return "operation"
    return "explicit_deny" if cause.explicit else _SILENT[cause.layer]


_SILENT: Final[Mapping[Layer, DeniedBy]] = {
    Layer.OPERATION: "operation",
    Layer.SCP: "scp",
    Layer.RCP: "rcp",
    Layer.VPC_ENDPOINT: "vpce",
    Layer.RESOURCE: "resource",
    Layer.TRUST: "trust",
    Layer.BOUNDARY: "boundary",
    Layer.SESSION: "session",
    Layer.IDENTITY: "identity",
}


def layers_of(caller: Caller, resource: Resource, view: View) -> Layers:
    """
    The policies that bound a caller: those of the user or role as they are now, those of the session as sealed, those of the
    organisation above the caller's account and the resource's, and the resource's own.
    """
    return own_side(caller, view).layers_for(resource, view)


def _context(
    caller: Caller,
    own: OwnSide,
    facts: RequestFacts,
    view: View,
    resource_account: str,
    keys: Mapping[str, ContextValue],
) -> Context:
    values = request_keys(facts)
    values.update(own.keys)
    session = caller.session
    if session is not None and session.mfa_at is not None:
        values.update(mfa_keys(session.mfa_at, facts.now))
    if caller.mfa_at is not None:
        values.update(mfa_keys(caller.mfa_at, facts.now))
    if not own.alone:
        values.update(organization_keys(caller.principal.account, resource_account, view))
    values.update(keys)
    return Context.prepared(values)
