# SPDX-License-Identifier: Apache-2.0
"""
The certified OpenID Connect provider of ``tests/real/oidc_provider`` in a process of its own, and a person who signs in there.

    with real_provider(tmp_path, rsa_key("2026-01"), ec_key("2026-01-ec")) as provider:
        token = provider.sign_in("alice", client_id="web-app")   # authorization code flow with PKCE, form by form
        provider.rotate(rsa_key("2026-02"))                      # same issuer, other keys, no downtime
"""

from __future__ import annotations

import base64
import hashlib
import http.cookiejar
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey

FOLDER = Path(__file__).parents[1] / "real" / "oidc_provider"
CALLBACK = "http://127.0.0.1/callback"
START_SECONDS = 30.0

PrivateJwk = dict[str, Any]


def rsa_key(key_id: str) -> PrivateJwk:
    """A new RSA key for RS256, as a JWK with its private part."""
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", "alg": "RS256"}).as_dict(private=True)


def ec_key(key_id: str) -> PrivateJwk:
    """A new P-256 key for ES256, as a JWK with its private part."""
    return ECKey.generate_key("P-256", {"kid": key_id, "use": "sig", "alg": "ES256"}).as_dict(private=True)


def require_real_provider() -> str:
    """The node executable. Skips the test where the provider is not installed, unless everything is required."""
    node = shutil.which("node")
    missing = "node is not installed" if node is None else None
    if missing is None and not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        missing = f"the npm modules are not installed: npm ci --prefix {FOLDER}"
    if missing is None:
        assert node is not None
        return node
    if os.environ.get("DAYPASS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


class RealProvider:
    """A running provider. ``issuer`` is its URL."""

    def __init__(self, process: subprocess.Popen[str], jwks_file: Path) -> None:
        self._process = process
        self._jwks_file = jwks_file
        self.issuer = str(self._line()["issuer"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if readable else ""
        assert line, "the provider did not say what was expected of it"
        content: dict[str, Any] = json.loads(line)
        return content

    def rotate(self, *keys: PrivateJwk) -> None:
        """Sign with and publish these keys from now on, and no others."""
        self._jwks_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
        self._process.send_signal(signal.SIGHUP)
        assert self._line() == {"reloaded": [key["kid"] for key in keys]}

    def sign_in(self, login: str, client_id: str = "web-app") -> str:
        """An ID token, as somebody gets it who signs in with a browser and consents."""
        return Browser().sign_in(self.issuer, login, client_id)


class Browser:
    """Follows redirects, keeps cookies, fills in forms. Stops where the application would take over."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, _StopAtCallback(), urllib.request.ProxyHandler({}))

    def sign_in(self, issuer: str, login: str, client_id: str) -> str:
        """The authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636), from discovery to the ID token."""
        configuration = json.loads(self._page(f"{issuer}/.well-known/openid-configuration")[1])
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        request = {
            "client_id": client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": CALLBACK,
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
            .rstrip(b"=")
            .decode(),
            "code_challenge_method": "S256",
            "state": state,
            "nonce": nonce,
        }
        url, page = self._page(f"{configuration['authorization_endpoint']}?{urlencode(request)}")
        while not url.startswith(CALLBACK):  # the sign-in form, then the consent form
            url, page = self._submit(url, page, {"login": login, "password": "any"})
        answer = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert answer["state"] == state, answer
        assert answer["iss"] == issuer
        tokens = self._exchange(configuration["token_endpoint"], client_id, answer["code"], verifier)
        return str(tokens["id_token"])

    def _exchange(self, endpoint: str, client_id: str, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
        }
        tokens: dict[str, Any] = json.loads(self._page(endpoint, form)[1])
        return tokens

    def _submit(self, url: str, page: str, typed: dict[str, str]) -> tuple[str, str]:
        form = _Form()
        form.feed(page)
        assert form.action, f"a page without a form: {page[:500]}"
        values = {name: typed.get(name, value) for name, value in form.fields.items()}
        return self._page(urljoin(url, form.action), values)

    def _page(self, url: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        data = None if form is None else urlencode(form).encode()
        try:
            with self._opener.open(url, data, timeout=10) as answer:
                return answer.geturl(), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                location = error.headers.get("Location", "")
                if location.startswith(CALLBACK):
                    return location, ""
                raise AssertionError(f"{error.code} from {url}: {error.read()[:500]!r}") from None


class _StopAtCallback(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if newurl.startswith(CALLBACK):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and not self.action:
            self.action = values.get("action") or ""
        elif tag == "input":
            self.fields[values.get("name") or ""] = values.get("value") or ""


@contextmanager
def real_provider(folder: Path, *keys: PrivateJwk) -> Iterator[RealProvider]:
    """The provider with these keys, until the block ends."""
    node = require_real_provider()
    jwks_file = folder / "provider-keys.json"
    jwks_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "NODE_ENV": "production"}
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [node, "server.mjs", str(jwks_file)],
            cwd=FOLDER,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield RealProvider(process, jwks_file)
    finally:
        process.kill()
        with process:
            process.wait(timeout=10)
