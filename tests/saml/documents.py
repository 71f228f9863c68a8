# SPDX-License-Identifier: Apache-2.0
"""Genuine responses, kept with what an attacker would know of them; the judge; and the judges who are not us."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput
from signxml.exceptions import InvalidSignature as SignxmlRefusal
from signxml.verifier import SignatureConfiguration, XMLVerifier

from daypass.errors import ProofError, Reason
from daypass.saml import Assertion, Expectations, Trust, parse_metadata, parse_response, verify_response

VECTORS: Final = Path(__file__).parent / "vectors"
SHARED: Final = Path(__file__).parents[3] / "shared" / "vectors" / "saml"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
SA: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SP: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
PROVIDERS: Final = ("pysaml2", "samlp", "simplesamlphp")
"""Whose genuine responses are kept in vectors/genuine, with what they are."""

IMPLEMENTATIONS: Final = (
    *("fake", "fake-response"),
    *(f"{provider}/{signed}" for provider in PROVIDERS for signed in ("assertion-signed", "response-signed")),
)


@dataclass(frozen=True)
class Genuine:
    """A genuine response, the registration it belongs to, and what is expected of it."""

    implementation: str
    response: bytes
    trust: Trust
    expected: Expectations
    subject: str  # "" where it is another each time
    kept: Mapping[str, Any]


@functools.cache
def genuine(implementation: str) -> Genuine:
    """The kept response of an implementation: of the fake provider, or ``provider/case``."""
    if "/" in implementation:
        provider, _, case = implementation.partition("/")
        return next(known for name, known in kept_by(provider) if name == case)
    kept: dict[str, Any] = json.loads((VECTORS / f"genuine-{implementation}.json").read_text())
    return Genuine(
        implementation,
        base64.b64decode(kept["response"]),
        Trust(kept["entity_id"], (base64.b64decode(kept["certificate"]),)),
        Expectations((kept["audience"],), (kept["consumer"],), kept["now"], frozenset({kept["request_id"]})),
        kept["subject"],
        {},
    )


@functools.cache
def kept_by(provider: str) -> tuple[tuple[str, Genuine], ...]:
    """Every genuine response of a provider, by the name of its case."""
    folder = VECTORS / "genuine" / provider
    kept: dict[str, Any] = json.loads((folder / "vectors.json").read_text())
    metadata = parse_metadata((folder / "metadata.xml").read_bytes())
    assert metadata.entity_id == kept["entity_id"]
    ours = load_pem_private_key((VECTORS / "genuine" / "service-provider" / "private-key.pem").read_bytes(), None)
    assert isinstance(ours, RSAPrivateKey)
    made = []
    for case in kept["cases"]:
        name = case["name"]
        asked = frozenset({case["in_response_to"]}) if case["in_response_to"] else None
        trust = Trust(
            metadata.entity_id,
            metadata.certificates,
            allow_sha1=case["sha1"],
            allow_cbc=any(algorithm.endswith("-cbc") for algorithm in case["encrypted_with"]),
            decryption_keys=(ours,),
        )
        expected = Expectations((case["audience"],), (case["recipient"],), case["now"], asked)
        document = (folder / f"{name}.xml").read_bytes()
        made.append((name, Genuine(f"{provider}/{name}", document, trust, expected, "", kept | case)))
    return tuple(made)


def judged(document: bytes, trust: Trust, expected: Expectations) -> Assertion:
    """The whole path: parsed and verified. Raises ProofError."""
    return verify_response(parse_response(document), trust, expected)


def reason(document: bytes, trust: Trust, expected: Expectations) -> Reason | None:
    """Why it is refused; None if it is accepted."""
    try:
        judged(document, trust, expected)
    except ProofError as error:
        return error.reason
    return None


def xmlsec_accepts(document: bytes, certificate: bytes) -> bool:
    """
    Whether python-xmlsec verifies the first signature of the document with the certificate's key, as a careless service
    would ask it to: whatever it refers to, with whatever transforms, under whatever algorithm.
    """
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
        xmlsec.tree.add_ids(root, ["ID"])
        signature: Any = xmlsec.tree.find_node(root, "Signature")
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertDer)
        context.verify(signature)
    except (xmlsec.Error, etree.LxmlError, ValueError, TypeError):
        return False
    return True


def signxml_covers(document: bytes, certificate: bytes) -> list[bytes]:
    """What signxml says is signed by the certificate's key, of every signature that it accepts: canonical bytes."""
    covered = []
    for path in ("./", f"./{SA}Assertion/"):
        configuration = SignatureConfiguration(
            location=path,
            verification_time=x509.load_der_x509_certificate(certificate).not_valid_before_utc,
            signature_methods=frozenset(SignatureMethod),
            digest_algorithms=frozenset(DigestAlgorithm),
        )
        try:
            result = XMLVerifier().verify(
                document,
                x509_cert=x509.load_der_x509_certificate(certificate),
                id_attribute="ID",
                expect_config=configuration,
            )
        except (SignxmlRefusal, InvalidInput):
            continue
        assert not isinstance(result, list)
        covered.append(result.signed_data)
    return covered
