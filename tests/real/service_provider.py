# SPDX-License-Identifier: Apache-2.0
"""
A service provider on paper: its metadata and its request to sign in, written here and not by the code under test.

For capturing what providers answer without a service that listens.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from real.key_pairs import KeyPair

_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True)
class PaperServiceProvider:
    """Who asks for a sign-in, and where the answer goes."""

    entity_id: str
    consumer: str
    encryption: KeyPair | None = None

    def metadata(self) -> str:
        """What a provider is told of it (SAML metadata 2.4.4)."""
        key = "" if self.encryption is None else _key_descriptor(self.encryption)
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID={quoteattr(self.entity_id)}>'
            '<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            f"{key}"
            "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>"
            f'<md:AssertionConsumerService Binding="{_POST}" Location={quoteattr(self.consumer)} index="0" isDefault="true"/>'
            "</md:SPSSODescriptor></md:EntityDescriptor>"
        )

    def ask(self, sign_in_url: str, request_id: str, issued: str, relay_state: str) -> str:
        """The address that asks a provider to sign somebody in: the redirect binding, unsigned (SAML bindings 3.4)."""
        request = (
            '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
            f'ID={quoteattr(request_id)} Version="2.0" IssueInstant={quoteattr(issued)} '
            f"Destination={quoteattr(sign_in_url)} AssertionConsumerServiceURL={quoteattr(self.consumer)} "
            f'ProtocolBinding="{_POST}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
            f"{self.entity_id}</saml:Issuer></samlp:AuthnRequest>"
        )
        packer = zlib.compressobj(wbits=-15)
        deflated = packer.compress(request.encode()) + packer.flush()
        query = {"SAMLRequest": base64.b64encode(deflated).decode(), "RelayState": relay_state}
        return f"{sign_in_url}?{urlencode(query)}"


def _key_descriptor(pair: KeyPair) -> str:
    body = "".join(pair.certificate.splitlines()[1:-1])
    return (
        '<md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
        f"<ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
