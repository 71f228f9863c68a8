# SPDX-License-Identifier: Apache-2.0
"""The real identity providers alone: what they sign is judged by xmlsec, which the code under test does not use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import xmlsec
from lxml import etree

from real import needed
from real.key_pairs import KeyPair, rsa_pair
from real.node_idp import node_idp
from real.person import Person
from real.saml_provider import SamlProvider
from real.service_provider import PaperServiceProvider
from real.simplesamlphp import simplesamlphp

RUNNING = {"simplesamlphp": simplesamlphp, "samlp": node_idp}
OURS = PaperServiceProvider("https://sp.example.org/saml/metadata", "https://sp.example.org/saml", rsa_pair("sp"))
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"


@pytest.fixture(scope="module", params=sorted(RUNNING))
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    with RUNNING[request.param](tmp_path_factory.mktemp(request.param)) as running:
        running.people({"alice": {"groups": ["developers", "on call"]}})
        running.trust(OURS.metadata())
        yield running


def signed(element: etree._Element, pair: KeyPair) -> bool:
    """Whether an element has a signature that this key made."""
    signature = element.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    if signature is None:
        return False
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair.certificate.encode(), xmlsec.constants.KeyDataFormatCertPem)
    context.register_id(element, "ID")
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def response(provider: SamlProvider, url: str | None = None) -> etree._Element:
    form = Person().sign_in(url or provider.start_url(OURS.entity_id), "alice")
    assert form.action == OURS.consumer
    return etree.fromstring(form.response)


def test_an_assertion_is_signed_by_the_key_that_the_metadata_publishes(provider: SamlProvider) -> None:
    provider.sign_with(rsa_pair(provider.name))
    assertion = response(provider).find(f"{ASSERTION}Assertion")
    assert assertion is not None
    assert signed(assertion, rsa_pair(provider.name))
    assert "".join(rsa_pair(provider.name).certificate.splitlines()[1:-1]) in provider.metadata()


def test_the_key_is_changed_while_it_runs(provider: SamlProvider) -> None:
    old, new = rsa_pair(provider.name), rsa_pair("new")
    provider.sign_with(new)
    assertion = response(provider).find(f"{ASSERTION}Assertion")
    assert assertion is not None
    assert (signed(assertion, old), signed(assertion, new)) == (False, True)


def test_a_response_says_which_request_it_answers(provider: SamlProvider) -> None:
    asked = OURS.ask(provider.sign_in_url, "_request", "2026-01-01T00:00:00Z", "state")
    answer = response(provider, asked)
    confirmed = answer.find(f".//{ASSERTION}SubjectConfirmationData")
    assert confirmed is not None
    assert confirmed.get("InResponseTo") == "_request"


def test_an_encrypted_assertion_is_not_readable_without_the_key(provider: SamlProvider) -> None:
    provider.encrypt(True)
    answer = response(provider)
    provider.encrypt(False)
    assert answer.find(f"{ASSERTION}EncryptedAssertion") is not None
    assert b"developers" not in etree.tostring(answer)


def test_a_service_provider_that_is_not_trusted_gets_nothing(provider: SamlProvider) -> None:
    page = Person().open(provider.start_url("https://other.example.org/saml/metadata"))
    assert b"SAMLResponse" not in page.text.encode()


def test_what_a_machine_lacks_is_named_by_the_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYPASS_TEST_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        needed.program("no-such-program")


def test_where_everything_is_required_what_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_TEST_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        needed.program("no-such-program")
