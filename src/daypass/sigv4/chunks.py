# SPDX-License-Identifier: Apache-2.0
"""
Bodies in aws-chunked form, decoded and verified as they arrive (S3 API, "Signature Calculations for the Authorization Header:
Transferring Payload in Multiple Chunks").

    10000;chunk-signature=<64 hex>  CRLF  <65536 bytes>  CRLF
    0;chunk-signature=<64 hex>      CRLF
    x-amz-checksum-crc32:<base64>   CRLF  x-amz-trailer-signature:<64 hex>  CRLF     with a trailer
    CRLF

Nothing is kept but a line and the latest piece of data, whatever the size of a chunk: data is handed out as it comes, one
piece behind, and the last piece only when every signature, the length and the checksums are verified. So whoever sends the
pieces on under the length of the whole body cannot have completed it before.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from daypass.errors import AuthenticationError, DaypassError, Reason, RequestError
from daypass.sigv4 import limits
from daypass.sigv4.trailers import Piece, TrailerReader

_HEAD: Final = re.compile(rb"(0|[1-9A-Fa-f][0-9A-Fa-f]{0,15})(?:;chunk-signature=([0-9a-f]{64}))?\r")
_SIZE_FIRST: Final = re.compile(rb"(?:0|[1-9A-Fa-f][0-9A-Fa-f]{0,15})(?:;[!-~]*)?\r")
_OF_NOTHING: Final = hashlib.sha256(b"").hexdigest().encode()
_NONE: Final[Mapping[str, str]] = {}


class SignatureChain:
    """The chain of signatures of a signed body: each covers its chunk and the signature before, the first the head's."""

    def __init__(self, key: bytes, timestamp: bytes, scope: str, seed: bytes) -> None:
        self._key = key
        self._middle = b"%b\n%b\n" % (timestamp, scope.encode())
        self._previous = seed

    def __repr__(self) -> str:
        return "SignatureChain(...)"

    def verify_chunk(self, signature: bytes, digest: str) -> None:
        """Verify the signature of the next chunk, by the SHA-256 of its data. Raises AuthenticationError."""
        text = b"AWS4-HMAC-SHA256-PAYLOAD\n%b%b\n%b\n%b" % (
            self._middle,
            self._previous,
            _OF_NOTHING,
            digest.encode(),
        )
        if not hmac.compare_digest(self._signature(text), signature):
            raise AuthenticationError(
                Reason.CHUNK_SIGNATURE_MISMATCH, "The signature of a chunk does not match the one calculated."
            )
        self._previous = signature

    def of_trailer(self, trailers: bytes) -> bytes:
        """The signature of the trailer, given as ``name:value`` lines that end with a line feed."""
        digest = hashlib.sha256(trailers).hexdigest().encode()
        return self._signature(b"AWS4-HMAC-SHA256-TRAILER\n%b%b\n%b" % (self._middle, self._previous, digest))

    def _signature(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256").hex().encode()


class ChunkedBody:
    """
    A body in aws-chunked form. ``length``: its bytes once decoded, exactly.

    In this order, and each at the moment its bytes are there:

    1. The head of a chunk: its size in hexadecimal, and its signature exactly when chunks are signed. No other extension.
    2. The size: no more than what is left of ``length``; 8 KiB or more unless only the chunk of size 0 follows.
    3. The data, then CRLF; the signature over it and the signature before.
    4. The chunk of size 0, when ``length`` bytes have come; its signature.
    5. The trailer, where there is one: the announced names, the signature, the checksums.
    6. An empty line, and nothing after it.

    ``chain`` is None for unsigned chunks, ``trailer`` None where there is none. Whatever is wrong raises AuthenticationError (a
    signature) or RequestError (the form, a length, a checksum), and the body refuses everything afterwards.
    """

    def __init__(self, length: int, chain: SignatureChain | None, trailer: TrailerReader | None) -> None:
        self.length: int | None = length
        self._missing = length
        self._chain = chain
        self._trailer = trailer
        self._running = [] if trailer is None else list(trailer.running.values())
        self._chunk = hashlib.sha256()
        self._signature = b""
        self._left = 0
        self._small = False
        self._line = b""
        self._held: Piece | None = None
        self._next: Callable[[bytes], None] = self._head
        self._ended = False
        self._broken = False

    def __repr__(self) -> str:
        return f"ChunkedBody(length={self.length})"

    @property
    def trailers(self) -> Mapping[str, str]:
        """The checksums of the trailer by name in lower case; empty until the end has been read and verified."""
        if self._trailer is None or not self._ended:
            return _NONE
        return {name.decode(): value.decode() for name, value in self._trailer.values.items()}

    @property
    def checked(self) -> frozenset[str]:
        """The trailers whose checksum was verified here. The others are the store's to verify."""
        return frozenset() if self._trailer is None else self._trailer.checked

    def feed(self, data: bytes) -> Sequence[Piece]:
        """What may be sent on, given the next bytes of the body as received. Raises AuthenticationError or RequestError."""
        self._check_whole()
        self._broken = True
        pieces = self._decode(data)
        self._broken = False
        if not pieces:
            return ()
        if self._held is not None:
            pieces.insert(0, self._held)
        self._held = pieces.pop()
        return pieces

    def finish(self) -> Sequence[Piece]:
        """The piece that was held back, at the end of the body as received. Raises RequestError for one that has no end."""
        self._check_whole()
        self._broken = True
        if not self._ended:
            raise RequestError(Reason.CHUNKS_TRUNCATED, "The body ended before its last chunk.")
        return () if self._held is None else (self._held,)

    def _check_whole(self) -> None:
        if self._broken:
            raise ValueError("this body has been finished or refused")

    def _decode(self, data: bytes) -> list[Piece]:
        pieces: list[Piece] = []
        position, end = 0, len(data)
        while position < end:
            if not self._left:
                if self._ended:
                    raise RequestError(Reason.CHUNKS_TOO_LONG, "The body goes on after its last chunk.")
                position = self._take_line(data, position)
                continue
            stop = min(end, position + self._left)
            piece: Piece = data if stop - position == end else memoryview(data)[position:stop]
            if self._chain is not None:
                self._chunk.update(piece)
            for running in self._running:
                running.update(piece)
            self._left -= stop - position
            position = stop
            pieces.append(piece)
        return pieces

    def _take_line(self, data: bytes, position: int) -> int:
        """Read on to the next line feed, and hand over the line once it is whole; where to read on from."""
        room = limits.MAX_CHUNK_LINE_BYTES - len(self._line)
        at = data.find(b"\n", position, position + room)
        if at < 0:
            if len(data) - position >= room:
                raise _malformed()
            self._line += data[position:]
            return len(data)
        line, self._line = self._line + data[position:at], b""
        self._next(line)
        return at + 1

    def _head(self, line: bytes) -> None:  # 1
        match = _HEAD.fullmatch(line)
        if match is None or (match[2] is None) is not (self._chain is None):
            _explain_head(line)
        size = int(match[1], 16)
        self._signature = match[2] or b""
        if size > self._missing or (not size and self._missing):  # 2, 4
            raise RequestError(
                Reason.CHUNKS_LENGTH_MISMATCH, "The chunks do not add up to the x-amz-decoded-content-length."
            )
        if self._small and size:
            raise RequestError(
                Reason.CHUNK_SIZE_REFUSED, "Only the last chunk is allowed to have a size less than 8192 bytes."
            )
        self._small = size < limits.MIN_CHUNK_BYTES
        self._missing -= size
        self._left = size
        if size:
            self._next = self._data_end
            return
        self._verify_chunk()
        self._next = self._end if self._trailer is None else self._trailer_line

    def _data_end(self, line: bytes) -> None:  # 3
        if line != b"\r":
            raise _malformed()
        self._verify_chunk()
        self._next = self._head

    def _verify_chunk(self) -> None:
        if self._chain is not None:
            self._chain.verify_chunk(self._signature, self._chunk.hexdigest())
            self._chunk = hashlib.sha256()

    def _trailer_line(self, line: bytes) -> None:  # 5
        trailer = self._trailer
        if trailer is None or not trailer.read(line):
            return
        if self._chain is not None:
            trailer.verify_signature(self._chain.of_trailer)
        trailer.verify_checksums()
        self._ended = True

    def _end(self, line: bytes) -> None:  # 6
        if line != b"\r":
            raise _malformed()
        self._ended = True


def _explain_head(line: bytes) -> NoReturn:
    if _SIZE_FIRST.fullmatch(line) is None:
        raise _malformed()
    raise RequestError(
        Reason.CHUNK_EXTENSION_REFUSED,
        "A chunk must have a chunk-signature where chunks are signed, and no extension otherwise.",
    )


def _malformed() -> DaypassError:
    return RequestError(Reason.CHUNK_MALFORMED, "The chunked body is malformed.")
