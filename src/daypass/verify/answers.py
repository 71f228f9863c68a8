# SPDX-License-Identifier: Apache-2.0
"""
What daypass answers, read strictly: an answer that is not as expected is none, and the request is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from daypass.errors import AccessDeniedError, AuthenticationError, Reason, RequestError, UnavailableError
from daypass.sigv4 import RawRequest, VerifiedSignature
from daypass.verify.known import Decision, Permission, Sender, VerifiedCaller

Answer = Mapping[str, Any]
Kind = TypeVar("Kind")


class KeyAnswer(msgspec.Struct, frozen=True):
    """A signing key (32 bytes), its scope, and until when by daypass's clock it may be used."""

    signing_key: bytes
    date: str
    region: str
    service: str
    cacheable_until: int
    now: int

    def __repr__(self) -> str:
        return "KeyAnswer(...)"


class DecisionsAnswer(msgspec.Struct, frozen=True):
    """Until when by daypass's clock decisions may be used."""

    cacheable_until: int
    now: int


def unreachable(why: str) -> UnavailableError:
    """daypass cannot be asked, so the request is refused."""
    return UnavailableError(
        Reason.DAYPASS_UNREACHABLE, f"Who is calling, and what they may, cannot be asked now: {why}."
    )


def only(answer: Answer | None) -> Answer:
    """What was answered of the one request that was asked about. Raises as ``result_of``."""
    results = None if answer is None else answer.get("results")
    if not isinstance(results, Sequence) or len(results) != 1:
        raise unreachable("the answer is not as expected")
    return _checked(results[0])


def result_of(answer: Answer) -> Answer:
    """What was answered of a caller. Raises what it was refused for; UnavailableError for what is no answer."""
    return _checked(answer.get("result"))


def _checked(result: object) -> Answer:
    if not isinstance(result, Mapping):
        raise unreachable("the answer is not as expected")
    error = result.get("error")
    if error is None:
        return result
    message = str(error.get("message", ""))
    reason = _REASONS.get(str(error.get("reason")), Reason.UNKNOWN_ACCESS_KEY)  # a newer daypass may have more
    status = error.get("status")
    if not isinstance(status, int) or status >= 500:
        raise unreachable("daypass failed")
    if reason in _OF_REQUESTS:
        raise RequestError(reason, message)
    raise AuthenticationError(reason, message)


_REASONS: Final = {reason.value: reason for reason in Reason}
_OF_REQUESTS: Final = frozenset(
    {
        Reason.INVALID_PARAMETER,
        Reason.MALFORMED_REQUEST,
        Reason.REQUEST_TOO_LARGE,
        Reason.BODY_NEEDED,
        Reason.UNSUPPORTED_OPERATION,
    }
)
"""Reasons that are the request's, or this service's own question; every other is that the caller is not established."""

_IDENTITY: Final = frozenset(
    [
        *("arn", "account", "user_id", "kind", "access_key_id", "tags", "session_name", "source_identity", "provider"),
        *("issued_at", "expires_at", "mfa_at"),
    ]
)


def caller_of(result: Answer, request: RawRequest | None, sender: Sender) -> VerifiedCaller:
    """The caller that daypass has verified. Raises UnavailableError."""
    try:
        known = {name: value for name, value in result["identity"].items() if name in _IDENTITY}
        caller = msgspec.convert(
            {
                **known,
                **{name: result[name] for name in ("payload", "signed_at", "presigned", "handle", "handle_ends_at")},
            },
            VerifiedCaller,
            strict=True,
        )
    except (KeyError, AttributeError, msgspec.ValidationError):
        raise unreachable("the answer is not as expected") from None
    return caller if request is None else _sent(caller, request, sender)


def with_signature(
    caller: VerifiedCaller, verified: VerifiedSignature, request: RawRequest, sender: Sender
) -> VerifiedCaller:
    """The caller of a request that was verified here, with the key of a caller that daypass has verified."""
    mine = replace(caller, payload=verified.payload, signed_at=verified.signed_at, presigned=verified.presigned)
    return _sent(mine, request, sender)


def _sent(caller: VerifiedCaller, request: RawRequest, sender: Sender) -> VerifiedCaller:
    fields = dict(request.headers)
    user_agent, referer = fields.get(b"user-agent"), fields.get(b"referer")
    return replace(
        caller,
        sender=sender,
        user_agent=None if user_agent is None else user_agent.decode("latin-1"),
        referer=None if referer is None else referer.decode("latin-1"),
    )


def decisions_of(result: Answer, permissions: Sequence[Permission] | None) -> list[Decision]:
    """The decisions of an answer, which are about what was asked."""
    rows = result.get("decisions")
    if not isinstance(rows, Sequence) or (permissions is not None and len(rows) != len(permissions)):
        raise unreachable("the answer is not as expected")
    found = [_decision(row) for row in rows]
    for place, one in enumerate(permissions or ()):
        if (found[place].action, found[place].resource) != (one.action, one.resource):
            raise unreachable("the answer is not as expected")
    return found


def _decision(row: object) -> Decision:
    return read(row, Decision)


def read(found: object, kind: type[Kind]) -> Kind:
    """Part of an answer. Raises UnavailableError."""
    try:
        return msgspec.convert(found, kind, strict=True)
    except msgspec.ValidationError:
        raise unreachable("the answer is not as expected") from None


def refuse_denied(decisions: Sequence[Decision]) -> None:
    """Raises AccessDeniedError for the first permission that is missing."""
    for decision in decisions:
        if not decision.allowed:
            raise AccessDeniedError(Reason.NOT_AUTHORIZED, decision.message)
