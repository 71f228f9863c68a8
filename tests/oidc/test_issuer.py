# SPDX-License-Identifier: Apache-2.0
"""Which URLs may be registered, and what an issuer's configuration document may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass import jose
from daypass.errors import ProviderError, Reason, RequestError
from daypass.oidc import Discovery, check_issuer_url, discovery_url, parse_discovery, parse_url

ISSUER = "https://idp.example.org/realms/main"
JWKS = "https://keys.example.net/jwks?p=policy"


@pytest.mark.parametrize(
    "name",
    [
        "idp.example.org", "idp.example.org/", "idp.example.org/realms/main", "idp.example.org:8443/a/", "192.0.2.7",
        "[2001:db8::1]:8443", "IDP.example.org/Realm", "token.actions.githubusercontent.com", "a.b/~c_d.e-f+g=h,i@j",
        "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE", "localhost:8080",
    ],
)  # fmt: skip
def test_an_https_url_is_registered_under_its_name_as_it_was_given(name: str) -> None:
    assert check_issuer_url("https://" + name) == name


def test_a_url_of_255_characters_may_be_registered_and_no_longer_one() -> None:
    url = "https://idp.example.org/" + "a" * 231
    assert len(url) == 255
    assert check_issuer_url(url)
    refuse(url + "a")


def refuse(url: str, *, allow: bool = False) -> None:
    with pytest.raises(RequestError) as caught:
        check_issuer_url(url, allow_loopback_http=allow)
    assert caught.value.reason is Reason.ISSUER_URL_INVALID


BAD_URLS = [
    "", "idp.example.org", "//idp.example.org", "ftp://idp.example.org", "file:///etc/passwd", "HTTPS://idp.example.org",
    "https:/idp.example.org", "https:idp.example.org", "https://", "https:///path", "https://user@idp.example.org",
    "https://user:pw@idp.example.org", "https://@idp.example.org", "https://idp.example.org?x=1", "https://idp.example.org/?",
    "https://idp.example.org/#", "https://idp.example.org/a#b", "https://idp.example.org\\@evil.example",
    "https://idp example.org",
    "https://idp.example.org/a b", "https://idp.example.org\n", " https://idp.example.org", "https://idp.example.org/a//b",
    "https://idp.example.org/../b", "https://idp.example.org/a/./b", "https://idp.example.org/%2e%2e/b", "https://idp.example.org/%41",
    "https://idp.example.org:0", "https://idp.example.org:65536", "https://idp.example.org:", "https://idp.example.org:08443",
    "https://idp.example.org:8443:1", "https://idp.example.org./", "https://.example.org", "https://idp..example.org",
    "https://-idp.example.org", "https://" + "a" * 64 + ".org", "https://idp_x.example.org",
    "https://127.1", "https://0x7f.0.0.1", "https://0177.0.0.1", "https://2130706433", "https://1.2.3.4.5", "https://256.1.1.1",
    "https://idp.example.1", "https://[::1", "https://[::1%25eth0]", "https://[::g]", "https://[1.2.3.4]", "https://::1/",
    "https://\u0430.example.org", "https://idp.example.org/\u00e9", "https://idp.example.org/a:b", "https://idp.example.org/*",
    "https://idp.example.org/$%7Bx%7D", "https://*.example.org", "https://idp.example.org/a?b",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_of_any_other_form_is_refused(url: str) -> None:  # J10
    refuse(url)
    refuse(url, allow=True)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:9000", "127.9.9.9", "[::1]:80"])
def test_plain_http_is_for_this_machine_and_only_where_it_is_allowed(host: str) -> None:
    refuse("http://" + host)
    assert check_issuer_url("http://" + host, allow_loopback_http=True) == host


@pytest.mark.parametrize(
    "host",
    ["idp.example.org", "localhost.example.org", "127.0.0.1.example.org", "128.0.0.1", "[::2]", "0.0.0.0", "10.0.0.1"],
)
def test_plain_http_to_anywhere_else_is_refused_even_where_it_is_allowed(host: str) -> None:
    refuse("http://" + host, allow=True)


def test_a_url_has_at_most_2048_characters() -> None:
    url = "https://idp.example.org/".ljust(2048, "a")
    assert parse_url(url).host == "idp.example.org"
    with pytest.raises(ValueError, match="not an absolute URL"):
        parse_url(url + "a")


def test_a_host_name_has_at_most_253_characters() -> None:
    assert parse_url("https://" + "a." * 125 + "org").port == 443
    with pytest.raises(ValueError, match="host name"):
        parse_url("https://" + "a." * 125 + "info")


@given(st.text(max_size=40))
def test_whatever_follows_the_scheme_a_url_is_registered_as_given_or_refused(text: str) -> None:
    try:
        assert check_issuer_url("https://" + text) == text
    except RequestError:
        return
    assert parse_url("https://" + text).host in text


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://idp.example.org", "https://idp.example.org/.well-known/openid-configuration"),
        ("https://idp.example.org/", "https://idp.example.org/.well-known/openid-configuration"),
        (ISSUER + "/", ISSUER + "/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_below_the_issuers_path(issuer: str, expected: str) -> None:
    assert discovery_url(issuer) == expected


def document(**changes: Any) -> bytes:
    members = {"issuer": ISSUER, "jwks_uri": JWKS, **changes}
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


def refusal(data: bytes, issuer: str = ISSUER) -> Reason:
    with pytest.raises(ProviderError) as caught:
        parse_discovery(data, issuer)
    return caught.value.reason


def test_a_document_says_where_the_keys_are_and_what_signs() -> None:
    assert parse_discovery(document(), ISSUER) == Discovery(ISSUER, JWKS, jose.ALGORITHMS)


def test_algorithms_are_what_the_document_lists_of_ours() -> None:
    data = document(id_token_signing_alg_values_supported=["RS256", "HS256", "none", "ES256"])
    assert parse_discovery(data, ISSUER).algorithms == {"RS256", "ES256"}


@pytest.mark.parametrize("algorithms", [[], ["HS256", "none"], "RS256", None, [1], ["RS256", None], {"RS256": 1}])
def test_a_list_of_algorithms_that_is_empty_of_ours_or_malformed_is_refused(algorithms: object) -> None:  # J2
    assert refusal(document(id_token_signing_alg_values_supported=algorithms)) is Reason.DISCOVERY_MALFORMED


@pytest.mark.parametrize(
    "issuer", [..., None, "", ISSUER + "/", "https://idp.example.org", "https://evil.example", [ISSUER], ISSUER.upper()]
)
def test_a_document_of_another_issuer_is_refused(issuer: object) -> None:  # J10
    assert refusal(document(issuer=issuer)) is Reason.DISCOVERY_ISSUER_MISMATCH


@pytest.mark.parametrize(
    "jwks_uri",
    [
        ..., None, "", 1, [JWKS], "http://keys.example.net", "http://127.0.0.1/jwks", "file:///etc/passwd", "https://u@keys.example.net",
        JWKS + "#x", "/jwks", "//keys.example.net", "ftp://keys.example.net", "https://keys.example.net\\x", "data:,{}", "https://2130706433/",
    ],
)  # fmt: skip
def test_a_key_set_that_is_not_at_a_plain_https_url_is_refused(jwks_uri: object) -> None:  # J13
    assert refusal(document(jwks_uri=jwks_uri)) is Reason.DISCOVERY_MALFORMED


def test_an_issuer_on_this_machine_may_have_its_keys_there_too() -> None:
    issuer = "http://localhost:8080"
    uri = "http://127.0.0.1:8080/jwks"
    assert parse_discovery(document(issuer=issuer, jwks_uri=uri), issuer).jwks_uri == uri
    data = document(issuer=issuer, jwks_uri="http://idp.example.org/jwks")
    assert refusal(data, issuer) is Reason.DISCOVERY_MALFORMED


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"<html>", b'{"issuer":"a","issuer":"b"}', b"\xff", b"[" * 10_000, b"null"]
)
def test_a_document_that_is_no_strict_json_object_is_refused(data: bytes) -> None:
    assert refusal(data) is Reason.DISCOVERY_MALFORMED


@given(st.binary(max_size=200))
def test_whatever_the_octets_only_a_provider_error_is_raised(data: bytes) -> None:
    with pytest.raises(ProviderError):
        parse_discovery(data, ISSUER)
