# SPDX-License-Identifier: Apache-2.0
"""
The gateway: a streaming reverse proxy that lets through what is signed and permitted, and nothing else.

    head -- choose backend --> authenticate --> (body, where it decides) --> what is asked --> decide --> forward --> relay

Nothing is buffered but what a decision needs, which is bounded; both directions have back pressure. Whatever is raised that is
not a ``DaypassError`` is a 500, an alarm in the log, and a refusal (invariant 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from daypass.access import RequestFacts
from daypass.access.authenticate import AuthenticatedHead
from daypass.clock import Clock
from daypass.doorway.client_address import Network
from daypass.doorway.connection import connection_of
from daypass.doorway.received import ClientGoneError, Receive, Scope, Send
from daypass.doorway.reports import request_id
from daypass.errors import AccessDeniedError, DaypassError, Reason, RequestError
from daypass.gateway.asking import Incoming
from daypass.gateway.backends import Backends
from daypass.gateway.bodies import ClientBody, VerifiedPieces
from daypass.gateway.decision import Allowed, Gate
from daypass.gateway.denials import HTTP_FORM, Denial, denial, failure
from daypass.gateway.exchange import Exchange
from daypass.gateway.incoming import Head, check_body, read_head
from daypass.gateway.onward import Forwarder, Onward
from daypass.gateway.post_object import FormUploads, is_upload
from daypass.gateway.relay import Answering
from daypass.gateway.reports import GatewayReports
from daypass.gateway.s3_rules import NO_TAGS_COPIED, S3Rules
from daypass.gateway.upstream import UpstreamAnswer, UpstreamError, Upstreams
from daypass.gateway.whole_bodies import WholeBodies, says_no_digest
from daypass.sigv4 import Body
from daypass.store import View

EMPTY_IN_CHUNKS: Final = 65_536
"""Bytes that the framing, signature and trailer of an empty body in chunks may take."""

_WITH_BODY: Final = ("PUT", "POST", "PATCH")
"""Methods whose requests say a length even when it is 0 (RFC 9110 section 8.6)."""


class GatewayDoor:
    """The ASGI application of the gateway's listener."""

    def __init__(
        self,
        backends: Backends,
        gate: Gate,
        upstreams: Upstreams,
        forwarder: Forwarder,
        rules: S3Rules,
        *,
        clock: Clock,
        reports: GatewayReports,
        trusted_proxies: Sequence[Network] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._backends = backends
        self._gate = gate
        self._upstreams = upstreams
        self._forwarder = forwarder
        self._rules = rules
        self._forms = FormUploads(gate, rules, forwarder)
        self._whole_bodies = WholeBodies()
        self._clock = clock
        self._reports = reports
        self._trusted_proxies = trusted_proxies
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it go when its client has gone."""
        connection, request_id = connection_of(scope), self._new_request_id()
        exchange = Exchange(request_id, self._reports.time(), scope["method"], self._clock())
        answering = Answering(send, connection, exchange)
        task = asyncio.current_task()

        def gone() -> None:
            exchange.client_gone = True
            if task is not None:
                task.cancel()

        connection.on_lost(gone)
        try:
            await self._serve(scope, receive, exchange, answering)
        except ClientGoneError:
            exchange.client_gone = True
            answering.abort()  # or it does not take its answer
        except asyncio.CancelledError:
            if not exchange.client_gone or task is None:
                raise  # the process is being stopped
            task.uncancel()
        except DaypassError as error:
            await self._refuse(exchange, answering, error)
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._reports.failed(exchange, error)
            await self._fail(exchange, answering)
        self._reports.answered(exchange)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange, answering: Answering) -> None:
        source = exchange.source = ClientBody(receive)
        head = exchange.head = read_head(scope, self._clock, self._trusted_proxies)
        source.at_end = not head.has_body
        chosen = self._backends.choose(head.host, head.raw.path)
        if chosen is None:
            raise RequestError(Reason.NO_SUCH_BACKEND, "There is no service here by this host and path.")
        backend = exchange.backend = chosen.backend
        exchange.form = backend.form_of(head.raw)
        answering.idle_seconds = backend.idle_seconds
        check_body(head, backend.service)
        source.most = _most(backend.max_body_bytes)
        if is_upload(chosen, head.raw):
            form, sent_on = await self._forms.accept(exchange, chosen, connection_of(scope))
            await self._deliver(exchange, form, sent_on, exchange.pieces, answering)
            return
        data, digest = b"", None
        if says_no_digest(head.raw, backend):  # within the time that the server gives every request
            data, digest = await self._whole_bodies.read(source, head.length, backend)
            head = exchange.head = msgspec.structs.replace(head, facts=_now(head.facts, self._clock()))
        connection_of(scope).stream(backend.idle_seconds)
        view = self._gate.view()
        authenticated = exchange.authenticated = self._gate.authenticate(
            backend, head.raw, head.facts, view, payload_hash=digest
        )
        body = exchange.body = authenticated.body()
        if digest is not None:
            exchange.content = b"".join([*body.feed(data), *body.finish()])
        elif source.at_end:
            exchange.content = b"".join(body.finish())
        incoming = Incoming(
            head.raw, authenticated.authorization.parameters, backend.region, backend.account, chosen.bucket
        )
        limit = backend.actions.body_limit(incoming)
        if limit is not None:
            incoming = msgspec.structs.replace(incoming, body=await _content(exchange, source, body, limit))
        operation = exchange.operation = backend.actions.operation(incoming)
        limit = self._rules.body_limit(operation)
        if limit is not None:
            await _content(exchange, source, body, limit)
        allowed = exchange.allowed = await self._decide(exchange, authenticated, incoming, head.facts, view)
        await self._rules.check(head.raw, exchange.content, allowed)
        answer = await self._rules.answer(head.raw, exchange.content, allowed)
        if answer is None:
            await self._forward(exchange, allowed, chosen.bucket, answering)
        else:
            await answering.whole(*answer, unread=exchange.unread)

    async def _decide(
        self, exchange: Exchange, head: AuthenticatedHead, incoming: Incoming, facts: RequestFacts, view: View
    ) -> Allowed:
        """The decision; a copy of what has no tags is decided again without the permissions for tags."""
        backend, operation = exchange.backend, exchange.operation
        if backend is None or operation is None:
            raise RequestError(Reason.INTERNAL_FAILURE, "The request was not read.")
        keys = await self._rules.keys_for(backend, head, facts, operation, view)
        try:
            return await self._gate.decide(head, backend, incoming, facts, view, asked=operation, more_keys=keys)
        except AccessDeniedError as error:
            fewer = self._rules.without_tags(operation)
            if fewer is None:
                raise
            # Decided before anything is looked up: who may not copy hears that, and learns nothing of the source.
            allowed = await self._gate.decide(head, backend, incoming, facts, view, asked=fewer, more_keys=keys)
            if await self._rules.has_tags(backend, operation, facts.now):
                raise error from None
        exchange.more_headers = (NO_TAGS_COPIED,)
        return allowed

    async def _forward(self, exchange: Exchange, allowed: Allowed, bucket: str | None, answering: Answering) -> None:
        """Send the request on, and its answer back."""
        head, source, body = exchange.head, exchange.source, exchange.body
        if head is None or source is None or body is None:
            raise RequestError(Reason.INTERNAL_FAILURE, "The request was not read.")
        if exchange.content is None and _is_empty(head, body):
            # Nothing could be held back of it, so all of it is verified before anything is sent.
            await _content(exchange, source, body, EMPTY_IN_CHUNKS)
        content = self._rules.content(exchange.content, allowed)
        bears_body = bool(content) or head.has_body or head.raw.method in _WITH_BODY
        onward = self._forwarder.onward(
            allowed,
            head.raw,
            bucket=bucket,
            request_id=exchange.request_id,
            client=head.facts.source_ip,
            body=body,
            content=content if bears_body else None,
            edited=content is not exchange.content,
            bears_body=bears_body,
            more=exchange.more_headers,
        )
        data: bytes | VerifiedPieces | None = content if bears_body else None
        if content is None:
            data = exchange.pieces = VerifiedPieces(
                source, body, framed=onward.framed, idle_seconds=allowed.backend.idle_seconds
            )
        await self._deliver(exchange, allowed, onward, data, answering)

    async def _deliver(
        self,
        exchange: Exchange,
        allowed: Allowed,
        onward: Onward,
        data: bytes | VerifiedPieces | None,
        answering: Answering,
    ) -> None:
        """Send what is to be sent on, and the backend's answer back."""
        async with await self._send(exchange, allowed, onward, data) as answer:
            await self._rules.done(allowed, answer.status)
            edited = await self._rules.edited(allowed, answer)
            if edited is None:
                await answering.relay(answer, unread=exchange.unread)
            else:
                await answering.whole(*edited, unread=exchange.unread)

    async def _send(
        self, exchange: Exchange, allowed: Allowed, onward: Onward, data: bytes | VerifiedPieces | None
    ) -> UpstreamAnswer:
        try:
            return await self._upstreams.request(
                allowed.backend, onward.method, onward.path, onward.query, onward.headers, data
            )
        except (UpstreamError, asyncio.CancelledError):
            pieces, task = exchange.pieces, asyncio.current_task()
            if pieces is None or pieces.error is None or exchange.client_gone or task is None:
                raise
            if pieces.stalled:
                task.uncancel()
            raise pieces.error from None  # it is the body that ended the request
        finally:
            if exchange.pieces is not None:
                exchange.pieces.waited()

    async def _refuse(self, exchange: Exchange, answering: Answering, error: DaypassError) -> None:
        exchange.error = error
        if isinstance(error, UpstreamError):
            self._reports.upstream_failed(exchange, error.failure)
        told = denial(
            exchange.form or HTTP_FORM,
            error,
            request_id=exchange.request_id,
            resource=exchange.resource,
            head=exchange.method == "HEAD",
            presigned=exchange.presigned,
        )
        await self._tell(exchange, answering, told)

    async def _fail(self, exchange: Exchange, answering: Answering) -> None:
        head = exchange.method == "HEAD"
        form = exchange.form or HTTP_FORM
        await self._tell(
            exchange, answering, failure(form, request_id=exchange.request_id, resource=exchange.resource, head=head)
        )

    async def _tell(self, exchange: Exchange, answering: Answering, told: Denial) -> None:
        """An error, unless the answer has begun: then its connection ends."""
        exchange.code = told.code
        if answering.begun:
            answering.abort()
            return
        try:
            await answering.whole(told.status, told.headers, told.body, unread=exchange.unread)
        except ClientGoneError:
            exchange.client_gone = True
            answering.abort()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not exchange.client_gone or task is None:
                raise
            task.uncancel()  # it has read enough of the answer, and what was refused is recorded all the same


async def _content(exchange: Exchange, source: ClientBody, body: Body, most: int) -> bytes:
    """The whole body, read and verified once."""
    if exchange.content is None:
        raw = await source.whole(most)
        exchange.content = b"".join([*body.feed(raw), *body.finish()])
    return exchange.content


def _is_empty(head: Head, body: Body) -> bool:
    """Whether a body that comes has nothing in it: only chunks can say so."""
    return head.has_body and body.length == 0


def _now(facts: RequestFacts, now: float) -> RequestFacts:
    """INVARIANT: the clock is read when the body has come that the signature waits for: who holds it back holds no instant."""
    return msgspec.structs.replace(facts, now=now)


def _most(most: int) -> int:
    """The longest body as it is sent: with the framing of chunks, somewhat longer than what it holds."""
    return most + most // 8 + EMPTY_IN_CHUNKS
