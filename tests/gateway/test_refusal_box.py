# SPDX-License-Identifier: Apache-2.0
"""A refusal that goes through nginx in a header comes out as it went in, or not at all."""

from __future__ import annotations

import base64

import pytest

from daypass.gateway.denials import Denial
from daypass.gateway.refusal_box import open_refusal, seal_refusal

SECRET = b"the-proxys-secret"
TOLD = Denial(404, ((b"content-type", b"application/xml"),), "<Error>größe</Error>".encode(), "NoSuchKey")


def test_a_refusal_opens_as_it_was() -> None:
    box = seal_refusal(TOLD, SECRET)
    assert box.isascii()
    assert open_refusal(box, SECRET) == (404, [(b"content-type", b"application/xml")], TOLD.body)


def test_a_refusal_opens_with_the_secret_it_was_sealed_with_only() -> None:
    assert open_refusal(seal_refusal(TOLD, SECRET), b"another") is None


@pytest.mark.parametrize("place", [0, 16, 31, 32, 40, -1])
def test_a_refusal_that_was_altered_in_one_bit_does_not_open(place: int) -> None:
    data = bytearray(base64.urlsafe_b64decode(seal_refusal(TOLD, SECRET)))
    data[place] ^= 1
    assert open_refusal(base64.urlsafe_b64encode(bytes(data)), SECRET) is None


@pytest.mark.parametrize("box", [b"", b"=", b"not base64!", b"AAAA", base64.urlsafe_b64encode(b"x" * 31)])
def test_what_is_no_refusal_does_not_open(box: bytes) -> None:
    assert open_refusal(box, SECRET) is None
