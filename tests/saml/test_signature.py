# SPDX-License-Identifier: Apache-2.0
"""Signatures and keys, below the level of whole responses; and how a response is carried."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml import Expectations, Trust, decode_response, parse_response
from daypass.saml.algorithms import SIGNATURE_ALGORITHMS
from daypass.saml.keys import registered_key
from daypass.saml.limits import MAX_ENCODED_RESPONSE
from daypass.saml.shape import require_shape
from daypass.saml.signature import verify_signature
from daypass.saml.signature_shape import take_signature
from daypass.saml.statements import by_name, conditions
from daypass.saml.xml import read_open_xml
from fakes.saml_idp import AUDIENCE, CONSUMER, ENTITY_ID, NOW, NS, Encryption, FakeSamlIdp, der, private_key, rsa_key
from saml.documents import reason

R = Reason
IDP = FakeSamlIdp()
TRUST = Trust(ENTITY_ID, (IDP.certificate,))
EXPECTED = Expectations((AUDIENCE,), (CONSUMER,), NOW + 1)
ECDSA = next(algorithm for name, algorithm in SIGNATURE_ALGORITHMS.items() if name.endswith("ecdsa-sha256"))
RSA = next(algorithm for name, algorithm in SIGNATURE_ALGORITHMS.items() if name.endswith("rsa-sha256"))


def raised(work: Any, *arguments: Any) -> Reason:
    with pytest.raises(ProofError) as error:
        work(*arguments)
    return error.value.reason


def test_an_element_that_is_not_signed_is_refused() -> None:
    element = etree.fromstring(IDP.assertion())
    assert raised(verify_signature, element, take_signature(element), TRUST.certificates) is R.SAML_UNSIGNED


@pytest.mark.parametrize("length", [0, 63, 65, 70, 128])
def test_an_ecdsa_signature_of_another_length_is_none(length: int) -> None:
    key = registered_key(der(private_key("P-256")))
    assert key is not None
    assert not key.made(bytes(length), b"data", ECDSA)
    assert not key.made(bytes(64), b"data", ECDSA)  # r and s of zero


def test_an_algorithm_for_another_kind_of_key_is_an_error_of_ours() -> None:
    key = registered_key(der(private_key("P-256")))
    assert key is not None
    with pytest.raises(TypeError):
        key.made(bytes(64), b"data", RSA)


def test_a_modulus_that_costs_too_much_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daypass.saml.keys.MAX_KEY_BITS", 1023)
    assert registered_key.__wrapped__(der(rsa_key(0, 1024))) is None


def test_a_certificate_is_its_key_whatever_its_dates_and_names() -> None:
    certificate = x509.load_der_x509_certificate(IDP.certificate)
    assert certificate.not_valid_after_utc.year == 2016
    assert registered_key(IDP.certificate) is not None


def test_an_encrypted_key_in_the_key_info_of_a_signature_is_refused() -> None:
    root: Any = etree.fromstring(IDP.response())
    encrypted: Any = etree.fromstring(Encryption(rsa_key(10)).encrypt(b"x"))
    root.find(".//ds:KeyInfo", NS).append(encrypted.find(".//xenc:EncryptedKey", NS))
    assert reason(etree.tostring(root), TRUST, EXPECTED) is R.SAML_SIGNATURE_SHAPE


def test_what_else_key_info_may_hold_is_not_read() -> None:
    root: Any = etree.fromstring(IDP.response())
    key_info = root.find(".//ds:KeyInfo", NS)
    key_info.clear()
    assert reason(etree.tostring(root), TRUST, EXPECTED) is None
    key_info.getparent().remove(key_info)
    assert reason(etree.tostring(root), TRUST, EXPECTED) is None


def test_a_content_key_of_another_length_does_not_decrypt() -> None:
    key = rsa_key(10)
    root: Any = etree.fromstring(IDP.response(encryption=Encryption(key)))
    value = root.find(".//xenc:EncryptedKey//xenc:CipherValue", NS)
    padding = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)
    value.text = base64.b64encode(key.public_key().encrypt(bytes(16), padding)).decode()
    trust = Trust(ENTITY_ID, (IDP.certificate,), decryption_keys=(key,))
    assert reason(etree.tostring(root), trust, EXPECTED) is R.SAML_DECRYPTION_FAILED


def test_a_response_is_carried_in_base64_and_nothing_else() -> None:
    document = IDP.response()
    text = base64.b64encode(document).decode()
    assert decode_response(text) == decode_response(text.encode()) == document
    assert decode_response("\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))) == document
    for broken in (text[:-1], text + "=", "-" + text, "é" + text, "%2B" + text, text.replace("A", "\0", 1)):
        assert raised(decode_response, broken) is R.SAML_MALFORMED


def test_a_carried_response_is_bounded_exactly_as_aws_bounds_it() -> None:
    assert len(decode_response("A" * MAX_ENCODED_RESPONSE)) == 75_000
    assert raised(decode_response, "A" * (MAX_ENCODED_RESPONSE + 4)) is R.SAML_TOO_LARGE


def test_a_compressed_response_is_not_inflated() -> None:
    """A bomb of the redirect binding (ruby-saml CVE-2025-25293): no response comes by it, and nothing inflates."""
    import zlib

    bomb = zlib.compress(b" " * 10_000_000)
    assert raised(parse_response, decode_response(base64.b64encode(bomb))) is R.SAML_MALFORMED


def test_a_response_that_names_no_issuer_is_refused() -> None:
    def edit(root: Any) -> None:
        root.find("saml:Issuer", NS).text = None
        root.find("saml:Assertion/saml:Issuer", NS).text = None

    assert raised(parse_response, IDP.response(edit=edit)) is R.SAML_ISSUER_MISMATCH
    assert repr(parse_response(IDP.response())) == "UnverifiedResponse(...)"


def test_an_issuer_elsewhere_in_the_message_is_not_the_issuer() -> None:
    """The registration is chosen by the issuer; the assertion's own must be the same."""
    parsed = parse_response(IDP.response(response_issuer="https://other.example.org/"))
    assert parsed.unverified_issuer == "https://other.example.org/"
    assert reason(IDP.response(issuer="https://other.example.org/"), TRUST, EXPECTED) is R.SAML_ISSUER_MISMATCH


def test_what_should_have_been_refused_before_is_refused_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line of checks that the first one makes needless."""
    monkeypatch.setattr("daypass.saml.xml._body", lambda data: data)
    with pytest.raises(ProofError) as error:
        read_open_xml(b"<r><!--x--></r>", max_bytes=100, max_elements=9)
    assert error.value.reason is R.SAML_MARKUP_REFUSED
    root: Any = etree.fromstring(IDP.response())
    root.find("saml:Assertion", NS).append(etree.Comment("x"))
    assert raised(parse_response, etree.tostring(root)) is R.SAML_SHAPE_REFUSED
    assert raised(conditions, by_name(etree.fromstring("<r/>")), EXPECTED) is R.SAML_SHAPE_REFUSED


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b'status:Success"/>', b'status:Success">text</samlp:StatusCode>'),
        (b"<samlp:Status>", b"<samlp:Status>text"),
        (b"</samlp:Status>", b"text</samlp:Status>"),
        (b"</samlp:Status>", b"</samlp:Status>text"),
        (b"</samlp:Response>", "\u00a0</samlp:Response>".encode()),
    ],
)
def test_text_where_no_text_is_expected_is_refused(found: bytes, put: bytes) -> None:
    document = IDP.response()
    assert found in document
    assert (
        reason(document.replace(found, put.replace(b"text", b" \n\t").replace(b"\xc2\xa0", b" ")), TRUST, EXPECTED)
        is None
    )
    assert reason(document.replace(found, put), TRUST, EXPECTED) is R.SAML_SHAPE_REFUSED


def test_white_space_around_the_signature_is_signed() -> None:
    pretty: Any = etree.fromstring(IDP.assertion())
    etree.indent(pretty)
    document = IDP.response(assertion=etree.tostring(pretty).decode())
    assert reason(document, TRUST, EXPECTED) is None
    root: Any = etree.fromstring(document)
    root.find(".//ds:Signature", NS).tail = "\n"
    assert reason(etree.tostring(root), TRUST, EXPECTED) is R.SAML_DIGEST_MISMATCH
    require_shape(root)
