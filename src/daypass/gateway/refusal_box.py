# SPDX-License-Identifier: Apache-2.0
"""
A refusal on its way through nginx, which keeps neither status nor body of ``auth_request``'s answer, in a header.

Authenticated with the secret that the proxy shares with us, so that what is written out is what was refused, whatever
reaches the place where it is written.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import zlib
from typing import Final

import msgspec

from daypass.gateway.denials import Denial

MAX_BYTES: Final = 65_536
"""Of a refusal, unpacked; those of ours have one or two thousand."""

_TAG: Final = 32
_LABEL: Final = b"daypass refusal through a proxy\0"

Written = tuple[int, list[tuple[bytes, bytes]], bytes]
_decoder: Final = msgspec.msgpack.Decoder(Written)


def seal_refusal(told: Denial, secret: bytes) -> bytes:
    """The refusal as the value of a header."""
    packed = zlib.compress(msgspec.msgpack.encode((told.status, list(told.headers), told.body)), 9)
    return base64.urlsafe_b64encode(_tag(packed, secret) + packed)


def open_refusal(box: bytes, secret: bytes) -> Written | None:
    """Status, headers and body of a refusal of ours; None for anything else."""
    try:
        data = base64.b64decode(box, b"-_", validate=True)
    except binascii.Error:
        return None
    tag, packed = data[:_TAG], data[_TAG:]
    if not hmac.compare_digest(tag, _tag(packed, secret)):
        return None
    written: Written = _decoder.decode(zlib.decompressobj().decompress(packed, MAX_BYTES))
    return written


def _tag(packed: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _LABEL + packed, "sha256")
