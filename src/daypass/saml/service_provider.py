# SPDX-License-Identifier: Apache-2.0
"""What we say about ourselves, as a service provider (SAML Metadata 2.4.4), for an identity provider to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lxml import etree

from daypass.saml.encryption import CBC_KEY_BYTES, GCM_KEY_BYTES, OAEP_11, OAEP_MGF1P
from daypass.saml.names import BINDING_POST, MD, METADATA_NS, PROTOCOL_NS, SIGNATURE_NS
from daypass.saml.writing import child, key_info, written
from daypass.saml.xml import Element

_GCM_FIRST: Final = tuple(sorted(GCM_KEY_BYTES, key=lambda name: -GCM_KEY_BYTES[name]))


def service_provider_metadata(
    *,
    entity_id: str,
    consumer_url: str,
    signing_certificates: Sequence[bytes] = (),
    encryption_certificates: Sequence[bytes] = (),
    requests_signed: bool = False,
    allow_cbc: bool = False,
    name_id_formats: Sequence[str] = (),
) -> bytes:
    """
    The metadata, XML: assertions are wanted signed, and come to ``consumer_url`` by POST. Certificates are DER.

    With encryption certificates it says which algorithms are taken (SAML Metadata 2.4.1.1, EncryptionMethod), in our order
    of preference, so that a provider does not choose one that is refused.
    """
    entity = etree.Element(
        f"{MD}EntityDescriptor", {"entityID": entity_id}, nsmap={"md": METADATA_NS, "ds": SIGNATURE_NS}
    )
    role = child(
        entity,
        f"{MD}SPSSODescriptor",
        AuthnRequestsSigned="true" if requests_signed else "false",
        WantAssertionsSigned="true",
        protocolSupportEnumeration=PROTOCOL_NS,
    )
    for certificate in signing_certificates:
        _key(role, "signing", certificate)
    for certificate in encryption_certificates:
        described = _key(role, "encryption", certificate)
        for algorithm in (*_GCM_FIRST, *(CBC_KEY_BYTES if allow_cbc else ()), OAEP_11, OAEP_MGF1P):
            child(described, f"{MD}EncryptionMethod", Algorithm=algorithm)
    for name_id_format in name_id_formats:
        child(role, f"{MD}NameIDFormat", name_id_format)
    child(
        role, f"{MD}AssertionConsumerService", Binding=BINDING_POST, Location=consumer_url, index="0", isDefault="true"
    )
    return written(entity)


def _key(role: Element, use: str, certificate: bytes) -> Element:
    described = child(role, f"{MD}KeyDescriptor", use=use)
    key_info(described, certificate)
    return described
