# SPDX-License-Identifier: Apache-2.0
"""
Container credentials: ``GET /container-credentials?role=...`` with an ID token in the Authorization header answers credentials
in the form that SDKs fetch by themselves (AWS SDKs Reference Guide, "Container credential provider").

    AWS_CONTAINER_CREDENTIALS_FULL_URI=https://daypass.example.org/container-credentials?role=Reader
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/var/run/secrets/tokens/daypass

It is AssumeRoleWithWebIdentity over another wire: the same function does all of it. SDKs read the token file again for every
request, and ask again before the credentials end; they try again at once when the answer is a 5xx.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from daypass.access import RequestFacts
from daypass.api.recording import accepted, recorded, refused
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.arn import role_arn
from daypass.awsapi import constraints
from daypass.awsapi.form import parse_form, quoted_name
from daypass.awsapi.model import load_service
from daypass.clock import Clock, iso8601
from daypass.doorway.audit_trail import AuditTrail, Noted
from daypass.doorway.client_address import Network
from daypass.doorway.metrics import NO_METRICS, SUCCESS, DoorMetrics
from daypass.doorway.received import ClientGoneError, Receive, ReceivedRequest, Scope, Send, receive_request
from daypass.doorway.reports import DoorLog, request_id
from daypass.errors import AccessDeniedError, AuthenticationError, DaypassError, ProviderError, Reason, RequestError
from daypass.store import View
from daypass.sts import Sts
from daypass.sts.assume_role_with_web_identity import assume_role_with_web_identity

CONTAINER_CREDENTIALS: Final = b"/container-credentials"
"""The path."""

DEFAULT_SESSION: Final = "container-credentials"
"""The name of the session where none is asked for: the URL is the same for all containers of a kind."""

_OPERATION: Final = "sts:AssumeRoleWithWebIdentity"
_PARAMETERS: Final = frozenset({"role", "session"})
_SECRET_NAMES: Final = ("auth", "token", "jwt", "assertion", "credential", "secret", "password")
_CLOSING: Final = (411, 413)
_DOOR: Final = {"door": "container-credentials"}
"""For the audit trail: by which way credentials were asked for."""


class ContainerDoor:
    """The ASGI application that answers at ``/container-credentials``. ``account_id``: of roles that are asked for by name."""

    def __init__(
        self,
        sts: Sts,
        account_id: str,
        *,
        clock: Clock,
        log: DoorLog,
        audit: AuditTrail | None = None,
        metrics: DoorMetrics = NO_METRICS,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._sts = sts
        self._account_id = account_id
        self._clock = clock
        self._log = log
        self._audit = audit
        self._metrics = metrics
        self._trusted_proxies = trusted_proxies
        self._model = load_service("sts").operations["AssumeRoleWithWebIdentity"]
        self._recorded = recorded("sts", self._model)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        identifier, noted = request_id(), Noted()
        facts = RequestFacts(self._clock(), None, False)
        if scope["method"] != "GET":
            answer: Mapping[str, object] = {"code": "MethodNotAllowed", "message": "Expected a GET."}
            await _send(send, 405, msgspec.json.encode(answer), identifier, (b"allow", b"GET"))
            return
        code, began = SUCCESS, None
        try:
            received = await receive_request(scope, receive, clock=self._clock, trusted_proxies=self._trusted_proxies)
            facts, began = received.facts, self._metrics.time()
            status, answer = 200, await self._credentials(received, noted)
            if self._audit is not None:
                self._audit.note(accepted(self._recorded, noted, facts, identifier, _DOOR))
        except ClientGoneError:
            return
        except DaypassError as error:
            status, answer = _refusal(error)
            code = answer["code"]
            self._note_refusal(noted, facts, identifier, error, code)
            self._log.refused(request_id=identifier, operation=_OPERATION, reason=error.reason, code=code)
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._log.failed(request_id=identifier, operation=_OPERATION, error=error)
            wire = WIRE_ERRORS[Reason.INTERNAL_FAILURE]
            self._note_refusal(noted, facts, identifier, Reason.INTERNAL_FAILURE, wire.code)
            status, code = wire.status, wire.code
            answer = {"code": code, "message": "The request processing has failed."}
        self._metrics.answered("sts", self._model.name, code, began)
        await _send(send, status, msgspec.json.encode(answer), identifier)

    def _note_refusal(
        self, noted: Noted, facts: RequestFacts, identifier: str, error: DaypassError | Reason, code: str
    ) -> None:
        if self._audit is not None:
            self._audit.note(refused(self._recorded, noted, facts, identifier, error, code, _DOOR))

    async def _credentials(self, received: ReceivedRequest, noted: Noted) -> Mapping[str, object]:
        """
        1. It has no body, and nothing that may be a proof stands in its URL.
        2. The token is in the one Authorization header.
        3. All is such as AssumeRoleWithWebIdentity would take it, and that operation does the rest.
        """
        raw = received.raw
        if received.body:
            raise RequestError(Reason.MALFORMED_REQUEST, "Expected a request without a body.")
        asked = _asked(raw.query)  # 1
        parameters: dict[str, Any] = {
            "WebIdentityToken": _token(raw.headers),  # 2
            "RoleArn": self._role_arn(asked["role"], self._sts.store.view()),
            "RoleSessionName": asked.get("session", DEFAULT_SESSION),
        }
        noted.parameters = self._recorded.parameters(parameters)
        constraints.check(self._model, parameters)  # 3
        try:
            assumed = await assume_role_with_web_identity(
                self._sts, received.facts, self._sts.store.view, parameters, noted.told
            )
        except AccessDeniedError as error:
            self._metrics.decided(error.denied_by)
            noted.decision = error.kept
            raise
        self._metrics.decided(None)
        noted.answer = self._recorded.answer(assumed)
        credentials = cast("Mapping[str, Any]", assumed["Credentials"])
        return {
            "AccessKeyId": credentials["AccessKeyId"],
            "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"],
            "Expiration": iso8601(credentials["Expiration"]),
            "RoleArn": parameters["RoleArn"],
            "AccountId": parameters["RoleArn"].split(":")[4],
        }

    def _role_arn(self, role: str, view: View) -> str:
        """The ARN of a role that is asked for by ARN, or by name with or without path; if it is not there, what it would be."""
        if ":" in role:
            return role
        named = view.roles.with_name(self._account_id, role)
        return role_arn(self._account_id, "/", role) if named is None else named.arn


def _asked(query: bytes) -> Mapping[str, str]:
    asked = parse_form(query)
    for name, value in asked.items():
        # A URL is written down by every server and proxy that it passes (RFC 6750 section 5.3).
        if any(part in name.lower() for part in _SECRET_NAMES) or _looks_like_a_token(value):
            message = (
                "A token is never sent in a URL; send it in the Authorization header, and take this one for known."
            )
            raise RequestError(Reason.PROOF_IN_URL, message)
        if name not in _PARAMETERS:
            raise RequestError(
                Reason.UNKNOWN_PARAMETER, f"Expected role and session in the query, got {quoted_name(name)}."
            )
    if not asked.get("role"):
        raise RequestError(Reason.INVALID_PARAMETER, "Expected the role in the query: ?role=NAME, or its ARN.")
    return asked


def _looks_like_a_token(value: str) -> bool:
    """Whether it is a compact token, as far as one can see; names of roles and sessions are shorter, ARNs begin otherwise."""
    return len(value) > 64 and value.startswith("ey") and value.count(".") == 2


def _token(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The content of the token file, as SDKs send it, or the same behind ``Bearer`` (RFC 6750)."""
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        message = "Request is missing Authentication Token: expected an ID token in the Authorization header."
        raise AuthenticationError(Reason.UNSIGNED_REQUEST, message)
    if len(values) > 1:
        raise AuthenticationError(Reason.CREDENTIAL_AMBIGUOUS, "Expected one Authorization header.")
    text = values[0].decode("latin-1").strip()
    return text[7:].lstrip() if text[:7].lower() == "bearer " else text


def _refusal(error: DaypassError) -> tuple[int, dict[str, str]]:
    """An outage of the provider is a 503 here: SDKs take a 4xx for final, and the next attempt may well succeed."""
    wire = WIRE_ERRORS[error.reason]
    status = 503 if isinstance(error, ProviderError) else wire.status
    return status, {"code": wire.code, "message": str(error)}


async def _send(send: Send, status: int, body: bytes, identifier: str, *more: tuple[bytes, bytes]) -> None:
    headers = [
        *more,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-amzn-requestid", identifier.encode("ascii")),
    ]
    if status in _CLOSING:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
