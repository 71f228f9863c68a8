# SPDX-License-Identifier: Apache-2.0
"""
The condition keys that a request brings into a decision (IAM User Guide, "AWS global condition context keys").

A key that does not apply is absent, never empty, and every name is in lower case, as ``Context.prepared`` wants them.
``KEYS`` has a row for every key that is ever set here; keys of a verified proof (``<issuer>:<claim>``) come with the
``Identity`` and have a prefix of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

import msgspec

from daypass.access.organization import organization, place_in_organization
from daypass.clock import iso8601
from daypass.identity import ContextValue
from daypass.principal import AccountPrincipal, FederatedUser, RoleSession, Root, User
from daypass.sessions import Session
from daypass.store import View

KEYS: Final[Mapping[str, str]] = {
    "aws:currenttime": "always",
    "aws:epochtime": "always",
    "aws:securetransport": "always",
    "aws:requestedregion": "always: the region of the credential scope; us-east-1 for unsigned requests",
    "aws:useragent": "when the header was sent",
    "aws:referer": "when the header was sent",
    "aws:sourceip": "always, unless the peer's address is unknown",
    "aws:viaawsservice": "always: false, nothing calls on a caller's behalf",
    "aws:principalarn": "callers with credentials; a role session has the role's ARN",
    "aws:principalaccount": "callers with credentials",
    "aws:principaltype": "callers with credentials",
    "aws:principalisawsservice": "callers with credentials: false",
    "aws:userid": "callers with credentials",
    "aws:username": "IAM users only",
    "aws:principaltag/*": "tags of the user, or of the role and the session",
    "aws:federatedprovider": "sessions made from a web identity or a SAML assertion",
    "aws:tokenissuetime": "temporary credentials only",
    "aws:multifactorauthpresent": "temporary credentials; and requests that bring a code themselves",
    "aws:multifactorauthage": "when MFA was used",
    "aws:sourceidentity": "sessions with a source identity",
    "aws:assumedroot": "sessions of AssumeRoot: true",
    "aws:principalorgid": "callers whose account is in the organisation",
    "aws:principalorgpaths": "callers whose account is in the organisation",
    "aws:resourceorgid": "resources of accounts in the organisation",
    "aws:resourceorgpaths": "resources of accounts in the organisation",
    "aws:resourceaccount": "always",
    "aws:resourcetag/*": "tags of the entity that is the resource",
    "iam:resourcetag/*": "tags of the IAM entity that is the resource",
    "aws:requesttag/*": "tags that the request would put on the resource or the session",
    "aws:tagkeys": "when the request passes tags or tag keys",
    "iam:permissionsboundary": "CreateUser, CreateRole, Put*PermissionsBoundary: the boundary that is passed; other writes of"
    " policies and boundaries of a user or role: the one it has",
    "iam:policyarn": "Attach*Policy, Detach*Policy",
    "iam:passedtoservice": "PassRole: the service that the role is given to",
    "iam:associatedresourcearn": "PassRole by AddRoleToInstanceProfile: every instance of the account",
    "iam:accountpropertynamespaces": "GetAccountProperties, PutAccountProperties: the namespaces",
    "iam:awsservicename": "service-linked roles: the service",
    "iam:servicespecificcredentialservicename": "writes of service-specific credentials: the service",
    "iam:servicespecificcredentialagedays": "CreateServiceSpecificCredential, when it is to expire",
    "iam:delegationduration": "CreateDelegationRequest: seconds",
    "iam:notificationchannel": "CreateDelegationRequest",
    "iam:templatearn": "CreateDelegationRequest, when it names a template",
    "iam:delegationrequestowner": "delegation requests that have an owner; ListDelegationRequests, when it names one",
    "sts:externalid": "AssumeRole, when it is passed",
    "sts:taskpolicyarn": "AssumeRoot: the policy of the task",
    "sts:rolesessionname": "AssumeRole*",
    "sts:sourceidentity": "AssumeRole*, when one is set",
    "sts:transitivetagkeys": "AssumeRole*, when keys are passed",
    "sts:identitytokenaudience": "GetWebIdentityToken: every audience",
    "sts:signingalgorithm": "GetWebIdentityToken",
    "sts:durationseconds": "GetWebIdentityToken: the seconds asked for, or 300",
}
"""Every key set from here, lower-cased, with its presence rule; ``*`` stands for a tag key."""


class RequestFacts(msgspec.Struct, frozen=True):
    """
    What is known of a request before anything is known of its caller.

    ``now`` is the instant it was received; ``source_ip`` the client's address after trusted proxies; ``secure`` whether
    it came over TLS.
    """

    now: float
    source_ip: str | None
    secure: bool
    user_agent: str | None = None
    referer: str | None = None


def request_keys(facts: RequestFacts) -> dict[str, ContextValue]:
    """The keys that every request has, whoever sent it."""
    keys: dict[str, ContextValue] = {
        "aws:currenttime": iso8601(facts.now),
        "aws:epochtime": str(int(facts.now)),
        "aws:securetransport": "true" if facts.secure else "false",
        "aws:viaawsservice": "false",
    }
    if facts.source_ip is not None:
        keys["aws:sourceip"] = facts.source_ip
    if facts.user_agent:
        keys["aws:useragent"] = facts.user_agent
    if facts.referer:
        keys["aws:referer"] = facts.referer
    return keys


def principal_keys(principal: AccountPrincipal) -> dict[str, ContextValue]:
    """The keys that say who the caller is."""
    keys: dict[str, ContextValue] = {
        "aws:principalarn": principal.role_arn if isinstance(principal, RoleSession) else principal.arn,
        "aws:principalaccount": principal.account,
        "aws:principaltype": _PRINCIPAL_TYPES[type(principal)],
        "aws:principalisawsservice": "false",
        "aws:userid": principal.user_id,
    }
    if isinstance(principal, User):
        keys["aws:username"] = principal.name
    return keys


_PRINCIPAL_TYPES: Final = {
    Root: "Account",
    User: "User",
    RoleSession: "AssumedRole",
    FederatedUser: "FederatedUser",
}


@functools.lru_cache(maxsize=1024)  # callers ask again and again; all that these are made from is in the key
def caller_keys(
    principal: AccountPrincipal, session: Session | None, own_tags: tuple[tuple[str, str], ...]
) -> Mapping[str, ContextValue]:
    """The keys that a caller brings to every request, whenever: who it is, its tags as they are now, and its session."""
    keys = principal_keys(principal)
    keys.update(principal_tag_keys(own_tags) if session is None else session_keys(session, own_tags))
    return keys


def session_keys(session: Session, own_tags: tuple[tuple[str, str], ...]) -> dict[str, ContextValue]:
    """
    The keys that temporary credentials bring: what was sealed at issue, and the tags of the role or user as they are now. Those
    of a second factor depend on the time: ``mfa_keys``.
    """
    keys: dict[str, ContextValue] = {
        "aws:tokenissuetime": iso8601(session.issued_at),
        "aws:multifactorauthpresent": "false",
    }
    if session.kind == "root":
        keys["aws:assumedroot"] = "true"
    if session.provider_arn is not None:
        keys["aws:federatedprovider"] = session.provider_arn
    if session.source_identity is not None:
        keys["aws:sourceidentity"] = session.source_identity
    # A tag passed for the session overrides the role's or user's tag of the same key, whatever the case of either.
    keys.update(principal_tag_keys((*own_tags, *session.tags)))
    return keys


def mfa_keys(mfa_at: int, now: float) -> dict[str, ContextValue]:
    """The keys of a second factor that was shown at an instant."""
    return {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": str(max(0, int(now) - mfa_at))}


def organization_keys(caller: str | None, resource: str, view: View) -> dict[str, ContextValue]:
    """
    Where the accounts of the caller and of the resource stand in the organisation; nothing without one.

    ``caller`` is None for callers of no account: those who bring a proof.
    """
    if organization(view) is None:
        return {}
    keys: dict[str, ContextValue] = {}
    for name, account in (("principal", caller), ("resource", resource)):
        place = None if account is None else place_in_organization(account, view)
        if place is not None:
            keys[f"aws:{name}orgid"], keys[f"aws:{name}orgpaths"] = place[0], (place[1],)
    return keys


def principal_tag_keys(tags: tuple[tuple[str, str], ...]) -> dict[str, ContextValue]:
    """The tags of the caller; of two with the same key but for case, the later."""
    return {f"aws:principaltag/{key.lower()}": value for key, value in tags}


def request_tag_keys(tags: Mapping[str, str]) -> dict[str, ContextValue]:
    """The keys of tags that a request passes; none when it passes none."""
    if not tags:
        return {}
    keys: dict[str, ContextValue] = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    keys["aws:tagkeys"] = tuple(tags)
    return keys


def resource_keys(account: str, tags: tuple[tuple[str, str], ...], *, iam: bool) -> dict[str, ContextValue]:
    """The keys of the resource: its account and its tags, which IAM's resources show under two names."""
    keys: dict[str, ContextValue] = {"aws:resourceaccount": account}
    for key, value in tags:
        keys[f"aws:resourcetag/{key.lower()}"] = value
        if iam:
            keys[f"iam:resourcetag/{key.lower()}"] = value
    return keys
