# SPDX-License-Identifier: Apache-2.0
"""
SimpleSAMLphp, as Debian packages it, in a process of its own: PHP's built-in web server on a free port of loopback.

    with simplesamlphp(tmp_path) as provider:
        provider.people({"alice": {"mail": ["alice@example.org"]}})
        provider.trust(metadata_of_the_service_provider)

Nothing of it is replaced: its example module's sign-in form, its parser of our metadata, its signatures and encryption.
``saml_idp_php`` holds its configuration, which reads ``settings.json`` in the folder of the run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from real import needed
from real.key_pairs import KeyPair, rsa_pair
from real.saml_provider import PASSWORD, SamlProvider, ends_with_the_block, wait_for, write_settings

CONFIGURATION = Path(__file__).with_name("saml_idp_php")


class SimpleSamlPhp(SamlProvider):
    """See the module."""

    name = "simplesamlphp"

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder / "settings.json")
        self._folder = folder
        self._hosted: dict[str, Any] = {}

    @property
    def entity_id(self) -> str:
        """SimpleSAMLphp's default: where its metadata is."""
        return self.metadata_url

    @property
    def metadata_url(self) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/saml2/idp/metadata.php"

    @property
    def sign_in_url(self) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/saml2/idp/SSOService.php"

    def start_url(self, service_provider: str) -> str:
        """See ``SamlProvider``."""
        return f"{self.url}/saml2/idp/SSOService.php?{urlencode({'spentityid': service_provider})}"

    def trust(self, metadata: str) -> None:
        """Its own parser reads the metadata; a document that it trusts already is replaced."""
        entity = metadata.split('entityID="', 1)[1].split('"', 1)[0]
        name = hashlib.sha256(entity.encode()).hexdigest()[:16]
        (self._folder / f"service-provider-{name}.xml").write_text(metadata, encoding="utf-8")

    def sign_with(self, pair: KeyPair) -> None:
        """See ``SamlProvider``. A rollover that was announced is over."""
        hosted = {name: value for name, value in self._hosted.items() if not name.startswith("new_")}
        self._host(hosted | self._written("", pair))

    def announce(self, pair: KeyPair) -> None:
        """Publish a second certificate beside the one whose key signs, which is how a rollover begins here."""
        self._host(self._hosted | self._written("new_", pair))

    def sign(self, *, response: bool, assertion: bool) -> None:
        """See ``SamlProvider``."""
        self._host(self._hosted | {"saml20.sign.response": response, "saml20.sign.assertion": assertion})

    def use_sha1(self, wanted: bool) -> None:
        """See ``SamlProvider``."""
        sha1, sha256 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
        self._host(self._hosted | {"signature.algorithm": sha1 if wanted else sha256})

    def encrypt(self, wanted: bool) -> None:
        """See ``SamlProvider``. This release knows RSA-OAEP with AES-128 in CBC mode, and no other."""
        self._host(self._hosted | {"assertion.encryption": wanted})

    def want_signed_requests(self) -> None:
        """Say in the metadata that requests are to be signed, and verify what service providers say they sign."""
        self._host(self._hosted | {"validate.authnrequest": True})

    def _written(self, prefix: str, pair: KeyPair) -> dict[str, str]:
        name = hashlib.sha256(pair.certificate.encode()).hexdigest()[:16]
        (self._folder / f"{name}.pem").write_text(pair.private_key, encoding="ascii")
        (self._folder / f"{name}.crt").write_text(pair.certificate, encoding="ascii")
        return {f"{prefix}privatekey": f"{name}.pem", f"{prefix}certificate": f"{name}.crt"}

    def _host(self, hosted: dict[str, Any]) -> None:
        self._hosted = hosted
        self.change(hosted=hosted)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def simplesamlphp(folder: Path) -> Iterator[SimpleSamlPhp]:
    """The provider, until the block ends. It is at ``localhost``: another site than 127.0.0.1, as providers are."""
    php, web_root = needed.program("php"), needed.simplesamlphp()
    configuration = folder / "simplesamlphp"
    shutil.copytree(CONFIGURATION, configuration)
    (configuration / "temporary").mkdir()
    (configuration / "sessions").mkdir()
    port = _free_port()
    provider = SimpleSamlPhp(f"http://localhost:{port}", configuration)
    settings = {"url": provider.url, "password": PASSWORD, "people": {}, "hosted": {}}
    write_settings(configuration / "settings.json", settings)
    provider.sign_with(rsa_pair("simplesamlphp"))
    environment = {"PATH": os.environ["PATH"], "SIMPLESAMLPHP_CONFIG_DIR": str(configuration)}
    log = folder / "simplesamlphp.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [php, "-d", "opcache.revalidate_freq=0", "-S", f"127.0.0.1:{port}", "-t", str(web_root)],
            cwd=configuration,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    with ends_with_the_block(process):
        wait_for(provider.metadata_url, process, log)
        yield provider
