# SPDX-License-Identifier: Apache-2.0
"""
The keys of registered certificates. A certificate is an envelope for a key here: its names, dates and issuer are not
looked at (SAML V2.0 Metadata Interoperability Profile 2.5.1), and no message can bring one.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.utils import CryptographyDeprecationWarning

from daypass.saml.algorithms import KeyKind, SignatureAlgorithm
from daypass.saml.limits import MAX_KEY_BITS, MIN_KEY_BITS

_PKCS1: Final = PKCS1v15()
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """The public key of a certificate that was registered, and the certificate's SHA-256 (for the audit trail)."""

    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    kind: KeyKind
    small: bool
    fingerprint: str

    def made(self, signature: bytes, data: bytes, algorithm: SignatureAlgorithm) -> bool:
        """
        Whether the private key of this one made the signature over the data (XML Signature 6.4; RFC 9231 2.3).

        An algorithm for another kind of key is an error of the caller.
        """
        try:
            if algorithm.key_kind == "RSA" and isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, data, _PKCS1, algorithm.hash)
                return True
            if algorithm.key_kind == "EC" and isinstance(self.public, ec.EllipticCurvePublicKey):
                size = (self.public.key_size + 7) // 8  # the values r and s, each as long as the curve's order
                if len(signature) != 2 * size:
                    return False
                r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
                self.public.verify(encode_dss_signature(r, s), data, ec.ECDSA(algorithm.hash))
                return True
        except InvalidSignature:
            return False
        raise TypeError("the algorithm is for another kind of key")


@functools.lru_cache(maxsize=1024)  # keyed by the whole certificate, of MAX_CERTIFICATE bytes at most
def registered_key(certificate: bytes) -> RegisteredKey | None:
    """The key of a certificate (DER); None if it is none that signatures are verified with."""
    try:
        with warnings.catch_warnings():  # about serial numbers of zero, which old self-signed certificates have
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    fingerprint = hashlib.sha256(certificate).hexdigest()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size > MAX_KEY_BITS:
            return None
        return RegisteredKey(key, "RSA", key.key_size < MIN_KEY_BITS, fingerprint)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return RegisteredKey(key, "EC", False, fingerprint)
    return None
