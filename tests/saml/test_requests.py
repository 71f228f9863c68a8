# SPDX-License-Identifier: Apache-2.0
"""What we send: requests by redirect and by POST, and our metadata. Read by other implementations."""

from __future__ import annotations

import base64
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree
from saml2.mdstore import InMemoryMetaData  # type: ignore[import-untyped]
from saml2.samlp import authn_request_from_string  # type: ignore[import-untyped]

from daypass.saml import Signer, authn_request, post_form, redirect_url, service_provider_metadata
from fakes.saml_idp import NOW, der, rsa_key
from saml.documents import DS, signxml_covers, xmlsec_accepts

KEY = rsa_key(3)
SIGNER = Signer(KEY, der(KEY))
SSO = "https://idp.example.org/sso"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def request(**more: Any) -> bytes:
    said: dict[str, Any] = {
        "request_id": "_request-1",
        "issued_at": NOW,
        "issuer": "https://sp.example.org/<&>",
        "destination": SSO,
        "consumer_url": "https://sp.example.org/saml",
    }
    return authn_request(**(said | more))


def test_a_request_says_who_asks_whom_and_where_the_answer_goes() -> None:
    read = authn_request_from_string(request(name_id_format="urn:f", force_authn=True).decode())
    assert (read.id, read.version, read.issue_instant) == ("_request-1", "2.0", "2027-01-15T08:00:00Z")
    assert (read.destination, read.assertion_consumer_service_url) == (SSO, "https://sp.example.org/saml")
    assert read.issuer.text == "https://sp.example.org/<&>"
    assert read.protocol_binding.endswith(":HTTP-POST")
    assert (read.name_id_policy.format, read.name_id_policy.allow_create, read.force_authn) == ("urn:f", "true", "true")


def test_a_request_says_no_more_than_it_must() -> None:
    read = authn_request_from_string(request().decode())
    assert (read.name_id_policy.format, read.force_authn) == (None, None)


def inflated(url: str) -> bytes:
    message = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return zlib.decompress(base64.b64decode(message), -15)


def test_a_redirect_carries_the_request_and_the_relay_state() -> None:
    url = redirect_url(SSO, request(), relay_state="a&b=c d")
    assert url.startswith(SSO + "?SAMLRequest=")
    assert inflated(url) == request()
    assert parse_qs(urlsplit(url).query)["RelayState"] == ["a&b=c d"]
    assert "Signature" not in parse_qs(urlsplit(url).query)


def test_a_redirect_keeps_the_query_of_the_destination_and_drops_its_fragment() -> None:
    url = redirect_url(SSO + "?tenant=1#top", request())
    assert url.startswith(SSO + "?tenant=1&SAMLRequest=")
    assert "#" not in url


@pytest.mark.parametrize("relay_state", [None, "", "opaque"])
def test_a_signed_redirect_is_signed_over_the_octets_that_are_sent(relay_state: str | None) -> None:
    url = redirect_url(SSO, request(), relay_state=relay_state, signer=SIGNER)
    covered, _, signature = urlsplit(url).query.partition("&Signature=")
    names = [part.partition("=")[0] for part in covered.split("&")]
    assert names == ["SAMLRequest", *(["RelayState"] if relay_state is not None else []), "SigAlg"]
    value = base64.b64decode(parse_qs("s=" + signature)["s"][0])
    KEY.public_key().verify(value, covered.encode(), PKCS1v15(), hashes.SHA256())
    assert parse_qs(covered)["SigAlg"] == ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"]


def test_a_posted_request_is_as_it_was_or_signed_behind_its_issuer() -> None:
    form = post_form(SSO, request(), relay_state="opaque")
    assert form.action == SSO
    assert dict(form.fields)["RelayState"] == "opaque"
    assert base64.b64decode(dict(form.fields)["SAMLRequest"]) == request()
    signed = base64.b64decode(dict(post_form(SSO, request(), signer=SIGNER).fields)["SAMLRequest"])
    root: Any = etree.fromstring(signed)
    assert [child.tag.rpartition("}")[2] for child in root] == ["Issuer", "Signature", "NameIDPolicy"]
    assert root[1].tag == f"{DS}Signature"
    assert xmlsec_accepts(signed, der(KEY))
    assert len(signxml_covers(signed, der(KEY))) == 1


def test_what_is_signed_already_is_not_signed_twice() -> None:
    signed = base64.b64decode(dict(post_form(SSO, request(), signer=SIGNER).fields)["SAMLRequest"])
    with pytest.raises(ValueError, match="already"):
        post_form(SSO, signed, signer=SIGNER)


def test_a_relay_state_of_more_than_eighty_bytes_is_refused() -> None:
    assert post_form(SSO, request(), relay_state="x" * 80).action == SSO
    for send in (post_form, redirect_url):
        with pytest.raises(ValueError, match="80 bytes"):
            send(SSO, request(), relay_state="ä" * 41)


def test_a_signer_does_not_print() -> None:
    assert repr(SIGNER) == "Signer(...)"


def test_our_metadata_is_read_by_pysaml2() -> None:
    text = service_provider_metadata(
        entity_id="https://sp.example.org/saml/metadata",
        consumer_url="https://sp.example.org/saml",
        signing_certificates=[der(KEY)],
        encryption_certificates=[der(rsa_key(10)), der(rsa_key(11))],
        requests_signed=True,
        name_id_formats=["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"],
    )
    read = InMemoryMetaData(None, text.decode())
    read.parse(text.decode())
    entity = "https://sp.example.org/saml/metadata"
    services = read.service(entity, "spsso_descriptor", "assertion_consumer_service")
    assert services["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"][0]["location"] == "https://sp.example.org/saml"
    assert len(read.certs(entity, "spsso", "encryption")) == 2
    assert len(read.certs(entity, "spsso", "signing")) == 1


def test_our_metadata_names_the_algorithms_that_are_taken_and_cbc_only_if_allowed() -> None:
    def algorithms(**more: Any) -> list[str]:
        text = service_provider_metadata(entity_id="e", consumer_url="c", encryption_certificates=[der(KEY)], **more)
        return [str(found.get("Algorithm")) for found in etree.fromstring(text).iter(f"{MD}EncryptionMethod")]

    assert algorithms()[0].endswith("aes256-gcm")
    assert not any(name.endswith("cbc") for name in algorithms())
    assert sum(name.endswith("cbc") for name in algorithms(allow_cbc=True)) == 3
    assert not any("rsa-1_5" in name for name in algorithms(allow_cbc=True))
