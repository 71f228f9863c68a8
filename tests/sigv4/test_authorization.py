# SPDX-License-Identifier: Apache-2.0
"""Reading a credential: one location, one spelling, every part once; anything else is refused for its own reason."""

from __future__ import annotations

import pytest

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import RawRequest, limits, read_authorization
from sigv4.signing import HEADER_FORM, Received, refused, sign, signed_by_botocore

SIGNED = sign(HEADER_FORM)
VALUE = SIGNED.header(b"authorization")
SIGNATURE = VALUE[-64:]
PRESIGNED = signed_by_botocore("GET", "http://sts.example.org/?Action=GetCallerIdentity", b"", expires=60)


def unreadable(received: Received) -> Reason:
    with pytest.raises(AuthenticationError) as caught:
        read_authorization(received.request)
    return caught.value.reason


def test_a_request_without_a_credential_has_none() -> None:
    assert read_authorization(HEADER_FORM.request) is None


def test_a_header_forms_claims_are_read() -> None:
    authorization = sign(
        HEADER_FORM.with_header(b"x-amz-security-token", b" token= "), timestamp=b"20150830T123600Z"
    ).read()
    assert authorization.access_key_id == "AKIDEXAMPLE"
    assert (authorization.date, authorization.region, authorization.service) == ("20150830", "us-east-1", "sts")
    assert authorization.scope == "20150830/us-east-1/sts/aws4_request"
    assert authorization.signed_headers == (b"content-type", b"host", b"x-amz-date", b"x-amz-security-token")
    assert (authorization.timestamp, authorization.signed_at) == (b"20150830T123600Z", 1440938160)
    assert (authorization.session_token, authorization.presigned, authorization.expires) == ("token=", False, None)


def test_a_query_forms_claims_are_read() -> None:
    authorization = PRESIGNED.read()
    assert (authorization.access_key_id, authorization.session_token) == ("AKIDEXAMPLE", "session-token")
    assert (authorization.presigned, authorization.expires) == (True, 60)
    assert authorization.signed_headers == (b"host",)


def test_neither_token_nor_signature_shows_in_a_repr() -> None:
    authorization = PRESIGNED.read()
    for text in (repr(authorization), repr(PRESIGNED.verify())):
        assert "session-token" not in text
        assert authorization.signature.decode() not in text


def test_two_authorization_headers_are_refused() -> None:
    twice = SIGNED.with_headers(*SIGNED.request.headers, (b"authorization", VALUE))
    assert unreadable(twice) is Reason.CREDENTIAL_AMBIGUOUS


@pytest.mark.parametrize(
    "name",
    [
        b"X-Amz-Algorithm",
        b"X-Amz-Credential",
        b"X-Amz-Date",
        b"X-Amz-Expires",
        b"X-Amz-SignedHeaders",
        b"X-Amz-Signature",
        b"X-Amz-Security-Token",
        b"X-Amz-Content-Sha256",
        b"X-Amz%2DSignature",
    ],
)
def test_an_authorization_header_and_any_part_of_a_query_credential_are_refused(name: bytes) -> None:
    assert unreadable(SIGNED.with_request(query=name + b"=1")) is Reason.CREDENTIAL_AMBIGUOUS


def test_an_authorization_header_and_a_whole_query_credential_are_refused() -> None:
    both = PRESIGNED.with_headers(*PRESIGNED.request.headers, (b"authorization", VALUE))
    assert unreadable(both) is Reason.CREDENTIAL_AMBIGUOUS


def credential(text: bytes) -> bytes:
    return VALUE.replace(b"AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request", text)


MALFORMED = {
    "empty": (b"", Reason.AUTHORIZATION_INCOMPLETE),
    "scheme only": (b"AWS4-HMAC-SHA256", Reason.AUTHORIZATION_INCOMPLETE),
    "another scheme": (b"Bearer abc", Reason.AUTHORIZATION_INCOMPLETE),
    "signature version 2": (b"AWS AKIDEXAMPLE:abc=", Reason.AUTHORIZATION_INCOMPLETE),
    "scheme in lower case": (VALUE.replace(b"AWS4-HMAC", b"aws4-hmac"), Reason.AUTHORIZATION_INCOMPLETE),
    "sigv4a": (
        VALUE.replace(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"),
        Reason.SIGNATURE_ALGORITHM_UNSUPPORTED,
    ),
    "sha-1": (VALUE.replace(b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA1"), Reason.SIGNATURE_ALGORITHM_UNSUPPORTED),
    "no credential": (VALUE.replace(b"Credential=", b"Cred="), Reason.AUTHORIZATION_INCOMPLETE),
    "no signed headers": (VALUE.replace(b"SignedHeaders=", b"Signed="), Reason.AUTHORIZATION_INCOMPLETE),
    "no signature": (VALUE.replace(b", Signature=", b", Sig="), Reason.AUTHORIZATION_INCOMPLETE),
    "empty signature": (VALUE[:-64], Reason.AUTHORIZATION_INCOMPLETE),
    "empty signed headers": (
        VALUE.replace(b"SignedHeaders=content-type;host;x-amz-date", b"SignedHeaders="),
        Reason.AUTHORIZATION_INCOMPLETE,
    ),
    "another part": (VALUE + b", Extra=1", Reason.AUTHORIZATION_MALFORMED),
    "signature twice": (VALUE + b", Signature=" + SIGNATURE, Reason.AUTHORIZATION_MALFORMED),
    "credential twice": (VALUE.replace(b" Credential=", b" Credential=a, Credential="), Reason.AUTHORIZATION_MALFORMED),
    "another order": (
        b"AWS4-HMAC-SHA256 Signature=%b, SignedHeaders=host, Credential=a/20150830/b/c/aws4_request" % SIGNATURE,
        Reason.AUTHORIZATION_MALFORMED,
    ),
    "trailing comma": (VALUE + b",", Reason.AUTHORIZATION_MALFORMED),
    "two spaces": (VALUE.replace(b", ", b",  "), Reason.AUTHORIZATION_MALFORMED),
    "two spaces after the scheme": (VALUE.replace(b"SHA256 ", b"SHA256  "), Reason.AUTHORIZATION_MALFORMED),
    "no space after the scheme": (VALUE.replace(b"SHA256 ", b"SHA256"), Reason.SIGNATURE_ALGORITHM_UNSUPPORTED),
    "credential of four parts": (
        credential(b"AKIDEXAMPLE/20150830/us-east-1/aws4_request"),
        Reason.CREDENTIAL_MALFORMED,
    ),
    "credential of six parts": (credential(b"A/B/20150830/us-east-1/sts/aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "credential without key": (credential(b"/20150830/us-east-1/sts/aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "credential without region": (credential(b"AKIDEXAMPLE/20150830//sts/aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "credential without service": (credential(b"AKIDEXAMPLE/20150830/r//aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "credential with a short date": (credential(b"AKIDEXAMPLE/2015083/r/s/aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "credential with other digits": (
        credential("AKIDEXAMPLE/２０１５０８３０/r/s/aws4_request".encode()),
        Reason.CREDENTIAL_MALFORMED,
    ),
    "credential with a long key": (credential(b"A" * 129 + b"/20150830/r/s/aws4_request"), Reason.CREDENTIAL_MALFORMED),
    "another terminator": (credential(b"AKIDEXAMPLE/20150830/r/s/aws4_requesT"), Reason.CREDENTIAL_TERMINATOR),
    "signature in upper case": (VALUE[:-64] + b"A" * 64, Reason.SIGNATURE_MALFORMED),
    "signature too short": (VALUE[:-1], Reason.SIGNATURE_MALFORMED),
    "signature too long": (VALUE + b"0", Reason.SIGNATURE_MALFORMED),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_authorization_header_is_refused(name: str) -> None:
    value, reason = MALFORMED[name]
    assert value != VALUE
    assert unreadable(SIGNED.with_header(b"authorization", value)) is reason


def test_a_refusal_names_every_absent_part_in_awss_words() -> None:
    with pytest.raises(AuthenticationError) as caught:
        read_authorization(SIGNED.with_header(b"authorization", b"Bearer secret-text").request)
    assert str(caught.value) == (
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter."
    )


@pytest.mark.parametrize(
    "names",
    [
        b"host;content-type;x-amz-date",
        b"content-type;host;host;x-amz-date",
        b"content-type;Host;x-amz-date",
        b";content-type;host;x-amz-date",
        b"content-type;host;x-amz-date;",
        b"content-type;;host;x-amz-date",
        b"content-type;host:;x-amz-date",
        b"content-type;host;x-amz-dat\xe9",
        b";",
    ],
)
def test_signed_headers_unsorted_repeated_empty_or_not_in_lower_case_are_refused(names: bytes) -> None:
    changed = SIGNED.with_authorization(b"content-type;host;x-amz-date", names)
    assert unreadable(changed) is Reason.SIGNED_HEADERS_MALFORMED


@pytest.mark.parametrize(
    "date",
    [
        b"",
        b"20150830T123600",
        b"20150830T1236Z",
        b"20150830t123600z",
        b"2015-08-30T12:36:00Z",
        b"20150830T123600Z0",
        b"20150830T123600+0000",
        b"20150830T123660Z",
        b"20150830T126000Z",
        b"20150830T240000Z",
        b"20150230T123600Z",
        b"20151330T123600Z",
        b"00000830T123600Z",
        "２０１５0830T123600Z".encode(),
        b"Sun, 30 Aug 2015 12:36:00 GMT",
    ],
)
def test_a_date_in_another_form_is_refused(date: bytes) -> None:
    assert unreadable(SIGNED.with_header(b"x-amz-date", date)) is Reason.SIGNATURE_DATE_MALFORMED


def test_no_date_at_all_is_refused() -> None:
    assert unreadable(SIGNED.without_header(b"x-amz-date")) is Reason.AUTHORIZATION_INCOMPLETE


@pytest.mark.parametrize(
    "value", [b"Sun, 30 Aug 2015 12:36:00 GMT", b"Sun, 30 Aug 2015 12:36:00 -0000", b"20150830T123600Z"]
)
def test_a_date_header_may_stand_for_x_amz_date(value: bytes) -> None:
    dated = sign(HEADER_FORM.without_header(b"x-amz-date").with_header(b"date", value))
    assert dated.verify().signed_at == 1440938160


@pytest.mark.parametrize(
    "value",
    [
        b"Mon, 30 Aug 2015 12:36:00 GMT",
        b"Sun, 30 Foo 2015 12:36:00 GMT",
        b"Sun, 31 Feb 2015 12:36:00 GMT",
        b"Sun, 30 Aug 2015 24:36:00 GMT",
        b"Sun, 30 Aug 2015 12:36:00 CET",
        b"Sunday, 30-Aug-15 12:36:00 GMT",
        b"30 Aug 2015 12:36:00 GMT",
    ],
)
def test_a_date_header_in_another_form_is_refused(value: bytes) -> None:
    dated = sign(HEADER_FORM.without_header(b"x-amz-date").with_header(b"date", value))
    assert unreadable(dated) is Reason.SIGNATURE_DATE_MALFORMED


@pytest.mark.parametrize("name", [b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256"])
def test_a_header_of_the_credential_that_came_twice_is_refused(name: bytes) -> None:
    twice = SIGNED.with_headers(*SIGNED.request.headers, (name, b"20150830T123600Z"), (name, b"20150830T123600Z"))
    assert unreadable(twice) is Reason.SIGNED_HEADER_REPEATED


@pytest.mark.parametrize("token", [b"", b"  ", b"a b", b"a\tb", b"t\xf6ken", b"a\x01", b"a" * 16_385])
def test_a_session_token_that_is_empty_unprintable_or_too_long_is_refused(token: bytes) -> None:
    assert unreadable(SIGNED.with_header(b"x-amz-security-token", token)) is Reason.SESSION_TOKEN_MALFORMED


def test_a_session_token_of_the_longest_length_is_read() -> None:
    token = b"a" * limits.MAX_SESSION_TOKEN_BYTES
    assert SIGNED.with_header(b"x-amz-security-token", token).read().session_token == token.decode()


def large(count: int) -> list[tuple[bytes, bytes]]:
    return [(b"h%d" % number, b"") for number in range(count)]


AT_THE_LIMIT = {
    "headers": RawRequest("GET", b"/", b"", large(limits.MAX_HEADERS)),
    "header bytes": RawRequest("GET", b"/", b"", [(b"a", b"b" * (limits.MAX_HEADER_BYTES - 1))]),
    "path": RawRequest("GET", b"/" * limits.MAX_PATH_BYTES, b"", []),
    "query": RawRequest("GET", b"/", b"a" * limits.MAX_QUERY_BYTES, []),
    "parameters": RawRequest("GET", b"/", b"&" * (limits.MAX_QUERY_PARAMETERS - 1), []),
}
OVER_THE_LIMIT = {
    "headers": RawRequest("GET", b"/", b"", large(limits.MAX_HEADERS + 1)),
    "header bytes": RawRequest("GET", b"/", b"", [(b"a", b"b" * limits.MAX_HEADER_BYTES)]),
    "path": RawRequest("GET", b"/" * (limits.MAX_PATH_BYTES + 1), b"", []),
    "query": RawRequest("GET", b"/", b"a" * (limits.MAX_QUERY_BYTES + 1), []),
    "parameters": RawRequest("GET", b"/", b"&" * limits.MAX_QUERY_PARAMETERS, []),
    "authorization": RawRequest("GET", b"/", b"", [(b"authorization", b"a" * (limits.MAX_AUTHORIZATION_BYTES + 1))]),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_a_request_at_the_limit_is_read(name: str) -> None:
    assert read_authorization(AT_THE_LIMIT[name]) is None


@pytest.mark.parametrize("name", OVER_THE_LIMIT)
def test_a_request_over_the_limit_is_refused(name: str) -> None:
    assert unreadable(Received(OVER_THE_LIMIT[name])) is Reason.SIGNED_REQUEST_TOO_LARGE


def test_more_signed_headers_than_the_limit_are_refused() -> None:
    names = b";".join(sorted(b"h%d" % number for number in range(limits.MAX_SIGNED_HEADERS + 1)))
    changed = SIGNED.with_authorization(b"content-type;host;x-amz-date", names)
    assert unreadable(changed) is Reason.SIGNED_REQUEST_TOO_LARGE


def test_signed_headers_of_a_presigned_request_longer_than_the_limit_are_refused() -> None:
    names = b"host;" + b"x" * limits.MAX_AUTHORIZATION_BYTES
    changed = PRESIGNED.with_query(b"SignedHeaders=host", b"SignedHeaders=" + names)
    assert unreadable(changed) is Reason.SIGNED_REQUEST_TOO_LARGE


@pytest.mark.parametrize("name", [b"", b"Host", b"x amz", b"x-amz:", b"x\n", b"h\xf6st"])
def test_a_header_name_that_is_no_token_in_lower_case_is_refused(name: bytes) -> None:
    changed = SIGNED.with_headers(*SIGNED.request.headers, (name, b""))
    assert unreadable(changed) is Reason.SIGNED_REQUEST_MALFORMED


@pytest.mark.parametrize("byte", [b"\n", b"\r", b"\0", b"\v", b"\f"])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_line_break_in_a_header_value_is_refused(byte: bytes, repeated: bool) -> None:
    extra = (b"accept", b"a"), (b"accept", byte + b"b")
    changed = SIGNED.with_headers(*SIGNED.request.headers, *extra[0 if repeated else 1 :])
    assert unreadable(changed) is Reason.SIGNED_REQUEST_MALFORMED


@pytest.mark.parametrize("method", ["", "post", "POST\n", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_known_is_refused(method: str) -> None:
    assert unreadable(SIGNED.with_request(method=method)) is Reason.SIGNED_METHOD_UNKNOWN


@pytest.mark.parametrize("query", [b"a=%", b"a=%4", b"a=%4g", b"%zz", b"a=%%41"])
def test_a_broken_escape_in_the_query_is_refused(query: bytes) -> None:
    assert unreadable(HEADER_FORM.with_request(query=query)) is Reason.SIGNED_REQUEST_MALFORMED


@pytest.mark.parametrize(
    "name",
    [
        b"X-Amz-Algorithm",
        b"X-Amz-Credential",
        b"X-Amz-Date",
        b"X-Amz-Expires",
        b"X-Amz-SignedHeaders",
        b"X-Amz-Signature",
    ],
)
@pytest.mark.parametrize("left", [b"", b"="])
def test_a_presigned_request_without_a_required_parameter_is_refused(name: bytes, left: bytes) -> None:
    pieces = PRESIGNED.request.query.split(b"&")
    kept = [piece for piece in pieces if not piece.startswith(name + b"=")] + ([name + left] if left else [])
    assert unreadable(PRESIGNED.with_request(query=b"&".join(kept))) is Reason.AUTHORIZATION_INCOMPLETE


@pytest.mark.parametrize(
    "extra", [b"X-Amz-Date=20150830T123600Z", b"x-amz-date=1", b"X-Amz-Expires=1", b"X-Amz-Signature"]
)
def test_a_query_parameter_of_the_credential_that_came_twice_is_refused(extra: bytes) -> None:
    assert (
        unreadable(PRESIGNED.with_request(query=PRESIGNED.request.query + b"&" + extra)) is Reason.CREDENTIAL_AMBIGUOUS
    )


@pytest.mark.parametrize("name", [b"x-amz-signature", b"X-AMZ-SIGNATURE", b"x-amz%2dsignature"])
def test_a_query_parameter_of_the_credential_in_another_spelling_is_refused(name: bytes) -> None:
    assert unreadable(PRESIGNED.with_query(b"X-Amz-Signature", name)) is Reason.AUTHORIZATION_MALFORMED


def test_a_presigned_request_of_another_algorithm_is_refused() -> None:
    changed = PRESIGNED.with_query(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256")
    assert unreadable(changed) is Reason.SIGNATURE_ALGORITHM_UNSUPPORTED


@pytest.mark.parametrize(
    "seconds", [b"0", b"-1", b"%2B60", b"060", b"60.0", b"6e1", b"604801", b"6048000", b"%2060", b"x"]
)
def test_a_lifetime_outside_one_second_to_a_week_is_refused(seconds: bytes) -> None:
    changed = PRESIGNED.with_query(b"X-Amz-Expires=60", b"X-Amz-Expires=" + seconds)
    assert unreadable(changed) is Reason.PRESIGNED_LIFETIME_INVALID


@pytest.mark.parametrize("seconds", [1, 604_800])
def test_a_lifetime_at_either_bound_is_read(seconds: int) -> None:
    changed = PRESIGNED.with_query(b"X-Amz-Expires=60", b"X-Amz-Expires=%d" % seconds)
    assert changed.read().expires == seconds


@pytest.mark.parametrize("name", [b"x-amz-date", b"x-amz-security-token"])
def test_a_presigned_request_with_part_of_a_credential_in_a_header_is_refused(name: bytes) -> None:
    assert unreadable(PRESIGNED.with_header(name, b"20150830T123600Z")) is Reason.CREDENTIAL_AMBIGUOUS


def test_a_payload_declared_in_header_and_query_is_refused() -> None:
    changed = PRESIGNED.with_header(b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD").with_request(
        query=PRESIGNED.request.query + b"&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
    )
    assert unreadable(changed) is Reason.CREDENTIAL_AMBIGUOUS


def test_a_security_token_with_a_line_break_in_the_query_is_refused() -> None:
    changed = PRESIGNED.with_query(b"session-token", b"session%0Atoken")
    assert unreadable(changed) is Reason.SESSION_TOKEN_MALFORMED


def test_a_refused_request_is_refused_by_verification_too() -> None:
    assert refused(SIGNED.with_header(b"x-amz-date", b"")) is Reason.SIGNATURE_DATE_MALFORMED


def test_what_stands_before_a_signature_means_the_same_each_time_it_comes() -> None:
    first, again = SIGNED.read(), SIGNED.with_header(b"authorization", VALUE.replace(SIGNATURE, b"0" * 64)).read()
    claims = [(one.access_key_id, one.scope, one.signed_headers) for one in (first, again)]
    assert claims[0] == claims[1]
    assert (first.signature, again.signature) == (SIGNATURE, b"0" * 64)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"/aws4_request", b"/aws5_request", Reason.CREDENTIAL_TERMINATOR),
        (b"SignedHeaders=content-type", b"SignedHeaders=Content-Type", Reason.SIGNED_HEADERS_MALFORMED),
        (b"Credential=", b"credential=", Reason.AUTHORIZATION_INCOMPLETE),
        (b", Signature=", b",  Signature=", Reason.AUTHORIZATION_MALFORMED),
    ],
)
def test_what_is_wrong_before_a_signature_is_refused_each_time_it_comes(
    before: bytes, after: bytes, reason: Reason
) -> None:
    wrong = SIGNED.with_header(b"authorization", VALUE.replace(before, after))
    assert [unreadable(wrong) for _ in range(2)] == [reason, reason]


def test_of_two_faults_the_date_is_told_before_the_signed_headers() -> None:
    value = VALUE.replace(b"SignedHeaders=content-type", b"SignedHeaders=Content-Type")
    assert (
        unreadable(SIGNED.without_header(b"x-amz-date").with_header(b"authorization", value))
        is Reason.AUTHORIZATION_INCOMPLETE
    )


@pytest.mark.parametrize("count", [10, 90])
def test_a_long_list_of_signed_headers_is_read_as_a_short_one_is(count: int) -> None:
    names = b";".join([b"host", *(b"x-amz-meta-%03d" % number for number in range(count))])
    value = VALUE.replace(b";".join(SIGNED.read().signed_headers), names)
    assert len(SIGNED.with_header(b"authorization", value).read().signed_headers) == count + 1


def test_a_long_session_token_is_read_as_a_short_one_is() -> None:
    for token in (b"t" * 700, b"t" * 4000):
        assert SIGNED.with_header(b"x-amz-security-token", token).read().session_token == token.decode()
        assert unreadable(SIGNED.with_header(b"x-amz-security-token", token + b" t")) is Reason.SESSION_TOKEN_MALFORMED
