# SPDX-License-Identifier: Apache-2.0
"""
``/authz/BACKEND``: proxies ask here whether a request may go on (nginx, Caddy, Traefik, Envoy; docs/proxies.md). What Envoy
asks over gRPC (``gateway.ext_authz``) is answered here too.

    question of a proxy -- original --> the client's request -- authenticate, decide --> headers to send on, or a denial

A proxy shows the secret it shares with us, and is asked in the one way that the configuration gives for the backend: what
another way would say is refused, for then a client may be saying it. The body stays with the proxy; what cannot be decided
without it is refused, and goes through the gateway.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection, Sequence
from typing import Final

from daypass.clock import Clock
from daypass.credentials import Secret
from daypass.doorway.client_address import Network
from daypass.doorway.connection import connection_of
from daypass.doorway.received import Receive, Scope, Send
from daypass.doorway.reports import request_id
from daypass.errors import AccessDeniedError, DaypassError, Reason, RequestError
from daypass.gateway.allowing import identity_headers
from daypass.gateway.asking import Incoming
from daypass.gateway.backends import Backend, Backends, Proxy, bucket_in_host
from daypass.gateway.decision import Allowed, Gate
from daypass.gateway.denials import HTTP_FORM, Denial, denial, failure
from daypass.gateway.exchange import Exchange
from daypass.gateway.incoming import Head, check_body
from daypass.gateway.onward import Forwarder
from daypass.gateway.original import original_request
from daypass.gateway.refusal_box import open_refusal, seal_refusal
from daypass.gateway.reports import GatewayReports
from daypass.gateway.s3_rules import S3Rules
from daypass.gateway.upstream import UpstreamError
from daypass.gateway.whole_bodies import says_no_digest
from daypass.sigv4 import STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, UNSIGNED_PAYLOAD

PREFIX: Final = b"/authz/"
SECRET_HEADER: Final = b"x-daypass-proxy"
DENIAL_HEADER: Final = b"x-daypass-denial"
REMOVED_HEADER: Final = b"x-envoy-auth-headers-to-remove"
"""Names, separated by commas, of what Envoy is to take out of a request that may go on."""

DENIED: Final = b"/denied"
"""Behind the backend's name: where nginx has a refusal written out again, for it keeps no bodies of ours."""

_OVER_HTTP: Final[Collection[Proxy]] = ("nginx", "caddy", "traefik", "envoy")
_SIGNED_IN_CHUNKS: Final = (STREAMING_SIGNED, STREAMING_SIGNED_TRAILER)
_NOT_IMPLEMENTED: Final = 501
_BAD_REQUEST: Final = 400
EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of no bytes."""

Headers = list[tuple[bytes, bytes]]


class ForwardAuthDoor:
    """The ASGI application below ``/authz/``."""

    def __init__(
        self,
        backends: Backends,
        secret: Secret | None,
        gate: Gate,
        forwarder: Forwarder,
        rules: S3Rules,
        *,
        clock: Clock,
        reports: GatewayReports,
        trusted_proxies: Sequence[Network] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._backends = backends
        self._secret = None if secret is None else secret.reveal().encode()
        self._gate = gate
        self._forwarder = forwarder
        self._rules = rules
        self._clock = clock
        self._reports = reports
        self._trusted_proxies = trusted_proxies
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Answer one question."""
        shown = [value for name, value in scope["headers"] if name == SECRET_HEADER]
        status, headers, body = await self.answer(shown, lambda: scope, _OVER_HTTP, scope["method"])
        if headers and connection_of(scope).answer(status, headers, body):
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def answer(
        self, shown: Sequence[bytes], question: Callable[[], Scope], proxies: Collection[Proxy], method: str = ""
    ) -> tuple[int, Headers, bytes]:
        """
        Status, headers and body of the answer to one question, which is recorded; with the status 200 the request may go on.

        ``shown``: every secret that came with it. ``question``: reads it, as the HTTP request that it is or would be, and may
        raise RequestError. ``proxies``: those that ask in this way. ``method``: of the question, until the client's is known.
        """
        exchange = Exchange(self._new_request_id(), self._reports.time(), method, self._clock())
        try:
            status, headers, body = await self._serve(shown, question, proxies, exchange)
        except DaypassError as error:
            status, headers, body = self._refusal(exchange, error)
        except asyncio.CancelledError:
            # Nothing but a backend takes so long that a question is given up (``gateway.ext_authz_listener``).
            exchange.status = self._refusal(exchange, UpstreamError("timeout"))[0]
            self._reports.answered(exchange)
            raise
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._reports.failed(exchange, error)
            told = failure(exchange.form or HTTP_FORM, request_id=exchange.request_id, resource=exchange.resource)
            status, headers, body = self._told(exchange, told)
        exchange.status = status
        self._reports.answered(exchange)
        return status, headers, body

    def knows(self, shown: Sequence[bytes]) -> bool:
        """Whether these are the one secret of the proxies."""
        return self._secret is not None and len(shown) == 1 and hmac.compare_digest(shown[0], self._secret)

    async def _serve(
        self, shown: Sequence[bytes], question: Callable[[], Scope], proxies: Collection[Proxy], exchange: Exchange
    ) -> tuple[int, Headers, bytes]:
        secret = self._check_shown(shown)
        scope = question()
        name, _, behind = scope["raw_path"].removeprefix(PREFIX).partition(b"/")
        backend = self._backends.named(name.decode("ascii", "replace"))
        if backend is None or backend.proxy not in proxies:
            raise RequestError(Reason.NO_SUCH_BACKEND, "No proxy may ask for a backend of this name.")
        if backend.proxy == "nginx" and b"/" + behind == DENIED:
            return self._written_again(scope["headers"], secret)
        exchange.backend = backend
        allowed = await self._decide(scope, exchange, backend)
        return 200, self._headers(exchange, allowed), b""

    async def _decide(self, scope: Scope, exchange: Exchange, backend: Backend) -> Allowed:
        head = exchange.head = original_request(scope, backend, self._clock, self._trusted_proxies)
        exchange.method = head.raw.method
        exchange.form = backend.form_of(head.raw)
        check_body(head, backend.service)
        view = self._gate.view()
        digest = EMPTY if says_no_digest(head.raw, backend) else None
        if digest is not None and head.length:
            raise _needs_body()
        authenticated = exchange.authenticated = self._gate.authenticate(
            backend, head.raw, head.facts, view, payload_hash=digest
        )
        _check_carried(exchange, backend)
        bucket = bucket_in_host(backend, head.host)
        incoming = Incoming(head.raw, authenticated.authorization.parameters, backend.region, backend.account, bucket)
        if backend.actions.body_limit(incoming) is not None:
            raise _needs_body()
        operation = exchange.operation = backend.actions.operation(incoming)
        if self._rules.body_limit(operation) is not None:
            raise _needs_body()
        keys = await self._rules.keys_for(backend, authenticated, head.facts, operation, view)
        allowed = exchange.allowed = await self._gate.decide(
            authenticated, backend, incoming, head.facts, view, asked=operation, more_keys=keys
        )
        self._rules.check_carried(allowed)
        await self._rules.check(head.raw, None, allowed)
        return allowed

    def _headers(self, exchange: Exchange, allowed: Allowed) -> Headers:
        """What the proxy is to set on the client's request: who asks, and a signature that the backend knows."""
        headers = identity_headers(allowed, exchange.request_id)
        if exchange.head is not None:
            headers += self._forwarder.resigned(allowed, exchange.head.raw)
        removed = b"x-amz-security-token" if allowed.backend.sign_as else b"x-amz-security-token,authorization"
        headers.append((REMOVED_HEADER, removed))
        headers.append((b"content-length", b"0"))
        return headers

    def _check_shown(self, shown: Sequence[bytes]) -> bytes:
        """The secret, when the proxy has shown it. Raises AccessDeniedError."""
        if self._secret is None or not self.knows(shown):
            raise AccessDeniedError(Reason.PROXY_UNKNOWN, "Only a proxy that is known may ask here.")
        return self._secret

    def _refusal(self, exchange: Exchange, error: DaypassError) -> tuple[int, Headers, bytes]:
        exchange.error = error
        if isinstance(error, UpstreamError):
            self._reports.upstream_failed(exchange, error.failure)
        head = exchange.method == "HEAD"
        told = denial(
            exchange.form or HTTP_FORM,
            error,
            request_id=exchange.request_id,
            resource=exchange.resource,
            head=head and exchange.backend is not None and exchange.backend.proxy != "nginx",
            presigned=exchange.presigned,
        )
        return self._told(exchange, told)

    def _told(self, exchange: Exchange, told: Denial) -> tuple[int, Headers, bytes]:
        """
        The denial; for nginx, which takes no status but 401 and 403 and no body, in a header. Envoy takes a 5xx for a failure
        of ours, and would answer one of its own that clients try again.
        """
        exchange.code = told.code
        if told.status == _NOT_IMPLEMENTED and exchange.backend is not None and exchange.backend.proxy == "envoy":
            return _BAD_REQUEST, [*told.headers], told.body
        nginx = exchange.backend is not None and exchange.backend.proxy == "nginx"
        if not nginx or self._secret is None or exchange.head is None:
            return told.status, [*told.headers], told.body
        box = seal_refusal(told, self._secret)
        return 403, [(DENIAL_HEADER, box), (b"content-length", b"0")], b""

    def _written_again(self, headers: Sequence[tuple[bytes, bytes]], secret: bytes) -> tuple[int, Headers, bytes]:
        boxes = [value for name, value in headers if name == DENIAL_HEADER]
        told = open_refusal(boxes[0], secret) if len(boxes) == 1 else None
        if told is None:
            raise RequestError(Reason.PROXY_QUESTION_AMBIGUOUS, "Expected a refusal to be written out.")
        status, written, body = told
        return status, [*written], body  # nginx asks by GET, and leaves the body out for a client's HEAD


def _check_carried(exchange: Exchange, backend: Backend) -> None:
    """Refuse what a proxy that asks cannot carry: its body would not be what the backend verifies."""
    authenticated = exchange.authenticated
    if authenticated is None:
        return
    if authenticated.verified.payload in _SIGNED_IN_CHUNKS:
        raise RequestError(
            Reason.BODY_NEEDED, "A body that is signed chunk by chunk must be sent through the gateway of this service."
        )
    unchecked = backend.sign_as is None and not backend.unchecked_bodies
    if unchecked and _may_have_body(authenticated.verified.payload, exchange.head):
        raise RequestError(
            Reason.BODY_NEEDED,
            "Nobody behind this proxy would check the body; send it through the gateway of this service.",
        )


def _may_have_body(payload: str, head: Head | None) -> bool:
    """Whether a body was promised, or comes although none was."""
    promised = payload not in (EMPTY, UNSIGNED_PAYLOAD)
    return promised or (payload == EMPTY and head is not None and head.length != 0)


def _needs_body() -> RequestError:
    return RequestError(
        Reason.BODY_NEEDED, "What this request may do depends on its body; send it through the gateway of this service."
    )
