# SPDX-License-Identifier: Apache-2.0
"""
The one form of a signature that is looked at (SAML Core 5.4, XML Signature 4), and the one thing that it refers to.

``daypass.saml.shape`` has seen which elements there are. This adds their values, and still verifies nothing.
"""

from __future__ import annotations

import binascii
import copy
import re
from typing import Final

import msgspec
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml.algorithms import DIGEST_METHODS, SIGNATURE_ALGORITHMS, DigestMethod, SignatureAlgorithm
from daypass.saml.limits import MAX_NAMESPACES
from daypass.saml.names import DS, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, XENC
from daypass.saml.shape import refusal_of
from daypass.saml.xml import Element, read_canonical

_PREFIX_LIST: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?: [A-Za-z_][A-Za-z0-9_.-]*)*\Z", re.ASCII)


class SignatureForm(msgspec.Struct, frozen=True):
    """A signature over the element that it stands in; not verified. ``signed_info`` are the bytes that were signed, if it
    is genuine, and all the rest but ``value`` was read out of them."""

    signed_info: bytes
    value: bytes
    algorithm: SignatureAlgorithm
    digest: DigestMethod
    digest_value: bytes
    prefixes: tuple[str, ...]


def canonical(element: Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """
    Exclusive XML Canonicalization 1.0 of an element, without comments. Raises ProofError where there is none (a relative
    namespace name has none), or where it is empty.

    NOTE: lxml looks for ``prefixes`` in the element and not above it: with any, the element must be a root.
    """
    try:
        data = etree.tostring(
            element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes) or None
        )
    except (etree.LxmlError, ValueError):
        data = b""
    if not data:
        raise ProofError(Reason.SAML_SIGNATURE_SHAPE, "What was signed has no canonical form.")
    return data


def signature_within(element: Element) -> Element | None:
    """The signature of an element: its child of that name, if it has one. Raises ProofError for two."""
    found = list(element.iterchildren(f"{DS}Signature"))
    if len(found) > 1:  # in a response the shape has seen to it; metadata may hold anything
        raise refusal_of(Reason.SAML_SIGNATURE_MISPLACED)
    return found[0] if found else None


def take_signature(element: Element) -> Element | None:
    """
    The signature of an element, taken out of it, if it has one: the enveloped-signature transform (XML Signature 6.6.4). The
    signature goes, the white space behind it stays. Raises ProofError for two.
    """
    signature = signature_within(element)
    if signature is None:
        return None
    # INVARIANT: what is verified is spelt as it came. lxml gives the names of an element that it takes out other prefixes,
    # where a namespace has two; a copy keeps them.
    kept = copy.deepcopy(signature)
    previous, tail = signature.getprevious(), signature.tail
    element.remove(signature)  # with its tail
    if tail:
        if previous is None:
            element.text = (element.text or "") + tail
        else:
            previous.tail = (previous.tail or "") + tail
    return kept


def signature_form(identifier: str, signature: Element, *, allow_sha1: bool) -> SignatureForm:
    """
    The form of the signature of the element with this ID. Raises ProofError unless

    1. SignedInfo has exclusive canonicalisation without comments for its method. It is canonicalised and read again, and
       everything else is read from there: so what is read is what is verified, whatever the document looked like.
    2. the signature algorithm and 3. the digest algorithm are of the closed list, SHA-1 only where it is allowed;
    4. the one Reference is to the element that the signature stands in: not to the document (an empty URI), not to another
       element, not by XPointer, not elsewhere (SAML Core 5.4.2);
    5. the transforms are exactly enveloped-signature and exclusive canonicalisation without comments, in this order
       (SAML Core 5.4.4), with no parameter but a list of prefixes;
    6. its KeyInfo, which nobody reads, carries no encrypted key;
    7. the values are base64, and the digest has its algorithm's length and is not that of nothing: a canonicalisation that
       yields no bytes must not verify.
    """
    if signature[0][0].get("Algorithm") != EXCLUSIVE_C14N:  # 1
        raise ProofError(Reason.SAML_TRANSFORM_REFUSED, "The signature's canonicalization method is not accepted.")
    data = canonical(signature[0])
    signed_info = read_canonical(data)
    _, method, reference = signed_info
    algorithm = SIGNATURE_ALGORITHMS.get(method.get("Algorithm", ""))  # 2
    transforms, digest_element, digest_value = reference
    digest = DIGEST_METHODS.get(digest_element.get("Algorithm", ""))  # 3
    if algorithm is None or digest is None or ((algorithm.sha1 or digest.sha1) and not allow_sha1):
        raise ProofError(Reason.SAML_ALGORITHM_REFUSED, "The signature's algorithm is not accepted.")
    if not identifier or reference.get("URI") != "#" + identifier:  # 4
        raise ProofError(Reason.SAML_REFERENCE_REFUSED, "The signature does not refer to the element that it is in.")
    prefixes = _prefixes(transforms)  # 5
    if next(signature.iter(f"{XENC}EncryptedKey"), None) is not None:  # 6
        raise refusal_of(Reason.SAML_SIGNATURE_SHAPE)
    signed_digest, value = decode_base64(digest_value.text), decode_base64(signature[1].text)  # 7
    if len(signed_digest) != digest.size or signed_digest == digest.of(b"") or not value:
        raise refusal_of(Reason.SAML_SIGNATURE_SHAPE)
    return SignatureForm(data, value, algorithm, digest, signed_digest, prefixes)


def _prefixes(transforms: Element) -> tuple[str, ...]:
    enveloped, exclusive = transforms
    if (
        enveloped.get("Algorithm") != ENVELOPED_SIGNATURE
        or exclusive.get("Algorithm") != EXCLUSIVE_C14N
        or len(enveloped)
    ):
        raise refusal_of(Reason.SAML_TRANSFORM_REFUSED)
    if not len(exclusive):
        return ()
    (inclusive,) = exclusive  # the shape: InclusiveNamespaces
    listed = inclusive.get("PrefixList", "")
    # NOTE: each is looked for again at every element; no element may declare as many.
    if listed.count(" ") >= MAX_NAMESPACES or not _PREFIX_LIST.match(listed):
        raise refusal_of(Reason.SAML_TRANSFORM_REFUSED)
    return tuple(listed.split(" "))


def decode_base64(text: str | None) -> bytes:
    """What base64 in a document stands for (RFC 4648 section 4, with white space; XML Schema base64Binary). ProofError."""
    try:
        return strict_base64(without_white_space(text or ""))
    except ValueError:
        raise refusal_of(Reason.SAML_SIGNATURE_SHAPE) from None


def without_white_space(text: str) -> str:
    """Text of ASCII characters, without XML's white space among them. Raises ValueError for others."""
    return text.encode("ascii").translate(None, b" \t\r\n").decode("ascii")


def strict_base64(text: str) -> bytes:
    """
    What base64 without white space stands for. Raises ValueError unless it is spelt in the one way there is.

    msgspec refuses every character that is not of the alphabet, unlike binascii, in a quarter of the time; what it does not
    look at are the bits of the last character that stand for nothing.
    """
    decoded = msgspec.convert(text, bytes)
    rest = len(decoded) % 3
    if rest and binascii.b2a_base64(decoded[-rest:], newline=False) != text[-4:].encode("ascii"):
        raise ValueError("not the one spelling")
    return decoded
