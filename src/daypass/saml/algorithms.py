# SPDX-License-Identifier: Apache-2.0
"""
The closed list of signature algorithms (XML Signature 6, RFC 9231; NIST SP 800-131A).

RSA (PKCS #1 v1.5) and ECDSA over SHA-2. No HMAC: a public key cannot be mistaken for a secret. No DSA, no MD5, no RIPEMD.
SHA-1 is listed apart, for providers that opted in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives import hashes

KeyKind = Literal["RSA", "EC"]

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256: Final = f"{_MORE}rsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384: Final = f"{_MORE}sha384"
SHA512: Final = "http://www.w3.org/2001/04/xmlenc#sha512"
SHA1: Final = "http://www.w3.org/2000/09/xmldsig#sha1"


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """A signature algorithm: its identifier, the kind of key that it needs, its hash, whether that is SHA-1."""

    identifier: str
    key_kind: KeyKind
    hash: hashes.HashAlgorithm
    sha1: bool = False


@dataclass(frozen=True, slots=True)
class DigestMethod:
    """A digest algorithm: its identifier, its name in hashlib, its length in bytes, whether it is SHA-1."""

    identifier: str
    name: str
    size: int
    sha1: bool = False

    def of(self, data: bytes) -> bytes:
        """The digest."""
        return hashlib.new(self.name, data, usedforsecurity=not self.sha1).digest()


SIGNATURE_ALGORITHMS: Final[Mapping[str, SignatureAlgorithm]] = {
    algorithm.identifier: algorithm
    for algorithm in (
        SignatureAlgorithm(RSA_SHA256, "RSA", hashes.SHA256()),
        SignatureAlgorithm(f"{_MORE}rsa-sha384", "RSA", hashes.SHA384()),
        SignatureAlgorithm(f"{_MORE}rsa-sha512", "RSA", hashes.SHA512()),
        SignatureAlgorithm(f"{_MORE}ecdsa-sha256", "EC", hashes.SHA256()),
        SignatureAlgorithm(f"{_MORE}ecdsa-sha384", "EC", hashes.SHA384()),
        SignatureAlgorithm(f"{_MORE}ecdsa-sha512", "EC", hashes.SHA512()),
        SignatureAlgorithm("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "RSA", hashes.SHA1(), sha1=True),  # noqa: S303
    )
}

DIGEST_METHODS: Final[Mapping[str, DigestMethod]] = {
    method.identifier: method
    for method in (
        DigestMethod(SHA256, "sha256", 32),
        DigestMethod(SHA384, "sha384", 48),
        DigestMethod(SHA512, "sha512", 64),
        DigestMethod(SHA1, "sha1", 20, sha1=True),
    )
}
