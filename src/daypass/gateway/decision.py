# SPDX-License-Identifier: Apache-2.0
"""
The one decision behind every way to ask it: the gateway, the proxies at ``/authz``, and services that ask themselves.

    raw request -- authenticate --> AuthenticatedHead -- the backend's action map, authorize --> Allowed

Both steps are those of the AWS door (``access.authenticate``, ``access.authorize``). Nobody is let in unsigned, whatever a
policy says of everybody: there is no anonymous access.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from daypass.access import Authenticator, Caller, Permitted, RequestFacts, authorize
from daypass.access.authenticate import AuthenticatedForm, AuthenticatedHead
from daypass.access.context import resource_keys
from daypass.access.resource import Tags
from daypass.access.usage import UsageRecorder
from daypass.doorway.metrics import NO_METRICS, DecisionMetrics
from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.gateway.actions.s3 import keys_at_time
from daypass.gateway.asking import NO_KEYS, AskedOperation, Incoming, Needed
from daypass.gateway.backends import Backend
from daypass.gateway.whole_bodies import says_no_digest
from daypass.identity import ContextValue
from daypass.resources import resource_of
from daypass.sigv4 import S3_PAYLOADS, UNSIGNED_PAYLOAD, PathStyle, RawRequest, UnverifiedPostForm
from daypass.store import Store, View

_ELSEWHERE: Final = frozenset({UNSIGNED_PAYLOAD})
"""Services other than S3: what is not signed must say so, as their own clients do for streams."""

DECISIONS_AT_ONCE: Final = 50
"""Decisions that are made while nobody else is served: some milliseconds. One deletion may need a thousand."""

_NONE: Final[frozenset[str]] = frozenset()

_BUCKET_ARN: Final = "arn:aws:s3:::"

_OF_THE_CALLER: Final = ("CreateBucket", "ListBuckets")
"""Operations of S3 on what is of the account of the caller, whichever that is: a bucket to be, and the list of its buckets."""


KeysOf = Callable[[Needed], Mapping[str, ContextValue]]
"""Condition keys that were looked up for a permission."""


def no_keys(_needed: Needed) -> Mapping[str, ContextValue]:
    """None were."""
    return NO_KEYS


class DeniedItem(msgspec.Struct, frozen=True):
    """One of ``AskedOperation.each`` that is not permitted: its place there, and what its caller is told."""

    place: int
    message: str


class Allowed(msgspec.Struct, frozen=True):
    """
    A request that may go on to its backend, but for the items in ``denied``. Only ``Gate.decide`` makes one.

    ``permitted`` is for the first of the permissions that the operation needs; None when of its items none may go.
    ``view`` is what it was decided by. **The body is still owed** (``head.body``; of a form, the length of its
    file).
    """

    head: AuthenticatedHead | AuthenticatedForm
    backend: Backend
    operation: AskedOperation
    permitted: Permitted | None
    facts: RequestFacts
    view: View
    denied: tuple[DeniedItem, ...] = ()

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.head.caller

    def __repr__(self) -> str:
        return f"Allowed({self.caller.principal.arn!r}, {self.operation.name!r}, {self.backend.name!r})"


class Gate:
    """Authenticates and decides, for one process."""

    def __init__(
        self, authenticator: Authenticator, store: Store, usage: UsageRecorder, metrics: DecisionMetrics = NO_METRICS
    ) -> None:
        self._metrics = metrics
        self._authenticator = authenticator
        self._store = store
        self._usage = usage

    def view(self) -> View:
        """What is stored now. One request is answered by one view."""
        return self._store.view()

    def authenticate(
        self, backend: Backend, raw: RawRequest, facts: RequestFacts, view: View, *, payload_hash: str | None = None
    ) -> AuthenticatedHead:
        """
        Who has signed the head of this request, for this backend. ``payload_hash``: the SHA-256 of its body, where that is
        known already. Raises AuthenticationError.
        """
        is_s3 = backend.service == "s3"
        # Elsewhere a presigned request that says nothing of its body is signed over it, as every other is.
        elsewhere = _NONE if says_no_digest(raw, backend) else _ELSEWHERE
        return self._authenticator.authenticate_head(
            raw,
            service=backend.service,
            region=backend.region,
            path_style=PathStyle.RAW if is_s3 else PathStyle.NORMALISED,
            accepted_payloads=S3_PAYLOADS if is_s3 else elsewhere,
            view=view,
            now=facts.now,
            payload_hash=payload_hash,
        )

    def permit(
        self,
        caller: Caller,
        needed: Needed,
        backend: Backend,
        facts: RequestFacts,
        view: View,
        *,
        signed_at: int,
        more_keys: KeysOf = no_keys,
    ) -> Permitted:
        """Decide one permission by itself. ``signed_at``: of the request that needs it. Raises AccessDeniedError."""
        self._usage.note(caller, service=backend.service, action=needed.action.partition(":")[2], now=facts.now)
        began = self._metrics.time()
        try:
            permitted = _permit(caller, needed, backend, facts, view, more_keys, signed_at)
        except AccessDeniedError as error:
            self._metrics.decided(error.denied_by, began)
            raise
        self._metrics.decided(None, began)
        return permitted

    def authenticate_form(
        self, backend: Backend, form: UnverifiedPostForm, bucket: str, facts: RequestFacts, view: View
    ) -> AuthenticatedForm:
        """Who has signed the policy of this form, for a bucket of this backend. Raises AuthenticationError."""
        return self._authenticator.authenticate_form(
            form, bucket=bucket, service=backend.service, region=backend.region, view=view, now=facts.now
        )

    async def decide(
        self,
        head: AuthenticatedHead | AuthenticatedForm,
        backend: Backend,
        incoming: Incoming,
        facts: RequestFacts,
        view: View,
        *,
        asked: AskedOperation | None = None,
        more_keys: KeysOf = no_keys,
    ) -> Allowed:
        """
        Decide what the request asks for. ``asked``: that, where it is known already. ``more_keys``: condition keys that were
        looked up for it, beside those that the request brings.

        Raises RequestError when it cannot be said what is asked, AccessDeniedError when a permission is missing; those of
        ``AskedOperation.each`` that are missing are in ``Allowed.denied``. Others are served between so many of them.
        """
        operation = backend.actions.operation(incoming) if asked is None else asked
        caller, signed_at = head.caller, head.verified.signed_at
        whose = backend
        if backend.service == "s3" and operation.name in _OF_THE_CALLER:
            whose = msgspec.structs.replace(backend, account=caller.principal.account)
        if not operation.needed and not operation.each:
            raise RequestError(Reason.UNSUPPORTED_OPERATION, f"{operation.name} is not supported here.")
        self._usage.note(caller, service=operation.service, action=operation.name, now=facts.now)
        began = self._metrics.time()
        try:
            permitted: list[Permitted] = []
            for number, needed in enumerate(operation.needed, 1):
                if number % DECISIONS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                permitted.append(_permit(caller, needed, whose, facts, view, more_keys, signed_at))
        except AccessDeniedError as error:
            self._metrics.decided(error.denied_by, began)
            raise
        self._metrics.decided(None, began)
        denied: list[DeniedItem] = []
        for place, needed in enumerate(operation.each, 1):
            if place % DECISIONS_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                permitted.append(_permit(caller, needed, backend, facts, view, more_keys, signed_at))
            except AccessDeniedError as error:
                denied.append(DeniedItem(place - 1, str(error)))
        first = permitted[0] if permitted else None
        return Allowed(head, backend, operation, first, facts, view, tuple(denied))


def _permit(
    caller: Caller,
    needed: Needed,
    backend: Backend,
    facts: RequestFacts,
    view: View,
    more_keys: KeysOf,
    signed_at: int,
) -> Permitted:
    """Decide a permission by every name of its resource; what is returned is for the first."""
    permitted = _permit_by_name(caller, needed, backend, facts, view, more_keys, signed_at)
    if needed.also:
        for other in needed.by_every_name[1:]:
            _permit_by_name(caller, other, backend, facts, view, more_keys, signed_at)
    return permitted


def _permit_by_name(
    caller: Caller,
    needed: Needed,
    backend: Backend,
    facts: RequestFacts,
    view: View,
    more_keys: KeysOf,
    signed_at: int,
) -> Permitted:
    resource = resource_of(
        needed.resource,
        owner_arn(needed.resource),
        backend.account,
        view,
        principal=caller.principal,
        action=needed.action,
        elsewhere=backend.elsewhere,
    )

    def keys(tags: Tags) -> Mapping[str, ContextValue]:
        asked = needed.keys
        if backend.service == "s3":
            asked = keys_at_time(needed, now=facts.now, signed_at=signed_at)
        return {**resource_keys(resource.account, tags, iam=False), **asked, **more_keys(needed)}

    return authorize(caller, needed.action, resource, facts=facts, view=view, keys=keys)


def owner_arn(resource: str) -> str:
    """The ARN whose owner and policy count for a resource: for an object, its bucket's."""
    return resource.partition("/")[0] if resource.startswith(_BUCKET_ARN) else resource
