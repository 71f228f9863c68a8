# SPDX-License-Identifier: Apache-2.0
"""
X.509 certificates as IAM takes them (IAM User Guide, "Manage server certificates in IAM"): one certificate in PEM, its
private key in PEM without a passphrase, its chain.

Pure: takes texts and an instant, returns what was read or raises EntityError. **It does not** judge whom a certificate
names or who issued it: it is stored for others to show.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from daypass.errors import EntityError, Reason
from daypass.iam.limits import CERTIFIED_KEY_BITS, CHAIN_CERTIFICATES, PRIVATE_KEY_CHARACTERS

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_CERTIFICATE: Final = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----[ \t]*\r?\n([A-Za-z0-9+/=\s]++)-----END CERTIFICATE-----\s*", re.ASCII
)
_NOT_A_CERTIFICATE: Final = "Unable to parse certificate. Please ensure the certificate is in PEM format."
_NOT_A_KEY: Final = "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."


def _malformed(message: str) -> EntityError:
    return EntityError(Reason.CERTIFICATE_MALFORMED, message)


def read_certificate(text: str) -> x509.Certificate:
    """The one certificate that a PEM text holds. Raises EntityError (CERTIFICATE_MALFORMED)."""
    if _CERTIFICATE.fullmatch(text) is None:
        raise _malformed(_NOT_A_CERTIFICATE)
    return _parse(text)


def _parse(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.strip().encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise _malformed(_NOT_A_CERTIFICATE) from None


def check_current(certificate: x509.Certificate, now: float) -> None:
    """Check that the certificate is valid at an instant, both ends included. Raises EntityError."""
    if now > certificate.not_valid_after_utc.timestamp():
        raise _malformed("Certificate is no longer valid. The 'Not After' date of the certificate has passed.")
    if now < certificate.not_valid_before_utc.timestamp():
        raise _malformed("Certificate is not valid yet. The 'Not Before' date of the certificate has not come.")


def check_chain(certificate: x509.Certificate, chain: str) -> None:
    """
    Check that each certificate of a chain issued the one before it, beginning with the given one: its name is the issuer's
    and its key made the signature. Raises EntityError.
    """
    links = _certificates(chain)
    issued = certificate
    for index, issuer in enumerate(links):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise _malformed(_broken_at(index)) from None
        issued = issuer


def _broken_at(index: int) -> str:
    return (
        "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate,"
        f" followed by any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
    )


def _certificates(chain: str) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    place = 0
    while place < len(chain):
        match = _CERTIFICATE.match(chain, place)
        if match is None or len(found) == CHAIN_CERTIFICATES:
            raise _malformed(_broken_at(len(found)))
        found.append(_parse(match[0]))
        place = match.end()
    return found


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """The certified key: RSA of 1,024 to ``CERTIFIED_KEY_BITS`` bits, or elliptic curve. Raises EntityError."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _malformed("The certificate's public key cannot be read.") from None
    if isinstance(key, rsa.RSAPublicKey) and 1024 <= key.key_size <= CERTIFIED_KEY_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    message = f"The certificate's public key must be RSA of 1024 to {CERTIFIED_KEY_BITS} bits, or elliptic curve."
    raise _malformed(message)


def check_private_key(certificate: x509.Certificate, private_key: str) -> None:
    """
    Check that a private key in PEM, not encrypted, belongs to a certificate. Raises EntityError.

    1. The certificate's key is of a kind and size that is taken.
    2. The text is no longer than the key of such a certificate is: reading a key checks that its numbers belong together,
       which takes a third of a second for the longest.
    3. It is a private key, and its public half is the certificate's key.

    NOTE: not for the event loop; other threads go on meanwhile.
    """
    certified = public_key_of(certificate)
    if len(private_key) > PRIVATE_KEY_CHARACTERS:
        raise _malformed(_NOT_A_KEY)
    try:
        key = load_pem_private_key(private_key.strip().encode("latin-1", "replace"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # a TypeError is a passphrase that is missing
        raise _malformed(_NOT_A_KEY) from None
    matches = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and (
        _encoded(key.public_key()) == _encoded(certified)
    )
    if not matches:
        message = "The public key certificate and the private key do not match."
        raise EntityError(Reason.CERTIFICATE_KEY_MISMATCH, message)


def _encoded(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in lower-case hexadecimal: what tells one from another."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def expiration_of(certificate: x509.Certificate) -> int:
    """When it stops being valid, in seconds since the epoch."""
    return int(certificate.not_valid_after_utc.timestamp())
