# SPDX-License-Identifier: Apache-2.0
"""
pysaml2 as an identity provider, called in this process: no pages, no server, the response is asked of the library.

It signs and encrypts with the xmlsec1 program, and encrypts with triple DES, which is its only way.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from real import needed
from real.key_pairs import KeyPair
from real.service_provider import PaperServiceProvider

ENTITY_ID = "https://pysaml2.example.org/idp"
_RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
_URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def _saml2(module: str) -> Any:
    """A module of pysaml2: it has no types, and to import it gives warnings that only whoever uses it should see."""
    return importlib.import_module(f"saml2.{module}")


class Pysaml2Idp:
    """The library, configured for these service providers."""

    def __init__(
        self, folder: Path, pair: KeyPair, attributes: Iterable[str], *providers: PaperServiceProvider
    ) -> None:
        (folder / "idp.pem").write_text(pair.private_key, encoding="ascii")
        (folder / "idp.crt").write_text(pair.certificate, encoding="ascii")
        same = {name: name for name in attributes}
        attribute_map = f"MAP = {{'identifier': {_URI!r}, 'fro': {same!r}, 'to': {same!r}}}\n"
        (folder / "attribute-maps").mkdir()
        (folder / "attribute-maps" / "same.py").write_text(attribute_map, encoding="utf-8")
        sso = (f"{ENTITY_ID}/sso", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect")
        configuration: dict[str, Any] = {
            "entityid": ENTITY_ID,
            "xmlsec_binary": needed.program("xmlsec1"),
            "key_file": str(folder / "idp.pem"),
            "cert_file": str(folder / "idp.crt"),
            "attribute_map_dir": str(folder / "attribute-maps"),
            "service": {
                "idp": {
                    "endpoints": {"single_sign_on_service": [sso]},
                    "name_id_format": [_PERSISTENT],
                    "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": _URI}},
                }
            },
            "metadata": {"inline": [provider.metadata() for provider in providers]},
        }
        self._server: Any = _saml2("server").Server(config=_saml2("config").IdPConfig().load(configuration))

    def metadata(self) -> str:
        """What it would publish."""
        return str(_saml2("metadata").entity_descriptor(self._server.config))

    def respond(
        self,
        asking: PaperServiceProvider,
        name: str,
        attributes: Mapping[str, Sequence[str]],
        *,
        in_response_to: str | None,
        response: bool,
        assertion: bool,
        encrypted: bool = False,
        sha1: bool = False,
    ) -> bytes:
        """A response to this service provider about this person, as XML."""
        answer = self._server.create_authn_response(
            {key: list(values) for key, values in attributes.items()},
            in_response_to=in_response_to,
            destination=asking.consumer,
            sp_entity_id=asking.entity_id,
            name_id=_saml2("saml").NameID(format=_PERSISTENT, sp_name_qualifier=asking.entity_id, text=name),
            authn={"class_ref": _PASSWORD, "authn_auth": ENTITY_ID},
            sign_response=response,
            sign_assertion=assertion,
            encrypt_assertion=encrypted,
            sign_alg=_RSA_SHA1 if sha1 else _RSA_SHA256,
            digest_alg=_SHA1 if sha1 else _SHA256,
        )
        return str(answer).encode()
