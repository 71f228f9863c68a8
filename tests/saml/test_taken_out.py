# SPDX-License-Identifier: Apache-2.0
"""A signature that is taken out of what it stands in must stay, character by character, what was signed. lxml gives a removed
element's names other prefixes where one namespace has two (``xmlns:r`` beside ``xmlns:ds``)."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml import Expectations, Trust, metadata, parse_metadata
from daypass.saml.signature_shape import canonical, take_signature
from daypass.saml.xml import PARSER
from fakes.saml_idp import AUDIENCE, CONSUMER, ENTITY_ID, NOW, NS, FakeSamlIdp, rsa_key
from saml.documents import judged, reason, signxml_covers, xmlsec_accepts

IDP: Final = FakeSamlIdp()
TRUST: Final = Trust(ENTITY_ID, (IDP.certificate,))
EXPECTED: Final = Expectations((AUDIENCE,), (CONSUMER,), NOW)

SPELLINGS: Final = {
    # where: (what is written, what is written instead); the names stay the same
    "another prefix within": (
        ("<ds:Reference ", f'<r:Reference xmlns:r="{NS["ds"]}" '),
        ("</ds:Reference>", "</r:Reference>"),
    ),
    "the default within": (("<ds:Reference ", f'<Reference xmlns="{NS["ds"]}" '), ("</ds:Reference>", "</Reference>")),
    "another prefix around": (
        ("<samlp:Response ", f'<samlp:Response xmlns:r="{NS["ds"]}" '),
        ("<ds:Reference ", "<r:Reference "),
        ("</ds:Reference>", "</r:Reference>"),
    ),
}


def spelt(document: bytes, spelling: str) -> bytes:
    text = document.decode()
    for old, new in SPELLINGS[spelling]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text.encode()


def signed_again(document: bytes) -> bytes:
    """The same, with a genuine signature over SignedInfo as it is spelt now. The digest does not cover it."""
    root: Any = etree.fromstring(document)
    signature = root.find(".//ds:Signature", NS)
    data = etree.tostring(signature[0], method="c14n", exclusive=True)
    signature[1].text = base64.b64encode(rsa_key().sign(data, PKCS1v15(), hashes.SHA256())).decode()
    return etree.tostring(root)


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_signature_whose_names_have_two_prefixes_is_verified_as_it_was_made(spelling: str, sign: Any) -> None:
    document = signed_again(spelt(IDP.response(sign=sign), spelling))
    assert xmlsec_accepts(document, IDP.certificate)
    assert signxml_covers(document, IDP.certificate)
    assert judged(document, TRUST, EXPECTED).subject == "alice"


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_signed_info_that_is_spelt_otherwise_than_it_was_signed_is_refused(spelling: str, sign: Any) -> None:
    """Nobody signed these bytes."""
    document = spelt(IDP.response(sign=sign), spelling)
    assert not xmlsec_accepts(document, IDP.certificate)
    assert not signxml_covers(document, IDP.certificate)
    assert reason(document, TRUST, EXPECTED) is Reason.SAML_SIGNATURE_INVALID


def test_what_is_signed_of_a_signature_is_the_same_within_and_taken_out() -> None:
    """A backstop of lxml, if what is canonicalised is the signature that was taken out. Drop it if it is not any more."""
    ds = NS["ds"]
    root: Any = etree.fromstring(
        f"<r xmlns:p='{ds}'><q:Signature xmlns:q='{ds}'><p:SignedInfo><s xmlns='{ds}'/></p:SignedInfo></q:Signature></r>",
        PARSER,
    )
    within = canonical(root[0][0])
    signature: Any = take_signature(root)
    assert canonical(signature[0]) == within


def test_a_signature_of_metadata_is_in_its_form_before_it_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking one out took time with the square of the declarations and attributes in it: 11 s for 5.6 MB, unsigned."""
    monkeypatch.setattr(metadata, "take_signature", lambda root: pytest.fail("taken out unseen"))
    stray = IDP.metadata(signed_by=rsa_key()).replace(
        b"</ds:Signature>", b'<x xmlns="urn:x" xmlns:a="urn:a" a:b=""/></ds:Signature>'
    )
    with pytest.raises(ProofError) as caught:
        parse_metadata(stray, pinned=(IDP.certificate,))
    assert caught.value.reason is Reason.SAML_METADATA_SIGNATURE
