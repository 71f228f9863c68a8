# SPDX-License-Identifier: Apache-2.0
"""Certificates that tests ask for, right and wrong, with `cryptography`. Keys are made once a run: RSA keys take long."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from in_process import NOW

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
CURVE = ec.SECP256R1()


def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key pair; ``number`` tells several of a size apart."""
    return _rsa_key(bits, number)


@cache
def _rsa_key(bits: int, _number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A P-256 key pair."""
    return _ec_key(number)


@cache
def _ec_key(_number: int) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(CURVE)


def private_pem(key: Key, password: bytes | None = None) -> str:
    """A private key in PEM."""
    sealing = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing).decode("ascii")


@dataclass(frozen=True)
class Certified:
    """A certificate and the key that it certifies."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def key_pem(self) -> str:
        return private_pem(self.key)


def certified(
    name: str, key: Key | None = None, *, issuer: Certified | None = None, start: int = -60, end: int = 86_400
) -> Certified:
    """A certificate, self-signed or by an issuer; ``start`` and ``end`` in seconds from the tests' now."""
    key = key or ec_key()
    own_name = _name(name)
    builder = x509.CertificateBuilder().subject_name(own_name).public_key(key.public_key())
    builder = builder.issuer_name(own_name if issuer is None else issuer.certificate.subject)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(_at(start)).not_valid_after(_at(end))
    signer = key if issuer is None else issuer.key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Certified(builder.sign(signer, algorithm), key)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _at(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW + seconds, datetime.UTC)
