# SPDX-License-Identifier: Apache-2.0
"""What an attack on this service found once, each with the document that did it."""

from __future__ import annotations

import copy
import tracemalloc
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from lxml import etree

from daypass.errors import ProofError, Reason
from daypass.saml import parse_metadata, parse_response
from daypass.saml.keys import registered_key
from daypass.saml.limits import (
    MAX_CERTIFICATE,
    MAX_CERTIFICATES,
    MAX_METADATA_ELEMENTS,
    MAX_NAMESPACE_NAME,
    MAX_NAMESPACES,
)
from daypass.saml.shape import require_shape
from daypass.saml.signature_shape import signature_form
from daypass.saml.xml import read_xml
from daypass.signin.registrations import REGISTRATIONS, Registrations
from daypass.store import SamlProvider, View
from fakes.saml_idp import NS, FakeSamlIdp, at, der, private_key
from sts.asking import given, refusal
from sts.saml_desk import ASK, saml_desk

IDP: Final = FakeSamlIdp()
GENUINE: Final = IDP.response().decode()


def _refused(document: str) -> Reason:
    with pytest.raises(ProofError) as caught:
        parse_response(document.encode())
    return caught.value.reason


# Replay


@pytest.mark.asyncio
async def test_an_assertion_with_two_confirmations_is_spent_until_the_second_ends(tmp_path: Any) -> None:
    """It was forgotten when the one that was used had ended, and good again by the other."""

    def edit(root: Any) -> None:
        first = root.find(".//saml:SubjectConfirmation", NS)
        first.addnext(copy.deepcopy(first))
        first[0].set("NotOnOrAfter", ends)

    async with saml_desk(tmp_path / "data") as desk:
        role_arn = await desk.role()
        ends = at(desk.sts.clock() + 30)
        wanted = desk.wanted(role_arn, edit=edit)
        await given(desk.sts, ASK, None, **wanted)
        desk.sts.clock.advance(200)
        code, message = await refusal(desk.sts, ASK, None, **wanted)
        assert (code, "used before" in message) == ("InvalidIdentityToken", True)


# Documents that take more than they bring


@pytest.mark.parametrize("place", ["samlp:Response", "saml:Assertion", "ds:Signature", "ds:SignedInfo"])
def test_the_namespace_declarations_of_an_element_are_bounded(place: str) -> None:
    """Copying and canonicalising took time with their square: 50 ms for 70 KB, of anybody, without a valid signature."""

    def with_more(number: int) -> str:
        more = "".join(f' xmlns:n{n}="urn:{n}"' for n in range(number))
        return GENUINE.replace(f"<{place}", f"<{place}{more}", 1)

    parse_response(with_more(MAX_NAMESPACES - 4).encode())
    assert _refused(with_more(MAX_NAMESPACES + 1)) is Reason.SAML_TOO_LARGE


@pytest.mark.parametrize(
    "declaration", ['xmlns:x="{}"', "xmlns:x='{}'", 'xmlns="{}"', 'xmlns:x = "{}"', 'xmlns:\u00e9\n=\t"{}"']
)
def test_a_namespace_name_is_bounded_however_it_is_declared(declaration: str) -> None:
    at_most, more = ("urn:" + "x" * (length - 4) for length in (MAX_NAMESPACE_NAME, MAX_NAMESPACE_NAME + 1))
    read_xml(f"<a {declaration.format(at_most)}/>".encode())
    with pytest.raises(ProofError) as caught:
        read_xml(f"<a {declaration.format(more)}/>".encode())
    assert caught.value.reason is Reason.SAML_TOO_LARGE


@pytest.mark.parametrize("what", ["elements", "attributes"])
def test_names_of_a_long_namespace_do_not_fill_the_memory(what: str) -> None:
    """Every name holds its namespace's: 66 KB became 450 MB before the document was refused."""
    names = "".join(f"<x:\U00010000{n}/>" for n in range(1500)), "".join(f' x:\U00010000{n}=""' for n in range(1500))
    elements, attributes = (names[0], "") if what == "elements" else ("", names[1])
    head = f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:x="urn:{"x" * 30_000}" ID="_a" Version="2.0"'
    tail = f'<a:Assertion xmlns:a="{NS["saml"]}"/></samlp:Response>'
    tracemalloc.start()
    try:
        _refused(f'{head} IssueInstant="2026-01-31T12:00:00Z"{attributes}>{elements}{tail}')
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2_000_000


def test_the_prefixes_of_a_signature_are_bounded() -> None:
    """Each is looked for at every element."""
    ec = "http://www.w3.org/2001/10/xml-exc-c14n#"

    def form(number: int) -> None:
        signature = etree.fromstring(GENUINE).find(".//ds:Signature", NS)
        assert signature is not None
        last = signature.findall(".//ds:Transform", NS)[-1]
        etree.SubElement(last, f"{{{ec}}}InclusiveNamespaces", PrefixList=" ".join(["saml"] * number))
        require_shape(signature)
        signature_form("_assertion-1", signature, allow_sha1=False)

    form(MAX_NAMESPACES)
    with pytest.raises(ProofError) as caught:
        form(MAX_NAMESPACES + 1)
    assert caught.value.reason is Reason.SAML_TRANSFORM_REFUSED


# Metadata


def test_a_certificate_of_many_megabytes_is_not_kept_in_memory() -> None:
    before = registered_key.cache_info().currsize
    with pytest.raises(ProofError) as caught:
        parse_metadata(IDP.metadata(certificates=[b"\x30" * (MAX_CERTIFICATE + 1)]))
    assert caught.value.reason is Reason.SAML_METADATA_CERTIFICATE
    assert registered_key.cache_info().currsize == before


def test_reading_certificates_ends_with_the_first_that_is_too_many() -> None:
    certificates = [der(private_key("P-256", number)) for number in range(MAX_CERTIFICATES + 1)]
    registered_key.cache_clear()
    with pytest.raises(ProofError):
        parse_metadata(IDP.metadata(certificates=[*certificates, b"never read"]))
    assert registered_key.cache_info().currsize == MAX_CERTIFICATES + 1


def test_metadata_of_very_many_elements_is_refused() -> None:
    """It was taken, and read again in the event loop by the next who signed in: a second for 7 MB."""

    def document(number: int) -> bytes:
        more = b'<md:Extensions><x xmlns="urn:x">' + b"<x/>" * number + b"</x></md:Extensions><md:NameIDFormat>"
        return IDP.metadata().replace(b"<md:NameIDFormat>", more)

    parse_metadata(document(MAX_METADATA_ELEMENTS // 2))
    with pytest.raises(ProofError) as caught:
        parse_metadata(document(2 * MAX_METADATA_ELEMENTS))
    assert caught.value.reason is Reason.SAML_METADATA_TOO_LARGE


# Registrations


def test_an_account_with_a_hundred_registrations_does_not_crowd_out_another() -> None:
    """They may be older than the issuer's own: UpdateSAMLProvider lets them name another issuer at any time."""

    def registered(account: str, name: str, created_at: int) -> SamlProvider:
        return SamlProvider(
            account=account, name=name, uuid="u", entity_id="idp", metadata="", valid_until=None, created_at=created_at
        )

    early = [registered("1" * 12, f"squatter-{number:03}", number) for number in range(REGISTRATIONS)]
    late = registered("2" * 12, "genuine", 1_000)
    records = SimpleNamespace(all=lambda: [late, *early])
    registrations = Registrations(lambda: cast(View, SimpleNamespace(saml_providers=records)))
    found = registrations.of("idp", None)
    assert found[:3] == [early[0], late, early[1]]
    assert len(found) == REGISTRATIONS
    assert registrations.of("idp", ("1" * 12, "squatter-099"))[:2] == [early[99], early[0]]
