# SPDX-License-Identifier: Apache-2.0
"""A connection on which calls of gRPC are sent frame by frame, as no library would: unended, or with a name that is no text."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

from fakes.ext_authz import CHECK

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS = 1, 4
END_HEADERS = 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame of HTTP/2 (RFC 9113 section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def head(stream: int, path: bytes = CHECK.encode(), *more: tuple[bytes, bytes]) -> bytes:
    """The head of a call, without message and end; ``stream`` is odd. Literals, not indexed (RFC 7541 section 6.2.2)."""
    fields = (
        *((b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"daypass")),
        *((b"te", b"trailers"), (b"content-type", b"application/grpc"), *more),
    )
    block = b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)
    return frame(HEADERS, END_HEADERS, stream, block)


@contextlib.contextmanager
def line(where: str, *heads: bytes) -> Iterator[socket.socket]:
    """A connection to ``ADDRESS:PORT`` on which these calls have begun."""
    host, _, port = where.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        connection.recv(9)  # the settings of the other side
        connection.sendall(b"".join(heads))
        yield connection
