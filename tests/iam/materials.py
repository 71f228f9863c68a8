# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys for recipes, made when they are first asked for: ``<certificate.0.body>``, ``<ssh.1>``."""

from __future__ import annotations

import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from fakes.saml_idp import FakeSamlIdp

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    """A key pair; the same for the same number."""
    return rsa.generate_private_key(65537, 2048)


class Certificates:
    """Self-signed certificates, each once in a run: a certificate may belong to one user only."""

    def __getitem__(self, number: int) -> dict[str, str]:
        return {"body": certificate(), "key": private_key()}


class SshKeys:
    """SSH public keys, by number."""

    def __getitem__(self, number: int) -> str:
        public = key(number).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return f"{public.decode('ascii')} somebody@example.org"


class Saml:
    """Metadata of a SAML identity provider, and private keys for what it encrypts."""

    def __getitem__(self, what: str) -> str:
        return saml_metadata() if what == "metadata" else private_key()


def saml_metadata() -> str:
    """The metadata of a SAML identity provider, which says how long it is good."""
    return FakeSamlIdp().metadata(validUntil="2096-10-02T07:06:40Z").decode("ascii")


def certificate() -> str:
    """A self-signed certificate in PEM, for the key of number 0, with a serial number of its own."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "daypass.test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(0).public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(START).not_valid_after(START + datetime.timedelta(days=36500))
    return builder.sign(key(0), hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")


def private_key() -> str:
    """The private key of number 0 in PEM."""
    return key(0).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode("ascii")


def materials() -> dict[str, Any]:
    """What an order can take from here."""
    return {"certificate": Certificates(), "ssh": SshKeys(), "saml": Saml()}
