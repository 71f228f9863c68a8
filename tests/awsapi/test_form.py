# SPDX-License-Identifier: Apache-2.0
"""Forms are read strictly, within limits, and quickly whatever they contain."""

from __future__ import annotations

import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.awsapi import limits
from daypass.awsapi.form import parse_form
from daypass.errors import Reason, RequestError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", {}),
        (b"A=", {"A": ""}),
        (b"Action=Wave&Version=1", {"Action": "Wave", "Version": "1"}),
        (b"A=1+2", {"A": "1 2"}),
        (b"A=1%2B2", {"A": "1+2"}),
        (b"A=%253A", {"A": "%3A"}),
        (b"A=a=b==", {"A": "a=b=="}),
        (b"%41%2e1=x", {"A.1": "x"}),
        (b"A=%c3%A9", {"A": "é"}),
        (b"A=%C3%A9%20x", {"A": "é x"}),
        (b"A=%F0%9F%94%91", {"A": "🔑"}),
        ("A=é".encode(), {"A": "é"}),
        ("A=é%C3%A9".encode(), {"A": "éé"}),
        (b"A=1;B=2", {"A": "1;B=2"}),
    ],
)
def test_a_form_is_decoded(data: bytes, form: dict[str, str]) -> None:
    assert parse_form(data) == form


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=8))
def test_what_the_standard_library_encodes_is_read_back(form: dict[str, str]) -> None:
    assert parse_form(urlencode(form).encode()) == form
    assert parse_form(urlencode(form, quote_via=quote).encode()) == form
    assert list(parse_form(urlencode(form, quote_via=quote_plus).encode())) == list(form)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A", Reason.MALFORMED_REQUEST),
        (b"=1", Reason.MALFORMED_REQUEST),
        (b"&", Reason.MALFORMED_REQUEST),
        (b"A=1&", Reason.MALFORMED_REQUEST),
        (b"&A=1", Reason.MALFORMED_REQUEST),
        (b"A=1&&B=2", Reason.MALFORMED_REQUEST),
        (b"A=%", Reason.MALFORMED_REQUEST),
        (b"A=%4", Reason.MALFORMED_REQUEST),
        (b"A=%4g", Reason.MALFORMED_REQUEST),
        (b"A=%+1", Reason.MALFORMED_REQUEST),
        (b"A=%%41", Reason.MALFORMED_REQUEST),
        (b"A%=1", Reason.MALFORMED_REQUEST),
        ("A=%４１".encode(), Reason.MALFORMED_REQUEST),
        (b"A=%u0041", Reason.MALFORMED_REQUEST),
        (b"A=\0", Reason.MALFORMED_REQUEST),
        (b"A=%00", Reason.MALFORMED_REQUEST),
        (b"A=%C3%A9%00", Reason.MALFORMED_REQUEST),
        (b"A%00=1", Reason.MALFORMED_REQUEST),
        (b"A=\xff", Reason.MALFORMED_REQUEST),
        (b"A=%FF", Reason.MALFORMED_REQUEST),
        (b"A=%C3", Reason.MALFORMED_REQUEST),
        (b"A=%C3x%A9", Reason.MALFORMED_REQUEST),
        (b"A=%C0%80", Reason.MALFORMED_REQUEST),
        (b"A=%ED%A0%80", Reason.MALFORMED_REQUEST),
        (b"A=\xed\xa0\x80", Reason.MALFORMED_REQUEST),
        (b"A=1&A=1", Reason.DUPLICATE_PARAMETER),
        (b"A=1&B=2&A=3", Reason.DUPLICATE_PARAMETER),
        (b"Action=A&%41ction=B", Reason.DUPLICATE_PARAMETER),
    ],
)
def test_a_form_that_could_be_read_in_two_ways_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(RequestError) as caught:
        parse_form(data)
    assert caught.value.reason is reason


def test_a_form_of_the_greatest_size_is_read_and_one_byte_more_is_refused() -> None:
    largest = b"A=" + b"x" * (limits.MAX_FORM_BYTES - 2)
    assert len(parse_form(largest)["A"]) == limits.MAX_FORM_BYTES - 2
    with pytest.raises(RequestError) as caught:
        parse_form(largest + b"x")
    assert caught.value.reason is Reason.REQUEST_TOO_LARGE


def test_a_form_of_the_greatest_number_of_parameters_is_read_and_one_more_is_refused() -> None:
    pairs = [b"A%d=" % number for number in range(limits.MAX_PARAMETERS + 1)]
    assert len(parse_form(b"&".join(pairs[:-1]))) == limits.MAX_PARAMETERS
    with pytest.raises(RequestError) as caught:
        parse_form(b"&".join(pairs))
    assert caught.value.reason is Reason.REQUEST_TOO_LARGE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A=" + b"x" * 10_000_000, Reason.REQUEST_TOO_LARGE),
        (b"&".join(b"A%d=1" % number for number in range(100_000)), Reason.REQUEST_TOO_LARGE),
        (b"&" * 1_000_000, Reason.REQUEST_TOO_LARGE),
        (b"A=" + b"%41" * 340_000 + b"%", Reason.MALFORMED_REQUEST),
        (b"A=" + b"%C3%A9" * 170_000 + b"%C3", Reason.MALFORMED_REQUEST),
        (b"A=" + b"+" * 1_000_000 + b"%", Reason.MALFORMED_REQUEST),
        (b"=" * 1_000_000, Reason.MALFORMED_REQUEST),
    ],
    ids=["10 MB", "100 000 parameters", "ampersands", "escapes", "escapes of UTF-8", "spaces", "equals signs"],
)
def test_a_hostile_form_is_refused_quickly(data: bytes, reason: Reason) -> None:
    started = time.process_time()
    with pytest.raises(RequestError) as caught:
        parse_form(data)
    assert time.process_time() - started < 1
    assert caught.value.reason is reason


@pytest.mark.parametrize("name", ["eyJhbGciOiJSUzI1NiJ9" * 4, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a\nb"])
def test_a_name_that_cannot_be_one_of_awss_is_not_quoted(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_form(urlencode([(name, ""), (name, "")]).encode())
    assert name not in str(caught.value)


@given(st.binary(max_size=200) | st.text("A=&%+0gé\0", max_size=40).map(str.encode))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        form = parse_form(data)
    except RequestError:
        return
    assert all(name and "\0" not in name + value for name, value in form.items())
