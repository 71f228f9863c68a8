# SPDX-License-Identifier: Apache-2.0
"""
OpenID Connect, relying party side (Core 1.0, Discovery 1.0), as AssumeRoleWithWebIdentity uses it.

Pure: no network, no store, no clock. The caller brings the token, the registration, the keys and the time, so every
check here can be reached by a test vector. Fetching keys is for ``daypass.federation``.

    url            what URLs are accepted, and what they are taken apart into
    issuer         which URLs may be registered, and what the provider is then called
    discovery      what an issuer says about itself
    id_token       the verification of an ID token
    context        what becomes of each of its claims; condition keys
    session_claims the claims that ask for session tags and a source identity
"""

from daypass.oidc.context import ClaimContext, condition_keys
from daypass.oidc.discovery import Discovery, discovery_url, parse_discovery
from daypass.oidc.id_token import ClientIds, IdToken, require_issuer, verify_id_token
from daypass.oidc.issuer import check_issuer_url, provider_name
from daypass.oidc.session_claims import SessionClaims, session_claims
from daypass.oidc.url import Url, parse_url

__all__ = [
    "ClaimContext",
    "ClientIds",
    "Discovery",
    "IdToken",
    "SessionClaims",
    "Url",
    "check_issuer_url",
    "condition_keys",
    "discovery_url",
    "parse_discovery",
    "parse_url",
    "provider_name",
    "require_issuer",
    "session_claims",
    "verify_id_token",
]
