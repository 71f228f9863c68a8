# SPDX-License-Identifier: Apache-2.0
"""Metadata of identity providers: what is read of it, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml import Endpoint, ProviderMetadata, parse_metadata
from fakes.saml_idp import ENTITY_ID, FakeSamlIdp, certificate_of, der, private_key, rsa_key
from saml.documents import PROVIDERS, SHARED, VECTORS

R = Reason
IDP = FakeSamlIdp()
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def refused(text: str | bytes, **how: Any) -> Reason:
    with pytest.raises(ProofError) as error:
        parse_metadata(text, **how)
    return error.value.reason


def edited(change: Any, **made: Any) -> bytes:
    root = etree.fromstring(IDP.metadata(**made))
    change(root)
    return etree.tostring(root)


def role(root: Any) -> Any:
    return root.find(f"{MD}IDPSSODescriptor")


def test_what_a_provider_says_about_itself_is_read() -> None:
    assert parse_metadata(IDP.metadata(validUntil="2027-01-15T08:00:00Z")) == ProviderMetadata(
        entity_id=ENTITY_ID,
        certificates=(IDP.certificate,),
        single_sign_on=(Endpoint(REDIRECT, "https://idp.example.org/sso"),),
        wants_signed_requests=False,
        valid_until=1_800_000_000,
        name_id_formats=("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",),
    )


def test_text_and_bytes_are_read_alike_with_a_declaration_or_a_mark_or_without() -> None:
    found = parse_metadata(IDP.metadata())
    declared = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + IDP.metadata()
    for text in (IDP.metadata().decode(), declared, declared.decode(), b"\xef\xbb\xbf" + declared):
        assert parse_metadata(text) == found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_metadata_of_real_providers_is_read(provider: str) -> None:
    found = parse_metadata((VECTORS / "genuine" / provider / "metadata.xml").read_bytes())
    assert found.certificates
    assert found.single_sign_on


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/vectors/saml is not here")
@pytest.mark.parametrize("name", ["example-idp-metadata.xml", "onelogin-idp-metadata.xml"])
def test_the_shared_metadata_is_read(name: str) -> None:
    assert len(parse_metadata((SHARED / name).read_bytes()).certificates) == 1


def test_several_signing_certificates_are_read_in_order_and_once() -> None:
    certificates = [der(rsa_key(1)), IDP.certificate, der(private_key("P-256")), der(rsa_key(1))]
    assert parse_metadata(IDP.metadata(certificates=certificates)).certificates == tuple(certificates[:3])


def test_a_certificate_for_encryption_is_not_one_for_signing_and_one_without_a_use_is() -> None:
    def encryption(root: Any) -> None:
        role(root)[0].set("use", "encryption")

    def unstated(root: Any) -> None:
        del role(root)[0].attrib["use"]

    two = [der(rsa_key(1)), IDP.certificate]
    assert parse_metadata(edited(encryption, certificates=two)).certificates == (IDP.certificate,)
    assert parse_metadata(edited(unstated, certificates=two)).certificates == tuple(two)


def test_no_signing_certificate_and_more_than_twenty_are_refused() -> None:
    assert refused(IDP.metadata(certificates=[])) is R.SAML_METADATA_CERTIFICATE
    many = [der(private_key("P-256"))]
    keys = [certificate_of(private_key("P-256"), f"name-{n}") for n in range(21)]
    from cryptography.hazmat.primitives.serialization import Encoding

    many = [key.public_bytes(Encoding.DER) for key in keys]
    assert len(parse_metadata(IDP.metadata(certificates=many[:20])).certificates) == 20
    assert refused(IDP.metadata(certificates=many)) is R.SAML_METADATA_CERTIFICATE


def _ed25519() -> bytes:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    key, name = ed25519.Ed25519PrivateKey.generate(), x509.Name([])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1))
    return builder.sign(key, None).public_bytes(Encoding.DER)


def test_a_certificate_that_is_none_or_has_a_key_that_verifies_nothing_is_refused() -> None:
    for certificate in (b"", b"x", IDP.certificate[:-1], IDP.certificate + b"x", _ed25519()):
        assert refused(IDP.metadata(certificates=[certificate])) is R.SAML_METADATA_CERTIFICATE

    def strange(root: Any) -> None:
        root.find(f".//{DS}X509Certificate").text = "é"

    assert refused(edited(strange)) is R.SAML_METADATA_CERTIFICATE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", R.SAML_METADATA_MALFORMED),
        ("<", R.SAML_METADATA_MALFORMED),
        ("\ud800", R.SAML_METADATA_MALFORMED),
        ("<a/>", R.SAML_METADATA_MALFORMED),
        ("<!DOCTYPE a><a/>", R.SAML_METADATA_MALFORMED),
        ("<!-- --><a/>", R.SAML_METADATA_MALFORMED),
        ("<a>" + " " * 10_000_000 + "</a>", R.SAML_METADATA_TOO_LARGE),
        ("<a>" * 30 + "</a>" * 30, R.SAML_METADATA_TOO_LARGE),
        ("<a>" + "<b/>" * 200_001 + "</a>", R.SAML_METADATA_TOO_LARGE),
    ],
    ids=range(9),
)
def test_what_is_no_metadata_is_refused(text: str, reason: Reason) -> None:
    assert refused(text) is reason


def test_one_entity_in_a_wrapper_is_read_and_two_are_refused() -> None:
    entity = IDP.metadata().decode()
    wrapper = '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{}</md:EntitiesDescriptor>'
    assert parse_metadata(wrapper.format(entity)) == parse_metadata(entity)
    assert refused(wrapper.format(entity + entity)) is R.SAML_METADATA_MALFORMED
    assert refused(wrapper.format("")) is R.SAML_METADATA_MALFORMED
    assert refused(wrapper.format(entity + wrapper.format(entity))) is R.SAML_METADATA_MALFORMED


def test_an_absent_provider_and_two_and_one_of_saml_1_are_refused() -> None:
    def absent(root: Any) -> None:
        root.remove(role(root))

    def two(root: Any) -> None:
        root.append(etree.fromstring(etree.tostring(role(root))))

    def old(root: Any) -> None:
        role(root).set("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:1.1:protocol")

    for change in (absent, two, old):
        assert refused(edited(change)) is R.SAML_METADATA_NO_PROVIDER


@pytest.mark.parametrize("entity_id", [None, "", " x", "x" * 1025, "a\nb"])
def test_an_entity_id_that_is_none_is_refused(entity_id: str | None) -> None:
    def change(root: Any) -> None:
        del root.attrib["entityID"]
        if entity_id is not None:
            root.set("entityID", entity_id)

    assert refused(edited(change)) is R.SAML_METADATA_MALFORMED


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "", "data:text/html,x", "/sso", "https://x/ y ", "ftp://x", " https://x"]
)
def test_a_place_to_send_people_that_is_no_web_address_is_refused(location: str) -> None:
    def change(root: Any) -> None:
        role(root).find(f"{MD}SingleSignOnService").set("Location", location)

    assert refused(edited(change)) is R.SAML_METADATA_MALFORMED


def test_no_place_to_send_people_is_refused() -> None:
    def change(root: Any) -> None:
        role(root).remove(role(root).find(f"{MD}SingleSignOnService"))

    assert refused(edited(change)) is R.SAML_METADATA_MALFORMED


@pytest.mark.parametrize(("text", "wanted"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_wish_for_signed_requests_is_read(text: str, wanted: bool) -> None:
    assert (
        parse_metadata(edited(lambda root: role(root).set("WantAuthnRequestsSigned", text))).wants_signed_requests
        is wanted
    )


def test_values_that_are_none_are_refused() -> None:
    for attribute, value in (("WantAuthnRequestsSigned", "yes"), ("validUntil", "tomorrow")):
        change = lambda root, a=attribute, v=value: role(root).set(a, v)  # noqa: E731
        assert refused(edited(change)) is R.SAML_METADATA_MALFORMED

    def strange(root: Any) -> None:
        role(root).find(f"{MD}NameIDFormat").text = ""

    assert refused(edited(strange)) is R.SAML_METADATA_MALFORMED


def test_the_earliest_end_of_validity_counts() -> None:
    def change(root: Any) -> None:
        role(root).set("validUntil", "2027-01-15T07:00:00Z")

    assert parse_metadata(edited(change, validUntil="2027-01-15T08:00:00Z")).valid_until == 1_800_000_000 - 3600


# Its own signature, where a key is pinned


def test_metadata_signed_by_a_pinned_key_is_read_and_of_another_key_or_unsigned_is_refused() -> None:
    federation = rsa_key(5)
    signed = IDP.metadata(signed_by=federation)
    assert parse_metadata(signed, pinned=(der(federation),)) == parse_metadata(IDP.metadata())
    assert parse_metadata(signed, pinned=(der(rsa_key(6)), der(federation))).entity_id == ENTITY_ID
    assert refused(signed, pinned=(der(rsa_key(6)),)) is R.SAML_METADATA_SIGNATURE
    assert refused(IDP.metadata(), pinned=(der(federation),)) is R.SAML_METADATA_SIGNATURE


def test_signed_metadata_that_was_changed_is_refused() -> None:
    federation = rsa_key(5)
    root: Any = etree.fromstring(IDP.metadata(signed_by=federation))
    root.find(f".//{MD}IDPSSODescriptor//{DS}X509Certificate").text = base64.b64encode(der(rsa_key(6))).decode()
    assert refused(etree.tostring(root), pinned=(der(federation),)) is R.SAML_METADATA_SIGNATURE
    assert parse_metadata(etree.tostring(root)).certificates == (der(rsa_key(6)),)


def test_metadata_whose_signature_covers_something_else_is_refused() -> None:
    """The signed entity is moved into extensions of a forged one."""
    federation, mallory = rsa_key(5), FakeSamlIdp(key=rsa_key(6))
    genuine: Any = etree.fromstring(IDP.metadata(signed_by=federation))
    forged: Any = etree.fromstring(mallory.metadata())
    forged.set("ID", "_forged")
    signature = genuine.find(f"{DS}Signature")
    genuine.remove(signature)
    forged.insert(0, signature)
    etree.SubElement(forged, f"{MD}Extensions").append(genuine)
    assert refused(etree.tostring(forged), pinned=(der(federation),)) is R.SAML_METADATA_SIGNATURE


def test_metadata_with_two_signatures_or_without_an_id_is_refused() -> None:
    federation = rsa_key(5)
    two: Any = etree.fromstring(IDP.metadata(signed_by=federation))
    two.append(etree.fromstring(etree.tostring(two.find(f"{DS}Signature"))))
    assert refused(etree.tostring(two), pinned=(der(federation),)) is R.SAML_METADATA_SIGNATURE
    nameless: Any = etree.fromstring(IDP.metadata(signed_by=federation))
    del nameless.attrib["ID"]
    nameless.find(f".//{DS}Reference").set("URI", "#")
    assert refused(etree.tostring(nameless), pinned=(der(federation),)) is R.SAML_METADATA_SIGNATURE


def test_sha_1_is_no_signature_of_metadata() -> None:
    from signxml.algorithms import DigestAlgorithm, SignatureMethod

    signed = IDP.signed(IDP.metadata(), method=SignatureMethod.RSA_SHA1, digest=DigestAlgorithm.SHA1)
    assert refused(signed, pinned=(IDP.certificate,)) is R.SAML_METADATA_SIGNATURE
