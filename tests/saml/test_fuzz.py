# SPDX-License-Identifier: Apache-2.0
"""
Mutations of signed responses: none yields another identity, none raises anything but a refusal.

How many: DAYPASS_FUZZ_CASES (``make fuzz``: a million). A find is made again by its number.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Final

import pytest

from daypass.errors import ProofError
from daypass.saml import Assertion, Expectations, Trust, decode_response, parse_metadata, parse_response
from fakes.saml_idp import AUDIENCE, CONSUMER, ENTITY_ID, NOW, Encryption, FakeSamlIdp, rsa_key
from saml.documents import PROVIDERS, judged, kept_by, signxml_covers, xmlsec_accepts
from saml.mutations import mutated

CASES: Final = int(os.environ.get("DAYPASS_FUZZ_CASES", "100000"))
IDP: Final = FakeSamlIdp()
OURS: Final = rsa_key(10)
TRUST: Final = Trust(ENTITY_ID, (IDP.certificate,), decryption_keys=(OURS,))
EXPECTED: Final = Expectations((AUDIENCE,), (CONSUMER,), NOW + 1)
CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


def genuine() -> list[tuple[str, bytes, Trust, Expectations]]:
    """What is mutated: every way to sign and encrypt, of the fake provider and of the real ones."""
    ours = [
        ("assertion", IDP.response(), TRUST, EXPECTED),
        ("response", IDP.response(sign="response"), TRUST, EXPECTED),
        ("both", IDP.response(sign="both"), TRUST, EXPECTED),
        ("gcm", IDP.response(encryption=Encryption(OURS)), TRUST, EXPECTED),
        ("gcm-both", IDP.response(sign="both", encryption=Encryption(OURS)), TRUST, EXPECTED),
        ("cbc", IDP.response(encryption=Encryption(OURS, algorithm=CBC)), replace(TRUST, allow_cbc=True), EXPECTED),
    ]
    real = [
        (known.implementation, known.response, known.trust, known.expected)
        for provider in PROVIDERS
        for name, known in kept_by(provider)
        if name in ("assertion-signed", "response-signed", "both-signed")
    ]
    return ours + real


GENUINE: Final = genuine()


@pytest.mark.parametrize(("name", "document", "trust", "expected"), GENUINE, ids=[known[0] for known in GENUINE])
def test_no_mutation_yields_another_identity_or_raises_anything_but_a_refusal(
    name: str, document: bytes, trust: Trust, expected: Expectations
) -> None:
    identity = judged(document, trust, expected)
    first = random.Random(name).randrange(1 << 40)
    accepted = []
    for seed in range(first, first + CASES // len(GENUINE)):
        changed = mutated(document, seed)
        found = outcome(changed, trust, expected)
        assert found is None or found == identity, f"mutation {seed} of {name} yields another identity"
        if found is not None:
            accepted.append(changed)
    assert accepted, "no mutation was accepted: white space and unsigned parts may change, so nothing was tried"
    if not identity.encrypted:
        for changed in accepted[:20]:
            assert xmlsec_accepts(changed, trust.certificates[0]) or signxml_covers(changed, trust.certificates[0])


def outcome(document: bytes, trust: Trust, expected: Expectations) -> Assertion | None:
    """The assertion, or None for a refusal. Anything else that is raised is a find."""
    try:
        return judged(document, trust, expected)
    except ProofError as error:
        if not error.reason.name.startswith("SAML_") or error.reason.name.startswith("SAML_METADATA_"):
            raise
        return None


def test_no_bytes_at_all_raise_anything_but_a_refusal() -> None:
    choice = random.Random(7)
    for _ in range(CASES // 4):
        data = choice.randbytes(choice.randrange(200))
        for read in (parse_response, decode_response, parse_metadata):
            try:
                read(data)
            except ProofError:
                continue


def test_no_mutation_of_metadata_raises_anything_but_a_refusal() -> None:
    signed = IDP.metadata(signed_by=IDP.key)
    for seed in range(CASES // 8):
        changed = mutated(signed, seed)
        try:
            found = parse_metadata(changed, pinned=(IDP.certificate,))
        except ProofError as error:
            if not error.reason.name.startswith("SAML_METADATA_"):
                raise
        else:
            assert found == parse_metadata(signed), f"mutation {seed} changes what signed metadata says"
