# SPDX-License-Identifier: Apache-2.0
"""
No byte of a signed request can change unnoticed.

Every byte of every request of AWS's suite that verifies is changed in each of its eight bits: method, path, query, each
header's value (the Authorization header's and so the signature among them) and body. What may change without a refusal is
listed in ``means_the_same`` and in the table of invisible changes, each with the reason why nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4 import PathStyle, read_authorization
from daypass.sigv4.canonical import parse_query
from sigv4.signing import HEADER_FORM, Received, Vector, all_vectors, refused, require_vectors, sign
from sigv4.test_vectors import REFUSED, TOKEN_AFTER

ACCEPTED = [vector for vector in all_vectors() if vector.name not in REFUSED and vector.name != TOKEN_AFTER]


def flips(text: bytes) -> Iterator[bytes]:
    """The text with each bit of each byte flipped in turn."""
    for position, byte in enumerate(text):
        for bit in range(8):
            yield b"%b%c%b" % (text[:position], byte ^ (1 << bit), text[position + 1 :])


def means_the_same(before: Received, after: Received) -> bool:
    """The one flip that is not a change: a hexadecimal digit of a percent escape in the other case (``%2f``, ``%2F``)."""
    old, new = before.request.query, after.request.query
    if old == new or old.lower() != new.lower():
        return False
    return parse_query(old) == parse_query(new)


def altered(received: Received) -> Iterator[Received]:
    """Every single-bit change of a request that a reader could see."""
    for text in flips(received.request.method.encode()):
        yield received.with_request(method=text.decode("latin-1"))
    for text in flips(received.request.path):
        yield received.with_request(path=text)
    for text in flips(received.request.query):
        yield received.with_request(query=text)
    for text in flips(received.body):
        yield replace(received, body=text)
    headers = list(received.request.headers)
    for index, (name, value) in enumerate(headers):
        for text in flips(value):
            yield received.with_headers(*headers[:index], (name, text), *headers[index + 1 :])


def accepted(received: Received) -> bool:
    try:
        if read_authorization(received.request) is None:
            return False  # the change left no credential at all, so the request is unsigned
        received.verify()
    except AuthenticationError:
        return False
    return True


@pytest.mark.parametrize("vector", ACCEPTED, ids=str)
def test_every_flipped_bit_of_a_signed_request_is_refused(vector: Vector) -> None:
    signed = {b"authorization", *vector.received.read().signed_headers}
    assert all(name in signed for name, _ in vector.received.request.headers), "no header here is unsigned"
    kept = [change for change in altered(vector.received) if accepted(change)]
    assert [change for change in kept if not means_the_same(vector.received, change)] == []


def test_the_suite_has_requests_to_alter() -> None:
    require_vectors()
    assert len(ACCEPTED) == 48


SIGNED = sign(HEADER_FORM.with_request(path=b"/a%2Fb%c3%a9", query=b"a=%C3%A9&b="), path=b"/a%252Fb%25c3%25a9")
SIGNED_RAW = sign(
    replace(HEADER_FORM, style=PathStyle.RAW).with_request(path=b"/a%2Fb%c3%a9", query=b"a=%C3%A9&b="),
    path=b"/a%2Fb%C3%A9",
)

INVISIBLE: dict[str, tuple[Received, Callable[[Received], Received]]] = {
    # RFC 9110 section 5.3: the order of different headers has no meaning.
    "order of headers": (SIGNED, lambda r: r.with_headers(*reversed(r.request.headers))),
    # AWS's Trimall: white space around a value and runs of it inside are not signed, and RFC 9110 gives them no meaning.
    "white space around a value": (SIGNED, lambda r: r.with_header(b"host", b" \tsts.example.org \t")),
    "run of spaces in a value": (
        SIGNED,
        lambda r: r.with_header(b"content-type", b"application/x-www-form-urlencoded;  charset=utf-8"),
    ),
    "tab for a space in a value": (
        SIGNED,
        lambda r: r.with_header(b"content-type", b"application/x-www-form-urlencoded;\tcharset=utf-8"),
    ),
    # A header that the client did not sign is anybody's: nothing may be decided by one.
    "value of an unsigned header": (SIGNED, lambda r: r.with_header(b"user-agent", b"changed")),
    "unsigned header added": (SIGNED, lambda r: r.with_header(b"x-forwarded-for", b"192.0.2.1")),
    "unsigned header removed": (SIGNED, lambda r: r.without_header(b"user-agent")),
    "unsigned header repeated": (SIGNED, lambda r: r.with_headers(*r.request.headers, (b"user-agent", b"again"))),
    # The space after a comma of the Authorization header; some signers write none.
    "space after a comma": (SIGNED, lambda r: r.with_authorization(b", ", b",")),
    # The query is signed decoded and sorted: names and values are what they were.
    "order of parameters": (SIGNED, lambda r: r.with_request(query=b"b=&a=%C3%A9")),
    "equals sign of an empty parameter": (SIGNED, lambda r: r.with_request(query=b"a=%C3%A9&b")),
    "case of an escape in the query": (SIGNED, lambda r: r.with_request(query=b"a=%c3%a9&b=")),
    "escape for an unreserved character in the query": (SIGNED, lambda r: r.with_request(query=b"%61=%C3%A9&b=")),
    "raw byte for an escape in the query": (SIGNED, lambda r: r.with_request(query=b"a=\xc3\xa9&b=")),
    # In S3's style the path is signed as decoded once, which is the key.
    "case of an escape in an S3 path": (SIGNED_RAW, lambda r: r.with_request(path=b"/a%2fb%C3%A9")),
    "escape for an unreserved character in an S3 path": (SIGNED_RAW, lambda r: r.with_request(path=b"/%61%2Fb%C3%A9")),
}


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_change_without_meaning_does_not_break_the_signature(name: str) -> None:
    received, change = INVISIBLE[name]
    changed = change(received)
    assert changed != received
    assert changed.verify() == received.verify()


VISIBLE: dict[str, tuple[Received, Callable[[Received], Received], Reason]] = {
    "escaped slash for a slash, S3": (
        SIGNED_RAW,
        lambda r: r.with_request(path=b"/a/b%C3%A9"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "case of an escape in a path outside S3": (
        SIGNED,
        lambda r: r.with_request(path=b"/a%2fb%c3%a9"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "parameter added": (SIGNED, lambda r: r.with_request(query=b"a=%C3%A9&b=&c="), Reason.SIGNATURE_DOES_NOT_MATCH),
    "empty parameter added": (SIGNED, lambda r: r.with_request(query=b"a=%C3%A9&b=&"), Reason.SIGNED_QUERY_REFUSED),
    "parameter split": (SIGNED, lambda r: r.with_request(query=b"a=%C3&%A9&b="), Reason.SIGNATURE_DOES_NOT_MATCH),
    "signed header removed": (SIGNED, lambda r: r.without_header(b"content-type"), Reason.SIGNED_HEADER_ABSENT),
    "signed header added again": (
        SIGNED,
        lambda r: r.with_headers(*r.request.headers, (b"content-type", b"text/plain")),
        Reason.SIGNED_HEADER_REPEATED,
    ),
    "amz header added": (SIGNED, lambda r: r.with_header(b"x-amz-target", b"x"), Reason.HEADER_NOT_SIGNED),
    "host in other case": (
        SIGNED,
        lambda r: r.with_header(b"host", b"STS.example.org"),
        Reason.SIGNATURE_DOES_NOT_MATCH,
    ),
    "body added": (SIGNED, lambda r: replace(r, body=r.body + b"&"), Reason.SIGNATURE_DOES_NOT_MATCH),
    "dot segments that resolve to the signed path": (
        sign(HEADER_FORM),
        lambda r: r.with_request(path=b"/x/.."),
        Reason.SIGNED_PATH_REFUSED,
    ),
    "plus sign for an escaped one, which readers take for a space": (
        sign(HEADER_FORM.with_request(query=b"a=%2B")),
        lambda r: r.with_request(query=b"a=+"),
        Reason.SIGNED_QUERY_REFUSED,
    ),
    "values of a repeated parameter swapped": (
        sign(HEADER_FORM.with_request(query=b"a=1&a=2")),
        lambda r: r.with_request(query=b"a=2&a=1"),
        Reason.SIGNED_QUERY_REFUSED,
    ),
}


@pytest.mark.parametrize("name", VISIBLE)
def test_a_change_with_meaning_is_refused(name: str) -> None:
    received, change, reason = VISIBLE[name]
    received.verify()
    assert refused(change(received)) is reason


# Edits of several bytes at once, judged by what a reader who knows nothing of signatures would see.

ORIGINALS = {
    style: sign(
        replace(HEADER_FORM, style=style)
        .with_request(path=b"/a/b%20c", query=b"a=%2B1&a=2&b=")
        .with_header(b"x-amz-meta-a", b"v, w"),
        path=b"/a/b%20c" if style is PathStyle.RAW else b"/a/b%2520c",
    )
    for style in PathStyle
}
FRAGMENTS = (
    *(
        b"",
        b"/",
        b"//",
        b"/.",
        b"/..",
        b"/x/..",
        b"%2F",
        b"%2f",
        b"%2e",
        b"%20",
        b"%2520",
        b" ",
        b"  ",
        b"+",
        b"%2B",
        b"%",
    ),
    *(
        b"a",
        b"b",
        b"a=",
        b"&",
        b"=",
        b"&&",
        b";",
        b"%3D",
        b"%26",
        b"a=2",
        b"a=%2B1",
        b"?",
        b"#",
        b"\\",
        b"%00",
        b"\n",
        b"\t",
    ),
    *(
        b",",
        b", ",
        b"host",
        b"v",
        b"X-Amz-Date=1",
        b"x-amz-meta-a",
        b"Signature=",
        b"Credential=",
        b"\xc3\xa9",
        b"%C3%A9",
    ),
)
edits = st.lists(
    st.tuples(
        st.sampled_from(["path", "query", "host", "content-type", "x-amz-date", "x-amz-meta-a", "authorization"]),
        st.integers(0, 60),
        st.integers(0, 8),
        st.sampled_from(FRAGMENTS),
    ),
    min_size=1,
    max_size=3,
)


def edited(received: Received, part: str, start: int, length: int, fragment: bytes) -> Received:
    """The request with some bytes of a part cut out and others put in their place."""
    if part in ("path", "query"):
        text: bytes = getattr(received.request, part)
    else:
        text = received.header(part.encode())
    text = text[:start] + fragment + text[start + length :]
    if part in ("path", "query"):
        return received.with_request(**{part: text})
    return received.with_header(part.encode(), text)


def seen(received: Received) -> tuple[object, ...]:
    """What a reader sees: the path (S3: the decoded key), the form's fields, the headers without idle white space."""
    path, query = received.request.path, received.request.query.decode("latin-1")
    key = [unquote_to_bytes(part) for part in path.split(b"/")] if received.style is PathStyle.RAW else path
    fields = parse_qs(query, keep_blank_values=True, encoding="latin-1")
    headers = {name: value.split() for name, value in received.request.headers if name != b"authorization"}
    return received.request.method, key, fields, headers, received.body


@pytest.mark.parametrize("style", PathStyle)
@settings(max_examples=1500)
@given(edits)
@example([("query", 2, 3, b"+")])
@example([("query", 0, 9, b"a=2&a=%2B1")])
@example([("path", 2, 0, b"/x/..")])
@example([("path", 4, 3, b"+")])
def test_an_edited_request_that_still_verifies_reads_the_same(
    style: PathStyle, changes: list[tuple[str, int, int, bytes]]
) -> None:
    original = changed = ORIGINALS[style]
    for change in changes:
        changed = edited(changed, *change)
    assert not accepted(changed) or seen(changed) == seen(original)


@pytest.mark.parametrize("style", PathStyle)
def test_the_originals_of_the_edits_verify(style: PathStyle) -> None:
    ORIGINALS[style].verify()
