# SPDX-License-Identifier: Apache-2.0
"""The browser door: what every answer has, and what is not answered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daypass.doorway import limits
from daypass.server.asgi import _door
from in_process import Service, service
from signin.browser import FORM, Browser, Page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def daypass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with service(tmp_path_factory.mktemp("door")) as running:
        yield running


@pytest.fixture
def browser(daypass: Service) -> Browser:
    return Browser(daypass)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def check_headers(page: Page) -> None:
    """What every answer has."""
    policy = dict(part.strip().partition(" ")[::2] for part in page.header("content-security-policy").split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in page.header("content-security-policy")
    assert page.header("x-content-type-options") == "nosniff"
    assert page.header("x-frame-options") == "DENY"
    assert page.header("referrer-policy") == "same-origin"
    assert page.header("cross-origin-opener-policy") == "same-origin"
    assert len(page.header("x-amzn-requestid")) == 36


async def test_every_page_has_the_security_headers_and_nothing_inline(browser: Browser) -> None:
    page = await browser.get("/portal/nothing")
    check_headers(page)
    assert page.header("cache-control") == "no-store"
    reader = page.read
    assert [found for found, text in reader.all("script") if "src" not in found or text] == []
    assert reader.all("style") == []
    assert [
        found for _, found, _ in reader.elements if "style" in found or any(name.startswith("on") for name in found)
    ] == []


async def test_the_files_that_a_page_names_are_there_and_never_change(browser: Browser) -> None:
    reader = (await browser.get("/portal/nothing")).read
    names = [found["href"] for found, _ in reader.all("link", rel="stylesheet")] + [
        found["src"] for found, _ in reader.all("script")
    ]
    assert len(names) == 2
    for name in names:
        page = await browser.get(name)
        assert page.status == 200
        assert page.header("cache-control") == "public, max-age=31536000, immutable"
        assert page.header("content-type").startswith(("text/css", "text/javascript"))
        check_headers(page)


@pytest.mark.parametrize(
    "path",
    [
        "/portal/",
        "/portal/static/",
        "/portal/static/signin.css",
        "/portal/static/../pages.py",
        "/portal/static/..%2Fpages.py",
        "/portal/static/%73ignin.css",
        "/saml/",
        "/saml/metadata/",
        "/saml/metadata%2F123456789012/x",
        "/portal/saml/123456789012/corporate",
        "/portal/saml/123456789012/corporate/start/",
        "/portal/saml//corporate/start",
        "/portal/SAML/123456789012/corporate/start",
    ],
)
async def test_any_other_path_is_not_found(browser: Browser, path: str) -> None:
    page = await browser.get(path)
    assert page.status == 404
    check_headers(page)


@pytest.mark.parametrize(
    "raw_path", [b"/saml%2Fmetadata", b"/portal", b"/Portal/", b"//saml", b"/samlx", b"/", b"/%73aml"]
)
async def test_paths_that_begin_otherwise_are_for_others(daypass: Service, raw_path: bytes) -> None:
    assert _door(daypass.app, raw_path) is not daypass.app.signin_door


async def test_a_provider_that_is_not_registered_is_not_found(browser: Browser) -> None:
    for path in (
        "/saml/metadata/123456789012/nobody",
        "/portal/saml/123456789012/nobody/start",
        "/portal/saml/x/y/start",
    ):
        page = await browser.get(path)
        assert page.status == 404
        assert "nobody" not in page.text


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/saml", "GET", {"POST"}),
        ("/saml", "HEAD", {"POST"}),
        ("/saml", "PUT", {"POST"}),
        ("/saml", "OPTIONS", {"POST"}),
        ("/saml/metadata", "POST", {"GET", "HEAD"}),
        ("/portal/saml/123456789012/corporate/start", "POST", {"GET", "HEAD"}),
        ("/portal/saml/credentials", "GET", {"POST"}),
        ("/portal/static/x", "DELETE", {"GET", "HEAD"}),
    ],
)
async def test_another_method_is_refused_with_those_that_are_not(
    browser: Browser, path: str, method: str, allowed: set[str]
) -> None:
    page = await browser.get(path, method=method)
    assert page.status == 405
    assert set(page.header("allow").split(", ")) == allowed
    check_headers(page)


async def test_head_has_the_headers_of_get_and_no_body(browser: Browser) -> None:
    get, head = await browser.get("/saml/metadata"), await browser.get("/saml/metadata", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == get.header("content-length") == str(len(get.body))


@pytest.mark.parametrize("path", ["/saml", "/portal/saml/credentials"])
async def test_a_body_beyond_the_limit_is_refused_and_the_connection_closed(browser: Browser, path: str) -> None:
    page = await browser.post(path, b"SAMLResponse=" + b"A" * limits.BODY_BYTES, site="same-origin")
    assert page.status == 413
    assert page.header("connection") == "close"
    check_headers(page)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"SAMLResponse=x", []),
        (b"SAMLResponse=x", [(b"content-type", b"text/plain")]),
        (b"SAMLResponse=x", [(b"content-type", b"multipart/form-data; boundary=x")]),
        (b"SAMLResponse=x", [FORM, FORM]),
        (b"SAMLResponse=x&SAMLResponse=y", [FORM]),
        (b"SAMLResponse", [FORM]),
        (b"SAMLResponse=%zz", [FORM]),
        (b"SAMLResponse=%00", [FORM]),
        (b"SAMLResponse=", [FORM]),
        (b"RelayState=x", [FORM]),
        (b"", [FORM]),
    ],
)
async def test_what_is_no_form_with_one_response_is_refused(
    browser: Browser, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    page = await browser.post("/saml", body, headers=headers)
    assert page.status == 400
    assert page.cookies == {}


@pytest.mark.parametrize("response", ["x", "!!!!", "PHNhbWw+", "<script>alert(1)</script>", "A" * 100_001, "\u00e4"])
async def test_what_is_no_response_is_refused_without_being_quoted(browser: Browser, response: str) -> None:
    page = await browser.post("/saml", {"SAMLResponse": response, "RelayState": "https://evil.example/"})
    assert page.status == 400
    assert response not in page.text or response == "x"
    assert "evil" not in page.text
    check_headers(page)


async def test_an_error_of_ours_is_a_500_an_alarm_and_says_nothing(
    browser: Browser, daypass: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[tuple[str | None, str]] = []

    class Log:
        def refused(self, **_: object) -> None:
            raise AssertionError("not a refusal")

        def failed(self, *, request_id: str, operation: str | None, error: Exception) -> None:
            failures.append((operation, type(error).__name__))

    monkeypatch.setattr(daypass.app.signin_door, "_log", Log())
    monkeypatch.setattr("daypass.signin.consumer.saml.decode_response", lambda text: 1 / 0)
    page = await browser.post("/saml", {"SAMLResponse": "x"})
    assert page.status == 500
    assert "ZeroDivision" not in page.text
    assert failures == [("signin:roles", "ZeroDivisionError")]
    check_headers(page)


async def test_a_refusal_is_logged_with_its_reason_and_the_id_that_is_shown(
    browser: Browser, daypass: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[dict[str, object]] = []

    class Log:
        def refused(self, **what: object) -> None:
            refusals.append(what)

        def failed(self, **_: object) -> None:
            raise AssertionError("not a failure")

    monkeypatch.setattr(daypass.app.signin_door, "_log", Log())
    page = await browser.post("/saml", {"SAMLResponse": "!"})
    (refused,) = refusals
    assert (refused["operation"], str(refused["reason"]), refused["code"]) == (
        "signin:roles",
        "Reason.SAML_MALFORMED",
        "InvalidIdentityToken",
    )
    assert refused["request_id"] == page.header("x-amzn-requestid")
    assert str(refused["request_id"]) in page.text
