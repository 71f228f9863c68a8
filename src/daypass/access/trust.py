# SPDX-License-Identifier: Apache-2.0
"""
Does this role trust whoever brought this proof (IAM User Guide, "Creating a role for OpenID Connect federation").

A role that does not exist and a role that does not trust are refused alike.
"""

from __future__ import annotations

import functools
from typing import Final, Literal

import msgspec

from daypass.access.context import RequestFacts, request_keys, request_tag_keys, resource_keys
from daypass.errors import AccessDeniedError, Reason
from daypass.identity import ContextValue, Identity
from daypass.policy import Context, Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.principal import FederatedCaller
from daypass.store import Role

_OURS: Final = ("aws:", "iam:", "sts:")
"""How the keys begin that come from us, not from a claim; no provider can be registered under such a name."""

UNSIGNED_REGION: Final = "us-east-1"
"""What an unsigned request asked for: the region of the global endpoint of STS. Only a signature names another."""

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
    layers, asked = _layers_of(role.trust_policy, role.trust_principals)
    if asked is None:
        context = Context.prepared(_keys(identity, role, session_name, facts))
    else:
        claims = identity.context
        context = Context.prepared({key: claims[key] for key in asked if key in claims})
    for needed in _actions(action, identity):
        request = Request(needed, role.arn, role.account, FederatedCaller(identity.provider_arn), context)
        if not decide(request, layers).allowed:
            raise _denied(needed)
    return Trusted(identity, role)


def trust_policy_of(role: Role) -> NamedPolicy:
    """Whom a role trusts, with the unique ids that its principals had when the policy was written."""
    policy = _layers_of(role.trust_policy, role.trust_principals)[0].resource
    if policy is None:
        raise TypeError("a role without a trust policy")
    return policy


@functools.lru_cache(maxsize=4096)
def _layers_of(document: str, principals: tuple[tuple[str, str], ...]) -> tuple[Layers, tuple[str, ...] | None]:
    """
    A trust policy, ready to be asked, and the keys it asks about when all of them are claims; None when some are ours.

    A policy that asks about claims only, as most do, is shown claims only: making every key there is takes longer than
    the decision.
    """
    policy = NamedPolicy("role trust policy", compile_policy(document, Kind.TRUST), dict(principals))
    asked = tuple(key.lower() for key in policy.policy.context_keys)
    layers = Layers(resource=policy, explicit_trust_required=True)
    return layers, None if any(key.startswith(_OURS) for key in asked) else asked


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
    keys["aws:requestedregion"] = UNSIGNED_REGION
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
