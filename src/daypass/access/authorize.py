# SPDX-License-Identifier: Apache-2.0
"""
May the caller: the policies that apply are gathered here, and ``daypass.policy`` decides.

One function for every door. Permissions are read live from the role; session policies are as they were at issue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from daypass.access.authenticate import Caller
from daypass.access.context import RequestFacts, principal_keys, principal_tag_keys, request_keys, session_keys
from daypass.access.policies import boundary_of, identity_policies
from daypass.errors import AccessDeniedError, Reason
from daypass.identity import ContextValue
from daypass.policy import (
    Context,
    Kind,
    Layers,
    NamedPolicy,
    Request,
    compile_policy,
    decide,
    denial_message,
)
from daypass.policy.evaluate import decide_by_operation
from daypass.store import View

Tags = tuple[tuple[str, str], ...]


class Permitted(msgspec.Struct, frozen=True):
    """
    A caller who may do this to that: the one thing an operation that needs permission can be called with.

    ``resource_tags`` are the tags it was decided by. A write that finds others asks again, with ``decide_again``, which
    raises AccessDeniedError: what was permitted a moment ago may not be now.
    """

    caller: Caller
    action: str
    resource: str
    facts: RequestFacts
    resource_tags: Tags
    decide_again: Callable[[Tags], None]

    def with_tags(self, now: Tags) -> None:
        """See to it that the permission holds for the tags that the resource has now. Raises AccessDeniedError."""
        if now != self.resource_tags:
            self.decide_again(now)

    def __repr__(self) -> str:
        return f"Permitted({self.caller.principal.arn!r}, {self.action!r}, {self.resource!r})"


def authorize(
    caller: Caller,
    *,
    action: str,
    resource: str,
    resource_account: str,
    facts: RequestFacts,
    view: View,
    keys: Callable[[Tags], Mapping[str, ContextValue]],
    shown: str | None = None,
    resource_tags: Tags = (),
) -> Permitted:
    """
    Decide one action on one resource, by the policies of ``view``. ``keys`` makes the condition keys that this operation
    adds, from the resource's tags; ``shown`` is what a denial calls the resource, where that is not its ARN.

    Raises AccessDeniedError with AWS's sentence. Default deny: no policy, no permission.
    """
    long_term = caller.session is None

    def decide_for(tags: Tags) -> None:
        request = Request(action, resource, resource_account, caller.principal, long_term_credentials=long_term)
        decision = decide_by_operation(request)  # where no policy is asked, no context is made
        if decision is None:
            context = _context(caller, facts, keys(tags))
            request = Request(action, resource, resource_account, caller.principal, context, long_term)
            decision = decide(request, layers_of(caller, view))
        if not decision.allowed:
            named = request if shown is None else msgspec.structs.replace(request, resource=shown)
            raise AccessDeniedError(Reason.NOT_AUTHORIZED, denial_message(named, decision))

    decide_for(resource_tags)
    return Permitted(caller, action, resource, facts, resource_tags, decide_for)


def layers_of(caller: Caller, view: View) -> Layers:
    """The policies that bound a caller: those of the user or role as they are now, and those of the session as sealed."""
    entity = caller.user if caller.user is not None else caller.role
    if entity is None:
        return Layers()  # root
    identity, boundary = identity_policies(entity, view), boundary_of(entity, view)
    session = caller.session
    if session is None or session.policy is None:
        return Layers(identity=identity, boundary=boundary)
    inline = NamedPolicy("session policy", compile_policy(session.policy, Kind.SESSION))
    return Layers(identity=identity, boundary=boundary, session=(inline,))


def _context(caller: Caller, facts: RequestFacts, keys: Mapping[str, ContextValue]) -> Context:
    values = request_keys(facts)
    values["aws:requestedregion"] = caller.region
    values.update(principal_keys(caller.principal))
    if caller.session is not None:
        role_tags = () if caller.role is None else caller.role.tags
        values.update(session_keys(caller.session, role_tags, facts.now))
    if caller.user is not None:
        values.update(principal_tag_keys(caller.user.tags))
    values.update(keys)
    return Context.prepared(values)
