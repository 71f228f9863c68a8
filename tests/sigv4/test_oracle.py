# SPDX-License-Identifier: Apache-2.0
"""
botocore's signers as the oracle, and arbitrary bytes as the adversary.

Whatever botocore signs verifies; with any other secret it does not; and no input, however odd, makes anything but an
AuthenticationError (DESIGN.md, invariant 10).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import UNSIGNED_PAYLOAD, PathStyle, RawRequest, read_authorization, verify_signature
from sigv4.signing import SECRET, refused, signed_by_botocore

text = st.text(st.characters(codec="utf-8"), max_size=12)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
names = st.from_regex(r"x-amz-meta-[a-z0-9]{1,8}|my-header[0-9]", fullmatch=True)
values = st.lists(words, min_size=1, max_size=3).map("  ".join)
segments = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/"), min_size=1, max_size=8
)
paths = st.lists(segments.filter(lambda part: part not in (".", "..")), max_size=3).map(
    lambda parts: "/" + "/".join(quote(part, safe="-_.~") for part in parts)
)
queries = st.dictionaries(
    st.text(min_size=1, max_size=6).filter(lambda name: not name.lower().startswith("x-amz-")), text
).map(
    lambda pairs: "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs.items())
)
bodies = st.binary(max_size=40)
tokens = st.none() | words


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]), paths, queries, bodies, st.dictionaries(names, values), tokens
)
def test_what_botocore_signs_verifies(
    method: str, path: str, query: str, body: bytes, headers: dict[str, str], token: str | None
) -> None:
    received = signed_by_botocore(method, f"http://sts.example.org{path}?{query}", body, headers=headers, token=token)
    verified = received.verify()
    assert (verified.session_token, verified.payload) == (token, hashlib.sha256(body).hexdigest())
    assert refused(received, secret=SECRET + b"x") is Reason.SIGNATURE_DOES_NOT_MATCH


@given(st.sampled_from(["GET", "POST"]), paths, queries, tokens, st.integers(1, 604_800))
def test_what_botocore_presigns_verifies(method: str, path: str, query: str, token: str | None, expires: int) -> None:
    received = signed_by_botocore(method, f"http://sts.example.org{path}?{query}", b"", token=token, expires=expires)
    verified = received.verify()
    assert (verified.session_token, verified.expires_at) == (token, int(received.now) + expires)
    assert refused(received, secret=SECRET + b"x") is Reason.SIGNATURE_DOES_NOT_MATCH


@given(paths, queries, bodies, tokens)
def test_what_botocore_signs_for_s3_verifies_in_the_raw_style(
    path: str, query: str, body: bytes, token: str | None
) -> None:
    url = f"http://s3.example.org{path}?{query}"
    received = signed_by_botocore("PUT", url, body, token=token, service="s3", s3=True)
    assert received.verify().payload == hashlib.sha256(body).hexdigest()


@given(paths, queries, bodies, tokens)
def test_what_botocore_presigns_for_s3_covers_no_body_and_verifies_where_that_is_accepted(
    path: str, query: str, body: bytes, token: str | None
) -> None:
    url = f"http://s3.example.org{path}?{query}"
    received = replace(signed_by_botocore("PUT", url, b"", token=token, expires=60, service="s3", s3=True), body=body)
    assert received.verify(accepted_payloads={UNSIGNED_PAYLOAD}).payload == UNSIGNED_PAYLOAD
    assert refused(received) is Reason.SIGNATURE_DOES_NOT_MATCH


def test_a_body_signed_by_botocore_cannot_be_replaced() -> None:
    received = signed_by_botocore()
    assert (
        refused(received, payload_hash=hashlib.sha256(b"Action=CreateUser").hexdigest())
        is Reason.SIGNATURE_DOES_NOT_MATCH
    )


def try_to_verify(request: RawRequest, style: PathStyle = PathStyle.NORMALISED) -> None:
    try:
        authorization = read_authorization(request)
        if authorization is None:
            return
        payload = hashlib.sha256(b"").hexdigest()
        moment = float(max(authorization.signed_at, 0))
        verify_signature(
            request,
            authorization,
            secret=SECRET,
            payload_hash=payload,
            services={authorization.service},
            now=moment,
            path_style=style,
        )
    except AuthenticationError:
        return
    pytest.fail("a request that nobody signed verified")


odd_headers = st.lists(
    st.tuples(
        st.sampled_from(
            [b"host", b"authorization", b"x-amz-date", b"date", b"x-amz-security-token", b"x-amz-content-sha256"]
        )
        | st.binary(max_size=6),
        st.binary(max_size=30)
        | st.sampled_from([b"20150830T123600Z", b"00010101T000000Z", b"99991231T235959Z", b"UNSIGNED-PAYLOAD"]),
    ),
    max_size=6,
)


@given(
    st.text(max_size=4) | st.just("GET"),
    st.binary(max_size=20),
    st.binary(max_size=40),
    odd_headers,
    st.sampled_from(PathStyle),
)
def test_arbitrary_bytes_raise_nothing_else(
    method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], style: PathStyle
) -> None:
    try_to_verify(RawRequest(method, path, query, headers), style)


PIECES = (
    *(b"AWS4-HMAC-SHA256", b" ", b",", b", ", b"=", b"/", b";", b"Credential=", b"SignedHeaders=", b"Signature="),
    *(b"A/20150830/r/s/aws4_request", b"host", b"x-amz-date", b"0" * 64, b"%2F", b"%", b"\xff"),
)
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
dates = st.sampled_from([b"20150830T123600Z", b"00010101T000000Z", b"99991231T235959Z"])


@given(pieces, dates, st.binary(max_size=10).map(lambda tail: b"/" + tail))
def test_arbitrary_authorization_headers_raise_nothing_else(value: bytes, date: bytes, path: bytes) -> None:
    try_to_verify(RawRequest("GET", path, b"", [(b"host", b"h"), (b"x-amz-date", date), (b"authorization", value)]))


@given(pieces, dates, st.sampled_from([b"0001", b"2015", b"9999"]), st.sampled_from([b"1", b"604800"]))
def test_arbitrary_presigned_queries_raise_nothing_else(extra: bytes, date: bytes, year: bytes, expires: bytes) -> None:
    credential = b"A%%2F%b0830%%2Fr%%2Fs%%2Faws4_request" % year
    query = b"&".join(
        [
            b"X-Amz-Algorithm=AWS4-HMAC-SHA256",
            b"X-Amz-Credential=" + credential,
            b"X-Amz-Date=" + date,
            b"X-Amz-Expires=" + expires,
            b"X-Amz-SignedHeaders=host",
            b"X-Amz-Signature=" + b"0" * 64,
            b"a=" + extra,
        ]
    )
    try_to_verify(RawRequest("GET", b"/", query, [(b"host", b"h")]))


@pytest.mark.parametrize("date", [b"00010101T000000Z", b"99991231T235959Z"])
@pytest.mark.parametrize("presigned", [False, True])
def test_the_first_and_the_last_date_are_refused_and_nothing_else(date: bytes, presigned: bool) -> None:
    scope = b"A/%b/r/s/aws4_request" % date[:8]
    signature = b"0" * 64
    if presigned:
        query = b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%b&X-Amz-Date=%b&X-Amz-Expires=1" % (scope, date)
        request = RawRequest(
            "GET", b"/", query + b"&X-Amz-SignedHeaders=host&X-Amz-Signature=" + signature, [(b"host", b"h")]
        )
    else:
        value = b"AWS4-HMAC-SHA256 Credential=%b, SignedHeaders=host;x-amz-date, Signature=%b" % (scope, signature)
        request = RawRequest("GET", b"/", b"", [(b"host", b"h"), (b"x-amz-date", date), (b"authorization", value)])
    authorization = read_authorization(request)
    assert authorization is not None
    with pytest.raises(AuthenticationError) as caught:
        verify_signature(request, authorization, secret=SECRET, payload_hash="", services={"s"}, now=1440938160.0)
    late = Reason.PRESIGNED_EXPIRED if presigned else Reason.SIGNATURE_EXPIRED
    assert caught.value.reason is (late if date.startswith(b"0001") else Reason.SIGNATURE_NOT_YET_CURRENT)
