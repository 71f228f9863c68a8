# SPDX-License-Identifier: Apache-2.0
"""POST /saml: the roles that are shown, to people and to the programs that read this page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from fakes.saml_idp import FakeSamlIdp, private_key
from in_process import ACCOUNT
from signin.corporate import AWS, PROVIDER, Corporate, corporate, role_arn, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corporate]:
    async with corporate(tmp_path_factory.mktemp("roles")) as made:
        yield made


async def test_the_roles_that_are_named_and_trust_the_sign_in_are_shown(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response("Deployer", "Stranger", "Analyst", "Nobody"))
    assert page.status == 200
    assert page.header("cache-control") == "no-store"
    labels = page.read.all("label", class_="saml-role-description")
    assert [(found["for"], text) for found, text in labels] == [
        (role_arn("Analyst"), "Analyst"),
        (role_arn("Deployer"), "Deployer"),
    ]


async def test_the_page_has_the_markup_that_command_line_tools_read(acme: Corporate) -> None:
    """saml2aws and others: fieldset > div.saml-account, its name, labels for ARNs, radio buttons, the response."""
    response = acme.response("Analyst", "Deployer")
    page = await acme.tile(acme.browser(), response)
    reader = page.read
    assert "<fieldset>" in page.text
    within = page.text.partition("<fieldset>")[2].partition("</fieldset>")[0]
    assert within.count('<div class="saml-account">') == 1
    ((_, account),) = reader.all("div", class_="saml-account-name")
    assert account == f"Account: {ACCOUNT}"
    radios = reader.all("input", type="radio", name="roleIndex", class_="saml-radio")
    assert [(found["id"], found["value"]) for found, _ in radios] == [
        (role_arn("Analyst"),) * 2,
        (role_arn("Deployer"),) * 2,
    ]
    assert reader.hidden["SAMLResponse"] == response
    assert len(reader.all("form", id="saml_form", name="saml_form", method="post")) == 1
    assert len(reader.all("button", id="signin_button")) == 1


async def test_an_account_alias_is_shown_before_the_number(acme: Corporate) -> None:
    await acme.iam("CreateAccountAlias", AccountAlias="acme-lab")
    page = await acme.tile(acme.browser(), acme.response())
    assert [text for _, text in page.read.all("div", class_="saml-account-name")] == [f"Account: acme-lab ({ACCOUNT})"]
    await acme.iam("DeleteAccountAlias", AccountAlias="acme-lab")


async def test_the_page_says_who_is_signed_in_and_by_whom(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response(subject="ann@acme.example"))
    assert "ann@acme.example" in page.text
    assert acme.idp.entity_id in page.text
    assert "Go on only if" in page.text


async def test_a_tool_without_cookies_takes_the_response_to_sts(acme: Corporate) -> None:
    response = acme.response()
    page = await acme.tile(acme.browser(), response)
    answer = await acme.service.call(
        "sts",
        "AssumeRoleWithSAML",
        None,
        RoleArn=page.read.all("label")[-1][0]["for"],
        PrincipalArn=PROVIDER,
        SAMLAssertion=page.read.hidden["SAMLResponse"],
    )
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    "subject",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' autofocus onfocus='x",
        "{{7*7}}",
        "&lt;b&gt;",
        "</title><svg/onload=x>",
    ],
)
async def test_what_a_subject_says_is_text_and_never_markup(acme: Corporate, subject: str) -> None:
    browser = acme.browser()
    page = await acme.tile(browser, acme.response(subject=subject))
    for shown in (page, await acme.choose(browser, page)):
        assert shown.status == 200
        assert (("strong", subject)) in [(tag, "".join(text)) for tag, _, text in shown.read.elements]
        assert [found for _, found, _ in shown.read.elements if any(name.startswith("on") for name in found)] == []
        assert [tag for tag, _, _ in shown.read.elements if tag in ("img", "svg", "b")] == []


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", f"x,{PROVIDER}", "../Analyst", "ANALYST", "team/Analyst", ""]
)
async def test_a_role_that_is_not_exactly_there_is_not_shown(acme: Corporate, name: str) -> None:
    page = await acme.tile(acme.browser(), acme.response(name))
    assert page.status in (400, 403)
    assert "<script>alert" not in page.text


async def test_a_role_that_is_named_with_another_provider_is_not_shown(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response(provider=f"arn:aws:iam::{ACCOUNT}:saml-provider/other"))
    assert page.status == 403


async def test_nobody_without_a_role_is_shown_a_form(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response("Stranger"))
    assert page.status == 403
    assert "There is no role for you" in page.text
    assert page.cookies == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"audience": "https://other.example"}, "for another service"),
        ({"recipient": "https://other.example/saml"}, "cannot be accepted"),
        ({"destination": "https://other.example/saml"}, "cannot be accepted"),
        ({"not_on_or_after": -61, "confirmed_until": -61, "not_before": -600, "issued_at": -600}, "too old"),
        ({"issuer": "https://other.example"}, "do not know this identity provider"),
        ({"sign": "none"}, "cannot be accepted"),
        ({"in_response_to": "_guessed"}, "did not ask"),
    ],
)
async def test_a_response_that_does_not_verify_is_refused_in_words_without_its_values(
    acme: Corporate, changes: dict[str, Any], said: str
) -> None:
    page = await acme.tile(acme.browser(), acme.response(subject="ann@acme.example", **changes))
    assert page.status in (400, 403)
    assert said in page.text
    assert "ann@acme" not in page.text
    assert "other.example" not in page.text
    assert page.cookies == {}


async def test_a_response_that_another_key_signed_is_refused(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response(idp=FakeSamlIdp(key=private_key("RSA", 1))))
    assert page.status == 400


@pytest.mark.parametrize(
    "state", ["https://evil.example/", "//evil.example", "/portal/", "javascript:alert(1)", '"><script>', ""]
)
async def test_a_relay_state_that_is_not_ours_leads_nowhere(acme: Corporate, state: str) -> None:
    browser = acme.browser()
    page = await acme.tile(browser, acme.response(), RelayState=state)
    given = await acme.choose(browser, page)
    for shown in (page, given):
        assert not shown.has("location")
        assert not state or state not in shown.text.replace("/portal/static/", "").replace("/portal/saml/", "")
        assert shown.read.all("a") == []


async def test_an_assertion_that_names_roles_of_two_registrations_shows_both(acme: Corporate) -> None:
    await acme.register("twin", acme.idp.metadata())
    twin = PROVIDER.replace("corporate", "twin")
    await acme.iam("CreateRole", RoleName="Twin", AssumeRolePolicyDocument=trusting(twin))
    pairs = [f"{role_arn('Analyst')},{PROVIDER}", f"{twin},{role_arn('Twin')}", f"{role_arn('Deployer')},{twin}"]
    browser = acme.browser()
    page = await acme.tile(browser, acme.response(attributes={AWS + "Role": pairs, AWS + "RoleSessionName": ["alice"]}))
    assert [text for _, text in page.read.all("label", class_="saml-role-description")] == ["Analyst", "Twin"]
    assert (await acme.choose(browser, page, "Twin")).status == 200


async def test_a_registration_of_the_same_name_with_other_keys_vouches_for_its_own_roles_only(acme: Corporate) -> None:
    """Somebody registers the identity provider's name with a key of their own: older, or newer, it opens nothing of others."""
    forger = FakeSamlIdp(key=private_key("RSA", 2))
    await acme.register("forged", forger.metadata())
    forged = PROVIDER.replace("corporate", "forged")
    await acme.iam("CreateRole", RoleName="Forged", AssumeRolePolicyDocument=trusting(forged))
    pairs = [f"{role_arn('Analyst')},{PROVIDER}", f"{role_arn('Forged')},{forged}"]
    attributes = {AWS + "Role": pairs, AWS + "RoleSessionName": ["alice"]}
    page = await acme.tile(acme.browser(), acme.response(idp=forger, attributes=attributes))
    assert [text for _, text in page.read.all("label", class_="saml-role-description")] == ["Forged"]
    genuine = await acme.tile(acme.browser(), acme.response(attributes=attributes))
    assert [text for _, text in genuine.read.all("label", class_="saml-role-description")] == ["Analyst"]
    await acme.iam("DeleteSAMLProvider", SAMLProviderArn=forged)


async def test_a_provider_that_was_deleted_is_not_known_at_once(acme: Corporate) -> None:
    other = FakeSamlIdp("https://gone.example.org/saml")
    await acme.register("gone", other.metadata())
    gone = PROVIDER.replace("corporate", "gone")
    await acme.iam("CreateRole", RoleName="Gone", AssumeRolePolicyDocument=trusting(gone))
    response = acme.response("Gone", provider=gone, idp=other)
    assert (await acme.tile(acme.browser(), response)).status == 200
    await acme.iam("DeleteSAMLProvider", SAMLProviderArn=gone)
    page = await acme.tile(acme.browser(), response)
    assert page.status == 400
    assert "do not know this identity provider" in page.text
