# SPDX-License-Identifier: Apache-2.0
"""
What an identity provider says about itself (SAML Metadata 2.4.3), as an administrator registers it.

Read by the one parser, with its own bounds. Metadata is open by design (extensions, organisations, other roles), so only
known paths are read here and the rest is left alone; who may register it is for IAM, and what its keys are good for is
``daypass.saml.keys``'s.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from daypass.errors import ProofError, Reason
from daypass.saml.keys import registered_key
from daypass.saml.limits import MAX_CERTIFICATE, MAX_CERTIFICATES, MAX_METADATA, MAX_METADATA_ELEMENTS, MAX_URI
from daypass.saml.names import DS, MD, PROTOCOL_NS
from daypass.saml.shape import require_shape
from daypass.saml.signature import verify_signature
from daypass.saml.signature_shape import signature_within, take_signature
from daypass.saml.values import instant, is_line
from daypass.saml.xml import Element, read_open_xml

_LONGEST_LIST: Final = 100  # endpoints, or formats; a provider has about five of each


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a binding is offered: ``binding`` is the identifier of SAML Bindings, ``url`` is http or https."""

    binding: str
    url: str


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """
    An identity provider, as its metadata describes it.

    - ``certificates``: DER, of signing use or of no stated use, in the order of the document, each once.
    - ``valid_until``: seconds since 1970, the earliest that the entity or its role states. Nothing is refused for it here.
    """

    entity_id: str
    certificates: tuple[bytes, ...]
    single_sign_on: tuple[Endpoint, ...]
    wants_signed_requests: bool
    valid_until: int | None
    name_id_formats: tuple[str, ...]


def parse_metadata(text: str | bytes, *, pinned: tuple[bytes, ...] = ()) -> ProviderMetadata:
    """
    The metadata of one identity provider. ``pinned``: DER certificates; if there are any, one must have signed the document.

    1. XML that is read at all, within the bounds of metadata.
    2. If certificates are pinned: the document's own signature, in the one accepted form; from here on, the signed bytes.
    3. One entity (in a wrapper of its own, as some providers send it), with an entity id, and one role of a SAML 2.0 provider.
    4. Its signing certificates: at least one, each with a key that signatures can be verified with.
    5. Where to send people, its formats, its wishes.

    Raises ProofError (SAML_METADATA_*). **Dates are returned, not compared**: there is no clock here.
    """
    root = _read(text)  # 1
    if pinned:
        root = _signed(root, pinned)  # 2
    entity = _entity(root)  # 3
    role = _role(entity)
    entity_id = entity.get("entityID")
    if entity_id is None or not is_line(entity_id, MAX_URI):
        raise _malformed(f"Expected an entityID of 1 to {MAX_URI} characters.")
    return ProviderMetadata(
        entity_id,
        _certificates(role),  # 4
        _endpoints(role),  # 5
        _boolean(role.get("WantAuthnRequestsSigned")),
        _valid_until((root, entity, role)),
        _formats(role),
    )


def _read(text: str | bytes) -> Element:
    try:
        data = text.encode("utf-8") if isinstance(text, str) else text
    except UnicodeEncodeError:  # half of a surrogate pair
        raise _malformed("Expected a document in UTF-8.") from None
    try:
        return read_open_xml(data, max_bytes=MAX_METADATA, max_elements=MAX_METADATA_ELEMENTS)
    except ProofError as error:
        if error.reason is Reason.SAML_TOO_LARGE:
            raise ProofError(Reason.SAML_METADATA_TOO_LARGE, str(error)) from None
        raise _malformed(str(error)) from None


def _signed(root: Element, pinned: tuple[bytes, ...]) -> Element:
    try:
        signature = signature_within(root)
        if signature is None:
            raise ProofError(Reason.SAML_METADATA_SIGNATURE, "The metadata is not signed.")
        require_shape(signature)  # first: to take out what may be of any size takes longer than its length
        signed = verify_signature(root, take_signature(root), pinned)
    except ProofError as error:
        raise ProofError(Reason.SAML_METADATA_SIGNATURE, f"The metadata's signature: {error}") from None
    return _read(signed.data)


def _entity(root: Element) -> Element:
    if root.tag == f"{MD}EntityDescriptor":
        return root
    entities = root.findall(f"{MD}EntityDescriptor")
    if root.tag != f"{MD}EntitiesDescriptor" or len(entities) != 1 or root.find(f"{MD}EntitiesDescriptor") is not None:
        raise _malformed("Expected the metadata of exactly one entity.")
    return entities[0]


def _role(entity: Element) -> Element:
    roles = [
        role
        for role in entity.findall(f"{MD}IDPSSODescriptor")
        if PROTOCOL_NS in role.get("protocolSupportEnumeration", "").split()
    ]
    if len(roles) != 1:
        raise ProofError(Reason.SAML_METADATA_NO_PROVIDER, "Expected exactly one identity provider of SAML 2.0.")
    return roles[0]


def _certificates(role: Element) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for descriptor in role.findall(f"{MD}KeyDescriptor"):
        if descriptor.get("use", "signing") != "signing":
            continue
        for element in descriptor.findall(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"):
            found[_certificate(element)] = None
            if len(found) > MAX_CERTIFICATES:  # here, before many are read
                raise _certificate_count()
    if not found:
        raise _certificate_count()
    return tuple(found)


def _certificate_count() -> ProofError:
    message = f"Expected 1 to {MAX_CERTIFICATES} signing certificates in the metadata."
    return ProofError(Reason.SAML_METADATA_CERTIFICATE, message)


def _certificate(element: Element) -> bytes:
    try:
        certificate = base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        certificate = b""
    if len(certificate) > MAX_CERTIFICATE or registered_key(certificate) is None:
        message = "A signing certificate of the metadata is malformed, or has neither an RSA nor an EC key."
        raise ProofError(Reason.SAML_METADATA_CERTIFICATE, message)
    return certificate


def _endpoints(role: Element) -> tuple[Endpoint, ...]:
    found = role.findall(f"{MD}SingleSignOnService")
    endpoints = tuple(Endpoint(element.get("Binding", ""), element.get("Location", "")) for element in found)
    for endpoint in endpoints:
        # A browser is sent there: neither javascript: nor anything else that is not a place.
        if not endpoint.url.lower().startswith(("https://", "http://")) or not is_line(endpoint.url, MAX_URI):
            raise _malformed("Expected the location of each single sign-on service to be an http or https URL.")
    if not 0 < len(endpoints) <= _LONGEST_LIST:
        raise _malformed(f"Expected 1 to {_LONGEST_LIST} single sign-on services in the metadata.")
    return endpoints


def _formats(role: Element) -> tuple[str, ...]:
    formats = tuple((element.text or "").strip() for element in role.findall(f"{MD}NameIDFormat"))
    if len(formats) > _LONGEST_LIST or not all(is_line(text, MAX_URI) for text in formats):
        raise _malformed("The metadata's NameID formats are malformed.")
    return formats


def _valid_until(elements: Iterable[Element]) -> int | None:
    stated = [text for element in elements if (text := element.get("validUntil")) is not None]
    try:
        return min((instant(text) for text in stated), default=None)
    except ProofError:
        raise _malformed("The metadata's validUntil is malformed.") from None


def _boolean(text: str | None) -> bool:
    """An xs:boolean (XML Schema 3.2.2); absent is false."""
    if text not in (None, "true", "false", "1", "0"):
        raise _malformed("Expected true or false.")
    return text in ("true", "1")


def _malformed(message: str) -> ProofError:
    return ProofError(Reason.SAML_METADATA_MALFORMED, message)
