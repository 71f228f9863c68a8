# SPDX-License-Identifier: Apache-2.0
"""
The ASGI application of the browser door: it receives a request whole, finds its page, and answers; every answer carries the
security headers, and every refusal is a page that says so and nothing of what was sent.

    GET   /saml/metadata                         what we say of ourselves as a service provider
    GET   /saml/metadata/{account}/{provider}    the same, with the keys that this provider has
    GET   /portal/saml/{account}/{provider}/start    sends the browser to the identity provider
    POST  /saml                                  takes its answer, and shows the roles
    POST  /portal/saml/credentials               takes the choice, and shows the credentials
    GET   /portal/static/{name}                  the style sheet and the script

Routing is on the raw path (invariant 2): a path that a percent sign could make another is not found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from daypass.audit import Event
from daypass.clock import Clock
from daypass.doorway.audit_trail import AuditTrail, Noted, plain_message
from daypass.doorway.client_address import Network
from daypass.doorway.metrics import NO_METRICS, SUCCESS, DoorMetrics
from daypass.doorway.received import ClientGoneError, Message, Receive, ReceivedRequest, Scope, Send, receive_request
from daypass.doorway.reports import DoorLog, request_id
from daypass.errors import AccessDeniedError, DaypassError, Reason
from daypass.signin import pages
from daypass.signin.desk import Desk, Visit
from daypass.signin.refusals import FAILED, NO_METHOD, NOT_FOUND, Refusal, refusal

CONSUMER: Final = b"/saml"
PREFIXES: Final = (b"/saml/", b"/portal/")
"""The raw paths that are for this door: exactly the one, and those that begin with the others."""

Endpoint = Callable[[Visit], Awaitable[Response]]

SOURCE: Final = "signin.amazonaws.com"
"""``eventSource`` of what happens here, in the audit trail."""

_CLOSING: Final = (411, 413)
"""Statuses after which the connection is closed: what is left of the request is not read."""


class WireCode(Protocol):
    """The code and the status that belong to a reason (``daypass.api.wire_errors``, handed in by the wiring)."""

    @property
    def code(self) -> str:
        """As AWS's clients know it; here it goes into the log."""

    @property
    def status(self) -> int:
        """The HTTP status."""


class SigninDoor:
    """Answers at ``/saml``, ``/saml/...`` and ``/portal/...``."""

    def __init__(
        self,
        desk: Desk,
        endpoints: Sequence[tuple[str, str, Endpoint]],
        *,
        clock: Clock,
        log: DoorLog,
        audit: AuditTrail | None = None,
        metrics: DoorMetrics = NO_METRICS,
        wire_codes: Mapping[Reason, WireCode],
        trusted_proxies: Sequence[Network] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._log = log
        self._audit = audit
        self._metrics = metrics
        self._wire_codes = wire_codes
        self._trusted_proxies = trusted_proxies
        self._new_request_id = new_request_id
        routes = [Route(path, _adapted(endpoint), methods=[method]) for method, path, endpoint in endpoints]
        self._router = Router(routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        identifier = self._new_request_id()
        inner: Scope = {**scope, "app": self, "root_path": "", "state": {"request_id": identifier, "noted": Noted()}}
        answering = _Answering(send, identifier, head=scope["method"] == "HEAD")
        try:
            received = await receive_request(scope, receive, clock=self._clock, trusted_proxies=self._trusted_proxies)
            inner["state"]["began"] = self._metrics.time()
            inner["path"] = _path(scope["raw_path"])
            inner["state"]["received"] = received
            await self._router(inner, receive, answering.send)
            self._note(inner, identifier)
            self._count(inner, SUCCESS)
            return
        except ClientGoneError:
            return
        except HTTPException as error:  # Starlette's: no such path, or not by this method
            shown, status, headers = (
                (NO_METHOD if error.status_code == 405 else NOT_FOUND),
                error.status_code,
                error.headers,
            )
        except DaypassError as error:
            shown, status, headers = refusal(error), self._refused(error, inner, identifier), None
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._log.failed(request_id=identifier, operation=self._name(inner), error=error)
            self._note(inner, identifier, Reason.INTERNAL_FAILURE)
            self._count(inner, self._wire_codes[Reason.INTERNAL_FAILURE].code)
            shown, status, headers = FAILED, 500, None
        if not answering.begun:
            await self._refuse(shown, status, headers or {}, inner, answering)

    def _count(self, inner: Scope, code: str) -> None:
        endpoint = inner.get("endpoint")
        if endpoint is not None:
            self._metrics.answered("signin", endpoint.__name__, code, inner["state"].get("began"))

    def _refused(self, error: DaypassError, inner: Scope, identifier: str) -> int:
        wire = self._wire_codes[error.reason]
        self._count(inner, wire.code)
        if isinstance(error, AccessDeniedError):
            self._metrics.decided(error.denied_by)
        self._note(inner, identifier, error.reason, plain_message(error))
        self._log.refused(request_id=identifier, operation=self._name(inner), reason=error.reason, code=wire.code)
        return wire.status

    def _note(self, inner: Scope, identifier: str, reason: Reason | None = None, message: str | None = None) -> None:
        """Into the audit trail: the steps of a sign-in, and what was refused. Pages that tell nothing of anybody are not."""
        state: dict[str, Any] = inner["state"]
        noted: Noted = state["noted"]
        if self._audit is None or (reason is None and not noted.name):
            return
        received: ReceivedRequest | None = state.get("received")
        endpoint = inner.get("endpoint")
        self._audit.note(
            Event(
                self._clock() if received is None else received.facts.now,
                SOURCE,
                noted.name or ("" if endpoint is None else endpoint.__name__),
                identifier,
                None if received is None else received.facts.source_ip,
                None if received is None else received.facts.user_agent,
                noted.who,
                parameters=noted.parameters,
                answer=noted.answer,
                reason=reason,
                code=None if reason is None else self._wire_codes[reason].code,
                message=message,
                decision=noted.decision,
            )
        )

    def _name(self, inner: Scope) -> str | None:
        """What was asked for, as the log names it; None while that is not known."""
        endpoint = inner.get("endpoint")
        return None if endpoint is None else f"signin:{endpoint.__name__}"

    async def _refuse(
        self, shown: Refusal, status: int, headers: Mapping[str, str], inner: Scope, answering: _Answering
    ) -> None:
        values = {"title": shown.title, "message": shown.message, "advice": shown.advice}
        response = self._desk.pages.page("refusal", answering.request_id, values, status=status)
        response.headers.update(headers)
        if status in _CLOSING:
            response.headers["connection"] = "close"
        await response(inner, _nothing, answering.send)


class _Answering:
    """Sends an answer on, with the headers that all have, and without a body to a HEAD."""

    def __init__(self, send: Send, request_id: str, *, head: bool) -> None:
        self._send = send
        self._head = head
        self.request_id = request_id
        self.begun = False

    async def send(self, message: Message) -> None:
        """One message of ASGI."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = list(message["headers"])
            present = {name for name, _ in headers}
            default = (*pages.SECURITY_HEADERS, (b"content-security-policy", pages.content_security_policy()))
            headers += [header for header in default if header[0] not in present]
            headers.append((b"x-amzn-requestid", self.request_id.encode("ascii")))
            message = {**message, "headers": headers}
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)


def _path(raw_path: bytes) -> str:
    """The path as it is routed. Raises HTTPException where decoding would make it another."""
    if b"%" in raw_path or not raw_path.isascii():
        raise HTTPException(404)
    return raw_path.decode("ascii")


def _adapted(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        state: Any = request.scope["state"]
        return await endpoint(Visit(state["received"], state["request_id"], request.path_params, state["noted"]))

    answer.__name__ = getattr(endpoint, "__name__", type(endpoint).__name__)
    return answer


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
