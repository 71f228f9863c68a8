# SPDX-License-Identifier: Apache-2.0
"""
A relying party of the development identity provider (OpenID Connect Core section 3.1).

Both the page to open and the demo's own steps sign in through it: the one with a person's browser, the other being the
browser itself. The ID token is verified with daypass's own verification before anybody is shown it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import aiohttp

from daypass import jose
from daypass.cli.demo.authorization import Client, code_challenge
from daypass.clock import Clock
from daypass.errors import ProofError, ProviderError, Reason
from daypass.oidc import IdToken, verify_id_token

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one sign-in keeps to itself: what must come back (state, nonce), and what only it knows (PKCE's verifier)."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A verified ID token, and its text."""

    text: str = field(repr=False)
    token: IdToken = field(repr=False)


class RelyingParty:
    """Signs people in at one provider. ``issuer`` is the provider's; ``http`` the session to ask it with."""

    def __init__(self, http: aiohttp.ClientSession, issuer: str, client: Client, clock: Clock) -> None:
        self._http = http
        self._issuer = issuer
        self._client = client
        self._clock = clock

    async def authorization_url(self, attempt: Attempt) -> str:
        """Where to send the browser."""
        parameters = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return f"{await self._endpoint('authorization_endpoint')}?{urlencode(parameters)}"

    async def complete(self, attempt: Attempt, parameters: dict[str, str]) -> SignedIn:
        """
        The answer that the browser brought back becomes an ID token. Raises ProofError or ProviderError.

        1. The state is this attempt's, and the issuer the one that was asked (RFC 9207): else it answers another question.
        2. The code is exchanged, with the verifier. 3. The ID token is verified, by the published keys. 4. Its nonce is
        this attempt's.
        """
        if not _same(parameters.get("state"), attempt.state) or parameters.get("iss") != self._issuer:  # 1
            raise ProofError(Reason.TOKEN_ISSUER_MISMATCH, "The answer does not belong to this sign-in.")
        if "code" not in parameters:
            raise ProviderError(Reason.PROVIDER_STATUS, "The identity provider did not sign anybody in.")
        text = await self._exchange(attempt, parameters["code"])  # 2
        token = verify_id_token(  # 3
            jose.parse(text),
            issuer=self._issuer,
            client_ids=(self._client.client_id,),
            keys=jose.KeySet.parse(await self._get(await self._endpoint("jwks_uri"))),
            now=self._clock(),
        )
        if not _same(token.claims.get("nonce"), attempt.nonce):  # 4
            raise ProofError(Reason.CLAIM_MALFORMED, "The token's nonce is not the one of this sign-in.")
        return SignedIn(text, token)

    async def sign_in_as(self, subject: str) -> SignedIn:
        """Sign in as one of the people of the list, as a browser without JavaScript would. Raises like ``complete``."""
        attempt = Attempt()
        url = await self.authorization_url(attempt)
        form = _SignInForm()
        form.feed((await self._get(url)).decode("utf-8"))
        fields = {"request": form.request, "person": subject}
        async with self._http.post(
            urljoin(url, form.action), data=fields, allow_redirects=False, timeout=TIMEOUT
        ) as answer:
            location = answer.headers.get("Location", "")
        if not location.startswith(f"{self._client.redirect_uri}?"):
            raise ProviderError(Reason.PROVIDER_REDIRECTED, "The identity provider did not send the browser back.")
        return await self.complete(attempt, dict(parse_qsl(urlsplit(location).query)))

    async def _exchange(self, attempt: Attempt, code: str) -> str:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "client_id": self._client.client_id,
            "code_verifier": attempt.verifier,
        }
        async with self._http.post(await self._endpoint("token_endpoint"), data=fields, timeout=TIMEOUT) as answer:
            if answer.status != 200:
                raise ProviderError(Reason.PROVIDER_STATUS, "The identity provider refused the authorization code.")
            return str((await answer.json())["id_token"])

    async def _endpoint(self, name: str) -> str:
        url = f"{self._issuer}/.well-known/openid-configuration"
        async with self._http.get(url, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            return str((await answer.json())[name])

    async def _get(self, url: str) -> bytes:
        async with self._http.get(url, allow_redirects=False, timeout=TIMEOUT) as answer:
            if answer.status != 200:
                raise ProviderError(
                    Reason.PROVIDER_STATUS, f"The identity provider answered with status {answer.status}."
                )
            return await answer.read()


class _SignInForm(HTMLParser):
    """Finds where the sign-in page's form goes, and what it carries."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.request = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for each element."""
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input" and attributes.get("name") == "request":
            self.request = attributes.get("value") or ""


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8"), expected.encode("utf-8"))
