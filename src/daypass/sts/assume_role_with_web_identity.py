# SPDX-License-Identifier: Apache-2.0
"""
AssumeRoleWithWebIdentity (STS API): an OpenID Connect ID token becomes temporary credentials.

The request is not signed: the token is the proof. Nothing about the role, not even that it exists, is said before the
token has been verified and the role's trust policy has allowed its bearer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from daypass import jose
from daypass.access import RequestFacts, trust
from daypass.arn import Arn, is_account_id
from daypass.errors import ProofError, Reason, RequestError
from daypass.federation import RegisteredProvider
from daypass.store import View
from daypass.sts.assume import SessionWishes, assume
from daypass.sts.service import Sts


async def assume_role_with_web_identity(
    sts: Sts, facts: RequestFacts, current_view: Callable[[], View], parameters: Mapping[str, Any]
) -> Mapping[str, object]:
    """
    Flow B for a web identity, in this order:

    1. what is not offered is refused: ProviderId (OAuth 2.0 access tokens), managed session policies;
    2. the token is read, strictly, and its issuer looked up among the providers of the role's account;
    3. the token is verified against that provider's registration and keys;
    4. the role's trust policy is asked, as both stand now: verifying may have waited for the provider;
    5. the session is made and sealed.
    """
    _refuse_what_is_not_offered(parameters)
    account, name = _account_and_name(parameters["RoleArn"])
    view = current_view()
    token = jose.parse(parameters["WebIdentityToken"])
    provider = _provider(view, account, token)
    identity = await sts.oidc.identify(provider, token, now=facts.now)
    if current_view() is not view:
        view = current_view()
        if _provider(view, account, token) != provider:
            raise ProofError(Reason.PROVIDER_UNKNOWN, "The provider was registered anew meanwhile; try again.")
    role = view.roles.with_name(account, name)
    if role is not None and role.arn != parameters["RoleArn"]:
        role = None  # the name, but under another path
    session_name = parameters["RoleSessionName"]
    trusted = trust(identity, role, action="sts:AssumeRoleWithWebIdentity", session_name=session_name, facts=facts)
    wishes = SessionWishes(
        session_name,
        parameters.get("DurationSeconds"),
        parameters.get("Policy"),
        parameters.get("MinimumSessionTokenSize", 0),
    )
    assumed = assume(trusted, wishes, sessions=sts.sessions, now=facts.now)
    return {
        **assumed.members(),
        "SubjectFromWebIdentityToken": identity.subject,
        "Provider": identity.provider,
        "Audience": identity.audience,
        "SourceIdentity": identity.source_identity,
    }


def _refuse_what_is_not_offered(parameters: Mapping[str, object]) -> None:
    if "ProviderId" in parameters:
        message = (
            "ProviderId names a provider of OAuth 2.0 access tokens; do not specify it for an OpenID Connect ID token."
        )
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, message)
    if parameters.get("PolicyArns"):
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, "Managed session policies (PolicyArns) are not supported.")


@functools.lru_cache(maxsize=1024)
def _account_and_name(role_arn: str) -> tuple[str, str]:
    """The account and the name in a role's ARN. Raises RequestError when it is no role's ARN."""
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        arn = None
    if arn is None or arn.service != "iam" or not arn.resource.startswith("role/") or not is_account_id(arn.account):
        raise RequestError(Reason.INVALID_PARAMETER, "Request ARN is invalid")
    return arn.account, arn.name


def _provider(view: View, account: str, token: jose.UnverifiedToken) -> RegisteredProvider:
    """The provider of this account that the token claims to come from. Nothing is believed of the token yet."""
    unverified_issuer = token.unverified_issuer
    name = unverified_issuer.removeprefix("https://").removeprefix("http://")
    registered = view.oidc_providers.with_name(account, name)
    if registered is None or registered.url != unverified_issuer:
        message = f"No OpenIDConnect provider found in your account for {unverified_issuer[:255]}"
        raise ProofError(Reason.PROVIDER_UNKNOWN, message)
    return RegisteredProvider(
        registered.account, registered.arn, registered.url, registered.client_ids, registered.created_at
    )
