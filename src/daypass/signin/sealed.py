# SPDX-License-Identifier: Apache-2.0
"""
What the browser keeps for us, sealed under the key ring (``daypass.sealing``): so any process reads what another wrote, and
nothing is stored for a sign-in that may never be finished.

    Pending   in a cookie: the questions that this browser has asked identity providers, until they are answered
    Choice    in the form with the roles: which response was verified, in which browser, and until when it may be used

Both end with their own instants; neither opens as the other. What may be used only once is spent in the store besides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

import msgspec

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sealing import KeyRing
from daypass.signin import limits

PENDING_BOX: Final = 4
"""The kind byte of a box that holds pending questions (1 to 3 are those of ``daypass.sessions``)."""

CHOICE_BOX: Final = 5
"""The kind byte of a box that holds the permission to choose a role."""

_PENDING_LABEL: Final = "sign-in requests"
_CHOICE_LABEL: Final = "sign-in choice"


class Question(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    One AuthnRequest that was sent: its ID, the opaque RelayState that went with it, the provider that was asked (account and
    name), where to go afterwards, and the instant at which it ends (seconds since the epoch).
    """

    request_id: str
    relay_state: str
    account: str
    provider: str
    return_to: str
    ends_at: int

    def __repr__(self) -> str:
        return "Question(...)"


class Choice(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    That a response was verified and its roles were shown: the SHA-256 of the response as it was sent and of the secret that the
    browser has in a cookie, the request that it answers if it answers one, and the instant at which it ends.
    """

    response: bytes
    browser: bytes
    request_id: str | None
    return_to: str | None
    ends_at: int

    def __repr__(self) -> str:
        return "Choice(...)"


_encoder = msgspec.msgpack.Encoder()
_questions = msgspec.msgpack.Decoder(tuple[Question, ...])
_choice = msgspec.msgpack.Decoder(Choice)


class Sealer:
    """Seals and opens both. ``ring`` says which sealing keys there are now."""

    def __init__(self, ring: Callable[[], KeyRing]) -> None:
        self._ring = ring

    def seal_questions(self, questions: tuple[Question, ...], now: float) -> str:
        """The newest ``limits.PENDING`` questions, as the value of a cookie."""
        content = _encoder.encode(questions[-limits.PENDING :])
        return self._ring().seal(content, kind=PENDING_BOX, label=_PENDING_LABEL, now=now).token

    def open_questions(self, sealed: str | None, now: float) -> tuple[Question, ...]:
        """The questions of a cookie that have not ended, oldest first. None for a cookie that is absent or not ours."""
        if not sealed:
            return ()
        try:
            opened = self._ring().open(sealed, kind=PENDING_BOX, label=_PENDING_LABEL, now=now)
            questions = _questions.decode(opened.content)
        except (AuthenticationError, msgspec.MsgspecError):
            return ()
        return tuple(question for question in questions if now < question.ends_at)

    def seal_choice(
        self, response: str, browser: str, *, request_id: str | None, return_to: str | None, now: float
    ) -> str:
        """The permission to choose a role by this response, in the browser that has this secret."""
        ends_at = int(now) + limits.CHOICE_SECONDS
        choice = Choice(_digest(response), _digest(browser), request_id, return_to, ends_at)
        return self._ring().seal(_encoder.encode(choice), kind=CHOICE_BOX, label=_CHOICE_LABEL, now=now).token

    def open_choice(self, sealed: str, response: str, browser: str | None, now: float) -> Choice:
        """
        The permission in a form. The steps, each of which may refuse:

        1. it is one of ours;
        2. it has not ended;
        3. it is for this response;
        4. it was given to this browser, which is how a form that somebody else made is told from ours.

        Raises RequestError. **It does not spend anything,** and says nothing of whether the response is still good.
        """
        try:
            opened = self._ring().open(sealed, kind=CHOICE_BOX, label=_CHOICE_LABEL, now=now)  # 1
            choice = _choice.decode(opened.content)
        except (AuthenticationError, msgspec.MsgspecError):
            raise RequestError(Reason.SIGN_IN_FOREIGN, FOREIGN) from None
        if now >= choice.ends_at:  # 2
            message = "The page with the roles was open for too long. Sign in again."
            raise RequestError(Reason.SIGN_IN_ENDED, message)
        same_response = hmac.compare_digest(choice.response, _digest(response))  # 3
        same_browser = browser is not None and hmac.compare_digest(choice.browser, _digest(browser))  # 4
        if not (same_response and same_browser):
            raise RequestError(Reason.SIGN_IN_FOREIGN, FOREIGN)
        return choice


FOREIGN: Final = "This choice does not belong to a sign-in of this browser. Sign in again, with cookies allowed."


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
