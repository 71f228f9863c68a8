# SPDX-License-Identifier: Apache-2.0
"""Documents of ours: made as trees, so that nothing is quoted by hand, and signed (enveloped, RSA-SHA256; SAML Core 5.4)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from daypass.saml.algorithms import RSA_SHA256, SHA256
from daypass.saml.names import DS, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, SIGNATURE_NS
from daypass.saml.signature_shape import canonical
from daypass.saml.xml import Element


@dataclass(frozen=True, slots=True)
class Signer:
    """Our key and its certificate (DER), with which requests are signed (RSA-SHA256)."""

    private_key: RSAPrivateKey
    certificate: bytes

    def __repr__(self) -> str:
        return "Signer(...)"

    def sign(self, data: bytes) -> bytes:
        """An RSA-SHA256 signature (PKCS #1 v1.5)."""
        return self.private_key.sign(data, PKCS1v15(), hashes.SHA256())


def child(parent: Element, tag: str, text: str | None = None, **attributes: str | None) -> Element:
    """A new last child; attributes that are None are left out."""
    element = etree.SubElement(parent, tag, {name: value for name, value in attributes.items() if value is not None})
    element.text = text
    return element


def written(root: Element) -> bytes:
    """The document, in UTF-8, without a declaration (UTF-8 is what XML is without one)."""
    return etree.tostring(root, encoding="utf-8", xml_declaration=False)


def instant_text(seconds: float) -> str:
    """An xs:dateTime in UTC, whole seconds (SAML Core 1.3.3)."""
    return datetime.fromtimestamp(int(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_info(parent: Element, certificate: bytes) -> None:
    """A KeyInfo with this certificate (DER)."""
    data = child(child(parent, f"{DS}KeyInfo"), f"{DS}X509Data")
    child(data, f"{DS}X509Certificate", base64.b64encode(certificate).decode("ascii"))


def sign_enveloped(root: Element, signer: Signer, *, after: int) -> None:
    """Sign a root that has an ID; the signature becomes its child number ``after`` (behind the issuer, Core 3.2.1)."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(canonical(root))
    signature = etree.Element(f"{DS}Signature", nsmap={"ds": SIGNATURE_NS})
    signed_info = child(signature, f"{DS}SignedInfo")
    child(signed_info, f"{DS}CanonicalizationMethod", Algorithm=EXCLUSIVE_C14N)
    child(signed_info, f"{DS}SignatureMethod", Algorithm=RSA_SHA256)
    reference = child(signed_info, f"{DS}Reference", URI="#" + root.get("ID", ""))
    transforms = child(reference, f"{DS}Transforms")
    child(transforms, f"{DS}Transform", Algorithm=ENVELOPED_SIGNATURE)
    child(transforms, f"{DS}Transform", Algorithm=EXCLUSIVE_C14N)
    child(reference, f"{DS}DigestMethod", Algorithm=SHA256)
    child(reference, f"{DS}DigestValue", base64.b64encode(digest.finalize()).decode("ascii"))
    value = child(signature, f"{DS}SignatureValue")
    key_info(signature, signer.certificate)
    root.insert(after, signature)
    value.text = base64.b64encode(signer.sign(canonical(signed_info))).decode("ascii")
