# SPDX-License-Identifier: Apache-2.0
"""What we say of ourselves to identity providers."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from daypass.signin.service_provider import CERTIFICATE_DAYS, certificate
from fakes.saml_idp import Encryption, FakeSamlIdp, rsa_key
from in_process import ACCOUNT, NOW
from signin.browser import ORIGIN
from signin.corporate import PROVIDER, Corporate, corporate, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
OURS = f"/saml/metadata/{ACCOUNT}/keyed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corporate]:
    async with corporate(tmp_path_factory.mktemp("metadata")) as made:
        yield made


def published(document: bytes, use: str) -> list[bytes]:
    found = etree.fromstring(document).iterfind(f'.//md:KeyDescriptor[@use="{use}"]//ds:X509Certificate', NAMES)
    return [base64.b64decode(element.text or "") for element in found]


async def test_the_general_metadata_says_who_we_are_and_where_answers_go(acme: Corporate) -> None:
    page = await acme.browser().get("/saml/metadata")
    assert page.header("content-type") == "application/samlmetadata+xml"
    assert page.header("cache-control") == "public, max-age=900"
    assert not page.has("set-cookie")
    root = etree.fromstring(page.body)
    assert root.get("entityID") == f"{ORIGIN}/saml/metadata"
    (consumer,) = root.iterfind(".//md:AssertionConsumerService", NAMES)
    assert consumer.get("Location") == f"{ORIGIN}/saml"
    (role,) = root.iterfind("md:SPSSODescriptor", NAMES)
    assert role.get("WantAssertionsSigned") == "true"
    assert root.find(".//md:KeyDescriptor", NAMES) is None


async def test_the_metadata_for_a_registration_has_its_keys_the_newest_first(acme: Corporate) -> None:
    def pem(number: int) -> str:
        return rsa_key(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    keyed = PROVIDER.replace("corporate", "keyed")
    await acme.register("keyed", FakeSamlIdp("https://keyed.example.org").metadata(), AddPrivateKey=pem(5))
    first = await acme.browser().get(OURS)
    await acme.iam("UpdateSAMLProvider", SAMLProviderArn=keyed, AddPrivateKey=pem(6))
    both = await acme.browser().get(OURS)
    assert etree.fromstring(both.body).get("entityID") == f"{ORIGIN}/saml/metadata"
    keys = [x509.load_der_x509_certificate(der).public_key() for der in published(both.body, "encryption")]
    assert keys == [rsa_key(6).public_key(), rsa_key(5).public_key()]
    assert (
        published(both.body, "encryption")[1:]
        == published(first.body, "encryption")
        == published(first.body, "signing")
    )


async def test_a_certificate_is_the_same_whoever_makes_it(acme: Corporate) -> None:
    made = certificate(rsa_key(5), f"{ORIGIN}/saml/metadata", int(NOW))
    assert made == certificate(rsa_key(5), f"{ORIGIN}/saml/metadata", int(NOW))
    read = x509.load_der_x509_certificate(made)
    read.verify_directly_issued_by(read)
    assert read.not_valid_before_utc.timestamp() == NOW
    assert (read.not_valid_after_utc - read.not_valid_before_utc).days == CERTIFICATE_DAYS


async def test_an_encrypted_assertion_for_the_published_key_is_read(acme: Corporate) -> None:
    """The key that the metadata names is the one that opens."""
    idp = FakeSamlIdp("https://encrypting.example.org")
    keyed = PROVIDER.replace("corporate", "encrypting")
    pem = rsa_key(8).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    await acme.register("encrypting", idp.metadata(), AddPrivateKey=pem, AssertionEncryptionMode="Required")
    await acme.iam("CreateRole", RoleName="Sealed", AssumeRolePolicyDocument=trusting(keyed))
    response = acme.response("Sealed", provider=keyed, idp=idp, encryption=Encryption(rsa_key(8)))
    browser = acme.browser()
    page = await acme.choose(browser, await acme.tile(browser, response), "Sealed")
    assert page.status == 200
    plain = acme.response("Sealed", provider=keyed, idp=idp)
    assert (await acme.tile(browser, plain)).status == 400


@pytest.mark.parametrize("wants", ["true", "false"])
async def test_the_metadata_says_that_requests_are_signed_only_where_the_provider_wants_them_signed(
    acme: Corporate, wants: str
) -> None:
    name = f"requests-{wants}"
    metadata = FakeSamlIdp(f"https://{name}.example.org").metadata()
    said = f'<md:IDPSSODescriptor WantAuthnRequestsSigned="{wants}" '.encode()
    pem = rsa_key(5).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    await acme.register(name, metadata.replace(b"<md:IDPSSODescriptor ", said), AddPrivateKey=pem)
    ours = await acme.browser().get(f"/saml/metadata/{ACCOUNT}/{name}")
    (role,) = etree.fromstring(ours.body).iterfind("md:SPSSODescriptor", NAMES)
    assert role.get("AuthnRequestsSigned") == wants
