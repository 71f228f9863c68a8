# SPDX-License-Identifier: Apache-2.0
"""
Write the genuine responses of ``tests/saml/vectors/genuine`` again: what three implementations really send.

    .venv/bin/python tests/real/capture.py          # needs SimpleSAMLphp, PHP, Node.js with the npm modules, and xmlsec1

Every run makes new keys, ids and times; what stays is which situations there are, and what was said of whom.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from real.key_pairs import KeyPair, rsa_pair  # noqa: E402
from real.node_idp import FOLDER as NODE_FOLDER  # noqa: E402
from real.node_idp import node_idp  # noqa: E402
from real.person import Person  # noqa: E402
from real.pysaml2_idp import ENTITY_ID, Pysaml2Idp  # noqa: E402
from real.saml_provider import SamlProvider  # noqa: E402
from real.service_provider import PaperServiceProvider  # noqa: E402
from real.simplesamlphp import simplesamlphp  # noqa: E402

VECTORS = TESTS / "saml" / "vectors" / "genuine"
OURS = PaperServiceProvider(
    "https://daypass.example.org/saml/metadata", "https://daypass.example.org/saml", rsa_pair("daypass.example.org")
)
AWS = PaperServiceProvider("urn:amazon:webservices", "https://signin.aws.amazon.com/saml")
REQUEST_ID = "_request-1"
_AWS = "https://aws.amazon.com/SAML/Attributes"
PERSON = "alice"
ATTRIBUTES = {
    f"{_AWS}/Role": [
        "arn:aws:iam::123456789012:role/developer,arn:aws:iam::123456789012:saml-provider/corporate",
        "arn:aws:iam::123456789012:saml-provider/corporate,arn:aws:iam::123456789012:role/auditor",
    ],
    f"{_AWS}/RoleSessionName": ["alice@example.org"],
    f"{_AWS}/SessionDuration": ["3600"],
    f"{_AWS}/PrincipalTag:Team": ["platform"],
    f"{_AWS}/TransitiveTagKeys": ["Team"],
    "mail": ["alice@example.org"],
    "displayName": ['Zoë "Z" O\'Łukasz & <Söhne>'],
    "groups": ["developers", "on call", "Ελληνικά"],
}


@dataclass(frozen=True)
class Situation:
    """One way of answering."""

    name: str
    response: bool = False
    assertion: bool = True
    encrypted: bool = False
    asked: bool = False
    sha1: bool = False
    asking: PaperServiceProvider = OURS


SITUATIONS = (
    Situation("assertion-signed"),
    Situation("response-signed", response=True, assertion=False),
    Situation("both-signed", response=True),
    Situation("asked-for", asked=True),
    Situation("encrypted", encrypted=True),
    Situation("encrypted-response-signed", response=True, assertion=False, encrypted=True),
    Situation("encrypted-both-signed", response=True, encrypted=True),
    Situation("for-aws", asking=AWS),
    Situation("sha1", sha1=True),
)

Respond = Callable[[Situation], bytes]


def of_running(provider: SamlProvider) -> Respond:
    """What a running provider answers to somebody who signs in with a form."""
    provider.people({PERSON: ATTRIBUTES})
    for service_provider in (OURS, AWS):
        provider.trust(service_provider.metadata())

    def respond(situation: Situation) -> bytes:
        provider.sign(response=situation.response, assertion=situation.assertion)
        provider.encrypt(situation.encrypted)
        provider.use_sha1(situation.sha1)
        url = provider.start_url(situation.asking.entity_id)
        if situation.asked:
            issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            url = situation.asking.ask(provider.sign_in_url, REQUEST_ID, issued, "state")
        form = Person().sign_in(url, PERSON)
        assert form.action == situation.asking.consumer
        return form.response

    return respond


def write(name: str, release: str, entity_id: str, pair: KeyPair, metadata: str, respond: Respond) -> None:
    """The folder of one implementation."""
    folder = VECTORS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "certificate.pem").write_text(pair.certificate, encoding="ascii")
    (folder / "metadata.xml").write_text(metadata, encoding="utf-8")
    cases = [case(folder, situation, respond(situation)) for situation in SITUATIONS]
    content = {
        "implementation": name,
        "version": release,
        "entity_id": entity_id,
        "person": PERSON,
        "attributes": ATTRIBUTES,
        "cases": cases,
    }
    (folder / "vectors.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def case(folder: Path, situation: Situation, response: bytes) -> dict[str, Any]:
    """Write one response; its entry."""
    (folder / f"{situation.name}.xml").write_bytes(response)
    return {
        "name": situation.name,
        "now": int(time.time()),
        "audience": situation.asking.entity_id,
        "recipient": situation.asking.consumer,
        "in_response_to": REQUEST_ID if situation.asked else None,
        "response_signed": situation.response,
        "assertion_signed": situation.assertion,
        "encrypted_with": _encryption(response),
        "sha1": situation.sha1,
    }


def _encryption(response: bytes) -> list[str]:
    """The algorithms in its EncryptionMethod elements: for the assertion, and for the key."""
    return re.findall(r'EncryptionMethod [^>]*Algorithm="[^"#]*#([^"]+)"', response.decode())


def implementations(folder: Path) -> Iterator[tuple[str, str, AbstractContextManager[SamlProvider]]]:
    """Those that run as servers: name, version, and how to start."""
    php = ("dpkg-query", "--show", "--showformat=${Version}", "simplesamlphp")
    debian = subprocess.run(php, capture_output=True, text=True, check=True).stdout
    yield "simplesamlphp", debian, simplesamlphp(folder)
    package = json.loads((NODE_FOLDER / "node_modules" / "samlp" / "package.json").read_text(encoding="utf-8"))
    yield "samlp", package["version"], node_idp(folder)


def main() -> None:
    """See the module."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    assert OURS.encryption is not None
    ours = VECTORS / "service-provider"
    ours.mkdir(exist_ok=True)
    (ours / "metadata.xml").write_text(OURS.metadata(), encoding="utf-8")
    (ours / "certificate.pem").write_text(OURS.encryption.certificate, encoding="ascii")
    (ours / "private-key.pem").write_text(OURS.encryption.private_key, encoding="ascii")
    with tempfile.TemporaryDirectory() as temporary:
        for name, release, starting in implementations(Path(temporary)):
            with starting as provider:
                write(name, release, provider.entity_id, rsa_pair(name), provider.metadata(), of_running(provider))
        pysaml2 = Pysaml2Idp(Path(temporary), rsa_pair("pysaml2"), ATTRIBUTES, OURS, AWS)

        def respond(situation: Situation) -> bytes:
            return pysaml2.respond(
                situation.asking,
                PERSON,
                ATTRIBUTES,
                in_response_to=REQUEST_ID if situation.asked else None,
                response=situation.response,
                assertion=situation.assertion,
                encrypted=situation.encrypted,
                sha1=situation.sha1,
            )

        write("pysaml2", version("pysaml2"), ENTITY_ID, rsa_pair("pysaml2"), pysaml2.metadata(), respond)


if __name__ == "__main__":
    main()
