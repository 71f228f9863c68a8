# SPDX-License-Identifier: Apache-2.0
"""Encrypted assertions: what is decrypted, what is refused, and that nothing is learnt from a failure."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from daypass.errors import Reason
from daypass.saml import Expectations, Trust
from fakes.saml_idp import AUDIENCE, CONSUMER, ENTITY_ID, NOW, NS, Encryption, FakeSamlIdp, Sign, rsa_key
from saml.documents import judged, reason

R = Reason
IDP = FakeSamlIdp()
OURS, OLDER, OTHER = rsa_key(10), rsa_key(11), rsa_key(12)
TRUST = Trust(ENTITY_ID, (IDP.certificate,), decryption_keys=(OURS,))
EXPECTED = Expectations((AUDIENCE,), (CONSUMER,), NOW + 1)
XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
CBC = replace(TRUST, allow_cbc=True)


def encrypted(*, sign: Sign = "assertion", **how: Any) -> bytes:
    """A response with an encrypted assertion."""
    return IDP.response(sign=sign, encryption=Encryption(how.pop("key", OURS), **how))


def oaep(mask: hashes.HashAlgorithm, digest: hashes.HashAlgorithm) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(mask), digest, None)


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_gcm_is_decrypted(bits: int) -> None:
    assertion = judged(encrypted(algorithm=f"{XENC11}aes{bits}-gcm"), TRUST, EXPECTED)
    assert assertion.subject == "alice"
    assert assertion.encrypted


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_cbc_is_decrypted_only_where_the_provider_opted_in(bits: int) -> None:
    document = encrypted(algorithm=f"{XENC}aes{bits}-cbc")
    assert reason(document, TRUST, EXPECTED) is R.SAML_ENCRYPTION_REFUSED
    assert judged(document, CBC, EXPECTED).subject == "alice"


@pytest.mark.parametrize("algorithm", [f"{XENC}tripledes-cbc", f"{XENC}aes256-gcm", "", f"{XENC}kw-aes128"])
def test_another_encryption_algorithm_is_refused(algorithm: str) -> None:
    assert reason(encrypted(algorithm=algorithm), CBC, EXPECTED) is R.SAML_ENCRYPTION_REFUSED


def test_a_key_wrapped_by_pkcs_1_v1_5_is_refused() -> None:
    how: dict[str, Any] = {"key_algorithm": f"{XENC}rsa-1_5", "key_method": "", "key_padding": padding.PKCS1v15()}
    assert reason(encrypted(**how), CBC, EXPECTED) is R.SAML_ENCRYPTION_REFUSED


def test_a_key_wrapped_by_pkcs_1_v1_5_under_the_name_of_oaep_does_not_decrypt() -> None:
    assert reason(encrypted(key_padding=padding.PKCS1v15()), TRUST, EXPECTED) is R.SAML_DECRYPTION_FAILED


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])
def test_oaep_with_its_digest_and_mask_is_decrypted(digest: hashes.HashAlgorithm) -> None:
    named = {"sha1": "http://www.w3.org/2000/09/xmldsig#sha1"}.get(digest.name, f"{XENC}{digest.name}")
    method = f'<ds:DigestMethod Algorithm="{named}"/><x:MGF xmlns:x="{XENC11}" Algorithm="{XENC11}mgf1{digest.name}"/>'
    how: dict[str, Any] = {
        "key_algorithm": f"{XENC11}rsa-oaep",
        "key_method": method,
        "key_padding": oaep(digest, digest),
    }
    assert judged(encrypted(**how), TRUST, EXPECTED).subject == "alice"


def test_oaep_without_a_digest_method_is_sha_1() -> None:
    assert judged(encrypted(key_method=""), TRUST, EXPECTED).subject == "alice"


@pytest.mark.parametrize(
    "method",
    [
        "<xenc:OAEPparams>AAAA</xenc:OAEPparams>",
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"/>',
        f'<x:MGF xmlns:x="{XENC11}" Algorithm="{XENC11}mgf1sha1"/>',
    ],
)
def test_parameters_of_oaep_that_are_not_known_are_refused(method: str) -> None:
    assert reason(encrypted(key_method=method), TRUST, EXPECTED) is R.SAML_ENCRYPTION_REFUSED


def test_the_encrypted_key_may_stand_beside_the_data() -> None:
    assert judged(encrypted(key_beside_data=True), TRUST, EXPECTED).subject == "alice"


def test_any_of_two_keys_of_ours_decrypts_while_they_are_changed_and_no_other_one() -> None:
    both = replace(TRUST, decryption_keys=(OURS, OLDER))
    assert judged(encrypted(key=OLDER), both, EXPECTED).subject == "alice"
    assert judged(encrypted(key=OURS), both, EXPECTED).subject == "alice"
    assert reason(encrypted(key=OTHER), both, EXPECTED) is R.SAML_DECRYPTION_FAILED


def test_without_a_key_of_ours_nothing_is_decrypted() -> None:
    assert reason(encrypted(), replace(TRUST, decryption_keys=()), EXPECTED) is R.SAML_DECRYPTION_FAILED


@pytest.mark.parametrize("sign", ["none", "response"])
def test_a_decrypted_assertion_that_is_not_signed_itself_is_refused(sign: Sign) -> None:
    """Everybody can encrypt for us; that the response around it is signed is not enough (CVE-2024-9487)."""
    assert reason(encrypted(sign=sign), TRUST, EXPECTED) is R.SAML_UNSIGNED


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"<xenc:CipherValue>", b"<xenc:CipherValue>-"),
        (b"<xenc:CipherData>", b"<xenc:KeyName/><xenc:CipherData>"),
        (b"<xenc:CipherData>", b'<xenc:CipherData Id="x">'),
    ],
)
def test_an_encrypted_assertion_in_another_form_is_refused_before_any_key_is_tried(found: bytes, put: bytes) -> None:
    document = encrypted()
    assert found in document
    assert reason(document.replace(found, put, 1), TRUST, EXPECTED) is R.SAML_ENCRYPTION_REFUSED


def test_with_both_signatures_the_ciphertext_is_verified_before_it_is_decrypted() -> None:
    assert judged(encrypted(sign="both"), TRUST, EXPECTED).subject == "alice"
    root: Any = etree.fromstring(encrypted(sign="both"))
    value = root.find(".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", NS)
    value.text = base64.b64encode(bytes(64)).decode()
    assert reason(etree.tostring(root), TRUST, EXPECTED) is R.SAML_DIGEST_MISMATCH


@pytest.mark.parametrize("where", [0, 11, 12, 40, -17, -16, -1])
def test_a_flipped_bit_of_gcm_is_refused(where: int) -> None:
    def tamper(ciphertext: bytes) -> bytes:
        changed = bytearray(ciphertext)
        changed[where] ^= 1
        return bytes(changed)

    assert reason(encrypted(tamper=tamper), TRUST, EXPECTED) is R.SAML_DECRYPTION_FAILED


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28])
def test_a_ciphertext_or_tag_that_is_cut_off_is_refused_at_every_length(length: int) -> None:
    """GCM's tag has all of its sixteen bytes (xml-security CVE-2026-32600; gosaml2 GHSA-hwqm-qvj9-4jr2)."""
    refusals = {R.SAML_DECRYPTION_FAILED} if length else {R.SAML_ENCRYPTION_REFUSED, R.SAML_DECRYPTION_FAILED}
    assert reason(encrypted(tamper=lambda text: text[:length]), TRUST, EXPECTED) in refusals
    assert reason(encrypted(tamper=lambda text: text[:-4]), TRUST, EXPECTED) is R.SAML_DECRYPTION_FAILED


def test_every_failure_behind_cbc_is_the_same_one() -> None:
    """An attacker who alters the ciphertext sees no difference between padding, XML, shape and signature."""
    cbc = f"{XENC}aes128-cbc"

    def flipped(at: int) -> Callable[[bytes], bytes]:
        return lambda text: text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]

    def cut(length: int) -> Callable[[bytes], bytes]:
        return lambda text: text[:length]

    tampered = [*(flipped(at) for at in range(0, 800, 37)), *(cut(length) for length in (1, 16, 31, 32, 48, 160))]
    documents = [encrypted(algorithm=cbc, tamper=tamper) for tamper in tampered]
    documents.append(encrypted(algorithm=cbc, sign="none"))
    for text in (
        IDP.assertion(name_id="mallory"),
        IDP.assertion(conditions="<saml:Condition/>"),
        IDP.assertion(version="1"),
    ):
        documents.append(IDP.response(encryption=Encryption(OURS, algorithm=cbc), assertion=text, sign="none"))
    failures = {reason(document, CBC, EXPECTED) for document in documents}
    assert failures == {R.SAML_DECRYPTION_FAILED}


@pytest.mark.parametrize(
    "plaintext",
    [
        b"", b"x", b"<", b"<a/>", b"</context>", b"<a/></context><context>", b"<!DOCTYPE x>", b"<?xml version='1.0'?><a/>",
        b"<!-- -->", b"text<a/>", b"\xff\xfe", b"<a/><a/>",
    ],
)  # fmt: skip
def test_a_plaintext_that_is_not_one_assertion_is_refused(plaintext: bytes) -> None:
    document = IDP.response(assertion=Encryption(OURS).encrypt(plaintext), sign="none")
    assert reason(document, TRUST, EXPECTED) is R.SAML_DECRYPTION_FAILED


def test_two_assertions_in_one_plaintext_are_refused() -> None:
    signed = IDP.signed(IDP.assertion().encode())
    for plaintext in (signed + signed, IDP.assertion(name_id="mallory").encode() + signed, signed + b"x"):
        document = IDP.response(assertion=Encryption(OURS).encrypt(plaintext), sign="none")
        assert reason(document, TRUST, EXPECTED) is R.SAML_DECRYPTION_FAILED


def test_a_plaintext_with_a_declaration_of_its_own_or_with_prefixes_of_the_response_is_read() -> None:
    signed = IDP.signed(IDP.assertion().encode())
    for plaintext in (
        b'<?xml version="1.0" encoding="UTF-8"?>' + signed,
        signed.replace(b' xmlns:saml="' + NS["saml"].encode() + b'"', b""),
    ):
        document = IDP.response(assertion=Encryption(OURS).encrypt(plaintext), sign="none")
        assert judged(document, TRUST, EXPECTED).subject == "alice"


def test_prefixes_of_the_response_may_have_any_name() -> None:
    plaintext = IDP.signed(IDP.assertion().encode())
    for name in ("ns0", "xs", "_", "a.b-c"):
        document = IDP.response(assertion=Encryption(OURS).encrypt(plaintext), sign="none")
        document = document.replace(b"<samlp:Response ", f'<samlp:Response xmlns:{name}="urn:x" '.encode())
        assert judged(document, TRUST, EXPECTED).subject == "alice"


def test_two_encrypted_keys_are_refused() -> None:
    root: Any = etree.fromstring(encrypted(key_beside_data=True))
    inner: Any = etree.fromstring(encrypted()).find(".//ds:KeyInfo", NS)
    root.find(".//xenc:EncryptedData", NS).insert(1, inner)
    assert reason(etree.tostring(root), TRUST, EXPECTED) is R.SAML_ENCRYPTION_REFUSED


def test_a_plain_assertion_is_refused_where_encryption_is_required() -> None:
    required = replace(TRUST, encryption_required=True)
    assert reason(IDP.response(), required, EXPECTED) is R.SAML_ENCRYPTION_REQUIRED
    assert judged(encrypted(), required, EXPECTED).encrypted


def test_keys_do_not_print() -> None:
    assert "RSAPrivateKey" not in repr(TRUST)
