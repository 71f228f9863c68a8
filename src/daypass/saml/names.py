# SPDX-License-Identifier: Apache-2.0
"""The names of the standards: namespaces, elements and identifiers. Nothing is looked up by a prefix or a local name."""

from __future__ import annotations

from typing import Final

ASSERTION_NS: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL_NS: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA_NS: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE_NS: Final = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE11_NS: Final = "http://www.w3.org/2009/xmldsig11#"
ENCRYPTION_NS: Final = "http://www.w3.org/2001/04/xmlenc#"
ENCRYPTION11_NS: Final = "http://www.w3.org/2009/xmlenc11#"
EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED_SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
XSI_NS: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML_NS: Final = "http://www.w3.org/XML/1998/namespace"

SA: Final = f"{{{ASSERTION_NS}}}"
SP: Final = f"{{{PROTOCOL_NS}}}"
MD: Final = f"{{{METADATA_NS}}}"
DS: Final = f"{{{SIGNATURE_NS}}}"
DS11: Final = f"{{{SIGNATURE11_NS}}}"
XENC: Final = f"{{{ENCRYPTION_NS}}}"
XENC11: Final = f"{{{ENCRYPTION11_NS}}}"
EC: Final = f"{{{EXCLUSIVE_C14N}}}"

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
BINDING_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BINDING_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
