# SPDX-License-Identifier: Apache-2.0
"""
``/verify/...``: services ask whose a request is, and what its caller may (docs/verify.md, docs/adr/0015).

    question -- signed by a service, permitted --> original request -- authenticate, decide --> identity, decisions, a handle
    requests    a batch of requests, verified and decided
    decisions   permissions of a caller whose request was verified before, by a handle
    keys        a request verified, and the key of its day, region and service, to verify more of the same caller with

What is answered is a decision and never a credential: no secret, no token, nothing that acts as the caller anywhere else. A
signing key lets its holder sign as the caller towards the one service it is for, so it is a permission of its own.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from daypass.access import Authenticator, Caller, RequestFacts
from daypass.access.authenticate import AuthenticatedHead
from daypass.clock import Clock
from daypass.doorway.client_address import Network
from daypass.doorway.received import ClientGoneError, Receive, ReceivedRequest, Scope, Send, receive_request
from daypass.doorway.reports import request_id
from daypass.errors import AccessDeniedError, DaypassError, Reason, RequestError
from daypass.gateway.ask_answers import (
    DECISION_SECONDS,
    Outcome,
    Told,
    decisions,
    encoded,
    event_of,
    failure,
    identity,
    question_event,
    send_json,
)
from daypass.gateway.ask_scope import (
    SERVICE,
    AskAction,
    AskedScope,
    check_key_is_theirs,
    permit_asking,
    scope_of,
)
from daypass.gateway.asked_messages import (
    Decide,
    GetKey,
    OriginalRequest,
    ScopeMembers,
    VerifyRequests,
    address_of,
    body_of,
    facts_of,
    needed_of,
    raw_request,
    read_message,
)
from daypass.gateway.asking import AskedOperation, Incoming, Needed
from daypass.gateway.backends import Backends, bucket_in_host
from daypass.gateway.decision import DECISIONS_AT_ONCE, Gate, KeysOf, no_keys
from daypass.gateway.denials import HTTP_FORM
from daypass.gateway.reports import GatewayReports
from daypass.gateway.s3_rules import S3Rules
from daypass.gateway.verified_callers import VerifiedCallers
from daypass.sigv4.limits import MAX_CLOCK_SKEW
from daypass.sigv4.timestamp import instant_of
from daypass.store import View

PREFIX: Final = b"/verify/"
KEY_SECONDS: Final = 300
"""How long a service may verify with a key by itself: what a revocation may be late by for whoever asks no decisions."""

SOURCE: Final = "verify.daypass"
"""``eventSource`` of a question, and what metrics call services that are not in the configuration."""

_DAY: Final = 86_400
_ACTIONS: Final[Mapping[bytes, tuple[AskAction, type[ScopeMembers]]]] = {
    b"requests": ("daypass:VerifyRequest", VerifyRequests),
    b"decisions": ("daypass:Decide", Decide),
    b"keys": ("daypass:GetSigningKey", GetKey),
}


class Question(msgspec.Struct, frozen=True):
    """A question of a service that may ask it: what ``_permitted`` makes, and nothing else."""

    asker: Caller
    scope: AskedScope
    message: ScopeMembers
    facts: RequestFacts
    view: View

    def __repr__(self) -> str:
        return f"Question({self.asker.principal.arn!r}, {self.scope.arn!r})"


class AskDoor:
    """The ASGI application below ``/verify/``. ``key_elsewhere``: service and region of other doors that take signing keys."""

    def __init__(
        self,
        backends: Backends,
        gate: Gate,
        rules: S3Rules,
        authenticator: Authenticator,
        callers: VerifiedCallers,
        *,
        clock: Clock,
        reports: GatewayReports,
        trusted_proxies: Sequence[Network] = (),
        key_elsewhere: Sequence[tuple[str, str]] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._backends = backends
        self._gate = gate
        self._rules = rules
        self._authenticator = authenticator
        self._callers = callers
        self._clock = clock
        self._reports = reports
        self._trusted_proxies = trusted_proxies
        self._key_elsewhere = key_elsewhere
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        told = Told(self._new_request_id(), self._reports.time())
        asked: list[Question] = []
        try:
            answer = await self._serve(scope, receive, told, asked)
            status = 200
        except ClientGoneError:
            return
        except DaypassError as error:
            told.error = error
            status, members = failure(error, HTTP_FORM, told.request_id)
            told.code = members["code"]
            answer = {"error": members}
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._reports.broken(told.request_id, told.operation, error)
            status, told.code = 500, "InternalFailure"
            answer = {"error": {"status": 500, "code": told.code, "reason": Reason.INTERNAL_FAILURE.value}}
        event = question_event(told, [one.scope.arn for one in asked], SOURCE, self._clock)
        self._reports.asked(event, backend=SOURCE, operation=told.operation, began=told.began)
        await send_json(send, status, encoded({**answer, "request_id": told.request_id}), told.request_id)

    async def _serve(self, scope: Scope, receive: Receive, told: Told, asked: list[Question]) -> dict[str, Any]:
        received = await receive_request(scope, receive, clock=self._clock, trusted_proxies=self._trusted_proxies)
        told.facts = received.facts
        found = _ACTIONS.get(received.raw.path.removeprefix(PREFIX))
        if found is None or received.raw.query:
            raise RequestError(Reason.UNKNOWN_ACTION, "There is no such question.")
        if received.raw.method != "POST":
            raise RequestError(Reason.MALFORMED_REQUEST, "Questions are asked with POST.")
        action, kind = found
        told.operation = action.partition(":")[2]
        question = self._permitted(received, action, kind, told)
        asked.append(question)
        message = question.message
        if isinstance(message, VerifyRequests):
            return {"results": await self._verify_all(question, message)}
        if isinstance(message, Decide):
            return {"result": await self._answer(question, partial(self._decide, question, message))}
        if isinstance(message, GetKey):
            return {"result": await self._answer(question, partial(self._key, question, message))}
        raise TypeError(f"no answer to {type(message).__name__}")

    def _permitted(
        self, received: ReceivedRequest, action: AskAction, kind: type[ScopeMembers], told: Told
    ) -> Question:
        """
        The question of a service that may ask it. In this order: who asks (their signature, over the whole body), what, and
        whether they may. Nothing of the body is read before its signature is verified.
        """
        view = self._gate.view()
        asker = told.caller = self._authenticator.authenticate(
            received.raw, payload_hash=received.payload_hash, service=SERVICE, view=view, now=received.facts.now
        )
        message = read_message(received.body, kind)
        scope = scope_of(message, self._backends)
        permit_asking(asker, action, scope.arn, scope.backend.account, received.facts, view)
        if isinstance(message, GetKey):
            check_key_is_theirs(scope, self._backends, self._key_elsewhere)
        return Question(asker, scope, message, received.facts, view)

    async def _verify_all(self, question: Question, message: VerifyRequests) -> list[dict[str, Any]]:
        results = []
        for asked in message.requests:
            results.append(await self._answer(question, partial(self._verify, question, asked)))
            await asyncio.sleep(0)  # a batch does not keep others waiting
        return results

    async def _answer(
        self, question: Question, answer_to: Callable[[Told], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """What is said of one caller; a refusal is of that one only, and not of the service that asks."""
        told = Told(self._new_request_id(), self._reports.time())
        try:
            answer = await answer_to(told)
        except DaypassError as error:
            told.error = error
            _, members = failure(error, told.form, told.request_id)
            told.code = members["code"]
            answer = {"error": members}
        scope = question.scope
        event = event_of(told, scope, question.asker, question.facts.now)
        name = scope.backend.name if scope.configured else SOURCE
        operation = told.operation if scope.configured else None
        self._reports.asked(event, backend=name, operation=operation, began=told.began)
        return {**answer, "request_id": told.request_id}

    async def _verify(self, question: Question, asked: OriginalRequest, told: Told) -> dict[str, Any]:
        backend, view = question.scope.backend, question.view
        head, incoming = self._authenticated(question, asked, told)
        if told.facts is None:
            raise TypeError("an authenticated request has facts")
        if asked.permissions is not None:
            needed = needed_of(asked.permissions, backend.service)
            told.outcomes = await self._outcomes(question, head.caller, needed, told.facts, head.verified.signed_at)
        else:
            if question.scope.configured:
                bucket = bucket_in_host(backend, dict(incoming.raw.headers)[b"host"])
                incoming = msgspec.structs.replace(incoming, bucket=bucket)
            operation = self._operation(question, incoming, told)
            keys = await self._rules.keys_for(backend, head, told.facts, operation, view)
            told.outcomes = await self._outcomes(
                *(question, head.caller, (*operation.needed, *operation.each), told.facts, head.verified.signed_at),
                keys,
            )
            if told.refusal is None:
                allowed = await self._gate.decide(
                    head, backend, incoming, told.facts, view, asked=operation, more_keys=keys
                )
                self._rules.check_carried(allowed)
                await self._rules.check(incoming.raw, incoming.body, allowed)
        return {**self._verified(question, head, told), **self._decided(told, question)}

    def _authenticated(
        self, question: Question, asked: OriginalRequest, told: Told
    ) -> tuple[AuthenticatedHead, Incoming]:
        backend, now = question.scope.backend, question.facts.now
        raw = raw_request(asked)
        told.form = backend.form_of(raw)
        body, digest = body_of(asked)
        told.facts = facts_of(raw, asked, now)
        head = self._gate.authenticate(backend, raw, told.facts, question.view, payload_hash=digest)
        told.caller = head.caller
        parameters = head.authorization.parameters
        return head, Incoming(raw, parameters, backend.region, backend.account, body=body)

    def _operation(self, question: Question, incoming: Incoming, told: Told) -> AskedOperation:
        """What the backend's action map makes of a request. Raises RequestError; also for want of a body that decides."""
        actions = question.scope.backend.actions
        wants = actions.body_limit(msgspec.structs.replace(incoming, body=None))
        if wants is not None and incoming.body is None:
            raise RequestError(Reason.BODY_NEEDED, "What this request may do depends on its body; send that too.")
        if wants is not None and incoming.body is not None and len(incoming.body) > wants:
            raise RequestError(Reason.REQUEST_TOO_LARGE, "The body is longer than any that says what is asked.")
        if wants is None:
            incoming = msgspec.structs.replace(incoming, body=None)
        operation = actions.operation(incoming)
        told.operation, told.read_only = operation.name, operation.read_only
        if self._rules.body_limit(operation) is not None and incoming.body is None:
            raise RequestError(Reason.BODY_NEEDED, "What this request may do depends on its body; send that too.")
        if not operation.needed and not operation.each:
            raise RequestError(Reason.UNSUPPORTED_OPERATION, f"{operation.name} is not supported here.")
        return operation

    async def _outcomes(
        self,
        question: Question,
        caller: Caller,
        needed: Sequence[Needed],
        facts: RequestFacts,
        signed_at: int,
        keys: KeysOf = no_keys,
    ) -> list[Outcome]:
        outcomes = []
        backend, view = question.scope.backend, question.view
        for number, one in enumerate(needed, 1):
            if number % DECISIONS_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                self._gate.permit(caller, one, backend, facts, view, signed_at=signed_at, more_keys=keys)
            except AccessDeniedError as error:
                outcomes.append(Outcome(one, error))
            else:
                outcomes.append(Outcome(one))
        return outcomes

    def _verified(self, question: Question, head: AuthenticatedHead, told: Told) -> dict[str, Any]:
        """Who it is, what the signature promises of the body, and a handle."""
        verified, now = head.verified, question.facts.now
        handle = self._callers.seal(
            *(head.caller,),
            signed_at=verified.signed_at,
            asker=question.asker.principal,
            arn=question.scope.arn,
            now=now,
        )
        answer: dict[str, Any] = {
            "identity": identity(head.caller),
            "payload": verified.payload,
            "signed_at": verified.signed_at,
            "presigned": verified.presigned,
            "handle": handle.text,
            "handle_ends_at": handle.ends_at,
        }
        if question.scope.configured and told.operation is not None:
            answer["operation"] = told.operation
        return answer

    def _decided(self, told: Told, question: Question) -> dict[str, Any]:
        """The decisions, and until when the service may go by them."""
        session = None if told.caller is None else told.caller.session
        until = int(question.facts.now) + DECISION_SECONDS
        if told.refusal is not None:
            told.code = failure(told.refusal, told.form, told.request_id)[1]["code"]
        return {
            "allowed": told.refusal is None and bool(told.outcomes),
            "decisions": decisions(told.outcomes),
            "cacheable_until": until if session is None else min(until, session.expires_at),
            "now": int(question.facts.now),
            "revision": question.view.revision,
        }

    async def _decide(self, question: Question, message: Decide, told: Told) -> dict[str, Any]:
        asker, backend, now = question.asker.principal, question.scope.backend, question.facts.now
        facts = told.facts = RequestFacts(
            now, address_of(message.source_ip), message.secure, message.user_agent, message.referer
        )
        caller, signed_at = self._callers.open(
            message.handle, asker=asker, arn=question.scope.arn, view=question.view, now=now
        )
        told.caller = caller
        needed = needed_of(message.permissions, backend.service)
        at = signed_at if message.signed_at is None else message.signed_at
        told.outcomes = await self._outcomes(question, caller, needed, facts, at)
        return self._decided(told, question)

    async def _key(self, question: Question, message: GetKey, told: Told) -> dict[str, Any]:
        head, _ = self._authenticated(question, message.request, told)
        if head.verified.presigned:
            raise AccessDeniedError(
                Reason.SIGNING_KEY_WITHHELD, "A presigned request permits itself; no signing key is given out for it."
            )
        return {**self._verified(question, head, told), **self._signing_key(question, head)}

    def _signing_key(self, question: Question, head: AuthenticatedHead) -> dict[str, Any]:
        verified, session = head.verified, head.caller.session
        midnight = instant_of(f"{verified.date}T000000Z".encode()) + _DAY
        until = min(midnight + int(MAX_CLOCK_SKEW), int(question.facts.now) + KEY_SECONDS)
        if session is not None:
            until = min(until, session.expires_at)
        return {
            "signing_key": base64.b64encode(head.key(head.authorization)).decode("ascii"),
            "date": verified.date,
            "region": verified.region,
            "service": verified.service,
            "cacheable_until": until,
            "now": int(question.facts.now),
            "revision": question.view.revision,
        }
