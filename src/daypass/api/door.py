# SPDX-License-Identifier: Apache-2.0
"""
The pipeline of the AWS door. Each stage takes what the stage before made, so none can be left out:

    ReceivedRequest -- parse --> ParsedRequest -- authenticate, authorize --> Permitted -- operate --> Result

An operation of the proof kind has no signature to authenticate: its handler goes from the proof to a ``Trusted``. Whatever
is raised that is not a ``DaypassError`` is a 500, an alarm in the log, and a refusal (invariant 10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from daypass.access import Authenticator, Caller, Permitted, RequestFacts, authorize
from daypass.access.authenticate import as_it_stands
from daypass.access.context import resource_keys
from daypass.access.second_factor import SecondFactors
from daypass.access.usage import UsageRecorder
from daypass.api.operations import Operation, OperationTable, ProofOperation, Result, ServiceName, SignedOperation
from daypass.api.recording import accepted, claimed_key, recorded, refused
from daypass.api.resources import Resource
from daypass.api.wire_errors import WIRE_ERRORS, WireError
from daypass.audit import pack
from daypass.awsapi import constraints, query
from daypass.awsapi.form import parse_form
from daypass.awsapi.model import OperationModel, load_service
from daypass.clock import Clock
from daypass.doorway.audit_trail import ENCODED, AuditTrail, Noted, who_is
from daypass.doorway.client_address import Network
from daypass.doorway.metrics import NO_METRICS, SUCCESS, DoorMetrics
from daypass.doorway.received import ClientGoneError, Receive, ReceivedRequest, Scope, Send, receive_request
from daypass.doorway.reports import DoorLog, request_id
from daypass.errors import AccessDeniedError, DaypassError, Reason, RequestError
from daypass.sessions import Sessions
from daypass.store import Store, View

_SERVICES: Final[Mapping[str, ServiceName]] = {"2011-06-15": "sts", "2010-05-08": "iam"}
_NO_SERVICE: Final[tuple[str, Mapping[str, OperationModel]]] = ("", {})
_CLOSING: Final = (411, 413)
"""Statuses after which the connection is closed: what is left of the request is not read."""

_FORMS: Final = (b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=utf-8")


class ParsedRequest(msgspec.Struct, frozen=True):
    """What is asked: a row of the table, its model, and the form's parameters, not yet typed or checked."""

    received: ReceivedRequest
    operation: Operation
    model: OperationModel
    form: dict[str, str]

    def __repr__(self) -> str:
        return "ParsedRequest(...)"


class AwsDoor:
    """The ASGI application that answers STS and IAM at ``/``."""

    def __init__(
        self,
        operations: OperationTable,
        *,
        authenticator: Authenticator,
        factors: SecondFactors,
        sessions: Sessions,
        store: Store,
        clock: Clock,
        log: DoorLog,
        usage: UsageRecorder,
        audit: AuditTrail | None = None,
        metrics: DoorMetrics = NO_METRICS,
        trusted_proxies: Sequence[Network] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._operations = operations
        self._services = {version: (name, load_service(name).operations) for version, name in _SERVICES.items()}
        self._authenticator = authenticator
        self._factors = factors
        self._sessions = sessions
        self._store = store
        self._clock = clock
        self._log = log
        self._usage = usage
        self._audit = audit
        self._metrics = metrics
        self._trusted_proxies = trusted_proxies
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id, noted = self._new_request_id(), Noted()
        received: ReceivedRequest | None = None
        parsed: ParsedRequest | None = None
        began: float | None = None
        code = SUCCESS
        try:
            received = await receive_request(scope, receive, clock=self._clock, trusted_proxies=self._trusted_proxies)
            began = self._metrics.time()
            parsed = self._parse(received)
            result = await self._answer(parsed, noted)
            status, body = 200, query.serialize_result(parsed.model, result, request_id)
            self._note(parsed, noted, result, request_id)
        except ClientGoneError:
            return
        except DaypassError as error:
            self._note_refusal(received, parsed, noted, error, request_id)
            status, code, body = self._refusal(parsed, error, request_id)
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._log.failed(request_id=request_id, operation=_name(parsed), error=error)
            self._note_refusal(received, parsed, noted, Reason.INTERNAL_FAILURE, request_id)
            status, code, body = self._failure(parsed, request_id)
        self._count(parsed, code, began)
        await _send(send, status, body, request_id)

    def _count(self, parsed: ParsedRequest | None, code: str, began: float | None) -> None:
        if parsed is None:
            self._metrics.unread(code)
        else:
            self._metrics.answered(parsed.operation.service, parsed.operation.name, code, began)

    def _note(self, parsed: ParsedRequest, noted: Noted, result: Result, request_id: str) -> None:
        """Into the audit trail, before anything is sent: what was answered was noted."""
        if self._audit is None:
            return
        of = recorded(parsed.operation.service, parsed.model)
        try:
            noted.answer = of.answer(result)
            self._audit.note(accepted(of, noted, parsed.received.facts, request_id))
        except Exception as error:  # noqa: BLE001 - INVARIANT: a record is never the reason why an answer fails
            self._log.failed(request_id=request_id, operation=_name(parsed), error=error)

    def _note_refusal(
        self,
        received: ReceivedRequest | None,
        parsed: ParsedRequest | None,
        noted: Noted,
        error: DaypassError | Reason,
        request_id: str,
    ) -> None:
        if self._audit is None:
            return
        facts = RequestFacts(self._clock(), None, False) if received is None else received.facts
        code = WIRE_ERRORS[error if isinstance(error, Reason) else error.reason].code
        try:
            of = None if parsed is None else recorded(parsed.operation.service, parsed.model)
            if of is not None and parsed is not None and noted.parameters is None:
                noted.parameters = of.parameters(parsed.form)
            claimed = None if received is None or noted.who is not None else claimed_key(received.raw)
            data = None if claimed is None else {"claimedAccessKeyId": claimed}
            self._audit.note(refused(of, noted, facts, request_id, error, code, data))
        except Exception as problem:  # noqa: BLE001 - as above
            self._log.failed(request_id=request_id, operation=_name(parsed), error=problem)

    def _parse(self, received: ReceivedRequest) -> ParsedRequest:
        form = _form(received)
        action, version = form.pop("Action", None), form.pop("Version", None)
        if not action:
            raise RequestError(
                Reason.MISSING_ACTION, "The request does not say which operation it asks for: no Action."
            )
        service, operations = self._services.get(version or "", _NO_SERVICE)
        model = operations.get(action)
        if model is None:
            shown = (version or "NO_VERSION_SPECIFIED")[:40]
            raise RequestError(Reason.UNKNOWN_ACTION, f"Could not find operation {action[:128]} for version {shown}")
        if received.raw.method == "GET" and service != "sts":
            raise RequestError(Reason.MALFORMED_REQUEST, f"{action} is asked for with POST.")
        operation = self._operations.get((service, action))
        if operation is None:
            raise RequestError(Reason.UNSUPPORTED_OPERATION, f"The operation {action} is not supported.")
        return ParsedRequest(received, operation, model, form)

    async def _answer(self, request: ParsedRequest, noted: Noted) -> Result:
        operation, facts = request.operation, request.received.facts
        if not isinstance(operation, ProofOperation):
            return await self._answer_signed(request, operation, noted)
        parameters = _parameters(request, noted)
        try:
            result = await operation.handler(facts, self._store.view, parameters, noted.told)
        except AccessDeniedError as error:
            self._metrics.decided(error.denied_by)
            # Made with the record: the time of an answer must not tell that there is a role.
            noted.decision = error.kept
            raise
        self._metrics.decided(None)
        return result

    async def _answer_signed(self, request: ParsedRequest, operation: SignedOperation, noted: Noted) -> Result:
        received, view = request.received, self._store.view()
        caller = self._authenticator.authenticate(
            received.raw,
            payload_hash=received.payload_hash,
            service=operation.service,
            view=view,
            now=received.facts.now,
        )
        self._usage.note(caller, service=operation.service, action=operation.name, now=received.facts.now)
        noted.who, noted.region = who_is(caller), caller.region
        try:
            return await self._answer_caller(caller, request, operation, view, noted)
        except AccessDeniedError as error:
            raise self._with_evidence(error, caller, received.facts.now, noted) from error

    async def _answer_caller(
        self, caller: Caller, request: ParsedRequest, operation: SignedOperation, view: View, noted: Noted
    ) -> Result:
        """
        In this order: the parameters are read and checked, a second factor is shown where one is brought, everything that
        the operation needs is permitted, and it is done.
        """
        received, parameters = request.received, _parameters(request, noted)
        if operation.second_factor:
            caller = await self._factors.shown(caller, parameters, received.facts.now)
            noted.who = who_is(caller)
            later = self._store.view()
            if later is not view:
                caller, view = as_it_stands(caller, later), later

        def permit(action: str, resource: Resource) -> Permitted:
            began = self._metrics.time()
            try:
                permitted = authorize(
                    caller,
                    action,
                    resource,
                    facts=received.facts,
                    view=view,
                    keys=lambda tags: {
                        **resource_keys(resource.account, tags, iam=resource.arn.startswith("arn:aws:iam:")),
                        **operation.keys(parameters),
                        **resource.keys,
                    },
                )
            except AccessDeniedError as error:
                self._metrics.decided(error.denied_by, began)
                raise
            self._metrics.decided(None, began)
            return permitted

        resource = operation.resource(parameters, caller, view)
        if resource.arn != "*":
            noted.resources = (resource.arn,)
        permitted = permit(operation.action, resource)
        also = [
            permit(action, resource_of(parameters, caller, view))
            for action, resource_of in operation.also(parameters, caller)
        ]
        return await operation.handler(permitted.together_with(also), parameters)

    def _with_evidence(self, error: AccessDeniedError, caller: Caller, now: float, noted: Noted) -> AccessDeniedError:
        """The denial, with all that may be known of it, recorded, and sealed for DecodeAuthorizationMessage."""
        if error.evidence is None:
            noted.decision = error.kept
            return error
        packed = noted.decision = pack(error.evidence())
        encoded = self._sessions.seal_message(packed, account=caller.principal.account, now=now)
        if encoded is None:
            return error
        return AccessDeniedError(error.reason, f"{error}{ENCODED}{encoded}", error.denied_by)

    def _refusal(self, parsed: ParsedRequest | None, error: DaypassError, request_id: str) -> tuple[int, str, bytes]:
        wire = WIRE_ERRORS[error.reason]
        self._log.refused(request_id=request_id, operation=_name(parsed), reason=error.reason, code=wire.code)
        return wire.status, wire.code, _error_body(parsed, wire, str(error), request_id)

    def _failure(self, parsed: ParsedRequest | None, request_id: str) -> tuple[int, str, bytes]:
        wire = WIRE_ERRORS[Reason.INTERNAL_FAILURE]
        message = "The request processing has failed because of an unknown error, exception or failure."
        return wire.status, wire.code, _error_body(parsed, wire, message, request_id)


def _name(parsed: ParsedRequest | None) -> str | None:
    return None if parsed is None else f"{parsed.operation.service}:{parsed.operation.name}"


def _parameters(request: ParsedRequest, noted: Noted) -> dict[str, object]:
    parameters = query.parse_input(request.model, request.form)
    noted.parameters = recorded(request.operation.service, request.model).parameters(parameters)
    constraints.check(request.model, parameters)
    return parameters


def _error_body(parsed: ParsedRequest | None, wire: WireError, message: str, request_id: str) -> bytes:
    service = load_service("sts" if parsed is None else parsed.operation.service)
    return query.serialize_error(service, code=wire.code, message=message, fault=wire.fault, request_id=request_id)


def _form(received: ReceivedRequest) -> dict[str, str]:
    """The parameters, from one place only: the body of a POST, or the query of a GET."""
    raw = received.raw
    if raw.method == "POST":
        if not _is_form(raw.headers):
            raise RequestError(Reason.MALFORMED_REQUEST, "Expected a body of type application/x-www-form-urlencoded.")
        if raw.query and any(not name.startswith("X-Amz-") for name in parse_form(raw.query)):
            raise RequestError(Reason.MALFORMED_REQUEST, "Expected the parameters in the body, got some in the query.")
        return parse_form(received.body)
    if raw.method != "GET":
        raise RequestError(Reason.MALFORMED_REQUEST, "Expected a POST, or a GET with a query.")
    if received.body:
        raise RequestError(Reason.MALFORMED_REQUEST, "Expected the parameters in the query, got a body.")
    return {name: value for name, value in parse_form(raw.query).items() if not name.startswith("X-Amz-")}


def _is_form(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    types = [value for name, value in headers if name == b"content-type"]
    return len(types) == 1 and (types[0] in _FORMS or types[0].partition(b";")[0].strip().lower() == _FORMS[0])


async def _send(send: Send, status: int, body: bytes, request_id: str) -> None:
    headers = [
        (b"content-type", b"text/xml"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"x-amzn-requestid", request_id.encode("ascii")),
    ]
    if status in _CLOSING:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
