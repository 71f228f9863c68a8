# SPDX-License-Identifier: Apache-2.0
"""
The two encodings of signed JSON, read strictly: base64url (RFC 4648 section 5, RFC 7515 section 2) and JSON (RFC 8259).

Pure. Where readers of the same text may differ (duplicate members, unused bits, numbers beyond a double, lone
surrogates), the text is refused: what one reader verified, another must not understand in another way.
"""

from __future__ import annotations

import binascii
import json
import math
from typing import Any, Final, NoReturn

import msgspec

from daypass.errors import ProofError, Reason

MAX_DEPTH: Final = 16  # of nesting; AWS's tags claim, the deepest that is read, needs 4
MAX_NUMBER: Final = 40  # characters of a fraction
MAX_INTEGER: Final = 20  # characters of an integer; 64 bits and a sign need no more

BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The alphabet of base64url."""

_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
# The last characters whose unused bits are zero, by length modulo 4 (RFC 4648 section 3.5).
_CANONICAL_END: Final = {2: b"AQgw", 3: b"AEIMQUYcgkosw048"}
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))


def decode_base64url(text: bytes) -> bytes:
    """Decode base64url (RFC 7515 section 2): no padding, no other character, unused bits zero. Raises ProofError."""
    if text.translate(None, BASE64URL):
        raise _not_base64url()
    return decode_base64url_characters(text)


def decode_base64url_characters(text: bytes) -> bytes:
    """``decode_base64url`` for text whose every character is known to be of the alphabet. Raises ProofError."""
    rest = len(text) % 4
    if rest == 1 or (rest and text[-1] not in _CANONICAL_END[rest]):
        raise _not_base64url()
    return binascii.a2b_base64(text.translate(_TO_BASE64) + b"=="[: -rest % 4])


def _not_base64url() -> ProofError:
    return ProofError(Reason.TOKEN_MALFORMED, "Expected base64url without padding.")


def read_json_object(data: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """
    Read a JSON object (RFC 8259) that may come from anybody. Raises ProofError.

    Refused: what is not UTF-8, nesting deeper than ``max_depth`` (checked before parsing), the same member twice at any
    level (which of the two counts is where parsers differ), NaN and infinities, numbers of a length that costs, lone
    surrogates, and everything that is not an object.
    """
    if data.count(b"{") + data.count(b"[") > max_depth and _is_too_deep(data, max_depth):
        raise _malformed_json("nested too deeply")
    plain = _plain_object(data)
    if plain is not None:
        return plain
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        if b"\\u" in data:  # only an escape can bring a lone surrogate into a string
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):  # JSONDecodeError and the Unicode errors are ValueErrors
        raise _malformed_json("not valid") from None
    if not isinstance(value, dict):
        raise _malformed_json("not an object")
    return value


def _plain_object(data: bytes) -> dict[str, Any] | None:
    """
    The object, if the text is byte for byte how its value is written. Such a text has one reading: a member that is there
    twice, a number or an escape that readers take differently would not come out as it went in. None for any other text.
    """
    try:
        value = _READER.decode(data)
        same = type(value) is dict and _WRITER.encode(value) == data
        return value if same and not _has_long_number(data) else None
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def _has_long_number(data: bytes) -> bool:
    """Whether there may be an integer that is longer than MAX_INTEGER; digits in strings count, and cost a second look."""
    # NOTE: a pattern takes ten times as long to find nothing.
    digits = data.translate(_DIGITS_ALIKE)
    return _TOO_MANY in digits or _TOO_MANY_SIGNED in digits


def _is_too_deep(data: bytes, max_depth: int) -> bool:
    depth = 0
    # What stands at every other place between quotation marks is outside strings, once the escaped marks are gone.
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data
    for character in b"".join(plain.split(b'"')[::2]).translate(None, _NOT_BRACKETS):
        if character in b"{[":
            depth += 1
            if depth > max_depth:
                return True
        else:
            depth -= 1
    return False


def _malformed_json(how: str) -> ProofError:
    return ProofError(Reason.JSON_MALFORMED, f"The JSON is {how}.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ProofError(Reason.JSON_DUPLICATE_MEMBER, "A JSON object has the same member twice.")
    return members


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER:
        raise _malformed_json("carrying a number that is too long")
    return int(text)


def _fraction(text: str) -> float:
    if len(text) > MAX_NUMBER or not math.isfinite(number := float(text)):
        raise _malformed_json("carrying a number that is too long or too large")
    return number


def _constant(_: str) -> NoReturn:
    raise _malformed_json("carrying NaN or an infinity")


_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_TOO_MANY: Final = b"0" * (MAX_INTEGER + 1)
_TOO_MANY_SIGNED: Final = b"-" + b"0" * MAX_INTEGER
_READER: Final = msgspec.json.Decoder()
_WRITER: Final = msgspec.json.Encoder()
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
