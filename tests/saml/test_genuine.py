# SPDX-License-Identifier: Apache-2.0
"""What real identity providers send (vectors/genuine): accepted with all that they said, or refused for a listed reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daypass.errors import Reason
from daypass.saml import parse_response
from daypass.saml.shape import require_shape
from daypass.saml.signature_shape import canonical
from daypass.saml.xml import read_canonical
from saml.documents import PROVIDERS, Genuine, judged, kept_by, reason, signxml_covers, xmlsec_accepts

CASES = [(provider, name) for provider in PROVIDERS for name, _ in kept_by(provider)]
REFUSED = {
    # What comes out of an encrypted assertion must be signed; with CBC all failures are one.
    "samlp/encrypted-response-signed": Reason.SAML_UNSIGNED,
    "simplesamlphp/encrypted-response-signed": Reason.SAML_DECRYPTION_FAILED,
    # Triple DES does not exist here.
    "pysaml2/encrypted": Reason.SAML_ENCRYPTION_REFUSED,
    "pysaml2/encrypted-response-signed": Reason.SAML_ENCRYPTION_REFUSED,
    "pysaml2/encrypted-both-signed": Reason.SAML_ENCRYPTION_REFUSED,
}


def case(provider: str, name: str) -> Genuine:
    return dict(kept_by(provider))[name]


@pytest.mark.parametrize(("provider", "name"), CASES, ids=map("/".join, CASES))
def test_a_genuine_response_is_accepted_with_everything_it_says_or_refused_for_a_listed_reason(
    provider: str, name: str
) -> None:
    known = case(provider, name)
    if known.implementation in REFUSED:
        assert reason(known.response, known.trust, known.expected) is REFUSED[known.implementation]
        return
    assertion = judged(known.response, known.trust, known.expected)
    assert (
        known.kept["attributes"].items() <= {key: list(values) for key, values in assertion.attributes.items()}.items()
    )
    assert assertion.encrypted == bool(known.kept["encrypted_with"])
    assert assertion.in_response_to == known.kept["in_response_to"]
    assert parse_response(known.response).unverified_issuer == assertion.issuer == known.kept["entity_id"]


@pytest.mark.parametrize(("provider", "name"), CASES, ids=map("/".join, CASES))
def test_signxml_and_xmlsec_agree_about_every_signature_that_is_accepted(provider: str, name: str) -> None:
    known = case(provider, name)
    certificate = known.trust.certificates[0]
    signatures = known.kept["response_signed"] + (known.kept["assertion_signed"] and not known.kept["encrypted_with"])
    assert len(signxml_covers(known.response, certificate)) == signatures
    if signatures:
        assert xmlsec_accepts(known.response, certificate)


@pytest.mark.parametrize(("provider", "name"), CASES, ids=map("/".join, CASES))
def test_what_was_signed_has_the_accepted_shape_when_it_is_read_again(provider: str, name: str) -> None:
    """The verification rests on it (``daypass.saml.verify``): the profile is asked once, of what came."""
    known = case(provider, name)
    for covered in signxml_covers(known.response, known.trust.certificates[0]):
        read_again = read_canonical(covered)
        require_shape(read_again)
        assert canonical(read_again) == covered


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_opt_in_is_needed(provider: str) -> None:
    sha1 = case(provider, "sha1")
    assert reason(sha1.response, replace(sha1.trust, allow_sha1=False), sha1.expected) is Reason.SAML_ALGORITHM_REFUSED
    encrypted = case(provider, "encrypted")
    if encrypted.trust.allow_cbc:
        refused = replace(encrypted.trust, allow_cbc=False)
        assert reason(encrypted.response, refused, encrypted.expected) is Reason.SAML_ENCRYPTION_REFUSED
    plain = case(provider, "assertion-signed")
    required = replace(plain.trust, encryption_required=True)
    assert reason(plain.response, required, plain.expected) is Reason.SAML_ENCRYPTION_REQUIRED


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_providers_response_is_not_anothers(provider: str) -> None:
    known = case(provider, "assertion-signed")
    for other in set(PROVIDERS) - {provider}:
        trust = case(other, "assertion-signed").trust
        assert reason(known.response, trust, known.expected) is Reason.SAML_ISSUER_MISMATCH
        mistaken = replace(trust, entity_id=known.trust.entity_id)
        assert reason(known.response, mistaken, known.expected) is Reason.SAML_SIGNATURE_INVALID
