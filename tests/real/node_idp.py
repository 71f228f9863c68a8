# SPDX-License-Identifier: Apache-2.0
"""
The identity provider of ``saml_idp_node`` (npm samlp) in a process of its own, on a free port of the loopback interface.

    with node_idp(tmp_path) as provider:
        provider.people({"alice": {"mail": ["alice@example.org"]}})
        provider.trust(metadata_of_the_service_provider)
"""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from real import needed
from real.key_pairs import KeyPair, rsa_pair
from real.saml_provider import PASSWORD, START_SECONDS, SamlProvider, ends_with_the_block, wait_for, write_settings

FOLDER = Path(__file__).with_name("saml_idp_node")
_NAMES = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}


class NodeIdp(SamlProvider):
    """See the module."""

    name = "samlp"

    def __init__(self, url: str, settings_file: Path) -> None:
        super().__init__(url, settings_file)
        self._trusted: dict[str, dict[str, str | None]] = {}
        self._encrypt = False

    @property
    def entity_id(self) -> str:
        """See ``SamlProvider``."""
        return self.metadata_url

    @property
    def metadata_url(self) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/metadata"

    @property
    def sign_in_url(self) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/sso"

    def start_url(self, service_provider: str) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/start?{urlencode({'service_provider': service_provider})}"

    def trust(self, metadata: str) -> None:
        """samlp has no parser of metadata: what an administrator would copy from ours by hand is read here."""
        entity: Any = etree.fromstring(metadata.encode())
        consumer = entity.xpath("string(.//md:AssertionConsumerService/@Location)", namespaces=_NAMES)
        certificates = ".//md:KeyDescriptor[not(@use) or @use='encryption']//ds:X509Certificate/text()"
        encryption = entity.xpath(certificates, namespaces=_NAMES)
        pem = _pem(encryption[0]) if encryption else None
        self._trusted[entity.attrib["entityID"]] = {
            "consumer": consumer,
            "certificate": pem,
            "public_key": None if pem is None else _public_key(pem),
        }
        self._serve()

    def sign_with(self, pair: KeyPair) -> None:
        """See ``SamlProvider``."""
        self.change(key=pair.private_key, certificate=pair.certificate)

    def sign(self, *, response: bool, assertion: bool) -> None:
        """See ``SamlProvider``."""
        self.change(sign_response=response, sign_assertion=assertion)

    def use_sha1(self, wanted: bool) -> None:
        """See ``SamlProvider``."""
        self.change(digest="sha1" if wanted else "sha256")

    def encrypt(self, wanted: bool) -> None:
        """See ``SamlProvider``. RSA-OAEP with AES-256 in GCM mode is samlp's default, and what is used."""
        self._encrypt = wanted
        self._serve()

    def _serve(self) -> None:
        providers = {
            entity: {
                "consumer": known["consumer"],
                "encryption_certificate": known["certificate"] if self._encrypt else None,
                "encryption_public_key": known["public_key"] if self._encrypt else None,
            }
            for entity, known in self._trusted.items()
        }
        self.change(service_providers=providers)


def _pem(base64_text: str) -> str:
    body = "".join(base64_text.split())
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def _public_key(certificate: str) -> str:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@contextmanager
def node_idp(folder: Path) -> Iterator[NodeIdp]:
    """The provider, until the block ends. It is at ``localhost``: another site than 127.0.0.1, as providers are."""
    node = needed.program("node")
    needed.npm_modules(FOLDER, "samlp")
    settings_file, log = folder / "node-idp.json", folder / "node-idp.log"
    settings: dict[str, Any] = {
        "password": PASSWORD,
        "people": {},
        "service_providers": {},
        "sign_response": False,
        "sign_assertion": True,
        "digest": "sha256",
    }
    write_settings(settings_file, settings)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [node, "server.mjs", str(settings_file)],
            cwd=FOLDER,
            env={"PATH": os.environ["PATH"], "NODE_ENV": "production"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    with ends_with_the_block(process):
        provider = NodeIdp(_announced(process), settings_file)
        provider.sign_with(rsa_pair("samlp"))
        wait_for(provider.metadata_url, process, log)
        yield provider


def _announced(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else ""
    assert line, "the provider did not say where it listens"
    return str(json.loads(line)["url"])
