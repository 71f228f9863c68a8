# SPDX-License-Identifier: Apache-2.0
"""
Whether a registered key made a signature (XML Signature 3.2), and the bytes that it covers.

    element in the profile's form -- verify_signature(certificates) --> Signed: the bytes that count, to be read again

The profile leaves so little of XML Signature that what remains is here whole: two canonicalisations, one digest, one
public key operation (docs/adr/0011). There is no lookup of keys or references, nothing is fetched or transformed
otherwise. Two other implementations, signxml and python-xmlsec, are asked in the tests about everything that is accepted.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml.keys import RegisteredKey, registered_key
from daypass.saml.names import DS
from daypass.saml.signature_shape import SignatureForm, canonical, signature_form, signature_within
from daypass.saml.xml import Element, read_canonical


@dataclass(frozen=True, slots=True)
class Signed:
    """
    What a registered key signed: the canonical bytes, without the signature; with which algorithm and certificate, and whether
    SHA-1 had a part in it.
    """

    data: bytes
    algorithm: str
    fingerprint: str
    sha1: bool


def verify_signature(
    element: Element,
    certificates: Iterable[bytes],
    *,
    allow_sha1: bool = False,
    allow_small_rsa: bool = False,
) -> Signed:
    """
    The bytes of an element that its own signature covers, if one of these certificates' keys made it.

    1. The form: one reference, to this element, known transforms, accepted algorithms.
    2. The keys: of the kind that the algorithm needs, and long enough; that there is none is a reason of its own.
    3. The signature over the canonical SignedInfo, by one of the keys. The signature's KeyInfo is not asked.
    4. The element alone, as a document of its own: nothing around it takes part, and it can be taken apart.
    5. The digest of the canonical element without its signature.

    Raises ProofError. **The caller reads the returned bytes again and nothing else**; ``element`` stays unverified.
    """
    signature = signature_within(element)
    if signature is None:
        raise ProofError(Reason.SAML_UNSIGNED, "The element is not signed.")
    form = signature_form(element.get("ID", ""), signature, allow_sha1=allow_sha1)  # 1
    keys = list(_suitable(certificates, form, allow_small_rsa=allow_small_rsa))  # 2
    if not keys:
        raise ProofError(
            Reason.SAML_KEY_REFUSED, "No registered certificate has a key that could have made the signature."
        )
    key = next((key for key in keys if key.made(form.value, form.signed_info, form.algorithm)), None)  # 3
    if key is None:
        raise ProofError(Reason.SAML_SIGNATURE_INVALID, "The signature is not valid.")
    alone = _alone(element, form)  # 4
    _remove_signature(alone)
    data = canonical(alone, form.prefixes)  # 5
    if form.digest.of(data) != form.digest_value:
        raise ProofError(Reason.SAML_DIGEST_MISMATCH, "What was signed has been changed.")
    return Signed(data, form.algorithm.identifier, key.fingerprint, form.algorithm.sha1 or form.digest.sha1)


def _suitable(certificates: Iterable[bytes], form: SignatureForm, *, allow_small_rsa: bool) -> Iterator[RegisteredKey]:
    for certificate in certificates:
        key = registered_key(certificate)
        if key is not None and key.kind == form.algorithm.key_kind and (allow_small_rsa or not key.small):
            yield key


def _alone(element: Element, form: SignatureForm) -> Element:
    """A copy as the root of a document. A copied tree has the namespaces that it uses, which is all that exclusive
    canonicalisation looks at; a list of prefixes may name others, which a document written out and read again has too."""
    if form.prefixes:
        return read_canonical(etree.tostring(element, with_tail=False))
    copied = copy.deepcopy(element)
    copied.tail = None
    return copied


def _remove_signature(parent: Element) -> None:
    """The enveloped-signature transform (XML Signature 6.6.4): the element goes, the white space behind it stays."""
    (signature,) = parent.findall(f"{DS}Signature")
    previous, tail = signature.getprevious(), signature.tail or ""
    parent.remove(signature)  # with its tail
    if previous is None:
        parent.text = (parent.text or "") + tail
    else:
        previous.tail = (previous.tail or "") + tail
