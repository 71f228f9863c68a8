# SPDX-License-Identifier: Apache-2.0
"""Signing in at the development identity provider: its relying party, and the pages that people see."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from cli.demo_browser import EXCHANGE, NOW, SCRIPT, VERIFIER, Form, asking, code_for
from daypass import jose
from daypass.cli.demo import pages
from daypass.cli.demo.authorization import Person
from daypass.cli.demo.exchange import shell_line
from daypass.cli.demo.provider import TOKEN_SECONDS, DevelopmentProvider
from daypass.cli.demo.sign_in import Attempt, RelyingParty
from daypass.clock import MovableClock
from daypass.errors import ProofError, Reason

# The relying party


async def test_an_answer_with_another_state_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    answer = {"code": await code_for(provider, http), "state": "the-state", "iss": provider.issuer}
    with pytest.raises(ProofError) as refused:
        await provider.relying_party(http).complete(Attempt(verifier=VERIFIER), answer)
    assert refused.value.reason is Reason.TOKEN_ISSUER_MISMATCH


async def test_an_answer_of_another_issuer_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    attempt = Attempt(state="the-state", nonce="the-nonce", verifier=VERIFIER)
    answer = {"code": await code_for(provider, http), "state": "the-state", "iss": f"{provider.issuer}/"}
    with pytest.raises(ProofError) as refused:
        await provider.relying_party(http).complete(attempt, answer)
    assert refused.value.reason is Reason.TOKEN_ISSUER_MISMATCH


async def test_a_token_with_another_nonce_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    attempt = Attempt(state="the-state", nonce="another", verifier=VERIFIER)
    answer = {"code": await code_for(provider, http), "state": "the-state", "iss": provider.issuer}
    with pytest.raises(ProofError) as refused:
        await provider.relying_party(http).complete(attempt, answer)
    assert refused.value.reason is Reason.CLAIM_MALFORMED


async def test_a_token_that_is_expired_on_arrival_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    late = RelyingParty(http, provider.issuer, provider.client, MovableClock(NOW + 2 * TOKEN_SECONDS))
    with pytest.raises(ProofError) as refused:
        await late.sign_in_as("alice")
    assert refused.value.reason is Reason.TOKEN_EXPIRED


# The pages


async def test_the_page_to_open_leads_to_a_token_and_the_command_for_it(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{provider.url}/") as home:
        assert "development only" in await home.text()
        assert 'href="/start"' in await home.text()
    async with http.get(f"{provider.url}/start") as page:
        form = Form(await page.text())
    fields = {"request": form.request, "person": "carol"}
    async with http.post(f"{provider.issuer}/sign-in", data=fields) as page:
        text = await page.text()
    assert page.url.path == "/callback"
    token = re.search(r"<textarea[^>]*>([^<]+)</textarea>", text)
    assert token is not None
    assert jose.parse(token[1]).unverified_claims["sub"] == "carol"
    assert "<td>carol</td>" in text
    script = re.search(r"<pre>(.*?)</pre>", text, re.DOTALL)
    assert script is not None
    assert script[1].startswith(f"printf %s {token[1]} &gt; token.jwt\n\naws sts assume-role-with-web-identity \\\n")
    assert "--role-arn arn:aws:iam::123456789012:role/WebIdentityRole \\\n" in script[1]
    assert "--endpoint-url http://127.0.0.1:1 \\\n" in script[1]


async def test_a_callback_in_a_browser_that_began_nothing_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    answer = {"code": await code_for(provider, http), "state": "the-state", "iss": provider.issuer}
    async with http.get(f"{provider.url}/callback", params=answer) as page:
        assert page.status == 400


async def test_a_callback_with_an_error_instead_of_a_code_says_so(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{provider.url}/start", allow_redirects=False) as start:
        state = dict(parse_qsl(urlsplit(start.headers["Location"]).query))["state"]
    answer = {"error": "access_denied", "state": state, "iss": provider.issuer}
    async with http.get(f"{provider.url}/callback", params=answer) as page:
        assert page.status == 400
        assert "did not sign anybody in" in await page.text()


@pytest.mark.parametrize(
    "path", ["/", "/style.css", "/callback", "/nowhere", "/development/jwks", "/development/token"]
)
async def test_every_answer_forbids_scripts_frames_and_keeping(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(provider.url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"


def hostile_pages() -> list[str]:
    person = Person(SCRIPT, SCRIPT, SCRIPT, SCRIPT)
    exchange = dataclasses.replace(EXCHANGE, role_session_name=SCRIPT)
    return [
        pages.home_page(SCRIPT),
        pages.sign_in_page(SCRIPT, SCRIPT, [person]),
        pages.token_page(SCRIPT, {SCRIPT: SCRIPT, "name": SCRIPT, "groups": [SCRIPT]}, exchange),
        pages.refusal_page(SCRIPT),
    ]


@pytest.mark.parametrize("number", range(4))
def test_text_is_escaped_wherever_it_stands(number: int) -> None:
    text = hostile_pages()[number]
    assert "script" not in Form(text).elements
    assert "&lt;script&gt;" in text
    assert SCRIPT not in text


async def test_what_a_request_says_is_not_in_the_page_that_refuses_it(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{provider.issuer}/authorize", params=asking(provider, client_id=SCRIPT)) as answer:
        text = await answer.text()
    assert "alert(1)" not in text


def test_a_long_command_is_broken_before_its_options_and_stays_one_command() -> None:
    command = ["aws", "sts", "x", *("--role-arn", "a" * 90), *("--name", "two words")]
    assert shell_line(command) == f"aws sts x \\\n    --role-arn {'a' * 90} \\\n    --name 'two words'"
    assert shell_line(["aws", "sts", "--name", "two words"]) == "aws sts --name 'two words'"
