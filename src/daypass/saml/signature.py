# SPDX-License-Identifier: Apache-2.0
"""
Whether a registered key made a signature (XML Signature 3.2), and the bytes that it covers.

    element in the profile's form -- take_signature --> element, signature -- verify_signature(certificates) --> Signed: the
    bytes that count, to be read again

The profile leaves so little of XML Signature that what remains is here whole: two canonicalisations, one digest, one
public key operation (docs/adr/0011). There is no lookup of keys or references, nothing is fetched or transformed
otherwise. Two other implementations, signxml and python-xmlsec, are asked in the tests about everything that is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml.keys import RegisteredKey, registered_key
from daypass.saml.signature_shape import SignatureForm, canonical, signature_form
from daypass.saml.xml import Element, read_canonical


class Signed(msgspec.Struct, frozen=True):
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
    signature: Element | None,
    certificates: Iterable[bytes],
    *,
    allow_sha1: bool = False,
    allow_small_rsa: bool = False,
) -> Signed:
    """
    The bytes of an element that the signature covers which was taken out of it (``take_signature``), if one of these
    certificates' keys made it.

    1. The form: one reference, to this element, known transforms, accepted algorithms.
    2. The keys: of the kind that the algorithm needs, and long enough; that there is none is a reason of its own.
    3. The signature over the canonical SignedInfo, by one of the keys. The signature's KeyInfo is not asked.
    4. The digest of the canonical element, alone: nothing around it takes part.

    Raises ProofError. **The caller reads the returned bytes again and nothing else**; ``element`` stays unverified.
    """
    if signature is None:
        raise ProofError(Reason.SAML_UNSIGNED, "The element is not signed.")
    form = signature_form(element.get("ID", ""), signature, allow_sha1=allow_sha1)  # 1
    keys = _suitable(certificates, form, allow_small_rsa=allow_small_rsa)  # 2
    if not keys:
        raise ProofError(
            Reason.SAML_KEY_REFUSED, "No registered certificate has a key that could have made the signature."
        )
    key = next((key for key in keys if key.made(form.value, form.signed_info, form.algorithm)), None)  # 3
    if key is None:
        raise ProofError(Reason.SAML_SIGNATURE_INVALID, "The signature is not valid.")
    data = _canonical_alone(element, form.prefixes)  # 4
    if form.digest.of(data) != form.digest_value:
        raise ProofError(Reason.SAML_DIGEST_MISMATCH, "What was signed has been changed.")
    return Signed(data, form.algorithm.identifier, key.fingerprint, form.algorithm.sha1 or form.digest.sha1)


def _suitable(certificates: Iterable[bytes], form: SignatureForm, *, allow_small_rsa: bool) -> list[RegisteredKey]:
    kind = form.algorithm.key_kind
    keys = [registered_key(certificate) for certificate in certificates]
    return [key for key in keys if key is not None and key.kind == kind and (allow_small_rsa or not key.small)]


def _canonical_alone(element: Element, prefixes: tuple[str, ...]) -> bytes:
    """The canonical form of an element. A list of prefixes may name some that are declared around it: then it is written out
    and read again, as the root of a document that has them too."""
    if prefixes:
        element = read_canonical(etree.tostring(element, with_tail=False))
    return canonical(element, prefixes)
