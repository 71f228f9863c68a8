# SPDX-License-Identifier: Apache-2.0
"""
AssumeRoleWithWebIdentity (STS API): an OpenID Connect ID token becomes temporary credentials.

The request is not signed: the token is the proof. Nothing about the role, not even that it exists, is said before the
token has been verified and the role's trust policy has allowed its bearer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from daypass import jose
from daypass.access import RequestFacts, trust
from daypass.audit import Proven, Told, nobody_told
from daypass.errors import ProofError, Reason, RequestError
from daypass.federation import RegisteredProvider
from daypass.identity import Identity
from daypass.store import View
from daypass.sts.assume import SessionWishes, assume
from daypass.sts.assume_role import account_and_name
from daypass.sts.service import Sts
from daypass.sts.session_policies import read_session_policies


async def assume_role_with_web_identity(
    sts: Sts,
    facts: RequestFacts,
    current_view: Callable[[], View],
    parameters: Mapping[str, Any],
    told: Told = nobody_told,
) -> Mapping[str, object]:
    """
    Flow B for a web identity, in this order:

    1. what is not offered is refused: ProviderId (OAuth 2.0 access tokens);
    2. the token is read, strictly, and its issuer looked up among the providers of the role's account;
    3. the token is verified against that provider's registration and keys;
    4. the role's trust policy is asked, as both stand now: verifying may have waited for the provider;
    5. the session is made and sealed.

    ``told``: who, as soon as that is proved, whatever comes of it.
    """
    _refuse_what_is_not_offered(parameters)
    account, name = account_and_name(parameters["RoleArn"])
    view = current_view()
    token = jose.parse(parameters["WebIdentityToken"])
    _refuse_tokens_of_ours(sts, token)
    provider = _provider(view, account, token)
    identity = await sts.oidc.identify(provider, token, now=facts.now)
    told(_proven(identity, token))
    if current_view() is not view:
        view = current_view()
        if _provider(view, account, token) != provider:
            raise ProofError(Reason.PROVIDER_UNKNOWN, "The provider was registered anew meanwhile; try again.")
    role = view.roles.with_name(account, name)
    if role is not None and role.arn != parameters["RoleArn"]:
        role = None  # the name, but under another path
    session_name = parameters["RoleSessionName"]
    action: Final = "sts:AssumeRoleWithWebIdentity"
    trusted = trust(identity, role, action=action, session_name=session_name, facts=facts, view=view)
    wishes = SessionWishes.of(parameters, read_session_policies(parameters, account, view), session_name)
    assumed = assume(trusted, wishes, sessions=sts.sessions, now=facts.now)
    sts.issued.note(
        assumed.session, assumed.credentials, principal_arn=assumed.principal.arn, source_ip=facts.source_ip
    )
    return {
        **assumed.members(),
        "SubjectFromWebIdentityToken": identity.subject,
        "Provider": identity.provider,
        "Audience": identity.audience,
    }


def _proven(identity: Identity, token: jose.UnverifiedToken) -> Proven:
    """For the audit trail. The token was verified: its id (RFC 7519 section 4.1.7) is what its provider says."""
    token_id = token.unverified_claims.get("jti")
    known = token_id if isinstance(token_id, str) else None
    return Proven("WebIdentityUser", identity.provider_arn, identity.audience, identity.subject, known)


def _refuse_what_is_not_offered(parameters: Mapping[str, object]) -> None:
    if "ProviderId" in parameters:
        message = (
            "ProviderId names a provider of OAuth 2.0 access tokens; do not specify it for an OpenID Connect ID token."
        )
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, message)


def _refuse_tokens_of_ours(sts: Sts, token: jose.UnverifiedToken) -> None:
    """
    A token of GetWebIdentityToken is for others: credentials made from it here would outlive the session that it was asked for
    with, and every revocation of it (IAM User Guide, "Getting started with outbound identity federation": Note).
    """
    if sts.issuer.is_ours(token.unverified_issuer):
        message = "Tokens of GetWebIdentityToken cannot be used for AssumeRoleWithWebIdentity of the service that issued them."
        raise ProofError(Reason.TOKEN_OF_OURS, message)


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
