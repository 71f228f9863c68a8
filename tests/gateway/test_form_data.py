# SPDX-License-Identifier: Apache-2.0
"""The reader of forms: however it is cut, a form is read in one way; what parsers may read differently is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import Reason, RequestError
from daypass.gateway.form_data import (
    MAX_HEAD_BYTES,
    MAX_PART_HEADER_BYTES,
    FormHead,
    FormReader,
    is_form,
    read_boundary,
)

B = b"----WebKitFormBoundaryA1"
KEY = b'Content-Disposition: form-data; name="key"\r\n\r\nuser/photo.jpg'
FILE = b'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'


def form(*parts: bytes, boundary: bytes = B, end: bytes = b"--\r\n") -> bytes:
    """Parts, each of headers and content, as a browser frames them."""
    opening = b"--" + boundary + b"\r\n"
    return opening + (b"\r\n" + opening).join(parts) + b"\r\n--" + boundary + end


def read(pieces: Sequence[bytes], boundary: bytes = B) -> tuple[FormHead, bytes, bytes]:
    """The head, the file, and the line break at the end."""
    reader = FormReader(boundary)
    data = b"".join([reader.feed(piece) for piece in pieces])
    reader.finish()
    assert reader.head is not None
    assert reader.file_length == len(data)
    return reader.head, data, reader.line_break


def outcome(pieces: Sequence[bytes]) -> tuple[FormHead, bytes, bytes] | Reason:
    try:
        return read(pieces)
    except RequestError as error:
        return error.reason


def cut(text: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def refusal(text: bytes) -> Reason:
    found = outcome([text])
    assert isinstance(found, Reason), found
    return found


@pytest.mark.parametrize("data", [b"", b"x", b"\r\n", b"\r\n--", b"\r\n--" + B[:-1], b"--" + B, b"\0" * 70_000])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_form_is_read_with_its_file_as_it_was(data: bytes, end: bytes) -> None:
    head, found, line_break = read([form(KEY, FILE + data, end=b"--" + end)])
    assert head.fields == (("key", "user/photo.jpg"),)
    assert (head.filename, found, line_break) == ("photo.jpg", data, end)
    assert head.length == len(form(KEY, FILE)) - len(b"\r\n--" + B + b"--\r\n")


fragments = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"--", b"\r\n--", B, B[:-1], b"\r\n--" + B, b"\0", b"x", b"\r\n\r\n", KEY, FILE, b'"', b";"]
)
soup = st.lists(fragments, max_size=12).map(b"".join)
bodies = st.one_of(
    st.builds(
        lambda data, end: form(KEY, FILE + data, end=end), soup, st.sampled_from([b"--", b"--\r\n", b"-", b"--\r"])
    ),
    st.builds(lambda value, data: form(KEY + value, FILE + data), soup, soup),
    soup,
)


@given(bodies, st.lists(st.integers(0, 2000), max_size=12))
def test_how_a_form_is_cut_into_pieces_makes_no_difference(text: bytes, places: list[int]) -> None:
    assert outcome(cut(text, places)) == outcome([text])


@given(bodies)
def test_a_form_that_comes_byte_by_byte_is_the_same(text: bytes) -> None:
    assert outcome([text[at : at + 1] for at in range(len(text))]) == outcome([text])


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_in_our_words(text: bytes) -> None:
    assert refusal(text) is Reason.POST_FORM_MALFORMED


@given(
    st.binary(max_size=500).filter(lambda data: b"\r\n--" + B not in data), st.lists(st.integers(0, 900), max_size=8)
)
def test_a_file_without_the_boundary_in_it_is_handed_on_whole(data: bytes, places: list[int]) -> None:
    assert read(cut(form(KEY, FILE + data), places))[1] == data


def test_what_is_handed_on_never_has_a_part_of_the_boundary_that_ends_the_form() -> None:
    reader, text = FormReader(B), form(KEY, FILE + b"data")
    assert b"".join([reader.feed(text[at : at + 1]) for at in range(len(text))]) == b"data"


SECOND_KEY = b'Content-Disposition: form-data; name="key"\r\n\r\nother/photo.jpg'
NESTED = b'Content-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n\r\n--x--'
ATTACKS = {
    "a field behind the file": form(KEY, FILE + b"data", SECOND_KEY),
    "a second file": form(KEY, FILE + b"data", FILE + b"more"),
    "a form inside the file": form(KEY, NESTED),
    "the boundary inside a value": form(KEY + b"\r\n--" + B + b"x", FILE),
    "the boundary inside the file": form(KEY, FILE + b"a\r\n--" + B + b"x\r\nb"),
    "the end of a form inside the file": form(KEY, FILE + b"a\r\n--" + B + b"--\r\nb"),
    "white space behind the boundary": form(KEY, FILE).replace(B + b"\r\n", B + b" \r\n"),
    "no end": form(KEY, FILE + b"data")[: -len(b"\r\n--" + B + b"--\r\n")],
    "half an end": form(KEY, FILE + b"data", end=b"-"),
    "half a line break at the end": form(KEY, FILE + b"data", end=b"--\r"),
    "text behind the form": form(KEY, FILE + b"data") + b"x",
    "two line breaks behind the form": form(KEY, FILE + b"data") + b"\r\n",
    "text before the form": b"preamble\r\n" + form(KEY, FILE),
    "a line break before the form": b"\r\n" + form(KEY, FILE),
    "line feeds alone": form(KEY, FILE).replace(b"\r\n", b"\n"),
    "no file": form(KEY),
    "no field at all": form()[len(B) + 4 :],
    "an empty form": b"--" + B + b"--\r\n",
    "a field without a disposition": form(b"Content-Type: text/plain\r\n\r\nx", FILE),
    "a field without headers": form(b"\r\n\r\nx", FILE),
    "two dispositions": form(b'Content-Disposition: form-data; name="acl"\r\n' + KEY, FILE),
    "two dispositions in other cases": form(b'content-disposition: form-data; name="acl"\r\n' + KEY, FILE),
    "two names": form(KEY.replace(b'"key"', b'"key"; name="acl"'), FILE),
    "no name": form(KEY.replace(b'; name="key"', b""), FILE),
    "an empty name": form(KEY.replace(b'"key"', b'""'), FILE),
    "a name with an escape": form(KEY.replace(b'"key"', b'"k\\ey"'), FILE),
    "a name with a quote": form(KEY.replace(b'"key"', b'"k\\"ey"'), FILE),
    "a name that is not ASCII": form(KEY.replace(b"key", "\u212aey".encode()), FILE),
    "a name that is not ended": form(KEY.replace(b'"key"', b'"key'), FILE),
    "text behind the name": form(KEY.replace(b'"key"', b'"key" x'), FILE),
    "a name in another encoding": form(KEY.replace(b'name="key"', b"name*=utf-8''key"), FILE),
    "a filename in another encoding": form(KEY, FILE.replace(b"; filename", b"; filename*=utf-8''x; filename")),
    "two filenames": form(KEY, FILE.replace(b"; filename", b'; filename="x"; filename')),
    "a filename of a field that is no file": form(KEY.replace(b'"key"', b'"key"; filename="x"'), FILE),
    "an attachment": form(KEY.replace(b"form-data", b"attachment"), FILE),
    "a NUL in a header": form(KEY.replace(b"key", b"k\0ey"), FILE),
    "a header that goes on in the next line": form(KEY.replace(b'; name="key"', b';\r\n name="key"'), FILE),
    "a header without a colon": form(b"Content-Disposition\r\n" + KEY, FILE),
    "white space before the colon": form(KEY.replace(b"Disposition:", b"Disposition :"), FILE),
    "a field in base64": form(b"Content-Transfer-Encoding: base64\r\n" + KEY, FILE),
    "a value that is not UTF-8": form(KEY + b"\xff", FILE),
    "a filename that is not UTF-8": form(KEY, FILE.replace(b"photo", b"\xff")),
    "too many headers": form(b"X-A: 1\r\n" * 8 + KEY, FILE),
    "a header of great length": form(b"X-A: " + b"a" * MAX_PART_HEADER_BYTES + b"\r\n" + KEY, FILE),
    "too many fields": form(*[b'Content-Disposition: form-data; name="a"\r\n\r\n'] * 101, FILE),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_what_parsers_may_read_differently_is_refused(attack: str) -> None:
    assert refusal(ATTACKS[attack]) is Reason.POST_FORM_MALFORMED


def test_fields_of_the_same_name_are_told_apart_by_nobody_here_but_all_handed_over() -> None:
    upper = SECOND_KEY.replace(b'"key"', b'"KEY"')
    assert [name for name, _ in read([form(KEY, upper, FILE)])[0].fields] == ["key", "KEY"]


@pytest.mark.parametrize(
    "more", [b"Content-Length: 14\r\n", b"Content-Transfer-Encoding: 8bit\r\n", b"Content-Type: text/plain\r\n"]
)
def test_headers_that_clients_add_are_passed_over(more: bytes) -> None:
    assert read([form(more + KEY, FILE)])[0].fields == (("key", "user/photo.jpg"),)


@pytest.mark.parametrize("disposition", [b"form-data; name=key", b'FORM-DATA;name="key"', b'form-data ; name="key" '])
def test_a_name_may_stand_without_quotes(disposition: bytes) -> None:
    part = b"Content-Disposition: " + disposition + b"\r\n\r\nv"
    assert read([form(part, FILE)])[0].fields == (("key", "v"),)


@pytest.mark.parametrize("name", [b"file", b"FILE", b"File"])
def test_the_file_is_found_whatever_the_letters_of_its_name(name: bytes) -> None:
    assert read([form(KEY, FILE.replace(b'"file"', b'"' + name + b'"') + b"data")])[1] == b"data"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("photo.jpg", "photo.jpg"),
        ("C:\\Program Files\\directory1\\file.txt", "file.txt"),
        ("../../etc/passwd", "passwd"),
        ("a/b\\c", "c"),
        ("a\\b/c", "c"),
        ("folder/", ""),
        ("", ""),
        ("Grüße 😀.jpg", "Grüße 😀.jpg"),
        ("a;b=c.jpg", "a;b=c.jpg"),
        ("..", ".."),
    ],
)
def test_of_the_name_of_a_file_the_last_part_counts(sent: str, taken: str) -> None:
    assert read([form(KEY, FILE.replace(b"photo.jpg", sent.encode()))])[0].filename == taken


def test_a_file_without_a_name_has_the_empty_one() -> None:
    assert read([form(KEY, FILE.replace(b'; filename="photo.jpg"', b""))])[0].filename == ""


def test_what_stands_before_the_file_may_be_20_kb_and_not_a_byte_more() -> None:
    rest = MAX_HEAD_BYTES - read([form(KEY, FILE)])[0].length
    assert read([form(KEY + b"x" * rest, FILE)])[0].length == MAX_HEAD_BYTES
    for pieces in (
        [form(KEY + b"x" * (rest + 1), FILE)],
        cut(form(KEY + b"x" * (rest + 1), FILE), range(0, 30_000, 7)),
    ):
        assert outcome(pieces) is Reason.POST_FORM_TOO_LARGE


def test_a_form_without_a_file_is_not_collected_without_end() -> None:
    reader = FormReader(B)
    reader.feed(b"--" + B + b"\r\n" + KEY)
    with pytest.raises(RequestError) as caught:
        reader.feed(b"x" * MAX_HEAD_BYTES)
    assert caught.value.reason is Reason.POST_FORM_TOO_LARGE


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data;boundary="a b"', b"a b"),
        (b"multipart/form-data; charset=UTF-8; Boundary=----WebKitFormBoundaryA1 ", B),
        (b"multipart/form-data; boundary=" + b"a" * 70, b"a" * 70),
    ],
)
def test_a_boundary_is_read(content_type: bytes, boundary: bytes) -> None:
    assert is_form(content_type)
    assert read_boundary(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary=""',
        b'multipart/form-data; boundary="a "',
        b"multipart/form-data; boundary=" + b"a" * 71,
        b"multipart/form-data; boundary=a; boundary=b",
        b"multipart/form-data; boundary=a; BOUNDARY=b",
        b"multipart/form-data; boundary=a, multipart/form-data; boundary=b",
        b"multipart/form-data; boundary=a b",
        b'multipart/form-data; boundary="a\\b"',
        b'multipart/form-data; boundary="a',
        b"multipart/form-data; boundary=a\xff",
        b"multipart/form-data; boundary*=utf-8''a",
        b"multipart/form-data; boundary=a; charset=utf-16",
        b"multipart/form-data; boundary=a; x=y",
        b"multipart/mixed; boundary=a",
    ],
)
def test_a_boundary_that_readers_may_take_for_another_is_refused(content_type: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_boundary(content_type)
    assert caught.value.reason is Reason.POST_FORM_MALFORMED
