# SPDX-License-Identifier: Apache-2.0
"""A response as it came (SAML Core 3.3.3, Bindings 3.5): taken apart, in the one form that is accepted, unverified."""

from __future__ import annotations

from typing import Final

import msgspec

from daypass.errors import ProofError, Reason
from daypass.saml.limits import MAX_ENCODED_RESPONSE, MAX_URI
from daypass.saml.names import SA, SP, SUCCESS
from daypass.saml.shape import require_response_shape
from daypass.saml.signature_shape import strict_base64, take_signature, without_white_space
from daypass.saml.xml import Element, read_xml


class Parts(msgspec.Struct, frozen=True):
    """
    The parts of a response that are asked for. ``assertion`` is an EncryptedAssertion if it is ``encrypted``.

    ``signature`` was taken out of ``response``. If there is none, ``assertion_signature`` was taken out of ``assertion``; else
    the assertion is as it was signed with the response.
    """

    response: Element
    signature: Element | None
    issuer: Element | None
    assertion: Element
    encrypted: bool
    assertion_signature: Element | None


def take_apart(response: Element) -> Parts:
    """The parts of a response in the profile's form, which is changed by it: a signature is taken out."""
    signature = take_signature(response)
    found = {child.tag: child for child in response}  # the shape: each is there once at most
    encrypted = f"{SA}EncryptedAssertion" in found
    assertion = found[f"{SA}EncryptedAssertion" if encrypted else f"{SA}Assertion"]
    of_assertion = take_signature(assertion) if signature is None else None
    return Parts(response, signature, found.get(f"{SA}Issuer"), assertion, encrypted, of_assertion)


class UnverifiedResponse:
    """
    A response in the accepted form; nothing in it has been verified. It is made from the bytes alone. Raises ProofError.

    1. XML that is read at all (``daypass.saml.xml``).
    2. The status, if the provider says that it did not sign anybody in: there is no assertion then, and to say that one is
       missing would hide why. It needs no signature to be refused.
    3. The structural profile: exactly one assertion, known elements in known places, IDs that differ.
    4. Its parts, and its outer signature apart from what it may cover.
    5. An issuer, of the response or of a plain assertion.
    """

    __slots__ = ("unverified_issuer", "unverified_parts")

    def __init__(self, raw: bytes) -> None:
        root = read_xml(raw)  # 1
        _require_success(root)  # 2
        require_response_shape(root)  # 3
        self.unverified_parts: Final = take_apart(root)  # 4
        self.unverified_issuer: Final = _issuer(self.unverified_parts)  # 5

    def __repr__(self) -> str:
        return "UnverifiedResponse(...)"

    @property
    def unverified_tree(self) -> Element:
        """The response's element, without its outer signature."""
        return self.unverified_parts.response


def parse_response(raw: bytes) -> UnverifiedResponse:
    """Take a response (XML) apart, strictly. Raises ProofError, and nothing else, whatever the bytes."""
    return UnverifiedResponse(raw)


def decode_response(text: str | bytes) -> bytes:
    """
    The XML of a response as the POST binding and STS carry it: base64 (RFC 4648 section 4; Bindings 3.5.4).

    Line breaks are taken, as browsers and tools send them; no other character, and no compression: DEFLATE is the redirect
    binding's, by which no response comes. Raises ProofError.
    """
    if len(text) > MAX_ENCODED_RESPONSE:
        raise ProofError(Reason.SAML_TOO_LARGE, f"The SAML response is longer than {MAX_ENCODED_RESPONSE} characters.")
    try:
        characters = text if isinstance(text, str) else text.decode("ascii")
        return strict_base64(without_white_space(characters) if "\n" in characters else characters)
    except ValueError:
        raise ProofError(Reason.SAML_MALFORMED, "The SAML response is not base64.") from None


def _require_success(root: Element) -> None:
    """SAML Core 3.2.2.2: the top-level status code. An absent one is for the structural profile to refuse."""
    if root.tag != f"{SP}Response":
        return
    codes = (code for status in root.iterchildren(f"{SP}Status") for code in status.iterchildren(f"{SP}StatusCode"))
    code = next(codes, None)
    if code is not None and code.get("Value") != SUCCESS:
        raise ProofError(Reason.SAML_CLAIM_STATUS, "The identity provider reported that authentication failed.")


def _issuer(parts: Parts) -> str:
    of_response = None if parts.issuer is None else parts.issuer.text
    issuer = of_response or parts.assertion.findtext(f"{SA}Issuer") or ""
    if not 0 < len(issuer) <= MAX_URI:
        raise ProofError(Reason.SAML_ISSUER_MISMATCH, "The SAML response names no issuer.")
    return issuer
