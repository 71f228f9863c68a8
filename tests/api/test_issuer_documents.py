# SPDX-License-Identifier: Apache-2.0
"""What our own issuers publish: where, for how long, and nothing else at any other path."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from daypass.issuer.keys import KEPT_AFTER
from doors import fetch
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
ISSUER = f"/oidc/{ACCOUNT}"
CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
KEY_SET = f"{ISSUER}/.well-known/jwks.json"
PATHS = [CONFIGURATION, KEY_SET, f"{ISSUER}/.well-known/jwks"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service with an issuer, for those who only read."""
    async with service(tmp_path_factory.mktemp("data"), public_url="https://daypass.example.org") as started:
        assert (await started.call("iam", "EnableOutboundWebIdentityFederation")).status == 200
        yield started


async def test_the_configuration_names_the_issuer_and_where_its_keys_are(issuer: Service) -> None:
    document = (await fetch(issuer, CONFIGURATION)).json
    assert document == {
        "issuer": f"https://daypass.example.org{ISSUER}",
        "jwks_uri": f"https://daypass.example.org{KEY_SET}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384"],
        "claims_supported": ["aud", "exp", "iat", "iss", "jti", "sub", "https://sts.amazonaws.com/"],
    }


@pytest.mark.parametrize("path", PATHS)
async def test_a_document_may_be_kept_for_a_quarter_of_an_hour(issuer: Service, path: str) -> None:
    found = await fetch(issuer, path)
    assert found.status == 200
    assert found.headers[b"cache-control"] == b"public, max-age=900"
    assert found.json


@pytest.mark.parametrize("path", PATHS)
async def test_head_answers_what_get_would_without_the_body(issuer: Service, path: str) -> None:
    got, head = await fetch(issuer, path), await fetch(issuer, path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers[b"content-length"] == str(len(got.body)).encode()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_refused(issuer: Service, method: str) -> None:
    found = await fetch(issuer, KEY_SET, method=method)
    assert (found.status, found.headers[b"allow"]) == (405, b"GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/oidc/210987654321/.well-known/jwks.json", "/oidc/999999999999/.well-known/openid-configuration", "/oidc/", "/oidc",
        ISSUER, f"{ISSUER}/", f"{ISSUER}/.well-known/", f"{KEY_SET}/", f"/oidc/{ACCOUNT}0/.well-known/jwks.json",
        f"{ISSUER}/.well-known/../.well-known/jwks.json", f"/oidc//{ACCOUNT}/.well-known/jwks.json",
        f"{ISSUER}%2F.well-known/jwks",
        f"{ISSUER}/.well-known/jwksxjson", "/.well-known/openid-configuration",
        "/oidc/\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661\u0662/.well-known/jwks.json",
    ],
)  # fmt: skip
async def test_every_other_path_and_account_is_not_found(issuer: Service, path: str) -> None:
    found = await fetch(issuer, path)
    assert (found.status, found.json) == (404, {"error": "not found"})


async def test_an_issuer_is_found_from_when_it_is_enabled_until_its_last_token_has_expired(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        assert [(await fetch(running, path)).status for path in PATHS] == [404, 404, 404]
        await running.call("iam", "EnableOutboundWebIdentityFederation")
        assert [(await fetch(running, path)).status for path in PATHS] == [200, 200, 200]
        await running.call("iam", "DisableOutboundWebIdentityFederation")
        running.clock.advance(KEPT_AFTER - 1)
        assert (await fetch(running, KEY_SET)).status == 200
        running.clock.advance(1)
        assert [(await fetch(running, path)).status for path in PATHS] == [404, 404, 404]


async def test_nothing_private_is_in_any_document(issuer: Service) -> None:
    for key in json.loads((await fetch(issuer, KEY_SET)).body)["keys"]:
        assert not key.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


async def test_an_error_of_ours_is_a_500_that_says_nothing(issuer: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("daypass.issuer.tokens.published_keys", fail)
    found = await fetch(issuer, KEY_SET)
    assert (found.status, found.json) == (500, {"error": "internal failure"})
