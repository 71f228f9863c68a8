# SPDX-License-Identifier: Apache-2.0
"""
What an issuer says about itself (OpenID Connect Discovery 1.0, sections 3 and 4).

Pure: it reads the document that ``daypass.federation`` fetched. Only what the verification of ID tokens needs is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daypass.errors import ProofError, ProviderError, Reason
from daypass.jose import ALGORITHMS
from daypass.jsontext import read_json_object
from daypass.oidc.url import parse_url


@dataclass(frozen=True, slots=True)
class Discovery:
    """Where the issuer's keys are, and the algorithms that it signs ID tokens with (never one that we do not verify)."""

    issuer: str
    jwks_uri: str
    algorithms: frozenset[str]


def discovery_url(issuer: str) -> str:
    """Where an issuer's document is (Discovery 4): below its path, of which a terminating slash is removed."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def parse_discovery(data: bytes, issuer: str) -> Discovery:
    """
    Read the document of this issuer. Raises ProviderError.

    1. A strict JSON object.
    2. Its ``issuer`` is the registered one, whole (Discovery 4.3): a document of somebody else names somebody else's keys.
    3. ``jwks_uri`` is https; plain http only when the issuer itself was registered as http, which is this machine. It may
       be on another host (Google's is), and may have a query (Entra's B2C has).
    4. ``id_token_signing_alg_values_supported``, if present, narrows the algorithms; nothing usable left is an error.
    """
    try:
        document = read_json_object(data)  # 1
    except ProofError:
        raise _malformed("The identity provider's configuration document is not valid JSON.") from None
    if document.get("issuer") != issuer:  # 2
        message = "The identity provider's configuration document names another issuer."
        raise ProviderError(Reason.DISCOVERY_ISSUER_MISMATCH, message)
    return Discovery(issuer, _jwks_uri(document, issuer), _algorithms(document))


def _jwks_uri(document: Mapping[str, Any], issuer: str) -> str:
    jwks_uri = document.get("jwks_uri")
    try:
        if not isinstance(jwks_uri, str) or (parse_url(jwks_uri).scheme == "http" and not issuer.startswith("http://")):
            raise ValueError
    except ValueError:
        raise _malformed("The identity provider's configuration document has no usable jwks_uri.") from None
    return jwks_uri


def _algorithms(document: Mapping[str, Any]) -> frozenset[str]:
    if "id_token_signing_alg_values_supported" not in document:
        return ALGORITHMS
    named = document["id_token_signing_alg_values_supported"]
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise _malformed("The identity provider's list of signature algorithms is malformed.")
    algorithms = ALGORITHMS.intersection(named)
    if not algorithms:
        raise _malformed("The identity provider signs with no algorithm that is accepted.")
    return algorithms


def _malformed(message: str) -> ProviderError:
    return ProviderError(Reason.DISCOVERY_MALFORMED, message)
