# SPDX-License-Identifier: Apache-2.0
"""
The trailer of an upload in chunks, and the checksums in it (S3 API, "Signature calculations for trailing headers").

Only checksums can be trailers; a closed list says which. Those that the standard library computes are verified; the others
(CRC-32C, CRC-64/NVME, XXH) have no implementation there that is fast enough, and are handed on for the store to verify.
"""

from __future__ import annotations

import binascii
import functools
import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sigv4 import limits

Piece = bytes | memoryview
"""A part of a body, handed on as it is and never copied."""

SIGNATURE: Final = b"x-amz-trailer-signature"


class Checksum(Protocol):
    """A running checksum, as ``hashlib`` has them."""

    def update(self, data: Piece, /) -> None:
        """Take in more of the body."""

    def digest(self) -> bytes:
        """The checksum of all that was taken in."""


class Crc32:
    """CRC-32 (ISO 3309) in the form of ``hashlib``; its digest is 4 bytes, the most significant first."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: Piece, /) -> None:
        """Take in more of the body."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """The checksum of all that was taken in."""
        return self._value.to_bytes(4, "big")


_VERIFIED: Final[Mapping[bytes, Callable[[], Checksum]]] = {
    b"x-amz-checksum-crc32": Crc32,
    b"x-amz-checksum-sha1": functools.partial(hashlib.sha1, usedforsecurity=False),
    b"x-amz-checksum-sha256": hashlib.sha256,
    b"x-amz-checksum-sha512": hashlib.sha512,
    b"x-amz-checksum-md5": functools.partial(hashlib.md5, usedforsecurity=False),
}
_HANDED_ON: Final = {
    b"x-amz-checksum-crc32c": 4,
    b"x-amz-checksum-crc64nvme": 8,
    b"x-amz-checksum-xxhash64": 8,
    b"x-amz-checksum-xxhash3": 8,
    b"x-amz-checksum-xxhash128": 16,
}
"""The checksums that are not verified here, and the bytes of each."""


def announced_trailers(value: bytes) -> tuple[bytes, ...]:
    """The names in x-amz-trailer, separated by commas. Raises RequestError for one that is no checksum or comes twice."""
    names = [name.strip(b" \t").lower() for name in value.split(b",")]
    if len(names) > limits.MAX_TRAILERS or len(set(names)) != len(names):
        raise _refused("x-amz-trailer must name each trailer once.")
    if any(name not in _VERIFIED and name not in _HANDED_ON for name in names):
        raise _refused("x-amz-trailer must name x-amz-checksum-* headers.")
    return tuple(names)


class TrailerReader:
    """
    Reads the lines of a trailer: every announced name once and nothing else, then the signature if there has to be one, then
    an empty line. Keeps the checksums of the body meanwhile.

    - ``values``: the trailers as received, by name. ``checked``: the names whose checksum agrees with the body.
    """

    def __init__(self, announced: tuple[bytes, ...], *, signed: bool) -> None:
        self._announced = announced
        self._signed = signed
        self._signature: bytes | None = None
        self._line_feed_alone = False
        self._blank_before = False
        self.running = {name: _VERIFIED[name]() for name in announced if name in _VERIFIED}
        self.values: dict[bytes, bytes] = {}
        self.checked: frozenset[str] = frozenset()

    def read(self, line: bytes) -> bool:
        """
        Take in a line (without its line feed); True when the trailer is complete. Raises RequestError.

        NOTE: minio-go ends a trailer with LF CR LF, and one reading of AWS's page has an empty line before the first trailer.
        Both are read; neither can be taken for the end, which comes only after the last announced trailer.
        """
        if self._line_feed_alone:
            if line != b"\r":
                raise _malformed()
            self._line_feed_alone = False
            return False
        if line == b"\r":
            return self._blank()
        if line[-1:] == b"\r":
            line = line[:-1]
        else:
            self._line_feed_alone = True
        self._trailer(line)
        return False

    def _blank(self) -> bool:
        if not self.values and not self._blank_before:
            self._blank_before = True
            return False
        if len(self.values) != len(self._announced):
            raise RequestError(Reason.TRAILER_MISSING, "The body ends without a trailer that x-amz-trailer announces.")
        if self._signed and self._signature is None:
            raise RequestError(Reason.TRAILER_MISSING, "The body ends without the trailer 'x-amz-trailer-signature'.")
        return True

    def _trailer(self, line: bytes) -> None:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or self._signature is not None:
            raise _malformed()
        if name == SIGNATURE and self._signed:
            if (
                len(self.values) != len(self._announced)
                or len(value) != 64
                or value.translate(None, b"0123456789abcdef")
            ):
                raise _malformed()
            self._signature = value
            return
        if name not in self._announced:
            raise RequestError(
                Reason.TRAILER_UNANNOUNCED, "The body has a trailer that x-amz-trailer does not announce."
            )
        if name in self.values:
            raise _malformed()
        _decoded(name, value)
        self.values[name] = value

    def verify_signature(self, signature_of: Callable[[bytes], bytes]) -> None:
        """
        Compare the signature with ``signature_of(trailers)``, where the trailers are ``name:value`` and a line feed, sorted.

        Raises AuthenticationError when they differ.
        """
        text = b"".join([b"%b:%b\n" % pair for pair in sorted(self.values.items())])
        if not hmac.compare_digest(signature_of(text), self._signature or b""):
            raise AuthenticationError(
                Reason.TRAILER_SIGNATURE_MISMATCH, "The signature of the trailer does not match the one calculated."
            )

    def verify_checksums(self) -> None:
        """Compare what was announced with what was received. Raises RequestError when they differ."""
        for name, running in self.running.items():
            if running.digest() != _decoded(name, self.values[name]):
                raise RequestError(
                    Reason.CHECKSUM_MISMATCH, f"The {name.decode()} you specified did not match what we received."
                )
        self.checked = frozenset(name.decode() for name in self.running)


def _decoded(name: bytes, value: bytes) -> bytes:
    """The bytes of a checksum: base64 in its one spelling, of the right length. Raises RequestError."""
    try:
        decoded = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        raise _malformed() from None
    length = _HANDED_ON[name] if name in _HANDED_ON else len(_VERIFIED[name]().digest())
    if len(decoded) != length or binascii.b2a_base64(decoded, newline=False) != value:
        raise _malformed()
    return decoded


def _refused(message: str) -> RequestError:
    return RequestError(Reason.CHUNKED_HEADERS_REFUSED, message)


def _malformed() -> RequestError:
    return RequestError(Reason.TRAILER_MALFORMED, "The request contained trailing data that was not well-formed.")
