# SPDX-License-Identifier: Apache-2.0
"""
A SAML identity provider to edit: it signs with real keys, and says whatever a test makes it say.

Signing is signxml's and encryption is done here with ``cryptography`` alone: nothing of daypass takes part in making what
daypass verifies. Messages are made as text, so that a test can say what no library would.

    idp = FakeSamlIdp()
    raw = idp.response(name_id="alice", attributes={"Role": ["admin"]}, sign="assertion")
    raw = idp.response(edit=lambda response: response.find(...).set(...))      # before it is signed
    idp.metadata()
"""

from __future__ import annotations

import base64
import datetime
import functools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

NOW: Final = 1_800_000_000.0
"""The instant at which assertions are issued, unless a test says otherwise."""

ENTITY_ID: Final = "https://idp.example.org/metadata"
AUDIENCE: Final = "https://sp.example.org/saml/metadata"
CONSUMER: Final = "https://sp.example.org/saml"

NS: Final = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"

Sign = Literal["assertion", "response", "both", "none"]
Edit = Callable[[Any], None]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@functools.cache
def private_key(kind: str = "RSA", number: int = 0, bits: int = 2048) -> PrivateKey:
    """A private key; the same arguments give the same key, so that RSA keys are made once per run. ``kind``: RSA or a curve."""
    if kind == "RSA":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[kind])


def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key, for encryption or signing."""
    key = private_key("RSA", number, bits)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@functools.cache
def certificate_of(key: PrivateKey, name: str = "idp.example.org") -> x509.Certificate:
    """A self-signed certificate, long expired, as identity providers have them."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(4711).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=365))
    return builder.sign(key, hashes.SHA256())


def der(key: PrivateKey) -> bytes:
    """The key's certificate, DER."""
    return certificate_of(key).public_bytes(Encoding.DER)


def at(seconds: float) -> str:
    """An instant as SAML writes it."""
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attributes(pairs: Mapping[str, str | None]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in pairs.items() if value is not None)


@dataclass
class Encryption:
    """How an assertion is encrypted, and for whom."""

    key: rsa.RSAPrivateKey
    algorithm: str = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    key_algorithm: str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
    key_method: str = '<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>'
    key_padding: padding.AsymmetricPadding = field(
        default_factory=lambda: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    )
    key_beside_data: bool = False
    tamper: Callable[[bytes], bytes] = lambda ciphertext: ciphertext

    def encrypt(self, plaintext: bytes) -> str:
        """An EncryptedAssertion (XML Encryption 1.1)."""
        size = int(self.algorithm.split("#aes")[1][:3]) // 8 if "#aes" in self.algorithm else 32
        key = os.urandom(size)
        if self.algorithm.endswith("-gcm"):
            nonce = os.urandom(12)
            ciphertext = nonce + AESGCM(key).encrypt(nonce, plaintext, None)
        else:
            filler = 16 - len(plaintext) % 16
            vector = os.urandom(16)
            encryptor = Cipher(AES(key), CBC(vector)).encryptor()
            padded = plaintext + os.urandom(filler - 1) + bytes([filler])
            ciphertext = vector + encryptor.update(padded) + encryptor.finalize()
        wrapped = base64.b64encode(self.key.public_key().encrypt(key, self.key_padding)).decode()
        encrypted_key = (
            f'<xenc:EncryptedKey xmlns:xenc="{NS["xenc"]}"><xenc:EncryptionMethod Algorithm="{self.key_algorithm}">'
            f"{self.key_method}</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue>"
            "</xenc:CipherData></xenc:EncryptedKey>"
        )
        inside, beside = (
            ("", encrypted_key) if self.key_beside_data else (f"<ds:KeyInfo>{encrypted_key}</ds:KeyInfo>", "")
        )
        value = base64.b64encode(self.tamper(ciphertext)).decode()
        return (
            f'<saml:EncryptedAssertion xmlns:saml="{NS["saml"]}" xmlns:ds="{NS["ds"]}">'
            f'<xenc:EncryptedData xmlns:xenc="{NS["xenc"]}" Type="http://www.w3.org/2001/04/xmlenc#Element">'
            f'<xenc:EncryptionMethod Algorithm="{self.algorithm}"/>{inside}'
            f"<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
            f"{beside}</saml:EncryptedAssertion>"
        )


class FakeSamlIdp:
    """An identity provider with one signing key. ``now`` is when it issues."""

    def __init__(self, entity_id: str = ENTITY_ID, *, key: PrivateKey | None = None, now: float = NOW) -> None:
        self.entity_id = entity_id
        self.key = key or rsa_key()
        self.now = now

    @property
    def certificate(self) -> bytes:
        return der(self.key)

    def assertion(
        self,
        *,
        name_id: str = "alice",
        name_id_attributes: Mapping[str, str] | None = None,
        attributes: Mapping[str, Sequence[str]] | None = None,
        audience: str | None = AUDIENCE,
        recipient: str | None = CONSUMER,
        in_response_to: str | None = None,
        issuer: str | None = None,
        assertion_id: str = "_assertion-1",
        version: str = "2.0",
        issued_at: float | None = None,
        not_before: float | None = -60,
        not_on_or_after: float | None = 300,
        confirmed_until: float | None = 300,
        session_until: float | None = 3600,
        confirmation: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer",
        conditions: str = "",
        statements: str | None = None,
    ) -> str:
        """An unsigned assertion, as text. Times are seconds after ``now``; None leaves the thing out."""

        def when(offset: float | None) -> str | None:
            return None if offset is None else at(self.now + offset)

        named = _attributes(name_id_attributes or {"Format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"})
        data = {
            "InResponseTo": in_response_to,
            "NotOnOrAfter": when(confirmed_until),
            "Recipient": recipient,
        }
        limits = {"NotBefore": when(not_before), "NotOnOrAfter": when(not_on_or_after)}
        restriction = "" if audience is None else f"<saml:Audience>{escape(audience)}</saml:Audience>"
        restriction = f"<saml:AudienceRestriction>{restriction}</saml:AudienceRestriction>" if restriction else ""
        session = {"AuthnInstant": when(-5), "SessionIndex": "_session-1", "SessionNotOnOrAfter": when(session_until)}
        authenticated = (
            f"<saml:AuthnStatement{_attributes(session)}><saml:AuthnContext><saml:AuthnContextClassRef>"
            "urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>"
            "</saml:AuthnStatement>"
        )
        return (
            f'<saml:Assertion xmlns:saml="{NS["saml"]}" ID="{assertion_id}" Version="{version}"'
            f' IssueInstant="{when(0 if issued_at is None else issued_at)}">'
            f"<saml:Issuer>{escape(issuer or self.entity_id)}</saml:Issuer>"
            f"<saml:Subject><saml:NameID{named}>{escape(name_id)}</saml:NameID>"
            f'<saml:SubjectConfirmation Method="{confirmation}"><saml:SubjectConfirmationData{_attributes(data)}/>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f"<saml:Conditions{_attributes(limits)}>{restriction}{conditions}</saml:Conditions>"
            f"{authenticated if statements is None else statements}{_attribute_statement(attributes)}</saml:Assertion>"
        )

    def response(
        self,
        *,
        sign: Sign = "assertion",
        destination: str | None = CONSUMER,
        response_issuer: str | None = None,
        response_in_response_to: str | None = None,
        status: str = "urn:oasis:names:tc:SAML:2.0:status:Success",
        method: SignatureMethod = SignatureMethod.RSA_SHA256,
        digest: DigestAlgorithm = DigestAlgorithm.SHA256,
        encryption: Encryption | None = None,
        edit: Edit | None = None,
        assertion: str | None = None,
        **said: Any,
    ) -> bytes:
        """A response, signed as asked. ``edit`` changes its tree before anything is signed; ``said`` goes to the assertion."""
        in_response_to = response_in_response_to or said.get("in_response_to")
        attributes = {"Destination": destination, "InResponseTo": in_response_to}
        text = assertion if assertion is not None else self.assertion(**said)
        root = etree.fromstring(
            f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="_response-1" Version="2.0"'
            f' IssueInstant="{at(self.now)}"{_attributes(attributes)}>'
            f"<saml:Issuer>{escape(response_issuer or self.entity_id)}</saml:Issuer>"
            f'<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>{text}</samlp:Response>'
        )
        if edit is not None:
            edit(root)
        if sign in ("assertion", "both"):
            root = self._sign_within(root, "saml:Assertion", method, digest)
        if encryption is not None:
            root = _encrypt_within(root, encryption)
        if sign in ("response", "both"):
            root = etree.fromstring(self.signed(etree.tostring(root), method=method, digest=digest))
        return etree.tostring(root)

    def signed(
        self,
        document: bytes,
        *,
        method: SignatureMethod = SignatureMethod.RSA_SHA256,
        digest: DigestAlgorithm = DigestAlgorithm.SHA256,
        key: PrivateKey | None = None,
    ) -> bytes:
        """The document, with an enveloped signature over its root, behind the issuer if there is one."""
        root = etree.fromstring(document)
        place = etree.Element(f"{{{NS['ds']}}}Signature", Id="placeholder", nsmap={"ds": NS["ds"]})
        root.insert(1 if root.find("saml:Issuer", NS) is not None else 0, place)
        signer = _Signer(signature_algorithm=method, digest_algorithm=digest, c14n_algorithm=EXCLUSIVE)
        used = key or self.key
        made = signer.sign(
            root, key=used, cert=[certificate_of(used)], reference_uri="#" + str(root.get("ID")), id_attribute="ID"
        )
        return etree.tostring(made)

    def _sign_within(self, root: Any, path: str, method: SignatureMethod, digest: DigestAlgorithm) -> Any:
        assertion = root.find(path, NS)
        if assertion is None:
            return root
        made = etree.fromstring(self.signed(etree.tostring(assertion, with_tail=False), method=method, digest=digest))
        root.replace(assertion, made)
        return etree.fromstring(etree.tostring(root))

    def metadata(
        self, *, certificates: Sequence[bytes] | None = None, signed_by: PrivateKey | None = None, **more: str
    ) -> bytes:
        """Its metadata. ``more``: attributes of the entity (validUntil, ...)."""
        keys = "".join(
            '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
            f"{base64.b64encode(certificate).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for certificate in (certificates if certificates is not None else [self.certificate])
        )
        text = (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{NS["ds"]}" ID="_md-1"'
            f" entityID={quoteattr(self.entity_id)}{_attributes(more)}>"
            f'<md:IDPSSODescriptor protocolSupportEnumeration="{NS["samlp"]}">{keys}'
            "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>"
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
            ' Location="https://idp.example.org/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        ).encode()
        return text if signed_by is None else self.signed(text, key=signed_by)


class _Signer(XMLSigner):
    """signxml's signer, which may make signatures with SHA-1 too: some providers do, and they are to be refused."""

    def check_deprecated_methods(self) -> None:
        """Anything goes."""


def _attribute_statement(attributes: Mapping[str, Sequence[str]] | None) -> str:
    if attributes is None:
        attributes = {"Role": ["arn:aws:iam::123456789012:role/Reader"], "mail": ["alice@example.org"]}
    if not attributes:
        return ""
    made = "".join(
        f"<saml:Attribute Name={quoteattr(name)}>"
        + "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in attributes.items()
    )
    return f"<saml:AttributeStatement>{made}</saml:AttributeStatement>"


def _encrypt_within(root: Any, encryption: Encryption) -> Any:
    assertion = root.find("saml:Assertion", NS)
    encrypted = etree.fromstring(encryption.encrypt(etree.tostring(assertion, with_tail=False)))
    root.replace(assertion, encrypted)
    return etree.fromstring(etree.tostring(root))
