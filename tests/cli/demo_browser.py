# SPDX-License-Identifier: Apache-2.0
"""What a browser and a client do at the development identity provider, request by request."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from daypass.cli.demo.authorization import code_challenge
from daypass.cli.demo.exchange import Exchange
from daypass.cli.demo.provider import CLIENT_ID, DevelopmentProvider

NOW = 1_800_000_000.0
VERIFIER = "v" * 43
EXCHANGE = Exchange("http://127.0.0.1:1", "arn:aws:iam::123456789012:role/WebIdentityRole", "WebSession")
SCRIPT = "<script>alert(1)</script>\"'&"


def asking(provider: DevelopmentProvider, **changes: str | None) -> dict[str, str]:
    """The parameters of a request that is in order; a change to None takes one away."""
    parameters = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": provider.client.redirect_uri,
        "scope": "openid",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**parameters, **changes}.items() if value is not None}


class Form(HTMLParser):
    """The hidden field, the buttons, and every element that there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.request = ""
        self.buttons: list[str] = []
        self.elements: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append(tag)
        if tag == "input":
            self.request = attributes["value"] or ""
        if tag == "button":
            self.buttons.append(attributes["value"] or "")


async def code_for(provider: DevelopmentProvider, http: aiohttp.ClientSession, **changes: str | None) -> str:
    """A code, by the pages."""
    async with http.get(f"{provider.issuer}/authorize", params=asking(provider, **changes)) as page:
        form = Form(await page.text())
    answer = await choose(provider, http, form.request)
    assert answer["state"] == "the-state"
    assert answer["iss"] == provider.issuer
    return answer["code"]


async def choose(provider: DevelopmentProvider, http: aiohttp.ClientSession, request: str) -> dict[str, str]:
    fields = {"request": request, "person": "alice"}
    async with http.post(f"{provider.issuer}/sign-in", data=fields, allow_redirects=False) as answer:
        if answer.status != 303:
            return {"status": str(answer.status)}
        location = urlsplit(answer.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == provider.client.redirect_uri
    return dict(parse_qsl(location.query, strict_parsing=True))


async def redeem(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, a_code: str, **changes: str | None
) -> dict[str, Any]:
    fields = {
        "grant_type": "authorization_code",
        "code": a_code,
        "redirect_uri": provider.client.redirect_uri,
        "client_id": CLIENT_ID,
        "code_verifier": VERIFIER,
    }
    sent = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    async with http.post(f"{provider.issuer}/token", data=sent) as answer:
        content: dict[str, Any] = await answer.json()
        assert (answer.status == 200) == ("id_token" in content)
        assert answer.headers["Cache-Control"] == "no-store"
        return content
