# SPDX-License-Identifier: Apache-2.0
"""Sign-ins that begin here: what the provider is asked, and whose answer is taken."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from daypass.signin import cookies, limits
from fakes.saml_idp import FakeSamlIdp, rsa_key
from in_process import ACCOUNT
from signin.browser import ORIGIN, Browser, Page
from signin.corporate import PROVIDER, START, Corporate, corporate, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST_BINDING = b"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT_BINDING = b"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
DS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "md": "urn:oasis:names:tc:SAML:2.0:metadata"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corporate]:
    async with corporate(tmp_path_factory.mktemp("start")) as made:
        yield made


class Asked:
    """What a redirect asks of the identity provider."""

    def __init__(self, page: Page) -> None:
        assert page.status == 303, page.text
        self.location = page.header("location")
        self.query = dict(parse_qsl(urlsplit(self.location).query))
        request = zlib.decompress(base64.b64decode(self.query["SAMLRequest"]), -15)
        self.request = etree.fromstring(request)
        self.request_id = self.request.get("ID") or ""
        self.relay_state = self.query["RelayState"]


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def answered(
    acme: Corporate, browser: Browser, asked: Asked, *, relay_state: str | None = None, **changes: Any
) -> Page:
    """The provider's answer to a question, posted from its page."""
    response = acme.response(in_response_to=asked.request_id, **changes)
    return await browser.post("/saml", {"SAMLResponse": response, "RelayState": relay_state or asked.relay_state})


async def test_the_provider_is_asked_where_it_said_for_an_answer_to_our_consumer(acme: Corporate) -> None:
    page = await acme.browser().get(START)
    asked = Asked(page)
    assert asked.location.startswith("https://idp.example.org/sso?SAMLRequest=")
    assert asked.request.get("Destination") == "https://idp.example.org/sso"
    assert asked.request.get("AssertionConsumerServiceURL") == f"{ORIGIN}/saml"
    assert asked.request.findtext("{*}Issuer") == f"{ORIGIN}/saml/metadata"
    assert page.header("cache-control") == "no-store"


async def test_no_two_questions_have_an_id_or_relay_state_in_common_and_neither_says_anything(acme: Corporate) -> None:
    browser = acme.browser()
    asked = [Asked(await browser.get(f"{START}?return_to=/portal/here")) for _ in range(3)]
    assert len({one.request_id for one in asked} | {one.relay_state for one in asked}) == 6
    assert min(len(one.request_id) for one in asked) >= 41
    assert [one for one in asked if "here" in one.relay_state or "corporate" in one.relay_state] == []
    assert max(len(one.relay_state) for one in asked) <= 80


async def test_a_sign_in_that_began_here_ends_with_credentials_and_the_way_on(acme: Corporate) -> None:
    browser = acme.browser()
    asked = Asked(await browser.get(f"{START}?return_to=/portal/here%3Fa%3D1%26b%3D2"))
    roles = await answered(acme, browser, asked)
    assert roles.status == 200
    assert "Go on only if" not in roles.text
    page = await acme.choose(browser, roles)
    assert page.status == 200
    assert [found["href"] for found, _ in page.read.all("a")] == ["/portal/here?a=1&b=2"]
    assert browser.jar == {}


async def test_an_answer_to_the_question_of_another_browser_is_refused(acme: Corporate) -> None:
    """Login CSRF: an attacker begins, and has the victim's browser bring the answer."""
    asked = Asked(await acme.browser().get(START))
    victim = acme.browser()
    page = await answered(acme, victim, asked)
    assert page.status == 400
    assert "did not ask" in page.text
    await victim.get(START)  # even one that has asked something itself
    assert (await answered(acme, victim, asked)).status == 400


@pytest.mark.parametrize("state", ["x", "", "https://evil.example/", "/portal/"])
async def test_an_answer_with_another_relay_state_is_refused(acme: Corporate, state: str) -> None:
    browser = acme.browser()
    asked = Asked(await browser.get(START))
    response = acme.response(in_response_to=asked.request_id)
    page = await browser.post("/saml", {"SAMLResponse": response, "RelayState": state})
    assert page.status == 400


async def test_an_answer_with_the_relay_state_of_another_question_is_refused(acme: Corporate) -> None:
    browser = acme.browser()
    first, second = [Asked(await browser.get(START)) for _ in range(2)]
    assert (await answered(acme, browser, first, relay_state=second.relay_state)).status == 400


async def test_a_question_is_answered_once(acme: Corporate) -> None:
    browser = acme.browser()
    asked = Asked(await browser.get(START))
    kept = dict(browser.jar)
    assert (await answered(acme, browser, asked)).status == 200
    assert (await answered(acme, browser, asked)).status == 400  # the cookie has forgotten it
    browser.jar = kept
    page = await answered(acme, browser, asked)
    assert page.status == 400
    assert "used already" in page.text


async def test_two_sign_ins_of_one_browser_do_not_meet(acme: Corporate) -> None:
    browser = acme.browser()
    first = Asked(await browser.get(f"{START}?return_to=/portal/first"))
    second = Asked(await browser.get(f"{START}?return_to=/portal/second"))
    for asked, place in ((second, "/portal/second"), (first, "/portal/first")):
        page = await acme.choose(browser, await answered(acme, browser, asked))
        assert [found["href"] for found, _ in page.read.all("a")] == [place]


async def test_a_question_is_open_for_its_time_and_no_longer(acme: Corporate) -> None:
    browser = acme.browser()
    early, late = [Asked(await browser.get(START)) for _ in range(2)]
    acme.service.clock.advance(limits.REQUEST_SECONDS - 1)
    assert (await answered(acme, browser, early)).status == 200
    acme.service.clock.advance(1)
    assert (await answered(acme, browser, late)).status == 400


async def test_an_answer_of_another_provider_than_was_asked_is_refused(acme: Corporate) -> None:
    other = FakeSamlIdp("https://other.example.org/metadata")
    await acme.register("other", other.metadata())
    await acme.iam(
        "CreateRole", RoleName="Other", AssumeRolePolicyDocument=trusting(PROVIDER.replace("corporate", "other"))
    )
    browser = acme.browser()
    asked = Asked(await browser.get(START))
    response = acme.response(
        "Other", provider=PROVIDER.replace("corporate", "other"), idp=other, in_response_to=asked.request_id
    )
    page = await browser.post("/saml", {"SAMLResponse": response, "RelayState": asked.relay_state})
    assert page.status == 400


async def test_an_answer_by_the_key_of_another_registration_of_the_same_name_is_refused(acme: Corporate) -> None:
    forger = FakeSamlIdp(key=rsa_key(3))
    await acme.register("namesake", forger.metadata())
    namesake = PROVIDER.replace("corporate", "namesake")
    await acme.iam("CreateRole", RoleName="Namesake", AssumeRolePolicyDocument=trusting(namesake))
    browser = acme.browser()
    asked = Asked(await browser.get(START))
    response = acme.response("Namesake", provider=namesake, idp=forger, in_response_to=asked.request_id)
    page = await browser.post("/saml", {"SAMLResponse": response, "RelayState": asked.relay_state})
    assert page.status == 400
    await acme.iam("DeleteSAMLProvider", SAMLProviderArn=namesake)


async def test_a_response_that_answers_nothing_has_nothing_of_the_question_whose_relay_state_it_brings(
    acme: Corporate,
) -> None:
    browser = acme.browser()
    asked = Asked(await browser.get(f"{START}?return_to=/portal/here"))
    roles = await browser.post("/saml", {"SAMLResponse": acme.response(), "RelayState": asked.relay_state})
    assert "Go on only if" in roles.text
    page = await acme.choose(browser, roles)
    assert page.read.all("a") == []
    assert (await answered(acme, browser, asked)).status == 200


@pytest.mark.parametrize(
    "query",
    [
        "return_to=https://evil.example",
        "return_to=//evil.example",
        "return_to=%2F%5Cevil.example",
        "return_to=",
        "next=/",
        "x",
    ],
)
async def test_a_start_that_would_lead_elsewhere_is_refused(acme: Corporate, query: str) -> None:
    page = await acme.browser().get(f"{START}?{query}")
    assert page.status == 400
    assert "evil" not in page.text
    assert page.cookies == {}


async def test_the_question_stands_in_a_cookie_that_the_providers_post_brings_back(acme: Corporate) -> None:
    page = await acme.browser().get(START)
    assert list(page.cookies) == [cookies.REQUESTS]
    assert page.cookies[cookies.REQUESTS].endswith("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=None")


async def test_a_provider_that_takes_requests_by_post_only_is_sent_a_form_that_may_go_there_only(
    acme: Corporate,
) -> None:
    metadata = FakeSamlIdp("https://post.example.org").metadata().replace(REDIRECT_BINDING, POST_BINDING)
    await acme.register("post", metadata)
    page = await acme.browser().get(START.replace("corporate", "post"))
    assert page.status == 200
    ((form, _),) = page.read.all("form")
    assert (form["method"], form["action"]) == ("post", "https://idp.example.org/sso")
    assert page.header("content-security-policy").endswith("; form-action https://idp.example.org")
    request = etree.fromstring(base64.b64decode(page.read.hidden["SAMLRequest"]))
    assert request.get("Destination") == "https://idp.example.org/sso"
    assert page.read.hidden["RelayState"]


@pytest.mark.parametrize("binding", [REDIRECT_BINDING, POST_BINDING])
async def test_a_request_is_signed_where_the_provider_wants_it_with_the_key_that_our_metadata_has(
    acme: Corporate, binding: bytes
) -> None:
    name = f"signed-{binding[-4:].decode().lower()}"
    metadata = FakeSamlIdp(f"https://{name}.example.org").metadata().replace(REDIRECT_BINDING, binding)
    wanting = metadata.replace(b"<md:IDPSSODescriptor ", b'<md:IDPSSODescriptor WantAuthnRequestsSigned="true" ')
    await acme.register(name, wanting, AddPrivateKey=pem(rsa_key(7)))
    ours = etree.fromstring((await acme.browser().get(f"/saml/metadata/{ACCOUNT}/{name}")).body)
    published = ours.findtext('.//md:KeyDescriptor[@use="signing"]//ds:X509Certificate', namespaces=DS)
    key = x509.load_der_x509_certificate(base64.b64decode(published or "")).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    page = await acme.browser().get(START.replace("corporate", name))
    if binding == REDIRECT_BINDING:
        query = urlsplit(Asked(page).location).query
        said, _, signature = query.partition("&Signature=")
        sent = dict(parse_qsl(f"Signature={signature}"))
        key.verify(base64.b64decode(sent["Signature"]), said.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        request = etree.fromstring(base64.b64decode(page.read.hidden["SAMLRequest"]))
        assert request.find("ds:Signature", DS) is not None
        assert request.findtext(".//ds:X509Certificate", namespaces=DS) in (None, published)


async def test_a_provider_that_wants_signed_requests_is_not_asked_without_a_key(acme: Corporate) -> None:
    metadata = FakeSamlIdp("https://keyless.example.org").metadata()
    wanting = metadata.replace(b"<md:IDPSSODescriptor ", b'<md:IDPSSODescriptor WantAuthnRequestsSigned="true" ')
    await acme.register("keyless", wanting)
    page = await acme.browser().get(START.replace("corporate", "keyless"))
    assert page.status == 400
    assert "no private key was added" in page.text
    assert page.cookies == {}
