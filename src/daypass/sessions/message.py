# SPDX-License-Identifier: Apache-2.0
"""
What else is sealed under the key ring, for an account: encoded authorization messages (STS API, DecodeAuthorizationMessage)
and the trade-in tokens of delegation requests (STS API, GetDelegatedAccessToken).

Messages come packed (``daypass.audit.pack``: what is sealed is recorded too), and are bound to the account of whoever was
denied; tokens are bound to the account that asked. Both open for as long as the key they were sealed with does.
"""

from __future__ import annotations

import zlib
from typing import Final

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sealing import KeyRing

MESSAGE_BOX: Final = 2
"""The kind byte of a box that holds an authorization message."""

TRADE_IN_BOX: Final = 3
"""The kind byte of a box that holds the trade-in token of a delegation request."""

ENCODED_CHARACTERS: Final = 10_240
"""STS API, DecodeAuthorizationMessage: EncodedMessage."""

_PLAIN_CHARACTERS: Final = 1 << 20
"""No document that was sealed here unpacks to more."""


def seal_message(ring: KeyRing, packed: bytes, account: str, now: float) -> str | None:
    """A packed document as an encoded message, in letters that need no quoting; None when it is too long for one."""
    sealed = ring.seal(packed, kind=MESSAGE_BOX, label=_label(account), now=now).token
    return None if len(sealed) > ENCODED_CHARACTERS else sealed.translate(_TO_URL)


def open_message(ring: KeyRing, message: str, account: str, now: float) -> str:
    """The document of an encoded message, as JSON text. Raises RequestError for what is not one of this account's."""
    try:
        opened = ring.open(message.translate(_FROM_URL), kind=MESSAGE_BOX, label=_label(account), now=now)
    except AuthenticationError:
        raise RequestError(
            Reason.AUTHORIZATION_MESSAGE_INVALID, "The encoded authorization message is invalid."
        ) from None
    return zlib.decompressobj().decompress(opened.content, _PLAIN_CHARACTERS).decode()


def seal_trade_in_token(ring: KeyRing, request_id: str, account: str, now: float) -> str:
    """A token for a delegation request, for the account that asked for it."""
    return ring.seal(request_id.encode(), kind=TRADE_IN_BOX, label=_trade_in_label(account), now=now).token


def open_trade_in_token(ring: KeyRing, token: str, account: str, now: float) -> str:
    """The delegation request of a trade-in token. Raises RequestError for what is not one of this account's."""
    try:
        opened = ring.open(token, kind=TRADE_IN_BOX, label=_trade_in_label(account), now=now)
    except AuthenticationError:
        raise RequestError(Reason.TRADE_IN_TOKEN_INVALID, "The trade-in token is invalid.") from None
    return opened.content.decode()


def _trade_in_label(account: str) -> str:
    return f"trade-in token {account}"


def _label(account: str) -> str:
    return f"authorization message {account}"


_TO_URL: Final = str.maketrans("+/", "-_")
_FROM_URL: Final = str.maketrans("-_", "+/")
