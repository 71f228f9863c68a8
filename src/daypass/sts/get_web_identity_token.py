# SPDX-License-Identifier: Apache-2.0
"""
GetWebIdentityToken (STS API): a signed token that says who the caller is, for services that know nothing of AWS's signatures
(IAM User Guide, "Understanding token claims").

Who may have one has been decided before: ``sts:GetWebIdentityToken``, and ``sts:TagGetWebIdentityToken`` where tags are passed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from daypass.access import Caller, Permitted
from daypass.access.organization import place_in_organization
from daypass.access.passed import Tags, check_tags
from daypass.awsapi.parameters import Parameters, optional_integer, tag_list, text, texts
from daypass.clock import iso8601
from daypass.errors import Reason, RequestError
from daypass.identity import ContextValue
from daypass.issuer.documents import STS_CLAIMS
from daypass.issuer.signing import ALGORITHMS, Algorithm
from daypass.principal import RoleSession
from daypass.store import View
from daypass.sts.service import Sts

DEFAULT_SECONDS: Final = 300
"""STS API, GetWebIdentityToken: DurationSeconds."""


async def get_web_identity_token(sts: Sts, permitted: Permitted, parameters: Mapping[str, Any]) -> Mapping[str, object]:
    """
    In this order:

    1. the algorithm is one that there is, and tags are such as may be passed to a session;
    2. the token does not outlive the session it is asked for with, so that it lends nobody more time;
    3. the claims are gathered, from the caller as it stands now, and signed by the account's issuer.
    """
    caller, issued_at = permitted.caller, int(permitted.facts.now)
    algorithm, tags = _algorithm(text(parameters, "SigningAlgorithm")), tag_list(parameters)
    check_tags(tags)
    expires_at = issued_at + _seconds(parameters)
    if caller.session is not None and expires_at > caller.session.expires_at:
        message = "The requested token duration would extend the session beyond its original expiration time."
        raise RequestError(Reason.ISSUED_TOKEN_OUTLIVES_SESSION, message)
    audiences = tuple(dict.fromkeys(texts(parameters, "Audience")))
    claims = {
        "sub": _subject(caller),
        "aud": audiences[0] if len(audiences) == 1 else audiences,
        "iat": issued_at,
        "exp": expires_at,
        "jti": str(uuid.uuid4()),
        STS_CLAIMS: _sts_claims(caller, tags, permitted.view),
    }
    token = sts.issuer.sign(caller.principal.account, algorithm, claims, now=permitted.facts.now)
    return {"WebIdentityToken": token, "Expiration": expires_at}


def token_keys(parameters: Parameters) -> dict[str, ContextValue]:
    """The condition keys that only this operation has; the duration is the one that counts, where none was asked for."""
    return {
        "sts:identitytokenaudience": texts(parameters, "Audience"),
        "sts:signingalgorithm": text(parameters, "SigningAlgorithm"),
        "sts:durationseconds": str(_seconds(parameters)),
    }


def _seconds(parameters: Parameters) -> int:
    asked = optional_integer(parameters, "DurationSeconds")
    return DEFAULT_SECONDS if asked is None else asked


def _algorithm(name: str) -> Algorithm:
    for algorithm in ALGORITHMS:
        if name == algorithm:
            return algorithm
    message = f"SigningAlgorithm: expected one of {', '.join(ALGORITHMS)}."
    raise RequestError(Reason.INVALID_PARAMETER, message)


def _subject(caller: Caller) -> str:
    """The ARN of the user, or of the role and not of its session, as ``aws:PrincipalArn`` has it."""
    principal = caller.principal
    return principal.role_arn if isinstance(principal, RoleSession) else principal.arn


def _sts_claims(caller: Caller, tags: Tags, view: View) -> dict[str, object]:
    """What AWS's tokens say besides the standard claims. A claim that does not apply is absent."""
    account, session = caller.principal.account, caller.session
    claims: dict[str, object] = {
        "aws_account": account,
        "source_region": caller.region,
        "principal_id": _subject(caller),
    }
    place = place_in_organization(account, view)
    if place is not None:
        claims["org_id"], claims["ou_path"] = place[0], (place[1],)
    principal_tags = _principal_tags(caller)
    if principal_tags:
        claims["principal_tags"] = principal_tags
    if tags:
        claims["request_tags"] = dict(tags)
    if session is not None:
        claims["original_session_exp"] = iso8601(session.expires_at)
        if session.provider_arn is not None:
            claims["federated_provider"] = session.provider_arn
        if session.source_identity is not None:
            claims["source_identity"] = session.source_identity
    return claims


def _principal_tags(caller: Caller) -> dict[str, str]:
    """The tags of the user or role, and over them those of the session; of keys that differ in case only, the later's."""
    entity = caller.user if caller.user is not None else caller.role
    own = () if entity is None else entity.tags
    passed = () if caller.session is None else caller.session.tags
    effective = {key.lower(): (key, value) for key, value in (*own, *passed)}
    return dict(effective.values())
