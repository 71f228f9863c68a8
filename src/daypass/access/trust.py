# SPDX-License-Identifier: Apache-2.0
"""
Does this role trust whoever brought this proof, or asks with these credentials (IAM User Guide, "Creating a role for OpenID
Connect federation", "Using IAM roles").

A role that does not exist and a role that does not trust are refused alike, and after the same work: for the one that is not
there, a trust policy is asked that trusts nobody.
"""

from __future__ import annotations

import functools
import json
from typing import Final, Literal

import msgspec

from daypass.access.authorize import Permitted, denied_by
from daypass.access.context import (
    RequestFacts,
    organization_keys,
    request_keys,
    request_tag_keys,
    resource_keys,
)
from daypass.access.evidence import evidence_of
from daypass.access.organization import is_closed, resource_control_policies
from daypass.access.passed import Before, Passed, assume_role_actions, check_passed, inherited_tags, who_was_before
from daypass.errors import AccessDeniedError, DeniedBy, Reason
from daypass.identity import ContextValue, Identity
from daypass.policy import Context, Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.principal import FederatedCaller, RoleSession
from daypass.store import Role, View

_OURS: Final = ("aws:", "iam:", "sts:")
"""How the keys begin that come from us, not from a claim; no provider can be registered under such a name."""

UNSIGNED_REGION: Final = "us-east-1"
"""What an unsigned request asked for: the region of the global endpoint of STS. Only a signature names another."""

ProofAction = Literal["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]


class Trusted(msgspec.Struct, frozen=True):
    """
    A role, and what whoever it trusts brings to its session: the one thing a role session can be made from.

    - ``provider_arn``, ``subject``: of the proof; None where a caller with credentials asked.
    - ``tags``, ``transitive_tag_keys``, ``source_identity``: of the proof, or passed and inherited.
    - ``before``: who was before; ``mfa_at``: the second factor.
    - ``not_after``: the instant that the session may not outlive; ``chained``: the caller is itself a role session.
    """

    role: Role
    provider_arn: str | None = None
    subject: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    before: Before = Before()
    mfa_at: int | None = None
    not_after: int | None = None
    chained: bool = False


def trust(
    identity: Identity, role: Role | None, *, action: ProofAction, session_name: str, facts: RequestFacts, view: View
) -> Trusted:
    """
    Ask the role's trust policy, and the resource control policies of its account, for every action that the proof implies:

    1. the AssumeRole operation itself;
    2. ``sts:TagSession`` when the proof carries session tags;
    3. ``sts:SetSourceIdentity`` when it carries a source identity.

    Raises AccessDeniedError unless the role exists in the provider's account, which is open, and all of them are allowed.
    **It does not look at the proof:** only a verifier can make an ``Identity``.
    """
    account = identity.account
    there = role is not None and role.account == account and not is_closed(account, view)
    if role is None or not there:
        role = _stand_in(identity)
    layers, asked = _layers_of(role.trust_policy, role.trust_principals)
    rcps = resource_control_policies(account, view)
    if rcps is not None:
        layers, asked = msgspec.structs.replace(layers, rcps=rcps), None
    if asked is None:
        context = Context.prepared(_keys(identity, role, session_name, facts, view))
    else:
        claims = identity.context
        context = Context.prepared({key: claims[key] for key in asked if key in claims})
    for needed in _actions(action, identity):
        request = Request(needed, role.arn, role.account, FederatedCaller(identity.provider_arn), context)
        decision = decide(request, layers)
        if not decision.allowed:
            error = _denied(needed, denied_by(decision))
            if there:
                error.kept = functools.partial(evidence_of, request, layers)
            raise error
    if not there:
        raise _denied(action)
    return Trusted(
        role,
        identity.provider_arn,
        identity.subject,
        tuple(identity.session_tags.items()),
        identity.transitive_tag_keys,
        identity.source_identity,
        not_after=identity.not_after,
    )


def trust_caller(permitted: Permitted, role: Role, passed: Passed) -> Trusted:
    """
    What a caller with credentials brings to a session of a role (STS API, AssumeRole). The pipeline has permitted
    ``sts:AssumeRole`` on this role, and whatever else ``assume_role_actions`` names; here that is held.

    1. Permission was for this role, and for every action that the request implies.
    2. Inherited transitive tags cannot be passed again; a transitive key is the key of a tag that is passed.
    3. A source identity, once set, stays.

    Raises AccessDeniedError or RequestError.
    """
    caller = permitted.caller
    if permitted.resource != role.arn or not permitted.actions >= set(assume_role_actions(caller, passed)):
        raise _denied("sts:AssumeRole")
    session = caller.session
    inherited = inherited_tags(session)
    check_passed(session, passed)
    return Trusted(
        role=role,
        tags=(*inherited, *passed.tags),
        transitive_tag_keys=(*(key for key, _ in inherited), *passed.transitive_tag_keys),
        source_identity=passed.source_identity or (None if session is None else session.source_identity),
        before=who_was_before(caller),
        mfa_at=caller.mfa_at,
        not_after=None if session is None else session.expires_at,
        chained=isinstance(caller.principal, RoleSession),
    )


def trust_policy_of(role: Role | None) -> NamedPolicy:
    """
    Whom a role trusts, with the unique ids that its principals had when the policy was written. A role that is not there trusts
    nobody: its policy takes as long to ask as another's.
    """
    document, principals = (_NOBODY, ()) if role is None else (role.trust_policy, role.trust_principals)
    policy = _layers_of(document, principals)[0].resource
    if policy is None:
        raise TypeError("a role without a trust policy")
    return policy


_NOBODY: Final = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"AWS":"AROA00000000000000000"}}}'
)
"""Trusts a unique id that no role has ever had: ours have no digit 0."""


def _stand_in(identity: Identity) -> Role:
    """
    A role that is asked in the place of one that is not there: it trusts the provider, as the roles do that a token is tried
    with, and has conditions on audience and subject, as they have. Whatever it says, nobody gets it.
    """
    return _stand_in_of(identity.account, identity.provider_arn, identity.audience)


@functools.lru_cache(maxsize=256)
def _stand_in_of(account: str, provider_arn: str, audience: str) -> Role:
    issuer = provider_arn.partition("/")[2]
    condition = {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": "nobody"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        "Condition": condition,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return Role(account, "/", "-", "", None, 0, document, (), 0)


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


def _keys(
    identity: Identity, role: Role, session_name: str, facts: RequestFacts, view: View
) -> dict[str, ContextValue]:
    # The claims first: whatever a provider names its claims, it cannot write over a key that we set.
    keys = dict(identity.context)
    keys.update(request_keys(facts))
    keys["aws:requestedregion"] = UNSIGNED_REGION
    keys.update(resource_keys(role.account, role.tags, iam=True))
    keys.update(organization_keys(None, role.account, view))
    keys.update(request_tag_keys(identity.session_tags))
    keys["sts:rolesessionname"] = session_name
    if identity.source_identity is not None:
        keys["sts:sourceidentity"] = identity.source_identity
    if identity.transitive_tag_keys:
        keys["sts:transitivetagkeys"] = identity.transitive_tag_keys
    return keys


def _denied(action: str, by: DeniedBy = "trust") -> AccessDeniedError:
    return AccessDeniedError(Reason.NOT_TRUSTED, f"Not authorized to perform {action}", by)
