# SPDX-License-Identifier: Apache-2.0
"""The two verifiers, which do the same: one for asyncio, one for threads. What they do is in ``plans``."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from daypass.clock import Clock, system_clock
from daypass.errors import ConfigurationError, Reason
from daypass.sigv4 import PathStyle, RawRequest, RequestSigner, payload_digest
from daypass.verify.answers import Answer, unreachable
from daypass.verify.client import SECONDS, AsyncClient, BlockingClient, address_of
from daypass.verify.known import UNKNOWN_SENDER, Credentials, Decision, Permission, Sender, VerifiedCaller
from daypass.verify.plans import Ask, Place, Plan, Plans

Result = TypeVar("Result")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Any])


class _Asking:
    """What both verifiers have: whose questions they are, and how they are signed and read."""

    def __init__(
        self,
        url: str,
        credentials: Credentials | Callable[[], Credentials],
        *,
        service: str,
        region: str,
        account: str | None = None,
        backend: str | None = None,
        local_keys: bool = True,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        clock: Clock = system_clock,
        unsafe_plain_http: bool = False,
    ) -> None:
        if (account is None) == (backend is None):
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, "expected the name of a backend, or an account")
        named = (
            {"backend": backend} if backend is not None else {"service": service, "region": region, "account": account}
        )
        self._address = address_of(url, unsafe_plain_http=unsafe_plain_http)
        self._seconds, self._tls, self._clock, self._region = seconds, tls, clock, region
        self._credentials = credentials
        self._signer: tuple[Credentials, RequestSigner] | None = None
        place = Place(service, region, {name: value for name, value in named.items() if value is not None})
        self._plans = Plans(place, clock, local=local_keys)

    def _signed(self, ask: Ask) -> tuple[str, bytes, Mapping[str, str]]:
        """Path, body and headers of a question."""
        path, body = f"/verify/{ask.question}", _encoder.encode(ask.message)
        host = self._address.authority.encode("ascii")
        fixed = [(b"host", host), (b"content-type", b"application/json")]
        added = self._signer_now().sign(
            "POST", path.encode(), b"", fixed, now=self._clock(), payload=payload_digest(body)
        )
        return path, body, {name.decode(): value.decode() for name, value in (*fixed, *added)}

    def _signer_now(self) -> RequestSigner:
        credentials = self._credentials() if callable(self._credentials) else self._credentials
        known = self._signer
        if known is not None and known[0] is credentials:
            return known[1]
        signer = RequestSigner(
            credentials.access_key_id,
            credentials.secret_access_key,
            region=self._region,
            service="daypass",
            path_style=PathStyle.NORMALISED,
            session_token=credentials.session_token,
        )
        self._signer = (credentials, signer)
        return signer


def _read(status: int, body: bytes) -> Answer:
    """
    An answer. Raises UnavailableError for any other than 200: then this service was refused, which says nothing of its caller.
    """
    try:
        answer = _decoder.decode(body)
    except msgspec.MsgspecError:
        raise unreachable("the answer is not as expected") from None
    if status != 200:
        error = answer.get("error")
        code = error.get("code") if isinstance(error, Mapping) else None
        raise unreachable(f"daypass answered {status} {code or ''}".rstrip())
    return answer


class Verifier(_Asking):
    """
    Verifies requests to one service, and decides what their callers may, by asking daypass. Belongs to one event loop.

    - ``url``: of daypass; ``credentials``: of the service itself, or what gives them at every question.
    - ``service``, ``region``: what requests to the service are signed for.
    - ``backend``: the service's name in daypass's configuration; or ``account``: whose resources it has.
    - ``local_keys``: ask for signing keys and verify further requests here; without, every request is asked about.
    - ``tls``: for a certificate that the machine does not know. ``unsafe_plain_http``: let http:// reach another machine.

    Raises ConfigurationError.
    """

    def __init__(self, url: str, credentials: Credentials | Callable[[], Credentials], **settings: Any) -> None:
        super().__init__(url, credentials, **settings)
        self._client = AsyncClient(self._address, self._seconds, self._tls)
        self._flights: dict[Hashable, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def identify(
        self, request: RawRequest, *, payload_sha256: str | None = None, sender: Sender = UNKNOWN_SENDER
    ) -> VerifiedCaller:
        """
        Whose request it is. ``payload_sha256``: of its body, where that has been read; else **the service owes the body**
        (``VerifiedCaller.payload``). A caller whose access ends is known for 300 seconds more.

        Raises AuthenticationError; RequestError for what cannot be asked; UnavailableError when daypass is away.
        """
        return await self._follow(self._plans.identify(request, payload_sha256, sender))

    async def allowed(self, caller: VerifiedCaller, permissions: Sequence[Permission]) -> list[Decision]:
        """
        What a caller may, in the order of the permissions; up to 5 seconds old. Raises AuthenticationError when the caller is
        not good any more, RequestError, UnavailableError.
        """
        return await self._follow(self._plans.allowed(caller, permissions))

    async def authorize(
        self,
        request: RawRequest,
        permissions: Sequence[Permission] | None = None,
        *,
        payload_sha256: str | None = None,
        sender: Sender = UNKNOWN_SENDER,
        body: bytes | None = None,
    ) -> VerifiedCaller:
        """
        Whose request it is, when all of the permissions are there; without any, those that the backend's action map says
        (``body``: where that reads it). Raises AccessDeniedError with AWS's sentence; and as ``identify``.
        """
        return await self._follow(self._plans.authorize(request, permissions, payload_sha256, sender, body))

    async def _follow(self, plan: Plan[Result]) -> Result:
        try:
            ask = next(plan)
            while True:
                ask = plan.send(await self._asked(ask))
        except StopIteration as done:
            result: Result = done.value
            return result

    async def _asked(self, ask: Ask) -> Answer | None:
        if ask.flight is None:
            return await self._post(ask)
        under_way = self._flights.get(ask.flight)
        if under_way is not None:
            await under_way.wait()
            return None
        ended = self._flights[ask.flight] = asyncio.Event()
        try:
            return await self._post(ask)
        finally:
            del self._flights[ask.flight]
            ended.set()

    async def _post(self, ask: Ask) -> Answer:
        answer = _read(*await self._client.post(*self._signed(ask)))
        ask.learn(answer)
        return answer


class BlockingVerifier(_Asking):
    """As ``Verifier``, for threads: any number of them may share one."""

    def __init__(self, url: str, credentials: Credentials | Callable[[], Credentials], **settings: Any) -> None:
        super().__init__(url, credentials, **settings)
        self._client = BlockingClient(self._address, self._seconds, self._tls)
        self._flights: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def identify(
        self, request: RawRequest, *, payload_sha256: str | None = None, sender: Sender = UNKNOWN_SENDER
    ) -> VerifiedCaller:
        """As ``Verifier.identify``."""
        return self._follow(self._plans.identify(request, payload_sha256, sender))

    def allowed(self, caller: VerifiedCaller, permissions: Sequence[Permission]) -> list[Decision]:
        """As ``Verifier.allowed``."""
        return self._follow(self._plans.allowed(caller, permissions))

    def authorize(
        self,
        request: RawRequest,
        permissions: Sequence[Permission] | None = None,
        *,
        payload_sha256: str | None = None,
        sender: Sender = UNKNOWN_SENDER,
        body: bytes | None = None,
    ) -> VerifiedCaller:
        """As ``Verifier.authorize``."""
        return self._follow(self._plans.authorize(request, permissions, payload_sha256, sender, body))

    def _follow(self, plan: Plan[Result]) -> Result:
        try:
            ask = next(plan)
            while True:
                ask = plan.send(self._asked(ask))
        except StopIteration as done:
            result: Result = done.value
            return result

    def _asked(self, ask: Ask) -> Answer | None:
        if ask.flight is None:
            return self._post(ask)
        with self._lock:
            under_way = self._flights.get(ask.flight)
            ended = threading.Event()
            if under_way is None:
                self._flights[ask.flight] = ended
        if under_way is not None:
            under_way.wait()
            return None
        try:
            return self._post(ask)
        finally:
            with self._lock:
                del self._flights[ask.flight]
            ended.set()

    def _post(self, ask: Ask) -> Answer:
        answer = _read(*self._client.post(*self._signed(ask)))
        ask.learn(answer)
        return answer
