# SPDX-License-Identifier: Apache-2.0
"""
May the caller: the policies that apply are gathered here, and ``daypass.policy`` decides.

One function for every door. Permissions are read live from the role; session policies are as they were at issue.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import msgspec

from daypass.access.authenticate import Caller
from daypass.access.context import RequestFacts, principal_keys, request_keys, session_keys
from daypass.errors import AccessDeniedError, Reason
from daypass.identity import ContextValue
from daypass.policy import (
    Context,
    Kind,
    Layers,
    NamedPolicy,
    PolicySet,
    Request,
    compile_policy,
    decide,
    denial_message,
)
from daypass.policy.evaluate import decide_by_operation
from daypass.store import Role

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
    keys: Callable[[Tags], Mapping[str, ContextValue]],
    shown: str | None = None,
    resource_tags: Tags = (),
) -> Permitted:
    """
    Decide one action on one resource. ``keys`` makes the condition keys that this operation adds, from the resource's
    tags; ``shown`` is what a denial calls the resource, where that is not its ARN.

    Raises AccessDeniedError with AWS's sentence. Default deny: no policy, no permission.
    """
    long_term = caller.session is None

    def decide_for(tags: Tags) -> None:
        request = Request(action, resource, resource_account, caller.principal, long_term_credentials=long_term)
        decision = decide_by_operation(request)  # where no policy is asked, no context is made
        if decision is None:
            context = _context(caller, facts, keys(tags))
            request = Request(action, resource, resource_account, caller.principal, context, long_term)
            decision = decide(request, layers_of(caller))
        if not decision.allowed:
            named = request if shown is None else msgspec.structs.replace(request, resource=shown)
            raise AccessDeniedError(Reason.NOT_AUTHORIZED, denial_message(named, decision))

    decide_for(resource_tags)
    return Permitted(caller, action, resource, facts, resource_tags, decide_for)


def layers_of(caller: Caller) -> Layers:
    """The policies that bound a caller: those of the role as they are now, and those of the session as sealed."""
    role, session = caller.role, caller.session
    identity = () if role is None else identity_policies(role)
    if session is None or session.policy is None:
        return Layers(identity=identity)
    inline = NamedPolicy("session policy", compile_policy(session.policy, Kind.SESSION))
    return Layers(identity=identity, session=(inline,))


def identity_policies(role: Role) -> tuple[NamedPolicy, ...]:
    """The policies that say what sessions of a role may do."""
    return _policy_set(role.inline_policies)


@functools.lru_cache(maxsize=4096)
def _policy_set(inline_policies: tuple[tuple[str, str], ...]) -> PolicySet:
    """One index over all policies of a role, kept for as long as nobody changes them."""
    return PolicySet(
        NamedPolicy(f"inline:{name}", compile_policy(text, Kind.IDENTITY)) for name, text in inline_policies
    )


def _context(caller: Caller, facts: RequestFacts, keys: Mapping[str, ContextValue]) -> Context:
    values = request_keys(facts)
    values["aws:requestedregion"] = caller.region
    values.update(principal_keys(caller.principal))
    if caller.session is not None:
        role_tags = () if caller.role is None else caller.role.tags
        values.update(session_keys(caller.session, role_tags, facts.now))
    values.update(keys)
    return Context.prepared(values)
