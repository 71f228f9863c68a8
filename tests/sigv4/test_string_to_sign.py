# SPDX-License-Identifier: Apache-2.0
"""Strings to sign that somebody else computed: read strictly, and verified for here and for now."""

from __future__ import annotations

import hmac

import pytest

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import UnverifiedString, derive_signing_key, read_string_to_sign, verify_string_to_sign
from daypass.sigv4.timestamp import instant_of

SECRET = b"a-secret-of-forty-characters-no-more-no-l"
TEXT = b"AWS4-HMAC-SHA256\n20300102T030405Z\n20300102/us-east-1/s3/aws4_request\n" + b"0a" * 32
NOW = float(instant_of(b"20300102T030405Z"))


def signed(text: bytes = TEXT, region: str = "us-east-1", service: str = "s3") -> str:
    return hmac.digest(derive_signing_key(SECRET, "20300102", region, service), text, "sha256").hex()


def read(text: bytes = TEXT, *, access_key_id: str = "AKIAEXAMPLE", signature: str | None = None) -> UnverifiedString:
    shown = signed(text) if signature is None else signature
    return read_string_to_sign(text, access_key_id=access_key_id, signature=shown)


def verify(unverified: UnverifiedString, now: float = NOW, secret: bytes = SECRET) -> None:
    verify_string_to_sign(
        unverified, secret=secret, services=frozenset(["s3"]), regions=frozenset(["us-east-1"]), now=now
    )


def test_a_string_that_the_holder_of_the_secret_signed_verifies() -> None:
    verify(read())


MALFORMED = {
    "empty": b"",
    "version 2": b"GET\n\n\nThu, 17 Nov 2005 18:49:58 GMT\n/bucket/key",
    "another algorithm": TEXT.replace(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"),
    "a line more": TEXT + b"\n",
    "a line less": TEXT.rpartition(b"\n")[0],
    "carriage returns": TEXT.replace(b"\n", b"\r\n"),
    "a digest in capitals": TEXT.replace(b"0a", b"0A"),
    "a digest too short": TEXT[:-1],
    "another terminator": TEXT.replace(b"aws4_request", b"aws5_request"),
    "a slash more": TEXT.replace(b"/s3/", b"/s3//"),
    "a date that is none": TEXT.replace(b"20300102T030405Z", b"today"),
    "too long": TEXT.replace(b"us-east-1", b"u" * 65),
    "a word instead of the digest": TEXT.rpartition(b"\n")[0] + b"\nUNSIGNED-PAYLOAD",
    "not ASCII": TEXT.replace(b"us-east-1", "ü".encode()),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_anything_but_four_lines_of_version_4_is_refused(text: bytes) -> None:
    with pytest.raises(AuthenticationError) as refused:
        read(text)
    assert refused.value.reason is Reason.STRING_TO_SIGN_REFUSED


def test_a_date_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AuthenticationError) as refused:
        read(TEXT.replace(b"20300102T", b"20301302T"))
    assert refused.value.reason is Reason.SIGNATURE_DATE_MALFORMED


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"access_key_id": ""}, Reason.CREDENTIAL_MALFORMED),
        ({"access_key_id": "AKIA/x"}, Reason.CREDENTIAL_MALFORMED),
        ({"access_key_id": "A" * 129}, Reason.CREDENTIAL_MALFORMED),
        ({"signature": ""}, Reason.SIGNATURE_MALFORMED),
        ({"signature": "A" * 64}, Reason.SIGNATURE_MALFORMED),
        ({"signature": "a" * 63}, Reason.SIGNATURE_MALFORMED),
    ],
)
def test_a_key_id_and_a_signature_have_one_form(more: dict[str, str], reason: Reason) -> None:
    with pytest.raises(AuthenticationError) as refused:
        read(access_key_id=more.get("access_key_id", "AKIAEXAMPLE"), signature=more.get("signature"))
    assert refused.value.reason is reason


@pytest.mark.parametrize("seconds", [-900, 0, 900])
def test_the_clock_may_be_wrong_by_fifteen_minutes(seconds: int) -> None:
    verify(read(), NOW + seconds)


@pytest.mark.parametrize(
    ("seconds", "reason"), [(901, Reason.SIGNATURE_EXPIRED), (-901, Reason.SIGNATURE_NOT_YET_CURRENT)]
)
def test_the_clock_may_not_be_wrong_by_a_second_more(seconds: int, reason: Reason) -> None:
    with pytest.raises(AuthenticationError) as refused:
        verify(read(), NOW + seconds)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.replace(b"/s3/", b"/sts/"), Reason.CREDENTIAL_SERVICE_MISMATCH),
        (TEXT.replace(b"us-east-1", b"us-east-2"), Reason.CREDENTIAL_REGION_MISMATCH),
        (TEXT.replace(b"\n20300102/", b"\n20300103/"), Reason.CREDENTIAL_DATE_MISMATCH),
    ],
)
def test_a_string_for_elsewhere_is_refused_though_it_is_signed(text: bytes, reason: Reason) -> None:
    with pytest.raises(AuthenticationError) as refused:
        verify(read(text, signature=signed(text)))
    assert refused.value.reason is reason


@pytest.mark.parametrize("forged", [signed(TEXT[:-1] + b"b"), signed(region="us-east-2"), "0" * 64])
def test_a_signature_of_another_string_or_scope_does_not_match(forged: str) -> None:
    with pytest.raises(AuthenticationError) as refused:
        verify(read(signature=forged))
    assert refused.value.reason is Reason.SIGNATURE_DOES_NOT_MATCH


def test_neither_the_string_nor_the_signature_is_printed() -> None:
    assert signed() not in repr(read())
