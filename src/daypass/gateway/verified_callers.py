# SPDX-License-Identifier: Apache-2.0
"""
Handles: whose request was verified a moment ago, sealed, so that the service that asked may ask more of them (docs/verify.md).

A handle opens for the service that it was given to, for the one resource that it was given for, and for minutes. It names a
caller and is no credential: nothing can be signed with it, and no door but ``/verify/decisions`` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from daypass.access import Caller
from daypass.access.authenticate import known_again
from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.principal import AccountPrincipal, RoleSession
from daypass.sealing import KeyRing
from daypass.sessions import Session
from daypass.store import View

HANDLE_BOX: Final = 6
"""The kind byte of a box with a verified caller (1 to 3 are those of ``daypass.sessions``, 4 and 5 of ``daypass.signin``)."""

HANDLE_SECONDS: Final = 300
"""How long a handle is good, unless the session behind it ends before."""


class _Remembered(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is in a box. Instants are whole seconds since the epoch."""

    access_key_id: str
    region: str
    signed_at: int
    ends_at: int
    session: Session | None

    def __repr__(self) -> str:
        return "_Remembered(...)"


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Remembered)


class Handle(msgspec.Struct, frozen=True):
    """A handle as it is given out, and the instant from which it is good for nothing."""

    text: str
    ends_at: int

    def __repr__(self) -> str:
        return f"Handle(..., ends_at={self.ends_at})"


class VerifiedCallers:
    """Seals and opens handles. ``ring`` says which sealing keys there are now."""

    def __init__(self, ring: Callable[[], KeyRing]) -> None:
        self._ring = ring

    def seal(self, caller: Caller, *, signed_at: int, asker: AccountPrincipal, arn: str, now: float) -> Handle:
        """A handle for a caller whose request has just verified, for the service ``asker`` and the resource ``arn``."""
        session = caller.session
        ends_at = int(now) + HANDLE_SECONDS
        if session is not None:
            ends_at = min(ends_at, session.expires_at)
        content = _encoder.encode(_Remembered(caller.access_key_id, caller.region, signed_at, ends_at, session))
        box = self._ring().seal(content, kind=HANDLE_BOX, label=_label(asker, arn), now=now)
        return Handle(box.token, ends_at)

    def open(self, text: str, *, asker: AccountPrincipal, arn: str, view: View, now: float) -> tuple[Caller, int]:
        """
        The caller behind a handle as they stand now, and when their request was signed. In this order: the box opens, for this
        asker and resource; it has not ended; the caller's key or session is still good.

        Raises RequestError for what is no handle of theirs, AuthenticationError for a caller who is not good any more.
        """
        try:
            opened = self._ring().open(text, kind=HANDLE_BOX, label=_label(asker, arn), now=now)
            found = _decoder.decode(opened.content)
        except (AuthenticationError, msgspec.MsgspecError):  # the second: sealed by another version
            raise _invalid() from None
        if now >= found.ends_at:
            raise _invalid()
        return known_again(found.access_key_id, found.region, found.session, view, now), found.signed_at


def _label(asker: AccountPrincipal, arn: str) -> str:
    """Who may use it: a user or root by their unique id, every session of one role alike."""
    who = asker.role_id if isinstance(asker, RoleSession) else asker.user_id
    return f"verified caller {asker.account} {who} {arn}"


def _invalid() -> RequestError:
    return RequestError(
        Reason.VERIFIED_HANDLE_INVALID, "Expected a handle that was given to this service, and whose time is not up."
    )
