# SPDX-License-Identifier: Apache-2.0
"""
A person with a browser that runs no scripts: follows redirects, keeps cookies, fills in forms.

It stops before it sends a response to the service provider, so that a test has the response in its hands.
"""

from __future__ import annotations

import base64
import http.cookiejar
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from real.saml_provider import PASSWORD


@dataclass(frozen=True)
class Page:
    """What an address answered."""

    url: str
    status: int
    text: str = field(repr=False)

    def form(self) -> Form:
        """Its first form."""
        reader = _FormReader()
        reader.feed(self.text)
        assert reader.action is not None, f"a page without a form, {self.status} from {self.url}: {self.text[:2000]}"
        return Form(urljoin(self.url, reader.action), reader.fields)


@dataclass(frozen=True)
class Form:
    """Where a form goes, and its fields with their values."""

    action: str
    fields: Mapping[str, str] = field(repr=False)

    @property
    def response(self) -> bytes:
        """The SAML response in it, as XML."""
        return base64.b64decode(self.fields["SAMLResponse"])


class Person:
    """See the module."""

    def __init__(self) -> None:
        # Browsers hold loopback to be secure (W3C, Secure Contexts 3.1): cookies with Secure go there without TLS.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(policy))
        self._opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))

    def open(self, url: str, fields: Mapping[str, str] | None = None) -> Page:
        """GET, or POST of a form; any status."""
        data = None if fields is None else urlencode(fields).encode()
        try:
            with self._opener.open(url, data, timeout=10) as answer:
                return Page(answer.geturl(), answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.geturl(), error.code, error.read().decode(errors="replace"))

    def sign_in(self, url: str, name: str, password: str = PASSWORD) -> Form:
        """From an address that leads to an identity provider, to the form with its response, which is not sent."""
        form = self.open(url).form()
        for _ in range(5):
            if "SAMLResponse" in form.fields:
                return form
            typed = {"username": name, "password": password}
            form = self.open(
                form.action, {**form.fields, **{key: typed[key] for key in typed if key in form.fields}}
            ).form()
        raise AssertionError(f"no response after signing in: {form}")


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = values.get("action") or ""
        elif tag == "input" and self.action is not None and not self._done and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._done = self._done or (tag == "form" and self.action is not None)
