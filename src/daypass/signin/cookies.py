# SPDX-License-Identifier: Apache-2.0
"""
The two cookies of the browser door (RFC 6265bis). Both are ``__Host-``: of this host alone, sent over TLS only (browsers take
this machine for that, too), never to scripts.

    __Host-daypass-requests   SameSite=None: the answer of an identity provider is a POST from another site, and must find it
    __Host-daypass-choice     SameSite=Strict: the choice of a role comes from our own page

Neither signs anybody in. Stolen or planted, the first can at most let an answer in that the provider did give to our question;
the second is worth nothing without the form that it goes with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REQUESTS: Final = "__Host-daypass-requests"
CHOICE: Final = "__Host-daypass-choice"

_SAME_SITE: Final = {REQUESTS: "None", CHOICE: "Strict"}


def read_cookie(headers: Sequence[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of a cookie; None when it is absent, or there are two of it: a browser sends one of a ``__Host-`` name."""
    found = [
        value.strip()
        for header, content in headers
        if header == b"cookie"
        for pair in content.decode("latin-1").split(";")
        for key, equals, value in [pair.partition("=")]
        if equals and key.strip() == name
    ]
    return found[0] if len(found) == 1 else None


def set_cookie(name: str, value: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that sets one of the two for so many seconds; 0 removes it. The value needs no quoting (base64)."""
    text = f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={_SAME_SITE[name]}"
    return b"set-cookie", text.encode("ascii")
