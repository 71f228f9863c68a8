# SPDX-License-Identifier: Apache-2.0
"""
A development identity provider: OpenID Connect Core and Discovery 1.0, authorization code flow with PKCE.

Anybody who reaches it can sign in as anybody on its list. So it listens on 127.0.0.1 and takes no other address, answers
only to its own Host (a page elsewhere cannot reach it by rebinding a name), has "development" in its issuer, and makes its
keys anew at every start. What it decides is in ``authorization``; this is its HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from daypass.cli.demo import pages
from daypass.cli.demo.authorization import (
    CODE_SECONDS,
    SIGN_IN_SECONDS,
    AuthorizationRequest,
    Client,
    Grant,
    OAuthError,
    OneTime,
    Person,
    UnknownClientError,
    read_authorization_request,
    redeem,
)
from daypass.cli.demo.exchange import Exchange
from daypass.cli.demo.sign_in import Attempt, RelyingParty
from daypass.cli.demo.signing import ALGORITHMS, Algorithm, SigningKeys
from daypass.clock import Clock
from daypass.errors import DaypassError

CLIENT_ID: Final = "daypass-demo"
LOOPBACK: Final = "127.0.0.1"
TOKEN_SECONDS: Final = 3_600  # how long an ID token is good for
MAX_BODY: Final = 64 * 1024  # octets of a form
ISSUER_PATH: Final = "/development"
_COOKIE: Final = "daypass-demo-sign-in"

PEOPLE: Final = (
    Person("alice", "Alice Example", "alice@example.com", "An analyst; the role trusts her.", ("analysts",)),
    Person("bob", "Bob Example", "bob@example.com", "An engineer; the role trusts him.", ("engineers",)),
    Person("carol", "Carol Example", "carol@example.com", "A visitor; the role does not trust her.", ("visitors",)),
)


class DevelopmentProvider:
    """
    The provider, and the page to open. An asynchronous context manager: it listens from entering to leaving.

    ``exchange`` is what the page says can be done with a token; ``algorithm`` is what ID tokens are signed with.
    """

    def __init__(
        self, clock: Clock, exchange: Exchange, *, people: Iterable[Person] = PEOPLE, algorithm: Algorithm = "RS256"
    ) -> None:
        self._clock = clock
        self._exchange = exchange
        self._people = {person.subject: person for person in people}
        self._algorithm: Algorithm = algorithm
        self._keys = SigningKeys()
        self._requests = OneTime[AuthorizationRequest](clock, SIGN_IN_SECONDS)
        self._codes = OneTime[Grant](clock, CODE_SECONDS)
        self._attempts = OneTime[Attempt](clock, SIGN_IN_SECONDS)
        self._stack = AsyncExitStack()
        self.url = ""
        self.client = Client(CLIENT_ID, "")

    @property
    def issuer(self) -> str:
        """The issuer's URL."""
        return self.url + ISSUER_PATH

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        return [address[:2] for address in self._runner.addresses]

    def relying_party(self, http: aiohttp.ClientSession) -> RelyingParty:
        """A relying party of this provider, as its one client."""
        return RelyingParty(http, self.issuer, self.client, self._clock)

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        application.add_routes(self._routes())
        async with AsyncExitStack() as stack:
            self._http = await stack.enter_async_context(aiohttp.ClientSession())
            self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
            stack.push_async_callback(self._runner.cleanup)
            await self._runner.setup()
            await web.TCPSite(self._runner, LOOPBACK, 0).start()
            self._stack = stack.pop_all()
        self.url = f"http://{LOOPBACK}:{self.addresses[0][1]}"
        self.client = Client(CLIENT_ID, f"{self.url}/callback")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._home),
            web.get("/style.css", self._style),
            web.get("/start", self._start),
            web.get("/callback", self._callback),
            web.get(f"{ISSUER_PATH}/.well-known/openid-configuration", self._discovery),
            web.get(f"{ISSUER_PATH}/jwks", self._key_set),
            web.get(f"{ISSUER_PATH}/authorize", self._authorize),
            web.post(f"{ISSUER_PATH}/authorize", self._authorize),
            web.post(f"{ISSUER_PATH}/sign-in", self._sign_in),
            web.post(f"{ISSUER_PATH}/token", self._token),
        ]

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Only for our own Host, and never without the headers."""
        try:
            answer = (
                await handler(request)
                if request.host == self.url.removeprefix("http://")
                else _refusal("This name is not the one that this page lives at.", 421)
            )
        except web.HTTPException as error:
            answer = _refusal(error.reason, error.status)
        answer.headers.update(pages.HEADERS)
        return answer

    async def _discovery(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": list(ALGORITHMS),
                "token_endpoint_auth_methods_supported": ["none"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _key_set(self, _: web.Request) -> web.Response:
        return web.json_response(self._keys.public_key_set())

    async def _authorize(self, request: web.Request) -> web.Response:
        """Shows the people to choose from, for a request that is in order (Core section 3.1.2)."""
        try:
            parameters = _once(await request.post() if request.method == "POST" else request.rel_url.query)
        except OAuthError as error:  # which redirect URI is meant is not certain, so none is used
            return _refusal(str(error), 400)
        try:
            asked = read_authorization_request(parameters, self.client)
        except UnknownClientError:
            return _refusal("The client, or where it wants the answer sent, is not registered here.", 400)
        except OAuthError as error:
            wrong = {"error": error.code, "error_description": str(error)}
            return self._back(wrong, parameters.get("state"))
        handle = self._requests.put(asked)
        return _page(pages.sign_in_page(f"{ISSUER_PATH}/sign-in", handle, self._people.values()))

    async def _sign_in(self, request: web.Request) -> web.Response:
        """Somebody was chosen: the browser goes back to the client with a code."""
        fields = await request.post()
        person = self._people.get(str(fields.get("person")))
        asked = self._requests.take(str(fields.get("request")))
        if person is None or asked is None:
            return _refusal("This sign-in is over, or was used already.", 400)
        code = self._codes.put(Grant(asked, person, self._clock()))
        return self._back({"code": code}, asked.state)

    def _back(self, answer: Mapping[str, str], state: str | None) -> web.Response:
        parameters = {**answer, "iss": self.issuer, **({} if state is None else {"state": state})}
        return web.Response(status=303, headers={"Location": f"{self.client.redirect_uri}?{urlencode(parameters)}"})

    async def _token(self, request: web.Request) -> web.Response:
        """A code becomes an ID token (Core section 3.1.3). The access token is required, and opens nothing here."""
        try:
            grant = redeem(self._codes, _once(await request.post()), self.client)
        except OAuthError as error:
            status = 401 if error.code == "invalid_client" else 400
            return web.json_response({"error": error.code, "error_description": str(error)}, status=status)
        return web.json_response(
            {
                "access_token": "none-needed",
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "id_token": self._keys.sign(self._claims(grant), self._algorithm),
            }
        )

    def _claims(self, grant: Grant) -> dict[str, object]:
        now = int(self._clock())
        person = grant.person
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": person.subject,
            "aud": CLIENT_ID,
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "auth_time": int(grant.signed_in_at),
            "name": person.name,
            "email": person.email,
            "email_verified": False,
            "groups": list(person.groups),
        }
        return claims if grant.request.nonce is None else {**claims, "nonce": grant.request.nonce}

    async def _home(self, _: web.Request) -> web.Response:
        return _page(pages.home_page(self.issuer))

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=pages.STYLE, content_type="text/css")

    async def _start(self, _: web.Request) -> web.Response:
        """Begins a sign-in for the browser that asks, and remembers by a cookie that it was this browser."""
        attempt = Attempt()
        url = await self.relying_party(self._http).authorization_url(attempt)
        answer = web.Response(status=303, headers={"Location": url})
        answer.set_cookie(
            _COOKIE, self._attempts.put(attempt), max_age=int(SIGN_IN_SECONDS), path="/callback", httponly=True,
            samesite="Lax",
        )  # fmt: skip
        return answer

    async def _callback(self, request: web.Request) -> web.Response:
        """Ends it: the code becomes a token, which is shown."""
        attempt = self._attempts.take(request.cookies.get(_COOKIE, ""))
        if attempt is None:
            return _refusal("This browser did not begin this sign-in, or it is over.", 400)
        try:
            signed_in = await self.relying_party(self._http).complete(attempt, _once(request.rel_url.query))
        except (DaypassError, OAuthError) as error:
            return _refusal(str(error), 400)
        return _page(pages.token_page(signed_in.text, signed_in.token.claims, self._exchange))


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


def _refusal(message: str, status: int) -> web.Response:
    return _page(pages.refusal_page(message), status)


def _once(parameters: Any) -> dict[str, str]:
    """Parameters that are texts, each there once (RFC 6749 section 3.1). Raises OAuthError."""
    if len(set(parameters)) != len(parameters) or not all(isinstance(value, str) for value in parameters.values()):
        raise OAuthError("invalid_request", "Expected each parameter once.")
    return dict(parameters)
