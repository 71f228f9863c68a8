# SPDX-License-Identifier: Apache-2.0
"""Where a browser may be sent."""

from __future__ import annotations

import pytest

from daypass.errors import ProofError, Reason, RequestError
from daypass.saml import Endpoint
from daypass.signin.addresses import BINDINGS, origin_of, read_return_to, sign_on_endpoint
from daypass.signin.limits import RETURN_TO_CHARACTERS

REDIRECT, POST = BINDINGS["redirect"], BINDINGS["post"]


@pytest.mark.parametrize(
    "path", ["/", "/portal/", "/v1/authorize?client_id=a%3A%2Fb&state=1", "/@a:b", "/a//b", "/a/../b"]
)
def test_a_path_of_ours_is_a_place_to_go_to(path: str) -> None:
    assert read_return_to(path) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "portal",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/%2F/evil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "https:/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/a#b",
        "/a b",
        '/a"b',
        "/a<b",
        "/ä",
        "/\u2028",
        "/a\x00",
    ],
)
def test_what_a_browser_may_read_as_another_origin_is_no_place_to_go_to(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_return_to(text)
    assert caught.value.reason is Reason.SIGN_IN_FORM


def test_a_place_to_go_to_is_as_long_as_the_limit_and_no_longer() -> None:
    longest = "/" + "a" * (RETURN_TO_CHARACTERS - 1)
    assert read_return_to(longest) == longest
    with pytest.raises(RequestError):
        read_return_to(longest + "a")


def test_the_redirect_binding_is_preferred_wherever_it_stands() -> None:
    endpoints = [Endpoint(POST, "https://idp.example/post"), Endpoint(REDIRECT, "https://idp.example/redirect")]
    assert sign_on_endpoint(endpoints, allow_loopback_http=False) == ("redirect", "https://idp.example/redirect")


def test_a_provider_without_redirect_is_asked_by_post() -> None:
    endpoints = [
        Endpoint("urn:oasis:names:tc:SAML:2.0:bindings:SOAP", "https://idp.example/soap"),
        Endpoint(POST, "https://idp.example/p"),
    ]
    assert sign_on_endpoint(endpoints, allow_loopback_http=False) == ("post", "https://idp.example/p")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(document.domain)",
        "data:text/html,x",
        "http://idp.example/sso",
        "http://localhost.evil.example/sso",
        "//idp.example/sso",
        "https://user:secret@idp.example/sso",
        "https://idp.example/sso#fragment",
        "https://idp.example;script-src/sso",
        "https://idp.example /sso",
        "https://idp.example:port/sso",
        "https://[::1/sso",
        "https://idp.example/sso\r\nSet-Cookie: a=b",
        'https://idp.example/"',
        "https:///sso",
        "https://:443/sso",
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_an_endpoint_that_is_not_https_or_may_be_misread_is_not_used(url: str, loopback: bool) -> None:
    with pytest.raises(ProofError) as caught:
        sign_on_endpoint([Endpoint(REDIRECT, url), Endpoint(POST, url)], allow_loopback_http=loopback)
    assert caught.value.reason is Reason.SAML_METADATA_NO_PROVIDER


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_http_on_this_machine_is_used_where_the_configuration_says_so_only(host: str) -> None:
    endpoints = [Endpoint(REDIRECT, f"http://{host}/sso")]
    assert sign_on_endpoint(endpoints, allow_loopback_http=True) == ("redirect", f"http://{host}/sso")
    with pytest.raises(ProofError):
        sign_on_endpoint(endpoints, allow_loopback_http=False)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://idp.example:8443/sso?tenant=1", "https://idp.example:8443"),
        ("https://IdP.example:443/sso", "https://idp.example"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin
