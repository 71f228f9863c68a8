# SPDX-License-Identifier: Apache-2.0
"""
Which service asks, and may it: the permissions of ``/verify/...`` (docs/verify.md).

    daypass:VerifyRequest   daypass:Decide   daypass:GetSigningKey     on  arn:aws:daypass:REGION:ACCOUNT:service/NAME

Nobody has them unless a policy says so. What signs at our own doors is never verified for others, and no signing key is given
out that another service behind us would take (spec: threats 1c, G5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from daypass.access import Caller, Permitted, RequestFacts, authorize
from daypass.access.context import resource_keys
from daypass.arn import is_account_id
from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.gateway.asked_messages import ScopeMembers
from daypass.gateway.asking import ActionMap, AskedOperation, Incoming
from daypass.gateway.backends import Backend, Backends, Upstream
from daypass.gateway.denials import HTTP_FORM
from daypass.resources import resource_of
from daypass.store import View

AskAction = Literal["daypass:VerifyRequest", "daypass:Decide", "daypass:GetSigningKey", "daypass:UseS3Tokens"]

SERVICE: Final = "daypass"
"""The service in the scope of signatures for ``/verify/...``, and the prefix of its actions."""

RESERVED: Final = frozenset({"sts", "iam", "daypass", "organizations", "signin", "sso", "sso-oauth"})
"""Services of ours, here and to come: a signature for one of them says nothing to anybody else."""

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_REGION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class AskedScope(msgspec.Struct, frozen=True):
    """
    What a service asks about. ``backend``: as requests for it are verified; of a service that is not behind us, one that is
    made for the question. ``configured``: whether it is one of the configuration. ``arn``: the resource of its permissions.
    """

    backend: Backend
    configured: bool
    arn: str


class _OwnActions:
    """The action map of a service that knows its own actions: requests say nothing to us."""

    def body_limit(self, incoming: Incoming) -> int | None:  # noqa: ARG002 - the protocol's
        """None: the body does not matter."""
        return None

    def operation(self, incoming: Incoming) -> AskedOperation:  # noqa: ARG002 - the protocol's
        """Raises RequestError: the service has to say what is asked."""
        raise RequestError(Reason.INVALID_PARAMETER, "Expected the permissions that each request needs.")


_OWN_ACTIONS: Final[ActionMap] = _OwnActions()
_NOWHERE: Final = Upstream("http", "", 0)


def scope_of(message: ScopeMembers, backends: Backends) -> AskedScope:
    """
    What a message asks about. Raises RequestError for what is none, AccessDeniedError for services that nobody may ask about.
    """
    explicit = (message.service, message.region, message.account)
    if message.backend is not None:
        if any(one is not None for one in explicit):
            raise _invalid("expected a backend, or a service with region and account")
        backend = backends.named(message.backend)
        if backend is None:
            raise RequestError(Reason.NO_SUCH_BACKEND, "There is no backend of this name.")
        configured = True
    else:
        backend = _made(message)
        configured = False
        if backends.named(backend.name) is not None:
            raise _reserved("A configured backend has this name; ask for it by that.")
    if backend.service in RESERVED:
        raise _reserved("Requests for this service are verified by nobody but daypass itself.")
    return AskedScope(backend, configured, service_arn(backend.region, backend.account, backend.name))


def service_arn(region: str, account: str, name: str) -> str:
    """The resource that permissions to ask are given on."""
    return f"arn:aws:daypass:{region}:{account}:service/{name}"


def permit_asking(
    asker: Caller, action: AskAction, arn: str, account: str, facts: RequestFacts, view: View
) -> Permitted:
    """See to it that a caller may do this to the service. Raises AccessDeniedError."""
    resource = resource_of(arn, arn, account, view, principal=asker.principal, action=action)
    return authorize(
        asker,
        action,
        resource,
        facts=facts,
        view=view,
        keys=lambda tags: resource_keys(resource.account, tags, iam=False),
    )


def check_key_is_theirs(scope: AskedScope, backends: Backends, others: Sequence[tuple[str, str]]) -> None:
    """
    Refuse a signing key that another service would take: one of the configuration with the same service and region, or
    (``others``: service and region) a door of ours. Raises AccessDeniedError.
    """
    wanted = (scope.backend.service, scope.backend.region)
    taken = [backend for backend in backends if (backend.service, backend.region) == wanted]
    if any(not scope.configured or backend.name != scope.backend.name for backend in taken) or wanted in others:
        raise AccessDeniedError(
            Reason.SIGNING_KEY_WITHHELD,
            "A signing key for this service and region would be good at another service too; none is given out.",
        )


def _made(message: ScopeMembers) -> Backend:
    """A backend for the question of a service that is not behind us."""
    service, region, account = message.service or "", message.region or "", message.account or ""
    if _NAME.fullmatch(service) is None or _REGION.fullmatch(region) is None or not is_account_id(account):
        raise _invalid("expected a backend, or a service with region and account")
    return Backend(
        name=service,
        service=service,
        actions=_OWN_ACTIONS,
        form_of=lambda _raw: HTTP_FORM,
        upstream=_NOWHERE,
        region=region,
        account=account,
    )


def _reserved(message: str) -> AccessDeniedError:
    return AccessDeniedError(Reason.VERIFIED_SERVICE_RESERVED, message)


def _invalid(message: str) -> RequestError:
    return RequestError(Reason.INVALID_PARAMETER, f"The request is not as expected: {message}.")
