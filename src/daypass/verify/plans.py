# SPDX-License-Identifier: Apache-2.0
"""
How a request is verified and decided, as a plan: what is to be asked is yielded, and what was answered is sent in. Opens
nothing and reads no clock but the one given, so the same plans serve ``Verifier`` and ``BlockingVerifier``.

    identify   1. there is one credential, in a header    2. its signing key is known, or asked for with this very request
               3. the signature verifies: here by the key, or there, where it was asked
    allowed    what is not known is asked, all at once

INVARIANT: whatever was not answered is not known, and what is not known is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from daypass.clock import Clock
from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sigv4 import (
    S3_PAYLOADS,
    UNSIGNED_PAYLOAD,
    PathStyle,
    RawRequest,
    UnverifiedAuthorization,
    VerifiedSignature,
    read_authorization,
    verify_signature,
)
from daypass.verify.answers import (
    Answer,
    DecisionsAnswer,
    KeyAnswer,
    caller_of,
    decisions_of,
    only,
    read,
    refuse_denied,
    result_of,
    unreachable,
    with_signature,
)
from daypass.verify.known import Decision, Permission, Remembered, Sender, VerifiedCaller

MAX_KEYS: Final = 4_096
"""Signing keys kept, some kilobytes each with what is known of their callers."""

MAX_DECISIONS: Final = 65_536
"""Decisions kept, some 300 bytes each."""

MARGIN_SECONDS: Final = 10
"""A key is asked for anew so long before its end, so that the handle beside it does not end on the way to a decision."""


class Ask(msgspec.Struct, frozen=True):
    """
    A question. ``flight``: whoever asks the same meanwhile waits for this one instead, and then gets None; ``learn`` is called
    with the answer before they go on.
    """

    question: str
    message: Mapping[str, Any]
    flight: Hashable | None = None
    learn: Callable[[Answer], None] = lambda _answer: None


Result = TypeVar("Result")
Plan = Generator[Ask, Answer | None, Result]


class Place(msgspec.Struct, frozen=True):
    """Which service this is: what its requests are signed for, and how it is named to daypass."""

    service: str
    region: str
    named: Mapping[str, str]

    @property
    def path_style(self) -> PathStyle:
        """How its requests are canonicalised."""
        return PathStyle.RAW if self.service == "s3" else PathStyle.NORMALISED

    @property
    def payloads(self) -> frozenset[str]:
        """The words that its requests may have instead of a digest."""
        return S3_PAYLOADS if self.service == "s3" else frozenset((UNSIGNED_PAYLOAD,))


class _Key(msgspec.Struct, frozen=True):
    key: bytes
    caller: VerifiedCaller

    def __repr__(self) -> str:
        return "_Key(...)"


class Plans:
    """Makes plans, and remembers what they learned. ``local``: whether signing keys are asked for."""

    def __init__(self, place: Place, clock: Clock, *, local: bool) -> None:
        self._place = place
        self._clock = clock
        self._local = local
        self._keys: Remembered[_Key] = Remembered(MAX_KEYS)
        self._decisions: Remembered[Decision] = Remembered(MAX_DECISIONS)

    def identify(self, request: RawRequest, payload_sha256: str | None, sender: Sender) -> Plan[VerifiedCaller]:
        """Whose request it is. Raises AuthenticationError, RequestError, UnavailableError."""
        authorization = _authorization(request)
        if not self._local or authorization.presigned:
            asked = _request(request, payload_sha256, sender, permissions=[])
            answer = yield Ask("requests", {**self._place.named, "requests": [asked]})
            return caller_of(only(answer), request, sender)
        name = _name(authorization)
        known = self._keys.get(name, self._clock())
        if known is None:
            asked = _request(request, payload_sha256, sender)
            message = {**self._place.named, "request": asked}
            answer = yield Ask("keys", message, name, partial(self._learn_key, name, self._clock()))
            if answer is None:
                known = self._keys.get(name, self._clock())
                if known is None:  # what was asked before was refused: it says nothing of this request
                    answer = yield Ask("keys", message, None, partial(self._learn_key, name, self._clock()))
            if answer is not None:
                return caller_of(result_of(answer), request, sender)
        if known is None:
            raise unreachable("there was no answer")
        verified = self._verified(request, authorization, payload_sha256, known)
        return with_signature(known.caller, verified, request, sender)

    def allowed(self, caller: VerifiedCaller, permissions: Sequence[Permission]) -> Plan[list[Decision]]:
        """The decisions, in the order of the permissions. Raises AuthenticationError, RequestError, UnavailableError."""
        if not permissions:
            return []
        names = [self._decision_name(caller, one) for one in permissions]
        found = self._look(names)
        missing = [place for place, decision in enumerate(found) if decision is None]
        if missing:
            asked = [permissions[place] for place in missing]
            wanted = [(names[place], permissions[place]) for place in missing]
            message = self._question(caller, asked)
            answer = yield Ask(
                "decisions",
                message,
                tuple(name for name, _ in wanted),
                partial(self._learn_decisions, wanted, self._clock()),
            )
            if answer is None and None in self._look(names):
                answer = yield Ask("decisions", message, None, partial(self._learn_decisions, wanted, self._clock()))
            if answer is None:
                found = self._look(names)
            else:
                for place, decision in zip(missing, decisions_of(result_of(answer), asked), strict=True):
                    found[place] = decision
        if any(decision is None for decision in found):
            raise unreachable("there was no answer")
        return [decision for decision in found if decision is not None]

    def authorize(
        self,
        request: RawRequest,
        permissions: Sequence[Permission] | None,
        payload_sha256: str | None,
        sender: Sender,
        body: bytes | None,
    ) -> Plan[VerifiedCaller]:
        """
        Whose request it is, when everything that it needs is permitted: ``permissions``, or what the action map of the backend
        says where that is None. Raises AccessDeniedError; and as ``identify``.
        """
        if permissions is not None and not permissions:
            raise RequestError(
                Reason.INVALID_PARAMETER, "Expected a permission: what needs none is not authorized here."
            )
        if permissions is None or not self._local:
            named = None if permissions is None else [_permission(one) for one in permissions]
            asked = _request(request, payload_sha256, sender, permissions=named, body=body)
            answer = yield Ask("requests", {**self._place.named, "requests": [asked]})
            result = only(answer)
            caller = caller_of(result, request, sender)
            refuse_denied(decisions_of(result, permissions))
            if result.get("allowed") is not True:
                raise unreachable("the answer is not as expected")
            return caller
        caller = yield from self.identify(request, payload_sha256, sender)
        refuse_denied((yield from self.allowed(caller, permissions)))
        return caller

    def _verified(
        self, request: RawRequest, authorization: UnverifiedAuthorization, payload_sha256: str | None, known: _Key
    ) -> VerifiedSignature:
        return verify_signature(
            request,
            authorization,
            secret=lambda _scoped: known.key,
            payload_hash=payload_sha256,
            services=frozenset((self._place.service,)),
            regions=frozenset((self._place.region,)),
            now=self._clock(),
            path_style=self._place.path_style,
            accepted_payloads=self._place.payloads,
        )

    def _learn_key(self, name: _Name, began: float, answer: Answer) -> None:
        """Keep a key for as long as daypass says, by its own clock: ours may be another."""
        result = answer.get("result")
        if not isinstance(result, Mapping) or "error" in result:
            return
        told = read(result, KeyAnswer)
        caller = caller_of(result, None, Sender())
        scope = (caller.access_key_id, told.date, told.region, told.service)
        if scope != (name[0], *name[2:]) or scope[2:] != (self._place.region, self._place.service):
            raise unreachable("the answer is not as expected")
        seconds = min(told.cacheable_until, caller.handle_ends_at) - told.now - MARGIN_SECONDS
        self._keys.put(name, _Key(told.signing_key, caller), began + seconds)

    def _learn_decisions(self, permissions: Sequence[_Wanted], began: float, answer: Answer) -> None:
        result = answer.get("result")
        if not isinstance(result, Mapping) or "error" in result:
            return
        told = read(result, DecisionsAnswer)
        decisions = decisions_of(result, [one for _, one in permissions])
        for (name, _), decision in zip(permissions, decisions, strict=True):
            self._decisions.put(name, decision, began + told.cacheable_until - told.now)

    def _look(self, names: Sequence[Hashable]) -> list[Decision | None]:
        now = self._clock()
        return [self._decisions.get(name, now) for name in names]

    def _decision_name(self, caller: VerifiedCaller, permission: Permission) -> Hashable:
        context = tuple(sorted((key.lower(), tuple(values)) for key, values in permission.context.items()))
        # A session is its handle's: of one access key id there is one session, and of one user one set of policies.
        who = (caller.access_key_id, caller.expires_at, caller.sender, caller.user_agent, caller.referer)
        signed_at = caller.signed_at if self._place.service == "s3" else None  # s3:signatureAge
        return (*who, signed_at, permission.action, permission.resource, context)

    def _question(self, caller: VerifiedCaller, permissions: Sequence[Permission]) -> dict[str, Any]:
        return {
            **self._place.named,
            "handle": caller.handle,
            "permissions": [_permission(one) for one in permissions],
            "source_ip": caller.sender.source_ip,
            "secure": caller.sender.secure,
            "user_agent": caller.user_agent,
            "referer": caller.referer,
            "signed_at": caller.signed_at,
        }


_Wanted = tuple[Hashable, Permission]
_Name = tuple[str, str, str, str, str]
"""Access key id, a digest of the session token, date, region and service."""


def _authorization(request: RawRequest) -> UnverifiedAuthorization:
    authorization = read_authorization(request)
    if authorization is None:
        raise AuthenticationError(Reason.UNSIGNED_REQUEST, "Request is missing Authentication Token")
    return authorization


def _name(authorization: UnverifiedAuthorization) -> _Name:
    token = authorization.session_token
    digest = "" if token is None else hashlib.sha256(token.encode()).hexdigest()
    return (authorization.access_key_id, digest, authorization.date, authorization.region, authorization.service)


def _request(
    request: RawRequest,
    payload_sha256: str | None,
    sender: Sender,
    *,
    permissions: list[dict[str, Any]] | None = None,
    body: bytes | None = None,
) -> dict[str, Any]:
    target = request.path + (b"?" + request.query if request.query else b"")
    asked: dict[str, Any] = {
        "method": request.method,
        "target": target.decode("latin-1"),
        "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers],
        "payload_sha256": payload_sha256,
        "source_ip": sender.source_ip,
        "secure": sender.secure,
        "permissions": permissions,
    }
    if body is not None:
        asked["body"] = base64.b64encode(body).decode("ascii")
    return asked


def _permission(permission: Permission) -> dict[str, Any]:
    context = {key: list(values) for key, values in permission.context.items()}
    return {"action": permission.action, "resource": permission.resource, "context": context}
