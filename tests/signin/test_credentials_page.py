# SPDX-License-Identifier: Apache-2.0
"""The choice of a role: whose it is, how often it counts, and the credentials that it gives."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.clock import iso8601
from daypass.signin import cookies, limits
from signin.browser import FORM, ORIGIN
from signin.corporate import CREDENTIALS, PROVIDER, Corporate, corporate, role_arn, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corporate]:
    async with corporate(tmp_path_factory.mktemp("credentials")) as made:
        yield made


async def test_the_credentials_that_are_shown_are_those_of_the_role(acme: Corporate) -> None:
    browser = acme.browser()
    page = await acme.choose(
        browser, await acme.tile(browser, acme.response("Deployer", subject="alice@acme.example")), "Deployer"
    )
    assert page.status == 200
    assert page.header("cache-control") == "no-store"
    shown = {found["id"]: text for found, text in page.read.all("pre") if "id" in found}
    credentials = Credentials(shown["access-key-id"], shown["secret-access-key"], shown["session-token"])
    answer = await acme.service.call("sts", "GetCallerIdentity", credentials)
    assert answer.text("Arn") == "arn:aws:sts::123456789012:assumed-role/Deployer/alice"
    assert f"AWS_ENDPOINT_URL_STS={ORIGIN}" in shown["sh"]
    ends = iso8601(acme.service.clock() + 3600)
    assert [found["datetime"] for found, _ in page.read.all("time")] == [ends]
    assert browser.jar == {}


async def test_an_assertion_gives_credentials_once(acme: Corporate) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response("Analyst", "Deployer"))
    kept = dict(browser.jar)
    assert (await acme.choose(browser, roles)).status == 200
    browser.jar = kept
    for role in ("Analyst", "Deployer"):
        again = await acme.choose(browser, roles, role)
        assert again.status == 400
        assert "used already" in again.text
        assert again.read.all("pre") == []


async def test_an_assertion_that_sts_took_gives_nothing_here(acme: Corporate) -> None:
    browser = acme.browser()
    response = acme.response()
    roles = await acme.tile(browser, response)
    call = {"RoleArn": role_arn("Analyst"), "PrincipalArn": PROVIDER, "SAMLAssertion": response}
    assert (await acme.service.call("sts", "AssumeRoleWithSAML", None, **call)).status == 200
    assert (await acme.choose(browser, roles)).status == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_choice_that_another_site_sends_is_refused(acme: Corporate, site: str) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response())
    page = await acme.choose(browser, roles, site=site)
    assert page.status == 403
    assert (await acme.choose(browser, roles)).status == 200


@pytest.mark.parametrize("origin", [b"null", b"https://evil.example"])
async def test_a_choice_of_another_origin_is_refused_where_browsers_say_the_origin_only(
    acme: Corporate, origin: bytes
) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response())
    fields = {**roles.read.hidden, "roleIndex": role_arn("Analyst")}
    page = await browser.post(CREDENTIALS, fields, site="same-origin", headers=[FORM, (b"origin", origin)])
    assert page.status == 403
    taken = await browser.post(CREDENTIALS, fields, site="same-origin", headers=[FORM, (b"origin", ORIGIN.encode())])
    assert taken.status == 200


async def test_a_form_that_an_attacker_got_is_worth_nothing_in_another_browser(acme: Corporate) -> None:
    roles = await acme.tile(acme.browser(), acme.response())
    victim = acme.browser()
    assert (await acme.choose(victim, roles)).status == 403
    await acme.tile(victim, acme.response())  # even in one that has a choice of its own
    assert (await acme.choose(victim, roles)).status == 403


async def test_a_choice_is_for_the_response_that_it_was_made_for(acme: Corporate) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response())
    fields = {**roles.read.hidden, "SAMLResponse": acme.response(), "roleIndex": role_arn("Analyst")}
    assert (await browser.post(CREDENTIALS, fields, site="same-origin")).status == 403


@pytest.mark.parametrize(
    "role", ["Stranger", "Nobody", "arn:aws:iam::123456789012:role/team/Analyst", "arn:x", "<script>"]
)
async def test_a_role_that_was_not_offered_is_refused_and_the_assertion_stays_good(acme: Corporate, role: str) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response("Analyst", "Stranger"))
    refused = await acme.choose(browser, roles, role)
    assert refused.status == 403
    assert "<script>" not in refused.text.replace('<script type="module"', "")
    assert (await acme.choose(browser, roles)).status == 200


async def test_trust_that_was_withdrawn_while_the_page_was_open_is_no_trust(acme: Corporate) -> None:
    await acme.iam("CreateRole", RoleName="Brief", AssumeRolePolicyDocument=trusting(PROVIDER))
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response("Brief"))
    await acme.iam("DeleteRole", RoleName="Brief")
    assert (await acme.choose(browser, roles, "Brief")).status == 403


async def test_a_page_with_roles_is_good_for_its_time_and_no_longer(acme: Corporate) -> None:
    browser, clock = acme.browser(), acme.service.clock
    first = await acme.tile(browser, acme.response(not_on_or_after=3600, confirmed_until=3600))
    clock.advance(limits.CHOICE_SECONDS - 1)
    assert (await acme.choose(browser, first)).status == 200
    late = await acme.tile(browser, acme.response(not_on_or_after=3600, confirmed_until=3600))
    clock.advance(limits.CHOICE_SECONDS)
    page = await acme.choose(browser, late)
    assert page.status == 400
    assert "open for too long" in page.text


async def test_an_assertion_that_ends_while_the_page_is_open_gives_nothing(acme: Corporate) -> None:
    browser, clock = acme.browser(), acme.service.clock
    roles = await acme.tile(browser, acme.response(not_on_or_after=30, confirmed_until=30))
    clock.advance(30 + 60)
    page = await acme.choose(browser, roles)
    assert page.status == 400
    assert "too old" in page.text


@pytest.mark.parametrize("missing", ["SAMLResponse", "choice", "roleIndex"])
async def test_a_form_without_one_of_its_fields_is_refused(acme: Corporate, missing: str) -> None:
    browser = acme.browser()
    roles = await acme.tile(browser, acme.response())
    fields = {**roles.read.hidden, "roleIndex": role_arn("Analyst")}
    del fields[missing]
    assert (await browser.post(CREDENTIALS, fields, site="same-origin")).status == 400


@pytest.mark.parametrize(("wanted", "seconds"), [(None, 3600), ("900", 900), ("1800", 1800), ("43200", 3600)])
async def test_a_session_lasts_as_the_assertion_says_and_the_role_allows(
    acme: Corporate, wanted: str | None, seconds: int
) -> None:
    browser, now = acme.browser(), acme.service.clock()
    page = await acme.choose(browser, await acme.tile(browser, acme.response(duration=wanted)))
    shown = {found["id"]: text for found, text in page.read.all("pre") if "id" in found}
    opened = acme.service.app.sessions.open(shown["session-token"], access_key_id=shown["access-key-id"], now=now)
    assert opened.session.expires_at == now + seconds


async def test_the_choice_has_a_cookie_that_is_sent_by_our_own_pages_only(acme: Corporate) -> None:
    page = await acme.tile(acme.browser(), acme.response())
    assert list(page.cookies) == [cookies.CHOICE]
    assert page.cookies[cookies.CHOICE].endswith("; Path=/; Max-Age=300; Secure; HttpOnly; SameSite=Strict")
