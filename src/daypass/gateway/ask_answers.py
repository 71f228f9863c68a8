# SPDX-License-Identifier: Apache-2.0
"""
What services are told at ``/verify/...`` (docs/verify.md), and what is recorded of it. Never a secret, a token or a claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from daypass.access import Caller, RequestFacts
from daypass.audit import UNSIGNED_REGION, Event
from daypass.clock import Clock
from daypass.doorway.audit_trail import who_is
from daypass.doorway.received import Send
from daypass.errors import AccessDeniedError, DaypassError, Reason, UnavailableError
from daypass.gateway.ask_scope import AskedScope
from daypass.gateway.asking import Needed
from daypass.gateway.denials import HTTP_FORM, DenialForm, denial
from daypass.gateway.reports import MOST_RESOURCES
from daypass.principal import FederatedUser, Root, User

DECISION_SECONDS: Final = 5
"""For how long a service may go by a decision: what a revocation may be late by, as everywhere (docs/verify.md)."""

_KINDS: Final = {Root: "Account", User: "User", FederatedUser: "FederatedUser"}
_encoder: Final = msgspec.json.Encoder()


class Outcome(msgspec.Struct, frozen=True):
    """One permission, and the denial when it is missing."""

    needed: Needed
    denied: AccessDeniedError | None = None


class Told(msgspec.Struct):
    """What became of one request or question; what is not known yet is None, or empty. ``form``: of the service's errors."""

    request_id: str
    began: float
    facts: RequestFacts | None = None
    form: DenialForm = HTTP_FORM
    caller: Caller | None = None
    operation: str | None = None
    read_only: bool = False
    outcomes: Sequence[Outcome] = ()
    error: DaypassError | None = None
    code: str | None = None

    @property
    def refusal(self) -> DaypassError | None:
        """Why it may not go on: the error, or the first denial."""
        if self.error is not None:
            return self.error
        return next((one.denied for one in self.outcomes if one.denied is not None), None)


def identity(caller: Caller) -> dict[str, Any]:
    """Who a caller is, as IAM knows them; what there is not is left out."""
    principal, session = caller.principal, caller.session
    entity = caller.user if caller.user is not None else caller.role
    tags: dict[str, tuple[str, str]] = {}
    for key, value in (*(() if entity is None else entity.tags), *(() if session is None else session.tags)):
        tags[key.lower()] = (key, value)
    told: dict[str, Any] = {
        "arn": principal.arn,
        "account": principal.account,
        "user_id": principal.user_id,
        "kind": _KINDS.get(type(principal), "AssumedRole"),
        "access_key_id": caller.access_key_id,
        "tags": dict(tags.values()),
    }
    if session is None:
        return told
    more = {
        "session_name": session.session_name or None,
        "source_identity": session.source_identity,
        "provider": session.provider_arn or session.origin_provider,
        "issued_at": session.issued_at,
        "expires_at": session.expires_at,
        "mfa_at": session.mfa_at,
    }
    told.update({name: value for name, value in more.items() if value is not None})
    return told


def decisions(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The permissions in their order."""
    told = []
    for one in outcomes:
        row: dict[str, Any] = {
            "action": one.needed.action,
            "resource": one.needed.resource,
            "allowed": one.denied is None,
        }
        if one.denied is not None:
            row["message"] = str(one.denied)
        told.append(row)
    return told


def failure(error: DaypassError, form: DenialForm, request_id: str) -> tuple[int, dict[str, Any]]:
    """Status and members of an error: in the code of the service that was asked, so that it can be passed on."""
    of = denial(form, error, request_id=request_id)
    ours = of.status >= 500 and not isinstance(error, UnavailableError)
    message = "The request has met an error of daypass." if ours else str(error)
    return of.status, {"status": of.status, "code": of.code, "reason": error.reason.value, "message": message}


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as JSON."""
    return _encoder.encode(document)


def event_of(told: Told, scope: AskedScope, asker: Caller, now: float) -> Event:
    """The record of one request that was verified for a service, or of one question about its caller."""
    facts, error = told.facts, told.refusal
    arns = dict.fromkeys(one.needed.resource for one in told.outcomes[:MOST_RESOURCES])
    name = told.operation or (told.outcomes[0].needed.action.partition(":")[2] if told.outcomes else "VerifyRequest")
    return Event(
        at=now,
        source=f"{scope.backend.service}.amazonaws.com",
        name=name,
        request_id=told.request_id,
        source_ip=None if facts is None else facts.source_ip,
        user_agent=None if facts is None else facts.user_agent,
        who=None if told.caller is None else who_is(told.caller),
        region=UNSIGNED_REGION if told.caller is None else told.caller.region,
        reason=None if error is None else error.reason,
        code=told.code,
        message=None if error is None else str(error),
        read_only=told.read_only,
        management=False,
        data={"backend": scope.backend.name, "askedBy": asker.principal.arn},
        decision=error.evidence if isinstance(error, AccessDeniedError) else None,
        resources=tuple(arns),
        account=scope.backend.account,
    )


def question_event(told: Told, arns: Sequence[str], source: str, clock: Clock) -> Event:
    """The record of the question itself: who asked what of which service (``arns``), and whether it was answered."""
    error, facts, caller = told.error, told.facts, told.caller
    return Event(
        at=clock() if facts is None else facts.now,
        source=source,
        name=told.operation or "Unknown",
        request_id=told.request_id,
        source_ip=None if facts is None else facts.source_ip,
        user_agent=None if facts is None else facts.user_agent,
        who=None if caller is None else who_is(caller),
        region=UNSIGNED_REGION if caller is None else caller.region,
        reason=_reason(told),
        code=told.code,
        message=None if error is None else str(error),
        management=False,
        decision=error.evidence if isinstance(error, AccessDeniedError) else None,
        resources=tuple(arns),
    )


def _reason(told: Told) -> Reason | None:
    """Why a question was not answered: one without an error that is known met one that is not."""
    if told.error is not None:
        return told.error.reason
    return None if told.code is None else Reason.INTERNAL_FAILURE


async def send_json(send: Send, status: int, body: bytes, request_id: str) -> None:
    """An answer in JSON, which nobody keeps."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"x-amzn-requestid", request_id.encode("ascii")),
    ]
    if status in (411, 413):
        headers.append((b"connection", b"close"))  # what is left of the request is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
