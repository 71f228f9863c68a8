# SPDX-License-Identifier: Apache-2.0
"""
What an issuer publishes: its configuration (OpenID Connect Discovery 1.0, section 3) and its key set (RFC 7517 section 5).

Both are for everybody, and hold nothing that is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from daypass.issuer.signing import ALGORITHMS
from daypass.store import IssuerKey

CONFIGURATION: Final = "/.well-known/openid-configuration"
KEY_SET: Final = "/.well-known/jwks.json"
"""Where AWS's issuers have them, below the issuer's URL (IAM API, EnableOutboundWebIdentityFederation)."""

STS_CLAIMS: Final = "https://sts.amazonaws.com/"
"""The claim that holds what AWS's tokens say besides the standard claims."""

CLAIMS: Final = ("aud", "exp", "iat", "iss", "jti", "sub", STS_CLAIMS)
"""The claims of a token."""


def issuer_url(public_url: str, account: str) -> str:
    """The issuer of an account, below the URL at which clients reach this service."""
    return f"{public_url}/oidc/{account}"


def configuration(issuer: str) -> bytes:
    """The configuration document of an issuer."""
    return msgspec.json.encode(
        {
            "issuer": issuer,
            "jwks_uri": issuer + KEY_SET,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "claims_supported": list(CLAIMS),
        }
    )


def key_set(keys: Iterable[IssuerKey]) -> bytes:
    """The key set of an issuer: the public JWKs, as they were made."""
    return msgspec.json.encode({"keys": [msgspec.Raw(key.public_jwk.encode()) for key in keys]})
