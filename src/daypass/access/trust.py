# SPDX-License-Identifier: Apache-2.0
"""
Does this role trust whoever brought this proof (IAM User Guide, "Creating a role for OpenID Connect federation").

A role that does not exist and a role that does not trust are refused alike.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from daypass.access.context import RequestFacts, request_keys, request_tag_keys, resource_keys
from daypass.errors import AccessDeniedError, Reason
from daypass.identity import ContextValue, Identity
from daypass.policy import Context, Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.principal import FederatedCaller
from daypass.store import Role

ProofAction = Literal["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]


class Trusted(msgspec.Struct, frozen=True):
    """A verified identity and the role that trusts it: the one thing a session can be made from."""

    identity: Identity
    role: Role


def trust(
    identity: Identity, role: Role | None, *, action: ProofAction, session_name: str, facts: RequestFacts
) -> Trusted:
    """
    Ask the role's trust policy, for every action that the proof implies:

    1. the AssumeRole operation itself;
    2. ``sts:TagSession`` when the proof carries session tags;
    3. ``sts:SetSourceIdentity`` when it carries a source identity.

    Raises AccessDeniedError unless the role exists in the provider's account and all of them are allowed.
    **It does not look at the proof:** only a verifier can make an ``Identity``.
    """
    if role is None or role.account != identity.account:
        raise _denied(action)
    layers = Layers(resource=trust_policy_of(role), explicit_trust_required=True)
    context = Context.prepared(_keys(identity, role, session_name, facts))
    for needed in _actions(action, identity):
        request = Request(needed, role.arn, role.account, FederatedCaller(identity.provider_arn), context)
        if not decide(request, layers).allowed:
            raise _denied(needed)
    return Trusted(identity, role)


def trust_policy_of(role: Role) -> NamedPolicy:
    """Whom a role trusts, with the unique ids that its principals had when the policy was written."""
    return NamedPolicy("role trust policy", compile_policy(role.trust_policy, Kind.TRUST), dict(role.trust_principals))


def _actions(action: ProofAction, identity: Identity) -> list[str]:
    actions: list[str] = [action]
    if identity.session_tags:
        actions.append("sts:TagSession")
    if identity.source_identity is not None:
        actions.append("sts:SetSourceIdentity")
    return actions


def _keys(identity: Identity, role: Role, session_name: str, facts: RequestFacts) -> dict[str, ContextValue]:
    # The claims first: whatever a provider names its claims, it cannot write over a key that we set.
    keys = dict(identity.context)
    keys.update(request_keys(facts))
    keys.update(resource_keys(role.account, role.tags, iam=True))
    keys.update(request_tag_keys(identity.session_tags))
    keys["sts:rolesessionname"] = session_name
    if identity.source_identity is not None:
        keys["sts:sourceidentity"] = identity.source_identity
    if identity.transitive_tag_keys:
        keys["sts:transitivetagkeys"] = identity.transitive_tag_keys
    return keys


def _denied(action: str) -> AccessDeniedError:
    return AccessDeniedError(Reason.NOT_TRUSTED, f"Not authorized to perform {action}")
