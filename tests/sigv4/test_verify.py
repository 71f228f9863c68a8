# SPDX-License-Identifier: Apache-2.0
"""What a signature has to be for: this service, this region, now, these headers, this target, this body."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from math import nan

import msgspec
import pytest

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import (
    UNSIGNED_PAYLOAD,
    PathStyle,
    RawRequest,
    SigningKeyCache,
    read_authorization,
    refuse_unknown_key,
    verify_signature,
)
from sigv4.signing import HEADER_FORM, SECRET, Received, refused, sign, signed_by_botocore

SIGNED = sign(HEADER_FORM)
NOW = 1440938160.0
PRESIGNED = signed_by_botocore("GET", "http://sts.example.org/?Action=GetCallerIdentity", b"", expires=60)
DAY = 86_400


def message(received: Received, **changes: object) -> str:
    with pytest.raises(AuthenticationError) as caught:
        received.verify(**changes)
    return str(caught.value)


def test_a_signed_request_verifies() -> None:
    verified = SIGNED.verify()
    assert verified.access_key_id == "AKIDEXAMPLE"
    assert verified.session_token is None
    assert (verified.signed_at, verified.expires_at, verified.presigned) == (1440938160, None, False)
    assert verified.signed_headers == (b"content-type", b"host", b"x-amz-date")


def test_another_secret_is_refused() -> None:
    assert refused(SIGNED, secret=SECRET[:-1] + b"Z") is Reason.SIGNATURE_DOES_NOT_MATCH
    assert message(SIGNED, secret=b"") == (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )


def test_an_authorization_read_from_another_request_is_a_mistake_of_the_caller() -> None:
    copy = msgspec.structs.replace(SIGNED.request)
    with pytest.raises(ValueError, match="another request"):
        verify_signature(copy, SIGNED.read(), secret=SECRET, payload_hash="", services={"sts"}, now=NOW)


# 1. The scope


def test_the_scopes_service_must_be_the_endpoints() -> None:
    assert refused(SIGNED, services={"iam"}) is Reason.CREDENTIAL_SERVICE_MISMATCH
    assert message(SIGNED, services={"iam"}) == "Credential should be scoped to correct service: 'iam'."
    SIGNED.verify(services={"iam", "sts"})


def test_no_service_at_all_accepts_nothing() -> None:
    assert refused(SIGNED, services=set()) is Reason.CREDENTIAL_SERVICE_MISMATCH


def test_the_scopes_region_must_be_one_of_ours() -> None:
    assert refused(SIGNED, regions={"eu-west-1"}) is Reason.CREDENTIAL_REGION_MISMATCH
    assert message(SIGNED, regions=set()) == "Credential should be scoped to a valid region, not 'us-east-1'."


def test_any_region_is_accepted_where_none_are_named() -> None:
    SIGNED.verify(regions=None)


def test_the_scopes_date_must_be_the_day_of_signing() -> None:
    yesterday = sign(HEADER_FORM, scope="20150829/us-east-1/sts/aws4_request")
    assert refused(yesterday) is Reason.CREDENTIAL_DATE_MISMATCH
    assert message(yesterday) == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'20150829' != '20150830', from '20150830T123600Z'."
    )


# 2. The clock


@pytest.mark.parametrize("offset", [-900.0, 0.0, 900.0])
def test_a_clock_within_15_minutes_is_accepted_bounds_included(offset: float) -> None:
    SIGNED.verify(now=NOW + offset)


@pytest.mark.parametrize("late", [900.001, 901.0, 10.0 * DAY])
def test_a_header_signed_more_than_15_minutes_ago_is_refused(late: float) -> None:
    assert refused(SIGNED, now=NOW + late) is Reason.SIGNATURE_EXPIRED


@pytest.mark.parametrize("early", [900.001, 901.0, 10.0 * DAY])
def test_a_header_signed_more_than_15_minutes_ahead_is_refused(early: float) -> None:
    assert refused(SIGNED, now=NOW - early) is Reason.SIGNATURE_NOT_YET_CURRENT


def test_the_skew_is_the_callers_to_choose() -> None:
    SIGNED.verify(now=NOW + 300, skew=300)
    assert refused(SIGNED, now=NOW + 301, skew=300) is Reason.SIGNATURE_EXPIRED
    assert refused(SIGNED, now=NOW - 301, skew=300) is Reason.SIGNATURE_NOT_YET_CURRENT


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        SIGNED.verify(now=nan)


def test_refusals_for_the_clock_are_in_awss_words() -> None:
    assert message(SIGNED, now=NOW + 1200) == (
        "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z (20150830T125600Z - 15 min.)"
    )
    assert message(SIGNED, now=NOW - 1200) == (
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123100Z (20150830T121600Z + 15 min.)"
    )


@pytest.mark.parametrize("offset", [-900.0, 0.0, 59.0, 60.0])
def test_a_presigned_request_is_good_until_it_expires(offset: float) -> None:
    PRESIGNED.verify(now=PRESIGNED.now + offset)


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (-900.001, Reason.SIGNATURE_NOT_YET_CURRENT),
        (60.001, Reason.PRESIGNED_EXPIRED),
        (900.0, Reason.PRESIGNED_EXPIRED),
    ],
)
def test_a_presigned_request_is_refused_before_and_after(offset: float, reason: Reason) -> None:
    assert refused(PRESIGNED, now=PRESIGNED.now + offset) is reason


def test_a_presigned_request_may_live_for_a_week() -> None:
    week = signed_by_botocore("GET", "http://sts.example.org/?Action=GetCallerIdentity", b"", expires=7 * DAY)
    assert week.verify(now=week.now + 7 * DAY).expires_at == int(week.now) + 7 * DAY
    assert refused(week, now=week.now + 7 * DAY + 0.5) is Reason.PRESIGNED_EXPIRED


# 3. The headers


def test_a_request_whose_host_is_not_signed_is_refused() -> None:
    assert refused(sign(HEADER_FORM, signed=(b"content-type", b"x-amz-date"))) is Reason.HOST_NOT_SIGNED


def test_a_signed_host_that_is_absent_is_refused() -> None:
    hostless = sign(HEADER_FORM.without_header(b"host"), signed=(b"host", b"x-amz-date"))
    assert refused(hostless) is Reason.SIGNED_HEADER_ABSENT


@pytest.mark.parametrize("name", [b"x-amz-date", b"x-amz-content-sha256", b"x-amz-target", b"x-amz-"])
def test_an_amz_header_that_is_not_signed_is_refused(name: bytes) -> None:
    value = b"20150830T123600Z" if name == b"x-amz-date" else hashlib.sha256(HEADER_FORM.body).hexdigest().encode()
    received = sign(
        HEADER_FORM.with_header(name, value), signed=(b"host",) if name == b"x-amz-date" else (b"host", b"x-amz-date")
    )
    assert refused(received) is Reason.HEADER_NOT_SIGNED


def test_a_session_token_that_is_not_signed_is_refused() -> None:
    received = sign(HEADER_FORM.with_header(b"x-amz-security-token", b"t"), signed=(b"host", b"x-amz-date"))
    assert refused(received) is Reason.SESSION_TOKEN_NOT_SIGNED


def test_a_presigned_requests_amz_header_that_is_not_signed_is_refused() -> None:
    assert refused(PRESIGNED.with_header(b"x-amz-acl", b"public-read")) is Reason.HEADER_NOT_SIGNED


def test_a_date_header_that_stands_for_x_amz_date_must_be_signed() -> None:
    dated = HEADER_FORM.without_header(b"x-amz-date").with_header(b"date", b"Sun, 30 Aug 2015 12:36:00 GMT")
    assert refused(sign(dated, signed=(b"host",))) is Reason.HEADER_NOT_SIGNED
    sign(dated, signed=(b"date", b"host")).verify()


@pytest.mark.parametrize("name", [b"host", b"content-type"])
def test_a_signed_header_that_came_twice_is_refused(name: bytes) -> None:
    twice = SIGNED.with_headers(*SIGNED.request.headers, (name, SIGNED.header(name)))
    assert refused(twice) is Reason.SIGNED_HEADER_REPEATED


# 4. The target


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"*",
        b"a",
        b"http://sts.example.org/",
        b"/.",
        b"/..",
        b"/a/../b",
        b"/%2e%2e/b",
        b"/%2E./b",
        b"/a%2F..%2Fb",
        b"/a%2f%2e",
        b"/a%00",
        b"/a\n",
        b"/a\x7f",
        b"/\xff",
        b"/%ff",
        b"/%c0%ae%c0%ae/",
        b"/a?b",
        b"/a#b",
        b"/a\\b",
    ],
)
@pytest.mark.parametrize("style", PathStyle)
def test_a_path_that_readers_may_read_differently_is_refused(path: bytes, style: PathStyle) -> None:
    assert refused(replace(SIGNED, style=style).with_request(path=path)) is Reason.SIGNED_PATH_REFUSED


@pytest.mark.parametrize("escape", [b"%01", b"%09", b"%0A", b"%0d", b"%1F", b"%7f"])
def test_an_escaped_control_character_is_part_of_a_key_in_s3_and_refused_elsewhere(escape: bytes) -> None:
    received = replace(HEADER_FORM, style=PathStyle.RAW).with_request(path=b"/bucket/a" + escape)
    signed = sign(received, path=b"/bucket/a" + escape.upper())
    signed.verify()
    assert refused(signed, path_style=PathStyle.NORMALISED) is Reason.SIGNED_PATH_REFUSED


@pytest.mark.parametrize("style", PathStyle)
def test_a_path_with_a_broken_escape_is_refused(style: PathStyle) -> None:
    assert refused(replace(SIGNED, style=style).with_request(path=b"/%zz")) is Reason.SIGNED_REQUEST_MALFORMED


def test_an_empty_segment_is_a_key_in_s3_and_refused_elsewhere() -> None:
    received = sign(replace(HEADER_FORM, style=PathStyle.RAW).with_request(path=b"/bucket//key"))
    received.verify()
    assert refused(received, path_style=PathStyle.NORMALISED) is Reason.SIGNED_PATH_REFUSED


def test_a_plus_sign_in_a_path_is_itself_outside_s3_and_refused_in_s3() -> None:
    sign(HEADER_FORM.with_request(path=b"/a+b"), path=b"/a%2Bb").verify()
    received = replace(HEADER_FORM, style=PathStyle.RAW).with_request(path=b"/a+b")
    assert refused(sign(received, path=b"/a%2Bb")) is Reason.SIGNED_PATH_REFUSED


@pytest.mark.parametrize("path", [b"/bucket/key%20with%2Fslash", b"/a.b/..c/...", b"/a/"])
def test_an_s3_path_is_encoded_once_and_any_other_twice(path: bytes) -> None:
    once, twice = path, path.replace(b"%", b"%25")
    sign(replace(HEADER_FORM, style=PathStyle.RAW).with_request(path=path), path=once).verify()
    sign(HEADER_FORM.with_request(path=path), path=twice).verify()


@pytest.mark.parametrize("query", [b"a=1&&b=2", b"=1", b"a=1&", b"a=b+c", b"a+b=c", b"a=2&a=1", b"a=b&a=", b"a=1#b"])
def test_a_query_that_readers_may_read_differently_is_refused(query: bytes) -> None:
    assert refused(SIGNED.with_request(query=query)) is Reason.SIGNED_QUERY_REFUSED


def test_repeated_parameters_in_the_order_of_signing_are_accepted() -> None:
    sign(HEADER_FORM.with_request(query=b"a=1&a=2&b=0&a=3")).verify()


# 5. The payload


def with_payload(word: str, body: bytes = HEADER_FORM.body) -> Received:
    received = replace(HEADER_FORM, body=body).with_header(b"x-amz-content-sha256", word.encode())
    return sign(received, payload=word)


def test_a_declared_hash_that_is_the_bodys_is_accepted() -> None:
    word = hashlib.sha256(HEADER_FORM.body).hexdigest()
    assert with_payload(word).verify().payload == word


def test_a_declared_hash_of_another_body_is_refused_though_it_is_signed() -> None:
    assert refused(with_payload(hashlib.sha256(b"other").hexdigest())) is Reason.PAYLOAD_HASH_MISMATCH


@pytest.mark.parametrize(
    "word",
    [
        UNSIGNED_PAYLOAD,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "unsigned-payload",
        "",
        hashlib.sha256(HEADER_FORM.body).hexdigest().upper(),
        hashlib.sha256(HEADER_FORM.body).hexdigest()[:-1],
        "é",
    ],
)
def test_any_other_word_for_the_payload_is_refused_though_it_is_signed(word: str) -> None:
    assert refused(with_payload(word)) is Reason.PAYLOAD_HASH_UNSUPPORTED


def test_an_accepted_word_is_accepted_and_shown_as_what_was_signed() -> None:
    received = with_payload(UNSIGNED_PAYLOAD)
    assert received.verify(accepted_payloads={UNSIGNED_PAYLOAD}).payload == UNSIGNED_PAYLOAD
    streaming = with_payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert refused(streaming, accepted_payloads={UNSIGNED_PAYLOAD}) is Reason.PAYLOAD_HASH_UNSUPPORTED


def test_a_presigned_request_covers_the_body_unless_unsigned_ones_are_accepted() -> None:
    assert PRESIGNED.verify().payload == hashlib.sha256(b"").hexdigest()
    assert refused(replace(PRESIGNED, body=b"x")) is Reason.SIGNATURE_DOES_NOT_MATCH
    assert refused(PRESIGNED, accepted_payloads={UNSIGNED_PAYLOAD}) is Reason.SIGNATURE_DOES_NOT_MATCH


@pytest.mark.parametrize("word", [UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_a_presigned_request_that_declares_no_hash_in_its_query_is_refused(word: str) -> None:
    received = PRESIGNED.with_request(query=PRESIGNED.request.query + b"&X-Amz-Content-Sha256=" + word.encode())
    assert refused(received) is Reason.PAYLOAD_HASH_UNSUPPORTED


# 6. The key


def test_cached_keys_verify_and_are_derived_once_for_each_scope_and_secret() -> None:
    keys = SigningKeyCache()
    for _ in range(3):
        SIGNED.verify(secret=keys.of(SECRET))
    assert len(keys) == 1
    assert refused(SIGNED, secret=keys.of(b"another")) is Reason.SIGNATURE_DOES_NOT_MATCH
    SIGNED.verify(secret=keys.of(SECRET))
    assert len(keys) == 2


def test_a_cache_of_keys_stays_within_its_capacity_and_drops_the_least_recently_used() -> None:
    keys = SigningKeyCache(capacity=2)
    authorization = SIGNED.read()
    first = keys.of(b"1")(authorization)
    keys.of(b"2")(authorization)
    assert keys.of(b"1")(authorization) is first  # found, and now the most recent
    keys.of(b"3")(authorization)
    assert len(keys) == 2
    assert keys.of(b"1")(authorization) is first
    with pytest.raises(ValueError, match="capacity"):
        SigningKeyCache(capacity=0)


@pytest.mark.parametrize(
    "change", [{"access_key_id": "OTHER"}, {"date": "20150831"}, {"region": "eu-west-1"}, {"service": "iam"}]
)
def test_a_cached_key_is_found_for_its_own_scope_only(change: dict[str, str]) -> None:
    keys = SigningKeyCache()
    authorization = SIGNED.read()
    keys.of(SECRET)(authorization)
    keys.of(SECRET)(msgspec.structs.replace(authorization, **change))
    assert len(keys) == 2


DUMMY = b"d" * 40


def refuse(received: Received, secret: bytes = DUMMY, **changes: float) -> Reason:
    authorization = read_authorization(received.request)
    assert authorization is not None
    with pytest.raises(AuthenticationError) as caught:
        refuse_unknown_key(
            received.request,
            authorization,
            secret=secret,
            payload_hash=hashlib.sha256(received.body).hexdigest(),
            services={"sts"},
            now=changes.get("now", received.now),
        )
    return caught.value.reason


def test_an_unknown_key_is_refused_as_a_wrong_secret_is() -> None:
    assert refuse(SIGNED) is Reason.SIGNATURE_DOES_NOT_MATCH
    assert refuse(SIGNED, now=NOW + 901) is refused(SIGNED, now=NOW + 901) is Reason.SIGNATURE_EXPIRED


def test_an_unknown_key_is_refused_even_when_the_dummy_secret_signed() -> None:
    assert refuse(SIGNED, SECRET) is Reason.SIGNATURE_DOES_NOT_MATCH


def test_an_unsigned_request_has_nothing_to_verify() -> None:
    assert read_authorization(RawRequest("GET", b"/", b"", [(b"host", b"a")])) is None
