# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.stages``: microseconds of each stage of the door, in process, with everything in memory.

The service is wired as in production, in a temporary directory; each stage is given what the stage before made of a real
request, many times over for all requests of the workload in turn. The HTTP server is not in it: the whole call here and
the request of ``python -m bench`` differ by what uvicorn and the kernel take.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import httptools
from botocore.credentials import Credentials

from bench.identity_provider import AUDIENCE, IdentityProvider
from bench.targets import ACCOUNT, NEXT_ROLE, ROLE, next_trust_policy, trust_policy
from bench.workload import OPERATIONS, SESSIONS, TOKENS, Operation, Workload
from daypass import jose
from daypass.access import Permitted, authorize, trust
from daypass.access.context import resource_keys
from daypass.api import door as api_door
from daypass.api.door import ParsedRequest
from daypass.api.operations import SignedOperation
from daypass.awsapi import query
from daypass.clock import system_clock
from daypass.doorway.audit_trail import Noted
from daypass.doorway.received import ReceivedRequest, Scope, receive_request
from daypass.federation import RegisteredProvider
from daypass.identity import Identity
from daypass.server.app import App, open_app
from daypass.server.settings import Settings
from daypass.sessions import Session, Sessions
from daypass.store import OidcProvider, Role
from daypass.sts import SessionWishes, Sts, assume

URL: Final = "http://127.0.0.1:8450"
ROUNDS: Final = 20
REQUEST_ID: Final = "7dbe2a19-026f-44d4-a53a-287567bb155b"

Stage = tuple[str, Callable[[int], object]]
"""What it is called, and the call for the request with this number."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="daypass-bench-") as directory:
        asyncio.run(_measured(Settings(data_dir=Path(directory), allow_loopback_http=True, account_id=ACCOUNT)))


async def _measured(settings: Settings) -> None:
    app, provider = await open_app(settings), IdentityProvider()
    try:
        workload = await _provided(app, provider)
        for operation in OPERATIONS:
            calls = [await _Call.made(app, request) for request in workload.requests(operation, URL)]
            stages = _proof_stages(app, calls) if operation == OPERATIONS[0] else _caller_stages(app, calls)
            _print(operation, [*_common_before(app, calls), *stages, *_common_after(app, calls)])
    finally:
        provider.close()
        await app.close()


class _Call:
    """One request and what the stages made of it, each the input of the next."""

    scope: Scope
    body: bytes
    received: ReceivedRequest
    parsed: ParsedRequest
    parameters: dict[str, object]
    result: Any
    token: jose.UnverifiedToken
    registered: RegisteredProvider
    identity: Identity
    role: Role
    permitted: Permitted

    @classmethod
    async def made(cls, app: App, raw: bytes) -> _Call:
        call = cls()
        call.scope, call.body = _scope(raw)
        call.received = await receive_request(call.scope, call.receive, clock=system_clock, trusted_proxies=())
        call.parsed = app.door._parse(call.received)
        call.parameters = api_door._parameters(call.parsed, Noted())
        call.result = await app.door._answer(call.parsed, Noted())
        return call

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.body, "more_body": False}


def _common_before(app: App, calls: Sequence[_Call]) -> list[Stage]:
    return [
        (
            "receive",
            lambda n: _run(receive_request(calls[n].scope, calls[n].receive, clock=system_clock, trusted_proxies=())),
        ),
        ("parse: form, operation", lambda n: app.door._parse(calls[n].received)),
        ("parse: parameters, constraints", lambda n: api_door._parameters(calls[n].parsed, Noted())),
        ("store: the current view", lambda _: app.store.view()),
    ]


def _common_after(app: App, calls: Sequence[_Call]) -> list[Stage]:
    return [
        ("serialise", lambda n: query.serialize_result(calls[n].parsed.model, calls[n].result, REQUEST_ID)),
        ("= the whole call, by itself", lambda n: _run(app.door(calls[n].scope, calls[n].receive, _nowhere))),
    ]


def _caller_stages(app: App, calls: Sequence[_Call]) -> list[Stage]:
    view, door = app.store.view(), app.door
    operation = cast(SignedOperation, calls[0].parsed.operation)

    def authenticate(number: int) -> Any:
        received = calls[number].received
        return door._authenticator.authenticate(
            received.raw,
            payload_hash=received.payload_hash,
            service="sts",
            view=view,
            now=received.facts.now,
        )

    callers = [authenticate(number) for number in range(len(calls))]

    def allowed(number: int) -> Permitted:
        resource = operation.resource(calls[number].parameters, callers[number], view)
        return authorize(
            callers[number],
            operation.action,
            resource,
            facts=calls[number].received.facts,
            view=view,
            keys=lambda tags: {**resource_keys(resource.account, tags, iam=True), **resource.keys},
        )

    for number, call in enumerate(calls):
        call.permitted = allowed(number)
    return [
        ("authenticate", authenticate),
        ("authorize", allowed),
        ("operate", lambda n: _run(operation.handler(calls[n].permitted, calls[n].parameters))),
        *(_token_stages(app, [caller.session for caller in callers]) if operation.name == "AssumeRole" else ()),
    ]


def _token_stages(app: App, found: Sequence[Session | None]) -> list[Stage]:
    """Sealing and opening a session token, by themselves."""
    sessions, now = [session for session in found if session is not None], system_clock()
    made = [app.sessions.issue(session, now=now) for session in sessions]
    forgetful = Sessions(app.sessions._ring_now)

    def opened(number: int) -> object:
        forgetful._opened.clear()
        token, key_id = made[number].session_token.reveal(), made[number].access_key_id
        return forgetful.open(token, access_key_id=key_id, now=now)

    return [
        ("= seal a session token", lambda n: app.sessions.issue(sessions[n], now=now)),
        ("= open a session token", opened),
    ]


def _proof_stages(app: App, calls: Sequence[_Call]) -> list[Stage]:
    view = app.store.view()
    sts: Sts = cast(Any, calls[0].parsed.operation.handler).args[0]
    for call in calls:
        call.token = jose.parse(cast(str, call.parameters["WebIdentityToken"]))
        found = view.oidc_providers.with_name(ACCOUNT, call.token.unverified_issuer.partition("://")[2])
        role = view.roles.with_name(ACCOUNT, ROLE)
        if found is None or role is None:
            raise LookupError("the provider and the role were registered above")
        call.role = role
        call.registered = RegisteredProvider(found.account, found.arn, found.url, found.client_ids, found.created_at)
        call.identity = _run(sts.oidc.identify(call.registered, call.token, now=call.received.facts.now))

    def trusted(number: int) -> Any:
        call = calls[number]
        return trust(
            call.identity,
            call.role,
            action="sts:AssumeRoleWithWebIdentity",
            session_name="worker",
            facts=call.received.facts,
            view=view,
        )

    believed = [trusted(number) for number in range(len(calls))]
    wishes = SessionWishes("worker-0001")
    return [
        ("read the token", lambda n: jose.parse(cast(str, calls[n].parameters["WebIdentityToken"]))),
        (
            "verify the token",
            lambda n: _run(sts.oidc.identify(calls[n].registered, calls[n].token, now=calls[n].received.facts.now)),
        ),
        ("trust", trusted),
        (
            "issue",
            lambda n: assume(believed[n], wishes, sessions=sts.sessions, now=calls[n].received.facts.now).members(),
        ),
    ]


def _print(operation: Operation, stages: Sequence[Stage]) -> None:
    """
    The median of each stage over all requests, several times.

    One request goes through all stages before the next: the caches of the processor are as cold for a stage as they are in
    service. A stage that is repeated by itself looks twice as fast.
    """
    found: dict[str, list[float]] = {name: [] for name, _ in stages}
    for _ in range(ROUNDS):
        for number in range(TOKENS):
            for name, call in stages:
                begun = time.perf_counter()
                call(number)
                found[name].append((time.perf_counter() - begun) * 1e6)
    print(operation)
    for name, figures in found.items():
        print(f"{median(figures):>9.1f} us  {name}")
    print(
        f"{sum(median(figures) for name, figures in found.items() if name[0] != '='):>9.1f} us  = the stages together\n"
    )


def _run(awaited: Awaitable[Any]) -> Any:
    """Run what never waits: everything is in memory."""
    try:
        cast(Coroutine[Any, Any, Any], awaited).send(None)
    except StopIteration as stopped:
        return stopped.value
    raise RuntimeError("expected a call that waits for nothing")


async def _nowhere(_message: Any) -> None:
    """Where answers go."""


def _scope(raw: bytes) -> tuple[Scope, bytes]:
    """The ASGI scope that uvicorn makes of a request, and the body."""

    class Found:
        def __init__(self) -> None:
            self.headers: list[tuple[bytes, bytes]] = []
            self.body = b""

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.append((name.lower(), value))

        def on_body(self, body: bytes) -> None:
            self.body += body

    found = Found()
    httptools.HttpRequestParser(found).feed_data(raw)
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": found.headers,
        "client": ("127.0.0.1", 40_000),
    }
    return scope, found.body


async def _provided(app: App, provider: IdentityProvider) -> Workload:
    """The provider, the role, and sessions, as ``bench.targets`` makes them through the door."""
    now = system_clock()
    registered = OidcProvider(ACCOUNT, provider.url, (AUDIENCE,), (), (), int(now))
    text = trust_policy(registered.arn, registered.name)
    role = Role(ACCOUNT, "/", ROLE, "AROAEXAMPLEEXAMPLEABC", None, 3600, text, (), int(now))
    next_trust = next_trust_policy(role.arn)
    principals = ((role.arn, role.unique_id),)
    following = Role(ACCOUNT, "/", NEXT_ROLE, "AROAEXAMPLEEXAMPLEABD", None, 3600, next_trust, principals, int(now))
    async with app.store.transaction() as transaction:
        await transaction.put(registered)
        await transaction.put(role)
        await transaction.put(following)
    tokens = tuple(provider.token(number, now) for number in range(TOKENS))
    workload = Workload(role.arn, following.arn, tokens, ())
    sessions = []
    for raw in workload.requests("AssumeRoleWithWebIdentity", URL)[:SESSIONS]:
        answer = (await _Call.made(app, raw)).result["Credentials"]
        sessions.append(Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]))
    return Workload(role.arn, following.arn, tokens, tuple(sessions))


if __name__ == "__main__":
    main()
