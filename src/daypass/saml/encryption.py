# SPDX-License-Identifier: Apache-2.0
"""
The assertion out of an EncryptedAssertion (SAML Core 2.3.4 and 6; XML Encryption 1.1).

AES in Galois/Counter mode, its key wrapped by RSA-OAEP. RSA PKCS #1 v1.5 and Triple DES do not exist here. AES in CBC mode
only where the provider opted in: it does not tell changed text from other text, so whoever can ask many times may learn
what it says (Jager and Somorovsky 2011). ``daypass.saml.verify`` answers every failure behind it alike.

Encryption says nothing of who encrypted: everybody has the public key. What comes out must be signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml.names import DS, ENCRYPTION11_NS, ENCRYPTION_NS, SA, XENC, XENC11
from daypass.saml.shape import require_shape
from daypass.saml.signature_shape import decode_base64
from daypass.saml.xml import Element, read_xml

GCM_KEY_BYTES: Final = {
    f"{ENCRYPTION11_NS}aes128-gcm": 16,
    f"{ENCRYPTION11_NS}aes192-gcm": 24,
    f"{ENCRYPTION11_NS}aes256-gcm": 32,
}
CBC_KEY_BYTES: Final = {
    f"{ENCRYPTION_NS}aes128-cbc": 16,
    f"{ENCRYPTION_NS}aes192-cbc": 24,
    f"{ENCRYPTION_NS}aes256-cbc": 32,
}
OAEP_MGF1P: Final = f"{ENCRYPTION_NS}rsa-oaep-mgf1p"
OAEP_11: Final = f"{ENCRYPTION11_NS}rsa-oaep"

_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    # In OAEP, SHA-1 is not asked to resist collisions; mgf1p has it as its default, and most providers use that.
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1(),  # noqa: S303
    f"{ENCRYPTION_NS}sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384(),
    f"{ENCRYPTION_NS}sha512": hashes.SHA512(),
}
_MASKS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{ENCRYPTION11_NS}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{ENCRYPTION11_NS}mgf1sha256": hashes.SHA256(),
    f"{ENCRYPTION11_NS}mgf1sha384": hashes.SHA384(),
    f"{ENCRYPTION11_NS}mgf1sha512": hashes.SHA512(),
}
_GCM_NONCE: Final = 12  # bytes; XML Encryption 1.1 section 5.2.4
_GCM_TAG: Final = 16
_BLOCK: Final = 16


@dataclass(frozen=True, slots=True)
class Encrypted:
    """The parts of an EncryptedAssertion, in an accepted form; nothing is decrypted."""

    key_bytes: int
    cbc: bool
    padding: OAEP
    wrapped_key: bytes
    ciphertext: bytes


def encrypted_form(encrypted_assertion: Element, *, allow_cbc: bool) -> Encrypted:
    """
    The parts of an EncryptedAssertion. Raises ProofError unless the content is encrypted with AES-GCM (or CBC, if allowed)
    and there is exactly one wrapped key, in EncryptedData or beside it, wrapped with RSA-OAEP.
    """
    data = encrypted_assertion[0]
    keys = encrypted_assertion.findall(f"{XENC}EncryptedKey") + data.findall(f"{DS}KeyInfo/{XENC}EncryptedKey")
    method = data[0]
    algorithm = method.get("Algorithm", "")
    cbc = algorithm in CBC_KEY_BYTES
    key_bytes = (CBC_KEY_BYTES if cbc else GCM_KEY_BYTES).get(algorithm)
    if key_bytes is None or (cbc and not allow_cbc) or len(method):
        raise _refused("The assertion's encryption algorithm is not accepted.")
    if len(keys) != 1 or sum(1 for _ in encrypted_assertion.iter(f"{XENC}EncryptedKey")) != 1:
        raise _refused("Expected exactly one encrypted key.")
    return Encrypted(key_bytes, cbc, _padding(keys[0][0]), _cipher_value(keys[0]), _cipher_value(data))


def _padding(method: Element) -> OAEP:
    algorithm = method.get("Algorithm")
    digest = method.find(f"{DS}DigestMethod")
    mask = method.find(f"{XENC11}MGF")
    if algorithm not in (OAEP_MGF1P, OAEP_11) or method.find(f"{XENC}OAEPparams") is not None:
        raise _refused("The encryption of the assertion's key is not accepted.")
    hashed = _DIGESTS.get("http://www.w3.org/2000/09/xmldsig#sha1" if digest is None else digest.get("Algorithm", ""))
    masked = _MASKS.get(f"{ENCRYPTION11_NS}mgf1sha1" if mask is None else mask.get("Algorithm", ""))
    if hashed is None or masked is None or (mask is not None and algorithm == OAEP_MGF1P):
        raise _refused("The encryption of the assertion's key is not accepted.")
    return OAEP(mgf=MGF1(masked), algorithm=hashed, label=None)


def _cipher_value(element: Element) -> bytes:
    found = element.find(f"{XENC}CipherData/{XENC}CipherValue")
    try:
        return decode_base64(None if found is None else found.text)
    except ProofError:
        raise _refused("An encrypted value is not base64.") from None


def decrypt_assertion(encrypted_assertion: Element, form: Encrypted, keys: Sequence[RSAPrivateKey]) -> Element:
    """
    The assertion that is encrypted, as the root of a tree of its own, unverified.

    1. The key, by any of ours (there are two while they are changed). 2. The bytes. 3. One Assertion and nothing else, in
    the accepted shape. Whatever fails, the reason is the same. Raises ProofError (SAML_DECRYPTION_FAILED).
    """
    for key in keys:
        try:
            content_key = key.decrypt(form.wrapped_key, form.padding)  # 1
        except ValueError:
            continue
        if len(content_key) == form.key_bytes:
            return _assertion(encrypted_assertion, _plaintext(form, content_key))
    raise decryption_failed()


def _plaintext(form: Encrypted, key: bytes) -> bytes:
    text = form.ciphertext
    if not form.cbc:  # NOTE: the tag is all of its sixteen bytes; a shorter one is guessed sooner
        if len(text) < _GCM_NONCE + _GCM_TAG:
            raise decryption_failed()
        try:
            return AESGCM(key).decrypt(text[:_GCM_NONCE], text[_GCM_NONCE:], None)
        except InvalidTag:
            raise decryption_failed() from None
    if len(text) < 2 * _BLOCK or len(text) % _BLOCK:
        raise decryption_failed()
    decryptor = Cipher(AES(key), CBC(text[:_BLOCK])).decryptor()
    padded = decryptor.update(text[_BLOCK:]) + decryptor.finalize()
    padding = padded[-1]  # XML Encryption 5.2.3: the last byte counts, the others are arbitrary
    if not 1 <= padding <= _BLOCK:
        raise decryption_failed()
    return padded[:-padding]


def _assertion(encrypted_assertion: Element, plaintext: bytes) -> Element:
    """The Assertion that the plaintext is. XML Encryption 4.4: it may use namespace prefixes of the place it stood in."""
    try:
        prefixes = {prefix: name for prefix, name in encrypted_assertion.nsmap.items() if prefix is not None}
        opened = etree.tostring(etree.Element("context", nsmap=prefixes), encoding="ascii").removesuffix(b"/>")
        text = (
            read_xml(plaintext)
            if plaintext.startswith(b"<?xml")
            else read_xml(opened + b">" + plaintext + b"</context>")
        )
        assertion = text if plaintext.startswith(b"<?xml") else text[0]
        if assertion.tag != f"{SA}Assertion" or (
            assertion is not text and (len(text) != 1 or text.text or assertion.tail)
        ):
            raise decryption_failed()
        require_shape(assertion)
    except (ProofError, IndexError, ValueError):
        raise decryption_failed() from None
    return assertion


def decryption_failed() -> ProofError:
    """The one error of every failure to decrypt."""
    return ProofError(Reason.SAML_DECRYPTION_FAILED, "The encrypted assertion could not be decrypted.")


def _refused(message: str) -> ProofError:
    return ProofError(Reason.SAML_ENCRYPTION_REFUSED, message)
