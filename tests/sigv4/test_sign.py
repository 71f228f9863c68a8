# SPDX-License-Identifier: Apache-2.0
"""Requests that we sign: verified by our own verifier, and the same byte for byte as botocore signs them."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from daypass.credentials import Secret
from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import (
    S3_PAYLOADS,
    UNSIGNED_PAYLOAD,
    PathStyle,
    RawRequest,
    RequestSigner,
    payload_digest,
)
from sigv4.signing import KEY_ID, SECRET, Received, refused

NOW = 1440938160.0
HOST = (b"host", b"backend.example.org:9000")


def signer(style: PathStyle = PathStyle.RAW, token: str | None = None, service: str = "s3") -> RequestSigner:
    return RequestSigner(
        KEY_ID,
        Secret(SECRET.decode()),
        region="us-east-1",
        service=service,
        path_style=style,
        session_token=None if token is None else Secret(token),
    )


def signed(
    method: str,
    path: bytes,
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (HOST,),
    *,
    style: PathStyle = PathStyle.RAW,
    payload: str = UNSIGNED_PAYLOAD,
    token: str | None = None,
    now: float = NOW,
) -> Received:
    service = "s3" if style is PathStyle.RAW else "execute-api"
    added = signer(style, token, service).sign(method, path, query, headers, now=now, payload=payload)
    return Received(RawRequest(method, path, query, (*headers, *added)), b"", service, style, now)


segments = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(
    lambda text: "\0" not in text and text not in (".", "..") and not {".", ".."} & set(text.split("/"))
)
raw_paths = st.lists(segments, max_size=4).map(
    lambda parts: "/bucket/" + "/".join(quote(part, safe="-_.~") for part in parts)
)
queries = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=8), max_size=5).map(
    lambda pairs: "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs.items())
)
metadata = st.dictionaries(
    st.from_regex(r"x-amz-meta-[a-z0-9-]{1,8}", fullmatch=True),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12),
    max_size=4,
)
tokens = st.none() | st.just("session-token/+==")
AWKWARD = "/bucket//a%20b/%2Fc/%C3%A9%F0%9F%98%80/~%28x%29%27%2A%21%24%26%2C%3B%3D%3A%40%25%2B%2520/%0A%7F"


def botocore_headers(
    method: str, path: str, query: str, headers: Mapping[str, str], token: str | None, *, s3: bool, now: float = NOW
) -> Mapping[str, str]:
    """What botocore adds to the same request at the same time."""
    request = AWSRequest(
        method, f"http://backend.example.org:9000{path}" + (f"?{query}" if query else ""), headers=headers
    )
    credentials = BotocoreCredentials(KEY_ID, SECRET.decode(), token)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        if s3:
            request.context["client_config"] = mock.Mock(s3={"payload_signing_enabled": False})
            request.url = str(request.url).replace("http:", "https:")
        (S3SigV4Auth if s3 else SigV4Auth)(credentials, "s3" if s3 else "execute-api", "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]), raw_paths, queries, metadata, tokens)
@example("GET", AWKWARD, "list-type=2&prefix=a%20b%2Bc%2F&delimiter=%2F", {}, None)
@example("GET", "/bucket/", "acl", {}, "t")
def test_what_is_signed_for_s3_is_what_botocore_signs_and_verifies(
    method: str, path: str, query: str, headers: dict[str, str], token: str | None
) -> None:
    raw = (HOST, *[(name.encode(), value.encode()) for name, value in headers.items()])
    received = signed(method, path.encode(), query.encode(), raw, token=token)
    ours = {name.decode(): value.decode() for name, value in received.request.headers}
    theirs = botocore_headers(method, path, query, headers, token, s3=True)
    assert ours["authorization"] == theirs["authorization"]
    assert ours["x-amz-content-sha256"] == theirs["x-amz-content-sha256"] == UNSIGNED_PAYLOAD
    assert ours["x-amz-date"] == theirs["x-amz-date"]
    assert ours.get("x-amz-security-token") == theirs.get("x-amz-security-token") == token
    verified = received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    assert (verified.payload, verified.session_token) == (UNSIGNED_PAYLOAD, token)
    assert refused(received, payload_hash=None, accepted_payloads=S3_PAYLOADS, secret=SECRET + b"x") is (
        Reason.SIGNATURE_DOES_NOT_MATCH
    )


@given(raw_paths.filter(lambda path: "%0" not in path and "%1" not in path and "%7F" not in path), queries)
@example("/bucket/a%20b/%C3%A9", "a=1&b=%20")
def test_what_is_signed_for_other_services_verifies_in_their_style(path: str, query: str) -> None:
    digest = payload_digest(b"")
    if "//" in path or path.endswith("/."):
        return
    received = signed("POST", path.encode(), query.encode(), style=PathStyle.NORMALISED, payload=digest)
    assert received.verify().payload == digest


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a%20b/%C3%A9", "/a+b", "/prod/items/a%2Fb"])
def test_what_is_signed_for_other_services_is_what_botocore_signs(path: str) -> None:
    digest = payload_digest(b"")
    theirs = botocore_headers("GET", path, "b=2&a=1", {"x-amz-content-sha256": digest}, None, s3=False)
    received = signed("GET", path.encode(), b"b=2&a=1", style=PathStyle.NORMALISED, payload=digest)
    assert dict(received.request.headers)[b"authorization"].decode() == theirs["authorization"]


@pytest.mark.parametrize("path", [b"/b/(x)'*!$&,;=:@~", b"/b/%28%c3%a9%7e", "/b/é".encode(), b"/b/%41%2f%2F"])
def test_a_path_in_another_spelling_is_signed_as_it_is_verified(path: bytes) -> None:
    signed("GET", path, b"prefix=%41/&x=(y)").verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)


def test_host_content_type_and_every_amz_header_are_signed_and_nothing_else() -> None:
    headers = (
        *(HOST, (b"content-type", b"text/plain"), (b"content-md5", b"1B2M2Y8AsgTpgAmY7PhCfg=="), (b"user-agent", b"a")),
        *(
            (b"x-amz-acl", b"private"),
            (b"x-amz-meta-b", b"two  spaces"),
            (b"content-length", b"0"),
            (b"range", b"bytes=0-"),
        ),
    )
    received = signed("PUT", b"/bucket/key", headers=headers, token="t")
    verified = received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    assert verified.signed_headers == (
        *(b"content-md5", b"content-type", b"host", b"x-amz-acl", b"x-amz-content-sha256", b"x-amz-date"),
        *(b"x-amz-meta-b", b"x-amz-security-token"),
    )


@pytest.mark.parametrize("payload", [UNSIGNED_PAYLOAD, payload_digest(b"body"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_the_payload_is_signed_as_it_is_said(payload: str) -> None:
    received = signed("PUT", b"/bucket/key", payload=payload)
    assert received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS).payload == payload


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"content-type", b"a"),),
        (HOST, HOST),
        (HOST, (b"x-amz-acl", b"a"), (b"x-amz-acl", b"b")),
        *((HOST, (name, b"x")) for name in (b"authorization", b"x-amz-date", b"x-amz-content-sha256")),
        (HOST, (b"x-amz-security-token", b"the client's")),
    ],
)
def test_headers_that_would_be_sent_twice_or_have_no_host_are_a_mistake_of_the_caller(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    with pytest.raises(ValueError, match="header"):
        signer().sign("GET", b"/", b"", headers, now=NOW)


def test_a_broken_escape_is_an_error_of_the_tree() -> None:
    with pytest.raises(AuthenticationError) as caught:
        signer().sign("GET", b"/%zz", b"", [HOST], now=NOW)
    assert caught.value.reason is Reason.SIGNED_REQUEST_MALFORMED


def test_a_signer_follows_the_clock_over_midnight_and_back() -> None:
    one = signer()
    for now in (NOW, NOW + 0.9, NOW + 1, NOW + 86_400, NOW):
        added = one.sign("GET", b"/b/k", b"", [HOST], now=now)
        received = Received(RawRequest("GET", b"/b/k", b"", (HOST, *added)), b"", "s3", PathStyle.RAW, now)
        assert received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS, skew=1).signed_at == int(now)


def test_a_signer_does_not_print_its_secret() -> None:
    assert SECRET.decode() not in repr(signer(token="t"))


@given(raw_paths, queries, tokens)
@example(AWKWARD, "response-content-disposition=attachment%3B%20filename%3D%22a%20%2B.txt%22&versionId=1", "t")
def test_what_is_presigned_is_what_botocore_presigns_and_verifies(path: str, query: str, token: str | None) -> None:
    ours = signer(token=token).presign("GET", path.encode(), query.encode(), host=HOST[1], now=NOW, expires=60)
    received = Received(RawRequest("GET", path.encode(), ours, (HOST,)), b"", "s3", PathStyle.RAW, NOW)
    verified = received.verify(payload_hash=None, accepted_payloads=S3_PAYLOADS)
    assert (verified.payload, verified.expires_at, verified.session_token) == (UNSIGNED_PAYLOAD, int(NOW) + 60, token)
    request = AWSRequest("GET", f"http://backend.example.org:9000{path}" + (f"?{query}" if query else ""))
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    credentials = BotocoreCredentials(KEY_ID, SECRET.decode(), token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60).add_auth(request)
    assert ours.rpartition(b"=")[2] == str(request.url).rpartition("X-Amz-Signature=")[2][:64].encode()


def test_a_presigned_request_of_another_service_covers_its_body_as_botocores_does() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    ours = signer().presign("GET", b"/k", b"a=1", host=HOST[1], now=NOW, expires=60, payload=digest)
    request = AWSRequest("GET", "http://backend.example.org:9000/k?a=1")
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4QueryAuth(BotocoreCredentials(KEY_ID, SECRET.decode()), "s3", "us-east-1", expires=60).add_auth(request)
    assert ours.rpartition(b"=")[2] == str(request.url).rpartition("X-Amz-Signature=")[2][:64].encode()


@pytest.mark.parametrize("expires", [0, -1, 604_801])
def test_a_presigned_request_lives_for_a_second_to_a_week(expires: int) -> None:
    with pytest.raises(ValueError, match="week"):
        signer().presign("GET", b"/", b"", host=HOST[1], now=NOW, expires=expires)
