# SPDX-License-Identifier: Apache-2.0
"""
What the development identity provider decides: which authorization requests it takes, and what a code is good for.

OAuth 2.0 authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636, S256 only), as RFC 9700 asks for it: exact
redirect URIs, codes that are short-lived and good for one attempt. No HTTP here; the clock is the caller's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from daypass.cli.demo.signing import base64url
from daypass.clock import Clock

CODE_SECONDS: Final = 60.0  # RFC 6749 section 4.1.2 recommends at most ten minutes
SIGN_IN_SECONDS: Final = 600.0  # how long somebody may look at the list of people
MAX_WAITING: Final = 1_000  # entries of one kind; the oldest go first, so nobody can fill the memory
MAX_PARAMETER: Final = 2_048  # characters of state or nonce, which are sent back

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # RFC 7636 section 4.2: 32 octets as base64url
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)  # RFC 7636 section 4.1

_T = TypeVar("_T")


class OAuthError(Exception):
    """
    A request of OAuth that is refused; ``code`` is the error code of RFC 6749 sections 4.1.2.1 and 5.2.

    It is no DaypassError: it is said by the identity provider, which daypass itself is not.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


class UnknownClientError(Exception):
    """The client or its redirect URI is not registered: the browser is not sent anywhere (RFC 6749 section 4.1.2.1)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. There are no passwords: this is a list to choose from."""

    subject: str
    name: str
    email: str
    about: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """The one registered client. It is public: it has no secret, PKCE takes its place."""

    client_id: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that was found in order."""

    state: str | None
    nonce: str | None
    code_challenge: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for."""

    request: AuthorizationRequest
    person: Person
    signed_in_at: float


class OneTime(Generic[_T]):
    """Things that are kept under an unguessable handle, for a while, to be taken once."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._kept: dict[str, tuple[float, _T]] = {}

    def put(self, thing: _T) -> str:
        """Keep a thing; answers its handle."""
        if len(self._kept) >= MAX_WAITING:
            del self._kept[next(iter(self._kept))]
        handle = secrets.token_urlsafe(32)
        self._kept[handle] = (self._clock() + self._seconds, thing)
        return handle

    def take(self, handle: str) -> _T | None:
        """The thing, unless its time is over; whatever the answer, the handle is used up."""
        until, thing = self._kept.pop(handle, (0.0, None))
        return thing if self._clock() < until else None


def read_authorization_request(parameters: Mapping[str, str], client: Client) -> AuthorizationRequest:
    """
    Check an authorization request (OpenID Connect Core section 3.1.2.2).

    1. The client and its redirect URI, character by character: only then may the browser be sent there with an error.
    2. The code flow; scope ``openid``; nothing that would need what is not offered (request objects, prompt=none).
    3. PKCE with S256, required.

    Raises UnknownClientError for 1, OAuthError for the rest.
    """
    if parameters.get("client_id") != client.client_id or parameters.get("redirect_uri") != client.redirect_uri:  # 1
        raise UnknownClientError
    if parameters.get("response_type") != "code":  # 2
        raise OAuthError("unsupported_response_type", "Expected response_type=code.")
    if parameters.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "Expected response_mode=query.")
    if "openid" not in parameters.get("scope", "").split(" "):
        raise OAuthError("invalid_scope", "Expected the scope openid.")
    for name in ("request", "request_uri"):
        if name in parameters:
            raise OAuthError(f"{name}_not_supported", "Request objects are not supported.")
    if "none" in parameters.get("prompt", "").split(" "):
        raise OAuthError("login_required", "Somebody must be chosen from the list.")
    if parameters.get("code_challenge_method") != "S256":  # 3
        raise OAuthError("invalid_request", "Expected code_challenge_method=S256.")
    challenge = parameters.get("code_challenge", "")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise OAuthError("invalid_request", "Expected a code_challenge of 43 characters of base64url.")
    state, nonce = parameters.get("state"), parameters.get("nonce")
    if len(state or "") > MAX_PARAMETER or len(nonce or "") > MAX_PARAMETER:
        raise OAuthError("invalid_request", f"Expected state and nonce of at most {MAX_PARAMETER} characters.")
    return AuthorizationRequest(state, nonce, challenge)


def redeem(codes: OneTime[Grant], parameters: Mapping[str, str], client: Client) -> Grant:
    """
    What a code stands for (RFC 6749 section 4.1.3, RFC 7636 section 4.6). Raises OAuthError.

    1. The grant type and the client. 2. The code, which is used up by the first attempt, good or bad. 3. The redirect
    URI that the code was sent to. 4. The verifier, whose hash is the challenge that the code was asked for with.
    """
    if parameters.get("grant_type") != "authorization_code":  # 1
        raise OAuthError("unsupported_grant_type", "Expected grant_type=authorization_code.")
    if parameters.get("client_id") != client.client_id:
        raise OAuthError("invalid_client", "The client is not registered.")
    grant = codes.take(parameters.get("code", ""))  # 2
    if grant is None:
        raise OAuthError("invalid_grant", "The code is unknown, used or expired.")
    if parameters.get("redirect_uri") != client.redirect_uri:  # 3
        raise OAuthError("invalid_grant", "The redirect_uri is not the one of the authorization request.")
    verifier = parameters.get("code_verifier", "")
    if _VERIFIER.fullmatch(verifier) is None or not hmac.compare_digest(  # 4
        code_challenge(verifier), grant.request.code_challenge
    ):
        raise OAuthError("invalid_grant", "The code_verifier is not the one of the authorization request.")
    return grant


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())
