# SPDX-License-Identifier: Apache-2.0
"""
Who does this proof say is asking: one module per kind of provider, each with ``identify(provider, proof) -> Identity``.

    oidc        OpenID Connect providers: their keys, kept and renewed, and the identities that their tokens prove
    saml        SAML providers: what a registration trusts and expects, and the identities that their assertions prove
    fetch       the only outbound door: what registered providers publish
    addresses   which addresses that door may connect to
"""

from daypass.federation.fetch import Fetcher
from daypass.federation.oidc import OidcIdentities, RegisteredProvider
from daypass.federation.saml import SamlIdentities

__all__ = ["Fetcher", "OidcIdentities", "RegisteredProvider", "SamlIdentities"]
