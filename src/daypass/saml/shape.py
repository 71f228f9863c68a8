# SPDX-License-Identifier: Apache-2.0
"""
The structural profile: which elements stand where in a response (SAML Core 2 and 3, Profiles 4.1.4.2; XML Signature 4;
XML Encryption 3). It is narrower than the schemas, and whatever it does not name is refused before any cryptography.

    Response    Issuer?, Signature?, Status, (Assertion | EncryptedAssertion)
    Assertion   Issuer, Signature?, Subject, Conditions, AuthnStatement, AttributeStatement*   in any order after Subject

Wrapping attacks need a place to put what they move: Extensions, Advice, Object, StatusDetail and every open content of the
schemas are not here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from daypass.errors import ProofError, Reason
from daypass.saml.limits import MAX_ID
from daypass.saml.names import DS, DS11, EC, SA, SP, XENC, XENC11, XML_NS, XSI_NS
from daypass.saml.xml import Element, is_blank

_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*\Z", re.ASCII)  # an NCName of ASCII characters
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """An element within another: which, how often at least and at most, and after which others (``rank``)."""

    tag: str
    least: int
    most: int
    rank: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element may have: its parts, or text; its attributes, required and all."""

    parts: Mapping[str, Part] = field(default_factory=dict)
    text: bool = False
    required: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()


def _shape(*parts: str | Part, text: bool = False, required: str = "", optional: str = "") -> Shape:
    """``parts`` in order: ``Name`` once, ``Name?`` at most once, ``Name*`` any number, ``Name+`` at least one."""
    made = [part if isinstance(part, Part) else _part(part, rank) for rank, part in enumerate(parts)]
    needed = frozenset(required.split())
    return Shape({part.tag: part for part in made}, text, needed, needed | frozenset(optional.split()))


def _part(written: str, rank: int) -> Part:
    least, most = {"?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}.get(written[-1], (1, 1))
    return Part(written.rstrip("?*+"), least, most, rank)


def _any_of(*tags: str, optional: str = "") -> Shape:
    """Any number of these, in any order."""
    return _shape(*(Part(tag, 0, _MANY, 0) for tag in tags), optional=optional)


_TEXT: Final = _shape(text=True)
_ALGORITHM: Final = _shape(required="Algorithm")

_IN_KEY_INFO: Final = (
    *(f"{DS}{name}" for name in ("KeyName", "KeyValue", "RetrievalMethod", "X509Data")),
    f"{DS11}DEREncodedKeyValue",
)
_IN_X509_DATA: Final = tuple(
    f"{DS}{name}" for name in ("X509IssuerSerial", "X509SKI", "X509SubjectName", "X509Certificate", "X509CRL")
)

SHAPES: Final[Mapping[str, Shape]] = {
    f"{SP}Response": _shape(
        f"{SA}Issuer?",
        f"{DS}Signature?",
        f"{SP}Status",
        Part(f"{SA}Assertion", 0, 1, 3),  # exactly one of the two: ``require_shape``
        Part(f"{SA}EncryptedAssertion", 0, 1, 3),
        required="ID Version IssueInstant",
        optional="Destination InResponseTo Consent",
    ),
    f"{SP}Status": _shape(f"{SP}StatusCode", f"{SP}StatusMessage?"),
    f"{SP}StatusCode": _shape(required="Value"),
    f"{SP}StatusMessage": _TEXT,
    f"{SA}Assertion": _shape(
        f"{SA}Issuer",
        f"{DS}Signature?",
        f"{SA}Subject",
        f"{SA}Conditions",
        Part(f"{SA}AuthnStatement", 0, _MANY, 4),  # exactly one: ``daypass.saml.verify``, with its own reason
        Part(f"{SA}AttributeStatement", 0, _MANY, 4),
        required="ID Version IssueInstant",
    ),
    f"{SA}Issuer": _shape(text=True, optional="Format"),
    f"{SA}Subject": _shape(f"{SA}NameID", f"{SA}SubjectConfirmation+"),
    f"{SA}NameID": _shape(text=True, optional="Format NameQualifier SPNameQualifier SPProvidedID"),
    f"{SA}SubjectConfirmation": _shape(f"{SA}SubjectConfirmationData?", required="Method"),
    f"{SA}SubjectConfirmationData": _shape(optional="NotBefore NotOnOrAfter Recipient InResponseTo Address"),
    f"{SA}Conditions": _shape(
        Part(f"{SA}AudienceRestriction", 0, _MANY, 0),
        Part(f"{SA}OneTimeUse", 0, 1, 0),
        Part(f"{SA}ProxyRestriction", 0, 1, 0),
        optional="NotBefore NotOnOrAfter",
    ),
    f"{SA}AudienceRestriction": _shape(f"{SA}Audience*"),
    f"{SA}Audience": _TEXT,
    f"{SA}OneTimeUse": _shape(),
    f"{SA}ProxyRestriction": _shape(f"{SA}Audience*", optional="Count"),
    f"{SA}AuthnStatement": _shape(
        f"{SA}SubjectLocality?",
        f"{SA}AuthnContext",
        required="AuthnInstant",
        optional="SessionIndex SessionNotOnOrAfter",
    ),
    f"{SA}SubjectLocality": _shape(optional="Address DNSName"),
    f"{SA}AuthnContext": _shape(
        f"{SA}AuthnContextClassRef?", f"{SA}AuthnContextDeclRef?", f"{SA}AuthenticatingAuthority*"
    ),
    f"{SA}AuthnContextClassRef": _TEXT,
    f"{SA}AuthnContextDeclRef": _TEXT,
    f"{SA}AuthenticatingAuthority": _TEXT,
    f"{SA}AttributeStatement": _shape(f"{SA}Attribute+"),
    f"{SA}Attribute": _shape(
        f"{SA}AttributeValue*",
        required="Name",
        optional="NameFormat FriendlyName {urn:oasis:names:tc:SAML:2.0:profiles:attribute:X500}Encoding"
        " {http://schemas.xmlsoap.org/ws/2009/09/identity/claims}OriginalIssuer",
    ),
    # Text, or one NameID (eduPersonTargetedID, of the MACE-Dir profiles); never both, as nowhere.
    f"{SA}AttributeValue": _shape(
        f"{SA}NameID?", text=True, optional=f"{{{XSI_NS}}}type {{{XSI_NS}}}nil {{{XML_NS}}}lang"
    ),
    # XML Signature: the form is ``daypass.saml.signature_shape``'s, which adds the values.
    f"{DS}Signature": _shape(f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo?", optional="Id"),
    f"{DS}SignedInfo": _shape(f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod", f"{DS}Reference", optional="Id"),
    f"{DS}CanonicalizationMethod": _ALGORITHM,
    f"{DS}SignatureMethod": _ALGORITHM,
    f"{DS}Reference": _shape(
        f"{DS}Transforms", f"{DS}DigestMethod", f"{DS}DigestValue", required="URI", optional="Id Type"
    ),
    f"{DS}Transforms": _shape(Part(f"{DS}Transform", 2, 2, 0)),
    f"{DS}Transform": _shape(f"{EC}InclusiveNamespaces?", required="Algorithm"),
    f"{EC}InclusiveNamespaces": _shape(required="PrefixList"),
    f"{DS}DigestMethod": _ALGORITHM,
    f"{DS}DigestValue": _TEXT,
    f"{DS}SignatureValue": _shape(text=True, optional="Id"),
    # Nothing of a KeyInfo is read but an EncryptedKey; it may not be a place to put other things either.
    f"{DS}KeyInfo": _any_of(*_IN_KEY_INFO, f"{XENC}EncryptedKey", optional="Id"),
    f"{DS}KeyName": _TEXT,
    f"{DS}KeyValue": _any_of(f"{DS}RSAKeyValue", f"{DS11}ECKeyValue"),
    f"{DS}RSAKeyValue": _shape(f"{DS}Modulus", f"{DS}Exponent"),
    f"{DS}Modulus": _TEXT,
    f"{DS}Exponent": _TEXT,
    f"{DS11}ECKeyValue": _shape(f"{DS11}NamedCurve", f"{DS11}PublicKey"),
    f"{DS11}NamedCurve": _shape(required="URI"),
    f"{DS11}PublicKey": _TEXT,
    f"{DS11}DEREncodedKeyValue": _TEXT,
    f"{DS}RetrievalMethod": _shape(required="URI", optional="Type"),
    f"{DS}X509Data": _any_of(*_IN_X509_DATA),
    f"{DS}X509IssuerSerial": _shape(f"{DS}X509IssuerName", f"{DS}X509SerialNumber"),
    **{tag: _TEXT for tag in _IN_X509_DATA if tag != f"{DS}X509IssuerSerial"},
    f"{DS}X509IssuerName": _TEXT,
    f"{DS}X509SerialNumber": _TEXT,
    # XML Encryption
    f"{SA}EncryptedAssertion": _shape(f"{XENC}EncryptedData", f"{XENC}EncryptedKey?"),
    f"{XENC}EncryptedData": _shape(
        f"{XENC}EncryptionMethod", f"{DS}KeyInfo?", f"{XENC}CipherData", optional="Id Type MimeType Encoding"
    ),
    f"{XENC}EncryptedKey": _shape(
        f"{XENC}EncryptionMethod",
        f"{DS}KeyInfo?",
        f"{XENC}CipherData",
        f"{XENC}ReferenceList?",
        f"{XENC}CarriedKeyName?",
        optional="Id Recipient Type MimeType Encoding",
    ),
    f"{XENC}EncryptionMethod": _shape(
        f"{XENC}KeySize?", f"{XENC}OAEPparams?", f"{DS}DigestMethod?", f"{XENC11}MGF?", required="Algorithm"
    ),
    f"{XENC}KeySize": _TEXT,
    f"{XENC}OAEPparams": _TEXT,
    f"{XENC11}MGF": _ALGORITHM,
    f"{XENC}CipherData": _shape(f"{XENC}CipherValue"),
    f"{XENC}CipherValue": _TEXT,
    f"{XENC}ReferenceList": _shape(f"{XENC}DataReference"),
    f"{XENC}DataReference": _shape(required="URI"),
    f"{XENC}CarriedKeyName": _TEXT,
}

_ASSERTIONS: Final = (f"{SA}Assertion", f"{SA}EncryptedAssertion")


def require_response_shape(response: Element) -> None:
    """Raise ProofError unless this is a response with exactly one assertion, in the form above, all of whose IDs differ."""
    if response.tag != f"{SP}Response":
        raise ProofError(Reason.SAML_SHAPE_REFUSED, "Expected a SAML response.")
    if sum(1 for _ in response.iter(*_ASSERTIONS)) != 1:
        raise ProofError(Reason.SAML_ASSERTION_COUNT, "Expected exactly one assertion in the response.")
    require_shape(response)


def require_shape(root: Element) -> None:
    """
    Raise ProofError unless the element and everything in it are as SHAPES says, with IDs that differ.

    In the order of the document, and of each element its attributes before its parts.
    """
    identifiers: list[str] = []
    elements = list(root.iter())
    tags = [element.tag for element in elements]
    parts = _parts(tags, list(map(len, elements)))
    for element, tag, within in zip(elements, tags, parts, strict=True):
        # What one provider sends has the same few forms; those with long lists are not worth the memory.
        require = _require_form if len(within) <= _REMEMBERED else _require_form.__wrapped__
        left = require(tag, tuple(element.keys()), within)
        if left is not None:
            if left.blank and not is_blank(element.text):
                raise _stray_text()
            identifiers.extend([element.get(name, "") for name in left.identifiers])
    beside = [element.tail for element in elements[1:]]
    beside.extend([element.text for element, within in zip(elements, parts, strict=True) if within])
    if not is_blank("".join(filter(None, beside))):  # mixed content
        raise _stray_text()
    _require_identifiers(identifiers)


def _parts(tags: Sequence[str], sizes: Sequence[int]) -> Sequence[tuple[str, ...]]:
    """
    The tags of each element's children; ``tags``, and ``sizes``, the numbers of children, are in the order of the document.

    From its end on, the children of an element are the last of those whose parent has not come. To ask each element for its
    children takes a third longer.
    """
    found: list[tuple[str, ...]] = []
    orphans: list[str] = []  # the first child is the last
    for tag, size in zip(reversed(tags), reversed(sizes), strict=True):
        if size:
            found.append(tuple(orphans[: -size - 1 : -1]))
            del orphans[-size:]
        else:
            found.append(())
        orphans.append(tag)
    return found[::-1]


_REMEMBERED: Final = 16  # names


class _Left(msgspec.Struct, frozen=True):
    """What is left to look at in an element whose names are in order: whether its text is blank, and its IDs."""

    blank: bool
    identifiers: tuple[str, ...]


@functools.lru_cache(maxsize=2048)  # what is refused raises, and is not remembered: its names are an attacker's
def _require_form(tag: str, names: tuple[str | bytes, ...], parts: tuple[str, ...]) -> _Left | None:
    """Raise ProofError unless an element may have these attributes and these parts. None: nothing else is to be seen."""
    shape = SHAPES[tag]
    if not shape.attributes.issuperset(names) or not shape.required.issubset(names):
        raise refusal_of(_reason_within(tag))
    _require_parts(tag, shape, parts)
    blank = not parts and not shape.text
    identifiers = tuple([name for name in names if name in ("ID", "Id")])
    return _Left(blank, identifiers) if blank or identifiers else None


def _require_identifiers(identifiers: Sequence[str]) -> None:
    if len(set(identifiers)) != len(identifiers):
        raise ProofError(Reason.SAML_ID_DUPLICATE, "Two elements have the same ID.")
    for identifier in identifiers:
        if len(identifier) > MAX_ID or not _ID.match(identifier):
            raise ProofError(Reason.SAML_VALUE_MALFORMED, "An element's ID is malformed.")


def _require_parts(tag: str, shape: Shape, tags: Sequence[str]) -> None:
    rank = 0
    counts: dict[str, int] = {}
    for child in tags:
        part = shape.parts.get(child)
        count = counts.get(child, 0) + 1
        if part is None or part.rank < rank or count > part.most:
            raise refusal_of(_reason_of_stray(tag, child))
        rank, counts[child] = part.rank, count
    if any(counts.get(part.tag, 0) < part.least for part in shape.parts.values()):
        raise refusal_of(_reason_within(tag))


def _reason_of_stray(parent: str, child: str) -> Reason:
    """The reason to refuse a child that is not expected there."""
    if child == f"{DS}Signature":
        return Reason.SAML_SIGNATURE_MISPLACED
    return _reason_within(parent)


def _reason_within(tag: str) -> Reason:
    if tag == f"{SA}Conditions":
        return Reason.SAML_CONDITION_REFUSED
    if tag in (f"{DS}Transforms", f"{DS}Transform", f"{EC}InclusiveNamespaces"):
        return Reason.SAML_TRANSFORM_REFUSED
    if tag.startswith((DS, EC)):
        return Reason.SAML_SIGNATURE_SHAPE
    if tag.startswith((XENC, XENC11)) or tag == f"{SA}EncryptedAssertion":
        return Reason.SAML_ENCRYPTION_REFUSED
    return Reason.SAML_SHAPE_REFUSED


_WORDS: Final[Mapping[Reason, str]] = {
    Reason.SAML_SIGNATURE_MISPLACED: "The document has a signature in a place where none is expected.",
    Reason.SAML_SIGNATURE_SHAPE: "The signature has a form that is not accepted.",
    Reason.SAML_TRANSFORM_REFUSED: "The signature has a transform that is not accepted.",
    Reason.SAML_CONDITION_REFUSED: "The assertion has a condition that is not understood.",
    Reason.SAML_ENCRYPTION_REFUSED: "The assertion is encrypted in a form that is not accepted.",
    Reason.SAML_SHAPE_REFUSED: "The document has an element or attribute that is not expected, or lacks one that is.",
}


def refusal_of(reason: Reason) -> ProofError:
    """The error of a reason that this module knows."""
    return ProofError(reason, _WORDS[reason])


def _stray_text() -> ProofError:
    return ProofError(Reason.SAML_SHAPE_REFUSED, "The document has text in a place where none is expected.")
