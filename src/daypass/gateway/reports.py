# SPDX-License-Identifier: Apache-2.0
"""
What the enforcement door reports of each request: a record, figures, and a line in the log when it refuses.

Never what was sent: names of operations, ARNs, codes, reasons, counts of bytes.
"""

from __future__ import annotations

from typing import Final

from daypass.access import Caller
from daypass.access.remembered import remembered
from daypass.audit import UNSIGNED_REGION, Event, Who
from daypass.doorway.audit_trail import AuditTrail, who_is
from daypass.doorway.metrics import SUCCESS, GatewayMetrics, UpstreamFailure
from daypass.doorway.reports import DoorLog
from daypass.errors import AccessDeniedError, Reason
from daypass.gateway.asking import AskedOperation
from daypass.gateway.exchange import Exchange
from daypass.store import View

MOST_RESOURCES: Final = 20
"""ARNs in one record: the first keys of a deletion of a thousand."""

_UNKNOWN_SOURCE: Final = "gateway.daypass"
"""``eventSource`` of a request that is for no backend."""

_UNKNOWN_NAME: Final = "Unknown"
"""``eventName`` of a request that was refused before it was known what it asks for."""


class GatewayReports:
    """Reports to the log, the metrics and the audit trail."""

    def __init__(self, log: DoorLog, metrics: GatewayMetrics, audit: AuditTrail) -> None:
        self._log = log
        self._metrics = metrics
        self._audit = audit

    def time(self) -> float:
        """A monotonic instant."""
        return self._metrics.time()

    def upstream_failed(self, exchange: Exchange, failure: UpstreamFailure) -> None:
        """The backend could not be asked, or answered nonsense."""
        if exchange.backend is not None:
            self._metrics.gateway_upstream_failed(backend=exchange.backend.name, reason=failure)

    def failed(self, exchange: Exchange, error: Exception) -> None:
        """An error of ours: an alarm."""
        self._log.failed(request_id=exchange.request_id, operation=_name(exchange), error=error)

    def asked(self, event: Event, *, backend: str, operation: str | None, began: float) -> None:
        """
        A service has asked, and this is what came of it. ``backend``: its name in the configuration, or a word of ours;
        ``operation``: of a table of ours.
        """
        if event.reason is not None:
            self._log.refused(
                request_id=event.request_id, operation=operation, reason=event.reason, code=event.code or ""
            )
        self._audit.note(event)
        self._metrics.gateway_answered(backend=backend, operation=operation, code=event.code or SUCCESS, began=began)

    def broken(self, request_id: str, operation: str | None, error: Exception) -> None:
        """An error of ours while a service asked: an alarm."""
        self._log.failed(request_id=request_id, operation=operation, error=error)

    def answered(self, exchange: Exchange) -> None:
        """The request is done with, one way or the other."""
        if exchange.error is not None:
            self._log.refused(
                request_id=exchange.request_id,
                operation=_name(exchange),
                reason=exchange.error.reason,
                code=exchange.code,
            )
        self._audit.note(event_of(exchange))
        backend = exchange.backend
        if backend is None:
            return
        code = exchange.code or (SUCCESS if exchange.status < 400 else str(exchange.status))
        operation = None if exchange.operation is None else exchange.operation.name
        self._metrics.gateway_answered(backend=backend.name, operation=operation, code=code, began=exchange.began)
        received = 0 if exchange.source is None else exchange.source.received
        if received or exchange.sent:
            self._metrics.gateway_bytes(backend=backend.name, received=received, sent=exchange.sent)


def event_of(exchange: Exchange) -> Event:
    """The record of a request: who, what, on which resources, by which backend, and what came of it."""
    head, backend, operation, error = exchange.head, exchange.backend, exchange.operation, exchange.error
    facts = None if head is None else head.facts
    caller = None if exchange.authenticated is None else exchange.authenticated.caller
    data: dict[str, object] = {"status": exchange.status}
    if backend is not None:
        data["backend"] = backend.name
    if exchange.source is not None and exchange.source.received:
        data["bytesTransferredIn"] = exchange.source.received
    if exchange.sent:
        data["bytesTransferredOut"] = exchange.sent
    if exchange.client_gone:
        data["clientGone"] = True
    if exchange.allowed is not None and exchange.allowed.denied:
        data["deniedItems"] = [
            exchange.allowed.operation.each[item.place].resource for item in exchange.allowed.denied[:MOST_RESOURCES]
        ]
    return Event(
        at=exchange.at if facts is None else facts.now,
        source=_UNKNOWN_SOURCE if backend is None else f"{backend.service}.amazonaws.com",
        name=_UNKNOWN_NAME if operation is None else operation.name,
        request_id=exchange.request_id,
        source_ip=None if facts is None else facts.source_ip,
        user_agent=None if facts is None else facts.user_agent,
        who=_who(exchange),
        region=UNSIGNED_REGION if caller is None else caller.region,
        reason=_reason(exchange),
        code=exchange.code or None,
        message=None if error is None else str(error),
        read_only=operation is not None and operation.read_only,
        management=False,
        data=data,
        decision=error.kept if isinstance(error, AccessDeniedError) else None,
        resources=() if operation is None else _resources(operation),
        account=None if backend is None else backend.account,
    )


def _who(exchange: Exchange) -> Who | None:
    """Who has asked; of those who may it is kept with the view."""
    if exchange.authenticated is None:
        return None
    caller = exchange.authenticated.caller
    return who_is(caller) if exchange.allowed is None else _remembered_who(caller, exchange.allowed.view)


@remembered
def _remembered_who(caller: Caller, _view: View) -> Who:
    return who_is(caller)


def _resources(operation: AskedOperation) -> tuple[str, ...]:
    needed = operation.needed or operation.each
    if len(needed) == 1:
        return (needed[0].resource,)
    return tuple(dict.fromkeys([one.resource for one in needed[:MOST_RESOURCES]]))


def _reason(exchange: Exchange) -> Reason | None:
    """Why it was refused: a refusal without an error of ours that is known is one of an error that is not."""
    if exchange.error is not None:
        return exchange.error.reason
    return Reason.INTERNAL_FAILURE if exchange.code else None


def _name(exchange: Exchange) -> str | None:
    operation = exchange.operation
    return None if operation is None else f"{operation.service}:{operation.name}"
