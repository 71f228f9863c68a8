# SPDX-License-Identifier: Apache-2.0
"""The development identity provider keeps to the protocol, and to this machine."""

from __future__ import annotations

import ast
import inspect
import json
import socket
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import joserfc.jwk
import joserfc.jwt
import pytest

import daypass
from cli.demo_browser import EXCHANGE, NOW, VERIFIER, Form, asking, choose, code_for, redeem
from daypass import jose
from daypass.cli.demo.authorization import (
    CODE_SECONDS,
    MAX_PARAMETER,
    MAX_WAITING,
    SIGN_IN_SECONDS,
    AuthorizationRequest,
    Client,
    OAuthError,
    OneTime,
    UnknownClientError,
    code_challenge,
    read_authorization_request,
)
from daypass.cli.demo.provider import CLIENT_ID, PEOPLE, TOKEN_SECONDS, DevelopmentProvider
from daypass.cli.demo.signing import ALGORITHMS, Algorithm, SigningKeys
from daypass.clock import MovableClock
from daypass.oidc import parse_discovery, verify_id_token

CLIENT = Client(CLIENT_ID, "http://127.0.0.1:1/callback")


# Where it can be reached


async def test_it_listens_on_the_loopback_address_and_nowhere_else(provider: DevelopmentProvider) -> None:
    [(host, port)] = provider.addresses
    assert host == "127.0.0.1"
    with socket.create_server(("127.0.0.2", port)):  # free: the port is not taken on every address
        pass


def test_no_argument_of_its_constructor_is_an_address() -> None:
    assert list(inspect.signature(DevelopmentProvider).parameters) == ["clock", "exchange", "people", "algorithm"]


async def test_its_issuer_says_that_it_is_for_development(provider: DevelopmentProvider) -> None:
    assert provider.issuer.startswith("http://127.0.0.1:")
    assert "development" in provider.issuer


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1", "localhost:{port}", "127.0.0.1:{port}.example"])
async def test_a_request_for_another_host_is_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, host: str
) -> None:
    headers = {"Host": host.format(port=provider.addresses[0][1])}
    async with http.get(f"{provider.issuer}/authorize", params=asking(provider), headers=headers) as answer:
        assert answer.status == 421


def test_nothing_below_the_commands_imports_them() -> None:
    source = Path(daypass.__file__).parent
    below = [path for path in source.rglob("*.py") if path.relative_to(source).parts[0] not in ("cli", "__main__.py")]
    assert len(below) > 50
    assert [path for path in below for name in imported(path) if name.startswith("daypass.cli")] == []
    assert "daypass.cli" in {name.rpartition(".")[0] for name in imported(source / "__main__.py")}  # the search finds


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
            names.add(node.module or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("daypass.cli"):
            names.add(node.value)  # as import_module would be told
    return names


# What it publishes


async def test_what_it_publishes_is_read_by_daypass(provider: DevelopmentProvider, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{provider.issuer}/.well-known/openid-configuration") as answer:
        discovery = parse_discovery(await answer.read(), provider.issuer)
    assert discovery.algorithms == set(ALGORITHMS)
    async with http.get(discovery.jwks_uri) as answer:
        keys = jose.KeySet.parse(await answer.read())
    assert (len(keys), keys.skipped) == (2, 0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_independent_library_verifies_its_signatures(algorithm: Algorithm) -> None:
    keys = SigningKeys()
    published = joserfc.jwk.KeySet.import_key_set(json.loads(json.dumps(keys.public_key_set())))
    token = joserfc.jwt.decode(keys.sign({"sub": "alice"}, algorithm), published, algorithms=[algorithm])
    assert token.claims == {"sub": "alice"}
    assert token.header["alg"] == algorithm


def test_every_start_has_other_keys() -> None:
    first, second = SigningKeys().public_key_set(), SigningKeys().public_key_set()
    numbers = [key.get("n", key.get("x")) for keys in (first, second) for key in keys["keys"]]
    key_ids = [key["kid"] for keys in (first, second) for key in keys["keys"]]
    assert len(set(numbers)) == len(set(key_ids)) == 4


# Authorization requests


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://a.example"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"state": "s" * (MAX_PARAMETER + 1)}, "invalid_request"),
    ],
)
async def test_a_request_that_is_not_in_order_goes_back_to_the_client_with_an_error(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, changes: dict[str, str | None], error: str
) -> None:
    parameters = asking(provider, **changes)
    async with http.get(f"{provider.issuer}/authorize", params=parameters, allow_redirects=False) as answer:
        assert answer.status == 303
        location = answer.headers["Location"]
    assert location.startswith(f"{provider.client.redirect_uri}?")
    sent_back = dict(parse_qsl(urlsplit(location).query))
    assert (sent_back["error"], sent_back["state"]) == (error, parameters["state"])
    assert "code" not in sent_back


@pytest.mark.parametrize("suffix", ["/", "?a=b", "#f", "x", "/../callback"])
async def test_a_redirect_uri_that_is_not_the_registered_one_to_the_letter_is_sent_nothing(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, suffix: str
) -> None:
    parameters = asking(provider, redirect_uri=provider.client.redirect_uri + suffix)
    async with http.get(f"{provider.issuer}/authorize", params=parameters, allow_redirects=False) as answer:
        assert answer.status == 400
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "changes", [{"redirect_uri": None}, {"redirect_uri": "https://a.example/"}, {"client_id": "x"}, {"client_id": None}]
)
async def test_an_unknown_client_or_redirect_uri_is_sent_nothing(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, changes: dict[str, str | None]
) -> None:
    parameters = asking(provider, **changes)
    async with http.get(f"{provider.issuer}/authorize", params=parameters, allow_redirects=False) as answer:
        assert answer.status == 400
        assert "Location" not in answer.headers


async def test_two_values_of_a_parameter_are_refused(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    twice = [*asking(provider).items(), ("redirect_uri", "https://a.example/")]
    async with http.get(f"{provider.issuer}/authorize", params=twice, allow_redirects=False) as answer:
        assert answer.status == 400


async def test_an_authorization_request_may_be_posted(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{provider.issuer}/authorize", data=asking(provider)) as answer:
        assert Form(await answer.text()).buttons == [person.subject for person in PEOPLE]


def test_a_request_of_the_longest_state_is_in_order() -> None:
    parameters = {
        "response_type": "code",
        "client_id": CLIENT.client_id,
        "redirect_uri": CLIENT.redirect_uri,
        "scope": "email openid",
        "state": "s" * MAX_PARAMETER,
        "code_challenge": code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    asked = read_authorization_request(parameters, CLIENT)
    assert asked == AuthorizationRequest("s" * MAX_PARAMETER, None, code_challenge(VERIFIER))
    with pytest.raises(UnknownClientError):
        read_authorization_request({**parameters, "client_id": CLIENT_ID.upper()}, CLIENT)
    with pytest.raises(OAuthError):
        read_authorization_request({**parameters, "scope": "openid2"}, CLIENT)


# Codes


async def test_a_code_becomes_a_token_that_daypass_verifies(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, clock: MovableClock
) -> None:
    content = await redeem(provider, http, await code_for(provider, http))
    async with http.get(f"{provider.issuer}/jwks") as answer:
        keys = jose.KeySet.parse(await answer.read())
    token = verify_id_token(
        jose.parse(content["id_token"]), issuer=provider.issuer, client_ids=[CLIENT_ID], keys=keys, now=clock()
    )
    assert (token.subject, token.audience, token.issued_at) == ("alice", CLIENT_ID, NOW)
    assert token.expires_at == NOW + TOKEN_SECONDS
    assert token.claims["nonce"] == "the-nonce"
    assert token.claims["groups"] == ["analysts"]


async def test_tokens_are_signed_with_the_algorithm_that_was_asked_for(
    http: aiohttp.ClientSession, clock: MovableClock
) -> None:
    async with DevelopmentProvider(clock, EXCHANGE, algorithm="ES256") as provider:
        signed_in = await provider.relying_party(http).sign_in_as("bob")
    assert jose.parse(signed_in.text).algorithm == "ES256"
    assert signed_in.token.subject == "bob"


async def test_without_a_nonce_in_the_request_there_is_none_in_the_token(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    content = await redeem(provider, http, await code_for(provider, http, nonce=None))
    assert "nonce" not in jose.parse(content["id_token"]).unverified_claims


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": code_challenge(VERIFIER)}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
        ({"code": None}, "invalid_grant"),
        ({"client_id": "other"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_not_redeemed_when_anything_is_wrong(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, changes: dict[str, str | None], error: str
) -> None:
    code = await code_for(provider, http)
    assert (await redeem(provider, http, code, **changes))["error"] == error


async def test_a_code_is_good_once(provider: DevelopmentProvider, http: aiohttp.ClientSession) -> None:
    code = await code_for(provider, http)
    assert "id_token" in await redeem(provider, http, code)
    assert (await redeem(provider, http, code))["error"] == "invalid_grant"


async def test_a_code_that_was_tried_with_a_wrong_verifier_is_used_up(
    provider: DevelopmentProvider, http: aiohttp.ClientSession
) -> None:
    code = await code_for(provider, http)
    await redeem(provider, http, code, code_verifier="w" * 43)
    assert (await redeem(provider, http, code))["error"] == "invalid_grant"


@pytest.mark.parametrize(("age", "good"), [(CODE_SECONDS - 0.001, True), (CODE_SECONDS, False)])
async def test_a_code_expires(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, clock: MovableClock, age: float, good: bool
) -> None:
    code = await code_for(provider, http)
    clock.advance(age)
    assert ("id_token" in await redeem(provider, http, code)) is good


async def test_a_sign_in_page_is_good_once(provider: DevelopmentProvider, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{provider.issuer}/authorize", params=asking(provider)) as page:
        request = Form(await page.text()).request
    assert "code" in await choose(provider, http, request)
    assert await choose(provider, http, request) == {"status": "400"}


async def test_a_sign_in_page_expires(
    provider: DevelopmentProvider, http: aiohttp.ClientSession, clock: MovableClock
) -> None:
    async with http.get(f"{provider.issuer}/authorize", params=asking(provider)) as page:
        request = Form(await page.text()).request
    clock.advance(SIGN_IN_SECONDS)
    assert await choose(provider, http, request) == {"status": "400"}


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(clock: MovableClock) -> None:
    kept = OneTime[int](clock, 10)
    handles = [kept.put(number) for number in range(MAX_WAITING + 1)]
    assert len(set(handles)) == MAX_WAITING + 1
    assert kept.take(handles[0]) is None
    assert [kept.take(handle) for handle in handles[1:]] == list(range(1, MAX_WAITING + 1))
