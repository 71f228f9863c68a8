# SPDX-License-Identifier: Apache-2.0
"""
Whether the listener for Envoy answers calls (``gateway.ext_authz``), asked from outside: a process may be alive whose listener
is not.

The call is of a name that nobody has. gRPC itself answers that, unasked for a secret and without a record. Its few bytes are
written here, for the process that supervises workers does not load gRPC.
"""

from __future__ import annotations

import socket
from typing import Final

from daypass.server.settings import Listen

SECONDS: Final = 2.0
"""How long an answer may take."""

_HEADERS: Final = 1
_FIELDS: Final = (
    *((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/daypass/Health"), (b":authority", b"daypass")),
    *((b"te", b"trailers"), (b"content-type", b"application/grpc")),
)
_BLOCK: Final = b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in _FIELDS)
"""Literals that are not indexed (RFC 7541 section 6.2.2)."""

_CALL: Final = b"".join(
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        len(_BLOCK).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + _BLOCK,
    ]
)
"""The preface, empty SETTINGS, and the head of the call, which is all of it (RFC 9113 sections 3.4, 6.5 and 6.2)."""


def answers(listen: Listen) -> bool:
    """Whether a call is answered there; of several workers, by the one that the kernel gives it to."""
    host = "127.0.0.1" if listen.host == "::" else listen.host
    try:
        with (
            socket.create_connection((host, listen.port), SECONDS) as connection,
            connection.makefile("rb") as received,
        ):
            connection.sendall(_CALL)
            while len(head := received.read(9)) == 9:
                if head[3] == _HEADERS:
                    return True
                received.read(int.from_bytes(head[:3], "big"))
    except OSError:
        pass
    return False
