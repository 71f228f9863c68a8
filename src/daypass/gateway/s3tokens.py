# SPDX-License-Identifier: Apache-2.0
"""
``POST /v3/s3tokens``: Keystone's way to ask whose a string to sign is (Identity API, s3tokens), as Ceph's RGW
(``rgw_s3_auth_use_keystone``) and Swift's s3api ask it (docs/s3tokens.md).

    string to sign, signature -- authenticate, authorize --> who it is, as the body of a Keystone token that is none

Whoever asks shows a token (CVE-2025-65073). What is answered says who the caller is and is good for nothing else: there is no
token id, and no secret is given out anywhere. A session token does not travel on this wire, so temporary keys are refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from daypass.access import Authenticator, Caller, RequestFacts
from daypass.audit import UNSIGNED_REGION, Event
from daypass.clock import Clock
from daypass.credentials import LONG_TERM_KEY, TEMPORARY_KEY, Secret
from daypass.doorway.audit_trail import who_is
from daypass.doorway.client_address import Network
from daypass.doorway.received import ClientGoneError, Receive, ReceivedRequest, Scope, Send, receive_request
from daypass.doorway.reports import request_id
from daypass.errors import (
    AccessDeniedError,
    AuthenticationError,
    DaypassError,
    EntityError,
    ProofError,
    Reason,
    RequestError,
    UnavailableError,
)
from daypass.gateway.ask_answers import encoded, send_json
from daypass.gateway.ask_scope import permit_asking, service_arn
from daypass.gateway.reports import GatewayReports
from daypass.jsontext import read_json_object
from daypass.principal import User
from daypass.sigv4 import read_string_to_sign
from daypass.sigv4.limits import MAX_CLOCK_SKEW
from daypass.store import Store, View

PATH: Final = b"/v3/s3tokens"
SERVICE: Final = "s3"
SOURCE: Final = "s3tokens.daypass"
"""``eventSource`` of a question, and what metrics call it."""

MAX_BYTES: Final = 16_384
"""Of a question; those of RGW and Swift have some 400."""

TOKEN_SECONDS: Final = int(MAX_CLOCK_SKEW)
"""Until when the answer says it is good: whoever asked has one request to serve, and a clock that may be wrong by as much."""

_TOKEN_HEADER: Final = b"x-auth-token"
_OPERATION: Final = "UseS3Tokens"
_DOMAIN: Final = {"id": "default", "name": "Default"}
_MAX_DEPTH: Final = 3
_ALIKE: Final = frozenset({Reason.UNKNOWN_ACCESS_KEY, Reason.SIGNATURE_DOES_NOT_MATCH})
_NOT_THEIRS: Final = "The access key is not known, or the signature does not match."
"""What is said of either, so that nobody learns which (invariant 13)."""

_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    411: "Length Required",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class KeystoneClients(msgspec.Struct, frozen=True):
    """
    Who may ask, and for what. ``token``: what they show. ``region``: that requests must be signed for. ``name``: of the
    resource that a caller's permission is for. ``account``: whose it is; None: each caller's own. ``roles``: of everybody who
    may sign in.
    """

    token: Secret
    region: str
    name: str
    account: str | None
    roles: tuple[str, ...]

    def __repr__(self) -> str:
        return f"KeystoneClients({self.name!r})"


class _Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access: str
    token: str
    signature: str

    def __repr__(self) -> str:
        return "_Credentials(...)"


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    credentials: _Credentials


class S3TokensDoor:
    """The ASGI application at ``/v3/s3tokens``. Without ``clients`` nobody may ask."""

    def __init__(
        self,
        clients: KeystoneClients | None,
        authenticator: Authenticator,
        store: Store,
        *,
        clock: Clock,
        reports: GatewayReports,
        trusted_proxies: Sequence[Network] = (),
        new_request_id: Callable[[], str] = request_id,
    ) -> None:
        self._clients = clients
        self._token = b"" if clients is None else clients.token.reveal().encode()
        self._authenticator = authenticator
        self._store = store
        self._clock = clock
        self._reports = reports
        self._trusted_proxies = trusted_proxies
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        noted = _Noted(self._new_request_id(), self._reports.time())
        try:
            answer = await self._serve(scope, receive, noted)
            status = 200
        except ClientGoneError:
            return
        except DaypassError as error:
            noted.error = error
            status = _status(error)
            answer = _failure(status, _NOT_THEIRS if error.reason in _ALIKE else str(error))
        except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
            self._reports.broken(noted.request_id, _OPERATION, error)
            status, answer = (
                500,
                _failure(500, "An unexpected error prevented the server from fulfilling your request."),
            )
        noted.status = status
        self._reports.asked(noted.event(self._clock), backend=SOURCE, operation=_OPERATION, began=noted.began)
        await send_json(send, status, encoded(answer), noted.request_id)

    async def _serve(self, scope: Scope, receive: Receive, noted: _Noted) -> dict[str, Any]:
        """
        In this order: a question may be asked here at all, whoever asks has shown the token, the question can be read, the
        string is one of ours and signed, and the caller may sign in there.
        """
        clients = self._clients
        if clients is None:
            raise EntityError(Reason.NO_SUCH_BACKEND, "The resource could not be found.")
        received = await receive_request(scope, receive, clock=self._clock, trusted_proxies=self._trusted_proxies)
        noted.facts = received.facts
        self._check_token(received)
        if received.raw.method != "POST" or received.raw.query:
            raise RequestError(Reason.MALFORMED_REQUEST, "Expected a POST without a query.")
        found = _read(received.body)
        if found.access.startswith(TEMPORARY_KEY):
            raise AuthenticationError(
                Reason.TEMPORARY_KEY_ALONE,
                "Temporary credentials cannot be used here: their session token does not come with the request.",
            )
        if not found.access.startswith(LONG_TERM_KEY):
            # RGW asks its own users' store next when it is told that a key is nobody's here, by its form alone.
            raise EntityError(Reason.NO_SUCH_ENTITY, "Access keys of this form are not issued here.")
        unverified = read_string_to_sign(_decoded(found.token), access_key_id=found.access, signature=found.signature)
        view, now = self._store.view(), received.facts.now
        caller = self._authenticator.authenticate_string(
            unverified, service=SERVICE, region=clients.region, view=view, now=now
        )
        noted.caller = caller
        self._permit(clients, caller, view, noted)
        return {"token": _token(caller, clients.roles, now)}

    def _permit(self, clients: KeystoneClients, caller: Caller, view: View, noted: _Noted) -> None:
        """May the caller sign in there. Where and how they came from is not known here, so no key says it."""
        account = clients.account or caller.principal.account
        noted.arn = service_arn(clients.region, account, clients.name)
        now = self._clock() if noted.facts is None else noted.facts.now
        facts = RequestFacts(now, None, False)
        permit_asking(caller, "daypass:UseS3Tokens", noted.arn, account, facts, view)

    def _check_token(self, received: ReceivedRequest) -> None:
        shown = [value for name, value in received.raw.headers if name == _TOKEN_HEADER]
        if len(shown) != 1 or not self._token or not hmac.compare_digest(shown[0], self._token):
            raise AccessDeniedError(
                Reason.KEYSTONE_CLIENT_UNKNOWN, "The request you have made requires authentication."
            )


class _Noted:
    """What becomes known of a question, for its record."""

    def __init__(self, request_id: str, began: float) -> None:
        self.request_id = request_id
        self.began = began
        self.facts: RequestFacts | None = None
        self.caller: Caller | None = None
        self.error: DaypassError | None = None
        self.arn = ""
        self.status = 0

    def _reason(self) -> Reason | None:
        """Why it was not answered: without an error that is known, for one that is not."""
        if self.error is not None:
            return self.error.reason
        return None if self.status == 200 else Reason.INTERNAL_FAILURE

    def event(self, clock: Clock) -> Event:
        """The record."""
        facts, caller, error = self.facts, self.caller, self.error
        return Event(
            at=clock() if facts is None else facts.now,
            source=SOURCE,
            name=_OPERATION,
            request_id=self.request_id,
            source_ip=None if facts is None else facts.source_ip,
            user_agent=None if facts is None else facts.user_agent,
            who=None if caller is None else who_is(caller),
            region=UNSIGNED_REGION if caller is None else caller.region,
            reason=self._reason(),
            code=None if self.status == 200 else _TITLES.get(self.status, "Error").replace(" ", ""),
            message=None if error is None else str(error),
            management=False,
            decision=error.evidence if isinstance(error, AccessDeniedError) else None,
            resources=(self.arn,) if self.arn else (),
        )


def _read(body: bytes) -> _Credentials:
    if len(body) > MAX_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, f"The request's body is longer than {MAX_BYTES} bytes.")
    try:
        return msgspec.convert(read_json_object(body, max_depth=_MAX_DEPTH), _Question, strict=True).credentials
    except ProofError as error:
        raise RequestError(error.reason, str(error)) from None
    except msgspec.ValidationError:
        raise RequestError(
            Reason.MALFORMED_REQUEST, "Expected credentials with access, token and signature, and nothing else."
        ) from None


def _decoded(token: str) -> bytes:
    """The string to sign. RGW writes base64, Swift base64url; of a string of ours, which is ASCII, both are the same."""
    try:
        text = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        text = b""
    if base64.b64encode(text).decode("ascii") != token:
        raise AuthenticationError(Reason.STRING_TO_SIGN_REFUSED, "The string to sign is not base64.")
    return text


def _token(caller: Caller, roles: Sequence[str], now: float) -> dict[str, Any]:
    """What RGW and Swift read of a token: the account is the project, the principal the user."""
    principal = caller.principal
    return {
        "methods": ["ec2credential"],
        "user": {
            "id": principal.user_id,
            "name": principal.name if isinstance(principal, User) else principal.account,
            "domain": _DOMAIN,
        },
        "project": {"id": principal.account, "name": principal.account, "domain": _DOMAIN},
        "is_domain": False,
        "roles": [{"id": role, "name": role} for role in roles],
        "catalog": [],
        "issued_at": _instant(now),
        "expires_at": _instant(now + TOKEN_SECONDS),
    }


def _instant(now: float) -> str:
    """``2026-01-31T12:00:00.000000Z``, as Keystone writes it."""
    return datetime.datetime.fromtimestamp(int(now), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def _status(error: DaypassError) -> int:
    """RGW takes 401 for a wrong signature, and 404 for a key that somebody else may know (``rgw_auth_keystone.cc``)."""
    by_reason = {
        Reason.KEYSTONE_CLIENT_UNKNOWN: 401,
        Reason.REQUEST_TOO_LARGE: 413,
        Reason.LENGTH_REQUIRED: 411,
    }
    if error.reason in by_reason:
        return by_reason[error.reason]
    if isinstance(error, AuthenticationError):
        return 401
    if isinstance(error, EntityError):
        return 404
    if isinstance(error, UnavailableError):
        return 503
    return 403 if isinstance(error, AccessDeniedError) else 400


def _failure(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "title": _TITLES[status]}}
